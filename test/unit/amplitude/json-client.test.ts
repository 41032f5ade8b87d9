import type { ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { AmplitudeOptions } from '../../../src/amplitude/client';
import { BASIC, failureOf, type Handler, HttpBench, listen, redirectTo, reply } from './http-bench';

const bench = new HttpBench();
beforeEach(() => bench.start());
afterEach(() => bench.stop());

const get = (heard = listen(), options?: Partial<AmplitudeOptions>): Promise<unknown> =>
  bench.connect(heard, options).getJson({
    path: '/api/2/users',
    params: { start: '20260101', m: 'a b&c' },
    cost: 1,
  });

describe('JSON', () => {
  it('is asked for with the keys and encoded parameters', async () => {
    bench.api.handlers = [reply(200, '{"data":[1]}')];
    const heard = listen();
    expect(await get(heard)).toEqual({ data: [1] });
    expect(bench.api.requests).toEqual([
      { path: '/api/2/users?start=20260101&m=a+b%26c', authorization: BASIC },
    ]);
    expect(heard.tallies).toEqual({ requests: 1 });
  });

  it('is asked for below the path of base_url', async () => {
    bench.api.handlers = [reply(200, '1')];
    await get(listen(), { baseUrl: new URL(`${bench.api.url}/eu/`) });
    expect(bench.api.requests[0]!.path).toMatch(/^\/eu\/api\/2\/users/);
  });

  it('may come compressed', async () => {
    bench.api.handlers = [reply(200, gzipSync('{"a":1}'), { 'content-encoding': 'gzip' })];
    expect(await get()).toEqual({ a: 1 });
  });

  it('is asked for in the one encoding that is understood', async () => {
    let accepted: unknown;
    bench.api.handlers = [
      (response, { headers }): void => {
        accepted = headers['accept-encoding'];
        response.end('1');
      },
    ];
    await get();
    expect(accepted).toBe('gzip');
  });

  it.each<[string, string | Buffer]>([
    ['br', brotliCompressSync('{"a":1}')],
    ['deflate', deflateSync('{"a":1}')],
    ['gzip, br', '{"a":1}'],
  ])('in the encoding %s is refused by that name', async (encoding, body) => {
    bench.api.handlers = [reply(200, body, { 'content-encoding': encoding }), reply(200, '{"fine":true}')];
    const heard = listen();
    expect(await get(heard)).toEqual({ fine: true });
    expect(heard.warnings).toEqual([
      expect.stringContaining(`its content-encoding is "${encoding}", and gzip was asked for`),
    ]);
  });

  it('that is refused in a compressed answer is refused in its words', async () => {
    const body = gzipSync(`{"error":{"message":"why${' '.repeat(70_000)}"}}`);
    bench.api.handlers = [
      reply(400, gzipSync('{"error":{"message":"why"}}'), { 'content-encoding': 'gzip' }),
    ];
    expect((await failureOf(get())).words).toBe('why');
    bench.api.handlers = [reply(400, body, { 'content-encoding': 'X-GZIP' })];
    expect((await failureOf(get())).words).toMatch(/^\{"error":\{"message":"why/);
    bench.api.handlers = [reply(400, brotliCompressSync('why'), { 'content-encoding': 'br' })];
    expect(await failureOf(get())).toMatchObject({ kind: 'config', status: 400, words: '' });
    bench.api.handlers = [reply(400, 'no gzip', { 'content-encoding': 'gzip' })];
    expect(await failureOf(get())).toMatchObject({ kind: 'config', status: 400, words: '' });
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
    bench.api.handlers = [fault, fault, reply(200, '{"fine":true}')];
    const heard = listen();
    expect(await get(heard)).toEqual({ fine: true });
    expect(heard.tallies).toEqual({ requests: 3, retries: 2 });
    expect(heard.warnings).toEqual([expect.stringMatching(/^Retry 1 /), expect.stringMatching(/^Retry 2 /)]);
  });

  it.each<[string, Handler]>([
    ['before the answer', () => undefined],
    ['within the body', (response): void => void response.writeHead(200).write('{')],
  ])('is asked for again after a silence %s', async (_where, silence) => {
    bench.api.handlers = [silence, reply(200, '{"fine":true}')];
    const heard = listen();
    expect(await get(heard, { idleTimeoutMs: 250 })).toEqual({ fine: true });
    // A busy machine may take the good answer for another silence.
    expect(heard.tallies['retries']).toBeGreaterThanOrEqual(1);
  });

  it('is given up after five retries', async () => {
    bench.api.handlers = [reply(503, 'busy')];
    const heard = listen();
    expect(await failureOf(get(heard))).toMatchObject({ kind: 'transient', status: 503 });
    expect(heard.tallies).toEqual({ requests: 6, retries: 5 });
  });

  it.each([400, 401, 403, 404])('is not asked for again after %d', async (status) => {
    bench.api.handlers = [reply(status, '{"error":{"message":"why"}}')];
    expect(await failureOf(get())).toMatchObject({
      kind: 'config',
      status,
      message: expect.stringContaining('why'),
    });
    expect(bench.api.requests).toHaveLength(1);
  });

  it.each<[string, Handler]>([
    ['without a byte', (response): void => void response.writeHead(401).flushHeaders()],
    ['in the middle', (response): void => void response.writeHead(401).write('{"error":')],
  ])('is asked for again when a refusal breaks off %s', async (_where, start) => {
    const cut: Handler = (response, request) => {
      response.on('error', () => undefined);
      start(response, request);
      setImmediate(() => response.socket?.resetAndDestroy());
    };
    bench.api.handlers = [cut, reply(401, '{"error":{"message":"why"}}')];
    const heard = listen();
    expect(await failureOf(get(heard))).toMatchObject({ status: 401, words: 'why' });
    expect(heard.tallies).toEqual({ requests: 2, retries: 1 });
  });

  it('is asked for as after any 503 when a 503 breaks off', async () => {
    bench.api.handlers = [
      (response): void => void response.writeHead(503).write('x', () => response.destroy()),
    ];
    const failure = await failureOf(get());
    expect(failure).toMatchObject({ kind: 'transient', status: 503 });
    expect(bench.api.requests).toHaveLength(6);
  });

  it('waits as long as Retry-After asks, and tells so', async () => {
    bench.api.handlers = [reply(429, '', { 'retry-after': '0.3' }), reply(200, '1')];
    const heard = listen();
    const since = performance.now();
    await get(heard);
    expect(performance.now() - since).toBeGreaterThanOrEqual(295);
    expect(heard.limitedUntil.length).toBeGreaterThan(0);
  });

  it('is not waited for longer than the caller’s patience', async () => {
    bench.api.handlers = [reply(503, 'later', { 'retry-after': '90' })];
    const heard = listen();
    const failure = await failureOf(get(heard, { patienceMs: 10_000 }));
    expect(failure).toMatchObject({ kind: 'config', status: 503 });
    expect(failure.message).toMatch(/asks to wait 90 s.*HTTP 503: later/);
    expect(heard.tallies).toEqual({ requests: 1 });
  });

  it('ends with the reason of an abort, in a request and between two', async () => {
    for (const handler of [(): void => undefined, reply(503)]) {
      bench.api.requests.length = 0;
      bench.api.handlers = [handler];
      const heard = listen();
      const asked = get(heard, { retryBaseMs: 60_000, idleTimeoutMs: 60_000 });
      const outcome = asked.then(
        () => 'answered',
        (error: unknown) => error,
      );
      while (bench.api.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
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
      bench.api.handlers = [handler];
      const failure = await failureOf(get());
      const shown = `${failure.message} ${failure.detail} ${failure.stack} ${JSON.stringify(failure)}`;
      expect(shown).not.toContain(BASIC.slice(6));
      expect(shown).not.toMatch(/\bsecret\b/);
      expect(failure.cause).toBeUndefined();
    }
  });
});

describe('TLS', () => {
  /** Answers the greeting of TLS with these bytes. */
  async function withTlsServer(bytes: Buffer | string, act: (url: URL) => Promise<void>): Promise<void> {
    const server = createServer((socket) => {
      // The other side hangs up in the middle of it.
      socket.on('error', () => socket.destroy());
      socket.once('data', () => socket.end(bytes));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      await act(new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`));
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  }

  it('that the other side breaks off with an alert is tried again', () =>
    // A fatal alert, 80: internal error.
    withTlsServer(Buffer.from([21, 3, 3, 0, 2, 2, 80]), async (baseUrl) => {
      const heard = listen();
      expect(await failureOf(get(heard, { baseUrl }))).toMatchObject({ kind: 'transient' });
      expect(heard.tallies).toEqual({ requests: 6, retries: 5 });
    }));

  it('where plain http answers is the user’s to mend', () =>
    withTlsServer('HTTP/1.1 400 Bad Request\r\n\r\n', async (baseUrl) => {
      const heard = listen();
      expect(await failureOf(get(heard, { baseUrl }))).toMatchObject({ kind: 'config' });
      expect(heard.tallies).toEqual({ requests: 1 });
    }));
});

describe('redirects', () => {
  it('within the origin keep the keys, relative ones too', async () => {
    bench.api.handlers = [redirectTo(() => '/elsewhere'), reply(200, '1')];
    await get();
    expect(bench.api.requests.at(-1)).toEqual({ path: '/elsewhere', authorization: BASIC });
  });

  it.each([401, 403])(
    'to a host that answers %d are the user’s to mend: the keys stay with base_url',
    async (status) => {
      bench.api.handlers = [redirectTo(() => `${bench.storage.url}/api?signature=1`)];
      bench.storage.handlers = [reply(status, 'who is there?')];
      const failure = await failureOf(get());
      expect(failure).toMatchObject({ kind: 'config', status: undefined });
      expect(failure.message).toContain(`${bench.api.url} redirects to ${bench.storage.url}, where the keys`);
      expect(failure.message).toContain('(base_url)');
      expect(bench.api.requests).toHaveLength(1);
      expect(bench.storage.requests[0]!.authorization).toBeUndefined();
    },
  );

  it('to a host that is out of order are tried again', async () => {
    bench.api.handlers = [redirectTo(() => bench.storage.url)];
    bench.storage.handlers = [reply(503), reply(200, '"fine"')];
    expect(await get()).toBe('fine');
  });

  it('in a circle end', async () => {
    bench.api.handlers = [redirectTo(() => '/again')];
    const failure = await failureOf(get(listen(), { retries: 0 }));
    expect(failure.message).toContain('redirected more than 5 times');
    expect(bench.api.requests).toHaveLength(6);
  });

  it.each(['ftp://example.com/x', 'http://8.8.8.8/x', 'file:///etc/passwd'])(
    'to %s are refused',
    async (location) => {
      bench.api.handlers = [redirectTo(() => location)];
      expect(await failureOf(get(listen(), { retries: 0 }))).toMatchObject({ kind: 'config' });
      expect(bench.api.requests).toHaveLength(1);
    },
  );

  it('to a private address are refused in the cloud', async () => {
    bench.api.handlers = [redirectTo(() => 'https://10.1.2.3/latest')];
    // The first request itself goes to a loopback address, which only a base_url that was checked before can.
    const failure = await failureOf(get(listen(), { policy: { cloud: true }, retries: 0 }));
    expect(failure.message).toContain('private network address');
  });
});
