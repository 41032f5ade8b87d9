import { crc32, deflateRaw, deflateRawSync } from 'node:zlib';
import { promisify } from 'node:util';

const deflate = promisify(deflateRaw);

/** How the container is written. The documentation leaves all of it open (reference: amplitude-api.md section 3.2). */
export interface ZipFlavour {
  readonly method: 'deflate' | 'stored';
  /** Bit 3: sizes and CRC stand after the data and are zero in the local header; also for stored members. */
  readonly dataDescriptor: boolean;
  /** 64-bit sizes and offsets everywhere, needed or not. */
  readonly zip64: boolean;
  readonly comment: string;
  /** An entry for the folder itself. */
  readonly directoryEntry: boolean;
  readonly order: 'hour' | 'reversed' | 'shuffled';
  /** One more folder between the project's and the members; empty for none. */
  readonly nestedFolder: string;
}

export const PLAIN_ZIP: ZipFlavour = {
  method: 'deflate',
  dataDescriptor: false,
  zip64: false,
  comment: '',
  directoryEntry: false,
  order: 'hour',
  nestedFolder: '',
};

/** A member to be. The optional fields make a broken one. */
export interface ZipMember {
  readonly name: string | Buffer;
  readonly data: Buffer;
  /** What the headers claim instead of the truth. */
  readonly claimedCrc?: number;
  readonly claimedSize?: number;
  /** Applied to the bytes as they stand in the archive, after sizes and CRC were taken. */
  readonly damage?: (stored: Buffer) => Buffer;
}

interface Written {
  readonly name: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

const MAX_32 = 0xffffffff;
/** 1 January 2024, 00:00 in DOS format: a fixed date keeps archives equal between runs. */
const DOS_DATE = ((2024 - 1980) << 9) | (1 << 5) | 1;
const BIT_DESCRIPTOR = 0x0008;
const BIT_UTF8 = 0x0800;

function uint64(...values: number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, index) => bytes.writeBigUInt64LE(BigInt(value), 8 * index));
  return bytes;
}

function zip64Extra(...values: number[]): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(1, 0);
  head.writeUInt16LE(8 * values.length, 2);
  return Buffer.concat([head, uint64(...values)]);
}

function localHeader(entry: Written, zip64: boolean): Buffer {
  const streamed = (entry.flags & BIT_DESCRIPTOR) !== 0;
  const extra = zip64 ? zip64Extra(streamed ? 0 : entry.size, streamed ? 0 : entry.packed) : Buffer.alloc(0);
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(zip64 ? 45 : 20, 4);
  head.writeUInt16LE(entry.flags, 6);
  head.writeUInt16LE(entry.method, 8);
  head.writeUInt16LE(DOS_DATE, 12);
  head.writeUInt32LE(streamed ? 0 : entry.crc, 14);
  head.writeUInt32LE(zip64 ? MAX_32 : streamed ? 0 : entry.packed, 18);
  head.writeUInt32LE(zip64 ? MAX_32 : streamed ? 0 : entry.size, 22);
  head.writeUInt16LE(entry.name.length, 26);
  head.writeUInt16LE(extra.length, 28);
  return Buffer.concat([head, entry.name, extra]);
}

function dataDescriptor(entry: Written, zip64: boolean): Buffer {
  const bytes = Buffer.alloc(zip64 ? 8 : 16);
  bytes.writeUInt32LE(0x08074b50, 0);
  bytes.writeUInt32LE(entry.crc, 4);
  if (zip64) return Buffer.concat([bytes, uint64(entry.packed, entry.size)]);
  bytes.writeUInt32LE(entry.packed, 8);
  bytes.writeUInt32LE(entry.size, 12);
  return bytes;
}

function centralHeader(entry: Written, forced: boolean): Buffer {
  const zip64 = forced || entry.offset >= MAX_32 || entry.packed >= MAX_32 || entry.size >= MAX_32;
  const extra = zip64 ? zip64Extra(entry.size, entry.packed, entry.offset) : Buffer.alloc(0);
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x02014b50, 0);
  head.writeUInt16LE(0x0300 | (zip64 ? 45 : 20), 4);
  head.writeUInt16LE(zip64 ? 45 : 20, 6);
  head.writeUInt16LE(entry.flags, 8);
  head.writeUInt16LE(entry.method, 10);
  head.writeUInt16LE(DOS_DATE, 14);
  head.writeUInt32LE(entry.crc, 16);
  head.writeUInt32LE(zip64 ? MAX_32 : entry.packed, 20);
  head.writeUInt32LE(zip64 ? MAX_32 : entry.size, 24);
  head.writeUInt16LE(entry.name.length, 28);
  head.writeUInt16LE(extra.length, 30);
  head.writeUInt32LE(zip64 ? MAX_32 : entry.offset, 42);
  return Buffer.concat([head, entry.name, extra]);
}

function endOfDirectory(count: number, size: number, offset: number, flavour: ZipFlavour): Buffer {
  const zip64 = flavour.zip64 || count >= 0xffff || offset + size >= MAX_32;
  const comment = Buffer.from(flavour.comment);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(zip64 ? 0xffff : count, 8);
  end.writeUInt16LE(zip64 ? 0xffff : count, 10);
  end.writeUInt32LE(zip64 ? MAX_32 : size, 12);
  end.writeUInt32LE(zip64 ? MAX_32 : offset, 16);
  end.writeUInt16LE(comment.length, 20);
  if (!zip64) return Buffer.concat([end, comment]);
  const record = Buffer.alloc(24);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeUInt32LE(44, 4);
  record.writeUInt16LE(0x0300 | 45, 12);
  record.writeUInt16LE(45, 14);
  const locator = Buffer.alloc(8);
  locator.writeUInt32LE(0x07064b50, 0);
  const disks = Buffer.alloc(4);
  disks.writeUInt32LE(1, 0);
  return Buffer.concat([
    record,
    uint64(count, count, size, offset),
    locator,
    uint64(offset + size),
    disks,
    end,
    comment,
  ]);
}

/** Level 1: the members are gzip files, which no level makes smaller. Small ones at once: 100,000 hops to a thread take seconds. */
function pack(data: Buffer): Buffer | Promise<Buffer> {
  return data.length < 16_384 ? deflateRawSync(data, { level: 1 }) : deflate(data, { level: 1 });
}

/**
 * Writes a ZIP piece by piece in the order of `members`: every byte is ours, so that broken archives are possible too.
 * Folder and order of the flavour are the caller's: they are decisions about the list of members.
 */
export async function* writeZip(
  members: Iterable<ZipMember> | AsyncIterable<ZipMember>,
  flavour: ZipFlavour,
): AsyncGenerator<Buffer, void, void> {
  const directory: Buffer[] = [];
  let offset = 0;
  for await (const member of members) {
    const name = typeof member.name === 'string' ? Buffer.from(member.name) : member.name;
    const folder = name.at(-1) === 0x2f;
    const packs = flavour.method === 'deflate' && !folder;
    const packed = packs ? await pack(member.data) : member.data;
    const entry: Written = {
      name,
      flags: BIT_UTF8 | (flavour.dataDescriptor && !folder ? BIT_DESCRIPTOR : 0),
      method: packs ? 8 : 0,
      crc: member.claimedCrc ?? crc32(member.data),
      packed: packed.length,
      size: member.claimedSize ?? member.data.length,
      offset,
    };
    const head = localHeader(entry, flavour.zip64);
    const stored = member.damage === undefined ? packed : member.damage(Buffer.from(packed));
    const tail =
      (entry.flags & BIT_DESCRIPTOR) === 0 ? Buffer.alloc(0) : dataDescriptor(entry, flavour.zip64);
    directory.push(centralHeader(entry, flavour.zip64));
    offset += head.length + stored.length + tail.length;
    // Small members leave in one piece: 100,000 of them would otherwise be 300,000 pieces.
    if (stored.length < 4096) yield Buffer.concat([head, stored, tail]);
    else {
      yield head;
      yield stored;
      if (tail.length > 0) yield tail;
    }
  }
  const central = Buffer.concat(directory);
  yield central;
  yield endOfDirectory(directory.length, central.length, offset, flavour);
}
