import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');
const read = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as Record<string, unknown>;

/** Stores the spec and the catalog as those of the version in package.json: to be run once for each release. */
const { streams } = read('integration_tests/configured_catalog.json') as { streams: { stream: unknown }[] };
const snapshot = {
  version: read('package.json')['version'],
  connectionSpecification: read('spec.json')['connectionSpecification'],
  catalog: { streams: streams.map(({ stream }) => stream) },
};
writeFileSync(join(__dirname, 'released', 'snapshot.json'), `${JSON.stringify(snapshot, null, 2)}\n`);
