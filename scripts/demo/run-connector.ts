import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';

const PROGRAM = join(__dirname, '..', '..', 'bin', 'source-amplitude');

/** The parts of an Airbyte message that the demo shows. */
export interface DemoMessage {
  readonly type: string;
  readonly log?: { readonly level: string; readonly message: string };
  readonly trace?: {
    readonly type: string;
    readonly emitted_at: number;
    readonly error?: { readonly message: string };
  } & Record<string, unknown>;
  readonly state?: {
    readonly stream: {
      readonly stream_descriptor: { readonly name: string };
      readonly stream_state: Record<string, unknown>;
    };
  };
  readonly catalog?: { readonly streams: readonly unknown[] };
}

export interface StreamCount {
  records: number;
  bytes: number;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly seconds: number;
  /** Everything but the records. */
  readonly messages: readonly DemoMessage[];
  readonly counts: ReadonlyMap<string, StreamCount>;
  /** The last state message of each stream, as `--state` takes them. */
  states(): unknown[];
}

/** Runs the built program; its messages go to a file, its LOG lines to the screen where no live view is drawn. */
export async function runConnector(args: readonly string[], outputPath: string): Promise<CommandResult> {
  const sinceMs = Date.now();
  const messages: DemoMessage[] = [];
  const counts = new Map<string, StreamCount>();
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close') as Promise<[number | null]>;
  const copy = new PassThrough();
  child.stdout.pipe(createWriteStream(outputPath, { mode: 0o600 }));
  child.stdout.pipe(copy);
  for await (const line of createInterface({ input: copy })) {
    const message = JSON.parse(line) as DemoMessage & { record?: { stream: string } };
    if (message.record) {
      const count = counts.get(message.record.stream) ?? { records: 0, bytes: 0 };
      counts.set(message.record.stream, count);
      count.records += 1;
      count.bytes += Buffer.byteLength(line) + 1;
      continue;
    }
    messages.push(message);
    show(message);
  }
  const [exitCode] = await closed;
  const latest = new Map(
    messages.flatMap(({ state }) => (state ? [[state.stream.stream_descriptor.name, state] as const] : [])),
  );
  return {
    exitCode: exitCode ?? 1,
    seconds: (Date.now() - sinceMs) / 1000,
    messages,
    counts,
    states: () => [...latest.values()],
  };
}

function show({ log, trace }: DemoMessage): void {
  if (trace?.error) console.log(`  ${trace.error.message}`);
  if (log && !process.stderr.isTTY) console.log(`  ${log.message}`);
}
