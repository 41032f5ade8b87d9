import { createLogger } from '../../src/protocol/log';
import type { StreamHost, StreamOutput } from '../../src/protocol/output';
import {
  type ReadOptions,
  readStreams,
  type ReadSummary,
  type StreamRun,
} from '../../src/protocol/read-streams';
import { createRedactor } from '../../src/protocol/redact';
import { MessageWriter } from '../../src/protocol/writer';
import { AirbyteOutput } from './airbyte-output';
import { MemorySink } from './memory-sink';

export interface MemoryRead {
  readonly output: AirbyteOutput;
  readonly summary: ReadSummary;
}

export interface MemoryReadOptions extends Partial<Omit<ReadOptions, 'writer' | 'logger' | 'redact'>> {
  readonly sink?: MemorySink;
  readonly secrets?: readonly string[];
}

/** Runs `readStreams` with a writer into memory, and parses what came out with the exit code that main would choose. */
export async function readIntoMemory(
  runs: readonly StreamRun[],
  { sink = new MemorySink(), secrets = [], ...options }: MemoryReadOptions = {},
): Promise<MemoryRead> {
  const writer = new MessageWriter(sink);
  const redact = createRedactor(secrets);
  const logger = createLogger(writer, redact, { debug: true });
  const summary = await readStreams(runs, {
    writer,
    logger,
    redact,
    signal: new AbortController().signal,
    ...options,
  });
  if (writer.failure === undefined) await writer.flush();
  const exitCode = summary.outcome === 'complete' ? 0 : 1;
  const signal = summary.outcome === 'stopped' ? 'SIGTERM' : null;
  return { summary, output: new AirbyteOutput(sink.text, '', signal === null ? exitCode : null, signal) };
}

/** A run whose source yields what `read` yields. */
export function runOf(
  name: string,
  read: (host: StreamHost) => AsyncGenerator<StreamOutput, void, void>,
  rest: Partial<Omit<StreamRun, 'name' | 'start'>> = {},
): StreamRun {
  return { name, cursorField: 'cursor', ...rest, start: read };
}

/** A batch of finished lines, as the events stream yields them. */
export function linesOf(host: StreamHost, ...records: readonly object[]): StreamOutput {
  const { head, tail } = host.envelope();
  const bytes = Buffer.concat(records.flatMap((record) => [head, Buffer.from(JSON.stringify(record)), tail]));
  return { kind: 'lines', bytes, count: records.length };
}

export function recordsOf(...records: readonly object[]): StreamOutput {
  return { kind: 'records', records };
}

export function checkpointAt(cursor: string): StreamOutput {
  return { kind: 'checkpoint', state: { cursor } };
}

/** Of each STATE the count of its records and its state. */
export function countsAndStates(
  states: readonly { sourceStats?: { recordCount: number }; stream: { stream_state: unknown } }[],
): unknown[] {
  return states.map((state) => [state.sourceStats?.recordCount, state.stream.stream_state]);
}
