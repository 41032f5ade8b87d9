import { isMarkedAsUntransferable, MessageChannel } from 'node:worker_threads';

const { port1: closedPort } = new MessageChannel();
closedPort.close();

/**
 * Gives the memory of a chunk back at once; nobody may use the chunk, or one before it from the same buffer, any more.
 * Left to the garbage collector, a day of 1.5 GB in buffers of 1 MiB set off up to 153 full collections, which took 37 %
 * of all CPU time (docs/decisions/0010).
 * @param bufferBytes Size of the buffers that the chunk's stream allocates. Only the chunk that ends such a buffer is
 *   released: one from a buffer that zlib is still filling is left alone.
 */
export function releaseChunk({ buffer, byteOffset, length }: Uint8Array, bufferBytes: number): void {
  if (buffer.byteLength === bufferBytes && byteOffset + length === bufferBytes) releaseBuffer(buffer);
}

/** The same for a whole buffer that nothing fills any more. Node's shared pool, and what is released already, is left alone. */
export function releaseBuffer(buffer: ArrayBufferLike): void {
  // Node 20, which has no such function, leaves the pool where it is; Node 24 throws.
  if (buffer.byteLength === 0 || isMarkedAsUntransferable?.(buffer)) return;
  // What is transferred leaves its owner, and a closed port passes it on to nobody.
  closedPort.postMessage(undefined, [buffer as ArrayBuffer]);
}
