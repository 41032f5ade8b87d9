import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { collectReadBuffers } from '../../../src/amplitude/read-buffers';

const MIB = 1024 * 1024;

async function download(mebibytes: number): Promise<Buffer> {
  const body = Readable.from(Array.from({ length: mebibytes }, (_, chunk) => Buffer.alloc(MIB, chunk)));
  collectReadBuffers(body);
  const received: Buffer[] = [];
  const file = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      received.push(chunk);
      setImmediate(done);
    },
  });
  await pipeline(body, file);
  return Buffer.concat(received);
}

const original = globalThis.gc;

afterEach(() => {
  globalThis.gc = original;
});

test('collects the young generation every 8 MiB, and the body is whole', async () => {
  const calls: unknown[] = [];
  globalThis.gc = ((how: unknown) => void calls.push(how)) as NonNullable<typeof globalThis.gc>;
  const received = await download(20);
  expect(
    received.equals(Buffer.concat(Array.from({ length: 20 }, (_, chunk) => Buffer.alloc(MIB, chunk)))),
  ).toBe(true);
  expect(calls).toEqual([{ type: 'minor' }, { type: 'minor' }]);
});

test('does without, where Node was not started for it', async () => {
  globalThis.gc = undefined;
  expect((await download(20)).length).toBe(20 * MIB);
});
