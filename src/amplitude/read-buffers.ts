import type { Readable } from 'node:stream';

const COLLECT_AFTER_BYTES = 8 * 1024 * 1024;

/**
 * Frees what Node's HTTP client leaves behind while a body is downloaded: two buffers of up to 64 KB for each chunk. V8 lets
 * some 60 MB of them come together before it collects, whatever the container has; a young collection takes a millisecond.
 * Does nothing unless Node was started with `--expose-gc`, as bin/source-amplitude does.
 */
export function collectReadBuffers(body: Readable): void {
  let bytes = 0;
  body.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes < COLLECT_AFTER_BYTES) return;
    bytes = 0;
    if (typeof gc === 'function') gc({ type: 'minor' });
  });
}
