import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { AmplitudeOptions } from '../../../src/amplitude/client';
import type { ExportAnswer } from '../../../src/amplitude/export-download';
import { parseHour } from '../../../src/time/hours';
import { packQuickly } from './archive-samples';
import { BASIC, failureOf, type Handler, HttpBench, listen, redirectTo, reply } from './http-bench';

const MIDNIGHT = parseHour('20260210T00')!;
const DAY = { first: MIDNIGHT, last: MIDNIGHT + 23 };
const HOUR = { first: MIDNIGHT, last: MIDNIGHT };
const TEXT = '{"uuid":"1"}\n';
const ZIP = packQuickly([{ name: '1/1_2026-02-10_0#0.json.gz', data: gzipSync(TEXT) }]);
const zip = reply(200, ZIP, { 'content-type': 'application/zip' });

const bench = new HttpBench();
beforeEach(() => bench.start());
afterEach(() => bench.stop());

/** The kind of an export's answer; an archive is read and closed. */
async function exportKind(
  window = DAY,
  heard = listen(),
  options?: Partial<AmplitudeOptions>,
): Promise<string> {
  const answer: ExportAnswer = await bench.connect(heard, options).export(window);
  if (answer.kind !== 'archive') return answer.kind;
  const texts = [];
  for (const member of answer.archive.members) texts.push((await buffer(await member.openText())).toString());
  await answer.archive.close();
  return `archive ${texts.join('')}`;
}

describe('redirects', () => {
  it('are followed; the keys stay with their own origin', async () => {
    bench.api.handlers = [redirectTo(() => `${bench.storage.url}/file?signature=1`)];
    bench.storage.handlers = [zip];
    expect(await exportKind()).toBe(`archive ${TEXT}`);
    expect(bench.storage.requests).toEqual([{ path: '/file?signature=1', authorization: undefined }]);
  });

  it('do not send keys that the location names', async () => {
    bench.api.handlers = [redirectTo(() => bench.storage.url.replace('//', '//user:pass@'))];
    bench.storage.handlers = [zip];
    await exportKind();
    expect(bench.storage.requests[0]!.authorization).toBeUndefined();
  });

  it('whose storage refuses are asked for anew, and a 404 of it is not "no data"', async () => {
    bench.api.handlers = [
      redirectTo(() => `${bench.storage.url}/gone`),
      redirectTo(() => `${bench.storage.url}/fresh`),
    ];
    bench.storage.handlers = [reply(404, ''), zip];
    expect(await exportKind()).toBe(`archive ${TEXT}`);
    expect(bench.storage.requests.map(({ path }) => path)).toEqual(['/gone', '/fresh']);
  });
});

describe('redirects for good', () => {
  it.each([301, 308])('(%d) to a host that refuses are the user’s to mend', async (status) => {
    bench.api.handlers = [redirectTo(() => `${bench.storage.url}/api`, status)];
    bench.storage.handlers = [reply(403, '<Error/>')];
    const failure = await failureOf(exportKind());
    expect(failure).toMatchObject({ kind: 'config', status: undefined });
    expect(failure.message).toContain(
      `redirects to ${bench.storage.url}, where the keys are not sent (HTTP 403)`,
    );
    expect(bench.api.requests).toHaveLength(1);
  });

  it('are followed, and a 404 behind them is not "no data"', async () => {
    bench.api.handlers = [redirectTo(() => bench.storage.url, 301)];
    bench.storage.handlers = [reply(404, 'Not Found'), zip];
    expect(await exportKind()).toBe(`archive ${TEXT}`);
    expect(bench.storage.requests).toHaveLength(2);
  });
});

describe('exports', () => {
  it('are saved, verified, read and removed', async () => {
    bench.api.handlers = [zip];
    expect(await exportKind()).toBe(`archive ${TEXT}`);
    expect(bench.api.requests).toEqual([
      { path: '/api/2/export?start=20260210T00&end=20260210T23', authorization: BASIC },
    ]);
    expect(bench.filesLeft()).toEqual([]);
  });

  it('may be compressed as a whole', async () => {
    bench.api.handlers = [reply(200, gzipSync(ZIP), { 'content-encoding': 'gzip' })];
    expect(await exportKind()).toBe(`archive ${TEXT}`);
  });

  it.each<[string, Handler]>([
    ['Amplitude’s words', reply(404, 'Raw data files were not found.')],
    ['the same in JSON', reply(404, '{"error":{"message":"Raw data files were not found."}}')],
    ['the plain words', reply(404, '404: Not Found')],
    ['no word', reply(404, '')],
    [
      'Amplitude’s words, compressed',
      reply(404, gzipSync('Raw data files were not found.'), { 'content-encoding': 'gzip' }),
    ],
  ])('are empty on a 404 with %s', async (_what, handler) => {
    bench.api.handlers = [handler];
    expect(await exportKind()).toBe('empty');
    expect(bench.api.requests).toHaveLength(1);
  });

  it.each(['404: Not Found', 'Not Found', ''])(
    'fail on a 404 with %j by another host than Amplitude’s: any server says that of a path it does not have',
    async (words) => {
      bench.api.handlers = [reply(404, words)];
      const options = { hasOwnBaseUrl: true };
      expect(await failureOf(exportKind(DAY, listen(), options))).toMatchObject({
        kind: 'config',
        status: 404,
      });
      bench.api.handlers = [reply(404, 'Raw data files were not found.')];
      expect(await exportKind(DAY, listen(), options)).toBe('empty');
    },
  );

  it.each<[string, Handler]>([
    ['a web page', reply(404, '<html><h1>Not Found</h1></html>')],
    ['other words', reply(404, '{"error":{"message":"Unknown project"}}')],
    ['words in an unknown encoding', reply(404, 'cGFnZQ==', { 'content-encoding': 'br' })],
  ])('fail on a 404 with %s, which no export of Amplitude’s gives', async (_what, handler) => {
    bench.api.handlers = [handler];
    expect(await failureOf(exportKind())).toMatchObject({ kind: 'config', status: 404 });
  });

  it.each<[string, Handler]>([
    [
      '400 that names the size',
      reply(400, 'The export is too large (over 4GB). Choose a smaller time range.'),
    ],
    ['400 in JSON', reply(400, '{"error":{"message":"Response exceeds the size limit"}}')],
    ['400 without a word', reply(400, '')],
    ['400 that says nothing', reply(400, '{"error":{"message":"Unspecified Error"}}')],
    ['400 for another reason', reply(400, 'Invalid parameter start')],
    ['413', reply(413, '')],
  ])('are too large on %s', async (_what, handler) => {
    bench.api.handlers = [handler];
    expect(await exportKind()).toBe('too large');
    expect(bench.api.requests).toHaveLength(1);
  });

  it('of one hour that is too large say which, and where else to get it', async () => {
    bench.api.handlers = [reply(400, 'too large')];
    const answer = await bench.connect(listen()).export(HOUR);
    expect(answer).toMatchObject({
      kind: 'too large',
      failure: {
        kind: 'config',
        message: expect.stringMatching(/hour 20260210T00.*Amazon S3 \(https:.*amazon-s3\).*too large/),
      },
    });
  });

  it.each(['Bad Request', 'Invalid parameter start', ''])(
    'of one hour that are refused with %j say so, and what to do if it is the amount of data',
    async (words) => {
      bench.api.handlers = [reply(400, words)];
      const answer = await bench.connect(listen()).export(HOUR);
      expect(answer).toMatchObject({ kind: 'too large', failure: { kind: 'config', status: 400, words } });
      const { message } = (answer as ExportAnswer & { kind: 'too large' }).failure;
      expect(message).toMatch(/^Amplitude rejected the request \(HTTP 400/);
      expect(message).toContain(words);
      expect(message).toMatch(/If it is the amount of data of the hour 20260210T00 \(UTC\):.*Amazon S3/);
    },
  );

  it('are too large on a second 504; one may be chance', async () => {
    bench.api.handlers = [reply(504)];
    expect(await exportKind()).toBe('too large');
    expect(bench.api.requests).toHaveLength(2);
    bench.api.requests.length = 0;
    bench.api.handlers = [reply(504), zip];
    expect(await exportKind()).toBe(`archive ${TEXT}`);
  });

  it('of one hour are tried as often as anything on 504, and then fail for now', async () => {
    bench.api.handlers = [reply(504)];
    const failure = await failureOf(exportKind(HOUR));
    expect(failure).toMatchObject({ kind: 'transient', status: 504 });
    expect(failure.message).toMatch(
      /If it is the amount of data of the hour 20260210T00 \(UTC\):.*Amazon S3/,
    );
    expect(bench.api.requests).toHaveLength(6);
  });

  it('are too large when nothing is said for long, twice; of one hour they fail for now', async () => {
    bench.api.handlers = [(): void => undefined];
    expect(await exportKind(DAY, listen(), { idleTimeoutMs: 100 })).toBe('too large');
    expect(bench.api.requests).toHaveLength(2);
    const failure = await failureOf(exportKind(HOUR, listen(), { idleTimeoutMs: 100 }));
    expect(failure).toMatchObject({ kind: 'transient', code: 'ETIMEDOUT' });
    expect(failure.message).toMatch(/amount of data.*Amazon S3/);
    expect(bench.api.requests).toHaveLength(2 + 6);
  });

  it('are not too large when the silence is the storage’s, or within the answer', async () => {
    bench.api.handlers = [redirectTo(() => bench.storage.url)];
    bench.storage.handlers = [(): void => undefined];
    const failure = await failureOf(exportKind(DAY, listen(), { idleTimeoutMs: 100 }));
    expect(failure).toMatchObject({ kind: 'transient', code: 'ETIMEDOUT' });
    expect(failure.message).not.toContain('amount of data');
    bench.api.handlers = [(response): void => void response.writeHead(200).write('PK')];
    expect(await failureOf(exportKind(DAY, listen(), { idleTimeoutMs: 100 }))).toMatchObject({
      code: 'ETIMEDOUT',
    });
  });

  it.each([
    [404, 'Raw data files were not found.', 'empty'],
    [400, 'The export is too large (over 4GB).', 'too large'],
  ])('whose %d breaks off within its words are asked for again', async (status, words, kind) => {
    const cut: Handler = (response) => {
      response.writeHead(status, { 'content-length': String(words.length) });
      response.write(words.slice(0, 8), () => response.destroy());
    };
    const silence: Handler = (response) => {
      response.writeHead(status);
      response.write(words.slice(0, 8));
    };
    bench.api.handlers = [cut, silence, reply(status, words)];
    const heard = listen();
    expect(await exportKind(DAY, heard, { idleTimeoutMs: 500 })).toBe(kind);
    // A busy machine may take the last answer for another silence.
    expect(heard.tallies['retries']).toBeGreaterThanOrEqual(2);
    expect(heard.warnings[0]).toContain('ECONNRESET');
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
    bench.api.handlers = [fault, zip];
    const heard = listen();
    expect(await exportKind(DAY, heard)).toBe(`archive ${TEXT}`);
    expect(heard.tallies).toEqual({ requests: 2, retries: 1 });
    expect(bench.filesLeft()).toEqual([]);
  });

  it.each<[string, Handler]>([
    ['before the answer', () => undefined],
    ['in the middle', (response): void => void response.writeHead(200).write(ZIP.subarray(0, 50))],
  ])('are asked for again after a silence %s', async (_where, silence) => {
    bench.api.handlers = [silence, zip];
    const heard = listen();
    expect(await exportKind(DAY, heard, { idleTimeoutMs: 250 })).toBe(`archive ${TEXT}`);
    expect(heard.tallies['retries']).toBeGreaterThanOrEqual(1);
    expect(bench.filesLeft()).toEqual([]);
  });

  it('that stay broken fail for now, and leave no file', async () => {
    bench.api.handlers = [reply(200, ZIP.subarray(0, 60))];
    expect(await failureOf(exportKind())).toMatchObject({ kind: 'transient' });
    expect(bench.api.requests).toHaveLength(6);
    expect(bench.filesLeft()).toEqual([]);
  });

  it('that the disk has no room for are too large; of one hour they fail, with the bytes needed', async () => {
    const temp = bench.temp(100);
    bench.api.handlers = [reply(200, ZIP, { 'content-length': String(ZIP.length) })];
    const client = bench.connect(listen(), { temp });
    expect(await client.export(DAY)).toMatchObject({ kind: 'too large' });
    const failure = await failureOf(client.export(HOUR));
    expect(failure).toMatchObject({
      kind: 'transient',
      message: expect.stringContaining(`${ZIP.length} bytes`),
    });
    expect(bench.filesLeft()).toEqual([]);
  });

  it('fit when there is room for them alone, whoever tells their length', async () => {
    const temp = bench.temp(ZIP.length);
    const chunked: Handler = (response) => response.writeHead(200).write(ZIP, () => response.end());
    for (const handler of [reply(200, ZIP, { 'content-length': String(ZIP.length) }), chunked]) {
      bench.api.handlers = [handler];
      expect(await exportKind(HOUR, listen(), { temp })).toBe(`archive ${TEXT}`);
    }
  });

  it('of a length that nobody tells end where the platform’s limit is', async () => {
    const temp = bench.temp(ZIP.length - 1);
    const chunked: Handler = (response) => response.writeHead(200).write(ZIP, () => response.end());
    const packed = reply(200, gzipSync(ZIP), { 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' });
    for (const handler of [chunked, packed]) {
      bench.api.handlers = [handler];
      expect(await exportKind(DAY, listen(), { temp })).toBe('too large');
      const failure = await failureOf(exportKind(HOUR, listen(), { temp }));
      expect(failure).toMatchObject({ kind: 'transient', code: 'ENOSPC' });
      expect(failure.message).toContain(`more than ${ZIP.length - 1} bytes`);
      expect(bench.filesLeft()).toEqual([]);
    }
  });

  it('that cannot be written for another reason blame the temporary folder, not the network', async () => {
    bench.api.handlers = [
      (response, request) => {
        bench.removeFolders();
        zip(response, request);
      },
    ];
    const failure = await failureOf(bench.connect(listen()).export(HOUR));
    expect(failure).toMatchObject({ kind: 'transient', code: 'ENOENT' });
    expect(failure.message).toMatch(
      /^An archive in the temporary folder cannot be written or read \(ENOENT\)/,
    );
    expect(bench.api.requests).toHaveLength(1);
  });

  it('stop when their answer is no longer wanted, and leave no file', async () => {
    bench.api.handlers = [(response): void => void response.writeHead(200).write(ZIP.subarray(0, 50))];
    const stop = new AbortController();
    const outcome = bench
      .connect(listen(), { idleTimeoutMs: 60_000 })
      .export(DAY, stop.signal)
      .catch((error: unknown) => error);
    while (bench.filesLeft().length === 0) await new Promise((resolve) => setImmediate(resolve));
    const reason = new Error('stopped');
    stop.abort(reason);
    expect(await outcome).toBe(reason);
    expect(bench.filesLeft()).toEqual([]);
  });
});
