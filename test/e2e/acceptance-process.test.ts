import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertProtocol } from '../harness/assert-protocol';
import { assertSuccess } from '../harness/assert-success';
import { runConnector, startConnector } from '../harness/connector';
import { BUILD, catalogOf, configFor, STREAMS } from '../harness/inputs';
import { untilAtRest } from '../harness/process-state';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';

/*
 * Section 7.9 of Airbyte's acceptance checklist, the part about the process: flags, files, signals, network. The others are in
 * acceptance-pipes.test.ts and acceptance-content.test.ts. A test's name starts with the number of its check.
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
  });
});
