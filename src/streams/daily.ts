import { dayIn, dayOf, formatCompactDay, formatDay, parseDay, type DayRange } from '../time/days';
import { parseDateTime } from '../time/instant';
import type { StreamOutput, StreamState } from '../protocol/output';
import { describeFuture, firstToRead, readCursor, unusableState } from './cursor';
import { unexpectedShape } from './json-shape';
import { decodeMatrix, type Matrix, type MatrixRow } from './matrix';
import type { ReadContext } from './stream';

/** What differs between the daily metrics. */
export interface DailyMetric {
  readonly name: string;
  slices(range: DayRange): Iterable<DayRange>;
  /** Asks Amplitude for the days `start` to `end` (`YYYYMMDD`, both included, `days` of them). */
  fetch(context: ReadContext, query: DailyQuery): Promise<unknown>;
  /** The record of one day. */
  toRecord(date: string, row: MatrixRow): object;
}

export interface DailyQuery {
  readonly start: string;
  readonly end: string;
  readonly days: number;
}

/** For how long a missing day is waited for: one that never comes would have every sync read all that follows it again. */
const LONGEST_WAIT_DAYS = 60;

/** The state of a daily stream: every day up to and including `date` is complete. */
export function parseDailyState(stream: string, state: StreamState): StreamState | undefined {
  const text = readCursor(stream, 'date', state);
  if (text === undefined) return undefined;
  const day = parseDay(text) ?? dayOfInstant(text);
  if (day === undefined) throw unusableState(stream, '"date" is not a date such as 2026-10-01');
  return { date: formatDay(day) };
}

function dayOfInstant(text: string): number | undefined {
  const epochMs = parseDateTime(text);
  return epochMs === undefined ? undefined : dayOf(epochMs);
}

/**
 * Reads slice by slice. Today's record is given, but the state never passes the last complete day, nor a recent day that an
 * answer lacks: later days are given all the same, and are read again by the next sync, which begins with the one that was missing.
 */
export async function* readDaily(
  metric: DailyMetric,
  context: ReadContext,
  state: StreamState | undefined,
): AsyncGenerator<StreamOutput, void, void> {
  const { settings, host } = context;
  const today = dayIn(settings.projectTimeZone, settings.nowMs);
  let completeDay = state === undefined ? -Infinity : parseDay(String(state['date']))!;
  if (completeDay > today) host.log.warn(describeFuture(formatDay(completeDay)));
  const range = daysToRead(context, today, completeDay);
  let lastSure = today - 1;
  for (const slice of metric.slices(range)) {
    const sinceMs = Date.now();
    const query = {
      start: formatCompactDay(slice.first),
      end: formatCompactDay(slice.last),
      days: slice.last - slice.first + 1,
    };
    const where = `${query.start}..${query.end}`;
    const matrix = decodeMatrix(await metric.fetch(context, query), where);
    matrix.warnings.forEach((warning) => host.log.warn(warning));
    const days = rowsByDay(metric.name, matrix, slice);
    const records = days.map(([day, row]) => metric.toRecord(formatDay(day), row));
    yield { kind: 'records', records };
    host.tally('windows', 1);
    const seconds = ((Date.now() - sinceMs) / 1000).toFixed(1);
    host.log.info(`${where}: ${records.length} records in ${seconds} s.`);
    const last = matrix.lastIncomplete ? slice.last - 1 : slice.last;
    const missing = findMissing(matrix, slice, days);
    const awaited = missing.find((day) => day >= today - LONGEST_WAIT_DAYS);
    if (awaited !== undefined) lastSure = Math.min(lastSure, awaited - 1);
    const overdue = missing.filter((day) => day < today);
    if (overdue.length > 0) host.log.warn(describeMissing(where, overdue, awaited));
    // What misses realtime data is yesterday or today: a later slice (today is the first of a month) must not pass it.
    if (matrix.lastIncomplete && slice.last >= today - 1) lastSure = Math.min(lastSure, last);
    completeDay = Math.max(completeDay, Math.min(last, lastSure));
    yield { kind: 'checkpoint', state: { date: formatDay(completeDay) } };
  }
}

function daysToRead(context: ReadContext, today: number, completeDay: number): DayRange {
  const { settings } = context;
  // One day at the least: the last day of a state of Airbyte's connector, which looks like ours, may be one that was not over.
  const lookback = Math.max(1, Math.ceil(settings.lookbackHours / 24));
  const end = settings.endMs === undefined ? today : dayOf(settings.endMs - 1);
  return {
    first: firstToRead(context, dayOf(settings.startMs), completeDay + 1, lookback),
    last: Math.min(today, end),
  };
}

/** The answer's rows of the days asked for: Amplitude may answer others, future ones as 0. */
function rowsByDay(stream: string, { rows }: Matrix, { first, last }: DayRange): [number, MatrixRow][] {
  const days: [number, MatrixRow][] = [];
  for (const row of rows) {
    const day = parseDay(row.x.slice(0, 10));
    if (day === undefined) throw unusableDay(stream, row.x);
    if (day >= first && day <= last) days.push([day, row]);
  }
  return days;
}

/** The days asked for that a project with data should have been answered, and was not: seen in production (airbyte #15208). */
function findMissing(
  { hasSeries }: Matrix,
  { first, last }: DayRange,
  answered: readonly [number, MatrixRow][],
): number[] {
  if (!hasSeries) return [];
  const days = new Set(answered.map(([day]) => day));
  return Array.from({ length: last - first + 1 }, (_, at) => first + at).filter((day) => !days.has(day));
}

function describeMissing(where: string, days: readonly number[], awaited: number | undefined): string {
  const consequence =
    awaited === undefined
      ? 'They are not waited for, being that old: to ask for them again, read the stream again from an earlier date.'
      : `The state stays before ${formatDay(awaited)}, so that the next sync asks again; after ${LONGEST_WAIT_DAYS} days it ` +
        'goes on without.';
  return `${where}: the answer lacks ${days.map(formatDay).join(', ')}. ${consequence}`;
}

function unusableDay(stream: string, text: string): Error {
  return unexpectedShape(`"xValues" of ${stream}`, `dates instead of ${JSON.stringify(text.slice(0, 40))}`);
}
