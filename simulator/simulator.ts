import type { IncomingMessage, ServerResponse } from 'node:http';
import { control } from './control';
import { CostLedger } from './cost-ledger';
import { sessionFigures, userCounts, type DailySeries, type DashboardProject } from './dashboard-endpoints';
import { DataSet, type DataSetOptions, type TrueEvent } from './data-set';
import { exchange, type World } from './exchange';
import { ExportEndpoint } from './export-endpoint';
import { FAULT_PRESETS, presetOf } from './fault-presets';
import { FaultList, type ChaosOptions, type FaultAction, type FaultHandle, type FaultMatch } from './faults';
import { requireHour } from './hours';
import { Listener, type TlsOptions } from './listener';
import { RequestLog } from './request-log';
import { DEFAULT_SETTINGS, patchSettings, type Settings, type SettingsPatch } from './settings';
import { StorageServer } from './storage-server';

export interface SimulatorOptions {
  readonly data: DataSetOptions;
  /** The simulated time (epoch ms): decides which hours are loaded and which day is today. A number stands still. Default: the real time. */
  readonly now?: number | (() => number);
  /** Default 127.0.0.1; 0.0.0.0 lets containers in. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Host name in the URLs that are handed out. Default: `host`, or 127.0.0.1 for 0.0.0.0. */
  readonly advertisedHost?: string;
  /** Every path of the API is below this one, such as `/eu`. Default none. */
  readonly pathPrefix?: string;
  /** Serves https instead of http (the storage stays http). */
  readonly tls?: TlsOptions;
  readonly settings?: SettingsPatch;
}

/** A fault: which requests it hits and what happens to them; the action may be the name of a preset (fault-presets.ts). */
export interface FaultRule {
  readonly match?: FaultMatch;
  readonly action: FaultAction | string;
}

function advertisedHost({ host = '127.0.0.1', advertisedHost: advertised }: SimulatorOptions): string {
  return advertised ?? (host === '0.0.0.0' ? '127.0.0.1' : host);
}

/**
 * A stand-in for the read APIs of one Amplitude project in one region, over a real socket.
 *
 * ```ts
 * const simulator = await Simulator.start({ data: { startHour: '20240101T00', hours: 48 }, now: Date.UTC(2024, 0, 3) });
 * simulator.fault({ match: { path: '/api/2/export', nth: 2 }, action: 'reset-mid-body' });
 * // ... read from simulator.baseUrl with simulator.settings.credentials ...
 * simulator.log.maxInFlight; simulator.truth({ startHour: '20240101T00', endHour: '20240101T23' });
 * await simulator.close();
 * ```
 */
export class Simulator {
  /** The events behind the export, hour by hour. */
  readonly data: DataSet;
  /** Every request, control endpoints excepted. */
  readonly log = new RequestLog();
  /** What was injected: `faults.injected`, `faults.byName`. */
  readonly faults = new FaultList();
  /** Where `redirect` to `storage` leads: another origin, with a log of its own. */
  readonly storage: StorageServer;
  /** Errors of the simulator itself; `close` rejects with the first, so that no test passes over one. */
  readonly internalErrors: unknown[] = [];
  readonly #options: SimulatorOptions;
  readonly #listener: Listener;
  readonly #exports: ExportEndpoint;
  readonly #inFlight = { count: 0 };
  #idleWaiters: (() => void)[] = [];
  #settings: Settings;
  #ledger: CostLedger;
  #now: number | (() => number);

  private constructor(options: SimulatorOptions, storage: StorageServer) {
    this.#options = options;
    this.storage = storage;
    this.data = new DataSet(options.data);
    this.#settings = patchSettings(DEFAULT_SETTINGS, options.settings ?? {});
    this.#ledger = new CostLedger(this.#settings.cost);
    this.#now = options.now ?? Date.now;
    this.#exports = new ExportEndpoint(
      this.data,
      () => this.#settings,
      () => this.nowMs(),
    );
    const host = options.host ?? '127.0.0.1';
    this.#listener = new Listener(host, options.tls, (request, response) => this.#handle(request, response));
  }

  static async start(options: SimulatorOptions): Promise<Simulator> {
    const storage = await StorageServer.start(options.host ?? '127.0.0.1', advertisedHost(options));
    const simulator = new Simulator(options, storage);
    await simulator.#listener.open(options.port ?? 0);
    return simulator;
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Root of the API, path prefix included: what a client takes for `https://amplitude.com`. */
  get baseUrl(): string {
    return this.#origin + (this.#options.pathPrefix ?? '');
  }

  get settings(): Settings {
    return this.#settings;
  }

  nowMs(): number {
    return typeof this.#now === 'function' ? this.#now() : this.#now;
  }

  /** Moves the simulated clock; from then on it stands still there. */
  setNow(ms: number): void {
    this.#now = ms;
  }

  /** Changes settings while running; groups are merged. A change of `cost` starts a new ledger. */
  configure(patch: SettingsPatch): void {
    this.#settings = patchSettings(this.#settings, patch);
    if (patch.cost !== undefined) this.#ledger = new CostLedger(this.#settings.cost);
  }

  /** Registers a fault; earlier ones come first. */
  fault(rule: FaultRule): FaultHandle {
    const named = typeof rule.action === 'string';
    const action = typeof rule.action === 'string' ? presetOf(rule.action).action : rule.action;
    return this.faults.add(named ? String(rule.action) : action.kind, rule.match ?? {}, action);
  }

  /**
   * Random faults from now on; `rate: 0` ends them. `actions` are names of presets, by default all passing and harmless ones that
   * need no patience (stalls last until the client leaves) and little memory.
   */
  chaos(options: Omit<ChaosOptions, 'actions'> & { readonly actions?: readonly string[] }): void {
    const slow = [
      'stall-before-headers',
      'stall-mid-body',
      'members-100000',
      'bomb',
      'bomb-one-line',
      'line-20-mb-cut',
    ];
    const names =
      options.actions ??
      Object.keys(FAULT_PRESETS).filter((name) => presetOf(name).nature !== 'final' && !slow.includes(name));
    const actions = names.map((name) => ({ name, ...presetOf(name) }));
    this.faults.setChaos({ ...options, actions });
  }

  /** The events that the export holds now (`all`: at any time) between two hours, both inclusive. */
  truth(
    range: { startHour?: string; endHour?: string; all?: boolean } = {},
  ): Generator<TrueEvent, void, void> {
    return this.data.truth({
      ...(range.startHour === undefined ? {} : { startMs: requireHour(range.startHour) }),
      ...(range.endHour === undefined ? {} : { endMs: requireHour(range.endHour) }),
      ...(range.all === true ? {} : { nowMs: this.nowMs() }),
    });
  }

  /** What /api/2/users stands for now; days are midnights in UTC terms. */
  userCounts(range: Parameters<typeof userCounts>[1]): DailySeries {
    return userCounts(this.#project(), range);
  }

  /** What /api/2/sessions/average and /peruser stand for now. */
  sessionFigures(range: Parameters<typeof sessionFigures>[1]): DailySeries {
    return sessionFigures(this.#project(), range);
  }

  /** Serves this file for exactly this window, whatever clock and data set say (see prepare-archives.ts). */
  addReadyArchive(startHour: string, endHour: string, file: string): Promise<void> {
    return this.#exports.addReady(startHour, endHour, file);
  }

  /** Resolves when no request is being answered: after it, the log is complete. */
  async idle(): Promise<void> {
    if (this.#inFlight.count === 0) return;
    await new Promise<void>((resolve) => {
      this.#idleWaiters.push(resolve);
    });
  }

  /** Refuses new connections for so long; open ones that are idle are closed, busy ones go on. */
  refuseConnections(ms: number): void {
    this.#listener.refuseFor(ms, (error) => this.internalErrors.push(error));
  }

  /**
   * Settings, clock, ledger and faults as after `start`; both logs are empty and archives are built anew. What stays: ready
   * archives, URLs of the storage that were handed out, and a refusal of connections that has not ended.
   */
  reset(): void {
    this.#settings = patchSettings(DEFAULT_SETTINGS, this.#options.settings ?? {});
    this.#ledger = new CostLedger(this.#settings.cost);
    this.#now = this.#options.now ?? Date.now;
    this.faults.clear();
    this.log.clear();
    this.storage.requests.length = 0;
    this.#exports.clear();
  }

  /** Cuts every connection and frees everything. Rejects when the simulator itself failed at some time. */
  async close(): Promise<void> {
    await Promise.all([this.#listener.close(), this.storage.close()]);
    await this.#exports.close();
    if (this.internalErrors.length > 0) throw this.internalErrors[0];
  }

  get #origin(): string {
    const scheme = this.#options.tls === undefined ? 'http' : 'https';
    return `${scheme}://${advertisedHost(this.#options)}:${this.port}`;
  }

  #project(): DashboardProject {
    const timeZone = this.#settings.projectTimeZone;
    return { seed: this.data.seed, startMs: this.data.startMs, nowMs: this.nowMs(), timeZone };
  }

  #world(): World {
    return {
      log: this.log,
      faults: this.faults,
      ledger: this.#ledger,
      exports: this.#exports,
      settings: this.#settings,
      project: this.#project(),
      pathPrefix: this.#options.pathPrefix ?? '',
      inFlight: this.#inFlight,
      tools: (url) => ({
        url,
        refuseFor: (ms) => this.refuseConnections(ms),
        park: (reply, then) => Promise.resolve(this.storage.park(reply, then)),
      }),
    };
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    if (!URL.canParse(request.url ?? '/', this.#origin)) {
      response.writeHead(400).end();
      return;
    }
    const url = new URL(request.url ?? '/', this.#origin);
    const isControl = url.pathname.startsWith('/_control/');
    const work = isControl
      ? control(this, request, response, url)
      : exchange(this.#world(), request, response, url);
    if (!isControl) {
      request.resume();
      response.once('close', () => this.#leave());
    }
    work.catch((error: unknown) => {
      // The client went away, or the fault cut the connection: that is what the log says already.
      if (response.destroyed || request.socket.destroyed) return;
      if (isControl && !response.headersSent) {
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: String(error) }));
        return;
      }
      this.internalErrors.push(error);
      response.destroy();
    });
  }

  #leave(): void {
    if (this.#inFlight.count > 0) return;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resume of waiters) resume();
  }
}
