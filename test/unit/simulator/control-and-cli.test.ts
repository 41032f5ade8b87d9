import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gunzipSync } from 'node:zlib';
import { HELP, readCommandLine } from '../../../simulator/command-line';
import { prepareArchives } from '../../../simulator/prepare-archives';
import { DEFAULT_SETTINGS } from '../../../simulator/settings';
import { Simulator } from '../../../simulator/simulator';
import { basic, get, readLines, readMembers } from './client';

const { apiKey, secretKey } = DEFAULT_SETTINGS.credentials;
const MAIN = join(__dirname, '../../../simulator/main.ts');

function run(...args: string[]): ChildProcess {
  return spawn(process.execPath, ['-r', 'ts-node/register/transpile-only', MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function call(url: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(url, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) });
  return answer.json();
}

describe('the program and its control endpoints', () => {
  let child: ChildProcess;
  let base = '';
  const api = (path: string): Promise<Response> =>
    fetch(base + path, { headers: { authorization: basic(apiKey, secretKey) } });

  beforeAll(async () => {
    child = run(
      '--start',
      '20240101T00',
      '--days',
      '1',
      '--events-per-hour',
      '3',
      '--now',
      '2024-01-01T12:00:00Z',
      '--seed',
      '4',
    );
    if (child.stdout === null) throw new Error('no stdout');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    base = line;
  });

  beforeEach(() => call(`${base}/_control/reset`, {}));

  afterAll(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    // It closes by itself: exit code 0, no signal.
    expect(await ended).toEqual([0, null]);
  });

  it('prints its base URL', () => {
    expect(base).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('gives the truth as lines, up to the simulated time, for a range, or all of it', async () => {
    const truth = async (query: string): Promise<string[]> =>
      (await (await fetch(`${base}/_control/truth${query}`)).text()).split('\n').slice(0, -1);
    expect(await truth('')).toHaveLength(30);
    expect(await truth('?all=1')).toHaveLength(72);
    const two = await truth('?start=20240101T02&end=20240101T03');
    expect(two).toHaveLength(6);
    const archive = Buffer.from(
      await (await api('/api/2/export?start=20240101T02&end=20240101T03')).arrayBuffer(),
    );
    expect(await readLines(archive)).toEqual(two);
    await call(`${base}/_control/now`, { ms: Date.UTC(2024, 0, 1, 13) });
    expect(await truth('')).toHaveLength(33);
    expect(await call(`${base}/_control/now`)).toEqual({ ms: Date.UTC(2024, 0, 1, 13) });
  });

  it('takes faults, chaos and settings, and shows requests, faults and storage', async () => {
    await call(`${base}/_control/fault`, {
      match: { path: '/api/3/cohorts', times: 1 },
      action: 'unavailable-503',
    });
    await call(`${base}/_control/fault`, {
      match: { path: '/api/2/annotations', times: 1 },
      action: { kind: 'reply', status: 418 },
    });
    await call(`${base}/_control/fault`, {
      match: { path: '/api/2/events/list' },
      action: 'redirect-storage',
    });
    expect((await api('/api/3/cohorts')).status).toBe(503);
    expect((await api('/api/3/cohorts')).status).toBe(200);
    expect((await api('/api/2/annotations')).status).toBe(418);
    expect((await api('/api/2/events/list')).status).toBe(200);
    await call(`${base}/_control/settings`, { quirks: { annotationsV3: false } });
    expect((await api('/api/3/annotations')).status).toBe(404);
    await call(`${base}/_control/chaos`, { seed: 3, rate: 1, names: ['bad-gateway-502'], maxConsecutive: 1 });
    expect((await api('/api/3/annotations')).status).toBe(502);
    const { requests, maxInFlight } = (await call(`${base}/_control/requests`)) as {
      requests: { path: string; status: number }[];
      maxInFlight: number;
    };
    expect(requests.map(({ path, status }) => `${path} ${status}`)).toEqual([
      '/api/3/cohorts 503',
      '/api/3/cohorts 200',
      '/api/2/annotations 418',
      '/api/2/events/list 302',
      '/api/3/annotations 404',
      '/api/3/annotations 502',
    ]);
    expect(maxInFlight).toBe(1);
    expect(await call(`${base}/_control/faults`)).toMatchObject({
      injected: 4,
      byName: { 'unavailable-503': 1, reply: 1 },
    });
    expect(await call(`${base}/_control/storage`)).toMatchObject({
      requests: [{ authPresent: false, status: 200 }],
    });
    await call(`${base}/_control/reset`, {});
    expect(await call(`${base}/_control/requests`)).toEqual({
      requests: [],
      maxInFlight: 0,
      maxCostInWindow: 0,
    });
    expect((await api('/api/3/annotations')).status).toBe(200);
  });

  it('gives the daily truth', async () => {
    const users = (await (await api('/api/2/users?start=20240101&end=20240102&g=country')).json()) as {
      data: Record<string, unknown>;
    };
    const truth = (await call(`${base}/_control/daily?metric=active&start=20240101&end=20240102`)) as Record<
      string,
      unknown
    >;
    expect([users.data.xValues, users.data.seriesLabels, users.data.series]).toEqual([
      truth.days,
      truth.labels,
      truth.series,
    ]);
    expect(await call(`${base}/_control/daily?metric=average&start=20240101&end=20240101`)).toMatchObject({
      days: ['2024-01-01'],
    });
  });

  it.each([
    ['an unknown fault', 'fault', { action: 'nonsense' }],
    ['a fault without action', 'fault', {}],
    ['an unknown kind of fault', 'fault', { action: { kind: 'status', status: 500 } }],
    ['a kind that only objects have', 'fault', { action: { kind: 'toString' } }],
    ['an action that is a number', 'fault', { action: 7 }],
    [
      'an unknown mutation of an archive',
      'fault',
      { action: { kind: 'archive', mutations: [{ kind: 'shred' }] } },
    ],
    [
      'an unknown fault behind a redirect',
      'fault',
      { action: { kind: 'redirect', to: 'storage', then: { kind: 'shred' } } },
    ],
    ['an unknown condition', 'fault', { match: { pth: '/api/3/cohorts' }, action: 'refuse' }],
    ['an unknown setting', 'settings', { nonsense: 1 }],
    ['a time that is no number', 'now', { ms: 'noon' }],
  ])('answers 400 to %s', async (_name, endpoint, body) => {
    const answer = await fetch(`${base}/_control/${endpoint}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toHaveProperty('error');
    // Nothing of it was taken up.
    expect((await api('/api/3/cohorts')).status).toBe(200);
    expect(await call(`${base}/_control/faults`)).toMatchObject({ injected: 0 });
  });

  it('answers 404 to an unknown control endpoint', async () => {
    expect((await fetch(`${base}/_control/nonsense`)).status).toBe(404);
  });
});

describe('the command line', () => {
  it('ends with one line and exit code 1 when an argument is wrong', async () => {
    const child = run('--days', 'many');
    let out = '';
    let err = '';
    child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect([out, err]).toEqual(['', '--days has to be a whole number: many\n']);
  });

  it.each([
    ['--days', 'many'],
    ['--now', 'teatime'],
    ['--start', '2024-01-01'],
    ['--nonsense', '1'],
    ['--fault', 'nonsense'],
    ['--settings', '{'],
  ])('refuses %s %s', (...args) => {
    expect(() => readCommandLine(args)).toThrow();
  });

  it('takes every option', () => {
    const given =
      '--port 8123 --host 0.0.0.0 --path-prefix /eu --api-key k --secret-key s --start 20240101T00 --days 2';
    const rest =
      '--events-per-hour 7 --parts-per-hour 3 --seed 9 --project-id 5 --now 2024-01-02T00:00:00Z --fault refuse --fault chunked';
    const settings = ['--settings', '{"quirks":{"countryProperty":false}}'];
    expect(readCommandLine([...given.split(' '), ...rest.split(' '), ...settings])).toEqual({
      help: false,
      faults: ['refuse', 'chunked'],
      options: {
        data: {
          startHour: '20240101T00',
          hours: 48,
          eventsPerHour: 7,
          partsPerHour: 3,
          seed: 9,
          projectId: 5,
        },
        now: Date.UTC(2024, 0, 2),
        host: '0.0.0.0',
        port: 8123,
        pathPrefix: '/eu',
        settings: { quirks: { countryProperty: false }, credentials: { apiKey: 'k', secretKey: 's' } },
      },
    });
    expect(readCommandLine(['--help']).help).toBe(true);
    for (const option of given.match(/--[a-z-]+/g) ?? []) expect(HELP).toContain(option);
    const days = readCommandLine(['--now', '2024-01-05T10:30:00Z']).options.data;
    expect(days).toMatchObject({ startHour: '20240102T10', hours: 72 });
  });
});

describe('prepared archives', () => {
  it('are written once, served for exactly their window, and made again when they are damaged', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'simulator-prepared-'));
    const data = { startHour: '20240101T00', hours: 24, eventsPerHour: 5, partsPerHour: 3 };
    const options = {
      data,
      windows: [
        { startHour: '20240101T00', hours: 12 },
        { startHour: '20240101T12', hours: 12 },
      ],
    };
    const simulator = await Simulator.start({ data: { startHour: '20200101T00', hours: 1 } });
    try {
      const archives = await prepareArchives(folder, options);
      expect(archives.map(({ startHour, endHour, records }) => [startHour, endHour, records])).toEqual([
        ['20240101T00', '20240101T11', 60],
        ['20240101T12', '20240101T23', 60],
      ]);
      const first = archives[0];
      if (first === undefined) throw new Error('no archive');
      const bytes = await readFile(first.file);
      expect(first.zipBytes).toBe(bytes.length);
      const raw = (await readMembers(bytes)).map((member) => gunzipSync(member.data).length);
      expect(first.rawBytes).toBe(raw.reduce((sum, size) => sum + size, 0));
      await simulator.addReadyArchive(first.startHour, first.endHour, first.file);
      const served = await get(simulator, '/api/2/export?start=20240101T00&end=20240101T11');
      expect(served.body.equals(bytes)).toBe(true);
      expect((await get(simulator, '/api/2/export?start=20240101T00&end=20240101T10')).status).toBe(404);
      await writeFile(first.file, 'damaged');
      expect(await prepareArchives(folder, options)).toEqual(archives);
      expect((await readFile(first.file)).equals(bytes)).toBe(true);
      const others = await prepareArchives(folder, { ...options, gzipLevel: 1 });
      expect(others[0]?.file).not.toBe(first.file);
    } finally {
      await simulator.close();
      await rm(folder, { recursive: true });
    }
  });
});
