import { once } from 'node:events';
import { createGunzip, gzipSync } from 'node:zlib';
import { releaseBuffer, releaseChunk } from '../../../src/amplitude/release-chunk';

const SIZE = 64 * 1024;

test('gives the memory of a chunk that ends its buffer back at once', () => {
  const chunk = Buffer.allocUnsafeSlow(SIZE);
  const end = chunk.subarray(100);
  releaseChunk(end, SIZE);
  expect(chunk.length).toBe(0);
  expect(end.buffer.byteLength).toBe(0);
});

test.each([
  ['the start of a buffer that is still being filled', Buffer.alloc(SIZE, 1).subarray(0, 100)],
  ['a buffer of another size', Buffer.alloc(SIZE / 2, 1)],
  ["a piece of Node's shared pool", Buffer.from([1, 1, 1])],
])('leaves %s alone', (_what, chunk) => {
  const before = chunk.length;
  releaseChunk(chunk, SIZE);
  expect(chunk.length).toBe(before);
  expect(chunk.every((byte) => byte === 1)).toBe(true);
});

test('gives a buffer back that was not filled to its end, and takes it that another call has done so already', () => {
  const chunk = Buffer.allocUnsafeSlow(SIZE).subarray(0, 100);
  const { buffer } = chunk;
  releaseBuffer(buffer);
  expect(buffer.byteLength).toBe(0);
  expect(() => releaseBuffer(buffer)).not.toThrow();
});

test("leaves Node's shared pool alone", () => {
  const chunk = Buffer.from([1, 1, 1]);
  expect(chunk.buffer.byteLength).toBeGreaterThan(chunk.length);
  releaseBuffer(chunk.buffer);
  expect([...chunk]).toEqual([1, 1, 1]);
});

test('zlib goes on unharmed while its chunks are released', async () => {
  const text = Buffer.from(Array.from({ length: 200_000 }, (_, line) => `${line} `).join(''));
  const gunzip = createGunzip({ chunkSize: SIZE, readableObjectMode: true } as object);
  const seen: Buffer[] = [];
  let released = 0;
  gunzip.on('data', (chunk: Buffer) => {
    seen.push(Buffer.from(chunk));
    releaseChunk(chunk, SIZE);
    if (chunk.length === 0) released += 1;
  });
  gunzip.end(gzipSync(text));
  await once(gunzip, 'end');
  expect(Buffer.concat(seen).equals(text)).toBe(true);
  expect(released).toBe(Math.floor(text.length / SIZE));
});
