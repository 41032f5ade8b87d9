import { Writable } from 'node:stream';

/** An output that keeps what it is given and can be told to stall, like a destination that stops reading. */
export class MemorySink extends Writable {
  /** Number of chunks that were taken. */
  writes = 0;
  /** Most bytes that ever waited in the stream's own queue. */
  mostQueued = 0;
  readonly #chunks: Buffer[] = [];
  #stalled: (() => void)[] | undefined;

  constructor(readonly takes: (callback: () => void) => void = (callback) => callback()) {
    super({ highWaterMark: 16 * 1024 });
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  stall(): void {
    this.#stalled ??= [];
  }

  release(): void {
    const waiting = this.#stalled ?? [];
    this.#stalled = undefined;
    for (const resume of waiting) resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.writes += 1;
    this.mostQueued = Math.max(this.mostQueued, this.writableLength);
    const take = (): void => {
      // Copied when it is taken, as the kernel does: a buffer that was reused too early shows up as wrong text.
      this.#chunks.push(Buffer.from(chunk));
      this.takes(() => callback());
    };
    if (this.#stalled === undefined) take();
    else this.#stalled.push(take);
  }
}
