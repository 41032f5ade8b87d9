import type { FaultAction } from '../../simulator/faults';
import type { LoggedRequest } from '../../simulator/request-log';
import type { Simulator } from '../../simulator/simulator';
import { assertProtocol } from '../harness/assert-protocol';
import { assertSuccess } from '../harness/assert-success';
import { runConnector, startConnector } from '../harness/connector';
import { catalogOf, configFor, DAY_MS, hoursAgo, STREAMS } from '../harness/inputs';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';

const EXPORT = '/api/2/export';
const DASHBOARD = ['active_users', 'new_users', 'average_session_length'];

const refused = (simulator: Simulator): LoggedRequest[] =>
  simulator.log.entries.filter(({ status }) => status === 429);

describe('the cost of the dashboard API', () => {
  it.concurrent.each([
    ['the rolling window of the current documentation', { mode: 'window' as const }],
    ['the cost in flight of the older one', { mode: 'in-flight' as const }],
  ])(
    'a year of three streams never passes 1,000 per window nor 5 requests at once (%s)',
    async (_name, cost) => {
      const windowMs = 600;
      const startHour = `${hoursAgo(365 * 24).slice(0, 8)}T00`;
      const settings = { cost: { ...cost, windowMs }, latencyMs: { others: 15 } };
      await withSimulator(
        { data: { startHour, hours: 1, eventsPerHour: 0 }, settings },
        async (simulator) => {
          const catalog = catalogOf(DASHBOARD);
          const env = { AMPLITUDE_COST_WINDOW_SECONDS: String(windowMs / 1000) };
          const output = await runConnector(['read'], { config: configFor(simulator), catalog, env });
          assertSuccess(output, catalog);
          for (const stream of DASHBOARD) {
            const days = output.records(stream).map(({ data }) => String(data['date']));
            const expected = Array.from({ length: days.length }, (_, index) =>
              new Date(simulator.data.startMs + index * DAY_MS).toISOString().slice(0, 10),
            );
            expect(days).toEqual(expected);
            expect(days.length).toBeGreaterThanOrEqual(365);
          }
          const total = simulator.log.entries.reduce((sum, entry) => sum + entry.cost, 0);
          expect(total).toBeGreaterThan(4 * 1000);
          expect(simulator.log.maxCostInWindow(windowMs)).toBeLessThanOrEqual(1000);
          expect(simulator.log.maxInFlight).toBeLessThanOrEqual(5);
          expect(refused(simulator)).toEqual([]);
        },
      );
    },
  );

  it.concurrent('counts as documented: days, times five by country, times four for sessions', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      await runConnector(['read'], {
        config: configFor(simulator, { end_date: SECOND_DAY }),
        catalog: catalogOf(DASHBOARD),
      });
      const costs = simulator.log.entries.map(({ path, query, cost }) => [path, query['m'], cost]);
      expect(costs.sort()).toEqual([
        ['/api/2/sessions/average', undefined, 8],
        ['/api/2/users', 'active', 10],
        ['/api/2/users', 'new', 10],
      ]);
    });
  });

  it.concurrent(
    'a long wait for the budget is shown as RATE_LIMITED with the time when it may end',
    async () => {
      // Eight grouped months cost about 1,200, so that the last one waits for the real window of five minutes.
      const startHour = `${hoursAgo(240 * 24).slice(0, 8)}T00`;
      const settings = { cost: { windowMs: 300_000 } };
      await withSimulator(
        { data: { startHour, hours: 1, eventsPerHour: 0 }, settings },
        async (simulator) => {
          const catalog = catalogOf(['active_users']);
          const env = { AMPLITUDE_COST_WINDOW_SECONDS: '300' };
          const run = startConnector(['read'], { config: configFor(simulator), catalog, env });
          await run.printed('"RATE_LIMITED"');
          const shownAt = Date.now();
          run.child.kill('SIGTERM');
          const output = await run.finished;
          assertProtocol(output, catalog);
          const limited = output.statuses('active_users').find(({ reasons }) => reasons !== undefined);
          const wait = (limited?.reasons?.[0]?.rate_limited?.quota_reset ?? 0) - shownAt;
          expect(wait).toBeGreaterThan(200_000);
          expect(wait).toBeLessThanOrEqual(300_000);
          expect(output.records('active_users').length).toBeGreaterThan(100);
          expect(refused(simulator)).toEqual([]);
        },
      );
    },
  );
});

describe('requests at once', () => {
  it.concurrent('are five at most over all streams and APIs, and more than one', async () => {
    const settings = { latencyMs: { export: 40, others: 40 } };
    await withSimulator({ ...TWO_DAYS, settings }, async (simulator) => {
      const catalog = catalogOf(STREAMS);
      const config = configFor(simulator, { end_date: SECOND_DAY, request_time_range: 6 });
      assertSuccess(
        await runConnector(['read'], { config, catalog, env: { AMPLITUDE_PACE_SECONDS: '0' } }),
        catalog,
      );
      expect(simulator.log.maxInFlight).toBeLessThanOrEqual(5);
      expect(simulator.log.maxInFlight).toBeGreaterThan(1);
    });
  });
});

describe('pace', () => {
  /** Time between the first and the last arrival. */
  const spanOf = (entries: readonly LoggedRequest[]): number =>
    (entries.at(-1)?.startedAtMs ?? 0) - (entries[0]?.startedAtMs ?? 0);

  it.concurrent('exports begin one pace apart, other requests a quarter of it', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const config = configFor(simulator, { end_date: SECOND_DAY, request_time_range: 8 });
      const env = { AMPLITUDE_PACE_SECONDS: '0.4' };
      assertSuccess(await runConnector(['read'], { config, catalog: catalogOf(STREAMS), env }));
      const exports = simulator.log.to(EXPORT);
      const others = simulator.log.entries.filter(({ path }) => path !== EXPORT);
      // One for each of the six other streams, and a second for the dates of annotations.
      expect([exports.length, others.length]).toEqual([6, 7]);
      // The first request opens a connection, which takes away a little of the first pace.
      expect(spanOf(exports)).toBeGreaterThan(5 * 400 * 0.9);
      expect(spanOf(others)).toBeGreaterThan(6 * 100 * 0.7);
    });
  });

  it.concurrent('the default is one export a second', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const config = configFor(simulator, { end_date: '2024-03-01', request_time_range: 8 });
      assertSuccess(
        await runConnector(['read'], {
          config,
          catalog: catalogOf(['events']),
          env: { AMPLITUDE_PACE_SECONDS: '' },
        }),
      );
      expect(simulator.log.to(EXPORT)).toHaveLength(3);
      expect(spanOf(simulator.log.to(EXPORT))).toBeGreaterThan(1800);
    });
  });
});

describe('Retry-After', () => {
  const streams = [
    ['events', EXPORT],
    ['cohorts', '/api/3/cohorts'],
  ] as const;

  it.concurrent.each(streams)(
    'of %s is waited for: nothing is asked before it is over',
    async (stream, path) => {
      await withSimulator(TWO_DAYS, async (simulator) => {
        simulator.fault({ match: { path, times: 2 }, action: 'rate-limit-429-seconds' });
        const output = await runConnector(['read'], {
          config: configFor(simulator, { end_date: '2024-03-01' }),
          catalog: catalogOf([stream]),
        });
        assertSuccess(output, catalogOf([stream]));
        const asked = simulator.log.to(path);
        expect(asked.map(({ status }) => status)).toEqual([429, 429, 200]);
        for (const [index, { startedAtMs }] of asked.entries()) {
          // A timer of Node may fire a millisecond early.
          if (index > 0)
            expect(startedAtMs - (asked[index - 1]?.endedAtMs ?? Infinity)).toBeGreaterThanOrEqual(990);
        }
      });
    },
  );

  it.concurrent('of four seconds is shown as RATE_LIMITED, and then as over', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const action: FaultAction = { kind: 'reply', status: 429, headers: { 'retry-after': '4' }, body: '' };
      simulator.fault({ match: { times: 1 }, action });
      const catalog = catalogOf(['cohorts']);
      const output = await runConnector(['read'], { config: configFor(simulator), catalog });
      assertSuccess(output, catalog);
      const shown = output.statuses('cohorts').map(({ status, reasons }) => [status, reasons?.[0]?.type]);
      expect(shown).toEqual([
        ['STARTED', undefined],
        ['RUNNING', 'RATE_LIMITED'],
        ['RUNNING', undefined],
        ['COMPLETE', undefined],
      ]);
    });
  });

  it.concurrent.each(streams)(
    'that is absurd is cut to ten minutes, and the wait of %s ends with SIGTERM',
    async (stream) => {
      await withSimulator(TWO_DAYS, async (simulator) => {
        simulator.fault({ action: 'rate-limit-429-absurd' });
        const catalog = catalogOf([stream]);
        const run = startConnector(['read'], {
          config: configFor(simulator, { end_date: '2024-03-01' }),
          catalog,
        });
        await run.printed('"RATE_LIMITED"');
        const shownAt = Date.now();
        run.child.kill('SIGTERM');
        const output = await run.finished;
        expect(output.signal).toBe('SIGTERM');
        assertProtocol(output, catalog);
        const reset =
          output.statuses(stream).find(({ reasons }) => reasons !== undefined)?.reasons?.[0]?.rate_limited
            ?.quota_reset ?? 0;
        expect(reset - shownAt).toBeLessThanOrEqual(600_000);
        expect(reset - shownAt).toBeGreaterThan(590_000);
      });
    },
  );

  // Half a second, then a second, less a fifth; without a time, twelve times the base each. A timer may fire a millisecond early.
  it.concurrent.each([
    ['rate-limit-429-past-date', 'leaves the usual back-off', '0.5', [390, 790]],
    ['rate-limit-429-negative', 'leaves the long back-off of rate limits', '0.1', [1190, 1190]],
    ['rate-limit-429-words', 'leaves the long back-off of rate limits', '0.1', [1190, 1190]],
  ] as const)('that cannot be followed (%s) %s', async (fault, _what, base, least) => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      simulator.fault({ match: { times: 2 }, action: fault });
      const catalog = catalogOf(['cohorts']);
      const env = { AMPLITUDE_RETRY_BASE_SECONDS: base };
      const output = await runConnector(['read'], { config: configFor(simulator), catalog, env });
      assertSuccess(output, catalog);
      const asked = simulator.log.to('/api/3/cohorts');
      expect(asked.map(({ status }) => status)).toEqual([429, 429, 200]);
      const waits = asked
        .slice(1)
        .map(({ startedAtMs }, index) => startedAtMs - (asked[index]?.endedAtMs ?? Infinity));
      expect(waits[0]).toBeGreaterThanOrEqual(least[0]);
      expect(waits[1]).toBeGreaterThanOrEqual(least[1]);
      // A longer wait, of more than three seconds, would be shown; no clock of the test decides that.
      expect(output.statuses('cohorts').filter(({ reasons }) => reasons !== undefined)).toEqual([]);
    });
  });

  it.concurrent('of one export holds back no other API', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      simulator.fault({ match: { path: EXPORT, nth: 1 }, action: 'rate-limit-429-seconds' });
      const catalog = catalogOf(STREAMS);
      assertSuccess(
        await runConnector(['read'], { config: configFor(simulator, { end_date: SECOND_DAY }), catalog }),
        catalog,
      );
      const [first, second] = simulator.log.to(EXPORT);
      const between = simulator.log.entries.filter(
        ({ path, endedAtMs }) =>
          path !== EXPORT && endedAtMs !== null && endedAtMs < (second?.startedAtMs ?? 0),
      );
      expect(first?.status).toBe(429);
      // One for each of the six other streams, and a second for the dates of annotations.
      expect(between).toHaveLength(7);
    });
  });
});

describe('an answer that will not change is not asked for again', () => {
  const reply = (status: number): FaultAction => ({
    kind: 'reply',
    status,
    headers: { 'content-type': 'text/plain' },
    body: 'no',
  });

  it.concurrent.each(
    [400, 401, 403, 404].flatMap((status) =>
      ['events', 'cohorts', 'events_list', 'active_users'].map((stream) => [status, stream] as const),
    ),
  )('HTTP %i of %s', async (status, stream) => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      simulator.fault({ action: reply(status) });
      const catalog = catalogOf([stream]);
      const output = await runConnector(['read'], {
        config: configFor(simulator, { end_date: '2024-03-01' }),
        catalog,
      });
      assertProtocol(output, catalog);
      // A 400 of an export may mean that the window is too large: it is halved down to one hour.
      const windows = status === 400 && stream === 'events' ? 5 : 1;
      expect(simulator.log.entries.map(({ search }) => search)).toHaveLength(windows);
      expect(new Set(simulator.log.entries.map(({ search }) => search)).size).toBe(windows);
      expect(output.errors.map(({ failure_type: type }) => type)).toEqual(['config_error']);
    });
  });
});

describe('countries', () => {
  it.concurrent('a project without them is asked once by country, then without, with a warning', async () => {
    await withSimulator(
      { ...TWO_DAYS, settings: { quirks: { countryProperty: false } } },
      async (simulator) => {
        const catalog = catalogOf(['active_users']);
        const output = await runConnector(['read'], {
          config: configFor(simulator, { start_date: '2024-02-01', end_date: SECOND_DAY }),
          catalog,
        });
        assertSuccess(output, catalog);
        expect(
          simulator.log.entries.map(({ query, status }) => [query['start'], query['g'], status]),
        ).toEqual([
          ['20240201', 'country', 400],
          ['20240201', undefined, 200],
          ['20240301', undefined, 200],
        ]);
        expect(output.logsOf('WARN').join('\n')).toMatch(/active_users_group_by_country/);
      },
    );
  });
});
