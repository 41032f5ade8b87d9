import type { CommandResult, DemoMessage } from './run-connector';

export interface StreamRow {
  readonly stream: string;
  readonly records: number;
  readonly megabytes: number;
  readonly seconds: number;
  readonly before: string;
  readonly after: string;
}

/** A row per stream of a read. @param before Cursor of each stream before it. */
export function summarise(result: CommandResult, before: ReadonlyMap<string, string>): StreamRow[] {
  const rows: StreamRow[] = [];
  for (const message of result.messages) {
    const started = statusOf(message, 'STARTED');
    if (started === undefined) continue;
    const { stream } = started;
    const ended = result.messages
      .map((candidate) => statusOf(candidate, 'COMPLETE'))
      .find((status) => status?.stream === stream);
    const count = result.counts.get(stream) ?? { records: 0, bytes: 0 };
    rows.push({
      stream,
      records: count.records,
      megabytes: count.bytes / 1e6,
      seconds: ((ended ?? started).atMs - started.atMs) / 1000,
      before: before.get(stream) ?? 'none',
      after: cursorAfter(result, stream),
    });
  }
  return rows;
}

function statusOf({ trace }: DemoMessage, status: string): { stream: string; atMs: number } | undefined {
  const found = trace?.['stream_status'] as
    { status: string; stream_descriptor: { name: string } } | undefined;
  if (!trace || found?.status !== status) return undefined;
  return { stream: found.stream_descriptor.name, atMs: trace.emitted_at };
}

function cursorAfter(result: CommandResult, stream: string): string {
  const last = result.messages.findLast(({ state }) => state?.stream.stream_descriptor.name === stream);
  const state = last?.state?.stream.stream_state ?? {};
  return String(state['server_upload_time'] ?? state['date'] ?? 'none');
}
