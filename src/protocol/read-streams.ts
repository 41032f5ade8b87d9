import { setMaxListeners } from 'node:events';
import { performance } from 'node:perf_hooks';
import type { Logger } from './log';
import type { ErrorTrace, StreamDescriptor } from './messages';
import type { StreamHost, StreamState } from './output';
import { createEnvelope } from './record-envelope';
import { renderFailure } from './render-failure';
import { type RunEnd, runStream, type StreamSource } from './run-stream';
import { StreamEmitter } from './stream-emitter';
import type { MessageWriter } from './writer';

/** Airbyte's platform gives up on a source after hours without a RECORD or STATE; others are less patient. */
const HEARTBEAT_MS = 10 * 60_000;
const EMPTY_CHECKPOINT_MS = 30_000;
const CLEANUP_MS = 5_000;
/** `setTimeout` fires at once beyond this. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** One stream of a read. */
export interface StreamRun extends StreamDescriptor {
  /** The cursor's key in the state and the records. Without it the stream has no state but the closing sentinel. */
  readonly cursorField?: string | undefined;
  /** Fields to leave out of the records; the caller keeps key and cursor fields out of this set. */
  readonly unselectedFields?: ReadonlySet<string>;
  /** The state that reading starts from: sent again when nothing moves it on. */
  readonly initialState?: StreamState | undefined;
  /** Starts the reading. May throw: a run that cannot begin (an unknown stream) is a failed stream like any other. */
  start(host: StreamHost): StreamSource;
}

/** Where one stream stands; sent to `onProgress` after each of its outputs and changes of status. */
export interface StreamProgress extends StreamDescriptor {
  readonly status: 'running' | 'waiting' | 'complete' | 'failed' | 'stopped';
  readonly records: number;
  /** Bytes of RECORD lines. */
  readonly bytes: number;
  /** Value of the cursor in the state to resume from. */
  readonly cursor: string | undefined;
  /** Epoch ms when the wait of a `waiting` stream ends. */
  readonly waitingUntil: number | undefined;
}

export interface ReadOptions {
  readonly writer: MessageWriter;
  readonly logger: Logger;
  readonly redact: (text: string) => string;
  /** Stops the read: every stream ends at once with its last safe state and INCOMPLETE. */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: StreamProgress) => void;
  /** Epoch ms. */
  readonly now?: () => number;
  /** Ms from a clock that never steps back. */
  readonly elapsed?: () => number;
  /** A stream that sent no RECORD and no STATE for so long sends its state again. */
  readonly heartbeatMs?: number;
  /** Least ms between two STATEs of which the second covers no record. */
  readonly emptyCheckpointMs?: number;
  /** Longest time that a stopped stream gets to clean up. */
  readonly cleanupMs?: number;
}

export interface StreamSummary extends StreamDescriptor {
  readonly status: 'complete' | 'failed' | 'stopped';
  readonly records: number;
  readonly bytes: number;
  readonly states: number;
  readonly seconds: number;
  readonly stateBefore: StreamState | undefined;
  readonly stateAfter: StreamState;
  /** What the stream counted by `host.tally`. */
  readonly tallies: ReadonlyMap<string, number>;
}

export interface ReadSummary {
  /**
   * `complete`: every stream was fully read, the only outcome with exit code 0. `failed`: some stream was not.
   * `stopped`: the signal was aborted. `closed`: the output takes nothing more, see `writer.failure`.
   */
  readonly outcome: 'complete' | 'failed' | 'stopped' | 'closed';
  readonly streams: readonly StreamSummary[];
}

/**
 * Reads all streams side by side and turns their outputs into messages. Never rejects.
 *
 * A stream that fails does not touch the others: LOG ERROR, TRACE ERROR, its last safe STATE, INCOMPLETE. The platform
 * decides by the earliest trace whether to try again, and never does after a `config_error`; so the trace and INCOMPLETE of a
 * stream with a `config_error` wait until all other streams have ended (its log and STATE do not).
 * The writer is not drained: the caller ends it.
 */
export async function readStreams(runs: readonly StreamRun[], options: ReadOptions): Promise<ReadSummary> {
  const { writer, logger, redact, signal } = options;
  const now = options.now ?? Date.now;
  const elapsed = options.elapsed ?? (() => performance.now());
  const stop = new AbortController();
  // Every stream and every request listens to it: with seven streams more than the ten that Node takes for a leak.
  setMaxListeners(0, stop.signal);
  const abort = (): void => {
    stop.abort(writer.signal.aborted ? writer.signal.reason : signal.reason);
  };
  const signals = [signal, writer.signal];
  if (signals.some((source) => source.aborted)) abort();
  for (const source of signals) source.addEventListener('abort', abort);

  let lastTraceAt = 0;
  const traceTime = (): number => {
    lastTraceAt = Math.max(now(), lastTraceAt + 1);
    return lastTraceAt;
  };
  const heldTraces: (() => void)[] = [];

  const readOne = async (run: StreamRun): Promise<StreamSummary> => {
    const startedAt = elapsed();
    const tallies = new Map<string, number>();
    let status: StreamProgress['status'] = 'running';
    const emitter = new StreamEmitter({
      writer,
      clock: { now, elapsed },
      traceTime,
      emptyCheckpointMs: options.emptyCheckpointMs ?? EMPTY_CHECKPOINT_MS,
      stream: run,
      hasCursor: run.cursorField !== undefined,
      initialState: run.initialState,
      unselectedFields: run.unselectedFields ?? new Set(),
    });
    const report = (): void => options.onProgress?.(describeProgress(run, emitter, status));
    const host = createHost(run, emitter, tallies, stop.signal, logger, now, report);

    const fail = (error: unknown): void => {
      const trace: ErrorTrace = renderFailure(error, redact);
      host.log.error(trace.message);
      if (trace.failure_type === 'config_error') {
        emitter.sendLastState();
        heldTraces.push(() => {
          emitter.sendError(trace);
          emitter.incomplete();
        });
      } else {
        emitter.sendError(trace);
        emitter.sendLastState();
        emitter.incomplete();
      }
    };
    const onEnd = (end: RunEnd): void => {
      stopHeartbeat();
      if (end.kind === 'complete') emitter.complete();
      else if (end.kind === 'failed') fail(end.error);
      else {
        emitter.sendLastState();
        emitter.incomplete();
      }
      status = end.kind;
      report();
    };

    emitter.start();
    const stopHeartbeat = startHeartbeat(emitter, options.heartbeatMs ?? HEARTBEAT_MS);
    const end = await runStream(
      run.start.bind(run),
      host,
      emitter,
      { onOutput: report, onEnd },
      options.cleanupMs ?? CLEANUP_MS,
    );
    return {
      name: run.name,
      ...(run.namespace === undefined ? {} : { namespace: run.namespace }),
      status: end.kind,
      records: emitter.records,
      bytes: emitter.bytes,
      states: emitter.states,
      seconds: (elapsed() - startedAt) / 1000,
      stateBefore: run.initialState,
      stateAfter: emitter.safeState,
      tallies,
    };
  };

  const streams = await Promise.all(runs.map(readOne));
  for (const sendHeld of heldTraces) sendHeld();
  for (const source of signals) source.removeEventListener('abort', abort);
  for (const stream of streams) logger.info(describeSummary(stream));
  return { outcome: outcomeOf(streams, options), streams };
}

function outcomeOf(streams: readonly StreamSummary[], { writer }: ReadOptions): ReadSummary['outcome'] {
  if (writer.failure !== undefined) return 'closed';
  if (streams.some((stream) => stream.status === 'stopped')) return 'stopped';
  return streams.some((stream) => stream.status === 'failed') ? 'failed' : 'complete';
}

function createHost(
  run: StreamRun,
  emitter: StreamEmitter,
  tallies: Map<string, number>,
  signal: AbortSignal,
  logger: Logger,
  now: () => number,
  report: () => void,
): StreamHost {
  const prefixed = (message: string): string => `${run.name}: ${message}`;
  return {
    signal,
    log: {
      error: (message) => logger.error(prefixed(message)),
      warn: (message) => logger.warn(prefixed(message)),
      info: (message) => logger.info(prefixed(message)),
      debug: (message) => logger.debug(prefixed(message)),
    },
    unselectedFields: run.unselectedFields ?? new Set(),
    envelope: () => createEnvelope(run, now()),
    rateLimited: (untilMs) => {
      emitter.rateLimited(untilMs);
      report();
    },
    resumed: () => {
      emitter.resumed();
      report();
    },
    tally: (name, amount) => {
      tallies.set(name, (tallies.get(name) ?? 0) + amount);
    },
  };
}

/** @returns Stops it. */
function startHeartbeat(emitter: StreamEmitter, heartbeatMs: number): () => void {
  let timer: NodeJS.Timeout;
  const wait = (ms: number): void => {
    timer = setTimeout(
      () => {
        wait(emitter.beat(heartbeatMs));
      },
      Math.min(Math.max(Math.ceil(ms), 1), MAX_TIMER_MS),
    );
  };
  wait(heartbeatMs);
  return () => {
    clearTimeout(timer);
  };
}

function describeProgress(
  run: StreamRun,
  emitter: StreamEmitter,
  status: StreamProgress['status'],
): StreamProgress {
  const waitingUntil = emitter.limitedUntil;
  const cursor = run.cursorField === undefined ? undefined : emitter.safeState[run.cursorField];
  return {
    name: run.name,
    ...(run.namespace === undefined ? {} : { namespace: run.namespace }),
    status: status === 'running' && waitingUntil !== undefined ? 'waiting' : status,
    records: emitter.records,
    bytes: emitter.bytes,
    cursor: typeof cursor === 'string' ? cursor : undefined,
    waitingUntil,
  };
}

function describeSummary(stream: StreamSummary): string {
  const tallies = [...stream.tallies].map(([name, amount]) => `${name} ${String(amount)}`);
  const counts = [`records ${String(stream.records)}`, ...tallies].join(', ');
  const before = stream.stateBefore === undefined ? 'none' : JSON.stringify(stream.stateBefore);
  return (
    `Summary of ${stream.name}: ${stream.status} in ${stream.seconds.toFixed(1)} s; ${counts}; ` +
    `state ${before} -> ${JSON.stringify(stream.stateAfter)}`
  );
}
