import { availableParallelism } from 'node:os';

/** Runs jobs side by side, at most so many at once, in the order in which they were given. */
export class Pool {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param limit Default: one more than there are processors, because runs also wait. */
  constructor(limit = availableParallelism() + 1) {
    this.#limit = limit;
  }

  async run<Value>(job: () => Promise<Value>): Promise<Value> {
    if (this.#running >= this.#limit) await new Promise<void>((start) => this.#waiting.push(start));
    this.#running += 1;
    try {
      return await job();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}
