import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const readJson = <Value>(file: string): Value => JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as Value;

interface Lock {
  packages: Record<
    string,
    { dev?: boolean; license?: string; dependencies?: Record<string, string>; integrity?: string }
  >;
}

const PERMISSIVE = ['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', '0BSD'];

const { packages } = readJson<Lock>('package-lock.json');
const direct = Object.keys(packages['']?.dependencies ?? {});
const production = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev);
const page = readFileSync(join(ROOT, 'docs', 'decisions', '0011-dependency-policy.md'), 'utf8');

it('the page has a row for each runtime dependency and for nothing else', () => {
  const rows = [...page.matchAll(/^\| \[([^\]]+)\]\(https:[^)]+\) +\|/gm)].map(([, name]) => name);
  expect(direct.length).toBeGreaterThan(0);
  expect(rows.sort()).toEqual([...direct].sort());
});

it('names every package that a runtime dependency brings along by itself, and the number of all', () => {
  const brought = direct.flatMap((name) =>
    Object.keys(packages[`node_modules/${name}`]?.dependencies ?? {}).filter(
      (other) => !direct.includes(other),
    ),
  );
  // graceful-fs is fs-extra's as well.
  for (const name of brought.filter((other) => other !== 'graceful-fs'))
    expect(page).toContain(`\`${name}\``);
  expect(page).toContain(`holds these ${String(production.length)} packages`);
  expect(page).toContain(`bring ${String(production.length - direct.length)} more packages`);
});

it('every package has a permissive licence and is pinned by its content', () => {
  for (const [path, { license, integrity }] of production) {
    expect([path, PERMISSIVE.includes(license ?? 'none')]).toEqual([path, true]);
    expect([path, integrity?.startsWith('sha512-')]).toEqual([path, true]);
  }
});

it('each is imported in src/amplitude only', () => {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const importers = direct.map((name) =>
    files.filter((file) => readFileSync(join(ROOT, 'src', file), 'utf8').includes(`from '${name}'`)),
  );
  for (const found of importers) {
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((file) => !/^amplitude[/\\]/.test(file))).toEqual([]);
  }
});
