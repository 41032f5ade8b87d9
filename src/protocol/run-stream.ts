import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './log';
import type { StreamHost, StreamOutput } from './output';
import type { StreamEmitter } from './stream-emitter';

export type StreamSource = AsyncGenerator<StreamOutput, void, void>;

export type RunEnd =
  | { readonly kind: 'complete' }
  /** The signal was aborted; whatever was thrown meanwhile comes from that. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly error: unknown };

export interface RunCallbacks {
  /** An output has been taken. */
  onOutput(): void;
  /** The stream has ended; called once, before its clean-up, which may take long or hang. */
  onEnd(end: RunEnd): void;
}

/**
 * Takes a stream's outputs one by one until it ends, fails, or `host.signal` is aborted.
 * @param cleanupMs Longest time that a stopped stream gets to clean up (close sockets, remove temp files).
 */
export async function runStream(
  start: (host: StreamHost) => StreamSource,
  host: StreamHost,
  emitter: StreamEmitter,
  callbacks: RunCallbacks,
  cleanupMs: number,
): Promise<RunEnd> {
  const { signal, log } = host;
  let source: StreamSource | undefined;
  let end: RunEnd = { kind: 'complete' };
  try {
    signal.throwIfAborted();
    source = start(host);
    for (;;) {
      const next = await unlessAborted(source.next(), signal);
      if (next.done === true) break;
      await unlessAborted(emitter.emit(next.value), signal);
      callbacks.onOutput();
    }
  } catch (error) {
    end = signal.aborted ? { kind: 'stopped' } : { kind: 'failed', error };
  }
  callbacks.onEnd(end);
  if (source !== undefined && end.kind !== 'complete') await close(source, log, cleanupMs);
  return end;
}

/**
 * The value of `work`, or a rejection as soon as the signal is aborted: neither a stalled reader nor a source that does not
 * listen to its signal holds the end up. Not `Promise.race` with one promise for all turns: that promise would keep a
 * reaction of every turn in memory until the end of the run.
 */
function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('The run was stopped.'));
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    void work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', stop);
    });
  });
}

/** Runs the source's own clean-up; a source that does not come back in time is left behind. */
async function close(source: StreamSource, log: Logger, cleanupMs: number): Promise<void> {
  const overdue = new AbortController();
  const closed = source.return().then(
    () => undefined,
    (error: unknown) => {
      log.warn(`clean-up failed: ${error instanceof Error ? error.message : typeof error}`);
    },
  );
  const limit = sleep(cleanupMs, undefined, { signal: overdue.signal }).then(
    () => {
      log.warn(`clean-up did not end within ${String(cleanupMs / 1000)} s and was left behind`);
    },
    () => undefined,
  );
  await Promise.race([closed, limit]);
  overdue.abort();
}
