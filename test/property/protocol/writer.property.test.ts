import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { linesOf, type WriterTask } from '../../harness/programs/write-messages';

const PROGRAM = join(__dirname, '../../harness/programs/write-messages.ts');
const RUNS = process.env.TEST_HARDER === '1' ? 60 : 8;

interface ProgramEnd {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly code: number | null;
}

/** Runs the program over a real pipe. The reader takes one chunk at a time and pauses for `pauses` turns in between. */
async function writeOverPipe(
  tasks: readonly WriterTask[],
  pauses: number,
  closeAfter = Infinity,
): Promise<ProgramEnd> {
  const child = spawn(process.execPath, ['-r', 'ts-node/register/transpile-only', PROGRAM]);
  const exited = once(child, 'exit');
  child.stdin.end(JSON.stringify(tasks));
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= closeAfter) break;
    for (let pause = 0; pause < pauses; pause += 1) await nextTurn();
  }
  const [code] = (await exited) as [number | null];
  return { stdout: Buffer.concat(chunks), stderr: Buffer.concat(errors).toString(), code };
}

const task: fc.Arbitrary<WriterTask> = fc.record({
  sizes: fc.array(fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 10_000, max: 600_000 })), {
    maxLength: 8,
  }),
  asText: fc.boolean(),
});

describe('MessageWriter over a pipe', () => {
  test('no message is cut, lost, doubled or out of order, whatever the sizes and however slow the reader', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(task, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 0, max: 20 }),
        async (tasks, pauses) => {
          const { stdout, stderr, code } = await writeOverPipe(tasks, pauses);
          expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
          const written = stdout.toString('utf8').split('\n');
          expect(written.pop()).toBe('');
          tasks.forEach(({ sizes }, index) => {
            const expected: string[] = [];
            for (const size of sizes) expected.push(...linesOf(index, expected.length, size));
            const own = written.filter((line) => line.startsWith(`${String(index)}:`));
            // Compared as one text: a diff of thousands of lines would take minutes.
            expect(own.join('\n') === expected.join('\n')).toBe(true);
          });
          const total = tasks.reduce((sum, { sizes }, index) => {
            let count = 0;
            for (const size of sizes) count += linesOf(index, count, size).length;
            return sum + count;
          }, 0);
          expect(written).toHaveLength(total);
        },
      ),
      { numRuns: RUNS },
    );
  });

  test('a reader that goes away ends the program with one quiet, recognisable rejection', async () => {
    const tasks = [0, 1].map((index) => ({
      sizes: Array.from({ length: 100 }, () => 200_000),
      asText: index === 1,
    }));
    const { stderr, code } = await writeOverPipe(tasks, 0, 100_000);
    expect({ stderr, code }).toEqual({ stderr: '', code: 3 });
  });
});
