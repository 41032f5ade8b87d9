import type { TrueEvent } from '../../simulator/data-set';
import type { OutputRecord } from '../harness/airbyte-output';
import { findViolations } from '../harness/assert-protocol';
import { stateOf } from '../harness/inputs';
import { compareEvents } from './event-truth';
import { type BenchOptions, FaultBench, type ObservedRun, RETRY_BASE_MS } from './fault-bench';
import type { MatrixRow, Outcome } from './fault-matrix-table';
import { UNUSUAL_SECRETS } from './secrets';

const WINDOWS_ALONE = 3;
/** The window that fails when a row runs alone: there is one before it and one after it. */
const FAILING = 1;
/** Node may fire a timer a moment early. */
const TIMER_SLACK_MS = 5;

export type Mode = 'once' | 'always';

/** Runs a row by itself. @returns What was not as the table says; nothing when the row passes. */
export async function runRow(
  row: MatrixRow,
  mode: Mode,
  index: number,
  { recover = false, program }: { recover?: boolean; program?: string } = {},
): Promise<string[]> {
  const secrets = UNUSUAL_SECRETS[index % UNUSUAL_SECRETS.length]!;
  const bench = await FaultBench.start({
    endpoint: row.endpoint,
    windows: WINDOWS_ALONE,
    secrets,
    ...(program === undefined ? {} : { program }),
  });
  try {
    const outcome = row[mode];
    const atFirstContact = row.action === 'dns' && row.endpoint !== 'storage';
    const failing = atFirstContact ? 0 : FAILING;
    if (!atFirstContact) bench.addFault(failing, row, mode === 'once' ? 1 : Infinity);
    const run = await bench.read({
      row,
      dnsFailures: mode === 'once' && atFirstContact ? 1 : row.action === 'dns' ? 1000 : 0,
      ...(outcome.waits === undefined
        ? {}
        : {
            until: [
              `Retry 1 in ${outcome.waits.toFixed(1)} s`,
              `"stream_state":${JSON.stringify(bench.stateBefore(failing))}`,
            ],
          }),
    });
    const problems = [
      ...judgeEnd(run, bench, outcome),
      ...judgeRetries(run, bench, failing, row, outcome),
      ...judgeData(run, bench, outcome, [failing]),
    ];
    if (!recover || run.output.exitCode === 0) return problems;
    return [
      ...problems,
      ...(await recoverFrom(run, { endpoint: row.endpoint, windows: WINDOWS_ALONE, secrets })),
    ];
  } finally {
    await bench.close();
  }
}

/** Runs rows together, each with a window of its own that fails once. @returns What was wrong, by row. */
export async function runTogether(
  rows: readonly MatrixRow[],
  index: number,
): Promise<Map<MatrixRow, string[]>> {
  const [first] = rows;
  const secrets = UNUSUAL_SECRETS[index % UNUSUAL_SECRETS.length]!;
  const bench = await FaultBench.start({ endpoint: first!.endpoint, windows: rows.length, secrets });
  try {
    addAllFaults(bench, rows);
    const run = await bench.read();
    const empty = rows.flatMap((row, window) => (row.once.window === 'empty' ? [window] : []));
    const common = [
      ...judgeEnd(run, bench, { retries: 0 }),
      ...judgeData(run, bench, empty.length > 0 ? { retries: 0, window: 'empty' } : { retries: 0 }, empty),
    ];
    return new Map(
      rows.map((row, window) => [
        row,
        [...common, ...judgeCount('requests', bench.requests(window).length, requestsOf(row.once))],
      ]),
    );
  } finally {
    await bench.close();
  }
}

/** Each of the rows fails in the window of its place. */
function addAllFaults(bench: FaultBench, rows: readonly MatrixRow[]): void {
  rows.forEach((row, window) => bench.addFault(window, row, 1));
}

/** How the run ended: exit code, error, messages in order, nothing left behind and no secret shown. */
function judgeEnd({ output, leaks, leftInTemp }: ObservedRun, bench: FaultBench, outcome: Outcome): string[] {
  const { failure, waits } = outcome;
  const problems = [...findViolations(output, bench.catalog), ...leaks.map((leak) => `secret ${leak}`)];
  const { requests } = bench.simulator.storage;
  if (requests.some(({ authPresent, cookiePresent }) => authPresent || cookiePresent))
    problems.push('credentials followed a redirect to another origin');
  if (leftInTemp.length > 0) problems.push(`left in the temporary folder: ${leftInTemp.join()}`);
  const end = waits === undefined ? (failure === undefined ? 0 : 1) : 'SIGTERM';
  const actual = output.exitCode ?? output.signal;
  if (actual !== end) problems.push(`ended with ${String(actual)} instead of ${end}`);
  const said = output.errors.map((error) => `${error.failure_type}: ${error.message}`);
  if (failure === undefined && said.length > 0) problems.push(`errors: ${said.join(' | ')}`);
  if (failure !== undefined) {
    const [error] = output.errors;
    const fits =
      output.errors.length === 1 &&
      error?.failure_type === `${failure.type}_error` &&
      error.message.includes(failure.message);
    if (!fits)
      problems.push(
        `expected one ${failure.type}_error with "${failure.message}" but got: ${said.join(' | ')}`,
      );
  }
  return problems;
}

function judgeRetries(
  { output }: ObservedRun,
  bench: FaultBench,
  window: number,
  row: MatrixRow,
  outcome: Outcome,
): string[] {
  const announced = output.logsOf('WARN').filter((message) => /Retry \d+ in /.test(message)).length;
  const problems = judgeCount('retries', announced, outcome.retries);
  if (outcome.waits !== undefined) problems.push(...judgeStatus(output, outcome.waits * 1000));
  const never = row.action === 'dns' || row.action.kind === 'refuse' || outcome.waits !== undefined;
  if (never || typeof outcome.retries !== 'number') return problems;
  const requests = bench.requests(window);
  problems.push(...judgeCount('requests', requests.length, requestsOf(outcome)));
  const isRegular = outcome.requests === undefined;
  for (const [index, request] of requests.entries()) {
    const next = requests[index + 1];
    if (next === undefined || !isRegular) break;
    const least = Math.max(row.leastWaitMs ?? 0, 0.8 * RETRY_BASE_MS * 2 ** index) - TIMER_SLACK_MS;
    // From the failed request's arrival: when its end was noticed here says nothing of when the wait began.
    const waited = next.startedAtMs - request.startedAtMs;
    if (waited < least)
      problems.push(`retry ${String(index + 1)} after ${String(waited)} ms, before ${String(least)} ms`);
  }
  return problems;
}

/** The platform shows the time in the status, so it has to be that of the wait. */
function judgeStatus(output: ObservedRun['output'], waitMs: number): string[] {
  const traces = output.ofType('TRACE').map(({ value }) => value['trace'] as StatusTrace);
  const limited = traces.find((trace) => trace.stream_status?.reasons !== undefined);
  const reset = limited?.stream_status?.reasons?.[0]?.rate_limited.quota_reset;
  if (limited === undefined || reset === undefined) return ['no RATE_LIMITED status with a time'];
  const waits = reset - limited.emitted_at;
  return waits > waitMs - 60_000 && waits <= waitMs ? [] : [`the status says ${String(waits)} ms`];
}

interface StatusTrace {
  readonly emitted_at: number;
  readonly stream_status?: {
    readonly reasons?: readonly { readonly rate_limited: { readonly quota_reset: number } }[];
  };
}

function requestsOf({ requests, retries }: Outcome): Outcome['retries'] {
  if (requests !== undefined) return requests;
  return typeof retries === 'number' ? retries + 1 : [retries[0] + 1, retries[1] + 1];
}

function judgeCount(what: string, actual: number, expected: Outcome['retries']): string[] {
  const [least, most] = typeof expected === 'number' ? [expected, expected] : expected;
  return actual >= least && actual <= most
    ? []
    : [`${String(actual)} ${what} instead of ${expected.toString()}`];
}

/** The state left and the records: everything up to the state once, and beyond it only the window in progress. */
function judgeData(
  { output }: ObservedRun,
  bench: FaultBench,
  outcome: Outcome,
  special: readonly number[],
): string[] {
  const failed = outcome.failure !== undefined || outcome.waits !== undefined;
  const end = failed ? special[0]! : bench.windows;
  const state = output.mostRecentState[0]?.stream.stream_state;
  const expected = bench.stateBefore(end);
  const problems: string[] = [];
  if (JSON.stringify(state) !== JSON.stringify(expected))
    problems.push(`state ${JSON.stringify(state)} instead of ${JSON.stringify(expected)}`);
  const empty = outcome.window === 'empty' ? special : [];
  if (bench.stream === 'events') return [...problems, ...judgeEvents(output, bench, end, empty)];
  const records = output.records().map(({ data }) => data);
  const truth = bench.dailyTruth(end);
  if (JSON.stringify(records) !== JSON.stringify(truth))
    problems.push(`${String(records.length)} daily records, not those of the ${String(truth.length)} days`);
  return problems;
}

function judgeEvents(
  output: ObservedRun['output'],
  bench: FaultBench,
  end: number,
  empty: readonly number[],
): string[] {
  const windowOf = (event: TrueEvent): number => bench.windowOf(event.hour);
  const given = [...bench.simulator.truth()].filter((event) => !empty.includes(windowOf(event)));
  const { missing, unknown, changed, repeated } = compareEvents(output.records(), given);
  const due = new Set(given.filter((event) => windowOf(event) < end).map((event) => event.uuid));
  const early = new Set(given.filter((event) => windowOf(event) > end).map((event) => event.uuid));
  const lost = missing.filter((uuid) => due.has(uuid));
  const tooEarly = output.records().filter(({ data }) => early.has(String(data['uuid'])));
  const counts = { lost, unknown, changed, repeated, tooEarly };
  return Object.entries(counts).flatMap(([what, list]) =>
    list.length === 0 ? [] : [`${String(list.length)} events ${what}`],
  );
}

/** The next sync, from the state that was left: together both have everything, doubled only in the hour in progress. */
async function recoverFrom(before: ObservedRun, options: BenchOptions): Promise<string[]> {
  const bench = await FaultBench.start(options);
  try {
    const state = before.output.mostRecentState[0]?.stream.stream_state ?? {};
    const after = await bench.read({ state: stateOf({ [bench.stream]: state }) });
    const records = [...before.output.records(), ...after.output.records()];
    return [...judgeEnd(after, bench, { retries: 0 }), ...judgeUnion(records, bench)].map(
      (problem) => `after the next sync: ${problem}`,
    );
  } finally {
    await bench.close();
  }
}

function judgeUnion(records: readonly OutputRecord[], bench: FaultBench): string[] {
  if (bench.stream === 'average_session_length') {
    const days = new Map(records.map(({ data }) => [data['date'], data]));
    const union = JSON.stringify([...days.values()]);
    // The next sync reads the last day of the state again.
    return union === JSON.stringify(bench.dailyTruth(bench.windows)) && records.length <= days.size + 1
      ? []
      : ['other daily records than there are days'];
  }
  const { missing, unknown, changed, repeated } = compareEvents(records, bench.simulator.truth());
  const beyond = repeated.filter(({ hour }) => hour !== bench.firstOf(FAILING));
  const counts = { missing, unknown, changed, 'doubled outside the hour in progress': beyond };
  return Object.entries(counts).flatMap(([what, list]) =>
    list.length === 0 ? [] : [`${String(list.length)} events ${what}`],
  );
}
