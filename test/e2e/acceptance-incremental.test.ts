import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Simulator } from '../../simulator/simulator';
import type { OutputState } from '../harness/airbyte-output';
import { assertProtocol } from '../harness/assert-protocol';
import { assertSuccess } from '../harness/assert-success';
import { runConnector, startConnector, type ConnectorOutput } from '../harness/connector';
import { catalogOf, configFor } from '../harness/inputs';
import { SECOND_DAY, startSimulator, withSimulator } from '../harness/with-simulator';

/* Section 7.7 of Airbyte's acceptance checklist; a test's name starts with the number of its check. 62 stands at `discover`. */
const INCREMENTAL = ['active_users', 'average_session_length', 'events', 'new_users'];
const CATALOG = catalogOf(INCREMENTAL, { mode: 'incremental', destination: 'append_dedup' });
/** Enough days that a daily stream has more than one slice, few enough that a read takes a second. */
const OPTIONS = {
  data: {
    startHour: '20240101T00',
    hours: 62 * 24,
    eventsPerHour: (hour: number) => (hour >= 60 * 24 ? 5 : 0),
  },
  now: Date.UTC(2024, 2, 5),
};

let simulator: Simulator;
let first: ConnectorOutput;

const read = (state?: unknown, catalog = CATALOG): Promise<ConnectorOutput> =>
  runConnector(['read'], {
    config: configFor(simulator, { end_date: SECOND_DAY }),
    catalog,
    ...(state === undefined ? {} : { state }),
  });
const recordsOf = (output: ConnectorOutput, stream: string): string[] =>
  output
    .records(stream)
    .map(({ data }) => JSON.stringify(data))
    .sort();

beforeAll(async () => {
  simulator = await startSimulator(OPTIONS);
  first = await read();
});
afterAll(() => simulator.close());

it('63: a read without a state gives states and records', () => {
  assertSuccess(first, CATALOG);
  for (const stream of INCREMENTAL) {
    expect([stream, first.states(stream).length > 0, first.records(stream).length > 0]).toEqual([
      stream,
      true,
      true,
    ]);
  }
});

it('64: a read from the latest states gives other records than the first', async () => {
  const second = await read(first.mostRecentState);
  assertSuccess(second, CATALOG);
  for (const stream of INCREMENTAL) expect(recordsOf(second, stream)).not.toEqual(recordsOf(first, stream));
});

it('65: every stream with records and states has a state that counts some', () => {
  for (const stream of INCREMENTAL) {
    const counts = first.states(stream).map(({ sourceStats }) => sourceStats?.recordCount ?? NaN);
    expect(counts.every((count) => Number.isInteger(count))).toBe(true);
    expect(counts.some((count) => count > 0)).toBe(true);
  }
});

/** A state with the number of records that a read from it must give at least. */
interface Sample {
  readonly state: OutputState;
  readonly expected: number;
}

/** The states that Airbyte's acceptance test resumes from, chosen by its rules: equal ones merged, empty ones dropped, a sample of the rest. */
function sampleStates(states: readonly OutputState[]): Sample[] {
  const merged: { state: OutputState; count: number }[] = [];
  states.forEach((state, index) => {
    const count = state.sourceStats?.recordCount ?? 0;
    const last = merged.at(-1);
    const isSame = last !== undefined && JSON.stringify(last.state.stream) === JSON.stringify(state.stream);
    // The very last message of a read is not added to the run that it ends.
    if (isSame) last.count += index === states.length - 1 ? 0 : count;
    else merged.push({ state, count });
  });
  const counted = merged.filter(({ count }) => count > 0);
  const total = counted.reduce((sum, { count }) => sum + count, 0);
  let passed = 0;
  const samples = counted.map(({ state, count }) => {
    passed += count;
    return { state, expected: total - passed };
  });
  if (samples.length < 3) return samples.slice(-1);
  const step = Math.floor(samples.length / 5) || 1;
  return samples.filter((_, index) => index > 0 && index < samples.length - 1 && index % step === 0);
}

it.each(INCREMENTAL)(
  '66: resuming %s from sampled states gives all that is left, and not everything',
  async (stream) => {
    const samples = sampleStates(first.states(stream));
    expect(samples.length).toBeGreaterThan(0);
    for (const { state, expected } of samples) {
      const resumed = await read([state], catalogOf([stream]));
      assertSuccess(resumed);
      expect(resumed.records(stream).length).toBeGreaterThanOrEqual(expected);
      expect(recordsOf(resumed, stream)).not.toEqual(recordsOf(first, stream));
    }
  },
);

it('67: a state in the future gives no record, a state that stays in the future, and exit code 0', async () => {
  const path = join(__dirname, '..', '..', 'integration_tests', 'abnormal_state.json');
  const state = JSON.parse(readFileSync(path, 'utf8')) as OutputState[];
  simulator.log.clear();
  const output = await read(state);
  assertSuccess(output, CATALOG);
  expect(output.records()).toEqual([]);
  for (const stream of INCREMENTAL) {
    const given = state.find(({ stream: of }) => of.stream_descriptor.name === stream);
    expect(output.states(stream).map((each) => each.stream.stream_state)).toEqual([
      given?.stream.stream_state,
    ]);
  }
  expect(simulator.log.entries).toEqual([]);
});

it.each([1, 20, 60])(
  '68: killed with -9 after state %i and resumed from the last state printed, no event is missing',
  async (after) => {
    await withSimulator(OPTIONS, async (own) => {
      const catalog = catalogOf(['events']);
      const config = configFor(own, {
        start_date: '2024-03-01',
        end_date: SECOND_DAY,
        request_time_range: 4,
      });
      const run = startConnector(['read'], { config, catalog });
      const hour = new Date(Date.UTC(2024, 1, 29, 23 + Math.min(after, 47)))
        .toISOString()
        .slice(0, 13)
        .replaceAll('-', '');
      await run.printed(`{"server_upload_time":"${hour}"}`);
      run.child.kill('SIGKILL');
      const killed = await run.finished;
      assertProtocol(killed, catalog, { cut: true });
      // It may have come further before the signal arrived, even to its end.
      if (killed.signal !== null) expect(killed.signal).toBe('SIGKILL');
      const rest = await runConnector(['read'], { config, catalog, state: killed.mostRecentState });
      assertSuccess(rest, catalog);
      const uuids = [...killed.records(), ...rest.records()].map(({ data }) => data['uuid']);
      const truth = [...own.truth({ startHour: '20240301T00' })].map(({ uuid }) => uuid);
      expect(truth.filter((uuid) => !uuids.includes(uuid))).toEqual([]);
      // What was delivered before the last state comes twice at most for the three hours of the lookback.
      const covered = killed
        .states()
        .reduce((sum, { sourceStats }) => sum + (sourceStats?.recordCount ?? 0), 0);
      const unsafe = killed.records().length - covered;
      expect(uuids.length - new Set(uuids).size).toBeLessThanOrEqual(3 * 5 + unsafe);
    });
  },
);
