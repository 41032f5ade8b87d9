import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROGRAM } from '../harness/connector';
import { BUILD } from '../harness/inputs';
import { runRow } from './fault-matrix-run';
import { FAULT_MATRIX } from './fault-matrix-table';
import { Pool } from './pool';
import { findLeaks, leakText, UNUSUAL_SECRETS } from './secrets';

/** Refusals that quote the keys: in Amplitude's own words, and in a body that only developers see. */
const QUOTING = FAULT_MATRIX.filter(
  ({ endpoint, fault }) =>
    endpoint === 'json' && ['403 plan without this API', '403 as a web page'].includes(fault),
);

/** The built program with a redactor that redacts nothing. */
function copyWithoutRedaction(): { folder: string; program: string } {
  const folder = mkdtempSync(join(tmpdir(), 'no-redaction-'));
  cpSync(join(BUILD, 'dist'), join(folder, 'dist'), { recursive: true });
  for (const shared of ['node_modules', 'schemas', 'spec.json', 'package.json'])
    symlinkSync(join(BUILD, shared), join(folder, shared));
  mkdirSync(join(folder, 'bin'));
  cpSync(PROGRAM, join(folder, 'bin', 'source-amplitude'));
  writeFileSync(
    join(folder, 'dist', 'protocol', 'redact.js'),
    'exports.createRedactor = () => (text) => text;\n',
  );
  return { folder, program: join(folder, 'bin', 'source-amplitude') };
}

describe('redaction', () => {
  const pool = new Pool();

  it('is tried with two refusals that quote the keys, and with every pair of keys', () => {
    expect(QUOTING).toHaveLength(2);
    for (const secrets of UNUSUAL_SECRETS) expect(findLeaks(leakText(secrets), secrets)).not.toEqual([]);
  });

  it('leaves no secret in what a run says', async () => {
    const runs = UNUSUAL_SECRETS.flatMap((_, index) =>
      QUOTING.map((row) => pool.run(() => runRow(row, 'always', index))),
    );
    expect((await Promise.all(runs)).flat()).toEqual([]);
  }, 120_000);

  it('is what keeps them out: without it, each of these runs is found to tell them', async () => {
    const { folder, program } = copyWithoutRedaction();
    try {
      const runs = UNUSUAL_SECRETS.flatMap((_, index) =>
        QUOTING.map((row) => pool.run(() => runRow(row, 'always', index, { program }))),
      );
      for (const problems of await Promise.all(runs))
        expect(problems.filter((problem) => problem.startsWith('secret in a message'))).not.toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
