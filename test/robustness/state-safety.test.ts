import type { Simulator } from '../../simulator/simulator';
import { assertProtocol } from '../harness/assert-protocol';
import { assertSuccess } from '../harness/assert-success';
import { type ConnectorOutput, runConnector } from '../harness/connector';
import { findEventErrors } from '../harness/event-comparison';
import { catalogOf, configFor, stateOf, STREAMS } from '../harness/inputs';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';
import { Lane } from './fuzz-lanes';
import { ORIGIN, SECRETS } from './fuzz-inputs';
import { sized } from './sizes';

const CATALOG = catalogOf(STREAMS);
const EVENTS = catalogOf(['events']);
const GOOD: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  events: { server_upload_time: '20240301T20' },
  active_users: { date: '2024-03-01' },
  new_users: { date: '2024-03-01' },
  average_session_length: { date: '2024-03-01' },
};
const INCREMENTAL = Object.keys(GOOD);
/** Of `GOOD`, with a lookback of three hours. */
const RESUMED_AT = '20240301T18';

function read(simulator: Simulator, state: unknown, catalog = CATALOG): Promise<ConnectorOutput> {
  return runConnector(['read'], { config: configFor(simulator, { end_date: SECOND_DAY }), catalog, state });
}

function lastState(output: ConnectorOutput, stream: string): unknown {
  return output.states(stream).at(-1)?.stream.stream_state;
}

describe('a saved state that cannot be understood fails its stream by name, keeps the state, and the others are read', () => {
  const broken: readonly (readonly [name: string, events: object, daily: object])[] = [
    ['a cursor that is a number', { server_upload_time: 20240301 }, { date: 20240301 }],
    ['an empty cursor', { server_upload_time: '' }, { date: '' }],
    ['a null cursor', { server_upload_time: null }, { date: null }],
    ['a cursor in a list', { server_upload_time: ['20240301T20'] }, { date: ['2024-03-01'] }],
    ['words', { server_upload_time: 'noon' }, { date: 'yesterday' }],
    ['half a cursor', { server_upload_time: '20240301T' }, { date: '2024-03-' }],
    ['a time that does not exist', { server_upload_time: '20240230T05' }, { date: '2024-02-30' }],
    ['an hour of 24, a month of 13', { server_upload_time: '20240301T24' }, { date: '2024-13-01' }],
    ['a cursor of the other kind', { server_upload_time: '2024-03-01' }, { date: '20240301' }],
    ['the cursor of another stream', { date: '2024-03-01' }, { server_upload_time: '20240301T20' }],
    ['a state of another connector', { updated_at: '2024-03-01' }, { cursor: { date: '2024-03-01' } }],
    ['slices that are none', { slices: [] }, { slices: 'all' }],
    ['a slice that is null', { slices: [null] }, { slices: [null] }],
    ['slices without a cursor', { slices: [{ start: 'x' }] }, { slices: [{}, {}] }],
    ['a mark beside a broken cursor', { __ab_x: true, server_upload_time: 0 }, { __ab_x: true, date: false }],
    ['a form of the future', { version: 2, cursors: { hour: 'x' } }, { version: 2, cursors: ['2024-03-01'] }],
  ];

  it.concurrent.each(broken.map((row, index) => [...row, INCREMENTAL[index % INCREMENTAL.length]!] as const))(
    '%s',
    (_name, ofEvents, ofDays, spared) =>
      withSimulator(TWO_DAYS, async (simulator) => {
        const states: Record<string, unknown> = Object.fromEntries(
          INCREMENTAL.map((name) => [name, name === 'events' ? ofEvents : ofDays]),
        );
        states[spared] = GOOD[spared];
        const output = await read(simulator, stateOf(states));
        assertProtocol(output, CATALOG);
        expect(output.exitCode).toBe(1);
        const failed = INCREMENTAL.filter((name) => name !== spared);
        const errors = output.errors.map(({ stream_descriptor: of, ...rest }) => ({
          ...rest,
          name: of?.name,
        }));
        expect(errors.map(({ name }) => name).sort()).toEqual([...failed].sort());
        for (const { name, failure_type: type, message } of errors) {
          expect([type, message]).toEqual([
            'config_error',
            expect.stringContaining(`The saved state of stream ${String(name)} cannot be used`),
          ]);
        }
        for (const name of failed) {
          expect([name, output.records(name), lastState(output, name)]).toEqual([name, [], states[name]]);
          expect(output.statusNames(name).at(-1)).toBe('INCOMPLETE');
        }
        for (const name of STREAMS.filter((each) => !failed.includes(each))) {
          expect([name, output.statusNames(name).at(-1)]).toEqual([name, 'COMPLETE']);
          expect([name, output.records(name).length > 0]).toEqual([name, true]);
        }
        if (spared === 'events')
          expect(findEventErrors(output, simulator.truth({ startHour: RESUMED_AT }))).toEqual([]);
        else expect(lastState(output, spared)).toEqual({ date: SECOND_DAY });
      }),
  );
});

describe('a state that the documentation gives a meaning', () => {
  it.concurrent('in the future: nothing is read, a warning says why, the state stays', () =>
    withSimulator(TWO_DAYS, async (simulator) => {
      const future: Readonly<Record<string, object>> = {
        events: { server_upload_time: '99991231T23' },
        active_users: { date: '9999-12-31' },
        new_users: { date: '2124-03-01' },
        average_session_length: { date: '2124-03-01' },
      };
      const catalog = catalogOf(INCREMENTAL);
      const output = await read(simulator, stateOf(future), catalog);
      assertSuccess(output, catalog);
      expect(output.records()).toEqual([]);
      for (const name of INCREMENTAL) {
        expect(lastState(output, name)).toEqual(future[name]);
        const warning = new RegExp(`^${name}: The saved state .* lies in the future`);
        expect(output.logsOf('WARN').filter((message) => warning.test(message))).toHaveLength(1);
      }
    }),
  );

  it.concurrent('of a stream that is read in full: it is read in full, whatever the state says', () =>
    withSimulator(TWO_DAYS, async (simulator) => {
      const full = STREAMS.filter((name) => !INCREMENTAL.includes(name));
      const states = Object.fromEntries(full.map((name) => [name, { date: 7, updated_at: 'never' }]));
      const catalog = catalogOf(full);
      const output = await read(simulator, stateOf(states), catalog);
      assertSuccess(output, catalog);
      for (const name of full) expect([name, output.records(name).length > 0]).toEqual([name, true]);
    }),
  );

  it.concurrent(
    'of a stream that there is not, of another namespace, and of no stream: a warning says that it is not used',
    () =>
      withSimulator(TWO_DAYS, async (simulator) => {
        const elsewhere = {
          type: 'STREAM',
          stream: {
            stream_descriptor: { name: 'events', namespace: 'elsewhere' },
            stream_state: GOOD['events'],
          },
        };
        const output = await read(simulator, [...stateOf({ Events: GOOD['events'] }), elsewhere], EVENTS);
        assertSuccess(output, EVENTS);
        expect(findEventErrors(output, simulator.truth())).toEqual([]);
        expect(output.logsOf('WARN').filter((message) => message.includes('is not used'))).toEqual([
          'The saved state of stream "Events" is not used: there is no such stream.',
          expect.stringContaining('stream "events" in namespace "elsewhere" is not used'),
        ]);
        const none = await read(
          simulator,
          '{"type":"LOG","log":{"level":"INFO","message":"cut here"}}\n',
          EVENTS,
        );
        expect(none.logsOf('WARN')).toContainEqual(expect.stringContaining('holds no state of a stream'));
        // What the platform passes in a first sync, and a stream that was deselected, are nothing unusual.
        for (const usual of [[], {}, stateOf({ active_users: GOOD['active_users'] })]) {
          const quiet = await read(simulator, usual, EVENTS);
          expect(quiet.logsOf('WARN').filter((message) => message.includes('state'))).toEqual([]);
        }
      }),
  );
});

it.concurrent('the saved state is given back when a stream fails for another reason', () =>
  withSimulator({ ...TWO_DAYS, settings: { quirks: { emptyProject: false } } }, async (simulator) => {
    simulator.fault({ action: 'no-permission-403' });
    const output = await read(simulator, stateOf(GOOD));
    assertProtocol(output, CATALOG);
    expect(output.errors).toHaveLength(STREAMS.length);
    for (const name of INCREMENTAL) expect([name, lastState(output, name)]).toEqual([name, GOOD[name]]);
  }),
);

describe('a state file that was cut in the middle', () => {
  const config = {
    api_key: SECRETS.apiKey,
    secret_key: SECRETS.secretKey,
    base_url: ORIGIN,
    start_date: '2024-03-01',
    end_date: SECOND_DAY,
  };
  const states = stateOf(GOOD);
  const forms: readonly (readonly [string, string])[] = [
    ['a list of states', JSON.stringify(states)],
    ['a list on many lines', JSON.stringify(states, null, 2)],
    ['a message per line', states.map((state) => JSON.stringify({ type: 'STATE', state })).join('\n')],
    ['an object of streams', JSON.stringify(GOOD)],
  ];

  it.each(forms)(
    '%s: wherever it was cut, nothing is read, no state is written, and the error names the file',
    async (_name, text) => {
      const lane = await Lane.start('within one process');
      try {
        const args = ['read', '--config', '{config}', '--catalog', '{catalog}', '--state', '{state}'];
        const step = sized(17, 1);
        for (let length = 1; length < text.length; length += step) {
          const state = Buffer.from(text.slice(0, length));
          const [config_, catalog] = [config, EVENTS].map((value) => Buffer.from(JSON.stringify(value)));
          const output = await lane.run({ args, files: { config: config_, catalog, state } });
          // Cut between two lines it is a whole file of fewer streams.
          if (text[length] === '\n' || text[length - 1] === '\n') continue;
          const [error] = output.errors;
          expect([length, output.exitCode, output.errors.length, error?.failure_type]).toEqual([
            length,
            1,
            1,
            'system_error',
          ]);
          expect(error?.message).toMatch(/^The state is not valid JSON \(.*state\)/);
          expect([output.records().length, output.states().length]).toEqual([0, 0]);
        }
      } finally {
        await lane.close();
      }
    },
    600_000,
  );
});
