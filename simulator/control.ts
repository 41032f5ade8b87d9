import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FaultAction, FaultMatch } from './faults';
import { FAULT_PRESETS } from './fault-presets';
import { parseDay, requireHour } from './hours';
import type { SettingsPatch } from './settings';
import type { Simulator } from './simulator';

interface ControlBody {
  readonly ms?: number;
  readonly match?: FaultMatch;
  readonly action?: FaultAction | string;
  readonly seed?: number;
  readonly rate?: number;
  readonly names?: readonly string[];
  readonly maxConsecutive?: number;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : JSON.parse(text);
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

function hourOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  return text === null ? undefined : requireHour(text);
}

function* truthLines(simulator: Simulator, query: URLSearchParams): Generator<string, void, void> {
  const startMs = hourOf(query, 'start');
  const endMs = hourOf(query, 'end');
  const range = {
    ...(startMs === undefined ? {} : { startMs }),
    ...(endMs === undefined ? {} : { endMs }),
    ...(query.get('all') === '1' ? {} : { nowMs: simulator.nowMs() }),
  };
  for (const event of simulator.data.truth(range)) yield `${event.line}\n`;
}

function daily(simulator: Simulator, query: URLSearchParams): unknown {
  const startMs = parseDay(query.get('start') ?? '');
  const endMs = parseDay(query.get('end') ?? '');
  if (startMs === undefined || endMs === undefined) throw new RangeError('start and end have to be YYYYMMDD');
  const metric = query.get('metric') ?? 'active';
  if (metric === 'average' || metric === 'peruser')
    return simulator.sessionFigures({ startMs, endMs, figure: metric });
  if (metric !== 'active' && metric !== 'new') throw new RangeError(`no such metric: ${metric}`);
  return simulator.userCounts({ startMs, endMs, metric, grouped: query.get('grouped') !== '0' });
}

function registerFault(simulator: Simulator, body: ControlBody): unknown {
  if (body.action === undefined) throw new RangeError('action is missing');
  simulator.fault({ match: body.match ?? {}, action: body.action });
  return { ok: true };
}

/**
 * The control endpoints, for people and for programs in other languages; no credentials, and not in the request log:
 * GET requests, faults, storage, daily, truth (lines as they are in the archives); POST now, fault, chaos, settings, reset.
 */
export async function control(
  simulator: Simulator,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const query = url.searchParams;
  const body = (await readBody(request)) as ControlBody;
  const { log, faults } = simulator;
  switch (`${request.method} ${url.pathname.slice('/_control/'.length)}`) {
    case 'GET requests': {
      const windowMs = Number(query.get('window_ms') ?? simulator.settings.cost.windowMs);
      const { entries, maxInFlight } = log;
      return send(response, 200, {
        requests: entries,
        maxInFlight,
        maxCostInWindow: log.maxCostInWindow(windowMs),
      });
    }
    case 'GET faults':
      return send(response, 200, {
        injected: faults.injected,
        byName: Object.fromEntries(faults.byName),
        names: Object.keys(FAULT_PRESETS),
      });
    case 'GET storage':
      return send(response, 200, { requests: simulator.storage.requests });
    case 'GET daily':
      return send(response, 200, daily(simulator, query));
    case 'GET truth':
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      return pipeline(Readable.from(truthLines(simulator, query)), response);
    case 'GET now':
      return send(response, 200, { ms: simulator.nowMs() });
    case 'POST now':
      if (typeof body.ms !== 'number') throw new RangeError('ms has to be a number of milliseconds');
      simulator.setNow(body.ms);
      return send(response, 200, { ok: true });
    case 'POST fault':
      return send(response, 200, registerFault(simulator, body));
    case 'POST chaos': {
      const { seed = 1, rate = 0, names, match, maxConsecutive } = body;
      simulator.chaos({
        seed,
        rate,
        ...(names === undefined ? {} : { actions: names }),
        ...(match === undefined ? {} : { match }),
        ...(maxConsecutive === undefined ? {} : { maxConsecutive }),
      });
      return send(response, 200, { ok: true });
    }
    case 'POST settings':
      simulator.configure(body as SettingsPatch);
      return send(response, 200, { ok: true });
    case 'POST reset':
      simulator.reset();
      return send(response, 200, { ok: true });
    default:
      return send(response, 404, { error: 'no such control endpoint' });
  }
}
