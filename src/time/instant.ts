import { parseDay } from './days';

/** A point in time as people write it in a configuration. */
export interface Instant {
  readonly epochMs: number;
  /** A bare date stands for a whole day, which matters where reading ends. */
  readonly wholeDay: boolean;
  /** Written as a duration, so that it moves on with the clock. */
  readonly isRelative: boolean;
}

const DAY_MS = 86_400_000;
/** The years that dates and hours can be written in with four digits. */
const EARLIEST_MS = Date.parse('0001-01-01T00:00:00Z');
const LATEST_MS = Date.parse('9999-12-31T23:59:59.999Z');
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$/;
const DURATION =
  /^P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;

/**
 * Reads `2024-03-01T00:00:00Z`, `2024-03-01` or an ISO-8601 duration back from now such as `P1Y` or `PT36H`.
 * @returns undefined when the text is none of them or names an impossible date.
 */
export function parseInstant(text: string, nowMs: number): Instant | undefined {
  const day = parseDay(text);
  if (day !== undefined) return { epochMs: day * DAY_MS, wholeDay: true, isRelative: false };
  const fixedMs = parseDateTime(text);
  const epochMs = fixedMs ?? subtractDuration(text, nowMs);
  return epochMs === undefined ? undefined : { epochMs, wholeDay: false, isRelative: fixedMs === undefined };
}

/** A date-time without an offset counts as UTC. */
export function parseDateTime(text: string): number | undefined {
  const match = DATE_TIME.exec(text);
  if (!match) return undefined;
  const [, date = '', hour, minute, second = '00', offset = 'Z'] = match;
  // Date.parse would turn 2024-02-30 into 2024-03-01 and accept hour 24.
  if (parseDay(date) === undefined || Number(hour) > 23) return undefined;
  return withinYears(Date.parse(`${date}T${hour}:${minute}:${second}${offset}`));
}

function subtractDuration(text: string, nowMs: number): number | undefined {
  const match = DURATION.exec(text);
  if (!match) return undefined;
  const [years, months, weeks, days, hours, minutes, seconds] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  const date = new Date(nowMs);
  const dayOfMonth = date.getUTCDate();
  date.setUTCMonth(date.getUTCMonth() - (years! * 12 + months!));
  // One month back from 31 March is the last day of February, not 3 March.
  if (date.getUTCDate() !== dayOfMonth) date.setUTCDate(0);
  const back = (weeks! * 7 + days!) * DAY_MS + hours! * 3_600_000 + minutes! * 60_000 + seconds! * 1000;
  return withinYears(date.getTime() - back);
}

/** Undefined for what is no instant (NaN), and for one whose year `20240101T20` and `2024-01-01` cannot tell. */
function withinYears(epochMs: number): number | undefined {
  return epochMs >= EARLIEST_MS && epochMs <= LATEST_MS ? epochMs : undefined;
}
