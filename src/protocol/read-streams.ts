import { setMaxListeners } from 'node:events';
import { performance } from 'node:perf_hooks';
import type { Logger } from './log';
import {
  readStream,
  type SharedByStreams,
  type StreamProgress,
  type StreamRun,
  type StreamSummary,
} from './read-stream';
import type { MessageWriter } from './writer';

export type { StreamProgress, StreamRun, StreamSummary };

/** Airbyte's platform gives up on a source after hours without a RECORD or STATE; others are less patient. */
const HEARTBEAT_MS = 10 * 60_000;
const EMPTY_CHECKPOINT_MS = 30_000;
const CLEANUP_MS = 5_000;

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
  /** A stream that sent no RECORD and no STATE for so long sends its state again; 0 for never. */
  readonly heartbeatMs?: number;
  /** Least ms between two STATEs of which the second covers no record. */
  readonly emptyCheckpointMs?: number;
  /** Longest time that a stopped stream gets to clean up. */
  readonly cleanupMs?: number;
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
  const shared: SharedByStreams = {
    ...{ writer, logger, redact, signal: stop.signal, clock: { now, elapsed }, traceTime },
    heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
    emptyCheckpointMs: options.emptyCheckpointMs ?? EMPTY_CHECKPOINT_MS,
    cleanupMs: options.cleanupMs ?? CLEANUP_MS,
    onProgress: options.onProgress ?? (() => undefined),
    holdTrace: (send) => heldTraces.push(send),
  };

  const streams = await Promise.all(runs.map((run) => readStream(run, shared)));
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

function describeSummary(stream: StreamSummary): string {
  const tallies = [...stream.tallies].map(([name, amount]) => `${name} ${String(amount)}`);
  const counts = [`records ${String(stream.records)}`, ...tallies].join(', ');
  const before = stream.stateBefore === undefined ? 'none' : JSON.stringify(stream.stateBefore);
  return (
    `Summary of ${stream.name}: ${stream.status} in ${stream.seconds.toFixed(1)} s; ${counts}; ` +
    `state ${before} -> ${JSON.stringify(stream.stateAfter)}`
  );
}
