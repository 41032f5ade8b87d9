import type { Verdict } from './verdicts';

/** Attempts after the first. */
export const RETRIES = 5;
/** No wait between two attempts is longer, whatever Retry-After says: at most 50 minutes for a whole request. */
export const LONGEST_WAIT_MS = 600_000;

/**
 * How long to wait before retry `number` (1-based): exponential from the base with ±20 % jitter, or what Amplitude asked
 * for if that is longer, up to ten minutes.
 */
export function retryDelayMs(number: number, baseMs: number, verdict: Verdict): number {
  const jitter = 0.8 + 0.4 * Math.random();
  const backOff = baseMs * 2 ** (number - 1) * jitter;
  return Math.min(Math.max(backOff, verdict.retryAfterMs ?? 0), LONGEST_WAIT_MS);
}
