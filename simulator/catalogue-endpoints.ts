import {
  makeAnnotations,
  makeCategories,
  makeCohorts,
  makeEventsList,
  toV2,
  type Annotation,
} from './catalogue-data';
import { envelopeExtras, type DashboardProject } from './dashboard-endpoints';
import { jsonReply, replies, type Reply } from './reply';
import type { Settings } from './settings';

function wrap(
  path: string,
  key: string,
  items: readonly unknown[],
  settings: Settings,
  extras: Record<string, unknown> = {},
): Reply {
  const { noWrapper, emptyProject } = settings.quirks;
  const shown = emptyProject ? [] : items;
  return jsonReply(200, noWrapper.includes(path) ? { items: shown, ...extras } : { [key]: shown, ...extras });
}

/** An instant from an ISO text; undefined when absent, NaN when it is none. */
function instant(text: string | null): number | undefined {
  return text === null ? undefined : Date.parse(text);
}

/** GET /api/3/annotations, with its filters, and one annotation by id (section 7). */
export function answerAnnotationsV3(
  path: string,
  query: URLSearchParams,
  project: DashboardProject,
  settings: Settings,
): Reply {
  if (!settings.quirks.annotationsV3) return replies.notFound();
  const all = settings.quirks.emptyProject ? [] : makeAnnotations(project.startMs, project.timeZone);
  const id = /^\/api\/3\/annotations\/(\d+)$/.exec(path)?.[1];
  if (id !== undefined) {
    const one = all.find((annotation) => String(annotation.id) === id);
    return one === undefined ? replies.notFound() : jsonReply(200, { data: one });
  }
  const category = query.get('category');
  const chart = query.get('chart_id');
  if (category !== null && chart !== null)
    return replies.badRequest('category and chart_id cannot be combined');
  const from = instant(query.get('start'));
  const until = instant(query.get('end'));
  if (Number.isNaN(from) || Number.isNaN(until))
    return replies.badRequest('start and end have to be ISO 8601');
  const fits = (annotation: Annotation): boolean =>
    (category === null || annotation.category?.name === category) &&
    (chart === null || annotation.chart_id === chart) &&
    (from === undefined || Date.parse(annotation.start) >= from) &&
    (until === undefined || Date.parse(annotation.end ?? annotation.start) <= until);
  return wrap('/api/3/annotations', 'data', all.filter(fits), settings);
}

/** GET /api/3/annotation-categories. */
export function answerCategories(settings: Settings): Reply {
  return wrap('/api/3/annotation-categories', 'data', makeCategories(), settings);
}

/** GET /api/2/annotations, also with `id`. */
export function answerAnnotationsV2(
  query: URLSearchParams,
  project: DashboardProject,
  settings: Settings,
): Reply {
  const id = query.get('id');
  const { startMs, timeZone } = project;
  const all = makeAnnotations(startMs, timeZone).filter((one) => id === null || String(one.id) === id);
  const shown = all.map((one) => toV2(one, timeZone));
  return wrap('/api/2/annotations', 'data', shown, settings);
}

/** GET /api/3/cohorts (section 5.1). */
export function answerCohorts(query: URLSearchParams, project: DashboardProject, settings: Settings): Reply {
  const withSync = query.get('includeSyncInfo') === 'true';
  return wrap('/api/3/cohorts', 'cohorts', makeCohorts(project.startMs, withSync), settings);
}

/** GET /api/2/events/list (section 4.4). */
export function answerEventsList(project: DashboardProject, settings: Settings): Reply {
  const items = makeEventsList(project.seed, project.nowMs);
  return wrap('/api/2/events/list', 'data', items, settings, envelopeExtras(project.nowMs, 1));
}
