/** setTimeout takes at most 2^31-1 ms; anything larger fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Waits for a time, or until `wake` fires.
 * @throws The signal's reason when `signal` aborts.
 */
export function sleep(ms: number, signal: AbortSignal, wake?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      wake?.removeEventListener('abort', onWake);
      settle();
    };
    const onAbort = (): void => finish(() => reject(signal.reason));
    const onWake = (): void => finish(resolve);
    const timer = setTimeout(onWake, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
    signal.addEventListener('abort', onAbort);
    wake?.addEventListener('abort', onWake);
  });
}
