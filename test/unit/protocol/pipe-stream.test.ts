import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PipeStream } from '../../../src/protocol/pipe-stream';

/** Several times what a pipe holds. */
const BYTES = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));

let folder: string;
let reader: number;
let writer: number;

/** A real pipe: Node's own are sockets. */
function openPipe(flags: number): void {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  writer = openSync(path, constants.O_WRONLY | flags);
}

/** What is in the pipe at the moment. */
function readAvailable(): Buffer {
  const chunk = Buffer.alloc(4096);
  try {
    return chunk.subarray(0, readSync(reader, chunk));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    return Buffer.alloc(0);
  }
}

async function readBytes(count: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let bytes = 0; bytes < count;) {
    const chunk = readAvailable();
    chunks.push(chunk);
    bytes += chunk.length;
    if (chunk.length === 0) await sleep(1);
  }
  return Buffer.concat(chunks);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipe-stream-'));
});

afterEach(() => {
  closeSync(writer);
  rmSync(folder, { recursive: true });
});

test.each([
  ['as it is', 0],
  ['also when somebody made it non-blocking', constants.O_NONBLOCK],
])('hands everything to a slow reader of the pipe, in order, %s', async (_how, flags) => {
  openPipe(flags);
  const stream = new PipeStream(writer);
  const done = new Promise<void>((resolve, reject) => {
    stream.write(BYTES.subarray(0, 200_000));
    stream.write(BYTES.subarray(200_000), (error) => (error ? reject(error) : resolve()));
  });
  await sleep(20);
  expect((await readBytes(BYTES.length)).equals(BYTES)).toBe(true);
  await done;
  expect(readAvailable()).toHaveLength(0);
  closeSync(reader);
});

test('tells that the reader has gone', async () => {
  openPipe(0);
  closeSync(reader);
  const stream = new PipeStream(writer);
  const failed = new Promise((resolve) => stream.on('error', resolve));
  stream.write('x');
  expect(await failed).toMatchObject({ code: 'EPIPE' });
});
