import { cp, mkdtemp, readdir, readFile, rm, utimes } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { docker, IMAGE, inspectImage, ROOT, succeed, type ImageFacts } from './docker';
import { readLayer, type LayerEntry } from './layer';

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly dev?: boolean; readonly optional?: boolean }>
  >;
}

const readText = (name: string): Promise<string> => readFile(path.join(ROOT, name), 'utf8');

/** `node_modules/…` paths and versions of what the connector needs at run time, by the lock file. */
async function productionPackages(): Promise<Map<string, string>> {
  const lock = JSON.parse(await readText('package-lock.json')) as Lock;
  return new Map(
    Object.entries(lock.packages)
      .filter(([where, { dev }]) => where !== '' && dev !== true)
      .map(([where, { version }]) => [where, version]),
  );
}

describe('the image', () => {
  let image: ImageFacts;
  let base: ImageFacts;
  let work: string;

  beforeAll(async () => {
    image = await inspectImage(IMAGE);
    const name = /^ARG BASE_IMAGE=(.+)$/m.exec(await readText('Dockerfile'))?.[1] ?? '';
    base = await inspectImage(name);
    work = await mkdtemp(path.join(tmpdir(), 'image-test-'));
  });

  afterAll(() => rm(work, { recursive: true, force: true }));

  test('1, 2: AIRBYTE_ENTRYPOINT is the entry point joined by one space, with an absolute path', () => {
    const { Entrypoint: entrypoint, Env: env, Cmd: command } = image.Config;
    expect(env).toContain(`AIRBYTE_ENTRYPOINT=${entrypoint.join(' ')}`);
    expect(path.posix.isAbsolute(entrypoint[0] ?? '')).toBe(true);
    expect(command ?? []).toEqual([]);
  });

  test('3, 4: the labels agree with metadata.yaml, and the version with package.json', async () => {
    const metadata = await readText('metadata.yaml');
    const field = (name: string): string | undefined =>
      new RegExp(`^  ${name}: *['"]?([^'"\\s]+)`, 'm').exec(metadata)?.[1];
    const { version } = JSON.parse(await readText('package.json')) as { version: string };
    expect(image.Config.Labels).toMatchObject({
      'io.airbyte.name': field('dockerRepository'),
      'io.airbyte.version': field('dockerImageTag'),
    });
    expect(image.Config.Labels['io.airbyte.version']).toBe(version);
  });

  test('5: it has a shell and runs as uid and gid 1000, named airbyte, in UTC', async () => {
    expect(image.Config.User).toBe('1000:1000');
    const script =
      'id; echo "$HOME"; date +%Z; for d in /airbyte /config /secrets /custom_cache /tmp; do test -w $d && echo $d; done';
    const lines = (await succeed('run', '--rm', '--entrypoint=sh', IMAGE, '-c', script)).trim().split('\n');
    expect(lines).toEqual([
      'uid=1000(airbyte) gid=1000(airbyte) groups=1000(airbyte)',
      '/airbyte',
      'UTC',
      '/airbyte',
      '/config',
      '/secrets',
      '/custom_cache',
      '/tmp',
    ]);
  });

  test('the program keeps out of the folders that Airbyte and PyAirbyte mount, and cannot change itself', async () => {
    const program = image.Config.Entrypoint[0] ?? '';
    for (const mounted of ['/airbyte/tmp', '/local', '/source', '/data', '/secrets', '/config', '/tmp']) {
      expect(program.startsWith(`${mounted}/`)).toBe(false);
    }
    expect(await succeed('run', '--rm', '--entrypoint=find', IMAGE, '/app', '-writable')).toBe('');
  });

  test('its own layers are at most 15 MB and hold nothing but the program, four folders and the user', async () => {
    const megabytes = (image.Size - base.Size) / 1e6;
    console.info(`application layers: ${megabytes.toFixed(2)} MB over the base`);
    expect(megabytes).toBeLessThanOrEqual(15);

    const entries = await readOwnLayers(base.RootFS.Layers.length);
    const folders = ['airbyte', 'config', 'custom_cache', 'secrets'];
    const rest = entries.filter((entry) => !/^app(\/|$)/.test(entry.path));
    expect(rest.map((entry) => entry.path).sort()).toEqual(
      [...folders, 'etc', 'etc/group', 'etc/passwd'].sort(),
    );
    for (const { path: where, uid, gid, mode, mtime } of entries) {
      const owner = folders.includes(where) ? 1000 : 0;
      // No write bit for others than the owner, no setuid, setgid or sticky bit, and a time that no clock gave.
      expect({ where, uid, gid, loose: mode & 0o7022, mtime }).toEqual({
        where,
        uid: owner,
        gid: owner,
        loose: 0,
        mtime: 0,
      });
    }
  });

  test('it holds the production dependencies of the lock file and no other package', async () => {
    const wanted = await productionPackages();
    const found = new Set(
      (await readOwnLayers(base.RootFS.Layers.length))
        .map(
          ({ path: where }) =>
            /^app\/((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/@.][^/]*)\/package\.json$/.exec(where)?.[1],
        )
        .filter((where) => where !== undefined),
    );
    expect([...found].sort()).toEqual([...wanted.keys()].sort());
  });

  test('its bill of materials is CycloneDX and lists exactly these packages', async () => {
    const bill = JSON.parse(await succeed('run', '--rm', '--entrypoint=cat', IMAGE, '/app/sbom.json')) as {
      bomFormat: string;
      metadata: { component: { name: string; version: string } };
      components: { purl: string; hashes?: { alg: string }[] }[];
    };
    expect(bill.bomFormat).toBe('CycloneDX');
    expect(bill.metadata.component).toMatchObject({
      name: 'source-amplitude',
      version: image.Config.Labels['io.airbyte.version'],
    });
    const wanted = [...(await productionPackages())].map(([where, version]) => {
      const name = where.replace(/^.*node_modules\//, '').replace(/^@/, '%40');
      return `pkg:npm/${name}@${version}`;
    });
    expect(bill.components.map(({ purl }) => purl).sort()).toEqual([...new Set(wanted)].sort());
    expect(bill.components.filter(({ hashes = [] }) => hashes.length === 0)).toEqual([]);
  });

  test('two builds of the same files give the same layers, whatever their times and modes are', async () => {
    // Both builds take a copy, so that an edit of the checkout meanwhile makes no difference; the first one is in the cache.
    const context = path.join(work, 'context');
    await copyContext(context);
    const tags = [`${IMAGE}-first`, `${IMAGE}-again`] as const;
    try {
      await succeed('build', '--tag', tags[0], context);
      await makeLookForeign(context);
      await succeed('build', '--no-cache', '--tag', tags[1], context);
      const [first, again] = await Promise.all(tags.map(inspectImage));
      expect(again?.RootFS.Layers).toEqual(first?.RootFS.Layers);
    } finally {
      await docker('image', 'rm', ...tags);
    }
  });

  test('BASE_DIGEST pins the base: a digest that nobody has cannot be built on', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const { exitCode } = await docker('build', '--build-arg', `BASE_DIGEST=${digest}`, ROOT);
    expect(exitCode).not.toBe(0);
  });

  /** Entries of all layers above the base's. */
  async function readOwnLayers(baseLayers: number): Promise<LayerEntry[]> {
    const folder = path.join(work, 'saved');
    if (!(await readdir(work)).includes('saved')) {
      const archive = path.join(work, 'image.tar');
      await succeed('save', '--output', archive, IMAGE);
      execFileSync('sh', ['-c', 'mkdir "$1" && tar -xf "$2" -C "$1"', 'sh', folder, archive]);
    }
    const [manifest] = JSON.parse(await readFile(path.join(folder, 'manifest.json'), 'utf8')) as {
      Layers: string[];
    }[];
    const own = manifest?.Layers.slice(baseLayers) ?? [];
    const layers = await Promise.all(own.map((layer) => readFile(path.join(folder, layer))));
    return layers.flatMap(readLayer);
  }

  async function copyContext(target: string): Promise<void> {
    const ignore = await readText('.dockerignore');
    const sent = ignore.match(/(?<=^!).+$/gm) ?? [];
    for (const name of [...sent, 'Dockerfile', '.dockerignore']) {
      await cp(path.join(ROOT, name), path.join(target, name), { recursive: true });
    }
  }

  /** As a checkout elsewhere would be: other times, and files that the group may write. */
  async function makeLookForeign(context: string): Promise<void> {
    for (const name of await readdir(context, { recursive: true })) {
      await utimes(path.join(context, name), 1_000_000_000, 1_000_000_000);
    }
    execFileSync('chmod', ['-R', 'g+w', context]);
  }
});
