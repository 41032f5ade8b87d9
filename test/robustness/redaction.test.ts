import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROGRAM, runConnector } from '../harness/connector';
import { BUILD, catalogOf, configFor } from '../harness/inputs';
import { TWO_DAYS, withSimulator } from '../harness/with-simulator';
import { FaultBench } from './fault-bench';
import { runRow } from './fault-matrix-run';
import { FAULT_MATRIX } from './fault-matrix-table';
import { Pool } from './pool';
import { findLeaks, leakText, type Secrets, spokenText, UNUSUAL_SECRETS } from './secrets';

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

/** Where an answer is cut: the message takes 500 characters of it, the detail 2,000. One stream meets each key at each cut. */
const CUTS = [
  { stream: 'cohorts', path: '/api/3/cohorts', cut: 500, field: 'apiKey' },
  { stream: 'annotations', path: '/api/3/annotations', cut: 2_000, field: 'apiKey' },
  { stream: 'events_list', path: '/api/2/events/list', cut: 500, field: 'secretKey' },
  { stream: 'average_session_length', path: '/api/2/sessions/average', cut: 2_000, field: 'secretKey' },
] as const;
/** So many characters of a key are as good as none. */
const HARMLESS_CHARACTERS = 4;

/** Parts of the keys that a run shows when they stand where a refusal is cut. */
async function findPartsOfCut(secrets: Secrets, program: string): Promise<string[]> {
  return withSimulator({ ...TWO_DAYS, settings: { credentials: secrets } }, async (simulator) => {
    for (const { path, cut, field } of CUTS) {
      const key = secrets[field];
      const shown = Math.max(HARMLESS_CHARACTERS + 1, Math.floor([...key].length / 2));
      const body = `${'.'.repeat(cut - shown - 1)} ${key} and more`;
      const headers = { 'content-type': 'text/plain' };
      simulator.fault({ match: { path }, action: { kind: 'reply', status: 403, headers, body } });
    }
    const output = await runConnector(['read'], {
      config: configFor(simulator, { end_date: '2024-03-01' }),
      catalog: catalogOf(CUTS.map(({ stream }) => stream)),
      program,
    });
    const said = spokenText(output);
    const quoted = output.errors.filter(({ message }) => message.includes('.....'));
    const parts = quoted.length === CUTS.length ? [] : ['not every answer was quoted'];
    for (const key of [secrets.apiKey, secrets.secretKey]) {
      const start = [...key].slice(0, HARMLESS_CHARACTERS + 1).join('');
      const forms = [start, JSON.stringify(start).slice(1, -1), start.replace(/\s+/g, ' ')];
      if ([...key].length > HARMLESS_CHARACTERS && forms.some((form) => said.includes(form)))
        parts.push(start);
    }
    return parts;
  });
}

/** Where planted secrets were found. */
async function findPlanted(secrets: Secrets): Promise<string[]> {
  // More output than a pipe holds: the program is still there when the first of it is seen.
  const bench = await FaultBench.start({ endpoint: 'export', windows: 8, secrets });
  try {
    const { apiKey: argument, secretKey: variable } = secrets;
    const { leaks } = await bench.read({ planted: { file: `key: ${argument}`, argument, variable } });
    return [...new Set(leaks.map((leak) => /^in \S*\/(\w+):/.exec(leak)?.[1] ?? leak))].sort();
  } finally {
    await bench.close();
  }
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

  it('leaves no part of a secret where a long answer is cut, nor one whose blanks were changed', async () => {
    const runs = UNUSUAL_SECRETS.map((secrets) => pool.run(() => findPartsOfCut(secrets, PROGRAM)));
    expect((await Promise.all(runs)).flat()).toEqual([]);
  }, 120_000);

  it('is looked for in files, environment and command line too: what is planted there is found', async () => {
    const runs = UNUSUAL_SECRETS.map((secrets) => pool.run(() => findPlanted(secrets)));
    for (const places of await Promise.all(runs)) expect(places).toEqual(['cmdline', 'environ', 'planted']);
  }, 120_000);

  it('is what keeps them out: without it, each of these runs is found to tell them', async () => {
    const { folder, program } = copyWithoutRedaction();
    try {
      const runs = UNUSUAL_SECRETS.flatMap((_, index) =>
        QUOTING.map((row) => pool.run(() => runRow(row, 'always', index, { program }))),
      );
      for (const problems of await Promise.all(runs))
        expect(problems.filter((problem) => problem.startsWith('secret in a message'))).not.toEqual([]);
      const cut = UNUSUAL_SECRETS.filter(({ apiKey }) => [...apiKey].length > HARMLESS_CHARACTERS).map(
        (secrets) => pool.run(() => findPartsOfCut(secrets, program)),
      );
      for (const parts of await Promise.all(cut)) expect(parts).not.toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
