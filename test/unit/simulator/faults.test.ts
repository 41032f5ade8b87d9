import { gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { get as httpsGet } from 'node:https';
import { join } from 'node:path';
import { Simulator } from '../../../simulator/simulator';
import { basic, get, readLines, truthOf } from './client';
import { openLoaded } from './opened';

const EXPORT = '/api/2/export?start=20240101T00&end=20240101T05';
const ANNOTATIONS = '/api/3/annotations';

async function statuses(simulator: Simulator, paths: string[]): Promise<number[]> {
  const all: number[] = [];
  for (const path of paths) all.push((await get(simulator, path)).status);
  return all;
}

describe('which requests a fault hits', () => {
  const teapot = { kind: 'reply', status: 418 } as const;

  it('every one that fits, or the nth, or so many from the nth on', async () => {
    const simulator = await openLoaded();
    const four = [ANNOTATIONS, ANNOTATIONS, ANNOTATIONS, ANNOTATIONS];
    const always = simulator.fault({ action: teapot });
    expect(await statuses(simulator, four)).toEqual([418, 418, 418, 418]);
    expect(always.hits).toBe(4);
    always.remove();
    simulator.fault({ match: { nth: 2 }, action: teapot });
    expect(await statuses(simulator, four)).toEqual([200, 418, 200, 200]);
    simulator.reset();
    simulator.fault({ match: { nth: 2, times: 2 }, action: teapot });
    expect(await statuses(simulator, four)).toEqual([200, 418, 418, 200]);
    simulator.reset();
    simulator.fault({ match: { times: 1 }, action: teapot });
    expect(await statuses(simulator, four)).toEqual([418, 200, 200, 200]);
    expect(simulator.faults.injected).toBe(1);
    expect(simulator.faults.byName.get('reply')).toBe(1);
  });

  it('by path, by the beginning of a path, by a parameter, by hours, and by a rule', async () => {
    const simulator = await openLoaded();
    const one = '/api/2/export?start=20240101T00&end=20240101T00';
    const paths = [EXPORT, one, ANNOTATIONS, '/api/2/annotations', ANNOTATIONS];
    const hit = async (match: Parameters<Simulator['fault']>[0]['match']): Promise<boolean[]> => {
      simulator.reset();
      simulator.fault({ ...(match ? { match } : {}), action: teapot });
      return (await statuses(simulator, paths)).map((status) => status === 418);
    };
    expect(await hit({ path: '/api/2/export' })).toEqual([true, true, false, false, false]);
    expect(await hit({ path: '/api/3/*' })).toEqual([false, false, true, false, true]);
    expect(await hit({ query: { end: '20240101T00' } })).toEqual([false, true, false, false, false]);
    expect(await hit({ minHours: 2 })).toEqual([true, false, false, false, false]);
    expect(await hit({ maxHours: 5 })).toEqual([false, true, false, false, false]);
    expect(await hit({ when: ({ attempt }) => attempt === 1 })).toEqual([false, false, false, false, true]);
    expect(await hit({ when: ({ hours }) => hours === 6 })).toEqual([true, false, false, false, false]);
  });
});

describe('what it does to the connection', () => {
  it('cuts where it says', async () => {
    const simulator = await openLoaded();
    const whole = (await get(simulator, EXPORT)).body;
    const cut = async (action: Parameters<Simulator['fault']>[0]['action']): ReturnType<typeof get> => {
      simulator.reset();
      simulator.fault({ action });
      return get(simulator, EXPORT);
    };
    expect(await cut({ kind: 'reset', at: 'before-headers' })).toMatchObject({
      status: 0,
      failure: 'ECONNRESET',
    });
    expect(await cut({ kind: 'reset', at: 'before-headers', gracefully: true })).toMatchObject({
      status: 0,
      failure: 'ECONNRESET',
    });
    expect(await cut({ kind: 'reset', at: 'mid-headers', gracefully: true })).toMatchObject({
      status: 0,
      failure: expect.any(String) as string,
    });
    expect(await cut({ kind: 'reset', at: 'mid-body' })).toMatchObject({
      status: 200,
      failure: 'ECONNRESET',
    });
    const short = await cut({ kind: 'short-body', afterBytes: -1 });
    expect(short).toMatchObject({ status: 200, failure: 'ECONNRESET', body: whole.subarray(0, -1) });
    expect(short.headers['content-length']).toBe(String(whole.length));
    await simulator.idle();
    expect(simulator.log.entries[0]).toMatchObject({
      status: 200,
      aborted: true,
      bytesSent: whole.length - 1,
    });
    const chunked = await cut({ kind: 'chunked', cut: true, afterBytes: 100 });
    expect(chunked).toMatchObject({ status: 200, failure: 'ECONNRESET', body: whole.subarray(0, 100) });
    expect(chunked.headers).toMatchObject({ 'transfer-encoding': 'chunked' });
    expect(await cut({ kind: 'chunked' })).toMatchObject({ status: 200, failure: undefined, body: whole });
    const encoded = await cut({ kind: 'gzip-encoding' });
    expect(encoded.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(encoded.body)).toEqual(whole);
    expect(() => gunzipSync(encoded.body.subarray(0, -9))).toThrow();
    const drip = await cut({ kind: 'drip', bytes: 4000, everyMs: 1 });
    expect(drip).toMatchObject({ failure: undefined, body: whole });
  });

  it('stalls for a while and goes on', async () => {
    const simulator = await openLoaded();
    const whole = (await get(simulator, EXPORT)).body;
    for (const at of ['before-headers', 'mid-body'] as const) {
      simulator.reset();
      simulator.fault({ action: { kind: 'stall', at, ms: 60 } });
      expect(await get(simulator, EXPORT)).toMatchObject({ status: 200, failure: undefined, body: whole });
      await simulator.idle();
      const [entry] = simulator.log.entries;
      expect((entry?.endedAtMs ?? 0) - (entry?.startedAtMs ?? 0)).toBeGreaterThanOrEqual(59);
    }
  });

  it('refuses connections for a while, idle ones of a pool included, and opens the same port again', async () => {
    const simulator = await openLoaded();
    const agent = new Agent({ keepAlive: true });
    expect((await get(simulator, ANNOTATIONS, { agent })).status).toBe(200);
    const port = simulator.port;
    simulator.fault({ match: { times: 1 }, action: { kind: 'refuse', ms: 150 } });
    expect((await get(simulator, ANNOTATIONS)).failure).toBe('ECONNRESET');
    expect((await get(simulator, ANNOTATIONS, { agent })).failure).toMatch(/ECONNREFUSED|ECONNRESET/);
    expect((await get(simulator, ANNOTATIONS)).failure).toBe('ECONNREFUSED');
    let answer = await get(simulator, ANNOTATIONS);
    while (answer.failure === 'ECONNREFUSED') answer = await get(simulator, ANNOTATIONS);
    expect(answer.status).toBe(200);
    expect(simulator.port).toBe(port);
    agent.destroy();
  });

  it('closes at once, whatever hangs', async () => {
    const simulator = await Simulator.start({ data: { startHour: '20240101T00', hours: 1 } });
    simulator.fault({ action: { kind: 'stall', at: 'before-headers' } });
    const hanging = get(simulator, ANNOTATIONS);
    while (simulator.log.entries.length === 0) await new Promise(setImmediate);
    await simulator.close();
    expect((await hanging).failure).toBe('ECONNRESET');
  });
});

describe('redirects', () => {
  it('to the storage: another origin, once, and it sees whether credentials followed', async () => {
    const simulator = await openLoaded();
    simulator.fault({ match: { path: '/api/2/export' }, action: 'redirect-storage' });
    const { status, headers } = await get(simulator, EXPORT);
    expect(status).toBe(302);
    const location = headers.location ?? '';
    expect(new URL(location).origin).not.toBe(new URL(simulator.baseUrl).origin);
    const { body } = await get(simulator, location, { authorization: null });
    expect(await readLines(body)).toEqual(truthOf(simulator, '20240101T00', '20240101T05'));
    expect((await get(simulator, location)).status).toBe(403);
    expect(simulator.storage.requests).toMatchObject([
      { authPresent: false, status: 200 },
      { authPresent: true, status: 403 },
    ]);
    expect(await get(simulator, '/api/2/export?start=x')).toMatchObject({ status: 400 });
  });

  it('to the same URL, or anywhere', async () => {
    const simulator = await openLoaded();
    simulator.fault({ match: { times: 1 }, action: { kind: 'redirect', to: 'loop', status: 307 } });
    expect(await get(simulator, EXPORT)).toMatchObject({
      status: 307,
      headers: { location: simulator.baseUrl + EXPORT },
    });
    simulator.fault({ match: { times: 1 }, action: { kind: 'redirect', to: 'http://elsewhere.example/x' } });
    expect(await get(simulator, EXPORT)).toMatchObject({
      status: 302,
      headers: { location: 'http://elsewhere.example/x' },
    });
  });
});

describe('answers', () => {
  it('can say when to come back, as a date after the answer', async () => {
    const simulator = await openLoaded();
    simulator.fault({ action: 'rate-limit-429-date' });
    const before = Date.now();
    const { status, headers } = await get(simulator, ANNOTATIONS);
    expect(status).toBe(429);
    const wait = Date.parse(headers['retry-after'] ?? '') - before;
    // An HTTP date has no milliseconds: up to one second is cut off.
    expect(wait).toBeGreaterThan(1000);
    expect(wait).toBeLessThan(60_000);
  });

  it('come over TLS when a certificate is given', async () => {
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) =>
      readFileSync(join(__dirname, 'tls', name), 'utf8'),
    );
    const simulator = await openLoaded({ tls: { key: key ?? '', cert: cert ?? '' } });
    expect(simulator.baseUrl).toMatch(/^https:/);
    const authorization = basic(
      simulator.settings.credentials.apiKey,
      simulator.settings.credentials.secretKey,
    );
    const ask = (ca: string | undefined): Promise<unknown> =>
      new Promise((resolve) => {
        const options = {
          headers: { authorization },
          agent: false as const,
          ...(ca === undefined ? {} : { ca }),
        };
        const request = httpsGet(simulator.baseUrl + ANNOTATIONS, options, (response) => {
          response.resume();
          response.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
          response.on('end', () => resolve(response.statusCode));
        });
        request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      });
    expect(await ask(cert)).toBe(200);
    expect(await ask(undefined)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    simulator.fault({ action: 'reset-mid-body' });
    expect(await ask(cert)).toBe('ECONNRESET');
  });
});

describe('the simulator’s own errors', () => {
  it('come out at close, so that no test passes over one', async () => {
    const simulator = await Simulator.start({
      data: {
        startHour: '20240101T00',
        hours: 1,
        eventsPerHour: () => {
          throw new Error('a bug in the data');
        },
      },
      now: Date.UTC(2024, 0, 2),
    });
    expect((await get(simulator, EXPORT)).failure).toBe('ECONNRESET');
    await expect(simulator.close()).rejects.toThrow('a bug in the data');
  });
});
