import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ConnectorFailure } from '../failure';

const PREFIX = 'source-amplitude-';
/** A folder of another host (a shared volume) counts as left behind when nothing was written to it for a day. */
const FOREIGN_STALE_MS = 24 * 3_600_000;
/** Two archives are on disk at a time: the one being read and the next. */
const ARCHIVES_AT_ONCE = 2;
/** Never plan for the last tenth of a disk that others use too. */
const USABLE_SHARE = 0.9;

export interface TempSpaceOptions {
  /** Parent folder, normally `TMPDIR`. */
  readonly parent: string;
  readonly pid: number;
  /** Whether a process of this machine is alive. */
  readonly isAlive: (pid: number) => boolean;
  /** The container's storage limit, when the platform sets one. */
  readonly limitBytes: number | undefined;
}

/** This run's folder for archives: private (0700), removed on every exit that the program sees. */
export class TempSpace {
  private folder: string | undefined;
  private making: Promise<string> | undefined;
  private files = 0;

  constructor(private readonly options: TempSpaceOptions) {}

  /** A path that no other file has. The folder is made on first use. */
  async newPath(): Promise<string> {
    this.folder ??= await this.createOnce();
    this.files += 1;
    return join(this.folder, `${this.files}.zip`);
  }

  /** Bytes that may be written now; Infinity when the disk does not tell. */
  async room(): Promise<number> {
    const { limitBytes = Infinity } = this.options;
    return Math.max(0, Math.min(await this.freeBytes(), limitBytes - (await this.usedBytes())));
  }

  /** What to plan an archive for, in bytes: its share of everything, and no more than there is room for now. */
  async archiveBudget(): Promise<number> {
    const { limitBytes = Infinity } = this.options;
    const all = ((await this.freeBytes()) + (await this.usedBytes())) * USABLE_SHARE;
    return Math.min(Math.min(all, limitBytes) / ARCHIVES_AT_ONCE, await this.room());
  }

  private async usedBytes(): Promise<number> {
    const { folder } = this;
    if (folder === undefined) return 0;
    try {
      const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
      return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    } catch (error) {
      // An archive that has been read is deleted meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return 0;
    }
  }

  private async freeBytes(): Promise<number> {
    try {
      const { bavail, bsize } = await statfs(this.options.parent);
      return bavail * bsize;
    } catch (error) {
      // A folder that cannot be used is reported, with its path, when the first file is to be made in it.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return Infinity;
    }
  }

  /** Synchronous, because exit handlers cannot wait. */
  removeSync(): void {
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
    this.folder = undefined;
  }

  /** Two first callers at once share one folder: each would take the other's for that of a killed run. */
  private async createOnce(): Promise<string> {
    this.making ??= this.create();
    try {
      return await this.making;
    } finally {
      this.making = undefined;
    }
  }

  private async create(): Promise<string> {
    const { parent, pid } = this.options;
    try {
      await this.removeLeftovers();
      return await mkdtemp(join(parent, `${PREFIX}${hostTag()}-${pid}-`));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
      throw new ConnectorFailure(
        'system',
        `The temporary folder ${parent} cannot be used (${code}). Give a writable one by TMPDIR, or mount a tmpfs there.`,
      );
    }
  }

  /** Folders of killed runs. Another live run's is never touched. */
  private async removeLeftovers(): Promise<void> {
    const { parent, isAlive, pid } = this.options;
    for (const name of await readdir(parent)) {
      const match = /^source-amplitude-([0-9a-z]+)-(\d+)-/.exec(name);
      if (!match) continue;
      const [, tag, owner] = match;
      const path = join(parent, name);
      // The same PID on the same host is this very process: the earlier one is gone.
      const isOurs = tag === hostTag();
      const stale = isOurs ? Number(owner) === pid || !isAlive(Number(owner)) : await isOld(path);
      if (stale) await removeLeftover(path);
    }
  }
}

/** Told apart by the whole name: the pods of one Kubernetes job differ only at its end. */
function hostTag(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 32);
}

async function removeLeftover(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    // In a folder that several users share, another user's stays for that user's next run.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

async function isOld(path: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(path);
    return Date.now() - mtimeMs > FOREIGN_STALE_MS;
  } catch (error) {
    // Its owner may have removed it in this moment.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
