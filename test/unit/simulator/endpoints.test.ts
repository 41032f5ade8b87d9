import type { AnswerQuirks } from '../../../simulator/settings';
import { basic, get, getJson } from './client';
import { type Matrix, openProject, PROJECT_NOW } from './opened';

const USERS = '/api/2/users?start=20240101&end=20240104';
const SESSIONS = '/api/2/sessions/average?start=20240101&end=20240131';
const KNOWN = [
  '/api/2/export?start=20240101T00&end=20240101T00',
  USERS,
  SESSIONS,
  '/api/2/sessions/peruser?start=20240101&end=20240102',
  '/api/2/events/list',
  '/api/2/annotations',
  '/api/3/annotations',
  '/api/3/annotations/12',
  '/api/3/annotation-categories',
  '/api/3/cohorts',
];

describe('credentials', () => {
  it.each(KNOWN)('%s: 200 with the right pair, 401 without a header, 403 with a wrong pair', async (path) => {
    const simulator = await openProject();
    const { apiKey, secretKey } = simulator.settings.credentials;
    expect((await get(simulator, path)).status).toBe(200);
    for (const authorization of [
      null,
      'Basic',
      'Basic !!!',
      `Bearer ${apiKey}`,
      `Basic ${Buffer.from('nocolon').toString('base64')}`,
    ]) {
      expect((await get(simulator, path, { authorization })).status).toBe(401);
    }
    for (const authorization of [
      basic(apiKey, 'x'),
      basic('x', secretKey),
      basic(secretKey, apiKey),
      basic('', ''),
    ]) {
      const { status, body } = await get(simulator, path, { authorization });
      expect(status).toBe(403);
      expect(JSON.parse(body.toString())).toMatchObject({
        error: { http_code: 403, metadata: { details: 'Invalid API Key' } },
      });
    }
  });

  it('knows no key of the other region', async () => {
    const eu = await openProject({
      pathPrefix: '/eu',
      settings: { credentials: { apiKey: 'eu-key', secretKey: 'eu:secret' } },
    });
    const standard = await openProject();
    const europeans = { authorization: basic('eu-key', 'eu:secret') };
    expect((await get(eu, '/api/2/annotations', europeans)).status).toBe(200);
    expect((await get(standard, '/api/2/annotations', europeans)).body).toEqual(
      (await get(standard, '/api/2/annotations', { authorization: basic('nobody', 'nothing') })).body,
    );
  });

  it('has every path below the prefix, and none beside it', async () => {
    const simulator = await openProject({ pathPrefix: '/eu' });
    expect(simulator.baseUrl.endsWith('/eu')).toBe(true);
    expect((await get(simulator, '/api/2/annotations')).status).toBe(200);
    expect((await get(simulator, `http://127.0.0.1:${simulator.port}/api/2/annotations`)).status).toBe(404);
    expect(simulator.log.entries.map((entry) => entry.path)).toEqual([
      '/api/2/annotations',
      '/api/2/annotations',
    ]);
  });

  it('answers 404 to everything else, and to methods other than GET', async () => {
    const simulator = await openProject();
    for (const path of ['/', '/api/2/exports', '/api/2/funnels', '/api/3/cohorts/1', '/api/2/users/']) {
      expect((await get(simulator, path)).status).toBe(404);
    }
    expect((await get(simulator, '/api/2/annotations', { method: 'POST' })).status).toBe(404);
    expect((await get(simulator, '//')).status).toBe(400);
  });

  it('answers 403 that does not blame the key where the plan lacks an API', async () => {
    const simulator = await openProject({}, { denied: ['/api/3/cohorts'] });
    const { status, body } = await getJson(simulator, '/api/3/cohorts');
    expect(status).toBe(403);
    expect(JSON.stringify(body)).not.toContain('Invalid API Key');
    expect((await get(simulator, '/api/3/annotations')).status).toBe(200);
  });
});

describe('the other endpoints', () => {
  it('sessions: seconds per day, some 0, with the envelope of costed answers', async () => {
    const simulator = await openProject({ now: Date.UTC(2024, 2, 1) });
    const { body } = await getJson(simulator, SESSIONS);
    const data = body.data as Matrix;
    expect(data.xValues).toHaveLength(31);
    expect(data.series).toEqual(
      simulator.sessionFigures({
        startMs: Date.UTC(2024, 0, 1),
        endMs: Date.UTC(2024, 0, 31),
        figure: 'average',
      }).series,
    );
    expect(data.series[0]).toContain(0);
    expect(data.series[0]?.some((value) => !Number.isInteger(value))).toBe(true);
    expect(data.seriesMeta).toEqual([{ segmentIndex: 0, sessionIndex: 0 }]);
    expect(data.seriesLabels).toBeUndefined();
    expect(body).toMatchObject({ novaCost: 124, wasCached: false, withSets: false });
  });

  it('events/list: all documented keys, timeline_hidden as number and boolean, totals of the week', async () => {
    const simulator = await openProject();
    const items = (await getJson(simulator, '/api/2/events/list')).body.data as Record<string, unknown>[];
    const keys =
      'id name value display totals totals_delta hidden deleted non_active flow_hidden autohidden clusters_hidden timeline_hidden in_waitroom waitroom_approved';
    for (const item of items) expect(Object.keys(item)).toEqual(keys.split(' '));
    expect(new Set(items.map((item) => typeof item.timeline_hidden))).toEqual(new Set(['number', 'boolean']));
    simulator.setNow(PROJECT_NOW + 7 * 86_400_000);
    expect((await getJson(simulator, '/api/2/events/list')).body.data).not.toEqual(items);
  });

  it('annotations v3: filters, one by id, and 404 where v3 is missing', async () => {
    const simulator = await openProject();
    const ids = async (query: string): Promise<unknown[]> =>
      ((await getJson(simulator, `/api/3/annotations${query}`)).body.data as { id: number }[]).map(
        (one) => one.id,
      );
    expect(await ids('')).toEqual([12, 15, 23]);
    expect(await ids('?category=Releases')).toEqual([12]);
    expect(await ids('?chart_id=abc123xy')).toEqual([23]);
    expect(await ids(`?start=${encodeURIComponent('2024-01-02T00:00:00+00:00')}`)).toEqual([15, 23]);
    expect(await ids(`?end=${encodeURIComponent('2024-01-03T00:00:00+00:00')}`)).toEqual([12, 23]);
    expect((await get(simulator, '/api/3/annotations?category=Releases&chart_id=abc123xy')).status).toBe(400);
    expect((await get(simulator, '/api/3/annotations?start=yesterday')).status).toBe(400);
    expect((await getJson(simulator, '/api/3/annotations/15')).body.data).toMatchObject({
      id: 15,
      category: { id: 9 },
    });
    expect((await get(simulator, '/api/3/annotations/99')).status).toBe(404);
    simulator.configure({ quirks: { annotationsV3: false } });
    expect((await get(simulator, '/api/3/annotations')).status).toBe(404);
    expect((await getJson(simulator, '/api/2/annotations')).body.data).toContainEqual({
      id: 12,
      date: '2024-01-01',
      label: 'Release 3.0',
      details: null,
    });
    expect((await getJson(simulator, '/api/2/annotations?id=23')).body.data).toHaveLength(1);
  });

  it('annotations begin with the project’s days: v2 names the day, v3 the moment', async () => {
    const simulator = await openProject();
    simulator.configure({ projectTimeZone: 'Europe/Berlin' });
    const [v3, v2] = [
      (await getJson(simulator, '/api/3/annotations')).body.data as { id: number; start: string }[],
      (await getJson(simulator, '/api/2/annotations')).body.data as { id: number; date: string }[],
    ];
    expect(v3.map(({ id, start: begin }) => [id, begin])).toEqual([
      [12, '2024-01-01T06:00:00+00:00'],
      [15, '2024-01-01T23:00:00+00:00'],
      [23, '2024-01-02T23:00:00+00:00'],
    ]);
    expect(v2.map(({ id, date }) => [id, date])).toEqual([
      [12, '2024-01-01'],
      [15, '2024-01-02'],
      [23, '2024-01-03'],
    ]);
  });

  it('every field of annotations and cohorts is set at least once, every nullable one also null', async () => {
    const simulator = await openProject();
    const filled = (items: Record<string, unknown>[], key: string): boolean =>
      items.some((item) => item[key] !== null && item[key] !== '' && JSON.stringify(item[key]) !== '[]');
    const annotations = (await getJson(simulator, '/api/3/annotations')).body.data as Record<
      string,
      unknown
    >[];
    for (const key of ['id', 'label', 'start', 'end', 'details', 'category', 'chart_id'])
      expect(filled(annotations, key)).toBe(true);
    for (const key of ['end', 'details', 'category', 'chart_id'])
      expect(annotations.some((one) => one[key] === null)).toBe(true);
    const cohorts = (await getJson(simulator, '/api/3/cohorts?includeSyncInfo=true')).body.cohorts as Record<
      string,
      unknown
    >[];
    const documented =
      'id appId name description definition type size owners viewers published archived finished hidden is_predictive is_official_content ' +
      'is_generated_content lastMod createdAt lastComputed last_viewed metadata popularity view_count chart_id edit_id location_id shortcut_ids ' +
      'include_data_app_types per_app_metadata cohort_definition_type cohort_output_type syncMetadata';
    for (const cohort of cohorts) expect(Object.keys(cohort).sort()).toEqual(documented.split(' ').sort());
    for (const key of documented.split(' ')) expect([key, filled(cohorts, key)]).toEqual([key, true]);
    for (const key of [
      'lastComputed',
      'last_viewed',
      'metadata',
      'popularity',
      'view_count',
      'chart_id',
      'edit_id',
      'location_id',
    ]) {
      expect(cohorts.some((cohort) => cohort[key] === null)).toBe(true);
    }
    const without = (await getJson(simulator, '/api/3/cohorts')).body.cohorts as Record<string, unknown>[];
    expect(without.some((cohort) => 'syncMetadata' in cohort)).toBe(false);
  });

  it.each([
    ['/api/2/users', USERS],
    ['/api/2/sessions/average', SESSIONS],
    ['/api/2/events/list', '/api/2/events/list'],
    ['/api/2/annotations', '/api/2/annotations'],
    ['/api/3/annotations', '/api/3/annotations'],
    ['/api/3/cohorts', '/api/3/cohorts'],
  ])('%s can lack its wrapper key, or be of an empty project', async (path, request) => {
    const simulator = await openProject({}, { emptyProject: true });
    const empty = (await getJson(simulator, request)).body;
    const wrapped = (empty.data ?? empty.cohorts) as unknown[] | { series: unknown[] };
    expect(Array.isArray(wrapped) ? wrapped : wrapped.series).toEqual([]);
    simulator.configure({ quirks: { noWrapper: [path] } });
    const { status, body } = await getJson(simulator, request);
    expect(status).toBe(200);
    expect(body.data ?? body.cohorts).toBeUndefined();
  });

  it('refuses settings that do not exist', async () => {
    const simulator = await openProject();
    expect(() => simulator.configure({ quirks: { label: 'ints' } as Partial<AnswerQuirks> })).toThrow(
      'quirks.label',
    );
    expect(() => simulator.configure({ latency: 3 } as object)).toThrow('latency');
  });
});
