import { ConnectorFailure } from '../failure';
import { sleep } from './sleep';

export interface CostBudget {
  readonly limit: number;
  readonly windowMs: number;
}

interface Entry {
  readonly cost: number;
  /** When Amplitude had certainly counted it; undefined while the request is in flight. */
  settledMs: number | undefined;
}

type Tell = (untilMs: number) => void;

/**
 * Keeps the cost of requests within every budget, over any sliding window. A cost counts from before the request is
 * sent until a whole window after its answer, because only Amplitude knows when in between it was counted. It goes by a
 * clock that never steps: a wall clock set forward would free the budget too early, one set back hold it for hours.
 */
export class CostLedger {
  private entries: Entry[] = [];
  private turn: Promise<unknown> = Promise.resolve();
  private settled = new AbortController();
  /** All who wait, those behind the first included: their wait is as long at least. */
  private readonly waiting = new Set<Tell>();

  constructor(private readonly budgets: readonly CostBudget[]) {}

  /**
   * Waits, first come first served, until the cost fits.
   * @param onWait Called with the epoch ms until which the budget is known to be used up.
   * @returns A function to call when the request has ended, however it ended.
   * @throws ConnectorFailure (system) when the cost exceeds a budget by itself.
   */
  async acquire(cost: number, signal: AbortSignal, onWait: Tell): Promise<() => void> {
    const smallest = Math.min(...this.budgets.map((budget) => budget.limit));
    if (cost > smallest) {
      throw new ConnectorFailure(
        'system',
        `A request of cost ${cost} can never fit Amplitude's budget of ${smallest}.`,
      );
    }
    this.waiting.add(onWait);
    const granted = this.turn.then(() => this.grant(cost, signal));
    this.turn = granted.catch(() => undefined);
    try {
      const entry = await this.unlessAborted(granted, signal);
      return () => this.settle(entry);
    } finally {
      this.waiting.delete(onWait);
    }
  }

  private async grant(cost: number, signal: AbortSignal): Promise<Entry> {
    await this.waitForRoom(cost, signal);
    const entry: Entry = { cost, settledMs: undefined };
    this.entries.push(entry);
    return entry;
  }

  /** Rejects as soon as the signal is aborted, also while others stand before it; the turn passes on when it comes. */
  private unlessAborted(granted: Promise<Entry>, signal: AbortSignal): Promise<Entry> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        reject(signal.reason);
        granted.then(
          (entry) => this.settle(entry),
          () => undefined,
        );
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort);
      granted.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  private settle(entry: Entry): void {
    entry.settledMs = performance.now();
    this.settled.abort();
    this.settled = new AbortController();
  }

  private async waitForRoom(cost: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const nowMs = performance.now();
      const roomMs = this.roomAt(cost, nowMs);
      if (roomMs === undefined) return;
      const leftMs = Math.max(1, Math.ceil(roomMs - nowMs));
      for (const tell of this.waiting) tell(Date.now() + leftMs);
      // A request in flight frees its room only a window after it has ended, but when that is, is known at its end.
      await sleep(leftMs, signal, this.settled.signal);
    }
  }

  /** When the cost may fit, as far as is known now; undefined when it fits. */
  private roomAt(cost: number, nowMs: number): number | undefined {
    const longest = Math.max(...this.budgets.map((budget) => budget.windowMs));
    this.entries = this.entries.filter((entry) => (entry.settledMs ?? nowMs) + longest > nowMs);
    let latest: number | undefined;
    for (const { limit, windowMs } of this.budgets) {
      const counted = this.entries
        .map((entry) => ({ cost: entry.cost, freeMs: (entry.settledMs ?? nowMs) + windowMs }))
        .filter((entry) => entry.freeMs > nowMs)
        .sort((a, b) => a.freeMs - b.freeMs);
      let excess = counted.reduce((sum, entry) => sum + entry.cost, cost) - limit;
      for (const entry of counted) {
        if (excess <= 0) break;
        excess -= entry.cost;
        latest = Math.max(latest ?? 0, entry.freeMs);
      }
    }
    return latest;
  }
}
