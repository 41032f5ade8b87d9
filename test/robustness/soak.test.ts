import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAULT_PRESETS, presetOf } from '../../simulator/fault-presets';
import type { FaultRequest } from '../../simulator/faults';
import { formatHour } from '../../simulator/hours';
import { Simulator } from '../../simulator/simulator';
import { runConnector } from '../harness/connector';
import { catalogOf, configFor, DAY_MS, HOUR_MS, instant, STREAMS } from '../harness/inputs';
import { sized } from './sizes';
import { SoakDestination } from './soak-destination';
import { syncInProcess } from './sync-in-process';

/** From a February with 29 days on, or the whole of that year. */
const START_MS = sized(Date.UTC(2024, 1, 26), Date.UTC(2024, 0, 1));
const HOURS = sized(5 * 24, 366 * 24);
/** Every so many syncs the program itself is started; the others run its code in this process. */
const PROCESS_EVERY = sized(24, 96);
const SEED = Number(process.env['SOAK_SEED'] ?? 20_240_229);
/** An export can go wrong in more ways than all other requests of a sync together. */
const EXPORT_FAULT_RATE = sized(0.5, 0.25);
const OTHER_FAULT_RATE = sized(0.15, 0.02);
const LEAST_FAILURES = sized(150, 2_000);
const HOURS_UNTIL_COMPLETE = 3;
/** Most parts come so much later than Amplitude says: the last read of the lookback is the only one that can deliver them. */
const LOOKBACK_HOURS = 3;
const CATALOG = catalogOf(STREAMS);

/** A lie about "no data" cannot be told from the truth; the others take minutes or gigabytes, or look for machines in the network. */
const LEFT_OUT = [
  'not-found-404',
  'no-raw-files-404',
  'rate-limit-429-absurd',
  'redirect-metadata-service',
  'members-100000',
  'bomb',
  'bomb-one-line',
  'line-20-mb-cut',
];
const FAULTS = Object.keys(FAULT_PRESETS).filter((name) => !LEFT_OUT.includes(name));
/** They hold a sync up for half a second and more: each is drawn a third as often as each of the others. */
const SLOW = [
  'stall-before-headers',
  'stall-mid-body',
  'rate-limit-429-seconds',
  'rate-limit-429-date',
  'refuse-200ms',
];
const QUICK = FAULTS.filter((name) => !SLOW.includes(name));
const DRAWN = [...FAULTS, ...QUICK, ...QUICK];

const WAITS = {
  AMPLITUDE_RETRY_BASE_SECONDS: '0.005',
  AMPLITUDE_PACE_SECONDS: '0',
  AMPLITUDE_COST_WINDOW_SECONDS: '0.01',
};
/** Short while connections stall on purpose. A machine that is slower than that makes one more fault of it. */
const SHORT_SILENCE = { ...WAITS, AMPLITUDE_IDLE_TIMEOUT_SECONDS: '0.5' };
const LONG_SILENCE = { ...WAITS, AMPLITUDE_IDLE_TIMEOUT_SECONDS: '120' };

async function sync(
  simulator: Simulator,
  destination: SoakDestination,
  how: { atMs: number; temp: string; silence: Record<string, string>; asProcess: boolean },
): Promise<void> {
  const { atMs, asProcess } = how;
  simulator.setNow(atMs);
  const inputs = {
    config: configFor(simulator, {
      start_date: instant(START_MS),
      lookback_hours: LOOKBACK_HOURS,
      // A process has the real clock: it is told where the simulated one stands.
      ...(asProcess ? { end_date: instant(atMs - (HOURS_UNTIL_COMPLETE - 1) * HOUR_MS) } : {}),
    }),
    catalog: CATALOG,
    state: destination.states,
    env: { ...how.silence, TMPDIR: how.temp },
    nowMs: atMs,
  };
  destination.take(asProcess ? await runConnector(['read'], inputs) : await syncInProcess(inputs));
}

function dailyTruth(simulator: Simulator): Map<string, unknown> {
  const range = { startMs: START_MS, endMs: Math.floor(simulator.nowMs() / DAY_MS) * DAY_MS };
  const truth = new Map<string, unknown>();
  for (const metric of ['active', 'new'] as const) {
    const { days, labels, series } = simulator.userCounts({ ...range, metric, grouped: true });
    days.forEach((date, day) => {
      const statistics = Object.fromEntries(labels.map((label, index) => [label, series[index]?.[day]]));
      truth.set(`${metric}_users ${date}`, { date, statistics });
    });
  }
  const { days, series } = simulator.sessionFigures({ ...range, figure: 'average' });
  days.forEach((date, day) =>
    truth.set(`average_session_length ${date}`, { date, length: series[0]?.[day] }),
  );
  return truth;
}

interface FaultCount {
  /** Unusual answers that are right included. */
  readonly injected: number;
  /** Those after which a request had to be made again or given up. */
  readonly failures: number;
  readonly kinds: readonly string[];
}

function countFaults({ faults }: Simulator): FaultCount {
  const failures = [...faults.byName].filter(([name]) => presetOf(name).nature !== 'harmless');
  return {
    injected: faults.injected,
    failures: failures.reduce((sum, [, times]) => sum + times, 0),
    kinds: [...faults.byName.keys()].sort(),
  };
}

it(
  `survives ${String(HOURS)} hourly syncs with every fault at random, and ends with an exact record set`,
  async () => {
    const simulator = await Simulator.start({
      data: {
        startHour: formatHour(START_MS),
        hours: HOURS,
        eventsPerHour: (hour) => (hour % 7 === 3 ? 0 : 2 + (hour % 5)),
        availableAt: (hour, part) =>
          hour + (HOURS_UNTIL_COMPLETE + ((hour / HOUR_MS + part) % 4 === 0 ? 0 : LOOKBACK_HOURS)) * HOUR_MS,
      },
      now: START_MS,
      settings: { cost: { perWindow: 1e9, perHour: 1e9 }, lines: { blankLines: 'mixed' } },
    });
    const temp = mkdtempSync(join(tmpdir(), 'soak-'));
    const sinceMs = Date.now();
    try {
      const destination = new SoakDestination(CATALOG);
      const rate = ({ path }: FaultRequest): number =>
        path === '/api/2/export' ? EXPORT_FAULT_RATE : OTHER_FAULT_RATE;
      simulator.chaos({ seed: SEED, rate, actions: DRAWN });
      const first = HOURS_UNTIL_COMPLETE;
      for (let hour = first; hour < first + HOURS; hour += 1) {
        const asProcess = hour % PROCESS_EVERY === 0;
        const atMs = START_MS + hour * HOUR_MS;
        await sync(simulator, destination, { atMs, temp, silence: SHORT_SILENCE, asProcess });
      }
      const { injected, failures, kinds } = countFaults(simulator);
      const { failed } = destination;
      // One more without faults: what the last ones put off comes with it, and the last late part is there by then.
      simulator.chaos({ seed: SEED, rate: 0 });
      const atMs = START_MS + (first + HOURS + LOOKBACK_HOURS) * HOUR_MS;
      await sync(simulator, destination, { atMs, temp, silence: LONG_SILENCE, asProcess: false });
      const truth = [...simulator.truth({ all: true })];
      const { missing, unknown, changed } = destination.compareEvents(truth);
      process.stdout.write(
        `soak: seed ${String(SEED)}, ${String(destination.syncs)} syncs of a simulated hour each, ${String(injected)} faults of ` +
          `${String(kinds.length)} kinds injected, ${String(failures)} of them failures, all survived; ${String(failed)} syncs ended ` +
          `with 1 and the next went on; ${String(truth.length)} events, missing ${String(missing.length)}, unknown ` +
          `${String(unknown.length)}, changed ${String(changed.length)}; ${((Date.now() - sinceMs) / 1000).toFixed(0)} s.\n`,
      );
      expect(destination.violations).toEqual([]);
      expect({ missing, unknown, changed }).toEqual({ missing: [], unknown: [], changed: [] });
      expect(destination.failed).toBe(failed);
      expect(Object.fromEntries(destination.daily)).toEqual(Object.fromEntries(dailyTruth(simulator)));
      expect(failures).toBeGreaterThanOrEqual(LEAST_FAILURES);
      if (injected > 20 * FAULTS.length) expect(kinds).toEqual([...FAULTS].sort());
      expect(readdirSync(temp)).toEqual([]);
    } finally {
      await simulator.close();
      rmSync(temp, { recursive: true, force: true });
    }
  },
  sized(300_000, 3 * 3_600_000),
);
