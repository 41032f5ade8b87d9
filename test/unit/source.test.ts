import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Invocation } from '../../src/cli';
import { readEnvironment } from '../../src/environment';
import { ConnectorFailure } from '../../src/failure';
import type { SourceIo } from '../../src/inputs';
import { createRedactor } from '../../src/protocol/redact';
import { MessageWriter } from '../../src/protocol/writer';
import { runCommand } from '../../src/source';
import { AirbyteOutput } from '../harness/airbyte-output';
import { assertProtocol } from '../harness/assert-protocol';
import { MemorySink } from '../harness/memory-sink';
import { packQuickly } from './amplitude/archive-samples';

const NOW = Date.parse('2026-10-04T12:34:56Z');
const KEYS = { api_key: 'the-api-key', secret_key: 'the-secret-key' };

/** What one request is answered with: a status and a body. */
type Reply = readonly [status: number, body: string | Buffer];
let server: Server;
let baseUrl: string;
let answer: (url: URL, request: IncomingMessage) => Reply;
let requests: { path: string; authorization: string | undefined; agent: string | undefined }[];
let folder: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://localhost');
    const { authorization, 'user-agent': agent } = request.headers;
    requests.push({ path: url.pathname + url.search, authorization, agent });
    const [status, body] = answer(url, request);
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = mkdtempSync(join(tmpdir(), 'source-test-'));
});

beforeEach(() => {
  requests = [];
  answer = answerWell;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

function answerWell(url: URL): Reply {
  switch (url.pathname) {
    case '/api/3/annotations':
      return [200, JSON.stringify({ data: [{ id: 1, label: 'x', start: '2026-10-01T00:00:00Z' }] })];
    case '/api/3/cohorts':
      return [200, JSON.stringify({ cohorts: [{ id: 'c', name: 'n', size: 5 }] })];
    case '/api/2/export': {
      const name = '1/1_2026-10-04_5#0.json.gz';
      const data = gzipSync('{"uuid":"u","server_upload_time":"2026-10-04 05:00:00.000000","app":1}\n');
      return url.searchParams.get('end')! >= '20261004T05' ? [200, packQuickly([{ name, data }])] : [404, ''];
    }
    default:
      return [403, '{"error":{"message":"Forbidden"}}'];
  }
}

interface Run {
  readonly output: AirbyteOutput;
  readonly exitCode: number | undefined;
  readonly error: unknown;
  readonly hidden: readonly string[];
}

async function run(
  invocation: Partial<Invocation> & Pick<Invocation, 'command'>,
  files: Readonly<Record<string, unknown>> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const sink = new MemorySink();
  const writer = new MessageWriter(sink);
  let hidden: readonly string[] = [];
  let remove = (): void => undefined;
  const io: SourceIo = {
    writer,
    environment: readEnvironment({
      AMPLITUDE_RETRY_BASE_SECONDS: '0',
      AMPLITUDE_PACE_SECONDS: '0',
      ...environment,
    }),
    signal: new AbortController().signal,
    nowMs: NOW,
    readFile: (path) => {
      if (!(path in files)) throw Object.assign(new Error('missing'), { code: 'ENOENT' });
      const content = files[path];
      return typeof content === 'string' ? content : JSON.stringify(content);
    },
    hide: (secrets) => (hidden = secrets),
    redact: (text) => createRedactor(hidden)(text),
    temp: { parent: folder, pid: process.pid, isAlive: () => true },
    onTemp: (removeTemp) => (remove = removeTemp),
    terminal: undefined,
  };
  let exitCode: number | undefined;
  let error: unknown;
  try {
    exitCode = await runCommand({ debug: false, ...invocation }, io);
  } catch (thrown) {
    error = thrown;
  }
  await writer.flush();
  remove();
  return { output: new AirbyteOutput(sink.text, '', exitCode ?? null), exitCode, error, hidden };
}

const config = (changes: object = {}): Record<string, unknown> => ({
  ...KEYS,
  base_url: baseUrl,
  ...changes,
});
const catalogOf = (...names: string[]): object => ({
  streams: names.map((name) => ({
    stream: { name, json_schema: {}, supported_sync_modes: ['full_refresh', 'incremental'] },
    sync_mode: 'incremental',
    destination_sync_mode: 'append',
  })),
});

describe('spec', () => {
  it('prints the specification, without a configuration', async () => {
    const { output, exitCode } = await run({ command: 'spec' });
    expect(exitCode).toBe(0);
    expect(output.messages.map(({ type }) => type)).toEqual(['SPEC']);
    expect(output.spec).toMatchObject({ connectionSpecification: { required: ['api_key', 'secret_key'] } });
    expect(requests).toEqual([]);
  });
});

describe('discover', () => {
  it('prints the seven streams, without a request', async () => {
    const { output, exitCode } = await run({ command: 'discover', config: 'c' }, { c: config() });
    expect(exitCode).toBe(0);
    const catalog = output.ofType('CATALOG')[0]!.value['catalog'] as { streams: Record<string, unknown>[] };
    expect(catalog.streams.map(({ name }) => name)).toEqual([
      'events',
      'active_users',
      'new_users',
      'average_session_length',
      'annotations',
      'cohorts',
      'events_list',
    ]);
    for (const stream of catalog.streams) {
      expect(stream['source_defined_primary_key']).toHaveLength(1);
      expect(stream['supported_sync_modes']).toContain('full_refresh');
      expect(
        Object.keys((stream['json_schema'] as { properties: object }).properties).length,
      ).toBeGreaterThan(1);
    }
    expect(requests).toEqual([]);
  });

  it('needs a configuration that is valid', async () => {
    const { error } = await run(
      { command: 'discover', config: 'c' },
      { c: { api_key: '', secret_key: 'x' } },
    );
    expect(error).toMatchObject({ kind: 'config', message: expect.stringContaining('(api_key)') });
  });
});

describe('files', () => {
  it.each<[string, Invocation['command'], Record<string, unknown>, string]>([
    ['configuration that is missing', 'check', {}, 'c cannot be read (ENOENT)'],
    ['configuration that is no JSON', 'check', { c: '{"api_key": "very-private' }, 'JSON'],
    ['configuration that is empty', 'check', { c: '' }, 'empty'],
    ['configuration that is a list', 'check', { c: [] }, 'not a JSON object'],
    ['catalog that is missing', 'read', { c: KEYS }, 'k cannot be read (ENOENT)'],
    ['catalog that is no JSON', 'read', { c: KEYS, k: 'streams:' }, 'JSON'],
    ['state that is missing', 'read', { c: KEYS, k: { streams: [] } }, 's cannot be read (ENOENT)'],
    ['state that is no JSON', 'read', { c: KEYS, k: { streams: [] }, s: '{' }, 'JSON'],
  ])('a %s is named', async (_what, command, files, words) => {
    const { error } = await run({ command, config: 'c', catalog: 'k', state: 's' }, files);
    expect(error).toBeInstanceOf(ConnectorFailure);
    expect((error as ConnectorFailure).message).toContain(words);
    expect((error as ConnectorFailure).message).not.toContain('private');
  });
});

describe('check', () => {
  it('succeeds with one request, with the keys, by our name', async () => {
    const { output, exitCode } = await run({ command: 'check', config: 'c' }, { c: config() });
    expect(exitCode).toBe(0);
    expect(output.ofType('CONNECTION_STATUS').map(({ value }) => value['connectionStatus'])).toEqual([
      { status: 'SUCCEEDED' },
    ]);
    const basic = `Basic ${Buffer.from('the-api-key:the-secret-key').toString('base64')}`;
    expect(requests).toEqual([
      {
        path: '/api/3/annotations',
        authorization: basic,
        agent: expect.stringMatching(/^source-amplitude\/\d/),
      },
    ]);
  });

  it('fails, with exit code 0, on what the user can mend, and shows no key', async () => {
    answer = () => [401, '{"error":{"message":"the-secret-key is not known"}}'];
    const { output, exitCode } = await run({ command: 'check', config: 'c' }, { c: config() });
    expect(exitCode).toBe(0);
    const status = output.ofType('CONNECTION_STATUS')[0]!.value['connectionStatus'] as Record<string, string>;
    expect(status['status']).toBe('FAILED');
    expect(status['message']).toContain('HTTP 401: **** is not known');
    expect(output.stdout).not.toContain('the-secret-key');
  });

  it('fails on a configuration that is not valid', async () => {
    const { output } = await run({ command: 'check', config: 'c' }, { c: config({ data_region: 'Moon' }) });
    expect(output.ofType('CONNECTION_STATUS')[0]!.value['connectionStatus']).toMatchObject({
      status: 'FAILED',
      message: expect.stringContaining('(data_region)'),
    });
    expect(requests).toEqual([]);
  });

  it('throws what the user cannot mend, after two retries', async () => {
    answer = () => [503, 'busy'];
    const { error, output } = await run({ command: 'check', config: 'c' }, { c: config() });
    expect(error).toMatchObject({ kind: 'transient', status: 503 });
    expect(output.ofType('CONNECTION_STATUS')).toEqual([]);
    expect(requests).toHaveLength(3);
  });

  it('warns of plain http', async () => {
    const { output } = await run({ command: 'check', config: 'c' }, { c: config() });
    expect(output.logsOf('WARN')).toEqual([expect.stringContaining('plain http')]);
  });
});

describe('read', () => {
  const read = (
    files: Readonly<Record<string, unknown>>,
    environment?: Readonly<Record<string, string>>,
  ): Promise<Run> =>
    run(
      { command: 'read', config: 'c', catalog: 'k', ...(files['s'] !== undefined && { state: 's' }) },
      files,
      environment,
    );

  it('reads the streams of the catalog and leaves no file', async () => {
    const catalog = catalogOf('events', 'annotations', 'cohorts');
    const { output, exitCode, error } = await read({ c: config({ start_date: 'P1D' }), k: catalog });
    expect(error).toBeUndefined();
    expect(exitCode).toBe(0);
    assertProtocol(output, catalog as Parameters<typeof assertProtocol>[1]);
    expect(output.records('events').map(({ data }) => data)).toEqual([
      { uuid: 'u', server_upload_time: '2026-10-04T05:00:00+00:00', app: 1 },
    ]);
    expect(output.records('annotations')[0]!.data).toMatchObject({ id: 1, date: '2026-10-01' });
    expect(output.records('cohorts')).toHaveLength(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('goes on from the state, and isolates a stream whose state cannot be used', async () => {
    const state = (name: string, stream_state: object): object => ({
      type: 'STREAM',
      stream: { stream_descriptor: { name }, stream_state },
    });
    const { output, exitCode } = await read({
      c: config({ lookback_hours: 0 }),
      k: catalogOf('events', 'active_users', 'cohorts'),
      s: [state('events', { server_upload_time: '20261004T04' }), state('active_users', { date: 'never' })],
    });
    expect(exitCode).toBe(1);
    const exports = requests.filter(({ path }) => path.startsWith('/api/2/export'));
    expect(exports.map(({ path }) => path)).toEqual(['/api/2/export?start=20261004T05&end=20261004T09']);
    expect(output.errors).toEqual([
      expect.objectContaining({
        failure_type: 'config_error',
        message: expect.stringContaining('stream active_users'),
      }),
    ]);
    expect(output.statusNames('active_users').at(-1)).toBe('INCOMPLETE');
    expect(output.statusNames('events').at(-1)).toBe('COMPLETE');
    expect(output.statusNames('cohorts').at(-1)).toBe('COMPLETE');
    // The state that could not be used is not replaced by another.
    expect(output.states('active_users').map(({ stream }) => stream.stream_state)).toEqual([
      { date: 'never' },
    ]);
  });

  it('ends with 1 when a stream is not known, and reads the others', async () => {
    const { output, exitCode } = await read({ c: config(), k: catalogOf('unheard_of', 'cohorts') });
    expect(exitCode).toBe(1);
    expect(output.errors[0]).toMatchObject({
      failure_type: 'config_error',
      message: expect.stringMatching(/no stream "unheard_of".*cohorts/),
    });
    expect(output.records('cohorts')).toHaveLength(1);
  });

  it('leaves out what the catalog does not list, but not what it does not know', async () => {
    const catalog = {
      streams: [
        {
          stream: {
            name: 'cohorts',
            json_schema: { properties: { name: {} } },
            supported_sync_modes: ['full_refresh'],
          },
          sync_mode: 'full_refresh',
          destination_sync_mode: 'append',
        },
      ],
    };
    answer = () => [200, JSON.stringify({ cohorts: [{ id: 'c', name: 'n', size: 5, brand_new: 1 }] })];
    const { output } = await read({ c: config(), k: catalog });
    expect(output.records('cohorts')[0]!.data).toEqual({ id: 'c', name: 'n', brand_new: 1 });
  });

  it('of no streams does nothing, says so, and ends well', async () => {
    const { output, exitCode } = await read({ c: config(), k: { streams: [] } });
    expect(exitCode).toBe(0);
    expect(output.logsOf('WARN').some((message) => /nothing to read/.test(message))).toBe(true);
    expect(requests).toEqual([]);
  });

  it('from a start in the future reads nothing by date, warns, and ends well', async () => {
    const { output, exitCode } = await read({
      c: config({ start_date: '2030-01-01' }),
      k: catalogOf('events'),
    });
    expect(exitCode).toBe(0);
    expect(output.records()).toEqual([]);
    expect(output.logsOf('WARN').some((message) => /future/.test(message))).toBe(true);
    expect(requests).toEqual([]);
  });

  it('refuses a socket channel, which nobody would read', async () => {
    const { error } = await read({ c: config(), k: catalogOf('cohorts') }, { DATA_CHANNEL_MEDIUM: 'SOCKET' });
    expect(error).toMatchObject({ kind: 'system', message: expect.stringContaining('DATA_CHANNEL_MEDIUM') });
  });
});

describe('secrets', () => {
  it('are hidden as they are sent, one by one and together, before anything is said of the configuration', async () => {
    const { hidden } = await run(
      { command: 'discover', config: 'c' },
      { c: { api_key: ' a-key ', secret_key: 'b-key\n', data_region: 'Moon' } },
    );
    expect(hidden).toEqual(['a-key', 'b-key', 'a-key:b-key']);
  });
});
