import type { AnswerQuirks } from '../../../simulator/settings';
import { Simulator, type SimulatorOptions } from '../../../simulator/simulator';

const opened: Simulator[] = [];

// Every test that imports this file: a simulator that failed by itself fails the test when it is closed.
afterEach(async () => {
  await Promise.all(opened.splice(0).map((simulator) => simulator.close()));
});

/** Starts a simulator that is closed after the test. */
export async function open(options: SimulatorOptions): Promise<Simulator> {
  const simulator = await Simulator.start(options);
  opened.push(simulator);
  return simulator;
}

/** Today in a project of `openProject`. */
export const PROJECT_NOW = Date.UTC(2024, 0, 3, 6);

/** Two days with few events, which ended six hours ago: for the answers of the small endpoints. */
export function openProject(
  options: Partial<SimulatorOptions> = {},
  quirks: Partial<AnswerQuirks> = {},
): Promise<Simulator> {
  return open({
    data: { startHour: '20240101T00', hours: 48, eventsPerHour: 2 },
    now: PROJECT_NOW,
    settings: { quirks: { ...quirks } as AnswerQuirks },
    ...options,
  });
}

/** Two days of events that are all loaded: for what becomes of requests and archives. */
export function openLoaded(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const data = { startHour: '20240101T00', hours: 48, eventsPerHour: 4, partsPerHour: 2 };
  return open({ data, now: Date.UTC(2024, 0, 4), ...options });
}

/** The answer of an endpoint of the dashboard. */
export interface Matrix {
  xValues: string[];
  series: (number | { setId: string; value: number })[][];
  seriesLabels?: unknown[];
  seriesMeta: unknown[];
  seriesCollapsed: unknown[];
}
