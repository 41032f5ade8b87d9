import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

/** What one run took. */
export interface Measurement {
  readonly wallSeconds: number;
  /** User and system time of all its processes, that of a discarding reader included. */
  readonly cpuSeconds: number;
  /** Sum of the peaks (VmHWM) of its processes, in bytes, without the shell and a discarding `cat`. */
  readonly peakRssBytes: number;
  /** Most bytes that stood in its temporary folder at one time. */
  readonly peakDiskBytes: number;
}

const POLL_MS = 20;
const UNCOUNTED = new Set(['bash', 'cat']);

/**
 * Runs a bash command line to its end and measures it. Linux only, because of /proc.
 * @param command Runs with `pipefail` and a fresh, empty TMPDIR.
 * @throws Error when it fails.
 */
export async function measure(
  command: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Measurement> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-run-'));
  try {
    const since = performance.now();
    // `times` prints user and system time of the shell and, in its second line, of all processes that it waited for.
    const shell = spawn('bash', ['-c', `set -o pipefail\n${command}\nstatus=$?; times >&3; exit $status`], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: folder, ...env },
    });
    let errors = '';
    let times = '';
    shell.stderr!.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    shell.stdio[3]!.on('data', (chunk: Buffer) => (times += chunk.toString()));
    const peaks = new Map<number, number>();
    let peakDiskBytes = 0;
    const poll = setInterval(() => {
      for (const pid of childrenOf(shell.pid!)) notePeak(pid, peaks);
      peakDiskBytes = Math.max(peakDiskBytes, sizeOf(folder));
    }, POLL_MS);
    let endedAt = 0;
    const status = await new Promise<number | null>((resolve, reject) => {
      shell.once('error', reject);
      shell.once('exit', () => (endedAt = performance.now()));
      shell.once('close', resolve);
    }).finally(() => clearInterval(poll));
    if (status !== 0) throw new Error(`"${command}" ended with ${status}: ${errors.slice(-2000)}`);
    return {
      wallSeconds: (endedAt - since) / 1000,
      cpuSeconds: parseTimes(times),
      peakRssBytes: [...peaks.values()].reduce((sum, peak) => sum + peak, 0),
      peakDiskBytes,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Processes below another one. */
function childrenOf(pid: number): number[] {
  const children = readIfThere(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...childrenOf(child)]);
}

/** VmHWM only grows while a process lives, so that the last look at it is its peak. */
function notePeak(pid: number, peaks: Map<number, number>): void {
  const status = readIfThere(`/proc/${pid}/status`);
  const name = /^Name:\t(.*)$/m.exec(status)?.[1];
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (name === undefined || peak === undefined) return;
  if (UNCOUNTED.has(name)) peaks.delete(pid);
  else peaks.set(pid, Number(peak) * 1024);
}

function sizeOf(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const found = statSync(join(folder, entry), { throwIfNoEntry: false });
    if (found?.isFile()) bytes += found.size;
  }
  return bytes;
}

/** Processes end while they are looked at. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return '';
    throw error;
  }
}

/** `0m0.003s 0m0.002s` per line. */
function parseTimes(text: string): number {
  const numbers = [...text.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
  );
  if (numbers.length !== 4) throw new Error(`bash's times printed ${JSON.stringify(text)}`);
  return numbers[2]! + numbers[3]!;
}
