import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { Open, type File } from 'unzipper';
import { ArchiveCorrupt } from './archive-corrupt';
import { ExportMember, type ArchiveMember } from './archive-member';
import { findEndRecord } from './end-record';
import { readRange } from './file-range';

export interface ExportArchive {
  /** In hour order, then by part. */
  readonly members: readonly ArchiveMember[];
  readonly bytes: number;
  close(): Promise<void>;
}

const CENTRAL_ENTRY_BYTES = 46;

/**
 * Opens a finished archive file and proves it whole: one consistent central directory, and each member's size and
 * CRC-32 (neither of which unzipper checks).
 * @throws ArchiveCorrupt
 */
export async function openArchive(path: string): Promise<ExportArchive> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const members = (await readDirectory(file, size))
      .filter((entry) => !/[/\\]$/.test(entry.path))
      .map((entry) => new ExportMember(file, entry));
    for (const member of members) await member.verify();
    members.sort(byHourAndPart);
    return { members, bytes: size, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readDirectory(file: FileHandle, size: number): Promise<File[]> {
  const opened: Readable[] = [];
  let failRead: (error: Error) => void = () => undefined;
  const readFailure = new Promise<never>((_resolve, reject) => (failRead = reject));
  const source = {
    size: () => Promise.resolve(size),
    stream: (start: number, length?: number) => {
      const end = length ? start + length - 1 : size - 1;
      const range = readRange(file, start, Math.min(end, size - 1));
      opened.push(range);
      // unzipper does not listen for read errors: unheard, one would end the process.
      return range.on('error', failRead);
    },
  };
  try {
    const options = { tailSize: await findEndRecord(file, size) };
    const directory = await Promise.race([openCustom(source, options), readFailure]);
    assertConsistent(directory);
    return directory.files;
  } catch (error) {
    if (error instanceof ArchiveCorrupt) throw error;
    throw new ArchiveCorrupt(`the archive's directory cannot be read (${(error as Error).message})`);
  } finally {
    // unzipper leaves off where the directory ends.
    for (const range of opened) range.destroy();
  }
}

type Directory = Awaited<ReturnType<typeof Open.custom>>;

/** unzipper's types lack the second parameter, and its promise is Bluebird's. */
function openCustom(
  source: Parameters<typeof Open.custom>[0],
  options: { tailSize: number },
): Promise<Directory> {
  const custom = Open.custom as (from: typeof source, how: typeof options) => Promise<Directory>;
  return Promise.resolve(custom(source, options));
}

/** A flipped count or length in the end record must not make members vanish. */
function assertConsistent(directory: Directory): void {
  const { files, numberOfRecords, numberOfRecordsOnDisk, sizeOfCentralDirectory } = directory;
  if (files.length === 0) throw new ArchiveCorrupt('the archive holds no members');
  const listed = files.reduce(
    (sum, entry) =>
      sum + CENTRAL_ENTRY_BYTES + entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength,
    0,
  );
  if (numberOfRecords !== numberOfRecordsOnDisk || listed !== sizeOfCentralDirectory) {
    throw new ArchiveCorrupt("the archive's directory contradicts itself");
  }
  if (files.some((entry) => entry.signature !== 0x02014b50)) {
    throw new ArchiveCorrupt("the archive's directory is damaged");
  }
}

/** Members without an hour in their name come last, since nothing says when they may be checkpointed. */
function byHourAndPart(a: ExportMember, b: ExportMember): number {
  return (a.hour ?? Infinity) - (b.hour ?? Infinity) || a.part - b.part || (a.name < b.name ? -1 : 1);
}
