import { formatHour, HOUR_MS, parseHour } from '../../simulator/hours';
import type { SettingsPatch } from '../../simulator/settings';
import type { Simulator } from '../../simulator/simulator';
import { assertProtocol } from '../harness/assert-protocol';
import { assertSuccess } from '../harness/assert-success';
import { runConnector } from '../harness/connector';
import { findEventErrors } from '../harness/event-comparison';
import { catalogOf, configFor, hoursAgo, hoursFrom, stateOf } from '../harness/inputs';
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

  it.concurrent.each([7, 25])(
    'costs a backfill of 30 days whose every %i. hour fills a request few requests in vain, none twice',
    async (period) => {
      const largest = 24;
      const isFull = (hourMs: number): boolean => (hourMs / HOUR_MS) % period === 0;
      const settings: SettingsPatch = {
        tooLarge: {
          // An hour that fills a request by itself goes with no other.
          when: (first, last) =>
            last > first &&
            hoursFrom(formatHour(first), formatHour(last)).some((hour) => isFull(parseHour(hour)!)),
        },
      };
      const data = { startHour: '20240301T00', hours: 30 * 24, eventsPerHour: 1 };
      await withSimulator({ data, settings }, async (simulator) => {
        const config = configFor(simulator, {
          start_date: '2024-03-01',
          end_date: '2024-03-30',
          request_time_range: largest,
        });
        const env = { AMPLITUDE_PACE_SECONDS: '0' };
        const output = await runConnector(['read'], { config, catalog: EVENTS, env });
        assertSuccess(output, EVENTS);
        expect(findEventErrors(output, simulator.truth())).toEqual([]);
        expect(misanswered(simulator, '20240301T00', '20240330T23')).toEqual([]);
        const asked = windowsOf(simulator).map((line) => line.split(' ')[0]);
        expect(new Set(asked).size).toBe(asked.length);
        const inVain = simulator.log.exportRequests().filter(({ status }) => status === 400);
        expect(inVain.length).toBeGreaterThan(0);
        expect(inVain.length).toBeLessThanOrEqual(2 * Math.log2(largest) + (30 * 24) / largest);
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
  it.concurrent('is a config_error with Amplitude’s own words when one hour is refused too', async () => {
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
      expect(windowsOf(simulator)).toEqual(
        ['23', '11', '05', '02', '00'].map((last) => `20240301T00..20240301T${last} 400`),
      );
    });
  });
});

describe('a project without data', () => {
  const empty = (startHour: string, hours: number) => ({ data: { startHour, hours, eventsPerHour: 0 } });

  it.concurrent('is crossed in few requests, and its state moves', async () => {
    const startHour = hoursAgo(365 * 24);
    await withSimulator(empty(startHour, 1), async (simulator) => {
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
  });

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

  it.concurrent.each([
    ['page', 'text/html', '<html>Not Found</html>'],
    ['word', 'text/plain', '404: Not Found'],
    ['silence', 'text/plain', ''],
  ])('a stranger’s 404 is no empty window: nothing is skipped (%s)', async (_what, type, body) => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const page = { kind: 'reply', status: 404, headers: { 'content-type': type }, body } as const;
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
