import { ConnectorFailure } from '../../../src/failure';
import { decodeMatrix } from '../../../src/streams/matrix';

const DAYS = ['2026-10-01', '2026-10-02'];
const rowsOf = (data: object, envelope: object = {}): unknown =>
  JSON.parse(JSON.stringify(decodeMatrix({ ...envelope, data }, 'here').rows));

describe('labels', () => {
  it.each<[string, object, string[]]>([
    ['of a request without groups', { seriesLabels: [0], seriesMeta: [{ segmentIndex: 0 }] }, ['0']],
    ['as texts', { seriesLabels: ['(none)', 'DE'] }, ['(none)', 'DE']],
    [
      'as pairs',
      {
        seriesLabels: [
          [0, 'iOS'],
          [0, 'Android'],
        ],
      },
      ['iOS', 'Android'],
    ],
    [
      'as pairs with a number',
      {
        seriesLabels: [
          [0, 5],
          [1, null],
        ],
      },
      ['5', '1'],
    ],
    [
      'of two groups',
      {
        seriesLabels: [
          [0, 'US', 'iOS'],
          [0, 'US', 'Android'],
        ],
      },
      ['iOS', 'Android'],
    ],
    [
      'in seriesMeta, as the documentation has them',
      { seriesLabels: [0, 1], seriesMeta: ['US', 'DE'] },
      ['US', 'DE'],
    ],
    ['in seriesMeta alone', { seriesMeta: ['US', 'DE'] }, ['US', 'DE']],
    ['nowhere', {}, ['0', '1']],
    ['for the first series only', { seriesLabels: ['US'] }, ['US', '1']],
    ['in an empty pair', { seriesLabels: [[], 'x'] }, ['0', 'x']],
    ['that are null', { seriesLabels: [null, null] }, ['0', '1']],
    ['twice', { seriesLabels: ['US', 'US'] }, ['US', 'US (1)']],
    ['that are no list', { seriesLabels: 'US' }, ['0', '1']],
    [
      'with names of object properties',
      { seriesLabels: ['__proto__', 'constructor'] },
      ['__proto__', 'constructor'],
    ],
    ['that differ only by case', { seriesLabels: ['us', 'US'] }, ['us', 'US']],
    ['that are empty', { seriesLabels: ['', ''] }, ['', ' (1)']],
  ])('%s', (_form, data, labels) => {
    const series = labels.map((_, index) => [index + 1, index + 10]);
    const { rows } = decodeMatrix({ data: { xValues: DAYS, series, ...data } }, 'here');
    expect(rows.map(({ x }) => x)).toEqual(DAYS);
    for (const [at, { values }] of rows.entries()) {
      expect(Object.keys(values).sort()).toEqual([...labels].sort());
      labels.forEach((label, index) => expect(values[label]).toBe(series[index]![at]));
    }
  });

  it('of three series never overwrite each other, also when a label looks like a made-up one', () => {
    const data = { xValues: ['x'], series: [[1], [2], [3], [4]], seriesLabels: ['a', 'a (2)', 'a', 'a'] };
    expect(rowsOf(data)).toEqual([{ x: 'x', values: { a: 1, 'a (2)': 2, 'a (2) (2)': 3, 'a (3)': 4 } }]);
  });
});

describe('cells', () => {
  it('are numbers, or objects with a value', () => {
    const data = { xValues: DAYS, series: [[{ setId: '', value: 7 }, 0.5]], seriesLabels: ['DE'] };
    expect(rowsOf(data)).toEqual([
      { x: '2026-10-01', values: { DE: 7 } },
      { x: '2026-10-02', values: { DE: 0.5 } },
    ]);
  });

  it('keep null, text and objects without a value as they are', () => {
    const data = { xValues: ['a', 'b', 'c', 'd'], series: [[null, '5', { setId: 'x' }, { value: null }]] };
    expect(rowsOf(data)).toEqual([
      { x: 'a', values: { '0': null } },
      { x: 'b', values: { '0': '5' } },
      { x: 'c', values: { '0': { setId: 'x' } } },
      { x: 'd', values: { '0': null } },
    ]);
  });
});

describe('series of another length than the days', () => {
  it('that are shorter leave out the days for which they have no value', () => {
    const matrix = decodeMatrix(
      { data: { xValues: DAYS, series: [[1], [2, 3]], seriesLabels: ['US', 'DE'] } },
      'here',
    );
    expect(JSON.parse(JSON.stringify(matrix.rows))).toEqual([{ x: '2026-10-01', values: { US: 1, DE: 2 } }]);
    expect(matrix.hasSeries).toBe(true);
  });

  it('that are longer give no more days, with a warning', () => {
    const matrix = decodeMatrix({ data: { xValues: ['a'], series: [[1, 2, 3]] } }, 'here');
    expect(matrix.rows).toHaveLength(1);
    expect(matrix.warnings).toEqual([expect.stringContaining('3 values for 1 days')]);
  });

  it('that are empty', () => {
    const matrix = decodeMatrix({ data: { xValues: DAYS, series: [[]] } }, 'here');
    expect([matrix.rows, matrix.hasSeries]).toEqual([[], true]);
  });
});

it.each([
  ['no series', { xValues: DAYS, series: [] }, false],
  ['no days', { xValues: [], series: [] }, false],
  ['a series without days', { xValues: [], series: [[]] }, true],
])('%s give no rows', (_what, data, hasSeries) => {
  expect(decodeMatrix({ data }, 'here')).toEqual({
    rows: [],
    hasSeries,
    warnings: [],
    lastIncomplete: false,
  });
});

describe('the envelope', () => {
  const data = { xValues: ['a'], series: [[1]] };
  it.each([
    [{ prunedResult: true }, 1, false],
    [{ hitChunkGroupByLimit: true }, 1, false],
    [{ realtimeDataMissing: true }, 0, true],
    [{ timedOutRealtimeData: true }, 0, true],
    [{ prunedResult: false, hitChunkGroupByLimit: false, realtimeDataMissing: false, novaCost: 5 }, 0, false],
    [{ prunedResult: 'true', realtimeDataMissing: 1 }, 0, false],
  ])('%j', (envelope, warnings, lastIncomplete) => {
    const matrix = decodeMatrix({ ...envelope, data }, 'here');
    expect(matrix.warnings).toHaveLength(warnings);
    expect(matrix.lastIncomplete).toBe(lastIncomplete);
  });
});

it.each([
  undefined,
  null,
  5,
  'text',
  [],
  {},
  { data: null },
  { data: [] },
  { data: {} },
  { data: { xValues: DAYS } },
  { data: { series: [] } },
  { data: { xValues: null, series: [] } },
  { data: { xValues: DAYS, series: {} } },
  { data: { xValues: DAYS, series: [5] } },
  { data: { xValues: DAYS, series: [[1, 2], null] } },
  { data: { xValues: DAYS, series: [{ 0: 1 }] } },
])('%j is an error that names the place, never zero rows', (answer) => {
  let thrown: unknown;
  try {
    decodeMatrix(answer, '20261001..20261002');
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ConnectorFailure);
  expect(thrown).toMatchObject({ kind: 'system', message: expect.stringContaining('20261001..20261002') });
});
