import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { AirbyteOutput } from './airbyte-output';

/** The built program. SOURCE_AMPLITUDE_PROGRAM points every suite at another build, such as an installed one. */
export const PROGRAM =
  process.env['SOURCE_AMPLITUDE_PROGRAM'] ?? join(__dirname, '..', '..', 'bin', 'source-amplitude');

/** Length of Amplitude's cost window in tests: 300 in the real world. `startSimulator` gives the simulator the same. */
export const COST_WINDOW_SECONDS = 0.2;

/** Waits that would take seconds against Amplitude take moments. */
export const FAST: Readonly<Record<string, string>> = {
  AMPLITUDE_RETRY_BASE_SECONDS: '0.01',
  AMPLITUDE_PACE_SECONDS: '0.01',
  AMPLITUDE_COST_WINDOW_SECONDS: String(COST_WINDOW_SECONDS),
};

export interface RunOptions {
  /**
   * Content of the file for the flag of the same name; the flag is left out without it. A text or bytes are written as they
   * stand, anything else as JSON.
   */
  readonly config?: unknown;
  readonly catalog?: unknown;
  readonly state?: unknown;
  /** Added to `FAST` and PATH: nothing else of this process's environment is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Default: the program by itself. Put before it: `['strace', '-f']`, or an interpreter with its flags. */
  readonly launcher?: readonly string[];
  /** For other ways of calling the program than by its file. */
  readonly program?: string;
  /**
   * Leaves stdout to the caller: `true` unread in `child.stdout`, a number as this open file or pipe. The output's stdout is
   * empty then.
   */
  readonly ownStdout?: true | number;
}

/** What a finished run left: its messages (see AirbyteOutput), and files in its temporary folder. */
export class ConnectorOutput extends AirbyteOutput {
  constructor(
    stdout: string,
    stderr: string,
    exitCode: number | null,
    signal: string | null,
    /** Names below TMPDIR after the run; a clean run leaves none. Always empty when TMPDIR was given by `env`. */
    readonly leftInTemp: readonly string[],
  ) {
    super(stdout, stderr, exitCode, signal);
  }
}

/** A run under way. */
export interface RunningConnector {
  readonly child: ChildProcess & { readonly stdout: Readable; readonly stderr: Readable };
  readonly pid: number;
  /** Resolves when the program has ended and its output is read. Never rejects because of how it ended. */
  readonly finished: Promise<ConnectorOutput>;
  /** Resolves when stdout holds the text (ASCII); rejects when the run ends without it. */
  printed(text: string): Promise<void>;
}

/** Runs the program to its end: `runConnector(['read'], { config, catalog })`. */
export function runConnector(args: readonly string[], options: RunOptions = {}): Promise<ConnectorOutput> {
  return startConnector(args, options).finished;
}

/** Starts the program, for tests that look at a run before its end or end it themselves. */
export function startConnector(args: readonly string[], options: RunOptions = {}): RunningConnector {
  const { ownStdout } = options;
  const folder = mkdtempSync(join(tmpdir(), 'connector-run-'));
  const ownTemp = join(folder, 'tmp');
  mkdirSync(ownTemp);
  const flags = (['config', 'catalog', 'state'] as const).flatMap((flag) => {
    const content = options[flag];
    return content === undefined ? [] : [`--${flag}`, writeInput(folder, flag, content)];
  });
  const [command = PROGRAM, ...before] = [...(options.launcher ?? []), options.program ?? PROGRAM];
  const child = spawn(command, [...before, ...args, ...flags], {
    cwd: options.cwd ?? folder,
    env: { PATH: process.env['PATH'], TMPDIR: ownTemp, ...FAST, ...options.env },
    stdio: ['ignore', typeof ownStdout === 'number' ? ownStdout : 'pipe', 'pipe'],
  }) as RunningConnector['child'];
  const stdout = ownStdout === undefined ? collect(child.stdout) : undefined;
  const stderr = collect(child.stderr);
  const finished = new Promise<ConnectorOutput>((resolve, reject) => {
    child.once('error', reject);
    const settle = (exitCode: number | null, signal: string | null): void => {
      const left = readdirSync(ownTemp);
      rmSync(folder, { recursive: true, force: true });
      resolve(new ConnectorOutput(stdout?.text() ?? '', stderr.text(), exitCode, signal, left));
    };
    // Whoever has stdout himself may leave it unread, and then it never closes.
    child.once(ownStdout === undefined ? 'close' : 'exit', settle);
  });
  return {
    child,
    pid: child.pid ?? 0,
    finished,
    printed: (text) => waitFor(text, child, stdout, finished),
  };
}

interface Collected {
  text(): string;
}

function collect(stream: Readable): Collected {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { text: () => Buffer.concat(chunks).toString('utf8') };
}

async function waitFor(
  text: string,
  child: ChildProcess & { readonly stdout: Readable },
  stdout: Collected | undefined,
  finished: Promise<ConnectorOutput>,
): Promise<void> {
  if (stdout === undefined) throw new Error('stdout is in the hands of the caller');
  await new Promise<void>((resolve, reject) => {
    // Only what is new is searched, and enough of what came before it that a text cut in two is found.
    let recent = stdout.text();
    const look = (chunk = Buffer.alloc(0)): void => {
      recent += chunk.toString('latin1');
      if (recent.includes(text)) {
        child.stdout.off('data', look);
        resolve();
      }
      recent = recent.slice(-text.length);
    };
    child.stdout.on('data', look);
    look();
    finished.then(() => reject(new Error(`the run ended without printing ${text}`)), reject);
  });
}

function writeInput(folder: string, flag: string, content: unknown): string {
  const path = join(folder, `${flag}.json`);
  const asItStands = typeof content === 'string' || Buffer.isBuffer(content);
  writeFileSync(path, asItStands ? content : JSON.stringify(content));
  return path;
}
