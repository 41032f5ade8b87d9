import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { Amplitude, type AmplitudeOptions } from '../../../src/amplitude/client';
import type { ExportAnswer } from '../../../src/amplitude/export-download';
import type { ApiObserver } from '../../../src/amplitude/observer';
import { TempSpace } from '../../../src/amplitude/temp-space';
import { ConnectorFailure } from '../../../src/failure';
import { parseHour } from '../../../src/time/hours';
import { packQuickly } from './archive-samples';

const MIDNIGHT = parseHour('20260210T00')!;
const DAY = { first: MIDNIGHT, last: MIDNIGHT + 23 };
const HOUR = { first: MIDNIGHT, last: MIDNIGHT };
const BASIC = `Basic ${Buffer.from('key:secret').toString('base64')}`;
const TEXT = '{"uuid":"1"}\n';
const ZIP = packQuickly([{ name: '1/1_2026-02-10_0#0.json.gz', data: gzipSync(TEXT) }]);

type Handler = (response: ServerResponse, request: IncomingMessage) => void;
/** A server of one origin; answers by the next handler, the last one for ever. */
class Origin {
  readonly requests: { path: string; authorization: string | undefined }[] = [];
  handlers: Handler[] = [];
  private readonly server: Server = createServer((request, response) => {
    this.requests.push({ path: request.url!, authorization: request.headers.authorization });
    const handler = this.handlers[Math.min(this.requests.length, this.handlers.length) - 1];
    handler?.(response, request);
  });

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const reply =
  (status: number, body: string | Buffer = '', headers: Record<string, string> = {}): Handler =>
  (response) =>
    response.writeHead(status, headers).end(body);
const zip = reply(200, ZIP, { 'content-type': 'application/zip' });
const redirectTo =
  (url: () => string): Handler =>
  (response) =>
    response.writeHead(302, { location: url() }).end();

let api: Origin;
let storage: Origin;
let folder: string;
beforeEach(async () => {
  [api, storage] = [new Origin(), new Origin()];
  await Promise.all([api.listen(), storage.listen()]);
  folder = mkdtempSync(join(tmpdir(), 'client-test-'));
});
afterEach(async () => {
  await Promise.all([api.close(), storage.close()]);
  rmSync(folder, { recursive: true });
});

interface Heard {
  readonly observer: ApiObserver;
  readonly warnings: string[];
  readonly tallies: Record<string, number>;
  readonly limitedUntil: number[];
  readonly stop: AbortController;
}

function listen(): Heard {
  const [warnings, tallies, limitedUntil, stop] = [
    [] as string[],
    {} as Record<string, number>,
    [] as number[],
    new AbortController(),
  ];
  const observer: ApiObserver = {
    signal: stop.signal,
    log: { info: () => undefined, debug: () => undefined, warn: (message) => warnings.push(message) },
    rateLimited: (untilMs) => limitedUntil.push(untilMs),
    resumed: () => undefined,
    tally: (name, amount) => (tallies[name] = (tallies[name] ?? 0) + amount),
  };
  return { observer, warnings, tallies, limitedUntil, stop };
}

function connect(heard: Heard, options: Partial<AmplitudeOptions> = {}): ReturnType<Amplitude['for']> {
  const temp = new TempSpace({ parent: folder, pid: 1, isAlive: () => true, limitBytes: undefined });
  return new Amplitude({
    baseUrl: new URL(api.url),
    apiKey: 'key',
    secretKey: 'secret',
    policy: { cloud: false },
    temp,
    retryBaseMs: 0,
    costWindowMs: 10,
    paceMs: 0,
    idleTimeoutMs: 30_000,
    userAgent: 'test/1',
    ...options,
  }).for(heard.observer);
}

const failureOf = (promise: Promise<unknown>): Promise<ConnectorFailure> =>
  promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => {
      if (!(error instanceof ConnectorFailure)) throw error;
      return error;
    },
  );
const get = (heard = listen(), options?: Partial<AmplitudeOptions>): Promise<unknown> =>
  connect(heard, options).getJson({
    path: '/api/2/users',
    params: { start: '20260101', m: 'a b&c' },
    cost: 1,
  });

/** The kind of an export's answer; an archive is read and closed. */
async function exportKind(
  window = DAY,
  heard = listen(),
  options?: Partial<AmplitudeOptions>,
): Promise<string> {
  const answer: ExportAnswer = await connect(heard, options).export(window);
  if (answer.kind !== 'archive') return answer.kind;
  const texts = [];
  for (const member of answer.archive.members) texts.push((await buffer(await member.openText())).toString());
  await answer.archive.close();
  return `archive ${texts.join('')}`;
}

const filesLeft = (): string[] => readdirSync(folder).flatMap((name) => readdirSync(join(folder, name)));

describe('JSON', () => {
  it('is asked for with the keys and encoded parameters', async () => {
    api.handlers = [reply(200, '{"data":[1]}')];
    const heard = listen();
    expect(await get(heard)).toEqual({ data: [1] });
    expect(api.requests).toEqual([{ path: '/api/2/users?start=20260101&m=a+b%26c', authorization: BASIC }]);
    expect(heard.tallies).toEqual({ requests: 1 });
  });

  it('is asked for below the path of base_url', async () => {
    api.handlers = [reply(200, '1')];
    await get(listen(), { baseUrl: new URL(`${api.url}/eu/`) });
    expect(api.requests[0]!.path).toMatch(/^\/eu\/api\/2\/users/);
  });

  it('may come compressed', async () => {
    api.handlers = [reply(200, gzipSync('{"a":1}'), { 'content-encoding': 'gzip' })];
    expect(await get()).toEqual({ a: 1 });
  });

  it.each<[string, Handler]>([
    ['429', reply(429, 'slow down')],
    ['500', reply(500)],
    ['503', reply(503)],
    ['an empty body', reply(200, '')],
    ['a web page', reply(200, '<html></html>')],
    ['half of a JSON', reply(200, '{"data":')],
    ['broken compression', reply(200, gzipSync('{}').subarray(0, 12), { 'content-encoding': 'gzip' })],
    [
      'a cut body',
      (response) =>
        response.writeHead(200, { 'content-length': '100' }).end('{"a":1}', () => response.destroy()),
    ],
    ['a reset before the answer', (response) => response.destroy()],
    ['a reset within the body', (response) => response.writeHead(200).write('{', () => response.destroy())],
  ])('is asked for again after %s', async (_fault, fault) => {
    api.handlers = [fault, fault, reply(200, '{"fine":true}')];
    const heard = listen();
    expect(await get(heard)).toEqual({ fine: true });
    expect(heard.tallies).toEqual({ requests: 3, retries: 2 });
    expect(heard.warnings).toEqual([expect.stringMatching(/^Retry 1 /), expect.stringMatching(/^Retry 2 /)]);
  });

  it.each<[string, Handler]>([
    ['before the answer', () => undefined],
    ['within the body', (response): void => void response.writeHead(200).write('{')],
  ])('is asked for again after a silence %s', async (_where, silence) => {
    api.handlers = [silence, reply(200, '{"fine":true}')];
    const heard = listen();
    expect(await get(heard, { idleTimeoutMs: 250 })).toEqual({ fine: true });
    // A busy machine may take the good answer for another silence.
    expect(heard.tallies['retries']).toBeGreaterThanOrEqual(1);
  });

  it('is given up after five retries', async () => {
    api.handlers = [reply(503, 'busy')];
    const heard = listen();
    expect(await failureOf(get(heard))).toMatchObject({ kind: 'transient', status: 503 });
    expect(heard.tallies).toEqual({ requests: 6, retries: 5 });
  });

  it.each([400, 401, 403, 404])('is not asked for again after %d', async (status) => {
    api.handlers = [reply(status, '{"error":{"message":"why"}}')];
    expect(await failureOf(get())).toMatchObject({
      kind: 'config',
      status,
      message: expect.stringContaining('why'),
    });
    expect(api.requests).toHaveLength(1);
  });

  it('waits as long as Retry-After asks, and tells so', async () => {
    api.handlers = [reply(429, '', { 'retry-after': '0.3' }), reply(200, '1')];
    const heard = listen();
    const since = performance.now();
    await get(heard);
    expect(performance.now() - since).toBeGreaterThanOrEqual(295);
    expect(heard.limitedUntil.length).toBeGreaterThan(0);
  });

  it('ends with the reason of an abort, in a request and between two', async () => {
    for (const handler of [(): void => undefined, reply(503)]) {
      api.requests.length = 0;
      api.handlers = [handler];
      const heard = listen();
      const asked = get(heard, { retryBaseMs: 60_000, idleTimeoutMs: 60_000 });
      const outcome = asked.then(
        () => 'answered',
        (error: unknown) => error,
      );
      while (api.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
      const reason = new Error('stopped');
      heard.stop.abort(reason);
      expect(await outcome).toBe(reason);
    }
  });

  it('has no error that holds a key', async () => {
    for (const handler of [
      reply(500, 'x'),
      reply(401),
      (response: ServerResponse): void => void response.destroy(),
    ]) {
      api.handlers = [handler];
      const failure = await failureOf(get());
      const shown = `${failure.message} ${failure.detail} ${failure.stack} ${JSON.stringify(failure)}`;
      expect(shown).not.toContain(BASIC.slice(6));
      expect(shown).not.toMatch(/\bsecret\b/);
      expect(failure.cause).toBeUndefined();
    }
  });
});

describe('redirects', () => {
  it('are followed; the keys stay with their own origin', async () => {
    api.handlers = [redirectTo(() => `${storage.url}/file?signature=1`)];
    storage.handlers = [zip];
    expect(await exportKind()).toBe(`archive ${TEXT}`);
    expect(storage.requests).toEqual([{ path: '/file?signature=1', authorization: undefined }]);
  });

  it('within the origin keep the keys, relative ones too', async () => {
    api.handlers = [redirectTo(() => '/elsewhere'), reply(200, '1')];
    await get();
    expect(api.requests.at(-1)).toEqual({ path: '/elsewhere', authorization: BASIC });
  });

  it('do not send keys that the location names', async () => {
    api.handlers = [redirectTo(() => storage.url.replace('//', '//user:pass@'))];
    storage.handlers = [zip];
    await exportKind();
    expect(storage.requests[0]!.authorization).toBeUndefined();
  });

  it('in a circle end', async () => {
    api.handlers = [redirectTo(() => '/again')];
    const failure = await failureOf(get(listen(), { retries: 0 }));
    expect(failure.message).toContain('redirected more than 5 times');
    expect(api.requests).toHaveLength(6);
  });

  it.each(['ftp://example.com/x', 'http://8.8.8.8/x', 'file:///etc/passwd'])(
    'to %s are refused',
    async (location) => {
      api.handlers = [redirectTo(() => location)];
      expect(await failureOf(get(listen(), { retries: 0 }))).toMatchObject({ kind: 'config' });
      expect(api.requests).toHaveLength(1);
    },
  );

  it('to a private address are refused in the cloud', async () => {
    api.handlers = [redirectTo(() => 'https://169.254.169.254/latest')];
    // The first request itself goes to a loopback address, which only a base_url that was checked before can.
    const failure = await failureOf(get(listen(), { policy: { cloud: true }, retries: 0 }));
    expect(failure.message).toContain('private network address');
  });

  it('whose storage refuses are asked for anew, and a 404 of it is not "no data"', async () => {
    api.handlers = [redirectTo(() => `${storage.url}/gone`), redirectTo(() => `${storage.url}/fresh`)];
    storage.handlers = [reply(404, ''), zip];
    expect(await exportKind()).toBe(`archive ${TEXT}`);
    expect(storage.requests.map(({ path }) => path)).toEqual(['/gone', '/fresh']);
  });
});

describe('exports', () => {
  it('are saved, verified, read and removed', async () => {
    api.handlers = [zip];
    expect(await exportKind()).toBe(`archive ${TEXT}`);
    expect(api.requests).toEqual([
      { path: '/api/2/export?start=20260210T00&end=20260210T23', authorization: BASIC },
    ]);
    expect(filesLeft()).toEqual([]);
  });

  it('may be compressed as a whole', async () => {
    api.handlers = [reply(200, gzipSync(ZIP), { 'content-encoding': 'gzip' })];
    expect(await exportKind()).toBe(`archive ${TEXT}`);
  });

  it.each<[string, Handler]>([
    ['Amplitude’s words', reply(404, 'Raw data files were not found.')],
    ['the same in JSON', reply(404, '{"error":{"message":"Raw data files were not found."}}')],
    ['the plain words', reply(404, '404: Not Found')],
    ['no word', reply(404, '')],
  ])('are empty on a 404 with %s', async (_what, handler) => {
    api.handlers = [handler];
    expect(await exportKind()).toBe('empty');
    expect(api.requests).toHaveLength(1);
  });

  it.each<[string, Handler]>([
    ['a web page', reply(404, '<html><h1>Not Found</h1></html>')],
    ['other words', reply(404, '{"error":{"message":"Unknown project"}}')],
  ])('fail on a 404 with %s, which no export of Amplitude’s gives', async (_what, handler) => {
    api.handlers = [handler];
    expect(await failureOf(exportKind())).toMatchObject({ kind: 'config', status: 404 });
  });

  it.each<[string, Handler]>([
    [
      '400 that names the size',
      reply(400, 'The export is too large (over 4GB). Choose a smaller time range.'),
    ],
    ['400 in JSON', reply(400, '{"error":{"message":"Response exceeds the size limit"}}')],
    ['400 without a word', reply(400, '')],
    ['413', reply(413, '')],
  ])('are too large on %s', async (_what, handler) => {
    api.handlers = [handler];
    expect(await exportKind()).toBe('too large');
    expect(api.requests).toHaveLength(1);
  });

  it('of one hour that is too large say which, and where else to get it', async () => {
    api.handlers = [reply(400, 'too large')];
    const answer = await connect(listen()).export(HOUR);
    expect(answer).toMatchObject({
      kind: 'too large',
      failure: { kind: 'config', message: expect.stringMatching(/20260210T00.*Amazon S3.*too large/) },
    });
  });

  it.each([
    [DAY, 'Invalid parameter start'],
    [HOUR, ''],
  ])('fail on a 400 for another reason (%#)', async (window, words) => {
    api.handlers = [reply(400, words)];
    expect(await failureOf(exportKind(window))).toMatchObject({ kind: 'config', status: 400 });
    expect(api.requests).toHaveLength(1);
  });

  it('are too large on a second 504; one may be chance', async () => {
    api.handlers = [reply(504)];
    expect(await exportKind()).toBe('too large');
    expect(api.requests).toHaveLength(2);
    api.requests.length = 0;
    api.handlers = [reply(504), zip];
    expect(await exportKind()).toBe(`archive ${TEXT}`);
  });

  it('of one hour are tried as often as anything on 504, and then fail for now', async () => {
    api.handlers = [reply(504)];
    expect(await failureOf(exportKind(HOUR))).toMatchObject({ kind: 'transient', status: 504 });
    expect(api.requests).toHaveLength(6);
  });

  it.each<[string, Handler]>([
    ['an empty body', reply(200, '')],
    ['a web page', reply(200, '<html>')],
    ['the words of a rate limit', reply(200, 'Too many requests')],
    ['half of the archive', reply(200, ZIP.subarray(0, ZIP.length / 2))],
    ['a flipped byte', reply(200, Buffer.from(ZIP.map((byte, index) => (index === 60 ? byte ^ 1 : byte))))],
    [
      'a body shorter than declared',
      (response) => {
        response.writeHead(200, { 'content-length': String(ZIP.length) });
        response.write(ZIP.subarray(0, 50), () => response.destroy());
      },
    ],
    [
      'chunks that end early',
      (response) => {
        response.writeHead(200);
        response.write(ZIP.subarray(0, 50), () => response.destroy());
      },
    ],
    ['broken compression', reply(200, gzipSync(ZIP).subarray(0, 60), { 'content-encoding': 'gzip' })],
    ['429', reply(429, 'Exceeded rate limit')],
    ['502', reply(502, '<html>')],
  ])('are asked for again after %s', async (_fault, fault) => {
    api.handlers = [fault, zip];
    const heard = listen();
    expect(await exportKind(DAY, heard)).toBe(`archive ${TEXT}`);
    expect(heard.tallies).toEqual({ requests: 2, retries: 1 });
    expect(filesLeft()).toEqual([]);
  });

  it.each<[string, Handler]>([
    ['before the answer', () => undefined],
    ['in the middle', (response): void => void response.writeHead(200).write(ZIP.subarray(0, 50))],
  ])('are asked for again after a silence %s', async (_where, silence) => {
    api.handlers = [silence, zip];
    const heard = listen();
    expect(await exportKind(DAY, heard, { idleTimeoutMs: 250 })).toBe(`archive ${TEXT}`);
    expect(heard.tallies['retries']).toBeGreaterThanOrEqual(1);
    expect(filesLeft()).toEqual([]);
  });

  it('that stay broken fail for now, and leave no file', async () => {
    api.handlers = [reply(200, ZIP.subarray(0, 60))];
    expect(await failureOf(exportKind())).toMatchObject({ kind: 'transient' });
    expect(api.requests).toHaveLength(6);
    expect(filesLeft()).toEqual([]);
  });

  it('that the disk has no room for are too large; of one hour they fail, with the bytes needed', async () => {
    const temp = new TempSpace({ parent: folder, pid: 1, isAlive: () => true, limitBytes: 100 });
    api.handlers = [reply(200, ZIP, { 'content-length': String(ZIP.length) })];
    const client = connect(listen(), { temp });
    expect(await client.export(DAY)).toMatchObject({ kind: 'too large' });
    const failure = await failureOf(client.export(HOUR));
    expect(failure).toMatchObject({
      kind: 'transient',
      message: expect.stringContaining(`${ZIP.length} bytes`),
    });
    expect(filesLeft()).toEqual([]);
  });

  it('stop when their answer is no longer wanted, and leave no file', async () => {
    api.handlers = [(response): void => void response.writeHead(200).write(ZIP.subarray(0, 50))];
    const stop = new AbortController();
    const outcome = connect(listen(), { idleTimeoutMs: 60_000 })
      .export(DAY, stop.signal)
      .catch((error: unknown) => error);
    while (filesLeft().length === 0) await new Promise((resolve) => setImmediate(resolve));
    const reason = new Error('stopped');
    stop.abort(reason);
    expect(await outcome).toBe(reason);
    expect(filesLeft()).toEqual([]);
  });
});
