import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Simulator, SimulatorOptions } from '../../simulator/simulator';
import type { AirbyteOutput } from '../harness/airbyte-output';
import { assertProtocol } from '../harness/assert-protocol';
import { assertSuccess } from '../harness/assert-success';
import { runConnector } from '../harness/connector';
import { catalogOf, configFor, HOUR_MS, hourAfter, hoursFrom, instant } from '../harness/inputs';
import { withSimulator } from '../harness/with-simulator';
import { compareEvents, EXACT } from './event-truth';
import { MeteredRun } from './metered-run';
import { smallDisk } from './small-disk';

const START = '20240101T00';
const START_MS = Date.UTC(2024, 0, 1);
const CATALOG = catalogOf(['events']);

function project(hours: number, eventsPerHour: number | ((hour: number) => number)): SimulatorOptions {
  return { data: { startHour: START, hours, eventsPerHour }, now: START_MS + 1000 * HOUR_MS };
}

/** The whole project, in windows of so many hours. */
function configOf(simulator: Simulator, windowHours: number, lookbackHours = 3): unknown {
  return configFor(simulator, {
    end_date: instant(simulator.data.endMs),
    request_time_range: windowHours,
    lookback_hours: lookbackHours,
  });
}

/** Bytes of the archive that the simulator gives for a window. */
async function archiveBytes(simulator: Simulator, start: string, end: string): Promise<number> {
  const { apiKey, secretKey } = simulator.settings.credentials;
  const authorization = `Basic ${Buffer.from(`${apiKey}:${secretKey}`).toString('base64')}`;
  const url = `${simulator.baseUrl}/api/2/export?start=${start}&end=${end}`;
  const answer = await fetch(url, { headers: { authorization } });
  return (await answer.arrayBuffer()).byteLength;
}

interface ReadWindow {
  readonly window: string;
  readonly hours: number;
  readonly bytes: number;
}

/** The windows that a run says it has read. */
function windowsOf(output: AirbyteOutput): ReadWindow[] {
  const form = /((\d{8}T\d\d)\.\.(\d{8}T\d\d)): .* from an archive of (\d+) bytes/;
  return output.logsOf('INFO').flatMap((line) => {
    const [, window, first, last, bytes] = form.exec(line) ?? [];
    if (window === undefined) return [];
    return [{ window, hours: hoursFrom(first!, last!).length, bytes: Number(bytes) }];
  });
}

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'disk-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a temporary disk that is full', () => {
  const KIBIBYTES = 128;
  const BIG_HOUR = hourAfter(START, 5);
  const LAST_SAFE_HOUR = hourAfter(START, 4);
  // The big hour's archive has three times the room of the disk, every other window finds room.
  const options = project(12, (hour) => (hour === 5 ? 3000 : 20));

  it.each([
    ['before the download, when Amplitude tells the size', 'length'],
    ['in the middle of it, when nobody tells', 'chunked'],
  ] as const)('is a transient_error after the last safe state, %s', (_when, exportFraming) =>
    withSimulator({ ...options, settings: { exportFraming } }, async (simulator) => {
      const { kind, launcher } = smallDisk(folder, KIBIBYTES);
      const inputs = { config: configOf(simulator, 4, 0), catalog: CATALOG };
      const output = await runConnector(['read'], { ...inputs, launcher, env: { TMPDIR: folder } });
      assertProtocol(output, CATALOG);
      expect(output.exitCode).toBe(1);
      // The launcher lists the temporary folder there.
      expect([kind, output.stderr]).toEqual([kind, '']);
      const needed = await archiveBytes(simulator, BIG_HOUR, BIG_HOUR);
      expect(needed).toBeGreaterThan(2 * KIBIBYTES * 1024);
      expect(output.errors).toMatchObject([{ failure_type: 'transient_error' }]);
      const form = /^The temporary folder is full: an archive needs (more than )?(\d+) bytes\. .*TMPDIR/;
      const [, moreThan, told] = form.exec(output.errors[0]!.message) ?? [];
      if (exportFraming === 'length') {
        expect([moreThan, Number(told)]).toEqual([undefined, needed]);
      } else {
        expect(moreThan).toBe('more than ');
        // At least what one archive of two has room for.
        expect(Number(told)).toBeGreaterThanOrEqual((KIBIBYTES / 2) * 1024);
        expect(Number(told)).toBeLessThan(needed);
      }
      expect(output.mostRecentState.map(({ stream }) => stream.stream_state)).toEqual([
        { server_upload_time: LAST_SAFE_HOUR },
      ]);
      const safe = simulator.truth({ endHour: LAST_SAFE_HOUR });
      expect(compareEvents(output.records(), safe)).toEqual(EXACT);
      // With more room the next sync goes on from there.
      const after = await runConnector(['read'], { ...inputs, state: output.mostRecentState });
      assertSuccess(after, CATALOG);
      const union = [...output.records(), ...after.records()];
      expect(compareEvents(union, simulator.truth())).toEqual(EXACT);
    }),
  );

  it('with room for less than a window is no error: the windows become smaller', () =>
    withSimulator(project(24, 60), async (simulator) => {
      const kibibytes = 160;
      const whole = await archiveBytes(simulator, START, hourAfter(START, 23));
      expect(whole).toBeGreaterThan((kibibytes / 2) * 1024);
      const { launcher } = smallDisk(folder, kibibytes);
      const output = await runConnector(['read'], {
        config: configOf(simulator, 24),
        catalog: CATALOG,
        launcher,
        env: { TMPDIR: folder },
      });
      expect(output.stderr).toBe('');
      assertSuccess(output, CATALOG);
      expect(compareEvents(output.records(), simulator.truth())).toEqual(EXACT);
      expect(Math.max(...windowsOf(output).map(({ hours }) => hours))).toBeLessThanOrEqual(12);
    }));
});

it('CONNECTOR_STORAGE_LIMIT_BYTES makes windows smaller before they are asked for', () =>
  withSimulator(project(72, 30), async (simulator) => {
    const limit = 60_000;
    const output = await runConnector(['read'], {
      config: configOf(simulator, 24),
      catalog: CATALOG,
      env: { CONNECTOR_STORAGE_LIMIT_BYTES: String(limit) },
    });
    assertSuccess(output, CATALOG);
    expect(compareEvents(output.records(), simulator.truth())).toEqual(EXACT);
    const read = windowsOf(output);
    // Two archives are on disk at a time.
    const together = read.map(({ bytes }, index) => bytes + (read[index + 1]?.bytes ?? 0));
    expect(Math.max(...together)).toBeLessThanOrEqual(limit);
    // Only what came before the first archive was asked for in vain: from then on the sizes are foreseen.
    const asked = simulator.log.exportRequests().map(({ startHour, endHour }) => `${startHour}..${endHour}`);
    const inVain = asked.length - read.length;
    expect(inVain).toBeGreaterThan(0);
    expect(asked.slice(inVain)).toEqual(read.map(({ window }) => window));
    expect(asked.slice(0, inVain).every((window) => window.startsWith(START))).toBe(true);
  }));

describe('folders of other runs', () => {
  it('are removed when the run was killed, and left alone while it lives', () =>
    withSimulator({ ...project(24, 60), settings: { maxInFlight: 100 } }, async (simulator) => {
      const inputs = { config: configOf(simulator, 4), catalog: CATALOG, env: { TMPDIR: folder } };
      const live = new MeteredRun(['read'], inputs);
      const killed = new MeteredRun(['read'], inputs);
      try {
        await live.take(100_000);
        await killed.take(100_000);
        killed.running.child.kill('SIGKILL');
        await killed.running.finished;
        const [ofLive, ofKilled] = [live, killed].map(({ running }) =>
          readdirSync(folder).find((name) => name.includes(`-${String(running.pid)}-`)),
        );
        for (const name of [ofLive!, ofKilled!])
          expect(readdirSync(join(folder, name)).length).toBeGreaterThan(0);
        // Of other hosts that share the volume: one that may still run, and one that has been silent for two days.
        const [recent, old] = ['f', 'e'].map((tag) => `source-amplitude-${tag.repeat(32)}-1-abcdef`);
        for (const name of [recent!, old!]) mkdirSync(join(folder, name));
        const twoDaysAgo = Date.now() / 1000 - 2 * 86_400;
        utimesSync(join(folder, old!), twoDaysAgo, twoDaysAgo);
        assertSuccess(await runConnector(['read'], inputs), CATALOG);
        expect(readdirSync(folder).sort()).toEqual([ofLive, recent].sort());
        // Its archives are still there: it comes to its end.
        await live.takeAll();
        const output = await live.end();
        assertSuccess(Object.assign(output, { leftInTemp: [] }), CATALOG);
        expect(compareEvents(output.records(), simulator.truth())).toEqual(EXACT);
        expect(readdirSync(folder)).toEqual([recent]);
      } finally {
        for (const run of [live, killed]) {
          run.running.child.kill('SIGKILL');
          run.close();
        }
      }
    }));
});
