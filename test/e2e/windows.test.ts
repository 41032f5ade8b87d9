import type { SettingsPatch } from '../../simulator/settings';
import type { Simulator } from '../../simulator/simulator';
import { assertProtocol } from '../harness/assert-protocol';
import { assertSuccess } from '../harness/assert-success';
import { runConnector } from '../harness/connector';
import { findEventErrors } from '../harness/event-comparison';
import { catalogOf, configFor, HOUR_MS, hourAfter, hoursAgo, hoursFrom, stateOf } from '../harness/inputs';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';

const EVENTS = catalogOf(['events']);
const FIRST_DAY = { start_date: '2024-03-01', end_date: '2024-03-01' };

const windowsOf = (simulator: Simulator): string[] =>
  simulator.log
    .exportRequests()
    .map(({ startHour, endHour, status }) => `${startHour}..${endHour} ${String(status)}`);
/** Hours answered with data or "no data" more than once, and hours of the range never answered. */
const misanswered = (simulator: Simulator, first: string, last: string): string[] => {
  const answered = simulator.log.hoursAnswered();
  return hoursFrom(first, last).filter((hour) => answered.get(hour) !== 1);
};
const cursorOf = (output: { mostRecentState: readonly { stream: { stream_state: object } }[] }): unknown =>
  output.mostRecentState[0]?.stream.stream_state;

describe('a window that is too large for Amplitude', () => {
  const refusals: readonly (readonly [string, SettingsPatch])[] = [
    ['400 with Amplitude’s envelope', { tooLarge: { hours: 6 } }],
    ['400 with bare text', { tooLarge: { hours: 6, body: 'text' } }],
    ['504', { gatewayTimeout: { hours: 6 } }],
  ];

  describe.each(refusals)('answered %s above six hours', (_name, settings) => {
    it.concurrent('is divided: an exact day with at most ten requests, no hour answered twice', async () => {
      await withSimulator({ ...TWO_DAYS, settings }, async (simulator) => {
        const output = await runConnector(['read'], {
          config: configFor(simulator, FIRST_DAY),
          catalog: EVENTS,
        });
        assertSuccess(output, EVENTS);
        expect(findEventErrors(output, simulator.truth({ endHour: '20240301T23' }))).toEqual([]);
        expect(windowsOf(simulator).length).toBeLessThanOrEqual(10);
        expect(misanswered(simulator, '20240301T00', '20240301T23')).toEqual([]);
        expect(cursorOf(output)).toEqual({ server_upload_time: '20240301T23' });
      });
    });

    it.concurrent.each([7, 12, 13, 36])('is divided from a size of %i hours as well', async (size) => {
      await withSimulator({ ...TWO_DAYS, settings }, async (simulator) => {
        const config = configFor(simulator, { end_date: SECOND_DAY, request_time_range: size });
        const output = await runConnector(['read'], { config, catalog: EVENTS });
        assertSuccess(output, EVENTS);
        expect(findEventErrors(output, simulator.truth())).toEqual([]);
        expect(misanswered(simulator, '20240301T00', '20240302T23')).toEqual([]);
      });
    });
  });

  it.concurrent(
    'leaves a size that is remembered, and tried again only after some windows have passed',
    async () => {
      const settings = { tooLarge: { hours: 3 } };
      await withSimulator({ ...TWO_DAYS, settings }, async (simulator) => {
        const config = configFor(simulator, { end_date: SECOND_DAY });
        assertSuccess(await runConnector(['read'], { config, catalog: EVENTS }), EVENTS);
        const refused = simulator.log.exportRequests().filter(({ status }) => status === 400);
        // 24, 12 and 6 hours on the way down, then at most one try of 6 in every four windows of 3.
        expect(refused.map(({ hours }) => hours).slice(0, 3)).toEqual([24, 12, 6]);
        expect(refused.length).toBeLessThanOrEqual(3 + 3);
      });
    },
  );

  it.concurrent('grows back when only a peak was too large', async () => {
    const peak = Date.UTC(2024, 2, 1, 2);
    const settings: SettingsPatch = {
      tooLarge: { when: (first, last) => first <= peak && last >= peak && last > first },
    };
    await withSimulator({ ...TWO_DAYS, settings }, async (simulator) => {
      const config = configFor(simulator, { end_date: SECOND_DAY });
      assertSuccess(await runConnector(['read'], { config, catalog: EVENTS }), EVENTS);
      const sizes = simulator.log
        .exportRequests()
        .filter(({ status }) => status === 200)
        .map(({ hours }) => hours);
      expect(Math.min(...sizes)).toBe(1);
      expect(Math.max(...sizes)).toBeGreaterThan(3);
      expect(misanswered(simulator, '20240301T00', '20240302T23')).toEqual([]);
    });
  });

  it.concurrent(
    'a single 504 is taken for chance: the same window is asked once more and not divided',
    async () => {
      await withSimulator(TWO_DAYS, async (simulator) => {
        simulator.fault({ match: { path: '/api/2/export', nth: 1 }, action: 'gateway-timeout-504' });
        const output = await runConnector(['read'], {
          config: configFor(simulator, FIRST_DAY),
          catalog: EVENTS,
        });
        assertSuccess(output, EVENTS);
        expect(windowsOf(simulator)).toEqual([
          '20240301T00..20240301T23 504',
          '20240301T00..20240301T23 200',
        ]);
      });
    },
  );
});

describe('one hour that is still too large', () => {
  const large = Date.UTC(2024, 2, 1, 9);
  const settings: SettingsPatch = { tooLarge: { when: (first, last) => first <= large && last >= large } };

  it.concurrent(
    'is a config_error that names S3, after every earlier hour was delivered and checkpointed',
    async () => {
      await withSimulator({ ...TWO_DAYS, settings }, async (simulator) => {
        const catalog = catalogOf(['events', 'cohorts']);
        const output = await runConnector(['read'], { config: configFor(simulator, FIRST_DAY), catalog });
        assertProtocol(output, catalog);
        expect(output.exitCode).toBe(1);
        expect(output.errors).toHaveLength(1);
        expect(output.errors[0]).toMatchObject({
          failure_type: 'config_error',
          stream_descriptor: { name: 'events' },
        });
        expect(output.errors[0]?.message).toMatch(/Amazon S3/);
        expect(output.errors[0]?.message).toContain('20240301T09');
        expect(findEventErrors(output, simulator.truth({ endHour: '20240301T08' }))).toEqual([]);
        expect(output.states('events').at(-1)?.stream.stream_state).toEqual({
          server_upload_time: '20240301T08',
        });
        expect(output.statusNames('cohorts').at(-1)).toBe('COMPLETE');
        expect(output.leftInTemp).toEqual([]);
      });
    },
  );

  it.concurrent('can be passed by a start_date behind it, without a loss', async () => {
    await withSimulator({ ...TWO_DAYS, settings }, async (simulator) => {
      const config = configFor(simulator, { ...FIRST_DAY, start_date: '2024-03-01T10:00:00Z' });
      const state = stateOf({ events: { server_upload_time: '20240301T08' } });
      const output = await runConnector(['read'], { config, catalog: EVENTS, state });
      assertSuccess(output, EVENTS);
      expect(
        findEventErrors(output, simulator.truth({ startHour: '20240301T10', endHour: '20240301T23' })),
      ).toEqual([]);
    });
  });
});

describe('a 400 for another reason', () => {
  it.concurrent('is a config_error with Amplitude’s own words and is not asked again', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      simulator.fault({ match: { path: '/api/2/export' }, action: 'bad-request' });
      const output = await runConnector(['read'], {
        config: configFor(simulator, FIRST_DAY),
        catalog: EVENTS,
      });
      assertProtocol(output, EVENTS);
      expect(output.exitCode).toBe(1);
      expect(output.errors.map(({ failure_type: type }) => type)).toEqual(['config_error']);
      expect(output.errors[0]?.message).toContain('Invalid chart definition (Invalid user property gp:plan)');
      expect(windowsOf(simulator)).toHaveLength(1);
    });
  });
});

describe('a project without data', () => {
  const empty = (startHour: string, hours: number) => ({ data: { startHour, hours, eventsPerHour: 0 } });

  it.concurrent.each(['sentence', 'bare'] as const)(
    'is crossed in few requests, and its state moves (404 as %s)',
    async (emptyWindow) => {
      const startHour = hoursAgo(365 * 24);
      await withSimulator({ ...empty(startHour, 1), settings: { emptyWindow } }, async (simulator) => {
        const output = await runConnector(['read'], { config: configFor(simulator), catalog: EVENTS });
        assertSuccess(output, EVENTS);
        expect(output.records()).toEqual([]);
        expect(output.statusNames('events')).toEqual(['STARTED', 'RUNNING', 'COMPLETE']);
        expect([hoursAgo(3), hoursAgo(4)].map((hour) => ({ server_upload_time: hour }))).toContainEqual(
          cursorOf(output),
        );
        expect(windowsOf(simulator).length).toBeLessThanOrEqual(20);
        expect(misanswered(simulator, startHour, hoursAgo(5))).toEqual([]);
        // An answer "no data" for hours that Amplitude has not finished loading would prove nothing.
        expect(simulator.log.exportRequests().every(({ endHour }) => endHour <= hoursAgo(3))).toBe(true);
      });
    },
  );

  it.concurrent('that is idle since long is not read again', async () => {
    const startHour = hoursAgo(60 * 24);
    const once = (hour: number): number => (hour === 0 ? 10 : 0);
    await withSimulator({ data: { startHour, hours: 60 * 24, eventsPerHour: once } }, async (simulator) => {
      const config = configFor(simulator);
      const first = await runConnector(['read'], { config, catalog: EVENTS });
      assertSuccess(first, EVENTS);
      expect(first.records()).toHaveLength(10);
      simulator.log.clear();
      const second = await runConnector(['read'], { config, catalog: EVENTS, state: first.mostRecentState });
      assertSuccess(second, EVENTS);
      const asked = simulator.log.exportRequests();
      expect(asked).toHaveLength(1);
      // The lookback of three hours, and one more should the hour have turned meanwhile.
      expect(asked[0]?.hours).toBeLessThanOrEqual(4);
    });
  });

  it.concurrent('a stranger’s 404 page is no empty window: nothing is skipped', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const page = {
        kind: 'reply',
        status: 404,
        headers: { 'content-type': 'text/html' },
        body: '<html>Not Found</html>',
      } as const;
      simulator.fault({ match: { path: '/api/2/export' }, action: page });
      const output = await runConnector(['read'], {
        config: configFor(simulator, FIRST_DAY),
        catalog: EVENTS,
      });
      expect(output.exitCode).toBe(1);
      expect(output.errors.map(({ failure_type: type }) => type)).toEqual(['config_error']);
      expect(output.states('events').map(({ stream }) => stream.stream_state)).toEqual([{}]);
    });
  });
});

describe('where reading begins and ends', () => {
  const rangeOf = async (config: Record<string, unknown>, state?: unknown): Promise<(string | undefined)[]> =>
    withSimulator(TWO_DAYS, async (simulator) => {
      const output = await runConnector(['read'], {
        config: configFor(simulator, config),
        catalog: EVENTS,
        state,
      });
      assertSuccess(output, EVENTS);
      const asked = simulator.log.exportRequests();
      return [asked.at(0)?.startHour, asked.at(-1)?.endHour];
    });

  it.concurrent.each([
    ['a date as the end includes that day', { end_date: '2024-03-01' }, ['20240301T00', '20240301T23']],
    [
      'a date-time as the end is exclusive',
      { end_date: '2024-03-01T07:00:00Z' },
      ['20240301T00', '20240301T06'],
    ],
    [
      'an hour that the end cuts is read whole',
      { end_date: '2024-03-01T07:30:00Z' },
      ['20240301T00', '20240301T07'],
    ],
    ['an offset counts', { end_date: '2024-03-01T09:00:00+02:00' }, ['20240301T00', '20240301T06']],
    [
      'an hour that the start cuts is read whole',
      { start_date: '2024-03-01T05:59:59Z', end_date: '2024-03-01' },
      ['20240301T05', '20240301T23'],
    ],
    [
      'a date as the start',
      { start_date: '2024-03-02', end_date: '2024-03-02' },
      ['20240302T00', '20240302T23'],
    ],
  ])('%s', async (_name, config, range) => {
    expect(await rangeOf(config)).toEqual(range);
  });

  it.concurrent('a duration counts back from now, at either end', async () => {
    const nowMs = Date.now();
    const hoursBack = (hours: number): string[] =>
      [nowMs, nowMs + HOUR_MS].map((ms) =>
        new Date(ms - hours * HOUR_MS).toISOString().slice(0, 13).replaceAll('-', ''),
      );
    const [first, last] = await rangeOf({ start_date: 'P2D', end_date: 'PT24H' });
    expect(hoursBack(48)).toContain(first);
    expect(hoursBack(24)).toContain(last);
  });

  it.concurrent.each([
    ['raised above the state, the start date wins', '2024-03-02T06:00:00Z', ['20240302T06', '20240302T23']],
    ['below the state, the state wins', '2024-03-01', ['20240301T10', '20240302T23']],
    ['within the lookback, the start date wins', '2024-03-01T12:00:00Z', ['20240301T12', '20240302T23']],
  ])('%s', async (_name, start, range) => {
    const state = stateOf({ events: { server_upload_time: '20240301T12' } });
    expect(await rangeOf({ start_date: start, end_date: SECOND_DAY }, state)).toEqual(range);
  });

  it.concurrent('a state at the end leaves only the lookback', async () => {
    const state = stateOf({ events: { server_upload_time: '20240302T23' } });
    expect(await rangeOf({ end_date: SECOND_DAY }, state)).toEqual([
      hourAfter('20240302T23', -2),
      '20240302T23',
    ]);
  });

  it.concurrent('a start in the future reads nothing, warns and succeeds', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const catalog = catalogOf(['events', 'active_users']);
      const output = await runConnector(['read'], {
        config: configFor(simulator, { start_date: '2999-01-01' }),
        catalog,
      });
      assertSuccess(output, catalog);
      expect(output.records()).toEqual([]);
      expect(simulator.log.entries).toEqual([]);
      expect(output.logsOf('WARN').join('\n')).toMatch(/start_date.*future/);
    });
  });
});
