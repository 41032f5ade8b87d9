import { ConnectorFailure } from '../failure';
import type { RequestKind, RequestLimits } from './limits';
import type { ApiObserver } from './observer';
import type { Transport } from './transport';
import type { Verdict } from './verdicts';

/** Attempts after the first. */
export const RETRIES = 5;
/** No wait between two attempts is longer, whatever Retry-After says: at most 50 minutes for a whole request. */
export const LONGEST_WAIT_MS = 600_000;

/**
 * Least wait after a 429 that does not say how long, in base delays: five of 60 s outlast the 300 s in which Amplitude
 * counts the cost of requests.
 */
const UNTOLD_RATE_LIMIT = 12;

export interface RetryPace {
  /** First back-off. */
  readonly retryBaseMs: number;
  /** Nobody waits longer than this for a retry, and what Amplitude asks to wait longer for has failed; for interactive commands. */
  readonly patienceMs?: number;
}

/** What every request works with, whatever it asks for. */
export interface RequestOptions extends RetryPace {
  readonly transport: Transport;
  readonly limits: RequestLimits;
  /** Attempts after the first. */
  readonly retries: number;
}

/**
 * How long to wait before retry `number` (1-based): exponential from the base with ±20 % jitter, or what Amplitude asked
 * for if that is longer, up to ten minutes. A rate limit without a time is waited for longer than other faults.
 */
export function retryDelayMs(
  number: number,
  { retryBaseMs, patienceMs = LONGEST_WAIT_MS }: RetryPace,
  { status, retryAfterMs }: Pick<Verdict, 'status' | 'retryAfterMs'>,
): number {
  const jitter = 0.8 + 0.4 * Math.random();
  const backOff = retryBaseMs * 2 ** (number - 1) * jitter;
  const least = retryAfterMs ?? (status === 429 ? UNTOLD_RATE_LIMIT * retryBaseMs : 0);
  return Math.min(Math.max(backOff, least), LONGEST_WAIT_MS, patienceMs);
}

/** The failure of a request that may be made again only later than its caller waits; undefined when it may be earlier. */
export function refuseToWait(
  { retryAfterMs = 0, failure, status }: Verdict,
  { patienceMs = Infinity }: RetryPace,
): ConnectorFailure | undefined {
  if (retryAfterMs <= patienceMs) return undefined;
  const seconds = Math.ceil(retryAfterMs / 1000);
  const message = `Amplitude asks to wait ${seconds} s before the next request. Try again after that. ${failure.message}`;
  return new ConnectorFailure('config', message, failure.detail, status === undefined ? {} : { status });
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
