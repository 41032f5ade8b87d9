import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { assertSuccess } from '../harness/assert-success';
import { runConnector, type ConnectorOutput } from '../harness/connector';
import { findEventErrors } from '../harness/event-comparison';
import { catalogOf, configFor, DAY_MS, hoursAgo, hourMs, instant, STREAMS } from '../harness/inputs';
import { withPublicHost } from '../harness/public-host';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';

const STATES = join(__dirname, '..', 'fixtures', 'states');
const NEWER_KEYS = ['end_date', 'lookback_hours', 'project_timezone', 'base_url', 'on_malformed_line'];

/** Six days, so that every stream has something to read without an end date. */
const RECENT = {
  data: {
    startHour: hoursAgo(6 * 24),
    hours: 6 * 24 - 4,
    eventsPerHour: (hour: number) => (hour < 30 ? 4 : 0),
  },
};
const START = instant(hourMs(RECENT.data.startHour));

describe('a configuration of upstream’s connector works unchanged', () => {
  const configs: readonly (readonly [string, Record<string, unknown>])[] = [
    ['the three required keys alone (before 0.1.18)', { start_date: START }],
    ['with the region', { start_date: START, data_region: 'Standard Server' }],
    [
      'with every key of 0.7.39',
      {
        start_date: START,
        data_region: 'Standard Server',
        request_time_range: 24,
        active_users_group_by_country: true,
      },
    ],
    ['without countries', { start_date: START, active_users_group_by_country: false }],
    ['the longest request range', { start_date: START, request_time_range: 8760 }],
    [
      'nulls for what is optional',
      {
        start_date: START,
        data_region: null,
        request_time_range: null,
        active_users_group_by_country: null,
        ...Object.fromEntries(NEWER_KEYS.map((key) => [key, null])),
      },
    ],
    [
      'empty texts for what is optional',
      {
        start_date: START,
        data_region: '',
        ...Object.fromEntries(NEWER_KEYS.filter((key) => key !== 'lookback_hours').map((key) => [key, ''])),
      },
    ],
    [
      'keys that nobody knows, and Airbyte’s own',
      {
        start_date: START,
        num_workers: 4,
        credentials: { x: [1] },
        _limit: 5,
        _page_size: 100,
        __injected: null,
      },
    ],
  ];

  it.concurrent.each(configs)('%s', async (_name, rest) => {
    await withPublicHost('amplitude.com', RECENT, async ({ simulator, env, keys }) => {
      const config = { ...keys, ...rest };
      const checked = await runConnector(['check'], { config, env });
      expect(checked.connectionStatus).toEqual({ status: 'SUCCEEDED' });
      const catalog = catalogOf(STREAMS);
      const output = await runConnector(['read'], { config, catalog, env });
      assertSuccess(output, catalog);
      expect(findEventErrors(output, simulator.truth())).toEqual([]);
      expect(output.records('active_users').length).toBeGreaterThanOrEqual(6);
      const statistics = output.records('active_users')[0]?.data['statistics'] as object;
      expect(Object.keys(statistics).length > 1).toBe(rest['active_users_group_by_country'] !== false);
    });
  });

  it.concurrent('for a project in the EU', async () => {
    await withPublicHost('analytics.eu.amplitude.com', RECENT, async ({ env, keys, proxy }) => {
      const config = { ...keys, start_date: START, data_region: 'EU Residency Server' };
      const output = await runConnector(['read'], { config, catalog: catalogOf(['cohorts']), env });
      assertSuccess(output);
      expect(proxy.seen).toEqual(['CONNECT analytics.eu.amplitude.com:443']);
    });
  });

  it.concurrent('a start date that is left out, or blank, means one year ago', async () => {
    for (const start of [{}, { start_date: '' }, { start_date: null }]) {
      await withSimulator(RECENT, async (simulator) => {
        const { start_date: _, ...config } = configFor(simulator);
        const output = await runConnector(['read'], {
          config: { ...config, ...start },
          catalog: catalogOf(['events']),
        });
        assertSuccess(output);
        const first = simulator.log.exportRequests()[0]?.startHour ?? '';
        const yearAgo = new Date();
        yearAgo.setUTCFullYear(yearAgo.getUTCFullYear() - 1);
        expect(Math.abs(hourMs(first) - yearAgo.getTime())).toBeLessThan(2 * DAY_MS);
        expect(findEventErrors(output, simulator.truth())).toEqual([]);
      });
    }
  });
});

describe('a state of upstream’s connector is gone on from', () => {
  /** First hour asked for, by fixture. An hour counts as complete, a time's own hour does not; three hours are read again. */
  const EVENTS: Readonly<Record<string, string>> = {
    'events-hour.json': '20240301T18',
    'events-isoformat.json': '20240301T17',
    'events-isoformat-without-fraction.json': '20240301T17',
    'events-with-space.json': '20240301T17',
    'events-slices.json': '20240301T18',
    // What lies behind a gap is read again: only then is nothing missing.
    'events-slices-with-gap.json': '20240301T05',
    'events-slices-and-legacy.json': '20240301T17',
    'events-from-pyairbyte.json': '20240301T18',
    'events-global.json': '20240301T18',
    'events-messages.jsonl': '20240301T18',
    'all-legacy-message.json': '20240301T18',
    'all-legacy-object.json': '20240301T18',
    // By event time, late events were missed: it says nothing of what was loaded.
    'events-event-time.json': '20240301T00',
  };
  const DAILY = [
    'daily-date.json',
    'daily-date-time.json',
    'daily-slices.json',
    'all-legacy-message.json',
    'all-legacy-object.json',
  ];
  const readFrom = async (
    fixture: string,
    streams: readonly string[],
  ): Promise<{ output: ConnectorOutput; days: string[]; hours: string[]; missing: string[] }> =>
    withSimulator(TWO_DAYS, async (simulator) => {
      const catalog = catalogOf(streams);
      const state = readFileSync(join(STATES, fixture), 'utf8');
      const output = await runConnector(['read'], {
        config: configFor(simulator, { end_date: SECOND_DAY }),
        catalog,
        state,
      });
      assertSuccess(output, catalog);
      const hours = simulator.log.exportRequests().map(({ startHour }) => startHour);
      const missing =
        hours[0] === undefined ? [] : findEventErrors(output, simulator.truth({ startHour: hours[0] }));
      const days = simulator.log.entries.flatMap(({ query }) =>
        /^\d{8}$/.test(query['start'] ?? '') ? [query['start']!] : [],
      );
      return { output, hours, missing, days };
    });

  it.concurrent('every fixture is used', () => {
    expect(readdirSync(STATES).sort()).toEqual([...new Set([...Object.keys(EVENTS), ...DAILY])].sort());
  });

  it.concurrent.each(Object.entries(EVENTS))('events: %s, from %s', async (fixture, firstHour) => {
    const { output, hours, missing } = await readFrom(fixture, ['events']);
    expect(hours[0]).toBe(firstHour);
    expect(missing).toEqual([]);
    expect(output.mostRecentState.map(({ stream }) => stream.stream_state)).toEqual([
      { server_upload_time: '20240302T23' },
    ]);
    const warned = output.logsOf('WARN').some((message) => /event_time/.test(message));
    expect(warned).toBe(fixture === 'events-event-time.json');
  });

  it.concurrent.each(DAILY)('daily streams: %s, from the last complete day', async (fixture) => {
    const { output, days } = await readFrom(fixture, ['active_users', 'average_session_length']);
    expect(days).toEqual(['20240301', '20240301']);
    for (const stream of ['active_users', 'average_session_length']) {
      expect(output.records(stream).map(({ data }) => data['date'])).toEqual(['2024-03-01', '2024-03-02']);
      expect(output.states(stream).at(-1)?.stream.stream_state).toEqual({ date: '2024-03-02' });
    }
  });

  it.concurrent(
    'the state that we print is one that upstream reads: the same keys in the same form',
    async () => {
      const { output } = await readFrom('all-legacy-object.json', [
        'events',
        'active_users',
        'average_session_length',
      ]);
      const printed = Object.fromEntries(
        output.mostRecentState.map(({ stream }) => [stream.stream_descriptor.name, stream.stream_state]),
      );
      expect(printed).toEqual({
        events: { server_upload_time: '20240302T23' },
        active_users: { date: '2024-03-02' },
        average_session_length: { date: '2024-03-02' },
      });
    },
  );
});
