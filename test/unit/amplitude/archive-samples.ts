import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { crc32, gzipSync } from 'node:zlib';
import { ZipFile } from 'yazl';
import { openArchive } from '../../../src/amplitude/archive';
import { ArchiveCorrupt } from '../../../src/amplitude/archive-corrupt';

export interface Member {
  readonly name: string;
  readonly data: Buffer;
  /** Default: deflated, sizes in the local header. */
  readonly form?: 'stored' | 'descriptor' | 'zip64' | 'folder';
}

export interface End {
  readonly forceZip64Format?: boolean;
  readonly comment?: string | Buffer;
}

/** Packs members with yazl, which knows nothing of our code. */
export async function pack(members: readonly Member[], end: End = {}): Promise<Buffer> {
  const zip = new ZipFile();
  for (const { name, data, form } of members) {
    const options = { compress: form !== 'stored', forceZip64Format: form === 'zip64' };
    if (form === 'folder') zip.addEmptyDirectory(name);
    else if (form === 'descriptor') zip.addReadStream(Readable.from([data]), name, options);
    else zip.addBuffer(data, name, options);
  }
  zip.end(end as Parameters<ZipFile['end']>[0]);
  return buffer(zip.outputStream as unknown as Readable);
}

/** A ZIP of stored members, written in one go: yazl takes a millisecond for each. */
export function packQuickly(members: readonly { readonly name: string; readonly data: Buffer }[]): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { name, data } of members) {
    const path = Buffer.from(name);
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt32LE(crc32(data), 14);
    header.writeUInt32LE(data.length, 18);
    header.writeUInt32LE(data.length, 22);
    header.writeUInt16LE(path.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    header.copy(entry, 16, 14, 28);
    entry.writeUInt32LE(offset, 42);
    local.push(header, path, data);
    central.push(entry, path);
    offset += header.length + path.length + data.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}

/** Where the parts of a packed file are. */
export interface Layout {
  readonly locals: readonly number[];
  readonly entries: readonly number[];
  readonly end: number;
}

export function layoutOf(zip: Buffer): Layout {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const all = (signature: string): number[] => {
    const places: number[] = [];
    const bytes = Buffer.from(signature, 'latin1');
    for (let at = zip.indexOf(bytes); at >= 0; at = zip.indexOf(bytes, at + 1)) places.push(at);
    return places;
  };
  return { locals: all('PK\x03\x04'), entries: all('PK\x01\x02'), end };
}

/** A copy with some bytes written over. */
export function patch(zip: Buffer, at: number, bytes: readonly number[] | string): Buffer {
  const copy = Buffer.from(zip);
  Buffer.from(bytes as string, 'latin1').copy(copy, at);
  return copy;
}

/** Every text of the archive in the order of its members, or the complaint that it is corrupt. Anything else is thrown. */
export type Reading = readonly { readonly name: string; readonly text: string }[] | ArchiveCorrupt;

/** Files for one test file; removed together. */
export class Samples {
  private readonly folder = mkdtempSync(join(tmpdir(), 'archive-test-'));
  private count = 0;

  save(bytes: Buffer): string {
    this.count += 1;
    const path = join(this.folder, `${this.count}.zip`);
    writeFileSync(path, bytes);
    return path;
  }

  async read(bytes: Buffer): Promise<Reading> {
    const path = this.save(bytes);
    try {
      const archive = await openArchive(path);
      try {
        const texts = [];
        for (const member of archive.members) {
          const text = (await buffer(await member.openText())).toString('latin1');
          texts.push({ name: member.name, text });
        }
        return texts;
      } finally {
        await archive.close();
      }
    } catch (error) {
      if (error instanceof ArchiveCorrupt) return error;
      throw error;
    } finally {
      rmSync(path);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Names of members as Amplitude gives them. */
export const nameOf = (hour: number, part = 0): string => `310022/310022_2026-10-04_${hour}#${part}.json.gz`;
export const TEXT = '{"uuid":"1"}\n{"uuid":"2"}\n';
export const member = (hour: number, form?: Member['form'], text = `${hour} ${TEXT}`): Member => ({
  name: nameOf(hour),
  data: gzipSync(text),
  ...(form && { form }),
});
export const textOf = (hour: number): { name: string; text: string } => ({
  name: nameOf(hour),
  text: `${hour} ${TEXT}`,
});

export function complaintOf(reading: Reading): string {
  if (reading instanceof ArchiveCorrupt) return reading.message;
  throw new Error(`the archive was read: ${JSON.stringify(reading).slice(0, 300)}`);
}

/** How often this process has a file open. */
export function openFiles(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch (error) {
      // The descriptor of this very listing is gone by now.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return false;
    }
  }).length;
}
