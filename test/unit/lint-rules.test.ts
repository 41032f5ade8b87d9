import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint, type Linter } from 'eslint';

const ROOT = join(__dirname, '..', '..');
// Given as a value: ESLint would import the file, which Jest's module system does not allow.
const configuration = jest.requireActual<Linter.Config[]>('../../eslint.config.js');
const eslint = new ESLint({ cwd: ROOT, overrideConfigFile: true, overrideConfig: configuration });

/** One file of each room: rooms have rules of their own, which must not push these aside. */
const PLACES = [
  'read.ts',
  'main.ts',
  'amplitude/x.ts',
  'bytes/x.ts',
  'protocol/x.ts',
  'streams/x.ts',
  'time/x.ts',
];

/** Rules that complain of a snippet in a file of src. */
async function complaints(place: string, code: string): Promise<(string | null)[]> {
  const [result] = await eslint.lintText(code, { filePath: join(ROOT, 'src', place) });
  const messages = result?.messages ?? [];
  const broken = messages.find((message) => message.fatal === true);
  if (broken !== undefined) throw new Error(`the snippet is no TypeScript: ${broken.message}`);
  return messages.filter(({ severity }) => severity === 2).map(({ ruleId }) => ruleId);
}

const IMPORTS = 'no-restricted-imports';
const SYNTAX = 'no-restricted-syntax';

/** Forbidden everywhere in src: the snippet, and the rule that must say so. */
const FORBIDDEN: readonly (readonly [string, string])[] = [
  ["import { spawn } from 'child_process';\nspawn('x');", IMPORTS],
  ["import { execSync } from 'node:child_process';\nexecSync('x');", IMPORTS],
  ["import * as programs from 'node:child_process';\nprograms.fork('x');", IMPORTS],
  ["import 'child_process';", IMPORTS],
  ["export { exec } from 'node:child_process';", IMPORTS],
  ["export * from 'child_process';", IMPORTS],
  ["const { spawn } = require('child_process');\nspawn('x');", SYNTAX],
  ["const { spawn } = require('node:child_process');\nspawn('x');", SYNTAX],
  ["export const programs = import('node:child_process');", SYNTAX],
  ["import programs = require('child_process');\nprograms.fork('x');", SYNTAX],
  ["import { runInThisContext } from 'node:vm';\nrunInThisContext('1');", IMPORTS],
  ["import { Worker } from 'node:worker_threads';\nnew Worker('x');", IMPORTS],
  ["import cluster from 'node:cluster';\ncluster.fork();", IMPORTS],

  ['export const load = (name: string): unknown => require(name);', SYNTAX],
  ["export const load = (name: string): unknown => require('./' + name);", SYNTAX],
  ['export const load = (name: string): unknown => require(`./${name}`);', SYNTAX],
  ['export const load = (...names: [string]): unknown => require(...names);', SYNTAX],
  ["const load = require;\nload('child_process');", SYNTAX],
  ["[require].map((load) => load('child_process'));", SYNTAX],
  ["export const vm: unknown = require.main?.require('vm');", SYNTAX],
  ["import { createRequire } from 'node:module';\ncreateRequire('/')('vm');", IMPORTS],
  ['export const load = (name: string): unknown => import(name);', SYNTAX],
  ["export const vm: unknown = process.getBuiltinModule('vm');", SYNTAX],
  ["export const three: unknown = eval('1 + 2');", 'no-eval'],
  ["export const three: unknown = new Function('return 1 + 2');", 'no-new-func'],

  ["import { Parse } from 'unzipper';\nParse();", SYNTAX],
  ["import { Parse as Read } from 'unzipper';\nRead();", SYNTAX],
  ["import { ParseOne } from 'unzipper';\nParseOne();", SYNTAX],
  ["import { Extract } from 'unzipper';\nExtract({ path: '/tmp' });", SYNTAX],
  ["import unzipper from 'unzipper';\nunzipper.Parse();", IMPORTS],
  ["import * as unzipper from 'unzipper';\nunzipper.Extract({ path: '/tmp' });", IMPORTS],
  ["export { Parse } from 'unzipper';", IMPORTS],
  ["const { Parse } = require('unzipper');\nParse();", SYNTAX],
  ["import { Open } from 'unzipper';\nexport const read = Open.url('x', {});", SYNTAX],
  ["import { Open } from 'unzipper';\nexport const read = Open.file('x');", SYNTAX],
  ["import { Open } from 'unzipper';\nexport const read = Open['file']('x');", SYNTAX],
  ["import { Open } from 'unzipper';\nconst { file } = Open;\nfile('x');", SYNTAX],
  ["import { Open } from 'unzipper';\nconst archives = Open;\narchives.file('x');", SYNTAX],

  ['process.exit(1);', SYNTAX],
  ['process.exit();', SYNTAX],
  ['process.abort();', SYNTAX],
  ["process['exit'](1);", SYNTAX],
  ['const { exit } = process;\nexit(1);', SYNTAX],
  ["import { exit } from 'node:process';\nexit(1);", IMPORTS],
  ["import process from 'process';\nprocess.exit(1);", IMPORTS],
  ['globalThis.process.exit(1);', SYNTAX],

  ["console.log('x');", 'no-console'],
  ["console.error('x');", 'no-console'],
  ["console['warn']('x');", 'no-console'],
  ["import console from 'node:console';\nconsole.log('x');", IMPORTS],
];

/** What stands closest to the forbidden and is needed. */
const ALLOWED: readonly string[] = [
  "import { Open, type File } from 'unzipper';\nexport const read = (source: File): unknown => Open.custom(source);",
  "export const later = (): unknown => require('./read') as typeof import('./read');",
  "import { readFileSync } from 'node:fs';\nexport const text = readFileSync('x', 'utf8');",
  'export const exit = (code: number): number => code;\nexit(1);',
];

describe('in every room of src', () => {
  it.each(FORBIDDEN)('%j breaks %s', async (code, rule) => {
    for (const place of PLACES)
      expect([place, await complaints(place, code)]).toEqual([place, expect.arrayContaining([rule])]);
  });

  it.each(ALLOWED)('%j is allowed', async (code) => {
    for (const place of PLACES) expect([place, await complaints(place, code)]).toEqual([place, []]);
  });
});

it('process is for main.ts alone', async () => {
  const code = 'process.exitCode = 1;';
  expect(await complaints('main.ts', code)).toEqual([]);
  for (const place of PLACES.filter((name) => name !== 'main.ts'))
    expect([place, await complaints(place, code)]).toEqual([place, ['no-restricted-globals']]);
});

it('the rules are for src: a test may start programs', async () => {
  const [result] = await eslint.lintText("import { spawn } from 'node:child_process';\nspawn('x');", {
    filePath: join(ROOT, 'test', 'x.ts'),
  });
  expect(result?.messages).toEqual([]);
});

it('no comment turns a rule off', async () => {
  for (const place of PLACES) {
    const code =
      "/* eslint-disable */\n// eslint-disable-next-line no-console\nconsole.log('x'); // eslint-disable-line";
    expect([place, await complaints(place, code)]).toEqual([place, ['no-console']]);
  }
});

it('the files of src that come near these limits keep within them', async () => {
  for (const place of ['main.ts', 'source.ts', 'amplitude/archive.ts', 'amplitude/release-chunk.ts'])
    expect([place, await complaints(place, readFileSync(join(ROOT, 'src', place), 'utf8'))]).toEqual([
      place,
      [],
    ]);
});
