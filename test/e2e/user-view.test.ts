import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertSuccess } from '../harness/assert-success';
import { FAST, PROGRAM, runConnector } from '../harness/connector';
import { catalogOf, configFor, stateOf, STREAMS } from '../harness/inputs';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';

describe('the log of a read', () => {
  it.concurrent('has one line per window with its range, bytes, records and seconds', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const config = configFor(simulator, { end_date: SECOND_DAY, request_time_range: 12 });
      const output = await runConnector(['read'], { config, catalog: catalogOf(['events']) });
      assertSuccess(output);
      const lines = output.logsOf('INFO').filter((message) => message.startsWith('events: '));
      const form =
        /^events: (\d{8}T\d\d\.\.\d{8}T\d\d): (\d+) records, (\d+) bytes of text from an archive of (\d+) bytes, downloaded in \d+\.\d s, read in \d+\.\d s\.$/;
      const parsed = lines.map((line) => form.exec(line));
      expect(parsed.map((match) => match?.[1])).toEqual([
        '20240301T00..20240301T11',
        '20240301T12..20240301T23',
        '20240302T00..20240302T11',
        '20240302T12..20240302T23',
      ]);
      expect(parsed.map((match) => Number(match?.[2]))).toEqual([60, 60, 60, 60]);
      const archives = simulator.log.exportRequests().map(({ bytesSent }) => bytesSent);
      expect(parsed.map((match) => Number(match?.[4]))).toEqual(archives);
      for (const match of parsed) expect(Number(match?.[3])).toBeGreaterThan(Number(match?.[4]));
    });
  });

  it.concurrent('has a line for a window without data, and one per slice of a daily stream', async () => {
    const data = { ...TWO_DAYS.data, eventsPerHour: 0 };
    await withSimulator({ ...TWO_DAYS, data }, async (simulator) => {
      const catalog = catalogOf(['events', 'average_session_length']);
      const output = await runConnector(['read'], {
        config: configFor(simulator, { start_date: '2024-02-10', end_date: SECOND_DAY }),
        catalog,
      });
      assertSuccess(output, catalog);
      const info = output.logsOf('INFO').join('\n');
      expect(info).toMatch(/events: 20240210T00\.\.20240210T23: no data \(answered in \d+\.\d s\)\./);
      expect(info).toMatch(/average_session_length: 20240210\.\.20240224: 15 records in \d+\.\d s\./);
      expect(info).toMatch(/average_session_length: 20240225\.\.20240302: 7 records in \d+\.\d s\./);
    });
  });

  it.concurrent.each([
    [['read', '--debug'], {}],
    [['read'], { LOG_LEVEL: 'debug' }],
    [['read'], {}],
  ])('names every request and its answer at DEBUG when asked to: %j %j', async (args, env) => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      simulator.fault({ match: { path: '/api/2/export', nth: 1 }, action: 'server-error-500' });
      const output = await runConnector(args, {
        config: configFor(simulator, { end_date: SECOND_DAY }),
        catalog: catalogOf(['events', 'cohorts']),
        env,
      });
      assertSuccess(output);
      const asked = args.length > 1 || 'LOG_LEVEL' in env;
      const lines = output.logsOf('DEBUG').map((line) => line.replace(/ after \d+ ms\.$/, ''));
      const { host } = new URL(simulator.baseUrl);
      const named = simulator.log.entries.map(
        ({ path, search, status }) =>
          `${path === '/api/2/export' ? 'events' : 'cohorts'}: GET ${path}${search}: ${host} answered ${status}`,
      );
      expect(named.length).toBeGreaterThanOrEqual(4);
      expect(lines.sort()).toEqual(asked ? named.sort() : []);
    });
  });

  it.concurrent('names the window that a lasting time-out was about', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      simulator.fault({ match: { path: '/api/2/export' }, action: 'gateway-timeout-504' });
      const output = await runConnector(['read'], {
        config: configFor(simulator, { end_date: SECOND_DAY }),
        catalog: catalogOf(['events']),
      });
      expect(output.exitCode).toBe(1);
      expect(output.errors.map(({ message }) => message)).toEqual([
        expect.stringContaining('GET /api/2/export?start=20240301T00&end=20240301T00.'),
      ]);
    });
  });

  it.concurrent(
    'ends with a summary per stream: records, windows, requests, state before and after',
    async () => {
      await withSimulator(TWO_DAYS, async (simulator) => {
        simulator.fault({ match: { path: '/api/3/cohorts', times: 1 }, action: 'server-error-500' });
        const catalog = catalogOf(STREAMS);
        const state = stateOf({ events: { server_upload_time: '20240301T11' } });
        const output = await runConnector(['read'], {
          config: configFor(simulator, { end_date: SECOND_DAY }),
          catalog,
          state,
        });
        assertSuccess(output, catalog);
        const summaries = output.messages
          .slice(-STREAMS.length)
          .map(({ value }) => (value['log'] as { message: string } | undefined)?.message ?? '');
        expect(
          summaries.map((line) => /^Summary of (\w+): complete in \d+\.\d s; /.exec(line)?.[1]).sort(),
        ).toEqual([...STREAMS]);
        // On a busy machine a request may be held back for a second, which is told as well.
        const ofStream = (stream: string): string =>
          (summaries.find((line) => line.startsWith(`Summary of ${stream}:`)) ?? '').replace(
            / seconds held back \d+,/,
            '',
          );
        expect(ofStream('events')).toMatch(
          /records 195, requests 2, windows 2; state \{"server_upload_time":"20240301T11"\} -> \{"server_upload_time":"20240302T23"\}$/,
        );
        expect(ofStream('active_users')).toMatch(
          /records 2, requests 1, windows 1; state none -> \{"date":"2024-03-02"\}$/,
        );
        expect(ofStream('cohorts')).toMatch(/requests 2, retries 1/);
      });
    },
  );

  it.concurrent('tells of each retry and why, and of what it waits for', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      simulator.fault({ match: { times: 2 }, action: 'unavailable-503' });
      const output = await runConnector(['read'], {
        config: configFor(simulator),
        catalog: catalogOf(['cohorts']),
      });
      assertSuccess(output);
      const warnings = output.logsOf('WARN').filter((message) => message.startsWith('cohorts: Retry'));
      expect(
        warnings.map((message) => /^cohorts: Retry (\d) in \d+\.\d s: .*503/.exec(message)?.[1]),
      ).toEqual(['1', '2']);
    });
  });

  it.concurrent('warns of plain http, once', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const output = await runConnector(['check'], { config: configFor(simulator) });
      expect(output.logsOf('WARN')).toEqual([expect.stringMatching(/base_url.*plain http/)]);
    });
  });
});

describe('stderr', () => {
  it.concurrent.each([['check'], ['discover'], ['read']])(
    'of %s stays empty when it is no terminal, also when streams fail',
    async (command) => {
      await withSimulator(TWO_DAYS, async (simulator) => {
        simulator.fault({ action: 'no-permission-403' });
        const files = command === 'read' ? { catalog: catalogOf(STREAMS) } : {};
        const output = await runConnector([command], {
          config: configFor(simulator, { end_date: SECOND_DAY }),
          ...files,
        });
        expect(output.stderr).toBe('');
        expect(output.messages.length).toBeGreaterThan(0);
      });
    },
  );
});

/** Runs a shell command whose stderr is a terminal, by what the system has for it; resolves to what the terminal showed. */
function runOnTerminal(command: string, env: Readonly<Record<string, string>>): Promise<string> {
  const [program, ...args] = terminalFor(command);
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const shown: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => shown.push(chunk));
    child.once('error', reject);
    child.once('close', () => resolve(Buffer.concat(shown).toString()));
  });
}

function terminalFor(command: string): string[] {
  const exists = (program: string): boolean =>
    spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
  if (exists('script')) return ['script', '-q', '-e', '-c', command, '/dev/null'];
  if (exists('python3'))
    return ['python3', '-c', 'import pty, sys; pty.spawn(["sh", "-c", sys.argv[1]])', command];
  throw new Error('neither script (util-linux) nor python3 is there to make a terminal');
}

describe('on a terminal', () => {
  it.concurrent(
    'a line per stream is drawn in place, with its records and cursor, and stdout holds messages only',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'terminal-'));
      try {
        await withSimulator(TWO_DAYS, async (simulator) => {
          const write = (name: string, content: unknown): string => {
            const path = join(folder, name);
            writeFileSync(path, JSON.stringify(content));
            return path;
          };
          const config = write('config.json', configFor(simulator, { end_date: SECOND_DAY }));
          const catalog = write('catalog.json', catalogOf(['events', 'cohorts']));
          const messages = join(folder, 'messages.jsonl');
          const command = `stty cols 100 rows 30; '${PROGRAM}' read --config '${config}' --catalog '${catalog}' > '${messages}'`;
          const shown = await runOnTerminal(command, { ...FAST, TERM: 'xterm', SHELL: '/bin/sh' });
          const lines = shown.split(/\r?\n/);
          expect(
            lines.some((line) => /events +complete +240 records +\d+\.\d MB +20240302T23/.test(line)),
          ).toBe(true);
          expect(lines.some((line) => /cohorts +complete +3 records/.test(line))).toBe(true);
          expect(shown).not.toContain('"type"');
          // Each line is cleared before it is drawn, and none is wider than the terminal.
          const drawn = lines.filter((line) => line.includes('records'));
          for (const line of drawn) {
            expect(line).toContain('\u001b[2K');
            expect(line.replace(/\u001b\[\d*[A-Z]/g, '').length).toBeLessThan(100);
          }
        });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

describe('--help', () => {
  it.concurrent.each([[['--help']], [['-h']], [['read', '--help']], [['check', '--config', 'x', '-h']]])(
    '%j explains the commands, their flags and the exit codes',
    async (args) => {
      const output = await runConnector(args);
      expect([output.exitCode, output.stderr]).toEqual([0, '']);
      for (const text of [
        'spec',
        'check',
        'discover',
        'read',
        '--config',
        '--catalog',
        '--state',
        '--debug',
        'Exit codes',
        'LOG_LEVEL',
      ]) {
        expect(output.stdout).toContain(text);
      }
      expect(Math.max(...output.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
    },
  );
});
