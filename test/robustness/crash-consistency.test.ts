import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatHour } from '../../simulator/hours';
import { Simulator } from '../../simulator/simulator';
import { type AirbyteOutput, type OutputRecord } from '../harness/airbyte-output';
import { findViolations } from '../harness/assert-protocol';
import { runConnector } from '../harness/connector';
import { catalogOf, configFor, HOUR_MS, hourMs, instant } from '../harness/inputs';
import { compareEvents } from './event-truth';
import { MeteredRun, wholeLines } from './metered-run';
import { Pool } from './pool';
import { sized } from './sizes';

const HOURS = 24;
const LOOKBACK_HOURS = 3;
const START_MS = Date.UTC(2024, 0, 1);
const CATALOG = catalogOf(['events']);
/** The documented limit for a program that was told to end. */
const LONGEST_END_MS = 10_000;
/** What a socket holds that nobody has read yet, with room to spare: so close to its end, a run may have ended well already. */
const HELD_BYTES = 600_000;

type How = 'SIGKILL' | 'SIGTERM' | 'closed';

interface Crash {
  readonly how: How;
  /** Bytes of output that had left. */
  readonly bytes: number;
  readonly first: AirbyteOutput;
  /** From the signal to the end of the process. */
  readonly endedInMs: number;
  readonly leftByFirst: readonly string[];
  readonly leftBySecond: readonly string[];
  readonly second: AirbyteOutput;
}

let simulator: Simulator;
let wholeBytes: number;
const pool = new Pool();

function runOptions(temp: string): { config: unknown; catalog: unknown; env: Record<string, string> } {
  return {
    config: configFor(simulator, {
      end_date: instant(START_MS + HOURS * HOUR_MS),
      request_time_range: 6,
      lookback_hours: LOOKBACK_HOURS,
    }),
    catalog: CATALOG,
    env: { TMPDIR: temp, AMPLITUDE_PACE_SECONDS: '0.001' },
  };
}

/** Ends a run when so many bytes have left it, and goes on from the last state that did. */
async function crash(how: How, atByte: number): Promise<Crash> {
  const temp = mkdtempSync(join(tmpdir(), 'crash-'));
  try {
    const run = new MeteredRun(['read'], runOptions(temp));
    await run.take(atByte);
    const sinceMs = Date.now();
    if (how === 'closed') run.close();
    else run.running.child.kill(how);
    if (how !== 'closed') await run.takeAll();
    const whole = await run.end();
    const endedInMs = Date.now() - sinceMs;
    const leftByFirst = readdirSync(temp);
    const first = wholeLines(whole);
    const second = await runConnector(['read'], { ...runOptions(temp), state: first.mostRecentState });
    return {
      how,
      bytes: run.bytes,
      first: how === 'SIGTERM' ? whole : first,
      endedInMs,
      leftByFirst,
      leftBySecond: readdirSync(temp),
      second,
    };
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

function crashAll(how: How, points: number): Promise<Crash[]> {
  // From the first byte to just before the last message.
  const at = (index: number): number =>
    1 + Math.floor((index / Math.max(1, points - 1)) * (wholeBytes - 2000));
  return Promise.all(Array.from({ length: points }, (_, index) => pool.run(() => crash(how, at(index)))));
}

interface Damage {
  missing: number;
  unknown: number;
  changed: number;
  /** Doubled outside the lookback and the hour in progress. */
  unexplained: number;
  doubled: number;
}

function judge({ first, second }: Crash): Damage {
  const records: OutputRecord[] = [...first.records(), ...second.records()];
  const { missing, unknown, changed, repeated } = compareEvents(records, simulator.truth());
  const state = first.mostRecentState[0]?.stream.stream_state['server_upload_time'];
  const saved = typeof state === 'string' ? hourMs(state) : START_MS - HOUR_MS;
  const earliest = formatHour(saved - (LOOKBACK_HOURS - 1) * HOUR_MS);
  const inProgress = formatHour(saved + HOUR_MS);
  return {
    missing: missing.length,
    unknown: unknown.length,
    changed: changed.length,
    unexplained: repeated.filter(({ hour, times }) => hour < earliest || hour > inProgress || times > 1)
      .length,
    doubled: repeated.length,
  };
}

function summarize(crashes: readonly Crash[]): Damage & { runs: number; mostDoubled: number } {
  const damages = crashes.map(judge);
  const sum = (field: keyof Damage): number => damages.reduce((total, damage) => total + damage[field], 0);
  return {
    runs: crashes.length,
    missing: sum('missing'),
    unknown: sum('unknown'),
    changed: sum('changed'),
    unexplained: sum('unexplained'),
    doubled: sum('doubled'),
    mostDoubled: Math.max(...damages.map(({ doubled }) => doubled)),
  };
}

function print(title: string, crashes: readonly Crash[], figures: ReturnType<typeof summarize>): void {
  const bytes = crashes.map((one) => one.bytes);
  process.stdout.write(
    `${title}: ${String(figures.runs)} points from byte ${String(Math.min(...bytes))} to ${String(Math.max(...bytes))} of ` +
      `${String(wholeBytes)}; ${String([...simulator.truth()].length)} events; missing ${String(figures.missing)}, changed ` +
      `${String(figures.changed)}, doubled outside the bound ${String(figures.unexplained)}, doubled within it at most ` +
      `${String(figures.mostDoubled)} in a run.\n`,
  );
}

const UNHARMED = { missing: 0, unknown: 0, changed: 0, unexplained: 0 };

describe('crash consistency', () => {
  beforeAll(async () => {
    simulator = await Simulator.start({
      data: { startHour: formatHour(START_MS), hours: HOURS, eventsPerHour: 40 },
      now: START_MS + 2 * HOURS * HOUR_MS,
      // Many connectors at once are many projects here, each with limits of its own.
      settings: { maxInFlight: 1000 },
    });
    const temp = mkdtempSync(join(tmpdir(), 'crash-'));
    const whole = await runConnector(['read'], runOptions(temp));
    rmSync(temp, { recursive: true });
    expect(whole.exitCode).toBe(0);
    wholeBytes = Buffer.byteLength(whole.stdout);
  });

  afterAll(() => simulator.close());

  it(
    'loses nothing and doubles only the lookback and the hour in progress when it is killed at any byte',
    async () => {
      const crashes = await crashAll('SIGKILL', sized(25, 500));
      const figures = summarize(crashes);
      print('SIGKILL', crashes, figures);
      expect(figures).toMatchObject(UNHARMED);
      expect(crashes.filter(({ first }) => first.signal === 'SIGKILL').length).toBeGreaterThan(
        crashes.length * 0.8,
      );
      for (const { first, second, leftBySecond } of crashes) {
        expect(findViolations(first, CATALOG, { cut: true })).toEqual([]);
        expect(findViolations(second, CATALOG)).toEqual([]);
        expect(second.exitCode).toBe(0);
        // The folder of the killed run is removed by the next one.
        expect(leftBySecond).toEqual([]);
      }
    },
    sized(180_000, 3_600_000),
  );

  it(
    'dies by SIGTERM within 10 s with its last safe state flushed and its temporary files gone',
    async () => {
      const crashes = await crashAll('SIGTERM', sized(6, 60));
      const figures = summarize(crashes);
      print('SIGTERM', crashes, figures);
      expect(figures).toMatchObject(UNHARMED);
      const stopped = crashes.filter(({ first }) => first.signal === 'SIGTERM');
      // A run that is at its end when the signal comes may finish.
      expect(stopped.length).toBeGreaterThan(crashes.length / 2);
      const cut = stopped.filter(({ first }) => first.statusNames('events').at(-1) === 'INCOMPLETE');
      expect(cut.length).toBeGreaterThanOrEqual(crashes.length / 2);
      for (const { first, endedInMs, leftByFirst } of stopped) {
        expect(findViolations(first, CATALOG)).toEqual([]);
        // The signal may come when everything has been handed over and only the reader is behind.
        const isWhole = compareEvents(first.records(), simulator.truth()).missing.length === 0;
        expect(isWhole ? ['COMPLETE', 'INCOMPLETE'] : ['INCOMPLETE']).toContain(
          first.statusNames('events').at(-1),
        );
        expect(first.stderr).toBe('');
        expect(endedInMs).toBeLessThan(LONGEST_END_MS);
        expect(leftByFirst).toEqual([]);
      }
    },
    sized(120_000, 1_200_000),
  );

  it('dies by SIGTERM within 10 s also when nobody reads its output', async () => {
    const temp = mkdtempSync(join(tmpdir(), 'crash-'));
    const run = new MeteredRun(['read'], runOptions(temp));
    await run.take(Math.floor(wholeBytes / 4));
    const sinceMs = Date.now();
    run.running.child.kill('SIGTERM');
    const { signal } = await run.end();
    expect(signal).toBe('SIGTERM');
    expect(Date.now() - sinceMs).toBeLessThan(LONGEST_END_MS);
    expect(readdirSync(temp)).toEqual([]);
    run.close();
    rmSync(temp, { recursive: true });
  }, 60_000);

  it(
    'ends with 1 and without a word on stderr when the destination closes the pipe',
    async () => {
      const crashes = await crashAll('closed', sized(6, 60));
      const figures = summarize(crashes);
      print('closed pipe', crashes, figures);
      expect(figures).toMatchObject(UNHARMED);
      const early = crashes.filter(({ bytes }) => bytes < wholeBytes - HELD_BYTES);
      expect(early.length).toBeGreaterThanOrEqual(crashes.length / 2);
      for (const { first } of early) expect(first.exitCode).toBe(1);
      for (const { first, second, leftByFirst } of crashes) {
        expect(first.stderr).toBe('');
        expect(leftByFirst).toEqual([]);
        expect(second.exitCode).toBe(0);
      }
    },
    sized(120_000, 1_200_000),
  );
});
