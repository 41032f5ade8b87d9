import { gunzipSync } from 'node:zlib';
import { Open } from 'unzipper';
import { bombGzip } from '../../../simulator/archive-mutations';
import { FaultList } from '../../../simulator/faults';
import { presetOf } from '../../../simulator/fault-presets';
import { get, readMembers, truthOf } from './client';
import { openLoaded } from './opened';
import { readStrictly } from './strict-reader';

const EXPORT = '/api/2/export?start=20240101T00&end=20240101T05';
const ANNOTATIONS = '/api/3/annotations';

describe('archives', () => {
  it('100,000 further members: a ZIP64 directory, and the events still exact', async () => {
    const simulator = await openLoaded();
    simulator.fault({ action: 'members-100000' });
    const { body } = await get(simulator, EXPORT);
    expect(body.includes(Buffer.from('PK\u0006\u0006'))).toBe(true);
    const { files } = await Open.buffer(body);
    expect(files).toHaveLength(100_012);
    expect(new Set(files.map((file) => file.path)).size).toBe(100_012);
    const events = await Promise.all(files.slice(0, 12).map((file) => file.buffer()));
    const lines = events.flatMap((data) => gunzipSync(data).toString().split('\n').filter(Boolean));
    expect(lines).toEqual(truthOf(simulator, '20240101T00', '20240101T05'));
    const last = await files.at(-1)?.buffer();
    expect(gunzipSync(last ?? '').length).toBe(0);
  });

  it('a bomb: inflates to hundreds of times its size', async () => {
    const blank = bombGzip(16 << 20, 'blank-lines');
    expect(blank.length).toBeLessThan(32_000);
    expect(gunzipSync(blank).equals(Buffer.alloc(16 << 20, '\n'))).toBe(true);
    expect(gunzipSync(bombGzip(1, 'one-line')).equals(Buffer.alloc(1 << 20, 'x'))).toBe(true);
    const simulator = await openLoaded();
    simulator.fault({ action: { kind: 'archive', mutations: [{ kind: 'bomb', bytes: 4 << 20 }] } });
    expect(await readStrictly(simulator, EXPORT)).toEqual({ exact: true });
  });

  it('a line put where it is told, as text or bytes, and not remembered for the next request', async () => {
    const simulator = await openLoaded();
    const mutations = [{ kind: 'insert-line', member: 3, at: 1, text: 'broken' } as const];
    simulator.fault({ match: { times: 1 }, action: { kind: 'archive', mutations } });
    const members = await readMembers((await get(simulator, EXPORT)).body);
    expect(
      gunzipSync(members[3]?.data ?? Buffer.alloc(0))
        .toString()
        .split('\n')[1],
    ).toBe('broken');
    expect(await readStrictly(simulator, EXPORT)).toEqual({ exact: true });
  });

  it('another container for one request', async () => {
    const simulator = await openLoaded();
    simulator.fault({ match: { times: 1 }, action: 'zip-stored' });
    const methods = async (): Promise<number[]> =>
      (await readMembers((await get(simulator, EXPORT)).body)).map((one) => one.method);
    expect(new Set(await methods())).toEqual(new Set([0]));
    expect(new Set(await methods())).toEqual(new Set([8]));
  });
});

describe('chaos', () => {
  const actions = ['server-error-500', 'rate-limit-429', 'html-200'].map((name) => ({
    name,
    ...presetOf(name),
  }));
  const request = (index: number): { method: string; path: string; query: Record<string, string> } => ({
    method: 'GET',
    path: '/api/2/export',
    query: { start: String(index) },
  });

  it('is the same for a seed whatever the order of requests, near its rate, and different for another seed', () => {
    const draw = (seed: number, order: number[]): Map<number, string> => {
      const faults = new FaultList();
      faults.setChaos({ seed, rate: 0.3, actions });
      return new Map(order.map((index) => [index, faults.choose(request(index))?.name ?? 'none']));
    };
    const forwards = Array.from({ length: 1000 }, (_, index) => index);
    const drawn = draw(5, forwards);
    const again = draw(5, [...forwards].reverse());
    for (const index of forwards) expect(again.get(index)).toBe(drawn.get(index));
    expect([...draw(6, forwards).values()]).not.toEqual([...drawn.values()]);
    const hits = [...drawn.values()].filter((name) => name !== 'none').length;
    expect(hits).toBeGreaterThan(250);
    expect(hits).toBeLessThan(350);
    expect(new Set(drawn.values())).toEqual(
      new Set(['none', 'server-error-500', 'rate-limit-429', 'html-200']),
    );
  });

  it('lets a request through after so many failures in a row, even at rate 1', () => {
    const faults = new FaultList();
    faults.setChaos({ seed: 1, rate: 1, actions, maxConsecutive: 2 });
    const failed = Array.from({ length: 7 }, () => faults.choose(request(0)) !== undefined);
    expect(failed).toEqual([true, true, false, true, true, false, true]);
    expect(faults.injected).toBe(5);
  });

  it('draws only what can change the answer', () => {
    const names = ['archive-truncated', 'json-cut', 'bad-gateway-502'];
    const faults = new FaultList();
    faults.setChaos({
      seed: 5,
      rate: 1,
      actions: names.map((name) => ({ name, ...presetOf(name) })),
      maxConsecutive: 100,
    });
    const drawn = (path: string): Set<string | undefined> =>
      new Set(Array.from({ length: 50 }, () => faults.choose({ ...request(0), path })?.name));
    expect(drawn('/api/2/export')).toEqual(new Set(['archive-truncated', 'bad-gateway-502']));
    expect(drawn('/api/2/annotations')).toEqual(new Set(['json-cut', 'bad-gateway-502']));
    faults.setChaos({ seed: 5, rate: 1, actions: [{ name: 'json-cut', ...presetOf('json-cut') }] });
    expect(drawn('/api/2/export')).toEqual(new Set([undefined]));
    expect(faults.injected).toBe(100);
  });

  it('may have another rate for each request', () => {
    const faults = new FaultList();
    faults.setChaos({ seed: 5, rate: ({ query }) => (query['start'] === '1' ? 1 : 0), actions });
    const failed = [0, 1, 2].map((index) => faults.choose(request(index)) !== undefined);
    expect(failed).toEqual([false, true, false]);
  });

  it('lets a client that tries again read everything, over real connections', async () => {
    const simulator = await openLoaded();
    simulator.chaos({ seed: 11, rate: 0.5 });
    let survived = 0;
    for (let hour = 0; hour < 24; hour += 1) {
      const text = String(hour).padStart(2, '0');
      const path = `/api/2/export?start=20240101T${text}&end=20240101T${text}`;
      let verdict = await readStrictly(simulator, path);
      while (!verdict.exact) {
        survived += 1;
        verdict = await readStrictly(simulator, path);
      }
    }
    expect(simulator.faults.injected).toBeGreaterThan(10);
    expect(survived).toBeGreaterThan(5);
    simulator.chaos({ seed: 11, rate: 0 });
    const before = simulator.faults.injected;
    for (let i = 0; i < 20; i += 1) expect((await get(simulator, ANNOTATIONS)).status).toBe(200);
    expect(simulator.faults.injected).toBe(before);
  });
});
