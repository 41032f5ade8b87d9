import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSetOptions } from '../../simulator/data-set';
import { type PreparedArchive, prepareArchives } from '../../simulator/prepare-archives';
import { Simulator } from '../../simulator/simulator';
import { AirbyteOutput } from '../harness/airbyte-output';
import { assertProtocol, findViolations } from '../harness/assert-protocol';
import { runConnector, type RunOptions } from '../harness/connector';
import { catalogOf, configFor, hourAfter, instant } from '../harness/inputs';
import { peakMemoryMb, untilAtRest } from '../harness/process-state';
import { withSimulator } from '../harness/with-simulator';
import { compareEvents, EXACT } from './event-truth';
import { wholeLines } from './metered-run';
import { PipedRun } from './piped-run';
import { sized } from './sizes';

const START = '20240101T00';
const NOW_MS = Date.UTC(2024, 5, 1);
const CATALOG = catalogOf(['events']);
const HOURS = 48;
const HOURS_PER_WINDOW = 6;
/** Longer than a connection may be silent. */
const PAUSE_MS = sized(6_000, 180_000);
const IDLE_SECONDS = 4;
/** A program that does not wait for its reader would hold the rest of the project: a hundred MiB and more. */
const FLAT_MB = 64;

/** Few events with much text: a hundred megabytes of output that take no time to make. */
function bigEvents(hour: string): string[] {
  const time = `${hour.slice(0, 4)}-${hour.slice(4, 6)}-${hour.slice(6, 8)} ${hour.slice(9)}:30:00.000000`;
  return Array.from({ length: 120 }, (_, index) =>
    JSON.stringify({
      uuid: `${hour}-${String(index)}`,
      event_type: 'page read',
      event_time: time,
      server_upload_time: time,
      event_properties: { text: `${String(index)} of ${hour}; `.repeat(1000) },
    }),
  );
}

function bigProject(): DataSetOptions & { eventsPerHour: number; partsPerHour: number } {
  const hours = Array.from({ length: HOURS }, (_, index) => hourAfter(START, index));
  return {
    startHour: START,
    hours: HOURS,
    eventsPerHour: 0,
    partsPerHour: 1,
    extraLines: Object.fromEntries(hours.map((hour) => [hour, bigEvents(hour)])),
  };
}

function inputsFor(simulator: Simulator, temp: string): RunOptions {
  const endMs = simulator.data.endMs;
  return {
    config: configFor(simulator, { end_date: instant(endMs), request_time_range: HOURS_PER_WINDOW }),
    catalog: CATALOG,
    env: { TMPDIR: temp, AMPLITUDE_IDLE_TIMEOUT_SECONDS: String(IDLE_SECONDS) },
  };
}

describe('a destination', () => {
  let folder: string;
  let temp: string;
  let simulator: Simulator;
  let archives: PreparedArchive[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pressure-'));
    const data = bigProject();
    simulator = await Simulator.start({ data, now: NOW_MS });
    // Beforehand, so that a connection's silence is never the time that it takes to make an archive.
    const windows = Array.from({ length: HOURS / HOURS_PER_WINDOW }, (_, index) => ({
      startHour: hourAfter(START, index * HOURS_PER_WINDOW),
      hours: HOURS_PER_WINDOW,
    }));
    archives = await prepareArchives(join(folder, 'archives'), { data, windows });
    for (const { startHour, endHour, file } of archives)
      await simulator.addReadyArchive(startHour, endHour, file);
  });

  beforeEach(() => {
    simulator.log.clear();
    temp = mkdtempSync(join(folder, 'tmp-'));
  });

  afterAll(async () => {
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it(
    'that stops reading holds everything up: no connection times out, no memory grows, no message is cut',
    async () => {
      const [window, next] = archives;
      // The download that is under way at the first pause is too slow to end within it.
      const portions = (1.2 * PAUSE_MS) / 200;
      const bytes = Math.ceil(next!.zipBytes / portions);
      simulator.fault({
        match: { query: { start: next!.startHour }, times: 1 },
        action: { kind: 'drip', bytes, everyMs: 200 },
      });
      const run = await PipedRun.start(['read'], inputsFor(simulator, temp));
      try {
        await run.take(1);
        const atStart = peakMemoryMb(run.running.pid);
        for (const index of sized([0, 2], [0, 2, 4])) {
          await run.take((index + 0.4) * window!.rawBytes);
          await sleep(PAUSE_MS);
          expect(peakMemoryMb(run.running.pid) - atStart).toBeLessThan(FLAT_MB);
          // The window that is being written and the next one.
          expect(simulator.log.exportRequests()).toHaveLength(index + 2);
        }
        await run.take(Infinity);
        const { exitCode, stderr } = await run.close();
        expect([exitCode, stderr]).toEqual([0, '']);
        const output = new AirbyteOutput(run.text, stderr, exitCode);
        assertProtocol(output, CATALOG);
        expect(output.logsOf('WARN').filter((line) => !line.includes('base_url'))).toEqual([]);
        expect(simulator.log.exportRequests()).toHaveLength(archives.length);
        expect(compareEvents(output.records(), simulator.truth())).toEqual(EXACT);
      } finally {
        await run.kill();
      }
    },
    sized(120_000, 1_200_000),
  );

  it('that stops reading and then closes ends the program: nothing more is asked for or left behind', async () => {
    const run = await PipedRun.start(['read'], inputsFor(simulator, temp));
    try {
      await run.take(1.4 * archives[0]!.rawBytes);
      // Until the third window is fetched and its output fills the pipe.
      await untilAtRest(run.running.pid);
      const { exitCode, signal, stderr } = await run.close();
      expect({ exitCode, signal, stderr }).toEqual({ exitCode: 1, signal: null, stderr: '' });
      expect(simulator.log.exportRequests()).toHaveLength(3);
      expect(readdirSync(temp)).toEqual([]);
      const output = wholeLines(new AirbyteOutput(run.text, stderr, exitCode));
      expect(findViolations(output, CATALOG, { cut: true })).toEqual([]);
      // The last of the messages that left is that of a whole hour.
      const endHour = String(output.mostRecentState[0]?.stream.stream_state['server_upload_time']);
      const { missing, unknown, changed } = compareEvents(output.records(), simulator.truth({ endHour }));
      expect({ missing, changed }).toEqual({ missing: [], changed: [] });
      expect(unknown.every((uuid) => uuid > endHour)).toBe(true);
    } finally {
      await run.kill();
    }
  });

  it(
    'that reads a byte at a time gets every message whole',
    () =>
      withSimulator(
        { data: { startHour: START, hours: 24, eventsPerHour: sized(10, 400) }, now: NOW_MS },
        async (small) => {
          // A real pipe, and one system call for each byte.
          const script = '{ "$@"; echo "ended with $?" >&2; } | dd bs=1 status=none';
          const output = await runConnector(['read'], {
            ...inputsFor(small, temp),
            launcher: ['sh', '-c', script, 'sh'],
          });
          expect(output.stderr).toBe('ended with 0\n');
          assertProtocol(new AirbyteOutput(output.stdout, '', 0), CATALOG);
          expect(compareEvents(output.records(), small.truth())).toEqual(EXACT);
        },
      ),
    sized(120_000, 1_200_000),
  );
});
