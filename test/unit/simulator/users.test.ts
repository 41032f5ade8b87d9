import type { Simulator } from '../../../simulator/simulator';
import type { AnswerQuirks } from '../../../simulator/settings';
import { get, getJson } from './client';
import { type Matrix, openProject } from './opened';

const USERS = '/api/2/users?start=20240101&end=20240104';
async function matrix(simulator: Simulator, path: string): Promise<Matrix> {
  const { status, body } = await getJson(simulator, path);
  expect(status).toBe(200);
  return body.data as Matrix;
}

describe('GET /api/2/users', () => {
  it('answers a matrix of days and countries, 0 after today and less than the whole for today', async () => {
    const simulator = await openProject();
    const { xValues, series, seriesLabels, seriesMeta, seriesCollapsed } = await matrix(
      simulator,
      `${USERS}&g=country`,
    );
    expect(xValues).toEqual(['2024-01-01', '2024-01-02', '2024-01-03', '2024-01-04']);
    expect(seriesLabels).toContain('(none)');
    expect(series).toHaveLength(seriesLabels?.length ?? -1);
    expect(seriesMeta).toEqual(series.map(() => ({ segmentIndex: 0 })));
    expect(seriesCollapsed).toEqual(series.map(() => [0]));
    expect(series.every((row) => row[3] === 0 && row[0] !== 0)).toBe(true);
    const partial = series.map((row) => Number(row[2]));
    simulator.setNow(Date.UTC(2024, 0, 5));
    const later = (await matrix(simulator, `${USERS}&g=country`)).series;
    expect(later.map((row) => row.slice(0, 2))).toEqual(series.map((row) => row.slice(0, 2)));
    later.forEach((row, index) => expect(partial[index]).toBe(Math.floor(Number(row[2]) / 4)));
    const range = {
      startMs: Date.UTC(2024, 0, 1),
      endMs: Date.UTC(2024, 0, 4),
      metric: 'active',
      grouped: true,
    } as const;
    expect(simulator.userCounts(range)).toEqual({ days: xValues, labels: seriesLabels, series: later });
  });

  it('has the integer 0 as its label without a group, and other numbers for new users', async () => {
    const simulator = await openProject();
    const active = await matrix(simulator, USERS);
    expect(active.seriesLabels).toEqual([0]);
    expect((await matrix(simulator, `${USERS}&m=active`)).series).toEqual(active.series);
    expect((await matrix(simulator, `${USERS}&m=new`)).series).not.toEqual(active.series);
  });

  it('starts weeks on Monday and months on their first day', async () => {
    const simulator = await openProject();
    const weeks = await matrix(simulator, '/api/2/users?start=20240103&end=20240116&i=7');
    expect(weeks.xValues).toEqual(['2024-01-01', '2024-01-08', '2024-01-15']);
    const months = await matrix(simulator, '/api/2/users?start=20240131&end=20240301&i=30');
    expect(months.xValues).toEqual(['2024-01-01', '2024-02-01', '2024-03-01']);
  });

  it('takes today from the project time zone', async () => {
    const simulator = await openProject({
      settings: { projectTimeZone: 'Pacific/Auckland' },
      now: Date.UTC(2024, 0, 3, 12),
    });
    // 3 January, 12:00 UTC is 4 January, 01:00 in Auckland.
    expect((await matrix(simulator, USERS)).series[0]?.[2]).not.toBe(0);
    simulator.configure({ projectTimeZone: 'Pacific/Honolulu', quirks: { futureDays: 'error' } });
    expect((await get(simulator, USERS)).status).toBe(400);
    expect((await get(simulator, '/api/2/users?start=20240101&end=20240103')).status).toBe(200);
  });

  it.each([
    [
      'pairs',
      [
        [0, 'United States'],
        [0, 'Germany'],
      ],
      { segmentIndex: 0 },
    ],
    ['ints', [0, 1], { segmentIndex: 0 }],
    ['strings', ['United States', 'Germany'], { segmentIndex: 0 }],
    ['meta', undefined, 'United States'],
  ] as const)('labels as %s', async (labels, first, meta) => {
    const simulator = await openProject({}, { labels });
    const answer = await matrix(simulator, `${USERS}&g=country`);
    expect(answer.seriesLabels?.slice(0, 2)).toEqual(first);
    expect(answer.seriesMeta[0]).toEqual(meta);
  });

  it('has cells as objects, mixed, too few, too many, or no series', async () => {
    const simulator = await openProject();
    const row = async (quirks: Partial<AnswerQuirks>): Promise<unknown[] | undefined> => {
      simulator.reset();
      simulator.configure({ quirks });
      return (await matrix(simulator, USERS)).series[0];
    };
    const usual = (await row({})) as number[];
    const object = (value: number | undefined): unknown => ({ setId: '', value });
    expect(await row({ cells: 'objects' })).toEqual(usual.map(object));
    expect(await row({ cells: 'mixed' })).toEqual([usual[0], object(usual[1]), usual[2], object(usual[3])]);
    expect(await row({ series: 'short' })).toEqual(usual.slice(0, 3));
    expect(await row({ series: 'long' })).toEqual([...usual, 0]);
    expect(await row({ series: 'empty' })).toBeUndefined();
  });

  it('answers 400 in Amplitude’s words', async () => {
    const simulator = await openProject({}, { countryProperty: false });
    const { status, body } = await getJson(simulator, `${USERS}&g=country`);
    expect(status).toBe(400);
    expect(body).toEqual({
      error: {
        http_code: 400,
        type: 'invalid',
        message: 'Invalid chart definition',
        metadata: { details: 'Invalid user property country' },
      },
    });
    for (const query of [
      '',
      '?start=20240101',
      '?start=20240102&end=20240101',
      '?start=2024-01-01&end=20240102',
    ]) {
      expect((await get(simulator, `/api/2/users${query}`)).status).toBe(400);
    }
    expect((await get(simulator, `${USERS}&m=old`)).status).toBe(400);
    expect((await get(simulator, `${USERS}&i=2`)).status).toBe(400);
  });
});
