import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { ArchiveCorrupt } from './archive-corrupt';

export const READ_CHUNK = 256 * 1024;

/** Both ends included. Not createReadStream: destroyed before its end, it closes the file that all members share. */
export function readRange(file: FileHandle, start: number, end: number): Readable {
  return Readable.from(readChunks(file, start, end), { objectMode: false, highWaterMark: READ_CHUNK });
}

async function* readChunks(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer, void, void> {
  for (let at = start; at <= end;) {
    const chunk = Buffer.allocUnsafe(Math.min(READ_CHUNK, end - at + 1));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) throw new ArchiveCorrupt("the archive's file ends early");
    yield chunk.subarray(0, bytesRead);
    at += bytesRead;
  }
}
