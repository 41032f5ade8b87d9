import { write } from 'node:fs';
import { Writable } from 'node:stream';

/** How long to wait when somebody who shares the pipe has made it non-blocking and it is full. */
const RETRY_MS = 1;

/**
 * Writes to a pipe by blocking writes on Node's thread pool: while a thread hands bytes to the reader, the main thread makes the
 * next ones. Node's own stream for a pipe writes on the main thread, 64 KB for each turn of the event loop
 * (docs/decisions/0010). The descriptor stays open, because standard output cannot be closed for good.
 */
export class PipeStream extends Writable {
  constructor(private readonly descriptor: number) {
    super({ decodeStrings: true });
  }

  override _write(bytes: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    write(this.descriptor, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') setTimeout(() => this._write(bytes, _encoding, done), RETRY_MS);
      else if (error === null && written < bytes.length)
        this._write(bytes.subarray(written), _encoding, done);
      else done(error);
    });
  }
}
