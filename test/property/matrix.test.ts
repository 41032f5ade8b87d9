import fc from 'fast-check';
import { decodeMatrix } from '../../src/streams/matrix';
import { ConnectorFailure } from '../../src/failure';
import { PROPERTY_TIMEOUT_MS, runs } from '../harness/runs';

jest.setTimeout(PROPERTY_TIMEOUT_MS);

/** How Amplitude writes labels, from what they mean. */
type LabelForm = 'text' | 'pair' | 'meta' | 'number';

const values = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null));
const cells = fc.tuple(values, fc.boolean(), fc.string({ maxLength: 3 }));
const labels = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('(none)', '__proto__', 'constructor', 'a', 'a (1)', 'a (2)', 'United States', '0', '1'),
);

it('a matrix in any of its forms gives the values that were put in', () => {
  const tables = fc.nat(12).chain((days) =>
    fc.record({
      days: fc.constant(days),
      form: fc.constantFrom<LabelForm>('text', 'pair', 'meta', 'number'),
      series: fc.array(
        fc.record({ label: labels, cells: fc.array(cells, { minLength: days, maxLength: days }) }),
        { maxLength: 8 },
      ),
    }),
  );
  fc.assert(
    fc.property(tables, ({ days, form, series }) => {
      const xValues = Array.from({ length: days }, (_, at) => `2026-10-${String(at + 1).padStart(2, '0')}`);
      const names = series.map(({ label }) => label);
      const data = {
        xValues,
        series: series.map((one) =>
          one.cells.map(([value, asObject, setId]) => (asObject ? { setId, value } : value)),
        ),
        ...(form === 'text' && { seriesLabels: names }),
        ...(form === 'pair' && { seriesLabels: names.map((name) => [0, name]) }),
        ...(form === 'meta' && { seriesLabels: names.map((_, index) => index), seriesMeta: names }),
        ...(form === 'number' && {
          seriesLabels: names.map((_, index) => index),
          seriesMeta: names.map(() => ({ segmentIndex: 0 })),
        }),
      };
      const matrix = decodeMatrix(JSON.parse(JSON.stringify({ data })), 'here');
      expect(matrix.warnings).toEqual([]);
      expect(matrix.rows.map(({ x }) => x)).toEqual(series.length === 0 ? [] : xValues);
      const meant = form === 'number' ? names.map((_, index) => String(index)) : names;
      const distinct = new Set(meant).size === meant.length;
      const plain = (value: unknown): string => JSON.stringify(value);
      for (const [at, { values: row }] of matrix.rows.entries()) {
        const put = series.map((one) => plain(one.cells[at]![0]));
        if (distinct) expect(meant.map((name) => plain(row[name]))).toEqual(put);
        // With a label that occurs twice: none of the values was lost under another.
        expect(Object.values(row).map(plain).sort()).toEqual(put.sort());
      }
    }),
    { numRuns: runs(300) },
  );
});

it('series of any length give the days for which each has a value, with a warning for what is too long', () => {
  fc.assert(
    fc.property(fc.nat(10), fc.array(fc.nat(14), { minLength: 1, maxLength: 6 }), (days, lengths) => {
      const xValues = Array.from({ length: days }, (_, at) => `day ${at}`);
      const series = lengths.map((length, index) => Array.from({ length }, (_, at) => index * 100 + at));
      const matrix = decodeMatrix(
        { data: { xValues, series, seriesLabels: lengths.map((_, i) => `s${i}`) } },
        'x',
      );
      expect(matrix.warnings).toHaveLength(lengths.filter((length) => length > days).length);
      expect(matrix.rows).toHaveLength(Math.min(days, ...lengths));
      for (const [at, { values: row }] of matrix.rows.entries()) {
        const expected = Object.fromEntries(lengths.map((_length, index) => [`s${index}`, index * 100 + at]));
        expect({ ...row }).toEqual(expected);
      }
    }),
    { numRuns: runs(200) },
  );
});

it('no JSON makes it crash: it is decoded, or refused as an unexpected form', () => {
  const almost = fc.record(
    {
      data: fc.oneof(
        fc.jsonValue(),
        fc.record(
          {
            xValues: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
            series: fc.oneof(fc.array(fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue())), fc.jsonValue()),
            seriesLabels: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
            seriesMeta: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
          },
          { requiredKeys: [] },
        ),
      ),
      prunedResult: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), almost), (answer) => {
      try {
        const { rows } = decodeMatrix(answer, 'here');
        for (const { x } of rows) expect(typeof x).toBe('string');
      } catch (error) {
        expect(error).toBeInstanceOf(ConnectorFailure);
        expect((error as ConnectorFailure).kind).toBe('system');
      }
    }),
    { numRuns: runs(300) },
  );
});
