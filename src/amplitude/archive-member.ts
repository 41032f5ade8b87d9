import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { PassThrough, Readable, pipeline } from 'node:stream';
import { crc32, createGunzip, createInflateRaw, gunzipSync, inflateRawSync } from 'node:zlib';
import type { File } from 'unzipper';
import { ArchiveCorrupt } from './archive-corrupt';
import { READ_CHUNK, readRange } from './file-range';
import { parseMemberHour } from './member-name';
import { releaseBuffer, releaseChunk } from './release-chunk';
import { TEXT_CHUNK } from './text-chunk';

export interface ArchiveMember {
  /** For messages only: a name is never used as a path. */
  readonly name: string;
  /** Hour since the epoch by the member's name, or undefined when the name does not say. */
  readonly hour: number | undefined;
  /** Equal for members of equal name, size and CRC-32: the same bytes, in whichever archive. */
  readonly fingerprint: string;
  /**
   * The text of the member (gunzipped if it is gzip). Errors are ArchiveCorrupt.
   * @param aheadBytes How far to inflate ahead of the reader. When a damaged member breaks off, what was inflated ahead is
   *   lost; with 1, everything before the damage is given.
   */
  openText(aheadBytes?: number): Promise<Readable>;
}

const LOCAL_HEADER_BYTES = 30;
const METHOD_STORED = 0;
const METHOD_DEFLATED = 8;
const WRONG_SIZE = 'does not have the size that the archive declares';
const SMALLEST_BUFFER = 16 * 1024;
/** Text of events is 11 to 13 times as large as its gzip. */
const USUAL_RATIO = 16;
/**
 * A packed member up to this size is read and inflated at once, as most are: in pieces of 256 KiB, each of which goes to the
 * thread pool and back twice, the hops together take longer than the few milliseconds that this blocks.
 */
const PACKED_AT_ONCE = 4 * 1024 * 1024;
/** A packed member up to this size is unpacked to its text at once, which then fits into one TEXT_CHUNK. */
const TEXT_AT_ONCE = 64 * 1024;
/** zlib works ahead on the thread pool only as far as this allows: 112 MB/s without, over 220 MB/s with. */
const INFLATE_AHEAD = 4 * 1024 * 1024;

/** A buffer for so many bytes: one of 1 MiB for each of 100,000 tiny members kept the collector busy for minutes. */
function bufferFor(bytes: number, largest: number): number {
  return Math.min(Math.max(bytes, SMALLEST_BUFFER), largest);
}

/** What is needed of unzipper's entry, which is ten times as large: an archive may have 100,000. */
type Entry = Readonly<
  Pick<
    File,
    | 'compressionMethod'
    | 'flags'
    | 'crc32'
    | 'compressedSize'
    | 'uncompressedSize'
    | 'offsetToLocalFileHeader'
  >
> & { readonly nameBytes: string };

/** A member of an archive whose file is open. */
export class ExportMember implements ArchiveMember {
  readonly name: string;
  readonly hour: number | undefined;
  readonly part: number;
  readonly fingerprint: string;
  private readonly entry: Entry;
  private isGzip = false;

  constructor(
    private readonly file: FileHandle,
    entry: File,
  ) {
    const { compressionMethod, flags, crc32, compressedSize, uncompressedSize, offsetToLocalFileHeader } =
      entry;
    // pathBuffer is an empty text when the name is empty.
    const nameBytes = Buffer.from(entry.pathBuffer).toString('latin1');
    this.entry = {
      ...{ compressionMethod, flags, crc32, compressedSize, uncompressedSize, offsetToLocalFileHeader },
      nameBytes,
    };
    this.name = entry.path;
    this.fingerprint = `${entry.crc32} ${entry.uncompressedSize} ${entry.path}`;
    ({ hour: this.hour, part: this.part } = parseMemberHour(entry.path));
  }

  async verify(): Promise<void> {
    const { compressionMethod, flags, crc32: declaredCrc, uncompressedSize } = this.entry;
    if (flags & 1) throw this.corrupt('is encrypted');
    if (compressionMethod !== METHOD_STORED && compressionMethod !== METHOD_DEFLATED) {
      throw this.corrupt(`is compressed by method ${compressionMethod}, which no ZIP of Amplitude uses`);
    }
    let crc = 0;
    let bytes = 0;
    let magic = 0;
    try {
      const start = await this.findStart();
      const whole = this.isAtMost(PACKED_AT_ONCE) ? this.readAtOnce(start) : undefined;
      const packed = whole ? [whole] : (this.streamPacked(start) as AsyncIterable<Buffer>);
      for await (const chunk of packed) {
        for (let at = 0; bytes + at < 2 && at < chunk.length; at += 1) magic = magic * 256 + chunk[at]!;
        crc = crc32(chunk, crc);
        bytes += chunk.length;
        releaseChunk(chunk, READ_CHUNK);
        if (bytes > uncompressedSize) break;
      }
      if (whole) releaseBuffer(whole.buffer);
    } catch (error) {
      if (error instanceof ArchiveCorrupt) throw error;
      throw this.corrupt(`cannot be unpacked (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
    }
    if (bytes !== uncompressedSize) throw this.corrupt(WRONG_SIZE);
    if (crc !== declaredCrc >>> 0) throw this.corrupt('does not have the CRC-32 that the archive declares');
    this.isGzip = magic === 0x1f8b;
  }

  async openText(aheadBytes = INFLATE_AHEAD): Promise<Readable> {
    const start = await this.findStart();
    const small = this.readSmallText(start);
    if (small) return Readable.from([small]);
    const whole = this.isAtMost(PACKED_AT_ONCE) ? this.readAtOnce(start) : undefined;
    const packed = whole ? Readable.from([whole]) : this.streamPacked(start);
    const text = this.isGzip
      ? createGunzip({
          chunkSize: bufferFor(this.entry.uncompressedSize * USUAL_RATIO, TEXT_CHUNK),
          // Otherwise the reader gets all that is ahead as one chunk, and every byte is copied once more for it.
          readableObjectMode: true,
          readableHighWaterMark: Math.ceil(aheadBytes / TEXT_CHUNK),
        } as object)
      : new PassThrough();
    // The reader gets the first error that reaches the stream, which zlib and pipeline destroy by themselves.
    const destroy = text.destroy.bind(text);
    text.destroy = (error?: Error & { code?: string }) =>
      destroy(error && this.corrupt(`is not whole gzip (${error.code ?? error.message})`));
    pipeline(packed, text, () => undefined);
    // Not before: zlib reads it in a thread of the pool. What is no gzip is passed on as it is, and the reader still has it.
    if (whole && this.isGzip) text.once('end', () => releaseBuffer(whole.buffer));
    return text;
  }

  /** The text of a small member at once; undefined for others, and for a damaged one: its stream gives what is whole. */
  private readSmallText(start: number): Buffer | undefined {
    if (!this.isAtMost(TEXT_AT_ONCE) || !this.isGzip) return undefined;
    const packed = this.readAtOnce(start);
    try {
      return gunzipSync(packed, { maxOutputLength: TEXT_CHUNK });
    } catch {
      return undefined;
    }
  }

  /** The member's bytes as they were packed, which normally are gzip. */
  private streamPacked(start: number): Readable {
    const { compressedSize, compressionMethod } = this.entry;
    const packed = readRange(this.file, start, start + compressedSize - 1);
    if (compressionMethod === METHOD_STORED) return packed;
    const inflated = createInflateRaw({ chunkSize: bufferFor(this.entry.uncompressedSize, READ_CHUNK) });
    pipeline(packed, inflated, (error) => {
      if (error) inflated.destroy(error);
    });
    return inflated;
  }

  private isAtMost(bytes: number): boolean {
    return Math.max(this.entry.compressedSize, this.entry.uncompressedSize) <= bytes;
  }

  private readAtOnce(start: number): Buffer {
    const { compressedSize, compressionMethod, uncompressedSize } = this.entry;
    const packed = Buffer.allocUnsafeSlow(compressedSize);
    // Of a file that was written a moment ago: a few microseconds, where the thread pool takes a hundred.
    const bytesRead = readSync(this.file.fd, packed, 0, compressedSize, start);
    if (bytesRead !== compressedSize) throw this.corrupt('goes on beyond the end of the file');
    if (compressionMethod === METHOD_STORED) return packed;
    try {
      // One byte more than declared shows that the declaration is wrong.
      const size = uncompressedSize + 1;
      return inflateRawSync(packed, { maxOutputLength: size, chunkSize: Math.max(size, SMALLEST_BUFFER) });
    } catch (error) {
      const { code = 'unknown' } = error as NodeJS.ErrnoException;
      throw this.corrupt(code === 'ERR_BUFFER_TOO_LARGE' ? WRONG_SIZE : `cannot be unpacked (${code})`);
    } finally {
      releaseChunk(packed, compressedSize);
    }
  }

  /** Where the member's bytes begin. */
  private async findStart(): Promise<number> {
    const { offsetToLocalFileHeader: offset, nameBytes } = this.entry;
    const name = Buffer.from(nameBytes, 'latin1');
    const header = Buffer.alloc(LOCAL_HEADER_BYTES + name.length);
    const { bytesRead } = await this.file.read(header, 0, header.length, offset);
    if (bytesRead !== header.length || header.readUInt32LE(0) !== 0x04034b50) {
      throw this.corrupt('is not where the archive says');
    }
    // The directory has no checksum, and the hour in the name decides what a checkpoint covers.
    if (header.readUInt16LE(26) !== name.length || !header.subarray(LOCAL_HEADER_BYTES).equals(name)) {
      throw this.corrupt('has another name in its own header');
    }
    return offset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  }

  private corrupt(what: string): ArchiveCorrupt {
    return new ArchiveCorrupt(`member ${JSON.stringify(this.name.slice(0, 200))} ${what}`);
  }
}
