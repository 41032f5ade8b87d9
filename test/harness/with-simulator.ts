import { Simulator, type SimulatorOptions } from '../../simulator/simulator';
import { COST_WINDOW_SECONDS } from './connector';

/**
 * Two days of a project of the past: with an `end_date` of 2024-03-02 everything is loaded, nothing depends on the real clock,
 * and a run takes about half a second.
 */
export const TWO_DAYS = {
  data: { startHour: '20240301T00', hours: 48, eventsPerHour: 5 },
  now: Date.UTC(2024, 2, 5),
} as const satisfies SimulatorOptions;

/** The last day of `TWO_DAYS`, for `end_date`. */
export const SECOND_DAY = '2024-03-02';

/** Starts a simulator whose cost window is as short as the connector's; the caller closes it. */
export function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { settings } = options;
  const cost = { windowMs: COST_WINDOW_SECONDS * 1000, ...settings?.cost };
  return Simulator.start({ ...options, settings: { ...settings, cost } });
}

/** Runs a test's body with a simulator of its own, and closes it whatever happens. */
export async function withSimulator<Result>(
  options: SimulatorOptions,
  body: (simulator: Simulator) => Promise<Result>,
): Promise<Result> {
  const simulator = await startSimulator(options);
  let result: Result;
  try {
    result = await body(simulator);
  } catch (error) {
    // The body's error tells more than one of closing.
    await simulator.close().catch(() => undefined);
    throw error;
  }
  await simulator.close();
  return result;
}
