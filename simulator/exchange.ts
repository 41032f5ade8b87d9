import type { IncomingMessage, ServerResponse } from 'node:http';
import { costOf, type CostLedger } from './cost-ledger';
import type { DashboardProject } from './dashboard-endpoints';
import type { ExportEndpoint } from './export-endpoint';
import { planFault, type FaultPlan, type FaultTools } from './fault-actions';
import type { FaultList } from './faults';
import { replies, type Reply } from './reply';
import type { LoggedRequest, RequestLog } from './request-log';
import { refuseCredentials, route, type RoutedRequest } from './router';
import type { Settings } from './settings';
import { transmit, waitOnOpen } from './transmit';

/** What an exchange works with; the simulator owns all of it. */
export interface World {
  readonly log: RequestLog;
  readonly faults: FaultList;
  readonly ledger: CostLedger;
  readonly exports: ExportEndpoint;
  readonly settings: Settings;
  readonly project: DashboardProject;
  readonly pathPrefix: string;
  readonly inFlight: { count: number };
  readonly tools: (url: string) => FaultTools;
}

/** The path without the prefix; undefined when the prefix is missing. */
function localPath(pathname: string, prefix: string): string | undefined {
  if (prefix === '') return pathname;
  return pathname.startsWith(`${prefix}/`) ? pathname.slice(prefix.length) : undefined;
}

function open(world: World, request: IncomingMessage, url: URL, path: string): LoggedRequest {
  world.inFlight.count += 1;
  return world.log.add({
    method: request.method ?? '',
    path,
    query: Object.fromEntries(url.searchParams),
    search: url.search,
    userAgent: request.headers['user-agent'] ?? null,
    authPresent: request.headers.authorization !== undefined,
    startedAtMs: Date.now(),
    endedAtMs: null,
    status: 0,
    cost: costOf(path, url.searchParams, world.settings.cost.days),
    charged: false,
    bytesSent: 0,
    inFlightAtStart: world.inFlight.count,
    aborted: false,
    fault: null,
  });
}

/** The API's own answer: credentials, concurrency, budget, then the endpoint. */
async function decide(
  world: World,
  request: IncomingMessage,
  routed: RoutedRequest,
  entry: LoggedRequest,
  plan: FaultPlan | undefined,
): Promise<Reply> {
  const { settings } = world;
  const refusal = refuseCredentials(request.headers.authorization, settings.credentials);
  if (refusal !== undefined) return refusal;
  if (entry.inFlightAtStart > settings.maxInFlight) return replies.concurrency(routed.cost);
  if (routed.cost > 0) {
    entry.charged = world.ledger.tryBook(routed.cost, Date.now());
    if (!entry.charged) {
      return settings.cost.mode === 'window'
        ? replies.rateLimit(routed.cost)
        : replies.concurrency(routed.cost);
    }
  }
  return route(routed, world.project, settings, world.exports, plan?.archive);
}

function transferOf(
  world: World,
  path: string,
  plan: FaultPlan | undefined,
  reply: Reply,
): Parameters<typeof transmit>[2] {
  const framing = path === '/api/2/export' ? world.settings.exportFraming : 'length';
  return { framing, ...plan?.transfer?.(reply) };
}

/** Answers one request of the API. Resolves when nothing is left to send; rejects when the client went away first. */
export async function exchange(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const path = localPath(url.pathname, world.pathPrefix) ?? url.pathname;
  const known = localPath(url.pathname, world.pathPrefix) !== undefined;
  const entry = open(world, request, url, path);
  const sent = { bytes: 0 };
  response.once('close', () => {
    world.inFlight.count -= 1;
    if (entry.charged) world.ledger.release(entry.cost);
    entry.endedAtMs = Date.now();
    entry.bytesSent = sent.bytes;
    entry.aborted = !response.writableFinished;
    entry.status = response.headersSent ? response.statusCode : 0;
  });
  const method = entry.method;
  const fault = world.faults.choose({ method, path, query: entry.query });
  entry.fault = fault?.name ?? null;
  const plan = fault === undefined ? undefined : planFault(fault.action, world.tools(url.href));
  if ((await plan?.before?.(response)) === true) return;
  const { latencyMs } = world.settings;
  const latency = path === '/api/2/export' ? latencyMs.export : latencyMs.others;
  if (latency > 0) await waitOnOpen(response, latency);
  const routed = { method, path, query: url.searchParams, cost: entry.cost };
  let reply =
    plan?.replace ?? (known ? await decide(world, request, routed, entry, plan) : replies.notFound());
  if (plan?.edit !== undefined) reply = await plan.edit(reply);
  await transmit(response, reply, transferOf(world, path, plan, reply), sent);
}
