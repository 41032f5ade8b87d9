import { entryOf, type LosslessJson, parseLossless } from './lossless-json';

/** The fields that upstream's connector rewrites, by its source; typed here anew, not taken from src. */
const TIMESTAMPS: readonly string[] = [
  'client_event_time',
  'client_upload_time',
  'event_time',
  'processed_time',
  'server_received_time',
  'server_upload_time',
  'user_creation_time',
];

/** What the record of an archive's line must hold: everything as it is, but the seven timestamps at the top level. */
export function expectedEvent(line: string): LosslessJson {
  const event = parseLossless(line);
  if (event.kind !== 'object') throw new TypeError('an event is an object');
  return {
    kind: 'object',
    entries: event.entries.map(([key, value]) => [key, TIMESTAMPS.includes(key) ? rewrite(value) : value]),
  };
}

/**
 * The same for records that JSON.parse has read. It rounds integers beyond 2^53 and keeps the last of repeated keys, on both
 * sides alike: what must be exact to the last digit is compared with `expectedEvent`.
 */
export function expectedData(line: string): Record<string, unknown> {
  const data = JSON.parse(line) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, TIMESTAMPS.includes(key) ? rewriteText(value) : value]),
  );
}

/** The data of a RECORD line, without loss. */
export function dataOf(recordLine: string): LosslessJson {
  return entryOf(entryOf(parseLossless(recordLine), 'record'), 'data');
}

function rewrite(value: LosslessJson): LosslessJson {
  const text = value.kind === 'string' ? rewriteText(value.value) : null;
  return text === null ? { kind: 'null' } : { kind: 'string', value: text };
}

function rewriteText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? isoformat(value) : null;
}

/**
 * Python's `datetime.isoformat()` in UTC, from `2023-08-25 11:05:08.013`: `T` between date and time, six digits of
 * microseconds unless they are zero, `+00:00` at the end. Computed over the instant, so that a wrong digit shows.
 */
function isoformat(text: string): string {
  const [date = '', time = ''] = text.split(' ');
  const [year = NaN, month = NaN, dayOfMonth = NaN] = date.split('-').map(Number);
  const [clock = '', fraction = ''] = time.split('.');
  const [hour = NaN, minute = NaN, second = NaN] = clock.split(':').map(Number);
  const seconds = Date.UTC(year, month - 1, dayOfMonth, hour, minute, second) / 1000;
  const microseconds = Math.round(Number(`0.${fraction || '0'}`) * 1e6);
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  return `${whole}${microseconds === 0 ? '' : `.${String(microseconds).padStart(6, '0')}`}+00:00`;
}
