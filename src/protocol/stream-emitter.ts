import {
  errorTraceMessage,
  type ErrorTrace,
  plainDescriptor,
  stateMessage,
  type StreamDescriptor,
  type StreamStatus,
  streamStatusMessage,
  stringifyOnOneLine,
} from './messages';
import type { StreamOutput, StreamState } from './output';
import { recordHead } from './record-envelope';
import { NO_CURSOR_STATE } from './state';
import type { MessageWriter } from './writer';

/** A shorter wait is not worth a status: the platform would only flicker. */
const SHOWN_WAIT_MS = 3_000;

export interface EmitterClock {
  /** Epoch ms, for `emitted_at`. */
  now(): number;
  /** Ms from a clock that never steps back, for intervals. */
  elapsed(): number;
}

export interface EmitterOptions {
  readonly writer: MessageWriter;
  readonly clock: EmitterClock;
  /** `emitted_at` of an ERROR trace; later than that of every trace before it. */
  traceTime(): number;
  /** Least ms between two STATEs of which the second covers no record. */
  readonly emptyCheckpointMs: number;
  readonly stream: StreamDescriptor;
  /** True when the stream has a cursor, so that its checkpoints are states to resume from. */
  readonly hasCursor: boolean;
  readonly initialState: StreamState | undefined;
  readonly unselectedFields: ReadonlySet<string>;
}

/**
 * Sends the messages of one stream in the order and with the counts that the protocol asks for.
 *
 * States: a STATE follows each checkpoint that has new records before it. A checkpoint without new records waits until
 * `emptyCheckpointMs` have passed since the last STATE (at first: since the start), so that a long empty range does not
 * become thousands of barriers for the destination and a STATE that counts nothing does not come just before the same
 * state with a count: Airbyte's acceptance test merges the two and then finds no count. What waits goes out before the
 * terminal status. Until the first checkpoint the state to resume from is the input state, or `{}` ("from the start").
 */
export class StreamEmitter {
  readonly #options: EmitterOptions;
  /** What to resume from when nothing more is read. */
  #safeState: StreamState;
  #safeText: string;
  /** The last STATE's state as JSON: a text that the stream cannot change afterwards. */
  #sentText: string | undefined;
  /** RECORDs since the last STATE: exactly what its `recordCount` must say. */
  #pendingRecords = 0;
  /** When the last STATE left, or the stream started. */
  #stateAt: number;
  /** When the last RECORD or STATE left: the platform takes nothing else for a sign of life. */
  #lifeAt: number;
  #runningSent = false;
  #limitedUntil: number | undefined;
  #finished = false;
  records = 0;
  bytes = 0;
  states = 0;

  constructor(options: EmitterOptions) {
    this.#options = options;
    this.#safeText = JSON.stringify(options.initialState ?? {});
    this.#safeState = options.initialState ?? {};
    this.#stateAt = options.clock.elapsed();
    this.#lifeAt = this.#stateAt;
  }

  get safeState(): StreamState {
    return this.#safeState;
  }

  get limitedUntil(): number | undefined {
    return this.#limitedUntil;
  }

  start(): void {
    this.#sendStatus('STARTED');
  }

  /** Resolves when the reader has room again; a batch's memory may be used again from then on. */
  async emit(output: StreamOutput): Promise<void> {
    if (this.#finished) return;
    if (output.kind === 'checkpoint') await this.#checkpoint(output.state);
    else if (output.kind === 'lines') await this.#emitLines(output.bytes, output.count);
    else await this.#emitRecords(output.records);
  }

  /** @param untilMs Epoch ms. */
  rateLimited(untilMs: number): void {
    if (this.#finished || this.#limitedUntil === untilMs) return;
    if (untilMs - this.#options.clock.now() <= SHOWN_WAIT_MS) return;
    this.#limitedUntil = untilMs;
    this.#sendStatus('RUNNING', untilMs);
  }

  resumed(): void {
    if (this.#finished || this.#limitedUntil === undefined) return;
    this.#sendRunning();
  }

  /** Re-sends the state to resume from when nothing but silence has left for `heartbeatMs`. @returns ms until the next look. */
  beat(heartbeatMs: number): number {
    const silence = this.#options.clock.elapsed() - this.#lifeAt;
    if (this.#finished || silence < heartbeatMs) return heartbeatMs - silence;
    this.#sendState();
    return heartbeatMs;
  }

  complete(): void {
    if (this.#finished) return;
    if (!this.#runningSent) this.#sendRunning();
    if (!this.#options.hasCursor) this.#setSafeState(NO_CURSOR_STATE);
    this.#sendLastState();
    this.#sendTerminal('COMPLETE');
  }

  /** The part of a failure that must not wait: what was read so far is committed with its count. */
  sendLastState(): void {
    if (!this.#finished) this.#sendLastState();
  }

  sendError(error: ErrorTrace): void {
    const stream_descriptor = plainDescriptor(this.#options.stream);
    this.#options.writer.send(errorTraceMessage({ ...error, stream_descriptor }, this.#options.traceTime()));
  }

  incomplete(): void {
    if (!this.#finished) this.#sendTerminal('INCOMPLETE');
  }

  async #emitLines(bytes: Uint8Array, count: number): Promise<void> {
    if (count === 0) return;
    this.#beforeRecords();
    // Counted in the same turn in which the writer takes the lines: a heartbeat's STATE may come before the wait is over.
    const written = this.#options.writer.writeLines(bytes);
    this.#count(count, bytes.length);
    await written;
  }

  async #emitRecords(records: readonly object[]): Promise<void> {
    const { writer, clock, stream, unselectedFields } = this.#options;
    const head = recordHead(stream, clock.now());
    for (const record of records) {
      const data = stringifyOnOneLine(leaveOut(record, unselectedFields));
      // The platform drops a record without fields and then finds our count wrong.
      if (data === '{}') continue;
      this.#beforeRecords();
      this.#count(1, writer.send(`${head}${data}}}`));
      await writer.ready();
      // The run may have been stopped during the wait: nothing of a stream may follow its terminal status.
      if (this.#finished) return;
    }
  }

  async #checkpoint(state: StreamState): Promise<void> {
    // Without a cursor there is nothing to resume from: only the end of the stream has a state.
    if (!this.#options.hasCursor) return;
    this.#setSafeState(state);
    const { clock, emptyCheckpointMs, writer } = this.#options;
    const isDue =
      this.#pendingRecords > 0 ||
      (clock.elapsed() - this.#stateAt >= emptyCheckpointMs && this.#safeText !== this.#sentText);
    if (!isDue) return;
    this.#sendState();
    await writer.ready();
  }

  #sendLastState(): void {
    if (this.#safeText !== this.#sentText || this.#pendingRecords > 0) this.#sendState();
  }

  #setSafeState(state: StreamState): void {
    this.#safeText = JSON.stringify(state);
    this.#safeState = JSON.parse(this.#safeText) as StreamState;
  }

  #sendState(): void {
    const { writer, clock, stream } = this.#options;
    writer.send(stateMessage(stream, this.#safeState, this.#pendingRecords));
    this.#sentText = this.#safeText;
    this.#pendingRecords = 0;
    this.#stateAt = clock.elapsed();
    this.#lifeAt = this.#stateAt;
    this.states += 1;
  }

  #beforeRecords(): void {
    if (!this.#runningSent || this.#limitedUntil !== undefined) this.#sendRunning();
  }

  #count(records: number, bytes: number): void {
    this.#pendingRecords += records;
    this.records += records;
    this.bytes += bytes;
    this.#lifeAt = this.#options.clock.elapsed();
  }

  #sendRunning(): void {
    this.#runningSent = true;
    this.#limitedUntil = undefined;
    this.#sendStatus('RUNNING');
  }

  #sendTerminal(status: 'COMPLETE' | 'INCOMPLETE'): void {
    this.#finished = true;
    this.#limitedUntil = undefined;
    this.#sendStatus(status);
  }

  #sendStatus(status: StreamStatus, quotaReset?: number): void {
    const { writer, clock, stream } = this.#options;
    writer.send(streamStatusMessage(stream, status, clock.now(), quotaReset));
  }
}

function leaveOut(record: object, fields: ReadonlySet<string>): object {
  if (fields.size === 0) return record;
  return Object.fromEntries(Object.entries(record).filter(([field]) => !fields.has(field)));
}
