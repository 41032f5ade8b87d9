/**
 * Says whether the tree can be released as it stands: `npm run release:check [-- v1.2.3]`.
 * One version number stands in several files, because each is read by somebody else's program; all must agree, with the tag too
 * when one is given. Prints every disagreement and fails when there is one.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';

/** Files, by name, with where in them the version stands; each pattern's first group is the version. */
const VERSION_PLACES: readonly (readonly [file: string, what: string, pattern: RegExp])[] = [
  ['package-lock.json', 'version', /^ {2}"version": "([^"]+)"/m],
  ['metadata.yaml', 'dockerImageTag', /^ {2}dockerImageTag: *['"]?([^'"\s]+)/m],
  ['Dockerfile', 'ARG VERSION', /^ARG VERSION=(\S+)/m],
  ['CHANGELOG.md', 'newest version', /^## \[(\d[^\]]*)\]/m],
  ['docs/amplitude.md', 'newest row of the changelog', /^\| *(\d+\.\d+\.\d+\S*) *\|/m],
  ['integration_tests/released/snapshot.json', 'version', /^ {2}"version": "([^"]+)"/m],
];

interface Snapshot {
  readonly connectionSpecification: unknown;
  readonly catalog: { readonly streams: readonly unknown[] };
}

/** @returns One sentence for each thing that keeps the tree from being released as `tag` (`v` + version). */
export function findReleaseProblems(root: string, tag?: string): string[] {
  const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const problems: string[] = [];

  for (const [file, what, pattern] of VERSION_PLACES) {
    const found = pattern.exec(read(file))?.[1];
    if (found !== version)
      problems.push(`${file}: ${what} is ${found ?? 'missing'}, package.json has ${version}`);
  }
  for (const [, found] of read('README.md').matchAll(/source-amplitude:(\d+\.\d+\.\d+)/g)) {
    if (found !== version)
      problems.push(`README.md: names the image of version ${found}, package.json has ${version}`);
  }
  if (tag !== undefined && tag !== `v${version}`) {
    problems.push(`the tag is ${tag}, package.json has ${version}`);
  }

  const changelog = read('CHANGELOG.md');
  if (/^## \[Unreleased\]\s*^(?!## )\S/m.test(changelog)) {
    problems.push('CHANGELOG.md: there are unreleased entries');
  }
  const dated = /^## \[\d[^\]]*\] - (\S+)/m.exec(changelog)?.[1];
  const rowDate = /^\| *\d+\.\d+\.\d+\S* *\| *(\S+) *\|/m.exec(read('docs/amplitude.md'))?.[1];
  if (dated === undefined || dated !== rowDate) {
    problems.push(
      `CHANGELOG.md dates the version ${dated ?? 'not at all'}, docs/amplitude.md ${rowDate ?? 'not at all'}`,
    );
  }

  const snapshot = JSON.parse(read('integration_tests/released/snapshot.json')) as Snapshot;
  const spec = JSON.parse(read('spec.json')) as { connectionSpecification: unknown };
  const catalog = JSON.parse(read('integration_tests/configured_catalog.json')) as {
    streams: { stream: unknown }[];
  };
  const streams = catalog.streams.map(({ stream }) => stream);
  if (!isDeepStrictEqual(snapshot.connectionSpecification, spec.connectionSpecification)) {
    problems.push(
      'integration_tests/released/snapshot.json: not the present spec; run npm run release:snapshot',
    );
  }
  if (!isDeepStrictEqual(snapshot.catalog.streams, streams)) {
    problems.push(
      'integration_tests/released/snapshot.json: not the present streams; run npm run release:snapshot',
    );
  }
  return problems;
}

if (require.main === module) {
  const problems = findReleaseProblems(path.join(__dirname, '..'), process.argv[2]);
  process.stdout.write(problems.length === 0 ? 'Ready to be released.\n' : `${problems.join('\n')}\n`);
  if (problems.length > 0) process.exitCode = 1;
}
