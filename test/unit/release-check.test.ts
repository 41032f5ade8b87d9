import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findReleaseProblems } from '../../scripts/release-check';

const ROOT = path.join(__dirname, '..', '..');
const FILES = [
  'package.json',
  'package-lock.json',
  'metadata.yaml',
  'Dockerfile',
  'CHANGELOG.md',
  'README.md',
  'docs/amplitude.md',
  'spec.json',
  'integration_tests/configured_catalog.json',
  'integration_tests/released/snapshot.json',
];

describe('the release check', () => {
  let tree: string;
  let version: string;

  const edit = (file: string, change: (text: string) => string): void => {
    const place = path.join(tree, file);
    const before = readFileSync(place, 'utf8');
    const after = change(before);
    expect(after).not.toBe(before);
    writeFileSync(place, after);
  };

  /** A copy of the real files, brought into the state that a release has to have. */
  beforeEach(() => {
    tree = mkdtempSync(path.join(tmpdir(), 'release-check-'));
    for (const file of FILES) {
      mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
      cpSync(path.join(ROOT, file), path.join(tree, file));
    }
    const read = (file: string): unknown => JSON.parse(readFileSync(path.join(tree, file), 'utf8'));
    ({ version } = read('package.json') as { version: string });
    const { connectionSpecification } = read('spec.json') as { connectionSpecification: unknown };
    const catalog = read('integration_tests/configured_catalog.json') as { streams: { stream: unknown }[] };
    const snapshot = {
      version,
      connectionSpecification,
      catalog: { streams: catalog.streams.map(({ stream }) => stream) },
    };
    writeFileSync(
      path.join(tree, 'integration_tests/released/snapshot.json'),
      JSON.stringify(snapshot, null, 2),
    );
    const changelog = path.join(tree, 'CHANGELOG.md');
    const text = readFileSync(changelog, 'utf8');
    writeFileSync(changelog, text.replace(/(?<=^## \[Unreleased\]\n)[\s\S]*?(?=^## )/m, '\n'));
  });

  afterEach(() => rmSync(tree, { recursive: true }));

  test('accepts a tree in which everything agrees', () => {
    expect(findReleaseProblems(tree)).toEqual([]);
    expect(findReleaseProblems(tree, `v${version}`)).toEqual([]);
  });

  test.each<[string, string, (text: string) => string]>([
    [
      'a version of the lock file',
      'package-lock.json',
      (text) => text.replace(/"version": ".*?"/, '"version": "9.9.9"'),
    ],
    [
      "the metadata's image tag",
      'metadata.yaml',
      (text) => text.replace(/dockerImageTag: .*/, 'dockerImageTag: 9.9.9'),
    ],
    ["the image's label", 'Dockerfile', (text) => text.replace(/^ARG VERSION=.*/m, 'ARG VERSION=9.9.9')],
    ['a forgotten changelog', 'CHANGELOG.md', (text) => text.replace(/^## \[\d.*?\]/m, '## [0.0.9]')],
    [
      'entries that belong to no version',
      'CHANGELOG.md',
      (text) => text.replace('## [Unreleased]', '## [Unreleased]\n\n- More.'),
    ],
    [
      "another day in the page's changelog",
      'docs/amplitude.md',
      (text) => text.replace(/(^\| *\d+\.\d+\.\d+ *\| *)\S+/m, '$11999-01-01'),
    ],
    [
      "a row missing in the page's changelog",
      'docs/amplitude.md',
      (text) => text.replace(/^\| *\d+\.\d+\.\d+.*\n/m, ''),
    ],
    [
      'an old image in the README',
      'README.md',
      (text) => text.replace(/source-amplitude:\d+\.\d+\.\d+/, 'source-amplitude:0.0.9'),
    ],
    [
      'a spec that the snapshot does not know',
      'spec.json',
      (text) => text.replace('"title": "', '"title": "New '),
    ],
    [
      'a stream that the snapshot does not know',
      'integration_tests/configured_catalog.json',
      (text) => text.replace('"name": "events"', '"name": "happenings"'),
    ],
  ])('finds %s', (_, file, change) => {
    edit(file, change);
    const problems = findReleaseProblems(tree);
    expect(problems.length).toBeGreaterThanOrEqual(1);
    expect(problems.join('\n')).toContain(
      file === 'spec.json' || file.endsWith('catalog.json') ? 'snapshot' : file,
    );
  });

  test('finds a tag of another version', () => {
    expect(findReleaseProblems(tree, 'v9.9.9')).toEqual([`the tag is v9.9.9, package.json has ${version}`]);
  });
});
