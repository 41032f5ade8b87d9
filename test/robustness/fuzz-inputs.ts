import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { catalogOf, STREAMS } from '../harness/inputs';
import { mutateBytes, mutateJson } from './fuzz-mutations';

/** What stands at the path of an input file; `undefined`: nothing. */
export type FileContent = Buffer | 'folder' | undefined;

export type FileName = 'config' | 'catalog' | 'state';

export interface FuzzInput {
  /** In the place of a path stands `{config}`, `{catalog}` or `{state}`. */
  readonly args: readonly string[];
  readonly files: Readonly<Record<FileName, FileContent>>;
}

/** Stands for the simulator's address in the files; of the same length as the real one. */
export const ORIGIN = 'http://127.0.0.1:54321';

/** Of the unusual kind, and like nothing else in the inputs or in the program's texts. */
export const SECRETS = { apiKey: 'a+b/c=="\\schlüssel-0815', secretKey: '🔑🗝️-x/y+z=&?#%41 %2F' };

const CONFIG = {
  api_key: SECRETS.apiKey,
  secret_key: SECRETS.secretKey,
  base_url: ORIGIN,
  data_region: 'Standard Server',
  start_date: '2024-03-01T00:00:00Z',
  end_date: '2024-03-02',
  request_time_range: 24,
  lookback_hours: 3,
  active_users_group_by_country: true,
  project_timezone: 'UTC',
  on_malformed_line: 'fail',
};

const STATES = join(__dirname, '..', 'fixtures', 'states');
const SAVED = readdirSync(STATES).map((file) => readFileSync(join(STATES, file), 'utf8'));
const SAVED_JSON = SAVED.flatMap((text) => (text.includes('\n{') ? [] : [JSON.parse(text) as unknown]));

const catalog = fc
  .record({
    names: fc.subarray([...STREAMS], { minLength: 1 }),
    mode: fc.constantFrom('incremental', 'full_refresh' as const),
  })
  // Without most of the schemas: they are long, and what is read of them is the list of properties.
  .map(({ names, mode }) =>
    catalogOf(names, { mode: mode as 'incremental', fields: ['uuid', 'date', 'id'] }),
  );

const WHOLE: Readonly<Record<FileName, fc.Arbitrary<unknown>>> = {
  config: fc.constant(CONFIG),
  catalog,
  state: fc.constantFrom(...SAVED_JSON),
};

function textOf(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

const JUNK = fc.oneof(
  fc
    .constantFrom('', ' ', '\n', 'null', '[]', '{}', '0', '"', '{"', '\uFEFF', '\0', '[[[[', '{}{}', 'NaN')
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  // Valid JSON of any shape.
  fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text)),
  fc
    .record({
      depth: fc.constantFrom(10, 5_000, 100_000),
      closed: fc.boolean(),
      brackets: fc.constantFrom('[]', '{}'),
    })
    .map(({ depth, closed, brackets }) => {
      const open = brackets === '[]' ? '[' : '{"a":';
      return Buffer.from(open.repeat(depth) + (closed ? `1${brackets.at(-1)!.repeat(depth)}` : ''));
    }),
);

function content(file: FileName): fc.Arbitrary<FileContent> {
  const whole = WHOLE[file];
  const valid = whole.map(textOf);
  const other = fc.oneof(...(['config', 'catalog', 'state'] as const).map((name) => WHOLE[name].map(textOf)));
  return fc.oneof(
    { weight: 8, arbitrary: whole.chain(mutateJson) },
    { weight: 4, arbitrary: valid.chain(mutateBytes) },
    { weight: 1, arbitrary: other },
    { weight: 2, arbitrary: JUNK },
    { weight: 1, arbitrary: fc.constantFrom('folder' as const, undefined) },
  );
}

/** Mostly one file is spoilt, because the first that is wrong is all that a run looks at. */
const files = fc
  .tuple(
    fc.constantFrom<readonly FileName[]>(
      ['config'],
      ['catalog'],
      ['state'],
      ['state'],
      ['config', 'catalog', 'state'],
      [],
    ),
    fc.record({ config: content('config'), catalog: content('catalog'), state: content('state') }),
    fc.record({ config: WHOLE.config, catalog: WHOLE.catalog, state: WHOLE.state }),
  )
  .map(([spoilt, broken, whole]) => {
    const choose = (file: FileName): FileContent =>
      spoilt.includes(file) ? broken[file] : textOf(whole[file]);
    return { config: choose('config'), catalog: choose('catalog'), state: choose('state') };
  });

const CORRECT: readonly (readonly string[])[] = [
  ['read', '--config', '{config}', '--catalog', '{catalog}', '--state', '{state}'],
  ['read', '--config={config}', '--catalog={catalog}', '--state={state}', '--debug'],
  ['read', '--config', '{config}', '--catalog', '{catalog}'],
  ['check', '--config', '{config}'],
  ['discover', '--config', '{config}'],
  ['spec'],
];

const TOKENS = [
  ...[
    'spec',
    'check',
    'discover',
    'read',
    'write',
    'SPEC',
    '',
    ' ',
    '-',
    '--',
    '---',
    '=',
    '--=',
    '-h',
    '-x',
    '-hx',
  ],
  ...[
    '--help',
    '--debug',
    '--debug=yes',
    '--no-debug',
    '--config',
    '--catalog',
    '--state',
    '--config=',
    '--state=',
  ],
  ...[
    '--config={state}',
    '--state={config}',
    '--catalog={config}',
    '--manifest-path',
    '--verbose',
    '--__proto__',
  ],
  ...[
    '--config={config}',
    '{config}',
    '{catalog}',
    '{state}',
    '/',
    '.',
    '/dev/null',
    '/proc/self/mem',
    '\u2028',
    '\uFEFF',
  ],
  ...[
    'toString',
    '__proto__',
    '--constructor=1',
    '{"type":"RECORD"}',
    'a\nb',
    '"',
    '%s%s%n',
    'x'.repeat(5000),
  ],
];

/** Texts that can be arguments of a process: no NUL, and no half of a surrogate pair, which has no bytes. */
const anyText = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .map((text) => text.replaceAll('\0', '').replaceAll('{', '('));

const garbledArgs = fc
  .tuple(
    fc.constantFrom(...CORRECT),
    fc.array(
      fc.record({
        how: fc.constantFrom('insert', 'insert', 'delete', 'repeat', 'replace', 'swap'),
        at: fc.nat(8),
        token: fc.oneof(
          { weight: 4, arbitrary: fc.constantFrom(...TOKENS) },
          { weight: 1, arbitrary: anyText },
        ),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([start, changes]) => {
    const args = [...start];
    for (const { how, at, token } of changes) {
      const index = at % (args.length + 1);
      if (how === 'insert') args.splice(index, 0, token);
      else if (how === 'delete') args.splice(index, 1);
      else if (how === 'repeat') args.splice(index, 0, ...args.slice(index, index + 2));
      else if (how === 'replace') args.splice(index, 1, token);
      else args.push(...args.splice(0, index));
    }
    return args;
  });

const correctArgs = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...CORRECT.slice(0, 3)) },
  { weight: 2, arbitrary: fc.constantFrom(...CORRECT.slice(3)) },
);

const input: fc.Arbitrary<FuzzInput> = fc.record({
  args: fc.oneof({ weight: 3, arbitrary: correctArgs }, { weight: 1, arbitrary: garbledArgs }),
  files,
});

/** The same inputs for the same seed. */
export function fuzzInputs(count: number, seed: number): FuzzInput[] {
  return fc.sample(input, { numRuns: count, seed });
}
