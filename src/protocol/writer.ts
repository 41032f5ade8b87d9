import type { Writable } from 'node:stream';
import { type Message, stringifyOnOneLine } from './messages';

/** Small messages are collected in blocks of this size: one system call per block instead of one per message. */
const BLOCK_BYTES = 256 * 1024;

/** A batch below this size is copied into the block; a larger one goes to the stream as it is. */
const COPY_BELOW_BYTES = 16 * 1024;

/**
 * A batch up to this size is copied, so that its maker can go on while the reader takes it; a larger one (records of 20 MB)
 * is waited for instead.
 */
const COPY_AHEAD_BYTES = 4 * 1024 * 1024;

const NEWLINE = 0x0a;
const WRITTEN: Promise<void> = Promise.resolve();

/** Errors that mean no more than "the reader has gone". */
const CLOSED_CODES: ReadonlySet<string> = new Set([
  'EPIPE',
  'ECONNRESET',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_WRITE_AFTER_END',
]);

/** The reader of our output has gone (`head -1`, a stopped destination). The run ends quietly, with a non-zero exit code. */
export class OutputClosed extends Error {
  readonly code = 'OUTPUT_CLOSED';

  constructor() {
    super('The reader of the output has closed it.');
    this.name = 'OutputClosed';
  }
}

/**
 * Writes whole messages, in the order of the calls, to one stream. Several streams may write at the same time.
 *
 * Memory stays flat when every caller awaits its writes: each then has at most two batches under way.
 * After the first failure of the stream nothing more is written, `signal` is aborted and every wait rejects with
 * `failure`: an `OutputClosed` when the reader has gone, the stream's own error otherwise (a full disk behind `>`).
 */
export class MessageWriter {
  readonly #stream: Writable;
  readonly #closed = new AbortController();
  /** Settles the waits whose write callback has not come yet, so that a failure leaves nobody waiting. */
  readonly #pending = new Set<() => void>();
  #failure: Error | undefined;
  /** Settles, never rejects, when everything handed to the stream so far has been written or has failed. */
  #handedOver: Promise<void> = WRITTEN;
  #block = Buffer.alloc(0);
  /** Bytes of the block before `#start` belong to the stream, from `#start` to `#end` they wait for a flush. */
  #start = 0;
  #end = 0;
  #flushScheduled = false;
  /** Of batches that have been written, kept to be used again. */
  readonly #freeBuffers: Buffer[] = [];

  constructor(stream: Writable) {
    this.#stream = stream;
    // Stays for good: an error event without a listener would end the process with a stack trace.
    stream.on('error', (error: Error) => this.#fail(error));
    stream.on('close', () => this.#fail(new OutputClosed()));
  }

  /** Aborted, with the failure as its reason, when the stream can take no more. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  /** Why nothing can be written any more. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * Takes a message without waiting; for the few that are not worth a wait (logs, statuses). Dropped after a failure.
   * @param message A message, or one as JSON without a line end.
   * @returns The bytes taken, the line end included.
   */
  send(message: Message | string): number {
    const line = typeof message === 'string' ? message : stringifyOnOneLine(message);
    const size = Buffer.byteLength(line) + 1;
    if (this.#failure !== undefined) return size;
    this.#makeRoom(size);
    this.#end += this.#block.write(line, this.#end);
    this.#block[this.#end] = NEWLINE;
    this.#end += 1;
    this.#scheduleFlush();
    return size;
  }

  /** Takes a message and waits while the reader is behind. */
  write(message: Message | string): Promise<void> {
    this.send(message);
    return this.ready();
  }

  /**
   * Takes whole message lines. They keep their place among the other messages from the moment of the call.
   * @param bytes Ends with a line end. It must not change until the promise settles, which is when the batch before has been
   *   written; afterwards it may be used again.
   * @throws TypeError at once, before anything is taken, when the last line has no end.
   */
  writeLines(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return this.ready();
    if (bytes[bytes.length - 1] !== NEWLINE) {
      throw new TypeError('A batch of message lines does not end with a line end.');
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (bytes.length < COPY_BELOW_BYTES) {
      this.#makeRoom(bytes.length);
      this.#block.set(bytes, this.#end);
      this.#end += bytes.length;
      this.#scheduleFlush();
      return this.ready();
    }
    this.#flushBlock();
    if (bytes.length > COPY_AHEAD_BYTES) {
      this.#handOver(bytes);
      return this.#settled(this.#handedOver);
    }
    const before = this.#handedOver;
    const buffer = this.#freeBuffers.pop() ?? Buffer.allocUnsafeSlow(COPY_AHEAD_BYTES);
    buffer.set(bytes);
    this.#handOver(buffer.subarray(0, bytes.length), () => this.#freeBuffers.push(buffer));
    return this.#settled(before);
  }

  /** Resolves at once while the stream takes more, otherwise when it has caught up. Rejects after a failure. */
  ready(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return this.#stream.writableNeedDrain ? this.#settled(this.#handedOver) : WRITTEN;
  }

  /**
   * Resolves when everything taken so far has left the process. Rejects after a failure. The last call too: the stream stays
   * open, because standard output cannot be closed for good.
   */
  flush(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#flushBlock();
    return this.#settled(this.#handedOver);
  }

  async #settled(handedOver: Promise<void>): Promise<void> {
    await handedOver;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #makeRoom(size: number): void {
    if (this.#end + size <= this.#block.length) return;
    this.#flushBlock();
    this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, size));
    this.#start = 0;
    this.#end = 0;
  }

  /** A message waits no longer than the current turn of the event loop; a busy loop fills the block first. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flushBlock();
    });
  }

  #flushBlock(): void {
    if (this.#start === this.#end) return;
    // The stream keeps this part of the block until it is written; later messages go behind it.
    const part = this.#block.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#handOver(part);
  }

  #handOver(bytes: Uint8Array, onWritten: () => void = () => undefined): void {
    if (this.#failure !== undefined) return;
    this.#handedOver = new Promise((resolve) => {
      this.#pending.add(resolve);
      this.#stream.write(bytes, (error) => {
        if (error) this.#fail(error);
        this.#pending.delete(resolve);
        onWritten();
        resolve();
      });
    });
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    const code = 'code' in error ? String(error.code) : '';
    this.#failure = CLOSED_CODES.has(code) ? new OutputClosed() : error;
    this.#closed.abort(this.#failure);
    for (const settle of this.#pending) settle();
    this.#pending.clear();
  }
}
