import { LONGEST_TIMER_MS, sleep } from '../../../src/amplitude/sleep';

const never = new AbortController().signal;

describe('sleep', () => {
  it('waits for its time', async () => {
    const since = performance.now();
    await sleep(30, never);
    // A timer of Node may fire up to a millisecond early.
    expect(performance.now() - since).toBeGreaterThanOrEqual(29);
  });

  it.each([0, -5, Number.NEGATIVE_INFINITY])('returns at once for %d ms', async (ms) => {
    await expect(sleep(ms, never)).resolves.toBeUndefined();
  });

  it.each([2 ** 31, 1e15, Infinity])(
    'does not fire at once for %d ms, which no timer can hold',
    async (ms) => {
      const stop = new AbortController();
      let woke = false;
      const waiting = sleep(ms, stop.signal).then(
        () => (woke = true),
        () => 'stopped',
      );
      await sleep(20, never);
      expect(woke).toBe(false);
      stop.abort();
      await expect(waiting).resolves.toBe('stopped');
      expect(LONGEST_TIMER_MS).toBe(2_147_483_647);
    },
  );

  it('rejects with the reason of an abort, before and while it waits', async () => {
    const reason = new Error('stopped');
    await expect(sleep(10_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const stop = new AbortController();
    const waiting = sleep(10_000, stop.signal);
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it('ends early when it is woken', async () => {
    const wake = new AbortController();
    const waiting = sleep(1_000_000, never, wake.signal);
    wake.abort();
    await expect(waiting).resolves.toBeUndefined();
  });
});
