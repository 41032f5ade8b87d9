import type { SettingsPatch } from '../../simulator/settings';
import type { SimulatorOptions } from '../../simulator/simulator';
import { assertSuccess } from '../harness/assert-success';
import { runConnector } from '../harness/connector';
import { findEventErrors, recordLines } from '../harness/event-comparison';
import { dataOf } from '../harness/expected-event';
import { catalogOf, configFor, hourAfter, hoursAgo, stateOf, STREAMS } from '../harness/inputs';
import { entryOf, findDifference, parseLossless } from '../harness/lossless-json';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';

const FIRST_HOUR = TWO_DAYS.data.startHour;
const EVENTS = catalogOf(['events']);

/** Lines that a parse and a stringify, or a reader of lines in Python, would change or lose. */
const ODD_LINES = {
  bigIntegers:
    '{"uuid":"odd-1","server_upload_time":"2024-03-01 05:00:00.000001","event_properties":{"a":9007199254740993,"b":-123456789012345678901234567890}}',
  floats:
    '{"uuid":"odd-2","server_upload_time":"2024-03-01 05:00:00.100000","event_properties":{"zero":0.0,"minus":-0.0,"cents":1.10,"exp":1E+2,"huge":1e400,"tiny":5e-324}}',
  caseTwins:
    '{"uuid":"odd-3","server_upload_time":"2024-03-01 05:00:01","City":"A","city":"b","event_properties":{"id":1,"ID":2,"Id":3}}',
  repeatedKeys:
    '{"uuid":"odd-4","server_upload_time":"2024-03-01 05:00:01.5","event_properties":{"k":1,"k":2},"groups":{},"groups":{"x":[]}}',
  separators:
    '{"uuid":"odd-5","server_upload_time":"2024-03-01 05:00:01.500","event_properties":{"a\u2028b":"c\u2029d\u0085e","f":"\\u2028\\u2029\\u0085"}}',
  emptyTimes:
    '{"uuid":"odd-6","server_upload_time":"2024-03-01 05:00:02","event_time":"","processed_time":null,"event_properties":{"event_time":"","processed_time":"2024-01-01 00:00:00"}}',
  unusualText:
    '{ "uuid" : "odd-7" ,\t"server_upload_time":"2024-03-01 05:00:03" , "note":"\\ud800 lone, \\"quoted\\", \\/ and \u{1f98a}\ufeff", "":0 }',
} as const;

const WITH_ODD_LINES: SimulatorOptions = {
  data: {
    startHour: FIRST_HOUR,
    hours: 12,
    eventsPerHour: (hour) => (hour % 5 === 3 ? 0 : 25),
    partsPerHour: 3,
    extraLines: { [hourAfter(FIRST_HOUR, 5)]: Object.values(ODD_LINES) },
  },
  now: TWO_DAYS.now,
};

describe('events', () => {
  const containers: readonly (readonly [string, SettingsPatch])[] = [
    [
      'deflated members with lines of every layout',
      { lines: { blankLines: 'mixed', finalNewline: 'mixed' } },
    ],
    [
      'members without a last line end, hours shuffled',
      { lines: { finalNewline: 'never' }, zip: { order: 'shuffled' } },
    ],
    ['stored members with data descriptors', { zip: { method: 'stored', dataDescriptor: true } }],
    ['ZIP64, a folder entry and a comment', { zip: { zip64: true, directoryEntry: true, comment: 'PK' } }],
    ['CRLF line ends in a chunked answer', { lines: { lineEnd: 'crlf' }, exportFraming: 'chunked' }],
  ];

  it.concurrent.each(containers)(
    'come exactly once and equal to the archive: %s',
    async (_name, settings) => {
      await withSimulator({ ...WITH_ODD_LINES, settings }, async (simulator) => {
        const config = configFor(simulator, { end_date: SECOND_DAY, request_time_range: 5 });
        const output = await runConnector(['read'], { config, catalog: EVENTS });
        assertSuccess(output, EVENTS);
        expect(output.records('events')).toHaveLength(10 * 25 + Object.keys(ODD_LINES).length);
        expect(findEventErrors(output, simulator.truth())).toEqual([]);
        expect(output.mostRecentState[0]?.stream.stream_state).toEqual({ server_upload_time: '20240302T23' });
        expect(output.leftInTemp).toEqual([]);
      });
    },
  );

  it.concurrent(
    'get the timestamps that upstream’s Python would write, and null for what is no time',
    async () => {
      const times = {
        client_event_time: '2023-08-25 11:05:08.013000',
        client_upload_time: '2023-08-24 07:00:00',
        event_time: '2023-08-24 07:00:00.000000',
        processed_time: '2023-08-24 07:00:00.5',
        server_received_time: '',
        user_creation_time: 'yesterday',
      };
      const line = JSON.stringify({
        uuid: 'times',
        ...times,
        server_upload_time: '2024-03-01 00:00:00.000001',
      });
      const data = {
        startHour: FIRST_HOUR,
        hours: 1,
        eventsPerHour: 0,
        extraLines: { [FIRST_HOUR]: [line] },
      };
      await withSimulator({ ...TWO_DAYS, data }, async (simulator) => {
        const output = await runConnector(['read'], {
          config: configFor(simulator, { end_date: SECOND_DAY }),
          catalog: EVENTS,
        });
        const [record] = output.records('events');
        expect(record?.data).toEqual({
          uuid: 'times',
          client_event_time: '2023-08-25T11:05:08.013000+00:00',
          client_upload_time: '2023-08-24T07:00:00+00:00',
          event_time: '2023-08-24T07:00:00+00:00',
          processed_time: '2023-08-24T07:00:00.500000+00:00',
          server_received_time: null,
          user_creation_time: null,
          server_upload_time: '2024-03-01T00:00:00.000001+00:00',
        });
        expect(record?.meta?.changes).toEqual([
          { field: 'user_creation_time', change: 'NULLED', reason: 'SOURCE_SERIALIZATION_ERROR' },
        ]);
      });
    },
  );

  it.concurrent('the comparison itself notices every kind of change', () => {
    const changes: readonly (readonly [string, string, string])[] = [
      ['a number', '{"a":0.0}', '{"a":0}'],
      ['a big integer', '{"a":9007199254740993}', '{"a":9007199254740992}'],
      ['an order', '{"a":1,"b":2}', '{"b":2,"a":1}'],
      ['a repeated key', '{"a":1,"a":2}', '{"a":2}'],
      ['a type', '{"a":"1"}', '{"a":1}'],
      ['a depth', '{"a":[[1]]}', '{"a":[1]}'],
    ];
    for (const [what, before, after] of changes) {
      expect([what, findDifference(parseLossless(before), parseLossless(after))]).toEqual([
        what,
        expect.any(String),
      ]);
    }
    expect(findDifference(parseLossless(' {"a" : "\\u00e9"}'), parseLossless('{"a":"é"}'))).toBeUndefined();
  });
});

describe('a second read', () => {
  const endOf = (hour: number): string => `2024-03-02T${String(hour).padStart(2, '0')}:00:00Z`;

  it.concurrent.each([
    ['the documented lookback of 3 hours', {}, 3],
    ['lookback_hours 0', { lookback_hours: 0 }, 0],
    ['lookback_hours 7', { lookback_hours: 7 }, 7],
  ])('gives the new hours and %s, nothing else', async (_name, changes, lookback) => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const first = await runConnector(['read'], {
        config: configFor(simulator, { end_date: endOf(6), ...changes }),
        catalog: EVENTS,
      });
      expect(findEventErrors(first, simulator.truth({ endHour: '20240302T05' }))).toEqual([]);
      simulator.log.clear();
      const second = await runConnector(['read'], {
        config: configFor(simulator, { end_date: endOf(10), ...changes }),
        catalog: EVENTS,
        state: first.mostRecentState,
      });
      assertSuccess(second, EVENTS);
      // While the lookback is read again, no state falls behind the one that was given.
      const cursors = second.states().map(({ stream }) => String(stream.stream_state['server_upload_time']));
      expect(cursors).toEqual(['20240302T05', ...cursors].sort().slice(1));
      const from = hourAfter('20240302T06', -lookback);
      expect(findEventErrors(second, simulator.truth({ startHour: from, endHour: '20240302T09' }))).toEqual(
        [],
      );
      expect(simulator.log.exportRequests().map(({ startHour, endHour }) => [startHour, endHour])).toEqual([
        [from, '20240302T09'],
      ]);
    });
  });

  it.concurrent('with nothing new leaves every cursor where it was', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const catalog = catalogOf(STREAMS);
      const config = configFor(simulator, { end_date: SECOND_DAY });
      const first = await runConnector(['read'], { config, catalog });
      const second = await runConnector(['read'], { config, catalog, state: first.mostRecentState });
      assertSuccess(second, catalog);
      const byName = (states: typeof first.mostRecentState): unknown[] =>
        states
          .map(({ stream }) => [stream.stream_descriptor.name, stream.stream_state])
          .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
      expect(byName(second.mostRecentState)).toEqual(byName(first.mostRecentState));
      expect(findEventErrors(second, simulator.truth({ startHour: '20240302T21' }))).toEqual([]);
      // The lookback reaches into the last complete day, which is therefore given again.
      for (const stream of ['active_users', 'new_users', 'average_session_length']) {
        expect([stream, second.records(stream).map(({ data }) => data['date'])]).toEqual([
          stream,
          [SECOND_DAY],
        ]);
      }
    });
  });

  it.concurrent('without an end reads on to the last hour that Amplitude has finished', async () => {
    const startHour = hoursAgo(20);
    await withSimulator({ data: { startHour, hours: 20, eventsPerHour: 4 } }, async (simulator) => {
      const before = hoursAgo(3);
      const output = await runConnector(['read'], {
        config: configFor(simulator),
        catalog: EVENTS,
        state: stateOf({ events: { server_upload_time: hourAfter(startHour, 9) } }),
      });
      const cursor = String(output.mostRecentState[0]?.stream.stream_state['server_upload_time']);
      // The hour may turn while the test runs.
      expect([before, hoursAgo(3)]).toContain(cursor);
      expect(
        findEventErrors(
          output,
          simulator.truth({ startHour: hourAfter(startHour, 7), endHour: cursor, all: true }),
        ),
      ).toEqual([]);
    });
  });
});

describe('the other streams', () => {
  it.concurrent('equal what Amplitude answers, one record per day or item', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const catalog = catalogOf(STREAMS);
      const output = await runConnector(['read'], {
        config: configFor(simulator, { end_date: SECOND_DAY }),
        catalog,
      });
      const dataOfStream = (stream: string): unknown[] => output.records(stream).map(({ data }) => data);
      const range = { startMs: simulator.data.startMs, endMs: Date.UTC(2024, 2, 2) };
      for (const metric of ['active', 'new'] as const) {
        const { days, labels, series } = simulator.userCounts({ ...range, metric, grouped: true });
        expect(dataOfStream(`${metric}_users`)).toEqual(
          days.map((date, at) => ({
            date,
            statistics: Object.fromEntries(labels.map((label, row) => [label, series[row]?.[at]])),
          })),
        );
      }
      const sessions = simulator.sessionFigures({ ...range, figure: 'average' });
      expect(dataOfStream('average_session_length')).toEqual(
        sessions.days.map((date, at) => ({ date, length: sessions.series[0]?.[at] })),
      );

      const answer = async (path: string, key: string): Promise<unknown[]> => {
        const { apiKey, secretKey } = simulator.settings.credentials;
        const authorization = `Basic ${Buffer.from(`${apiKey}:${secretKey}`).toString('base64')}`;
        const response = await fetch(simulator.baseUrl + path, { headers: { authorization } });
        return ((await response.json()) as Record<string, unknown[]>)[key] ?? [];
      };
      expect(dataOfStream('cohorts')).toEqual(await answer('/api/3/cohorts?includeSyncInfo=true', 'cohorts'));
      expect(dataOfStream('events_list')).toEqual(await answer('/api/2/events/list', 'data'));
      const annotations = (await answer('/api/3/annotations', 'data')) as { start: string }[];
      expect(annotations.length).toBeGreaterThan(0);
      expect(dataOfStream('annotations')).toEqual(
        annotations.map((one) => ({ ...one, date: one.start.slice(0, 10) })),
      );
      expect(recordLines(output, 'cohorts').map((line) => entryOf(dataOf(line), 'id').kind)).not.toContain(
        'null',
      );
    });
  });
});

it.concurrent.each(['Europe/Berlin', 'America/Los_Angeles'])(
  'annotations have the day that Amplitude shows in a project in %s, without a setting',
  async (projectTimeZone) => {
    await withSimulator({ ...TWO_DAYS, settings: { projectTimeZone } }, async (simulator) => {
      const catalog = catalogOf(['annotations']);
      const output = await runConnector(['read'], { config: configFor(simulator), catalog });
      assertSuccess(output, catalog);
      expect(output.records('annotations').map(({ data }) => [data['id'], data['date']])).toEqual([
        [12, '2024-03-01'],
        [15, '2024-03-02'],
        [23, '2024-03-03'],
      ]);
    });
  },
);
