import type { Logger } from './log';
import { plainDescriptor, type StreamDescriptor } from './messages';
import type { StreamHost, StreamState } from './output';
import { createEnvelope } from './record-envelope';
import { renderFailure } from './render-failure';
import { type RunEnd, runStream, type StreamSource } from './run-stream';
import { type EmitterClock, StreamEmitter } from './stream-emitter';
import type { MessageWriter } from './writer';

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

/** What all streams of a read have in common. */
export interface SharedByStreams {
  readonly writer: MessageWriter;
  readonly logger: Logger;
  readonly redact: (text: string) => string;
  readonly signal: AbortSignal;
  readonly clock: EmitterClock;
  /** `emitted_at` of an ERROR trace; later than that of every trace before it. */
  readonly traceTime: () => number;
  readonly heartbeatMs: number;
  readonly emptyCheckpointMs: number;
  readonly cleanupMs: number;
  readonly onProgress: (progress: StreamProgress) => void;
  /** Takes what must not be sent before all other streams have ended. */
  readonly holdTrace: (send: () => void) => void;
}

/** Reads one stream to its end and sends its messages. Never rejects. */
export async function readStream(run: StreamRun, shared: SharedByStreams): Promise<StreamSummary> {
  const { clock } = shared;
  const startedAt = clock.elapsed();
  const tallies = new Map<string, number>();
  let status: StreamProgress['status'] = 'running';
  const emitter = new StreamEmitter({
    ...{ writer: shared.writer, clock, traceTime: shared.traceTime },
    emptyCheckpointMs: shared.emptyCheckpointMs,
    stream: run,
    hasCursor: run.cursorField !== undefined,
    initialState: run.initialState,
    unselectedFields: run.unselectedFields ?? new Set(),
  });
  const report = (): void => shared.onProgress(describeProgress(run, emitter, status));
  const host = createHost(run, shared, emitter, tallies, report);
  emitter.start();
  const stopHeartbeat = startHeartbeat(emitter, shared.heartbeatMs);
  const onEnd = (end: RunEnd): void => {
    stopHeartbeat();
    sendEnd(end, emitter, host, shared);
    status = end.kind;
    report();
  };
  const start = run.start.bind(run);
  const end = await runStream(start, host, emitter, { onOutput: report, onEnd }, shared.cleanupMs);
  return {
    ...plainDescriptor(run),
    status: end.kind,
    records: emitter.records,
    bytes: emitter.bytes,
    states: emitter.states,
    seconds: (clock.elapsed() - startedAt) / 1000,
    stateBefore: run.initialState,
    stateAfter: emitter.safeState,
    tallies,
  };
}

/** The last messages of a stream. */
function sendEnd(end: RunEnd, emitter: StreamEmitter, { log }: StreamHost, shared: SharedByStreams): void {
  if (end.kind === 'complete') {
    emitter.complete();
  } else if (end.kind === 'stopped') {
    emitter.sendLastState();
    emitter.incomplete();
  } else {
    const trace = renderFailure(end.error, shared.redact);
    log.error(trace.message);
    if (trace.failure_type === 'config_error') {
      emitter.sendLastState();
      shared.holdTrace(() => {
        emitter.sendError(trace);
        emitter.incomplete();
      });
    } else {
      emitter.sendError(trace);
      emitter.sendLastState();
      emitter.incomplete();
    }
  }
}

function createHost(
  run: StreamRun,
  { signal, logger, clock }: SharedByStreams,
  emitter: StreamEmitter,
  tallies: Map<string, number>,
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
    envelope: () => createEnvelope(run, clock.now()),
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
  let timer: NodeJS.Timeout | undefined;
  const wait = (ms: number): void => {
    timer = setTimeout(
      () => {
        wait(emitter.beat(heartbeatMs));
      },
      Math.min(Math.max(Math.ceil(ms), 1), MAX_TIMER_MS),
    );
  };
  if (heartbeatMs > 0) wait(heartbeatMs);
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
    ...plainDescriptor(run),
    status: status === 'running' && waitingUntil !== undefined ? 'waiting' : status,
    records: emitter.records,
    bytes: emitter.bytes,
    cursor: typeof cursor === 'string' ? cursor : undefined,
    waitingUntil,
  };
}
