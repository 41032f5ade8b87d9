import type { FileHandle } from 'node:fs/promises';
import { ArchiveCorrupt } from './archive-corrupt';

const END_BYTES = 22;
const END_SIGNATURE = 0x06054b50;
const LARGEST_COMMENT = 0xffff;
const LOCATOR_BYTES = 20;
const LOCATOR_SIGNATURE = 0x07064b50;
const END64_BYTES = 56;
const END64_SIGNATURE = 0x06064b50;
/** A directory entry without its name. */
const ENTRY_BYTES = 46;

/**
 * Finds the record that ends a ZIP file and judges what it says, before unzipper believes it: unzipper takes the first
 * bytes that look like the record for it, and a ZIP64 count with one flipped bit makes it fill the memory.
 * @param size Bytes of the file.
 * @returns The record's distance from the end of the file in bytes.
 * @throws ArchiveCorrupt
 */
export async function findEndRecord(file: FileHandle, size: number): Promise<number> {
  const tail = await readExactly(file, Math.max(0, size - END_BYTES - LARGEST_COMMENT), size);
  const at = searchBackwards(tail);
  if (at === undefined) throw new ArchiveCorrupt("the archive's end is missing");
  const position = size - tail.length + at;
  const directory = await readDirectoryBounds(file, tail.subarray(at), position);
  if (directory.entries * ENTRY_BYTES > directory.bytes || directory.start + directory.bytes > position) {
    throw new ArchiveCorrupt("the archive's end contradicts its size");
  }
  return size - position;
}

/** The record is the last one whose comment reaches to the very end of the file: its bytes may also occur in a member. */
function searchBackwards(tail: Buffer): number | undefined {
  for (let at = tail.length - END_BYTES; at >= 0; at -= 1) {
    const fits = at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length;
    if (fits && tail.readUInt32LE(at) === END_SIGNATURE) return at;
  }
  return undefined;
}

interface DirectoryBounds {
  readonly entries: number;
  readonly start: number;
  readonly bytes: number;
}

async function readDirectoryBounds(
  file: FileHandle,
  end: Buffer,
  position: number,
): Promise<DirectoryBounds> {
  const entries = end.readUInt16LE(10);
  const start = end.readUInt32LE(16);
  const isZip64 = end.readUInt16LE(4) === 0xffff || entries === 0xffff || start === 0xffffffff;
  if (!isZip64) return { entries, start, bytes: end.readUInt32LE(12) };
  const locator = await readExactly(file, position - LOCATOR_BYTES, position);
  const at = Number(locator.readBigUInt64LE(8));
  if (locator.readUInt32LE(0) !== LOCATOR_SIGNATURE || at + END64_BYTES > position) {
    throw new ArchiveCorrupt("the archive's ZIP64 end is missing");
  }
  const end64 = await readExactly(file, at, at + END64_BYTES);
  if (end64.readUInt32LE(0) !== END64_SIGNATURE)
    throw new ArchiveCorrupt("the archive's ZIP64 end is damaged");
  return {
    entries: Number(end64.readBigUInt64LE(32)),
    start: Number(end64.readBigUInt64LE(48)),
    bytes: Number(end64.readBigUInt64LE(40)),
  };
}

async function readExactly(file: FileHandle, start: number, end: number): Promise<Buffer> {
  if (start < 0) throw new ArchiveCorrupt('the archive is too short');
  const bytes = Buffer.alloc(end - start);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
  if (bytesRead !== bytes.length) throw new ArchiveCorrupt("the archive's file ends early");
  return bytes;
}
