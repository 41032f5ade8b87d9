import type { JsonRequest } from '../../../src/amplitude/json-client';
import { ConnectorFailure } from '../../../src/failure';
import { activeUsers } from '../../../src/streams/active-users';
import { averageSessionLength } from '../../../src/streams/average-session-length';
import { newUsers } from '../../../src/streams/new-users';
import type { StreamSettings } from '../../../src/streams/stream';
import { range } from './events-project';
import { FakeApi, FakeHost, httpFailure, NOW, readAll } from './fake-context';

const DAY_MS = 86_400_000;

/** `2026-10-01` of the parameter `20261001`. */
const dashed = (compact: string): string => compact.replace(/(....)(..)(..)/, '$1-$2-$3');

function daysOf({ params }: JsonRequest): string[] {
  const days: string[] = [];
  const last = Date.parse(dashed(params!['end']!));
  for (let ms = Date.parse(dashed(params!['start']!)); ms <= last; ms += DAY_MS) {
    days.push(new Date(ms).toISOString().slice(0, 10));
  }
  return days;
}

/** An answer for the days asked for: the day of the month as the number of users of each label. */
function usersAnswer(request: JsonRequest, labels: readonly unknown[] = ['United States', '(none)']): object {
  const xValues = daysOf(request);
  const series = labels.map((_, at) => xValues.map((day) => Number(day.slice(8)) + at * 100));
  return {
    data: { xValues, series, seriesLabels: labels, seriesMeta: labels.map(() => ({ segmentIndex: 0 })) },
  };
}

const users = (): FakeApi => new FakeApi({ json: (request) => usersAnswer(request) });
const slicesOf = (api: FakeApi): string[] =>
  api.requests.map(({ params }) => `${params!['start']}..${params!['end']}`);
const dates = (states: readonly unknown[]): unknown[] =>
  states.map((state) => (state as { date: string }).date);

describe('active_users and new_users', () => {
  it.each([
    [activeUsers, 'active'],
    [newUsers, 'new'],
  ])('ask for each month and give a record for each day (%#)', async (stream, metric) => {
    const api = users();
    const { given, error } = await readAll(stream, api, {
      settings: { startMs: Date.parse('2026-09-29T15:00:00Z') },
    });
    expect(error).toBeUndefined();
    expect(api.requests).toEqual([
      {
        path: '/api/2/users',
        params: { start: '20260929', end: '20260930', m: metric, i: '1', g: 'country' },
        cost: 10,
      },
      {
        path: '/api/2/users',
        params: { start: '20261001', end: '20261004', m: metric, i: '1', g: 'country' },
        cost: 20,
      },
    ]);
    expect(JSON.parse(JSON.stringify(given))).toEqual([
      { record: { date: '2026-09-29', statistics: { 'United States': 29, '(none)': 129 } } },
      { record: { date: '2026-09-30', statistics: { 'United States': 30, '(none)': 130 } } },
      { state: { date: '2026-09-30' } },
      { record: { date: '2026-10-01', statistics: { 'United States': 1, '(none)': 101 } } },
      { record: { date: '2026-10-02', statistics: { 'United States': 2, '(none)': 102 } } },
      { record: { date: '2026-10-03', statistics: { 'United States': 3, '(none)': 103 } } },
      { record: { date: '2026-10-04', statistics: { 'United States': 4, '(none)': 104 } } },
      // Today is given, but read again next time.
      { state: { date: '2026-10-03' } },
    ]);
  });

  it('ask without a country where the configuration says so, at a fifth of the cost', async () => {
    const api = new FakeApi({ json: (request) => usersAnswer(request, [0]) });
    const { records } = await readAll(activeUsers, api, {
      settings: { groupByCountry: false, startMs: Date.parse('2026-10-03T00:00:00Z') },
    });
    expect(api.requests[0]).toEqual({
      path: '/api/2/users',
      params: { start: '20261003', end: '20261004', m: 'active', i: '1' },
      cost: 2,
    });
    expect(JSON.parse(JSON.stringify(records))).toEqual([
      { date: '2026-10-03', statistics: { '0': 3 } },
      { date: '2026-10-04', statistics: { '0': 4 } },
    ]);
  });

  it('never cost more than the budget, also over years', async () => {
    const api = users();
    await readAll(activeUsers, api, { settings: { startMs: Date.parse('2023-01-01T00:00:00Z') } });
    expect(Math.max(...api.requests.map(({ cost }) => cost!))).toBeLessThanOrEqual(155);
    expect(api.requests.flatMap(daysOf)).toHaveLength(365 + 366 + 365 + 277);
  });

  const NO_COUNTRY =
    'Amplitude rejected the request (HTTP 400: Invalid chart definition (Invalid user property country)).';

  it('count without countries, and say so once, in a project that has none', async () => {
    const api = new FakeApi({
      json: (request) => {
        if (request.params!['g'] !== undefined) throw httpFailure(400, NO_COUNTRY);
        return usersAnswer(request, [0]);
      },
    });
    const host = new FakeHost();
    const { error, states } = await readAll(activeUsers, api, {
      host,
      settings: { startMs: Date.parse('2026-08-30T00:00:00Z') },
    });
    expect(error).toBeUndefined();
    expect(dates(states)).toEqual(['2026-08-31', '2026-09-30', '2026-10-03']);
    expect(api.requests.map(({ params, cost }) => [params!['start'], params!['g'], cost])).toEqual([
      ['20260830', 'country', 10],
      ['20260830', undefined, 2],
      ['20260901', undefined, 30],
      ['20261001', undefined, 4],
    ]);
    expect(host.warnings).toHaveLength(1);
    expect(host.warnings[0]).toContain('active_users_group_by_country');
  });

  it.each([
    httpFailure(400, 'Amplitude rejected the request (HTTP 400: Invalid chart definition).'),
    httpFailure(403, `Amplitude refused access (HTTP 403: ${NO_COUNTRY}).`),
    httpFailure(429, NO_COUNTRY),
    new Error(NO_COUNTRY),
  ])('take no other failure for that (%#)', async (failure) => {
    const api = new FakeApi({
      json: () => {
        throw failure;
      },
    });
    const { error, given } = await readAll(activeUsers, api);
    expect(error).toBe(failure);
    expect(given).toEqual([]);
    expect(api.requests).toHaveLength(1);
  });

  it('fail when the answer without countries fails', async () => {
    const api = new FakeApi({
      json: () => {
        throw httpFailure(400, NO_COUNTRY);
      },
    });
    const { error } = await readAll(activeUsers, api);
    expect(error).toMatchObject({ status: 400 });
    expect(api.requests).toHaveLength(2);
  });
});

describe('average_session_length', () => {
  const sessions = (request: JsonRequest): object => {
    const xValues = daysOf(request);
    return {
      data: {
        xValues,
        series: [xValues.map((day) => Number(day.slice(8)) + 0.5)],
        seriesMeta: [{ segmentIndex: 0, sessionIndex: 0 }],
        seriesCollapsed: [[{ setId: '', value: 1200.7 }]],
      },
    };
  };

  it('asks for 15 days at a time, at four units a day', async () => {
    const api = new FakeApi({ json: sessions });
    const { records, states } = await readAll(averageSessionLength, api, {
      settings: { startMs: Date.parse('2026-09-05T00:00:00Z') },
    });
    expect(api.requests).toEqual([
      { path: '/api/2/sessions/average', params: { start: '20260905', end: '20260919' }, cost: 60 },
      { path: '/api/2/sessions/average', params: { start: '20260920', end: '20261004' }, cost: 60 },
    ]);
    expect(records).toHaveLength(30);
    expect(records.slice(0, 2)).toEqual([
      { date: '2026-09-05', length: 5.5 },
      { date: '2026-09-06', length: 6.5 },
    ]);
    expect(dates(states)).toEqual(['2026-09-19', '2026-10-03']);
  });

  it('gives no record where the project has no sessions, and goes on', async () => {
    const api = new FakeApi({ json: (request) => ({ data: { xValues: daysOf(request), series: [] } }) });
    const { given } = await readAll(averageSessionLength, api);
    expect(given).toEqual([{ state: { date: '2026-10-03' } }]);
  });

  it('gives null where Amplitude says null', async () => {
    const api = new FakeApi({
      json: (request) => ({
        data: { xValues: daysOf(request), series: [[1.5, null, { setId: 'x', value: null }, 2.5]] },
      }),
    });
    const { records, states } = await readAll(averageSessionLength, api);
    expect(records.map((record) => (record as { length: unknown }).length)).toEqual([1.5, null, null, 2.5]);
    expect(dates(states)).toEqual(['2026-10-03']);
  });
});

describe('which days are read', () => {
  const cases: [string, { state?: string; settings?: Partial<StreamSettings> }, string[]][] = [
    ['from the start day on', {}, ['20261001..20261004']],
    [
      'again the last day of the state, with a lookback of hours',
      { state: '2026-10-02' },
      ['20261002..20261004'],
    ],
    [
      'again the last day of the state also with no lookback, because Airbyte’s connector may have written it unfinished',
      { state: '2026-10-02', settings: { lookbackHours: 0 } },
      ['20261002..20261004'],
    ],
    [
      'as many days back as the lookback covers',
      { state: '2026-10-03', settings: { lookbackHours: 48 } },
      ['20261002..20261004'],
    ],
    [
      'not before the start date, whatever the lookback',
      { state: '2026-10-02', settings: { lookbackHours: 168 } },
      ['20261001..20261004'],
    ],
    [
      'from a start date that was moved behind the state',
      { state: '2026-10-01', settings: { startMs: Date.parse('2026-10-04T00:00:00Z') } },
      ['20261004..20261004'],
    ],
    [
      'from the state, whatever a start that is a duration has come to since',
      {
        state: '2026-10-01',
        settings: { startMs: Date.parse('2026-10-04T00:00:00Z'), startIsRelative: true },
      },
      ['20261001..20261004'],
    ],
    [
      'from a start that is a duration where there is no state',
      { settings: { startMs: Date.parse('2026-10-04T00:00:00Z'), startIsRelative: true } },
      ['20261004..20261004'],
    ],
    ['today again, when the state is of yesterday', { state: '2026-10-03' }, ['20261003..20261004']],
    ['nothing, when the state lies ahead', { state: '2026-10-09' }, []],
    ['nothing, when the start lies ahead', { settings: { startMs: NOW + 5 * DAY_MS } }, []],
    [
      'to the day before an end at midnight',
      { settings: { endMs: Date.parse('2026-10-03T00:00:00Z') } },
      ['20261001..20261002'],
    ],
    [
      'to the day in which the end lies',
      { settings: { endMs: Date.parse('2026-10-03T00:00:01Z') } },
      ['20261001..20261003'],
    ],
    ['to today, when the end lies ahead', { settings: { endMs: NOW + 9 * DAY_MS } }, ['20261001..20261004']],
    [
      'to the day that it is in the project (behind UTC)',
      { settings: { projectTimeZone: 'Pacific/Pago_Pago', nowMs: Date.parse('2026-10-04T10:59:00Z') } },
      ['20261001..20261003'],
    ],
    [
      'to the day that it is in the project (ahead of UTC)',
      { settings: { projectTimeZone: 'Pacific/Kiritimati', nowMs: Date.parse('2026-10-04T10:01:00Z') } },
      ['20261001..20261005'],
    ],
  ];
  it.each(cases)('%s', async (_rule, { state, settings }, slices) => {
    const api = users();
    const { error } = await readAll(activeUsers, api, {
      ...(state && { state: { date: state } }),
      ...(settings && { settings }),
    });
    expect(error).toBeUndefined();
    expect(slicesOf(api)).toEqual(slices);
  });
});

describe('the state', () => {
  it('never passes yesterday, and never goes back', async () => {
    const api = users();
    const { states } = await readAll(activeUsers, api, {
      state: { date: '2026-10-04' },
      settings: { lookbackHours: 168 },
    });
    expect(dates(states)).toEqual(['2026-10-04']);
  });

  it('that lies ahead of today is believed, and warned of', async () => {
    const host = new FakeHost();
    const api = users();
    const { given, error } = await readAll(activeUsers, api, { host, state: { date: '2026-10-05' } });
    expect([given, error, api.requests]).toEqual([[], undefined, []]);
    expect(host.warnings).toEqual([expect.stringContaining('2026-10-05')]);
    const current = new FakeHost();
    await readAll(activeUsers, users(), { host: current, state: { date: '2026-10-04' } });
    expect(current.warnings).toEqual([]);
  });

  it('goes to the end of a closed range that is over', async () => {
    const { states } = await readAll(activeUsers, users(), {
      settings: { endMs: Date.parse('2026-10-03T00:00:00Z') },
    });
    expect(dates(states)).toEqual(['2026-10-02']);
  });

  it('stays where it was while the lookback over several months is read', async () => {
    const { states } = await readAll(activeUsers, users(), {
      state: { date: '2026-10-02' },
      settings: { startMs: Date.parse('2026-08-01T00:00:00Z'), lookbackHours: 24 * 60 },
    });
    expect(dates(states)).toEqual(['2026-10-02', '2026-10-02', '2026-10-03']);
  });

  it.each(['realtimeDataMissing', 'timedOutRealtimeData'])(
    'does not pass a day of which Amplitude says %s, also when a later slice follows',
    async (flag) => {
      // Today is the first of a month, so that yesterday ends a slice of its own.
      const nowMs = Date.parse('2026-10-01T12:00:00Z');
      const api = new FakeApi({ json: (request) => ({ ...usersAnswer(request), [flag]: true }) });
      const { states, records } = await readAll(activeUsers, api, {
        settings: { nowMs, startMs: Date.parse('2026-09-28T00:00:00Z') },
      });
      expect(slicesOf(api)).toEqual(['20260928..20260930', '20261001..20261001']);
      expect(records).toHaveLength(4);
      expect(dates(states)).toEqual(['2026-09-29', '2026-09-29']);
    },
  );

  it('follows each slice, so that a failure keeps what was read before it', async () => {
    const api = new FakeApi({
      json: (request) => {
        if (request.params!['start'] === '20261001') throw httpFailure(429, 'limited');
        return usersAnswer(request);
      },
    });
    const { states, error } = await readAll(activeUsers, api, {
      settings: { startMs: Date.parse('2026-08-15T00:00:00Z') },
    });
    expect(error).toMatchObject({ status: 429 });
    expect(dates(states)).toEqual(['2026-08-31', '2026-09-30']);
  });
});

describe('a day that the answer lacks', () => {
  const FIVE_DAYS = range('2026-09-01T00:00:00Z', '2026-09-06T00:00:00Z');
  const answerOf = (xValues: unknown, series: unknown): FakeApi =>
    new FakeApi({ json: () => ({ data: { xValues, series, seriesLabels: ['DE', 'US'] } }) });
  const all = ['2026-09-01', '2026-09-02', '2026-09-03', '2026-09-04', '2026-09-05'];

  it.each([
    ['a series that is short', all, [[1, 2, 3]], ['01', '02', '03'], '2026-09-03', ['04', '05']],
    [
      'one series of two that is short',
      all,
      [
        [1, 2, 3, 4, 5],
        [1, 2, 3],
      ],
      ['01', '02', '03'],
      '2026-09-03',
      ['04', '05'],
    ],
    ['days that are not listed', all.slice(0, 2), [[1, 2]], ['01', '02'], '2026-09-02', ['03', '04', '05']],
    [
      'a hole: what lies behind it is given all the same',
      [all[0], all[3], all[4]],
      [[1, 4, 5]],
      ['01', '04', '05'],
      '2026-09-01',
      ['02', '03'],
    ],
    ['the first day', all.slice(1), [[2, 3, 4, 5]], ['02', '03', '04', '05'], '2026-08-31', ['01']],
    ['series without a value', all, [[], []], [], '2026-08-31', ['01', '02', '03', '04', '05']],
    ['a series without days', [], [[]], [], '2026-08-31', ['01', '02', '03', '04', '05']],
  ])(
    'is not given, not passed by the state, and named: %s',
    async (_what, x, series, given, state, lacks) => {
      const host = new FakeHost();
      const { records, states, error } = await readAll(activeUsers, answerOf(x, series), {
        host,
        settings: FIVE_DAYS,
      });
      expect(error).toBeUndefined();
      expect(records.map((record) => (record as { date: string }).date)).toEqual(
        given.map((day) => `2026-09-${day}`),
      );
      expect(dates(states)).toEqual([state]);
      expect(host.warnings).toHaveLength(1);
      for (const day of all) expect(host.warnings[0]!.includes(day)).toBe(lacks.includes(day.slice(8)));
    },
  );

  it('holds the state also while later slices are given, and the next sync begins with it', async () => {
    let isCut = true;
    const api = new FakeApi({
      json: (request) => {
        const xValues = daysOf(request);
        const values = xValues.map(() => 1);
        if (isCut && xValues[0] === '2026-08-01') values.length = 20;
        return { data: { xValues, series: [values], seriesLabels: ['DE'] } };
      },
    });
    const settings = { startMs: Date.parse('2026-07-30T00:00:00Z') };
    const first = await readAll(activeUsers, api, { settings });
    expect(dates(first.states)).toEqual(['2026-07-31', '2026-08-20', '2026-08-20', '2026-08-20']);
    expect(first.records).toHaveLength(2 + 20 + 30 + 4);
    isCut = false;
    api.requests.length = 0;
    const second = await readAll(activeUsers, api, { settings, state: first.states.at(-1)! });
    expect(slicesOf(api)[0]).toBe('20260820..20260831');
    expect(dates(second.states)).toEqual(['2026-08-31', '2026-09-30', '2026-10-03']);
  });

  it('is not waited for when it is more than 60 days old: the state passes it, with a warning', async () => {
    const host = new FakeHost();
    const api = new FakeApi({
      json: (request) => {
        const xValues = daysOf(request).filter((day) => day !== '2026-07-31' && day !== '2026-08-31');
        return { data: { xValues, series: [xValues.map(() => 1)], seriesLabels: ['DE'] } };
      },
    });
    const settings = { startMs: Date.parse('2026-07-30T00:00:00Z') };
    const { states } = await readAll(activeUsers, api, { settings, host });
    expect(dates(states)).toEqual(['2026-07-31', '2026-08-30', '2026-08-30', '2026-08-30']);
    expect(host.warnings).toEqual([
      expect.stringMatching(/lacks 2026-07-31\. They are not waited for/) as unknown,
      expect.stringMatching(/lacks 2026-08-31\. The state stays before 2026-08-31/) as unknown,
    ]);
  });

  it('does not move the state back from what was complete before', async () => {
    const api = new FakeApi({
      json: (request) => ({ data: { xValues: daysOf(request).slice(0, 1), series: [[1]] } }),
    });
    const { states } = await readAll(activeUsers, api, {
      state: { date: '2026-10-02' },
      settings: { lookbackHours: 48 },
    });
    expect(dates(states)).toEqual(['2026-10-02']);
  });

  it('is no matter of a warning when it is today', async () => {
    const host = new FakeHost();
    const api = new FakeApi({
      json: (request) => ({ data: { xValues: daysOf(request).slice(0, -1), series: [[1, 2, 3]] } }),
    });
    const { states, records } = await readAll(activeUsers, api, { host });
    expect(host.warnings).toEqual([]);
    expect(records).toHaveLength(3);
    expect(dates(states)).toEqual(['2026-10-03']);
  });
});

describe('the records', () => {
  it('are of the days asked for only: Amplitude answers future ones with 0', async () => {
    const api = new FakeApi({
      json: () => ({
        data: {
          xValues: ['2026-09-30', '2026-10-01', '2026-10-04T00:00:00', '2026-10-05', '2026-10-06'],
          series: [[1, 2, 3, 0, 0]],
          seriesLabels: ['DE'],
        },
      }),
    });
    const { records } = await readAll(activeUsers, api);
    expect(JSON.parse(JSON.stringify(records))).toEqual([
      { date: '2026-10-01', statistics: { DE: 2 } },
      { date: '2026-10-04', statistics: { DE: 3 } },
    ]);
  });

  it('fail the stream, before any state, when their days are no days', async () => {
    for (const x of ['Oct 4', '2026-02-30', '', 20261004, null]) {
      const api = new FakeApi({ json: () => ({ data: { xValues: [x], series: [[1]] } }) });
      const { error, given } = await readAll(activeUsers, api);
      expect(error).toBeInstanceOf(ConnectorFailure);
      expect(error).toMatchObject({ kind: 'system', message: expect.stringContaining('active_users') });
      expect(given).toEqual([]);
    }
  });

  it('come with a line of the log and a count of windows for each slice', async () => {
    const host = new FakeHost();
    await readAll(activeUsers, users(), {
      host,
      settings: { startMs: Date.parse('2026-09-30T00:00:00Z') },
    });
    expect(host.tallies).toEqual({ windows: 2 });
    expect(host.lines).toEqual([
      expect.stringMatching(/^INFO 20260930\.\.20260930: 1 records in \d+\.\d s\.$/),
      expect.stringMatching(/^INFO 20261001\.\.20261004: 4 records in \d+\.\d s\.$/),
    ]);
  });

  it.each([
    ['no object', []],
    ['null', null],
    ['without data', {}],
    ['without xValues', { data: { series: [] } }],
    ['without series', { data: { xValues: [] } }],
    ['an error envelope with status 200', { error: { message: 'x' } }],
  ])('do not end silently when the answer is %s', async (_what, answer) => {
    const { error, given } = await readAll(activeUsers, new FakeApi({ json: () => answer }));
    expect(error).toMatchObject({ kind: 'system' });
    expect(given).toEqual([]);
  });
});
