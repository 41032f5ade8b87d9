import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertProtocol } from '../harness/assert-protocol';
import { assertSuccess } from '../harness/assert-success';
import { AirbyteOutput } from '../harness/airbyte-output';
import { PROGRAM, runConnector, startConnector } from '../harness/connector';
import { BUILD, catalogOf, configFor, STREAMS } from '../harness/inputs';
import { peakMemoryMb, untilAtRest } from '../harness/process-state';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';

/*
 * Section 7.9 of Airbyte's acceptance checklist, the part about the process: files, pipes, signals, memory. The other part is in
 * acceptance-content.test.ts. A test's name starts with the number of its check.
 */
const EVENTS = catalogOf(['events']);
const NO_NETWORK = join(__dirname, '..', 'harness', 'programs', 'forbid-network.js');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'acceptance-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('75: a read of everything prints valid JSON lines only, and nothing on stderr', async () => {
  await withSimulator(TWO_DAYS, async (simulator) => {
    const catalog = catalogOf(STREAMS);
    const output = await runConnector(['read'], {
      config: configFor(simulator, { end_date: SECOND_DAY }),
      catalog,
    });
    assertSuccess(output, catalog);
    expect(output.stderr).toBe('');
    expect(output.unparsed).toEqual([]);
    for (const line of output.stdout.trimEnd().split('\n')) expect(line).toMatch(/^\{"type":"[A-Z_]+",/);
  });
});

describe('77: flags', () => {
  const orders: readonly (readonly [string, (files: Record<string, string>) => string[]])[] = [
    [
      'in the usual order',
      ({ config, catalog, state }) => ['read', '--config', config!, '--catalog', catalog!, '--state', state!],
    ],
    [
      'in another order, some with an equals sign',
      ({ config, catalog, state }) => [
        'read',
        `--state=${state!}`,
        '--catalog',
        catalog!,
        `--config=${config!}`,
      ],
    ],
    [
      'before the command',
      ({ config, catalog, state }) => [
        '--config',
        config!,
        '--debug',
        `--catalog=${catalog!}`,
        '--state',
        state!,
        'read',
      ],
    ],
    [
      'with those of Airbyte’s Python CDK',
      ({ config, catalog }) => [
        'read',
        '--config',
        config!,
        '--catalog',
        catalog!,
        '--manifest-path',
        '/none',
        '--components-path=/none',
      ],
    ],
  ];

  it.each(orders)('%s work', async (_name, argsOf) => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const files: Record<string, string> = {};
      const contents = { config: configFor(simulator), catalog: catalogOf(['cohorts']), state: [] };
      for (const [name, content] of Object.entries(contents)) {
        files[name] = join(folder, `${name} ü`);
        writeFileSync(files[name]!, JSON.stringify(content));
      }
      const output = await runConnector(argsOf(files));
      assertSuccess(output, contents.catalog);
      expect(output.records()).toHaveLength(3);
    });
  });
});

describe('78: surroundings', () => {
  it('read-only .txt files, the root folder as the working directory, and a program folder that is not written to', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const contents = { config: configFor(simulator, { end_date: SECOND_DAY }), catalog: EVENTS, state: [] };
      const flags = Object.entries(contents).flatMap(([name, content]) => {
        const path = join(folder, `${name}.txt`);
        writeFileSync(path, JSON.stringify(content));
        chmodSync(path, 0o444);
        return [`--${name}`, path];
      });
      const before = readdirSync(BUILD);
      const output = await runConnector(['read', ...flags], { cwd: '/' });
      assertSuccess(output, EVENTS);
      expect(output.records().length).toBeGreaterThan(0);
      expect(readdirSync(BUILD)).toEqual(before);
    });
  });

  it('nothing may be written but the temporary folder: Node itself refuses the rest', async () => {
    const temp = join(folder, 'temp');
    mkdirSync(temp);
    const flag = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission';
    const network = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : [];
    const launcher = [
      process.execPath,
      '--no-warnings',
      flag,
      ...network,
      '--allow-fs-read=*',
      `--allow-fs-write=${temp}/*`,
    ];
    await withSimulator(TWO_DAYS, async (simulator) => {
      const options = { config: configFor(simulator, { end_date: SECOND_DAY }), catalog: EVENTS, launcher };
      const output = await runConnector(['read'], { ...options, env: { TMPDIR: temp } });
      assertSuccess(output, EVENTS);
      expect(output.records().length).toBeGreaterThan(0);
      expect(readdirSync(temp)).toEqual([]);
      // The refusal is real: with another temporary folder the same read fails and says why.
      const refused = await runConnector(['read'], { ...options, env: { TMPDIR: folder } });
      expect([refused.exitCode, refused.errors[0]?.failure_type]).toEqual([1, 'system_error']);
    });
  });

  it('a temporary folder that does not exist is named, and only the stream that needs it fails', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const catalog = catalogOf(['events', 'cohorts']);
      const missing = join(folder, 'missing');
      const output = await runConnector(['read'], {
        config: configFor(simulator, { end_date: SECOND_DAY }),
        catalog,
        env: { TMPDIR: missing },
      });
      assertProtocol(output, catalog);
      expect(output.errors.map(({ message }) => message)).toEqual([expect.stringContaining(missing)]);
      expect([output.statusNames('events').at(-1), output.statusNames('cohorts').at(-1)]).toEqual([
        'INCOMPLETE',
        'COMPLETE',
      ]);
    });
  });
});

it('81: a reader that leaves after one line ends the program quietly, with a failure', async () => {
  await withSimulator(TWO_DAYS, async (simulator) => {
    const run = startConnector(['read'], {
      config: configFor(simulator, { end_date: SECOND_DAY }),
      catalog: EVENTS,
      ownStdout: true,
    });
    await once(run.child.stdout, 'data');
    run.child.stdout.destroy();
    const output = await run.finished;
    expect([output.exitCode, output.signal, output.stderr]).toEqual([1, null, '']);
    expect(output.leftInTemp).toEqual([]);
  });
});

describe('82: SIGTERM', () => {
  it('in the middle of a read: last states, INCOMPLETE, no error, and death by that signal', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      simulator.fault({ match: { path: '/api/2/export', nth: 3 }, action: 'stall-mid-body' });
      const config = configFor(simulator, { end_date: SECOND_DAY, request_time_range: 6 });
      const run = startConnector(['read'], { config, catalog: EVENTS });
      await run.printed('{"server_upload_time":"20240301T11"}');
      const sentAt = Date.now();
      run.child.kill('SIGTERM');
      const output = await run.finished;
      expect(Date.now() - sentAt).toBeLessThan(10_000);
      expect([output.exitCode, output.signal, output.stderr]).toEqual([null, 'SIGTERM', '']);
      assertProtocol(output, EVENTS);
      expect(output.statusNames('events').at(-1)).toBe('INCOMPLETE');
      expect(output.states('events').at(-1)?.stream.stream_state).toEqual({
        server_upload_time: '20240301T11',
      });
      expect(output.records()).toHaveLength(12 * 5);
      expect(output.errors).toEqual([]);
      expect(output.leftInTemp).toEqual([]);
    });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s while Amplitude is silent ends the program at once',
    async (signal) => {
      await withSimulator(TWO_DAYS, async (simulator) => {
        simulator.fault({ action: 'stall-before-headers' });
        const catalog = catalogOf(STREAMS);
        const run = startConnector(['read'], { config: configFor(simulator), catalog });
        await run.printed('"STARTED"');
        await untilAtRest(run.pid);
        const sentAt = Date.now();
        run.child.kill(signal);
        const output = await run.finished;
        expect(Date.now() - sentAt).toBeLessThan(10_000);
        expect([output.signal, output.stderr]).toEqual([signal, '']);
        assertProtocol(output, catalog);
      });
    },
  );
});

it('83: more than 64 KiB of output just before the end arrive whole, also when nobody reads until the program waits', async () => {
  await withSimulator(TWO_DAYS, async (simulator) => {
    const run = startConnector(['read'], {
      config: configFor(simulator, { end_date: SECOND_DAY }),
      catalog: EVENTS,
      ownStdout: true,
    });
    await untilAtRest(run.pid);
    const chunks: Buffer[] = [];
    for await (const chunk of run.child.stdout) chunks.push(chunk as Buffer);
    const { exitCode, stderr } = await run.finished;
    const output = new AirbyteOutput(Buffer.concat(chunks).toString(), stderr, exitCode);
    expect(output.stdout.length).toBeGreaterThan(4 * 65_536);
    assertProtocol(output, EVENTS);
    expect([exitCode, output.records().length]).toEqual([0, 48 * 5]);
    expect(output.logs.at(-1)?.message).toMatch(/^Summary of events/);
  });
});

it('84: a reader that stops leaves memory flat: the program waits instead of collecting its output', async () => {
  // About 240 MB of output: 30,000 events of 8 KB, made of few bytes so that the simulator has little work.
  const filler = 'lorem ipsum '.repeat(650);
  const lines = (hour: number): string[] =>
    Array.from(
      { length: 5000 },
      (_, index) =>
        `{"uuid":"${String(hour)}-${String(index)}","server_upload_time":"2024-03-01 0${String(hour)}:00:00.000001","event_properties":{"text":"${filler}"}}`,
    );
  const hours = [0, 1, 2, 3, 4, 5];
  const extraLines = Object.fromEntries(hours.map((hour) => [`20240301T0${String(hour)}`, lines(hour)]));
  const data = { startHour: '20240301T00', hours: 6, eventsPerHour: 0, partsPerHour: 1, extraLines };
  await withSimulator({ data, now: TWO_DAYS.now, settings: { gzipLevel: 1 } }, async (simulator) => {
    const config = configFor(simulator, { end_date: '2024-03-01', request_time_range: 2 });
    const run = startConnector(['read'], { config, catalog: EVENTS, ownStdout: true });
    await once(run.child.stdout, 'readable');
    await untilAtRest(run.pid);
    const stalled = peakMemoryMb(run.pid);
    let bytes = 0;
    let peak = stalled;
    let rest = '';
    const uuids = new Set<string>();
    for await (const chunk of run.child.stdout) {
      bytes += (chunk as Buffer).length;
      if (run.child.exitCode === null && bytes < 200e6) peak = Math.max(peak, peakMemoryMb(run.pid));
      // A uuid may be cut in two by the chunks.
      const text = rest + (chunk as Buffer).toString('latin1');
      for (const [, uuid = ''] of text.matchAll(/"uuid":"([^"]+)"/g)) uuids.add(uuid);
      rest = text.slice(-40);
    }
    const { exitCode } = await run.finished;
    expect(exitCode).toBe(0);
    expect(bytes).toBeGreaterThan(230e6);
    expect(uuids.size).toBe(30_000);
    // An empty read takes about 100 MB; one that kept its output would take more than 300.
    expect(stalled).toBeLessThan(200);
    expect(peak).toBeLessThan(220);
  });
}, 120_000);

describe('93: without a network', () => {
  it.each([['spec'], ['--help'], ['read', '--help']])('%s %s works', async (...args) => {
    const output = await runConnector(
      args.filter((arg) => arg !== undefined),
      { env: { NODE_OPTIONS: `--require ${NO_NETWORK}` } },
    );
    expect([output.exitCode, output.stderr]).toEqual([0, '']);
  });

  it('discover works, and the guard would see a program that reaches for it', async () => {
    const env = { NODE_OPTIONS: `--require ${NO_NETWORK}` };
    await withSimulator(TWO_DAYS, async (simulator) => {
      assertSuccess(await runConnector(['discover'], { config: configFor(simulator), env }));
      expect((await runConnector(['check'], { config: configFor(simulator), env })).exitCode).toBe(97);
    });
  });

  it('spec needs neither a home folder, nor a temporary one, nor a working directory that can be written', async () => {
    const output = await runConnector(['spec'], { cwd: '/', env: { TMPDIR: '/missing', HOME: '/missing' } });
    assertSuccess(output);
    expect(PROGRAM).toMatch(/source-amplitude$/);
  });
});
