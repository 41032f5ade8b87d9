import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, statfs, utimes, writeFile } from 'node:fs/promises';
import os, { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { TempSpace } from '../../../src/amplitude/temp-space';
import { ConnectorFailure } from '../../../src/failure';

const PID = 4_000_001;
const DAY_MS = 86_400_000;
let parent: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'temp-space-test-'));
});

afterEach(async () => {
  jest.restoreAllMocks();
  await rm(parent, { recursive: true, force: true });
});

function space(options: Partial<ConstructorParameters<typeof TempSpace>[0]> = {}): TempSpace {
  return new TempSpace({ parent, pid: PID, isAlive: () => true, limitBytes: undefined, ...options });
}

/** The folder that a run with this PID on this host leaves behind when it is killed, with a file in it. */
async function leaveBehind(pid: number): Promise<string> {
  const path = await space({ pid }).newPath();
  await writeFile(path, 'rest');
  return dirname(path);
}

/** Acts without the rights of root, for which no folder is closed. */
async function asPlainUser<T>(act: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return act();
  process.seteuid?.(65_534);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
  }
}

describe('the folder of a run', () => {
  it('is made on first use, private, with a path for each file', async () => {
    const temp = space();
    expect(await readdir(parent)).toEqual([]);
    const paths = [await temp.newPath(), await temp.newPath(), await temp.newPath()];
    expect(new Set(paths).size).toBe(3);
    const folders = await readdir(parent);
    expect(folders).toEqual([basename(dirname(paths[0]!))]);
    const { mode } = await stat(dirname(paths[0]!));
    expect((mode & 0o777).toString(8)).toBe('700');
  });

  it('is one, also when the first files are asked for at once', async () => {
    const temp = space({ isAlive: () => false });
    const paths = await Promise.all([temp.newPath(), temp.newPath(), temp.newPath()]);
    await Promise.all(paths.map((path) => writeFile(path, 'content')));
    expect(await readdir(parent)).toHaveLength(1);
    expect(new Set(paths).size).toBe(3);
  });

  it('is removed with its files, at once, and again without harm', async () => {
    const temp = space();
    await writeFile(await temp.newPath(), 'content');
    temp.removeSync();
    expect(await readdir(parent)).toEqual([]);
    temp.removeSync();
    space().removeSync();
    expect(existsSync(parent)).toBe(true);
  });

  it('comes again after it was removed', async () => {
    const temp = space();
    await temp.newPath();
    temp.removeSync();
    await writeFile(await temp.newPath(), 'content');
    expect(await readdir(parent)).toHaveLength(1);
  });
});

describe('what killed runs left', () => {
  it('is removed on the next start', async () => {
    const dead = await leaveBehind(1_111);
    const own = await space({ isAlive: (pid) => pid !== 1_111 }).newPath();
    expect(existsSync(dead)).toBe(false);
    expect(existsSync(dirname(own))).toBe(true);
  });

  it('is removed when the PID is ours, as in a container whose only process has PID 1 each time', async () => {
    const earlier = await leaveBehind(PID);
    await space({ isAlive: () => true }).newPath();
    expect(existsSync(earlier)).toBe(false);
  });

  it('is told from the folder of a run that is alive', async () => {
    const alive = await leaveBehind(2_222);
    await space({ isAlive: (pid) => pid === 2_222 }).newPath();
    expect(existsSync(join(alive, '1.zip'))).toBe(true);
  });

  it('of another host is removed when nothing was written to it for a day', async () => {
    const own = basename(await leaveBehind(3_333));
    const foreign = (letter: string): string => join(parent, own.replace(/-[0-9a-f]+-/, `-${letter}-`));
    const [old, fresh] = [foreign('aaaa'), foreign('bbbb')];
    for (const path of [old, fresh]) {
      await mkdir(path);
      await writeFile(join(path, '1.zip'), 'rest');
    }
    const [longAgo, recent] = [1.01, 0.99].map((days) => new Date(Date.now() - days * DAY_MS));
    await utimes(old, longAgo!, longAgo!);
    await utimes(fresh, recent!, recent!);
    await space({ isAlive: () => false }).newPath();
    expect([existsSync(old), existsSync(fresh)]).toEqual([false, true]);
  });

  it('of a pod whose name differs only at its end counts as of another host', async () => {
    const name = 'replication-job-for-a-connection-attempt-0-';
    jest.spyOn(os, 'hostname').mockReturnValue(`${name}aaaaa`);
    const alive = await leaveBehind(PID);
    jest.spyOn(os, 'hostname').mockReturnValue(`${name}bbbbb`);
    await space({ isAlive: () => false }).newPath();
    expect(existsSync(join(alive, '1.zip'))).toBe(true);
  });

  it('is all that is touched in a folder that others use too', async () => {
    const others = [
      'source-amplitude',
      'source-amplitude-',
      'source-amplitude-notes',
      'source-amplitude-demo-x1',
      'other-00-1-x',
      'file.zip',
    ];
    for (const name of others) await writeFile(join(parent, name), 'theirs');
    await space({ isAlive: () => false }).newPath();
    expect(await readdir(parent)).toEqual(expect.arrayContaining(others));
  });

  it('and cannot be removed, because it is another user’s, keeps nobody from starting', async () => {
    const dead = await leaveBehind(1_111);
    const locked = join(dead, 'locked');
    await mkdir(locked);
    await writeFile(join(locked, 'file'), 'rest');
    await chmod(locked, 0o500);
    await chmod(parent, 0o777);
    const path = await asPlainUser(() => space({ isAlive: () => false }).newPath());
    expect(existsSync(dirname(path))).toBe(true);
    expect(existsSync(join(locked, 'file'))).toBe(true);
    await chmod(locked, 0o700);
  });
});

describe('a folder that cannot be used', () => {
  const failureOf = (temp: TempSpace): Promise<unknown> =>
    temp.newPath().then(
      () => undefined,
      (error: unknown) => error,
    );

  it('that is missing is named, with what to do', async () => {
    const failure = await failureOf(space({ parent: join(parent, 'missing') }));
    expect(failure).toBeInstanceOf(ConnectorFailure);
    expect(failure).toMatchObject({
      kind: 'system',
      message: expect.stringMatching(/missing cannot be used \(ENOENT\).*TMPDIR/),
    });
  });

  it('that is a file', async () => {
    const file = join(parent, 'file');
    await writeFile(file, '');
    expect(await failureOf(space({ parent: file }))).toMatchObject({
      kind: 'system',
      message: expect.stringContaining('ENOTDIR'),
    });
  });

  it('that is read-only', async () => {
    await chmod(parent, 0o555);
    const failure = await asPlainUser(() => failureOf(space()));
    expect(failure).toMatchObject({ kind: 'system', message: expect.stringMatching(/EACCES|EROFS/) });
    await chmod(parent, 0o755);
  });

  it('may be used when it has become usable', async () => {
    const temp = space({ parent: join(parent, 'later') });
    expect(await failureOf(temp)).toBeInstanceOf(ConnectorFailure);
    await mkdir(join(parent, 'later'));
    await expect(temp.newPath()).resolves.toContain('later');
  });
});

describe('the room for one archive', () => {
  it('is less than half of what is free, for two are kept at a time', async () => {
    const { bavail, bsize } = await statfs(parent);
    const budget = await space().archiveBudget();
    // Others write to the disk meanwhile.
    expect(budget).toBeGreaterThan(0.3 * bavail * bsize);
    expect(budget).toBeLessThan(0.5 * bavail * bsize);
  });

  it("is half of the platform's limit where that is less", async () => {
    expect(await space({ limitBytes: 5_000 }).archiveBudget()).toBe(2_500);
    expect(await space({ limitBytes: 0 }).archiveBudget()).toBe(0);
  });

  it('is shared with the archive that is there: what is planned fits beside it', async () => {
    const temp = space({ limitBytes: 5_000 });
    await writeFile(await temp.newPath(), Buffer.alloc(1_000));
    expect([await temp.room(), await temp.archiveBudget()]).toEqual([4_000, 2_500]);
    await writeFile(await temp.newPath(), Buffer.alloc(3_000));
    expect([await temp.room(), await temp.archiveBudget()]).toEqual([1_000, 1_000]);
    await writeFile(await temp.newPath(), Buffer.alloc(3_000));
    expect([await temp.room(), await temp.archiveBudget()]).toEqual([0, 0]);
  });

  it('is all that is free while nothing is planned', async () => {
    const { bavail, bsize } = await statfs(parent);
    // Others write to the disk meanwhile.
    expect(await space().room()).toBeGreaterThan(0.95 * bavail * bsize);
    expect(await space({ limitBytes: 5_000 }).room()).toBe(5_000);
  });

  it('is not known of a folder that is missing', async () => {
    expect(await space({ parent: join(parent, 'missing') }).archiveBudget()).toBe(Infinity);
    expect(await space({ parent: join(parent, 'missing'), limitBytes: 50 }).archiveBudget()).toBe(25);
  });
});
