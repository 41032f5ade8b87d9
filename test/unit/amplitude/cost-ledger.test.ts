import { CostLedger } from '../../../src/amplitude/cost-ledger';
import { sleep } from '../../../src/amplitude/sleep';
import { ConnectorFailure } from '../../../src/failure';

/** Ends what a test leaves waiting, so that no timer outlives it. */
let end = new AbortController();
let never = end.signal;
const untold = (): void => undefined;
/** Longer than any test takes: nothing is freed by time. */
const AGES_MS = 3_600_000;

/** Whether a promise settles without anything else happening. */
async function settles(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await sleep(15, never);
  return settled;
}

beforeEach(() => {
  end = new AbortController();
  never = end.signal;
});

afterEach(() => {
  end.abort();
  jest.restoreAllMocks();
});

describe('a budget', () => {
  it('is given out up to its limit at once, and not beyond', async () => {
    const ledger = new CostLedger([{ limit: 10, windowMs: AGES_MS }]);
    await ledger.acquire(4, never, untold);
    await ledger.acquire(6, never, untold);
    expect(await settles(ledger.acquire(1, never, untold))).toBe(false);
  });

  it('fails at once for what can never fit, and holds nobody else up', async () => {
    const ledger = new CostLedger([
      { limit: 100, windowMs: AGES_MS },
      { limit: 10, windowMs: AGES_MS },
    ]);
    const failure = await ledger.acquire(11, never, untold).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConnectorFailure);
    expect(failure).toMatchObject({ kind: 'system', message: expect.stringContaining('cost 11') });
    await ledger.acquire(10, never, untold);
  });

  it('fails at once for what can never fit, also behind others who wait', async () => {
    const ledger = new CostLedger([{ limit: 10, windowMs: AGES_MS }]);
    await ledger.acquire(10, never, untold);
    const waiting = ledger.acquire(1, never, untold);
    await expect(ledger.acquire(11, never, untold)).rejects.toThrow(ConnectorFailure);
    end.abort(new Error('over'));
    await expect(waiting).rejects.toThrow('over');
  });

  it('comes back one whole window after the end of the request, not after its start', async () => {
    const windowMs = 60;
    const ledger = new CostLedger([{ limit: 10, windowMs }]);
    const settle = await ledger.acquire(10, never, untold);
    const next = ledger.acquire(10, never, untold);
    await sleep(2 * windowMs, never);
    expect(await settles(next)).toBe(false);
    const endedMs = performance.now();
    settle();
    await next;
    expect(performance.now() - endedMs).toBeGreaterThanOrEqual(windowMs);
  });

  it('of several binds by the one that is used up', async () => {
    const ledger = new CostLedger([
      { limit: 10, windowMs: 5 },
      { limit: 15, windowMs: AGES_MS },
    ]);
    (await ledger.acquire(10, never, untold))();
    (await ledger.acquire(5, never, untold))();
    expect(await settles(ledger.acquire(1, never, untold))).toBe(false);
  });

  it('does not follow a wall clock that is set forward or back', async () => {
    const realNow = Date.now();
    const ledger = new CostLedger([{ limit: 10, windowMs: 150 }]);
    (await ledger.acquire(10, never, untold))();
    const since = performance.now();
    jest.spyOn(Date, 'now').mockReturnValue(realNow + AGES_MS);
    const next = ledger.acquire(10, never, untold);
    expect(await settles(next)).toBe(false);
    jest.spyOn(Date, 'now').mockReturnValue(realNow - AGES_MS);
    await next;
    expect(performance.now() - since).toBeLessThan(AGES_MS / 10);
  });
});

describe('who waits', () => {
  it('is served in the order of asking, also where a later one would fit', async () => {
    const ledger = new CostLedger([{ limit: 10, windowMs: 20 }]);
    (await ledger.acquire(8, never, untold))();
    const served: number[] = [];
    const costs = [5, 1, 10, 2, 2, 9, 1];
    await Promise.all(
      costs.map(async (cost, index) => {
        const settle = await ledger.acquire(cost, never, untold);
        served.push(index);
        settle();
      }),
    );
    expect(served).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('hears until when, behind the first as well', async () => {
    const windowMs = 80;
    const ledger = new CostLedger([{ limit: 10, windowMs }]);
    (await ledger.acquire(10, never, untold))();
    const since = Date.now();
    const heard: number[][] = [[], []];
    const [first, second] = heard.map((untilMs) => ledger.acquire(10, never, (until) => untilMs.push(until)));
    (await first!)();
    await second;
    for (const untilMs of heard) {
      expect(untilMs.length).toBeGreaterThan(0);
      expect(untilMs[0]).toBeGreaterThan(since);
      expect(untilMs[0]).toBeLessThanOrEqual(Date.now() + windowMs);
    }
  });

  it('is told nothing when there is room', async () => {
    const tell = jest.fn();
    await new CostLedger([{ limit: 10, windowMs: AGES_MS }]).acquire(10, never, tell);
    expect(tell).not.toHaveBeenCalled();
  });
});

describe('an abort', () => {
  it('ends the wait of the first promptly and frees its turn', async () => {
    const ledger = new CostLedger([{ limit: 10, windowMs: AGES_MS }]);
    await ledger.acquire(5, never, untold);
    const stop = new AbortController();
    const reason = new Error('stopped');
    const first = ledger.acquire(10, stop.signal, untold);
    const second = ledger.acquire(5, never, untold);
    expect(await settles(second)).toBe(false);
    stop.abort(reason);
    await expect(first).rejects.toBe(reason);
    await second;
  });

  it('ends the wait of one who stands behind others promptly', async () => {
    const ledger = new CostLedger([{ limit: 10, windowMs: AGES_MS }]);
    await ledger.acquire(10, never, untold);
    const first = ledger.acquire(1, never, untold);
    const stop = new AbortController();
    const second = ledger.acquire(1, stop.signal, untold);
    stop.abort(new Error('stopped'));
    await expect(second).rejects.toThrow('stopped');
    expect(await settles(first)).toBe(false);
  });

  it('before the call rejects and takes nothing', async () => {
    const ledger = new CostLedger([{ limit: 10, windowMs: AGES_MS }]);
    await expect(ledger.acquire(10, AbortSignal.abort(new Error('stopped')), untold)).rejects.toThrow(
      'stopped',
    );
    await ledger.acquire(10, never, untold);
  });

  it('in the moment of the grant gives the budget back', async () => {
    const ledger = new CostLedger([{ limit: 10, windowMs: 1 }]);
    const stop = new AbortController();
    const granted = ledger.acquire(10, stop.signal, untold);
    const outcome = granted.then(
      (settle) => settle(),
      () => undefined,
    );
    // The grant needs some turns of the microtask queue; abort in the midst of them.
    await Promise.resolve();
    stop.abort(new Error('stopped'));
    await outcome;
    (await ledger.acquire(10, never, untold))();
  });

  it('after the grant changes nothing', async () => {
    const ledger = new CostLedger([{ limit: 10, windowMs: AGES_MS }]);
    const stop = new AbortController();
    const settle = await ledger.acquire(10, stop.signal, untold);
    stop.abort();
    expect(await settles(ledger.acquire(1, never, untold))).toBe(false);
    settle();
  });
});
