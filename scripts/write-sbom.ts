/**
 * Writes the CycloneDX bill of the production dependencies to the file named by the first argument.
 * The same lock file gives the same bytes, because the file is part of the image's reproducible layer: npm's random serial
 * number becomes a hash of the content, and its clock reading goes (SOURCE_DATE_EPOCH, in seconds, puts a time back).
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

interface Bill {
  serialNumber?: string;
  metadata: { timestamp?: string; component: { name: string } };
}

interface Manifest {
  name: string;
  devDependencies?: unknown;
}

interface Lock {
  packages: Record<string, { dev?: boolean; devDependencies?: unknown }>;
}

const ROOT = path.join(__dirname, '..');

function writeSbom(target: string): void {
  const manifest = readJson<Manifest>('package.json');
  const bill = listProduction(manifest, readJson<Lock>('package-lock.json'));
  delete bill.serialNumber;
  delete bill.metadata.timestamp;
  // npm names the bill's subject after the folder that it ran in.
  bill.metadata.component.name = manifest.name;
  const epoch = process.env['SOURCE_DATE_EPOCH'];
  if (epoch) bill.metadata.timestamp = new Date(Number(epoch) * 1000).toISOString();
  bill.serialNumber = `urn:uuid:${hashToUuid(JSON.stringify(bill))}`;
  writeFileSync(target, `${JSON.stringify(bill, null, 2)}\n`);
}

/**
 * npm's bill of a project without development dependencies. `npm sbom --omit=dev` over the whole project would not do: npm 11
 * leaves out every package that a development dependency needs too (5 of 55 here, `debug` and `ms` among them).
 */
function listProduction(manifest: Manifest, lock: Lock): Bill {
  const packages = Object.entries(lock.packages)
    .filter(([, { dev }]) => dev !== true)
    .map(([where, { devDependencies: _, ...facts }]) => [where, facts]);
  const folder = mkdtempSync(path.join(tmpdir(), 'sbom-'));
  try {
    const { devDependencies: _, ...production } = manifest;
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify(production));
    writeFileSync(
      path.join(folder, 'package-lock.json'),
      JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }),
    );
    const output = execFileSync(
      'npm',
      ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'],
      { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 64 * 1024 * 1024 },
    );
    return JSON.parse(output) as Bill;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(path.join(ROOT, name), 'utf8')) as T;
}

/** An RFC 9562 version 8 UUID, the version for ids whose bits the application chooses. */
function hashToUuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(18, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

const target = process.argv[2];
if (target === undefined) throw new Error('usage: npm run sbom -- <file>');
writeSbom(target);
