import type { RequestKind, RequestLimits } from './limits';
import type { ApiObserver } from './observer';
import type { Transport } from './transport';
import type { Verdict } from './verdicts';

/** Attempts after the first. */
export const RETRIES = 5;
/** No wait between two attempts is longer, whatever Retry-After says: at most 50 minutes for a whole request. */
export const LONGEST_WAIT_MS = 600_000;

/** What every request works with, whatever it asks for. */
export interface RequestOptions {
  readonly transport: Transport;
  readonly limits: RequestLimits;
  /** Attempts after the first. */
  readonly retries: number;
  /** First back-off. */
  readonly retryBaseMs: number;
}

/**
 * How long to wait before retry `number` (1-based): exponential from the base with ±20 % jitter, or what Amplitude asked
 * for if that is longer, up to ten minutes.
 */
export function retryDelayMs(
  number: number,
  baseMs: number,
  { retryAfterMs = 0 }: Pick<Verdict, 'retryAfterMs'>,
): number {
  const jitter = 0.8 + 0.4 * Math.random();
  const backOff = baseMs * 2 ** (number - 1) * jitter;
  return Math.min(Math.max(backOff, retryAfterMs), LONGEST_WAIT_MS);
}

/** Tells of a retry; a rate limit also holds back the other requests of the kind. */
export function announceRetry(
  observer: ApiObserver,
  limits: RequestLimits,
  kind: RequestKind,
  { failure, status }: Pick<Verdict, 'failure' | 'status'>,
  number: number,
  delayMs: number,
): void {
  observer.tally('retries', 1);
  observer.log.warn(`Retry ${number} in ${(delayMs / 1000).toFixed(1)} s: ${failure.message}`);
  if (status !== 429) return;
  const untilMs = Date.now() + delayMs;
  observer.rateLimited(untilMs);
  limits.pause(kind, untilMs);
}
