import { dayIn, dayOf, formatCompactDay, formatDay, parseDay, type DayRange } from '../time/days';
import { parseDateTime } from '../time/instant';
import type { StreamOutput, StreamState } from '../protocol/output';
import { describeFuture, firstToRead, readCursor, unusableState } from './cursor';
import { unexpectedShape } from './json-shape';
import { decodeMatrix, type Matrix, type MatrixRow } from './matrix';
import type { ReadContext, StreamSettings } from './stream';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

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

/** Reads slice by slice. Today's record is given, but the state never passes the last complete day. */
export async function* readDaily(
  metric: DailyMetric,
  context: ReadContext,
  state: StreamState | undefined,
): AsyncGenerator<StreamOutput, void, void> {
  const { settings, host } = context;
  const today = dayIn(settings.projectTimeZone, settings.nowMs);
  let completeDay = state === undefined ? -Infinity : parseDay(String(state['date']))!;
  if (completeDay > today) host.log.warn(describeFuture(formatDay(completeDay)));
  const range = daysToRead(settings, today, completeDay);
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
    const records = toRecords(metric, matrix, slice);
    yield { kind: 'records', records };
    host.tally('windows', 1);
    const seconds = ((Date.now() - sinceMs) / 1000).toFixed(1);
    host.log.info(`${where}: ${records.length} records in ${seconds} s.`);
    const last = matrix.lastIncomplete ? slice.last - 1 : slice.last;
    // What misses realtime data is yesterday or today: a later slice (today is the first of a month) must not pass it.
    if (matrix.lastIncomplete && slice.last >= today - 1) lastSure = Math.min(lastSure, last);
    completeDay = Math.max(completeDay, Math.min(last, lastSure));
    yield { kind: 'checkpoint', state: { date: formatDay(completeDay) } };
  }
}

function daysToRead(settings: StreamSettings, today: number, completeDay: number): DayRange {
  const resume = dayOf((completeDay + 1) * DAY_MS - settings.lookbackHours * HOUR_MS);
  const end = settings.endMs === undefined ? today : dayOf(settings.endMs - 1);
  return {
    first: firstToRead(dayOf(settings.startMs), settings.startIsRelative, resume),
    last: Math.min(today, end),
  };
}

function toRecords(metric: DailyMetric, matrix: Matrix, slice: DayRange): object[] {
  const records: object[] = [];
  for (const row of matrix.rows) {
    const date = row.x.slice(0, 10);
    const day = parseDay(date);
    if (day === undefined) throw unusableDay(metric.name, row.x);
    // Amplitude may answer days that nobody asked for, future ones as 0.
    if (day >= slice.first && day <= slice.last) records.push(metric.toRecord(date, row));
  }
  return records;
}

function unusableDay(stream: string, text: string): Error {
  return unexpectedShape(`"xValues" of ${stream}`, `dates instead of ${JSON.stringify(text.slice(0, 40))}`);
}
