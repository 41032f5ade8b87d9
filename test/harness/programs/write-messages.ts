import { readFileSync } from 'node:fs';
import { MessageWriter, OutputClosed } from '../../../src/protocol/writer';

/** One writer task: `sizes` are the bytes of its batches; each line is `<task>:<number>:<filler>`. */
export interface WriterTask {
  readonly sizes: readonly number[];
  /** As text messages instead of bytes. */
  readonly asText: boolean;
}

/** The lines of a batch: together about `size` bytes. */
export function linesOf(task: number, firstNumber: number, size: number): string[] {
  const lines: string[] = [];
  for (let bytes = 0; bytes < size;) {
    const filler = 'é'.repeat(1 + ((size * 31 + lines.length * 17) % 2000));
    const line = `${String(task)}:${String(firstNumber + lines.length)}:${filler}`;
    lines.push(line);
    bytes += Buffer.byteLength(line) + 1;
  }
  return lines;
}

async function runTask(writer: MessageWriter, task: WriterTask, index: number): Promise<void> {
  // One buffer for all batches of the task, as the events stream does it: reuse that comes too early shows.
  const shared = Buffer.alloc(4 * 1024 * 1024);
  let number = 0;
  for (const size of task.sizes) {
    const lines = linesOf(index, number, size);
    number += lines.length;
    if (task.asText) {
      for (const line of lines) await writer.write(line);
    } else {
      const length = shared.write(`${lines.join('\n')}\n`);
      await writer.writeLines(shared.subarray(0, length));
      shared.fill('!', 0, length);
    }
  }
}

/** Writes the tasks of the JSON on stdin side by side to stdout; exit code 3 when the reader has gone. */
async function main(): Promise<void> {
  const tasks = JSON.parse(readFileSync(0, 'utf8')) as WriterTask[];
  const writer = new MessageWriter(process.stdout);
  try {
    await Promise.all(tasks.map((task, index) => runTask(writer, task, index)));
    await writer.flush();
  } catch (error) {
    if (!(error instanceof OutputClosed)) throw error;
    process.exitCode = 3;
  }
}

if (require.main === module) void main();
