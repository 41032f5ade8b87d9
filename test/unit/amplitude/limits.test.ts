import { RequestLimits, type RequestKind } from '../../../src/amplitude/limits';
import type { ApiObserver } from '../../../src/amplitude/observer';
import { sleep } from '../../../src/amplitude/sleep';
import { ConnectorFailure } from '../../../src/failure';

const never = new AbortController().signal;

interface Heard extends ApiObserver {
  readonly limitedUntil: number[];
  resumptions: number;
}

function observe(signal: AbortSignal = never): Heard {
  const limitedUntil: number[] = [];
  const observer: Heard = {
    signal,
    log: { info: () => undefined, warn: () => undefined, debug: () => undefined },
    limitedUntil,
    resumptions: 0,
    rateLimited: (untilMs) => limitedUntil.push(untilMs),
    resumed: () => (observer.resumptions += 1),
    tally: () => undefined,
  };
  return observer;
}

/** Requests that end when the test says so. */
class Requests {
  inFlight = 0;
  most = 0;
  readonly started: string[] = [];
  private readonly ends: (() => void)[] = [];

  start(name: string): () => Promise<string> {
    return async () => {
      this.started.push(name);
      this.inFlight += 1;
      this.most = Math.max(this.most, this.inFlight);
      await new Promise<void>((resolve) => this.ends.push(resolve));
      this.inFlight -= 1;
      return name;
    };
  }

  endAll(): void {
    for (const end of this.ends.splice(0)) end();
  }

  /** Returns when so many are in flight. */
  async reach(inFlight: number): Promise<void> {
    while (this.inFlight < inFlight) await sleep(1, never);
  }
}

describe('requests', () => {
  it('are five at once at most, over both kinds, and give what the attempt gives', async () => {
    const limits = new RequestLimits({ costWindowMs: 10, paceMs: 0 });
    const requests = new Requests();
    const names = Array.from({ length: 13 }, (_, index) => `request ${index}`);
    const all = Promise.all(
      names.map((name, index) =>
        limits.run(index % 3 ? 'json' : 'export', index % 2, requests.start(name), observe()),
      ),
    );
    let done = false;
    void all.then(() => (done = true));
    await requests.reach(5);
    // Time for a sixth, which must not come.
    await sleep(30, never);
    expect(requests.inFlight).toBe(5);
    while (!done) {
      requests.endAll();
      await sleep(1, never);
    }
    expect(await all).toEqual(names);
    expect(requests.most).toBe(5);
  });

  it('pass errors on and leave their place', async () => {
    const limits = new RequestLimits({ costWindowMs: 10, paceMs: 0 });
    for (let count = 0; count < 12; count += 1) {
      const failing = limits.run('json', 1, () => Promise.reject(new Error(`failed ${count}`)), observe());
      await expect(failing).rejects.toThrow(`failed ${count}`);
    }
    await expect(limits.run('json', 1, () => Promise.resolve('fine'), observe())).resolves.toBe('fine');
  });

  it('of a cost beyond the budget fail at once, unsent', async () => {
    const attempt = jest.fn();
    const limits = new RequestLimits({ costWindowMs: 60_000, paceMs: 0 });
    await expect(limits.run('json', 1001, attempt, observe())).rejects.toThrow(ConnectorFailure);
    expect(attempt).not.toHaveBeenCalled();
    await expect(limits.run('json', 1000, () => Promise.resolve(1), observe())).resolves.toBe(1);
  });

  it.each<[RequestKind, number]>([
    ['export', 40],
    ['json', 10],
  ])('of kind %s start %d ms apart with a pace of 40 ms', async (kind, apartMs) => {
    const limits = new RequestLimits({ costWindowMs: 10, paceMs: 40 });
    const starts: number[] = [];
    const attempt = async (): Promise<void> => {
      starts.push(performance.now());
    };
    const since = performance.now();
    await Promise.all(Array.from({ length: 7 }, () => limits.run(kind, 0, attempt, observe())));
    // A late timer does not put off the ones after it; and Date.now, which bottleneck uses, ticks in whole milliseconds.
    const tooEarly = starts.filter((at, index) => at - since < index * apartMs - 2);
    expect(starts).toHaveLength(7);
    expect(tooEarly).toEqual([]);
  });

  it('without budget hold no place in flight', async () => {
    const limits = new RequestLimits({ costWindowMs: 3_600_000, paceMs: 0 });
    const stop = new AbortController();
    await limits.run('json', 1000, () => Promise.resolve(), observe());
    const held = Array.from({ length: 8 }, () =>
      limits.run('json', 1000, () => Promise.resolve(), observe(stop.signal)),
    );
    const outcomes = Promise.allSettled(held);
    await expect(limits.run('export', 0, () => Promise.resolve('export'), observe())).resolves.toBe('export');
    stop.abort();
    expect((await outcomes).map(({ status }) => status)).toEqual(Array(8).fill('rejected'));
  });

  it('that wait long for budget are told until when, and told again when they go on', async () => {
    const limits = new RequestLimits({ costWindowMs: 1_500, paceMs: 0 });
    await limits.run('json', 1000, () => Promise.resolve(), observe());
    const observer = observe();
    const since = Date.now();
    await limits.run('json', 1000, () => Promise.resolve(), observer);
    expect(observer.limitedUntil.length).toBeGreaterThan(0);
    expect(observer.limitedUntil[0]).toBeGreaterThan(since + 500);
    expect(observer.resumptions).toBe(1);
  });
});

describe('a pause', () => {
  it('holds back every request of its kind, those that already wait for their place included', async () => {
    const limits = new RequestLimits({ costWindowMs: 10, paceMs: 0 });
    const requests = new Requests();
    const busy = Array.from({ length: 5 }, (_, index) =>
      limits.run('json', 0, requests.start(`busy ${index}`), observe()),
    );
    const queued = limits.run('json', 0, async () => performance.now(), observe());
    await requests.reach(5);
    const untilMs = performance.now() + 100;
    limits.pause('json', Date.now() + 100);
    const late = limits.run('json', 0, async () => performance.now(), observe());
    const other = limits.run('export', 0, async () => performance.now(), observe());
    requests.endAll();
    await Promise.all(busy);
    expect(await other).toBeLessThan(untilMs + 3_000);
    // Date.now and performance.now do not tick together.
    expect(Math.min(await queued, await late)).toBeGreaterThanOrEqual(untilMs - 2);
  });

  it('is not shortened by a later, shorter one', async () => {
    const limits = new RequestLimits({ costWindowMs: 10, paceMs: 0 });
    const since = performance.now();
    limits.pause('export', Date.now() + 80);
    limits.pause('export', Date.now() + 1);
    await limits.run('export', 0, () => Promise.resolve(), observe());
    expect(performance.now() - since).toBeGreaterThanOrEqual(77);
  });

  it('ends with an abort', async () => {
    const limits = new RequestLimits({ costWindowMs: 10, paceMs: 0 });
    const stop = new AbortController();
    const attempt = jest.fn();
    limits.pause('json', Date.now() + 3_600_000);
    const waiting = limits.run('json', 1, attempt, observe(stop.signal));
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    expect(attempt).not.toHaveBeenCalled();
  });
});

it('a request that is aborted while it waits for its place is never sent', async () => {
  const limits = new RequestLimits({ costWindowMs: 10, paceMs: 0 });
  const requests = new Requests();
  const busy = Array.from({ length: 5 }, () => limits.run('json', 0, requests.start('busy'), observe()));
  await requests.reach(5);
  const stop = new AbortController();
  const attempt = jest.fn();
  const waiting = limits.run('json', 0, attempt, observe(stop.signal));
  stop.abort(new Error('stopped'));
  requests.endAll();
  await expect(waiting).rejects.toThrow('stopped');
  await Promise.all(busy);
  expect(attempt).not.toHaveBeenCalled();
});
