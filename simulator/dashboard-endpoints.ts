import { DAY_MS, formatDay, localDay, parseDay } from './hours';
import { mix } from './random';
import { jsonReply, replies, type Reply } from './reply';
import type { AnswerQuirks, Settings } from './settings';

/** What the dashboard endpoints need to know of the project. */
export interface DashboardProject {
  readonly seed: number;
  /** Days before it have no users. */
  readonly startMs: number;
  readonly nowMs: number;
  readonly timeZone: string;
}

/** Values of `country`, with Amplitude's literal for "not set". */
export const COUNTRIES: readonly string[] = ['United States', 'Germany', '(none)', 'Côte d’Ivoire', 'Japan'];

/** One value per day for each label: what the matrix of an answer stands for. */
export interface DailySeries {
  /** `YYYY-MM-DD`. */
  readonly days: readonly string[];
  readonly labels: readonly string[];
  /** series[label][day] */
  readonly series: readonly (readonly number[])[];
}

/** Share of the final value that a day shows now: 0 before the project and after today, less than 1 today. */
function share(dayMs: number, project: DashboardProject): number {
  const { dayMs: today, passed } = localDay(project.nowMs, project.timeZone);
  if (dayMs > today || dayMs < Math.floor(project.startMs / DAY_MS) * DAY_MS) return 0;
  return dayMs === today ? passed : 1;
}

function daysBetween(startMs: number, endMs: number, interval: number): number[] {
  const days: number[] = [];
  const monthly = interval === 30;
  // A week starts on Monday (1 January 1970 was a Thursday), a month on its first day: first and last bucket may be partial.
  let day = startMs;
  if (interval === 7) day -= ((Math.floor(startMs / DAY_MS) + 3) % 7) * DAY_MS;
  if (monthly) day = Date.UTC(new Date(day).getUTCFullYear(), new Date(day).getUTCMonth(), 1);
  while (day <= endMs) {
    days.push(day);
    const date = new Date(day);
    day = monthly ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) : day + interval * DAY_MS;
  }
  return days;
}

/** The truth behind `/api/2/users`. */
export function userCounts(
  project: DashboardProject,
  range: { startMs: number; endMs: number; metric: 'active' | 'new'; interval?: number; grouped: boolean },
): DailySeries {
  const days = daysBetween(range.startMs, range.endMs, range.interval ?? 1);
  const labels = range.grouped ? COUNTRIES : ['0'];
  const count = (label: string, day: number): number => {
    const full = 20 + (mix(project.seed, range.metric, range.interval ?? 1, label, day / DAY_MS) % 900);
    return Math.floor(full * share(day, project));
  };
  return {
    days: days.map(formatDay),
    labels,
    series: labels.map((label) => days.map((day) => count(label, day))),
  };
}

/** The truth behind `/api/2/sessions/average` (seconds) and `/api/2/sessions/peruser`; some days have no session at all: 0. */
export function sessionFigures(
  project: DashboardProject,
  range: { startMs: number; endMs: number; figure: 'average' | 'peruser' },
): DailySeries {
  const days = daysBetween(range.startMs, range.endMs, 1);
  const figure = (day: number): number => {
    const draw = mix(project.seed, range.figure, day / DAY_MS);
    if (draw % 11 === 0) return 0;
    const hundredths = range.figure === 'average' ? 30_000 + (draw % 150_000) : 100 + (draw % 400);
    return Math.floor(hundredths * share(day, project)) / 100;
  };
  return { days: days.map(formatDay), labels: ['0'], series: [days.map(figure)] };
}

/** Beside `data`, as recorded on segmentation, funnel and session answers (section 2.5). */
export function envelopeExtras(nowMs: number, cost: number): Record<string, unknown> {
  return {
    timeComputed: nowMs,
    wasCached: false,
    cacheFreshness: 'FRESH',
    novaRuntime: 41,
    novaRequestDuration: 57,
    novaCost: cost,
    throttleTime: 0,
    minSampleRate: 1.0,
    transformationIds: [],
    backend: 'novaV2',
    realtimeDataMissing: false,
    timedOutRealtimeData: false,
    missedCacheAndNotComputed: false,
    partialMergedAndNewUserInformation: false,
    prunedResult: false,
    hitChunkGroupByLimit: false,
    subcluster: 3,
    millisSinceComputed: 0,
    earliestServerReceivedTime: nowMs - 30 * DAY_MS,
    queryIds: ['q-7f1c'],
  };
}

function cellOf(value: number, index: number, cells: AnswerQuirks['cells']): unknown {
  return cells === 'objects' || (cells === 'mixed' && index % 2 === 1) ? { setId: '', value } : value;
}

/** `seriesLabels`, or nothing where they are left out: on session answers, and where the values stand in `seriesMeta`. */
function labelsOf(
  labels: readonly string[],
  style: AnswerQuirks['labels'],
  grouped: boolean,
): Record<string, unknown> {
  if (!grouped || style === 'ints') return { seriesLabels: labels.map((_, index) => index) };
  if (style === 'meta') return {};
  return { seriesLabels: style === 'pairs' ? labels.map((label) => [0, label]) : labels };
}

function bend(row: readonly number[], shape: AnswerQuirks['series']): readonly number[] {
  if (shape === 'short') return row.slice(0, -1);
  return shape === 'long' ? [...row, 0] : row;
}

function usersMatrix(truth: DailySeries, quirks: AnswerQuirks, grouped: boolean): Record<string, unknown> {
  const empty = quirks.series === 'empty' || quirks.emptyProject;
  const shown = empty ? [] : truth.series;
  const labels = empty ? [] : truth.labels;
  return {
    xValues: truth.days,
    series: shown.map((row) =>
      bend(row, quirks.series).map((value, index) => cellOf(value, index, quirks.cells)),
    ),
    ...labelsOf(labels, quirks.labels, grouped),
    seriesCollapsed: shown.map(() => [0]),
    seriesMeta: grouped && quirks.labels === 'meta' ? labels : labels.map(() => ({ segmentIndex: 0 })),
  };
}

function sessionsMatrix(truth: DailySeries, quirks: AnswerQuirks): Record<string, unknown> {
  const shown = quirks.series === 'empty' || quirks.emptyProject ? [] : truth.series;
  const mean = (row: readonly number[]): number =>
    row.reduce((sum, value) => sum + value, 0) / Math.max(1, row.length);
  return {
    xValues: truth.days,
    series: shown.map((row) =>
      bend(row, quirks.series).map((value, index) => cellOf(value, index, quirks.cells)),
    ),
    seriesCollapsed: shown.map((row) => [{ setId: '', value: mean(row) }]),
    seriesMeta: shown.map(() => ({ segmentIndex: 0, sessionIndex: 0 })),
  };
}

function wrap(
  path: string,
  data: Record<string, unknown>,
  quirks: AnswerQuirks,
  extras: Record<string, unknown>,
): Reply {
  return jsonReply(200, quirks.noWrapper.includes(path) ? { ...extras, error: null } : { data, ...extras });
}

/** The days of a request, or the 400 that it gets. */
function readDays(
  query: URLSearchParams,
  project: DashboardProject,
  quirks: AnswerQuirks,
): { startMs: number; endMs: number } | Reply {
  const startMs = parseDay(query.get('start') ?? '');
  const endMs = parseDay(query.get('end') ?? '');
  if (startMs === undefined || endMs === undefined)
    return replies.badChart('Invalid or missing start or end: expected YYYYMMDD');
  if (endMs < startMs) return replies.badChart('Invalid time range: end is before start');
  const { dayMs: today } = localDay(project.nowMs, project.timeZone);
  if (quirks.futureDays === 'error' && endMs > today)
    return replies.badChart('Invalid time range: end is in the future');
  return { startMs, endMs };
}

/** GET /api/2/users (section 4.1). */
export function answerUsers(query: URLSearchParams, project: DashboardProject, { quirks }: Settings): Reply {
  const days = readDays(query, project, quirks);
  if ('status' in days) return days;
  const metric = query.get('m') ?? 'active';
  if (metric !== 'active' && metric !== 'new') return replies.badChart(`Invalid metric ${metric}`);
  const interval = Number(query.get('i') ?? '1');
  if (![1, 7, 30].includes(interval)) return replies.badChart(`Invalid interval ${interval}`);
  const group = query.get('g');
  if (group !== null && (group !== 'country' || !quirks.countryProperty))
    return replies.badChart(`Invalid user property ${group}`);
  const grouped = group !== null;
  const truth = userCounts(project, { ...days, metric, interval, grouped });
  return wrap('/api/2/users', usersMatrix(truth, quirks, grouped), quirks, {});
}

/** GET /api/2/sessions/average and /peruser (section 4.2). */
export function answerSessions(
  figure: 'average' | 'peruser',
  query: URLSearchParams,
  project: DashboardProject,
  settings: Settings,
  cost: number,
): Reply {
  const { quirks } = settings;
  const days = readDays(query, project, quirks);
  if ('status' in days) return days;
  const truth = sessionFigures(project, { ...days, figure });
  return wrap(`/api/2/sessions/${figure}`, sessionsMatrix(truth, quirks), quirks, {
    ...envelopeExtras(project.nowMs, cost),
    withSets: false,
  });
}
