import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultAction } from '../../simulator/faults';
import { formatDay, formatHour, requireHour } from '../../simulator/hours';
import { Simulator } from '../../simulator/simulator';
import { type ConnectorOutput, type RunningConnector, startConnector } from '../harness/connector';
import { catalogOf, configFor, DAY_MS, HOUR_MS, instant, type ConfiguredCatalog } from '../harness/inputs';
import type { Endpoint, MatrixRow } from './fault-matrix-table';
import { findLeaks, leakText, type Secrets, spokenText } from './secrets';

export const RETRY_BASE_MS = 20;
const HOURS_PER_WINDOW = 2;
const DAYS_PER_SLICE = 15;
const START_MS = Date.UTC(2024, 0, 1);
const TO_UNKNOWN_HOST: FaultAction = { kind: 'redirect', to: 'http://storage.test:9/archive' };
const FAILING_DNS = join(__dirname, 'programs', 'failing-dns.js');

/** What a run under observation came to. */
export interface ObservedRun {
  readonly output: ConnectorOutput;
  /** Where a secret was seen, and in which form. */
  readonly leaks: readonly string[];
  /** Files in the temporary folder when the run had ended. */
  readonly leftInTemp: readonly string[];
}

export interface BenchOptions {
  readonly endpoint: Endpoint;
  readonly windows: number;
  readonly secrets: Secrets;
  readonly program?: string;
}

interface ReadHow {
  readonly row?: MatrixRow;
  readonly state?: unknown;
  /** Ends the run when it has printed all of this. */
  readonly until?: readonly string[];
  readonly dnsFailures?: number;
  /** Secrets where they must not be, to see that they are found there. */
  readonly planted?: { readonly file?: string; readonly argument?: string; readonly variable?: string };
}

/** A simulator with so many windows of data, and the connector reading them one after the other. */
export class FaultBench {
  readonly stream: 'events' | 'average_session_length';
  readonly catalog: ConfiguredCatalog;

  private constructor(
    readonly simulator: Simulator,
    private readonly options: BenchOptions,
  ) {
    this.stream = options.endpoint === 'json' ? 'average_session_length' : 'events';
    this.catalog = catalogOf([this.stream]);
  }

  static async start(options: BenchOptions): Promise<FaultBench> {
    const { secrets, windows } = options;
    const simulator = await Simulator.start({
      data: { startHour: formatHour(START_MS), hours: windows * HOURS_PER_WINDOW, eventsPerHour: 6 },
      now: START_MS + 2 * windows * DAYS_PER_SLICE * DAY_MS,
      settings: { credentials: secrets, cost: { perWindow: 1e9, perHour: 1e9 } },
    });
    return new FaultBench(simulator, options);
  }

  get windows(): number {
    return this.options.windows;
  }

  /** The window that an hour (`20240101T00`) is of. */
  windowOf(hour: string): number {
    return Math.floor((requireHour(hour) - START_MS) / HOUR_MS / HOURS_PER_WINDOW);
  }

  /** Makes a window fail `times` times. */
  addFault(window: number, row: Pick<MatrixRow, 'action'>, times: number): void {
    const action = this.wrap(row.action === 'dns' ? TO_UNKNOWN_HOST : addLeak(row.action, this.options));
    // A listener that refuses does so for a time: one hit is for always then.
    const forGood = times > 1 && row.action !== 'dns' && row.action.kind === 'refuse';
    this.simulator.fault({
      match: { ...this.match(window), times: forGood ? 1 : times },
      action: forGood ? this.wrap({ kind: 'refuse', ms: 600_000 }) : action,
    });
  }

  /** Requests that were made for a window. */
  requests(window: number): { startedAtMs: number; endedAtMs: number | null }[] {
    const { path, query } = this.match(window);
    return this.simulator.log.to(path).filter((entry) => entry.query['start'] === query.start);
  }

  /** The state that says "everything before this window has been read". */
  stateBefore(window: number): Record<string, string> {
    if (window === 0) return {};
    return this.stream === 'events'
      ? { server_upload_time: formatHour(START_MS + (window * HOURS_PER_WINDOW - 1) * HOUR_MS) }
      : { date: formatDay(START_MS + (window * DAYS_PER_SLICE - 1) * DAY_MS) };
  }

  /** First hour or day of a window as records have it. */
  firstOf(window: number): string {
    return this.stream === 'events'
      ? formatHour(START_MS + window * HOURS_PER_WINDOW * HOUR_MS)
      : formatDay(START_MS + window * DAYS_PER_SLICE * DAY_MS);
  }

  /** The records of average_session_length from the first day to the one before a window. */
  dailyTruth(window: number): { date: string; length: number | undefined }[] {
    const endMs = START_MS + (window * DAYS_PER_SLICE - 1) * DAY_MS;
    if (window === 0) return [];
    const { days, series } = this.simulator.sessionFigures({ startMs: START_MS, endMs, figure: 'average' });
    return days.map((date, index) => ({ date, length: series[0]?.[index] }));
  }

  /** Reads with every look at what could show a secret. */
  async read(how: ReadHow = {}): Promise<ObservedRun> {
    const temp = mkdtempSync(join(tmpdir(), 'fault-bench-'));
    if (how.planted?.file !== undefined) writeFileSync(join(temp, 'planted'), how.planted.file);
    if (this.options.endpoint === 'storage') this.serveFromStorage();
    const run = this.startRead(temp, how);
    const leaks = new Set<string>();
    const look = (): void => {
      for (const leak of this.lookAround(run.pid, temp)) leaks.add(leak);
    };
    run.child.stdout.on('data', look);
    if (how.until !== undefined) {
      for (const text of how.until) await run.printed(text);
      run.child.kill('SIGTERM');
    }
    const output = await run.finished;
    for (const form of findLeaks(spokenText(output), this.options.secrets))
      leaks.add(`in a message: ${form}`);
    const leftInTemp = readdirSync(temp);
    rmSync(temp, { recursive: true, force: true });
    return { output, leaks: [...leaks], leftInTemp };
  }

  close(): Promise<void> {
    return this.simulator.close();
  }

  private startRead(temp: string, { row, state, dnsFailures = 0, planted }: ReadHow): RunningConnector {
    const { windows, program } = this.options;
    const firstContactFails = row?.action === 'dns' && row.endpoint !== 'storage';
    const unit = this.stream === 'events' ? HOURS_PER_WINDOW * HOUR_MS : DAYS_PER_SLICE * DAY_MS;
    const config = configFor(this.simulator, {
      start_date: instant(START_MS),
      end_date: instant(START_MS + windows * unit),
      request_time_range: HOURS_PER_WINDOW,
      lookback_hours: 0,
      ...(firstContactFails
        ? { base_url: this.simulator.baseUrl.replace('127.0.0.1', 'amplitude.test') }
        : {}),
    });
    // A flag that every connector takes and this one makes no use of.
    const args = planted?.argument === undefined ? [] : [`--manifest-path=${planted.argument}`];
    return startConnector(['read', ...args], {
      config,
      catalog: this.catalog,
      ...(state === undefined ? {} : { state }),
      ...(program === undefined ? {} : { program }),
      env: {
        TMPDIR: temp,
        ...(planted?.variable === undefined ? {} : { PLANTED: planted.variable }),
        LOG_LEVEL: 'debug',
        AMPLITUDE_RETRY_BASE_SECONDS: String(RETRY_BASE_MS / 1000),
        AMPLITUDE_PACE_SECONDS: '0.001',
        AMPLITUDE_COST_WINDOW_SECONDS: '0.05',
        AMPLITUDE_IDLE_TIMEOUT_SECONDS: row?.stalls === true ? '0.5' : '120',
        ...(row?.action === 'dns'
          ? { NODE_OPTIONS: `--require=${FAILING_DNS}`, DNS_FAILURES: String(dnsFailures) }
          : {}),
      },
    });
  }

  private lookAround(pid: number, temp: string): string[] {
    const { secrets } = this.options;
    const inFile = (path: string): string[] =>
      findLeaks(readIfThere(path), secrets, path.endsWith('.zip')).map((form) => `in ${path}: ${form}`);
    return [
      ...listFiles(temp).flatMap(inFile),
      ...inFile(`/proc/${String(pid)}/cmdline`),
      ...inFile(`/proc/${String(pid)}/environ`),
    ];
  }

  private match(window: number): { path: string; query: { start: string } } {
    return this.stream === 'events'
      ? { path: '/api/2/export', query: { start: this.firstOf(window) } }
      : { path: '/api/2/sessions/average', query: { start: this.firstOf(window).replaceAll('-', '') } };
  }

  /** Comes after the faults: the first that fits counts. */
  private serveFromStorage(): void {
    this.simulator.fault({ match: { path: '/api/2/export' }, action: 'redirect-storage' });
  }

  private wrap(action: FaultAction): FaultAction {
    const goesOn = this.options.endpoint === 'storage' && action.kind !== 'redirect';
    return goesOn ? { kind: 'redirect', to: 'storage', then: action } : action;
  }
}

/** An answer that quotes both keys in every form: only then does it show whether messages are redacted. */
function addLeak(action: FaultAction, { endpoint, secrets }: BenchOptions): FaultAction {
  const leak = leakText(secrets);
  if (action.kind === 'redirect' && /^(http|file):/.test(action.to))
    return { ...action, to: `${action.to}?leak=${encodeURIComponent(leak)}` };
  if (action.kind !== 'reply' || action.body === undefined || action.body === '') return action;
  // What an export answers with 200 is taken for an archive: it waits in the temporary file as it came.
  if (action.status < 400 && (endpoint !== 'json' || action.body.startsWith('{'))) return action;
  if (!action.body.startsWith('{')) {
    const isNoData = action.status === 404 && !action.body.startsWith('<');
    return isNoData ? action : { ...action, body: `${action.body} ${leak}` };
  }
  const { error } = JSON.parse(action.body) as { error: { metadata: { details: string } } };
  const details = `${error.metadata.details} ${leak}`;
  return { ...action, body: JSON.stringify({ error: { ...error, metadata: { details } } }) };
}

function listFiles(folder: string): string[] {
  return (unlessGone(() => readdirSync(folder, { withFileTypes: true })) ?? []).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}

function readIfThere(path: string): string {
  return unlessGone(() => readFileSync(path, 'utf8')) ?? '';
}

/** An archive is read and deleted, and a process ends, while somebody looks. */
function unlessGone<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
