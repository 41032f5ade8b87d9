export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** `YYYYMMDDTHH` (UTC) to epoch ms; undefined when it is not an existing hour in exactly that form. */
export function parseHour(text: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})$/.exec(text);
  if (match === null) return undefined;
  const ms = Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:00:00Z`);
  // Date.parse takes 2023-02-29 for 1 March: only what formats back to itself exists.
  return Number.isNaN(ms) || formatHour(ms) !== text ? undefined : ms;
}

/** Like parseHour, but throws a RangeError. */
export function requireHour(text: string): number {
  const ms = parseHour(text);
  if (ms === undefined) throw new RangeError(`not an hour in the form YYYYMMDDTHH: ${text}`);
  return ms;
}

/** Epoch ms to the `YYYYMMDDTHH` (UTC) of the hour that holds it. */
export function formatHour(ms: number): string {
  return new Date(ms).toISOString().slice(0, 13).replaceAll('-', '');
}

/** `YYYYMMDD` to the epoch ms of that day's midnight, read as UTC; undefined when there is no such day. */
export function parseDay(text: string): number | undefined {
  return /^\d{8}$/.test(text) ? parseHour(`${text}T00`) : undefined;
}

/** Epoch ms to `YYYY-MM-DD` (UTC). */
export function formatDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

export function floorHour(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}

/** By time zone: making one takes longer than an answer. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** The calendar day (as midnight in UTC terms) and the part of it that has passed, for an instant in an IANA time zone. */
export function localDay(ms: number, timeZone: string): { dayMs: number; passed: number } {
  const parts = formatOf(timeZone).formatToParts(ms);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  const dayMs = Date.parse(`${part('year')}-${part('month')}-${part('day')}T00:00:00Z`);
  return { dayMs, passed: (Number(part('hour')) * 60 + Number(part('minute'))) / 1440 };
}
