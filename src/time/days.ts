/** Calendar days as whole numbers since 1970-01-01: a day has no time zone, so neither DST nor offsets touch it. */
const DAY_MS = 86_400_000;

/** First and last day, both included. */
export interface DayRange {
  readonly first: number;
  readonly last: number;
}

export function dayOf(epochMs: number): number {
  return Math.floor(epochMs / DAY_MS);
}

/** `2026-10-01` */
export function formatDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** `20261001`: the form of the dashboard API's parameters. */
export function formatCompactDay(day: number): string {
  return formatDay(day).replaceAll('-', '');
}

/** The day of `2026-10-01`, or undefined when the text is not a day of the calendar. */
export function parseDay(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const epochMs = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(epochMs)) return undefined;
  const day = dayOf(epochMs);
  return formatDay(day) === text ? day : undefined;
}

/**
 * The calendar day that it is at an instant in a time zone.
 * @param timeZone IANA name; a RangeError is thrown for an unknown one.
 */
export function dayIn(timeZone: string, epochMs: number): number {
  // The first use of Intl.DateTimeFormat takes 20 ms, a quarter of what `discover` takes in all.
  if (timeZone === 'UTC') return dayOf(epochMs);
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(new Date(epochMs));
  const part = (type: string): number => Number(parts.find((candidate) => candidate.type === type)?.value);
  return Date.UTC(part('year'), part('month') - 1, part('day')) / DAY_MS;
}

/** Slices of at most `length` days that cover the range exactly. */
export function* sliceDays(range: DayRange, length: number): Generator<DayRange> {
  for (let first = range.first; first <= range.last; first += length) {
    yield { first, last: Math.min(first + length - 1, range.last) };
  }
}

/** Slices that end with each calendar month and cover the range exactly. */
export function* sliceMonths(range: DayRange): Generator<DayRange> {
  for (let first = range.first; first <= range.last;) {
    const next = new Date(first * DAY_MS);
    // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
    next.setUTCMonth(next.getUTCMonth() + 1, 1);
    const last = Math.min(dayOf(next.getTime()) - 1, range.last);
    yield { first, last };
    first = last + 1;
  }
}
