import { ConnectorFailure } from '../../../src/failure';
import { annotations } from '../../../src/streams/annotations';
import { cohorts } from '../../../src/streams/cohorts';
import { eventsList } from '../../../src/streams/events-list';
import { asObject, listUnder } from '../../../src/streams/json-shape';
import { FakeApi, FakeHost, httpFailure, readAll } from './fake-context';

describe.each([
  [cohorts, { path: '/api/3/cohorts', params: { includeSyncInfo: 'true' } }, 'cohorts'],
  [eventsList, { path: '/api/2/events/list', cost: 1 }, 'data'],
])('a plain list (%#)', (stream, request, key) => {
  const records = [
    { id: 'a', size: 5, definition: { nested: [1, { deep: null }] } },
    { id: 'b', unknown: true },
  ];

  it('gives the items as they are, by one request', async () => {
    const api = new FakeApi({ json: () => ({ [key]: records, novaCost: 1 }) });
    const outcome = await readAll(stream, api);
    expect(outcome).toEqual({
      given: records.map((record) => ({ record })),
      records,
      states: [],
      error: undefined,
    });
    expect(api.requests).toEqual([request]);
  });

  it('may be empty', async () => {
    const { records: none, error } = await readAll(stream, new FakeApi({ json: () => ({ [key]: [] }) }));
    expect([none, error]).toEqual([[], undefined]);
  });

  it.each([
    ['without its wrapper', []],
    ['with another wrapper', { items: [] }],
    ['with null in it', { [key]: null }],
    ['with an object in it', { [key]: {} }],
    ['with an item that is no object', { [key]: [{ id: 1 }, 5] }],
    ['with a list for an item', { [key]: [[]] }],
    ['as null', null],
    ['as text', 'not found'],
  ])('%s is a failure, not an empty stream', async (_form, answer) => {
    const { error, given } = await readAll(stream, new FakeApi({ json: () => answer }));
    expect(error).toBeInstanceOf(ConnectorFailure);
    expect(error).toMatchObject({ kind: 'system', message: expect.stringContaining(request.path) });
    expect(given).toEqual([]);
  });

  it('passes a failure of the request on', async () => {
    const failure = httpFailure(403, 'no permission');
    const api = new FakeApi({
      json: () => {
        throw failure;
      },
    });
    expect((await readAll(stream, api)).error).toBe(failure);
  });
});

describe('annotations', () => {
  const v3 = (...data: object[]): FakeApi => new FakeApi({ json: () => ({ data }) });
  const readRecords = async (api: FakeApi, projectTimeZone = 'UTC'): Promise<readonly unknown[]> => {
    const { records, error } = await readAll(annotations, api, { settings: { projectTimeZone } });
    if (error !== undefined) throw error;
    return records;
  };

  it('are read from v3, with the day of their start', async () => {
    const api = v3({
      id: 12,
      label: 'Release',
      start: '2026-10-01T07:00:00+00:00',
      end: null,
      details: null,
      category: { id: 4, name: 'Releases' },
      chart_id: null,
    });
    expect(await readRecords(api)).toEqual([
      {
        id: 12,
        label: 'Release',
        start: '2026-10-01T07:00:00+00:00',
        end: null,
        details: null,
        category: { id: 4, name: 'Releases' },
        chart_id: null,
        date: '2026-10-01',
      },
    ]);
    expect(api.requests).toEqual([{ path: '/api/3/annotations' }, { path: '/api/2/annotations' }]);
  });

  const START = '2026-09-30T22:00:00+00:00';
  /** Two annotations that begin in Berlin's first hour, and what v2 says of them. */
  const both = (v2: () => unknown): FakeApi =>
    new FakeApi({
      json: ({ path }) =>
        path === '/api/2/annotations'
          ? v2()
          : {
              data: [
                { id: 12, start: START },
                { id: '15', start: START },
              ],
            },
    });
  const datesOf = async (api: FakeApi, host = new FakeHost()): Promise<unknown[]> => {
    const { records, error } = await readAll(annotations, api, { host });
    if (error !== undefined) throw error;
    return records.map((record) => (record as { date: unknown }).date);
  };

  it('have the date of v2, which knows the project’s time zone', async () => {
    const api = both(() => ({
      data: [
        { id: 15, date: '2026-10-01' },
        { id: 12, date: '2026-10-02' },
        { id: 99, date: '2026-10-03' },
      ],
    }));
    expect(await datesOf(api)).toEqual(['2026-10-02', '2026-10-01']);
  });

  it('have the day of their start where v2 does not know them', async () => {
    const api = both(() => ({
      data: [
        { id: 12, date: '2026-10-01' },
        { id: 15, date: null },
      ],
    }));
    expect(await datesOf(api)).toEqual(['2026-10-01', '2026-09-30']);
  });

  it.each([404, 403])(
    'have the day of their start where v2 is refused (%i), and the log says so',
    async (status) => {
      const host = new FakeHost();
      const api = both(() => {
        throw httpFailure(status, 'refused');
      });
      expect(await datesOf(api, host)).toEqual(['2026-09-30', '2026-09-30']);
      expect(host.lines).toEqual([expect.stringContaining('project_timezone')]);
    },
  );

  it('fail when v2 cannot be had: the day would change from sync to sync', async () => {
    const failure = httpFailure(429, 'limited');
    const api = both(() => {
      throw failure;
    });
    expect((await readAll(annotations, api)).error).toBe(failure);
    expect(
      (
        await readAll(
          annotations,
          both(() => ({ items: [] })),
        )
      ).error,
    ).toMatchObject({ kind: 'system' });
  });

  it('are not asked of v2 without need: none there, every date known, or the date not selected', async () => {
    const known = v3({ id: 1, date: '2026-10-01' });
    const unselected = v3({ id: 1, start: START });
    const none = v3();
    await readAll(annotations, known);
    await readAll(annotations, none);
    await readAll(annotations, unselected, { host: new FakeHost(new Set(['date'])) });
    for (const api of [known, unselected, none])
      expect(api.requests).toEqual([{ path: '/api/3/annotations' }]);
  });

  it.each([
    ['2026-10-01T06:59:59+00:00', 'America/Los_Angeles', '2026-09-30'],
    ['2026-10-01T07:00:00+00:00', 'America/Los_Angeles', '2026-10-01'],
    ['2026-10-01T00:30:00+02:00', 'UTC', '2026-09-30'],
    ['2026-10-01T22:00:00Z', 'Europe/Berlin', '2026-10-02'],
    ['2026-10-01 08:00:00', 'UTC', '2026-10-01'],
    ['2026-02-30T08:00:00Z', 'UTC', null],
    ['soon', 'UTC', null],
    [null, 'UTC', null],
    [5, 'UTC', null],
    [undefined, 'UTC', null],
  ])('that start at %j in %s have the date %j', async (start, zone, date) => {
    const record = start === undefined ? { id: 1 } : { id: 1, start };
    expect(await readRecords(v3(record), zone)).toEqual([{ ...record, date }]);
  });

  it('keep a date that Amplitude gives', async () => {
    expect(await readRecords(v3({ id: 1, start: '2026-10-01T00:00:00Z', date: '2026-09-01' }))).toEqual([
      { id: 1, start: '2026-10-01T00:00:00Z', date: '2026-09-01' },
    ]);
  });

  it.each([
    [
      { id: 4, name: 'Releases' },
      { id: 4, name: 'Releases' },
    ],
    [
      { id: 4, category: 'Releases' },
      { id: 4, category: 'Releases', name: 'Releases' },
    ],
    [{ id: 4 }, { id: 4, name: null }],
    [null, null],
    ['text', 'text'],
  ])('of the category %j have the category %j', async (category, expected) => {
    expect(await readRecords(v3({ id: 1, date: '2026-10-01', category }))).toEqual([
      { id: 1, date: '2026-10-01', category: expected },
    ]);
  });

  it('are read from v2 where there is no v3, and the log says so', async () => {
    const host = new FakeHost();
    const api = new FakeApi({
      json: ({ path }) => {
        if (path === '/api/3/annotations') throw httpFailure(404, 'not found');
        return { data: [{ id: 1, date: '2026-10-01', label: 'x', details: '' }] };
      },
    });
    const { records, error } = await readAll(annotations, api, { host });
    expect(error).toBeUndefined();
    expect(records).toEqual([{ id: 1, date: '2026-10-01', label: 'x', details: '' }]);
    expect(api.requests.map(({ path }) => path)).toEqual(['/api/3/annotations', '/api/2/annotations']);
    expect(host.lines).toEqual([expect.stringContaining('/api/2/annotations')]);
  });

  it.each([400, 401, 403, 429, 500])('fail, and are not read from v2, on %d', async (status) => {
    const failure = httpFailure(status, 'failed');
    const api = new FakeApi({
      json: () => {
        throw failure;
      },
    });
    const { error } = await readAll(annotations, api);
    expect(error).toBe(failure);
    expect(api.requests).toHaveLength(1);
  });

  it('fail when v2 is not there either, and when the list is not there', async () => {
    const missing = new FakeApi({
      json: () => {
        throw httpFailure(404, 'not found');
      },
    });
    expect((await readAll(annotations, missing)).error).toMatchObject({ status: 404 });
    const other = new FakeApi({ json: () => ({ annotations: [] }) });
    expect((await readAll(annotations, other)).error).toMatchObject({ kind: 'system' });
  });
});

describe('shapes of JSON', () => {
  it('asObject takes objects only', () => {
    const value = { a: 1 };
    expect(asObject(value, 'x')).toBe(value);
    for (const other of [null, undefined, [], 'text', 5, true]) {
      expect(() => asObject(other, 'the answer')).toThrow(/expected a JSON object in the answer/);
    }
  });

  it('listUnder names the item that is none', () => {
    expect(() => listUnder({ data: [{}, null] }, 'data', '/path')).toThrow(/item 1 under "data" in \/path/);
  });
});
