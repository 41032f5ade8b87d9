import Bottleneck from 'bottleneck';
import { CostLedger } from './cost-ledger';
import { sleep } from './sleep';
import type { ApiObserver } from './observer';

/** Amplitude: five requests at once per project over all its APIs (amplitude.com/docs/apis, dashboard REST). */
const MAX_IN_FLIGHT = 5;
const COST_PER_WINDOW = 1_000;
const COST_PER_HOUR = 108_000;
/** The documented window of 1,000 cost is 5 minutes, so an hour is twelve of them. */
const WINDOWS_PER_HOUR = 12;
/** Export: one request a second; the rest: four. */
const JSON_REQUESTS_PER_EXPORT_PACE = 4;
/** A wait that is shorter than this is not worth telling anybody. */
const WORTH_TELLING_MS = 1_000;

export type RequestKind = 'export' | 'json';

/** One project's limits. Every attempt of every request of every stream goes through `run`. */
export class RequestLimits {
  private readonly ledger: CostLedger;
  private readonly gate = new Bottleneck({ maxConcurrent: MAX_IN_FLIGHT });
  private readonly pace: Record<RequestKind, Bottleneck>;
  private readonly pausedUntilMs: Record<RequestKind, number> = { export: 0, json: 0 };

  /**
   * @param options.costWindowMs Length of the cost window; the hour scales with it.
   * @param options.paceMs Least time between the starts of two exports; other requests take a quarter.
   */
  constructor(options: { costWindowMs: number; paceMs: number }) {
    const { costWindowMs, paceMs } = options;
    this.ledger = new CostLedger([
      { limit: COST_PER_WINDOW, windowMs: costWindowMs },
      { limit: COST_PER_HOUR, windowMs: costWindowMs * WINDOWS_PER_HOUR },
    ]);
    this.pace = {
      export: new Bottleneck({ minTime: paceMs, maxConcurrent: null }),
      json: new Bottleneck({ minTime: paceMs / JSON_REQUESTS_PER_EXPORT_PACE, maxConcurrent: null }),
    };
  }

  /**
   * Runs one attempt. The cost is waited for first, so that a job without budget holds no place in flight.
   * @param cost In Amplitude's units; 0 for what has none.
   */
  async run<T>(
    kind: RequestKind,
    cost: number,
    attempt: () => Promise<T>,
    observer: ApiObserver,
  ): Promise<T> {
    const { signal } = observer;
    const waitingSinceMs = Date.now();
    const tell = (untilMs: number): void => {
      if (untilMs - Date.now() >= WORTH_TELLING_MS) observer.rateLimited(untilMs);
    };
    const settle = cost > 0 ? await this.ledger.acquire(cost, signal, tell) : undefined;
    try {
      for (;;) {
        await this.waitForPause(kind, signal, tell);
        const done = await this.gate.schedule(async () => {
          // Paced inside the gate: in front of it, requests that a full gate held back would all start at once.
          await this.pace[kind].schedule(() => Promise.resolve());
          signal.throwIfAborted();
          // A pause that began meanwhile is waited for outside, where it keeps no other request from its place.
          if (this.pausedUntilMs[kind] > Date.now()) return undefined;
          observer.resumed();
          const waitedMs = Date.now() - waitingSinceMs;
          if (waitedMs >= WORTH_TELLING_MS) observer.tally('seconds held back', Math.round(waitedMs / 1000));
          return { answer: await attempt() };
        });
        if (done) return done.answer;
      }
    } finally {
      settle?.();
    }
  }

  /** Amplitude asked for a pause: nothing of the kind is sent before it is over. */
  pause(kind: RequestKind, untilMs: number): void {
    this.pausedUntilMs[kind] = Math.max(this.pausedUntilMs[kind], untilMs);
  }

  private async waitForPause(
    kind: RequestKind,
    signal: AbortSignal,
    tell: (untilMs: number) => void,
  ): Promise<void> {
    for (;;) {
      const untilMs = this.pausedUntilMs[kind];
      const leftMs = untilMs - Date.now();
      if (leftMs <= 0) return;
      tell(untilMs);
      await sleep(leftMs, signal);
    }
  }
}
