import { formatHour, localDay } from '../../simulator/hours';
import type { Simulator } from '../../simulator/simulator';
import type { OutputRecord, OutputState } from '../harness/airbyte-output';
import { assertSuccess } from '../harness/assert-success';
import { clockAt } from '../harness/clock-at';
import { runConnector } from '../harness/connector';
import { catalogOf, configFor, DAY_MS, HOUR_MS } from '../harness/inputs';
import { withSimulator } from '../harness/with-simulator';
import { compareEvents } from './event-truth';

const CATALOG = catalogOf(['events', 'active_users']);
const LOOKBACK_HOURS = 3;
/** Amplitude has loaded an hour three hours after it began. */
const LOADED_AFTER_HOURS = 3;
/** Some parts come this much later. */
const LATE_MS = 2 * HOUR_MS;

interface Place {
  /** Of the machine that the connector runs on. */
  readonly machineZone?: string;
  readonly projectZone?: string;
}

interface SyncOptions extends Place {
  readonly startDate?: string;
}

/** What a destination holds after a series of syncs, each from the states of the one before. */
class Destination {
  readonly events: OutputRecord[] = [];
  readonly days = new Map<string, unknown>();
  states: readonly OutputState[] = [];
  /** The cursors after each sync. */
  readonly cursors: { readonly events: string; readonly active_users: string }[] = [];

  async sync(simulator: Simulator, nowMs: number, options: SyncOptions): Promise<void> {
    const { machineZone, projectZone, startDate } = options;
    simulator.setNow(nowMs);
    if (projectZone !== undefined) simulator.configure({ projectTimeZone: projectZone });
    const { launcher, env } = clockAt(nowMs);
    const output = await runConnector(['read'], {
      config: configFor(simulator, {
        lookback_hours: LOOKBACK_HOURS,
        ...(startDate !== undefined && { start_date: startDate }),
        ...(projectZone !== undefined && { project_timezone: projectZone }),
      }),
      catalog: CATALOG,
      state: this.states,
      ...(launcher && { launcher }),
      env: { ...env, ...(machineZone !== undefined && { TZ: machineZone }) },
    });
    assertSuccess(output, CATALOG);
    this.events.push(...output.records('events'));
    for (const { data } of output.records('active_users')) this.days.set(String(data['date']), data);
    this.states = output.mostRecentState;
    const cursorOf = (stream: string, field: string): string =>
      String(
        this.states.find((state) => state.stream.stream_descriptor.name === stream)?.stream.stream_state[
          field
        ],
      );
    this.cursors.push({
      events: cursorOf('events', 'server_upload_time'),
      active_users: cursorOf('active_users', 'date'),
    });
  }

  get isMonotonic(): boolean {
    return this.cursors.every(
      ({ events, active_users }, index) =>
        index === 0 ||
        (events >= this.cursors[index - 1]!.events && active_users >= this.cursors[index - 1]!.active_users),
    );
  }
}

/** @param firstMs Within the first day to compare, as `lastMs` is within the last. */
function expectDaysOf(simulator: Simulator, destination: Destination, firstMs: number, lastMs: number): void {
  const [startMs, endMs] = [firstMs, lastMs].map((ms) => Math.floor(ms / DAY_MS) * DAY_MS) as [
    number,
    number,
  ];
  const { days, labels, series } = simulator.userCounts({ startMs, endMs, metric: 'active', grouped: true });
  expect(days.length).toBeGreaterThan(0);
  days.forEach((date, index) => {
    const statistics = Object.fromEntries(labels.map((label, row) => [label, series[row]?.[index]]));
    expect(destination.days.get(date)).toEqual({ date, statistics });
  });
}

const options = (startMs: number, hours: number, late = false) => ({
  data: {
    startHour: formatHour(startMs),
    hours,
    eventsPerHour: 3,
    partsPerHour: 2,
    availableAt: (hour: number, part: number) =>
      hour + LOADED_AFTER_HOURS * HOUR_MS + (late && (hour / HOUR_MS + part) % 3 === 0 ? LATE_MS : 0),
  },
  now: startMs,
  settings: { cost: { perWindow: 1e9, perHour: 1e9 } },
});

describe('a series of syncs around', () => {
  it.concurrent.each([
    ['a leap day', '2024-02-28T12:00:00Z', { machineZone: 'UTC' }],
    [
      'the end of a year',
      '2023-12-31T06:00:00Z',
      { machineZone: 'Pacific/Kiritimati', projectZone: 'Asia/Tokyo' },
    ],
    [
      'the hour that is skipped in spring',
      '2024-03-10T02:00:00Z',
      { machineZone: 'America/New_York', projectZone: 'America/New_York' },
    ],
    [
      'the hour that comes twice in autumn',
      '2024-10-26T18:00:00Z',
      { machineZone: 'Europe/Berlin', projectZone: 'Europe/Berlin' },
    ],
  ] as const)('%s loses no hour and no day', async (_name, start, place) => {
    const startMs = Date.parse(start);
    const hours = 40;
    await withSimulator(options(startMs, hours, true), async (simulator) => {
      const destination = new Destination();
      for (let hour = 4; hour <= hours; hour += 6)
        await destination.sync(simulator, startMs + hour * HOUR_MS + 1_800_000, place);
      // By then the last late part is there, and its hour still within the lookback.
      const endMs = startMs + (hours + LOADED_AFTER_HOURS + 2) * HOUR_MS;
      await destination.sync(simulator, endMs, place);
      const { missing, unknown, changed } = compareEvents(destination.events, simulator.truth());
      expect({ missing, unknown, changed }).toEqual({ missing: [], unknown: [], changed: [] });
      expect(destination.isMonotonic).toBe(true);
      expect(destination.cursors.at(-1)?.events).toBe(formatHour(endMs - LOADED_AFTER_HOURS * HOUR_MS));
      const { dayMs: today } = localDay(endMs, 'projectZone' in place ? place.projectZone : 'UTC');
      expectDaysOf(simulator, destination, startMs, today - DAY_MS);
    });
  });
});

it.concurrent('a clock that steps back loses nothing and moves no state back', async () => {
  const startMs = Date.parse('2024-05-01T00:00:00Z');
  await withSimulator(options(startMs, 60), async (simulator) => {
    const destination = new Destination();
    for (const hour of [30, 22, 31, 6, 40, 63])
      await destination.sync(simulator, startMs + hour * HOUR_MS, {});
    const { missing, unknown, changed } = compareEvents(destination.events, simulator.truth());
    expect({ missing, unknown, changed }).toEqual({ missing: [], unknown: [], changed: [] });
    expect(destination.isMonotonic).toBe(true);
  });
});

it.concurrent(
  'a connection that stood still for longer than its start date reaches back misses nothing',
  async () => {
    const startMs = Date.parse('2024-05-01T00:00:00Z');
    await withSimulator(options(startMs, 8 * 24), async (simulator) => {
      const destination = new Destination();
      const lastMs = startMs + 8 * DAY_MS;
      for (const nowMs of [startMs + DAY_MS, lastMs])
        await destination.sync(simulator, nowMs, { startDate: 'P2D' });
      const { missing } = compareEvents(
        destination.events,
        simulator.truth({ endHour: formatHour(lastMs - LOADED_AFTER_HOURS * HOUR_MS) }),
      );
      expect(missing).toEqual([]);
      expectDaysOf(simulator, destination, startMs, lastMs - DAY_MS);
    });
  },
);

it.concurrent('a project that moves to another time zone keeps every day', async () => {
  const startMs = Date.parse('2024-06-28T00:00:00Z');
  await withSimulator(options(startMs, 5 * 24), async (simulator) => {
    const destination = new Destination();
    const zones = ['Pacific/Auckland', 'America/Los_Angeles', 'Asia/Kolkata', 'UTC', 'Pacific/Auckland'];
    for (const [index, projectZone] of zones.entries())
      await destination.sync(simulator, startMs + (index + 1) * DAY_MS - 2 * HOUR_MS, { projectZone });
    expect(destination.isMonotonic).toBe(true);
    const { missing } = compareEvents(
      destination.events,
      simulator.truth({ endHour: formatHour(startMs + (5 * 24 - 2 - LOADED_AFTER_HOURS) * HOUR_MS) }),
    );
    expect(missing).toEqual([]);
    // The day that it still is in California when the last sync runs in Auckland is not over.
    expectDaysOf(simulator, destination, startMs, startMs + 3 * DAY_MS);
  });
});
