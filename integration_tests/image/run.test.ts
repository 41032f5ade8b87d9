import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DAY_MS, HOUR_MS, floorHour, formatHour } from '../../simulator/hours';
import { Simulator } from '../../simulator/simulator';
import { assertProtocol, type CheckedCatalog } from '../../test/harness/assert-protocol';
import { type AirbyteOutput } from '../../test/harness/airbyte-output';
import { writeBigArchive } from './big-archive';
import { configureAll, HARDENED, runContainer, runCounting, Verbatim } from './connector';
import { docker, hostAddress, IMAGE, ROOT, succeed } from './docker';

/** Of 2,000 events each: about 400 MB of JSON. */
const BIG_PARTS = 120;

/** Two days of data that end four hours ago, so that every hour has long been loaded when a test reads it. */
const END_MS = floorHour(Date.now()) - 4 * HOUR_MS;
const START_MS = END_MS - 2 * DAY_MS;
const LAST_HOUR = formatHour(END_MS - HOUR_MS);
const iso = (ms: number): string => new Date(ms).toISOString();

describe('the image, run', () => {
  let simulator: Simulator;
  let config: Readonly<Record<string, unknown>>;

  beforeAll(async () => {
    const host = await hostAddress();
    simulator = await Simulator.start({
      host: '0.0.0.0',
      advertisedHost: host,
      data: { startHour: formatHour(START_MS), hours: 48, eventsPerHour: 25 },
    });
    const { apiKey, secretKey } = simulator.settings.credentials;
    config = {
      api_key: apiKey,
      secret_key: secretKey,
      start_date: iso(START_MS),
      end_date: iso(END_MS),
      lookback_hours: 2,
      base_url: simulator.baseUrl,
    };
  });

  afterEach(() => simulator.reset());
  afterAll(() => simulator.close());

  const run = (
    command: string,
    files: Readonly<Record<string, unknown>>,
    flags = HARDENED,
  ): Promise<AirbyteOutput> => {
    const options = Object.keys(files).map((name) => `--${path.parse(name).name}=/secrets/${name}`);
    return runContainer({ files, flags, command: [command, ...options] });
  };

  const discover = async (only?: readonly string[]): Promise<CheckedCatalog> => {
    const output = await run('discover', { 'config.json': config });
    expect(output.errors).toEqual([]);
    return configureAll(output.catalog, only) as CheckedCatalog;
  };

  test('24: spec needs no mount, no network and no right', async () => {
    const startedMs = performance.now();
    const output = await docker('run', '--rm', '--network=none', ...HARDENED, IMAGE, 'spec');
    console.info(`docker run … spec: ${((performance.now() - startedMs) / 1000).toFixed(2)} s`);
    expect(output).toMatchObject({ exitCode: 0, stderr: '' });
    const lines = output.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    const spec = JSON.parse(await readFile(path.join(ROOT, 'spec.json'), 'utf8')) as object;
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ type: 'SPEC', spec });
  });

  test('57: the commands run with a read-only root, no capabilities and 256 MB, and read everything exactly once', async () => {
    const check = await run('check', { 'config.json': config });
    expect(check.connectionStatus).toMatchObject({ status: 'SUCCEEDED' });

    const catalog = await discover();
    const first = await run('read', { 'config.json': config, 'catalog.json': catalog });
    expect(first).toMatchObject({ exitCode: 0, stderr: '', unparsed: [] });
    assertProtocol(first, catalog);
    const truth = [...simulator.truth({ endHour: LAST_HOUR })].map(({ uuid }) => uuid);
    expect(
      first
        .records('events')
        .map(({ data }) => data['uuid'])
        .sort(),
    ).toEqual(truth.sort());
    for (const { stream } of (catalog as { streams: { stream: { name: string } }[] }).streams) {
      expect(first.records(stream.name).length).toBeGreaterThan(0);
    }
    const secrets = [config['api_key'], config['secret_key']].map(String);
    for (const secret of secrets) expect(first.stdout).not.toContain(secret);

    const second = await run('read', {
      'config.json': config,
      'catalog.json': catalog,
      'state.json': first.mostRecentState,
    });
    expect(second).toMatchObject({ exitCode: 0, stderr: '', unparsed: [] });
    assertProtocol(second, catalog);
    // Nothing is new: only the two hours of the lookback are read again.
    const lookback = formatHour(END_MS - 2 * HOUR_MS);
    const expected = [...simulator.truth({ startHour: lookback, endHour: LAST_HOUR })];
    expect(
      second
        .records('events')
        .map(({ data }) => data['uuid'])
        .sort(),
    ).toEqual(expected.map(({ uuid }) => uuid).sort());
  });

  test('5: it runs as the platform starts it, through sh and from /source', async () => {
    const catalog = await discover(['events', 'annotations']);
    const read = 'read --config /source/connectorConfig.json --catalog /source/catalog.json';
    const output = await runContainer({
      folder: '/source',
      files: { 'connectorConfig.json': config, 'catalog.json': catalog },
      flags: [
        '--workdir=/source',
        '--user=1000:1000',
        '--cap-drop=ALL',
        '--security-opt=no-new-privileges',
        '--entrypoint=sh',
      ],
      command: ['-c', `eval "$AIRBYTE_ENTRYPOINT ${read}"`],
    });
    expect(output).toMatchObject({ exitCode: 0, stderr: '', unparsed: [] });
    assertProtocol(output, catalog);
    expect(output.records('events')).toHaveLength([...simulator.truth({ endHour: LAST_HOUR })].length);
  });

  test('PID 1 ends with 143 on SIGTERM, in the middle of a request', async () => {
    const catalog = await discover(['events']);
    const asked = new Promise<void>((resolve) => {
      const when = (): boolean => {
        resolve();
        return true;
      };
      simulator.fault({ match: { path: '/api/2/export', when }, action: 'stall-before-headers' });
    });
    const name = `image-test-term-${process.pid}`;
    const files = { 'config.json': config, 'catalog.json': catalog };
    const command = ['read', '--config=/secrets/config.json', '--catalog=/secrets/catalog.json'];
    const running = runContainer({ files, flags: HARDENED, command, name });
    await asked;
    // After these 10 s the engine would send SIGKILL, and the code would be 137.
    await succeed('stop', '-t', '10', name);
    const output = await running;
    expect(output).toMatchObject({ exitCode: 143, unparsed: [] });
    assertProtocol(output, catalog, { cut: true });
    expect(output.statusNames('events')).not.toContain('COMPLETE');
  });

  test('a read writes nowhere but in the temp folder and leaves nothing there', async () => {
    const catalog = await discover();
    const name = `image-test-diff-${process.pid}`;
    const files = { 'config.json': config, 'catalog.json': catalog };
    const command = ['read', '--config=/secrets/config.json', '--catalog=/secrets/catalog.json'];
    try {
      const output = await runContainer({ name, files, command, keep: true });
      expect(output).toMatchObject({ exitCode: 0, stderr: '', unparsed: [] });
      // A new file shows as A, a folder whose content changed as C: a removed temp file leaves `C /tmp`.
      const changes = (await succeed('diff', name))
        .split('\n')
        .filter((line) => line !== '' && line !== 'C /tmp');
      expect(changes).toEqual([]);
    } finally {
      await docker('rm', '--force', name);
    }
  });

  test('a window larger than the container is read whole in 256 MB', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'image-test-'));
    const name = `image-test-memory-${process.pid}`;
    try {
      const archive = path.join(folder, 'archive.zip');
      const made = await writeBigArchive(archive, END_MS - HOUR_MS, BIG_PARTS);
      expect(made.rawBytes).toBeGreaterThan(256 * 2 ** 20);
      await simulator.addReadyArchive(LAST_HOUR, LAST_HOUR, archive);
      const { output, records, bytes } = await runCounting({
        name,
        files: {
          'config.json': { ...config, start_date: iso(END_MS - HOUR_MS) },
          'catalog.json': await discover(['events']),
        },
        flags: HARDENED,
        command: ['read', '--config=/secrets/config.json', '--catalog=/secrets/catalog.json'],
        keep: true,
      });
      const killed = await succeed('inspect', '--format={{.State.OOMKilled}}', name);
      expect({ killed: killed.trim(), exitCode: output.exitCode }).toEqual({ killed: 'false', exitCode: 0 });
      expect(records).toBe(made.events);
      console.info(`${(bytes / 1e6).toFixed(0)} MB of messages out of a container of 268 MB`);
    } finally {
      await docker('rm', '--force', name);
      await rm(folder, { recursive: true, force: true });
    }
  });

  test.each([
    ['40 % of the container', ['--memory=256m', '--memory-swap=256m'], [], 102],
    ['at most 1 GiB', ['--memory=8g'], [], 1024],
    ['as NODE_OPTIONS says', ['--memory=256m', '--memory-swap=256m'], ['--max-old-space-size=77'], 77],
  ])('the heap limit is %s', async (_, memory, nodeOptions, megabytes) => {
    const probe =
      "process.on('exit',()=>process.stderr.write(String(require('v8').getHeapStatistics().heap_size_limit)))";
    const options = [...nodeOptions, '--require=/secrets/probe.js'].join(' ');
    const output = await runContainer({
      files: { 'probe.js': new Verbatim(probe) },
      flags: [...memory, `--env=NODE_OPTIONS=${options}`],
      command: ['spec'],
    });
    expect(output.exitCode).toBe(0);
    // V8 counts its young generation on top, whose size depends on the machine's memory too: 24 to 192 MB.
    const limit = Number(output.stderr) / 2 ** 20;
    expect(limit).toBeGreaterThanOrEqual(megabytes);
    expect(limit).toBeLessThanOrEqual(megabytes + 192);
  });
});
