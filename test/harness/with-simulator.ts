import { Simulator, type SimulatorOptions } from '../../simulator/simulator';

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

/** Runs a test's body with a simulator of its own, and closes it whatever happens. */
export async function withSimulator<Result>(
  options: SimulatorOptions,
  body: (simulator: Simulator) => Promise<Result>,
): Promise<Result> {
  const simulator = await Simulator.start(options);
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
