import {
  answerAnnotationsV2,
  answerAnnotationsV3,
  answerCategories,
  answerCohorts,
  answerEventsList,
} from './catalogue-endpoints';
import { answerSessions, answerUsers, type DashboardProject } from './dashboard-endpoints';
import type { ArchiveChanges, ExportEndpoint } from './export-endpoint';
import { answerFromFile } from './fixed-answers';
import { replies, type Reply } from './reply';
import type { Settings } from './settings';

/** The answer for missing or wrong credentials, or undefined when they are right. */
export function refuseCredentials(
  header: string | undefined,
  credentials: Settings['credentials'],
): Reply | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return replies.noAuth();
  const decoded = Buffer.from(encoded, 'base64').toString();
  const colon = decoded.indexOf(':');
  if (colon < 0) return replies.noAuth();
  const right =
    decoded.slice(0, colon) === credentials.apiKey && decoded.slice(colon + 1) === credentials.secretKey;
  // A key of the other region is as unknown here as one that never existed.
  return right ? undefined : replies.wrongKey();
}

export interface RoutedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly cost: number;
}

/** Finds the endpoint; everything unknown is a 404. */
export async function route(
  request: RoutedRequest,
  project: DashboardProject,
  settings: Settings,
  exports: ExportEndpoint,
  changes: ArchiveChanges | undefined,
): Promise<Reply> {
  const { method, path, query, cost } = request;
  if (method !== 'GET') return replies.notFound();
  if (settings.quirks.denied.includes(path)) return replies.noPermission();
  if (path === '/api/3/annotations' || path.startsWith('/api/3/annotations/')) {
    return answerAnnotationsV3(path, query, project, settings);
  }
  switch (path) {
    case '/api/2/export':
      return exports.answer(query, changes);
    case '/api/2/users':
      return answerUsers(query, project, settings);
    case '/api/2/sessions/average':
      return answerSessions('average', query, project, settings, cost);
    case '/api/2/sessions/peruser':
      return answerSessions('peruser', query, project, settings, cost);
    case '/api/2/events/list':
      return answerEventsList(project, settings);
    case '/api/2/annotations':
      return answerAnnotationsV2(query, project, settings);
    case '/api/3/annotation-categories':
      return answerCategories(settings);
    case '/api/3/cohorts':
      return answerCohorts(query, project, settings);
    default:
      return answerFromFile(path);
  }
}
