/** Cases of a property: the number given, or a hundred times as many with `TEST_HARDER=1`. */
export function runs(count: number): number {
  return process.env['TEST_HARDER'] === '1' ? count * 100 : count;
}

/** Longest time for a property, in ms: enough for a hundred times the cases on a busy machine. */
export const PROPERTY_TIMEOUT_MS = process.env['TEST_HARDER'] === '1' ? 1_800_000 : 60_000;
