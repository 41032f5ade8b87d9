import fc from 'fast-check';

/** A key that ends with this is written without it, so that an object can hold a key twice. */
const TWICE = '@twice';
/** A text that begins with this stands in the file without quotation marks. */
const RAW = '@raw:';

type Json = Record<string, unknown> | unknown[];

function nested(depth: number, brackets: 'list' | 'object'): string {
  const [open, close] = brackets === 'list' ? ['[', ']'] : ['{"a":', '}'];
  return RAW + open.repeat(depth) + '1' + close.repeat(depth);
}

const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  0.5,
  24,
  Number.MAX_SAFE_INTEGER,
  -1.7976931348623157e308,
  '',
  ' ',
  '\t\n',
  [],
  {},
  [[]],
  [null],
  ['events'],
  { '': '' },
  { stream: null },
  { type: 'STREAM' },
  { type: 'GLOBAL', global: { stream_states: [null] } },
  { date: '2024-03-01' },
  { server_upload_time: '20240301T05' },
  { __ab_no_cursor_state_message: true },
  { slices: [{ start: 1 }, null, 'x'] },
  'events',
  'annotations',
  'toString',
  '__proto__',
  'constructor',
  'incremental',
  'STREAM',
  'STATE',
  '\0',
  'a\0b',
  '\uFEFF',
  '\u2028\u0085',
  '\u202e\u200b',
  '🔑'.repeat(3),
  'x'.repeat(70_000),
  '1970-01-01',
  '0000-00-00',
  '9999-12-31T23:59:59Z',
  '2024-02-30',
  '20240301T24',
  '99991231T23',
  'P1Y',
  'P99999999999D',
  'P-1D',
  'Etc/GMT+12',
  '../../etc/passwd',
  'http://127.0.0.1:1',
  'http://[::1]:80/x?y#z',
  'https://amplitude.com',
  'http://0x7f000001/',
  'http://169.254.169.254/latest',
  'file:///etc/passwd',
  'https://user:password@localhost',
  'http://\ud800',
  'javascript:alert(1)',
  '${HOME}',
  '%s%n',
  // Half of a surrogate pair, as an escape in the file.
  `${RAW}"\\ud800"`,
  `${RAW}"\\udc00\\ud800"`,
  `${RAW}"\\u0000"`,
  `${RAW}1e400`,
  `${RAW}-1e400`,
  `${RAW}-0`,
  `${RAW}1E-400`,
  `${RAW}9007199254740993`,
  RAW + '9'.repeat(5_000),
  nested(50, 'object'),
  nested(7_000, 'list'),
  nested(20_000, 'object'),
];

const value = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...VALUES) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
  { weight: 1, arbitrary: fc.double() },
);

const KEYS = [
  'type',
  'stream',
  'streams',
  'state',
  'data',
  'global',
  'name',
  'namespace',
  'api_key',
  'start_date',
  'slices',
];
const key = fc.oneof(
  fc.constantFrom(...KEYS, '', '__proto__', 'constructor', '_airbyte', 'toString', 'legacy', '\0', 'API_KEY'),
  fc.string({ maxLength: 10 }),
);

interface Change {
  readonly how: string;
  /** Which of the places of the document, and which other one. */
  readonly at: number;
  readonly other: number;
  readonly value: unknown;
  readonly key: string;
}

const change: fc.Arbitrary<Change> = fc.record({
  how: fc.constantFrom(
    'replace',
    'replace',
    'replace',
    'delete',
    'insert',
    'rename',
    'twice',
    'swap',
    'wrap',
  ),
  at: fc.nat(),
  other: fc.nat(),
  value,
  key,
});

interface Place {
  readonly parent: Json;
  readonly key: string;
}

function placesOf(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const parent = value as Json;
  return Object.keys(parent).flatMap((name) => [
    { parent, key: name },
    ...placesOf((parent as Record<string, unknown>)[name]),
  ]);
}

function get({ parent, key: name }: Place): unknown {
  return (parent as Record<string, unknown>)[name];
}

function set({ parent, key: name }: Place, to: unknown): void {
  // Not by assignment: `__proto__` is to be a key like any other.
  Object.defineProperty(parent, name, { value: to, enumerable: true, configurable: true, writable: true });
}

function apply(document: unknown, { how, at, other, value: given, key: name }: Change): unknown {
  const to = structuredClone(given);
  const places = placesOf(document);
  const place = places[at % places.length];
  if (place === undefined || at % 40 === 0) return how === 'wrap' ? [document] : to;
  const { parent } = place;
  if (how === 'replace') set(place, to);
  else if (how === 'wrap') set(place, at % 2 === 0 ? [get(place)] : { [name]: get(place) });
  else if (how === 'delete') delete (parent as Record<string, unknown>)[place.key];
  else if (how === 'swap') {
    const second = places[other % places.length]!;
    const [one, two] = [get(place), get(second)];
    // Only plain values: an object could become part of itself.
    if (typeof two !== 'object') set(place, two);
    if (typeof one !== 'object') set(second, one);
  } else if (Array.isArray(parent)) parent.splice(at % (parent.length + 1), 0, to);
  else if (how === 'insert') set({ parent, key: name }, to);
  else if (how === 'twice') set({ parent, key: place.key + TWICE }, to);
  else {
    set({ parent, key: name }, get(place));
    delete parent[place.key];
  }
  return document;
}

function write(document: unknown): Buffer {
  const text = JSON.stringify(document) ?? 'undefined';
  const plain = text
    .replaceAll(`${TWICE}"`, '"')
    .replace(
      new RegExp(`"${RAW}((?:[^"\\\\]|\\\\.)*)"`, 'g'),
      (_all, raw: string) => JSON.parse(`"${raw}"`) as string,
    );
  return Buffer.from(plain);
}

/** Wrong values, missing, added, renamed, repeated and moved keys, anywhere in a document. */
export function mutateJson(document: unknown): fc.Arbitrary<Buffer> {
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) =>
      write(changes.reduce<unknown>((now, each) => apply(now, each), structuredClone(document))),
    );
}

const NASTY = [
  '\0',
  '\uFEFF',
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\n',
  '\u2028',
  '1e999',
  'null',
  '\\ud800',
];
const splice = fc.record({
  at: fc.nat(),
  remove: fc.nat(12),
  insert: fc.oneof(
    fc.constant(Buffer.alloc(0)),
    fc.constantFrom(...NASTY).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  ),
});

/** Bytes removed, inserted and replaced; the file cut, doubled, or in another encoding. */
export function mutateBytes(bytes: Buffer): fc.Arbitrary<Buffer> {
  const spliced = fc.array(splice, { minLength: 1, maxLength: 4 }).map((splices) =>
    splices.reduce((now, { at, remove, insert }) => {
      const index = at % (now.length + 1);
      return Buffer.concat([now.subarray(0, index), insert, now.subarray(index + remove)]);
    }, bytes),
  );
  return fc.oneof(
    { weight: 5, arbitrary: spliced },
    { weight: 2, arbitrary: fc.nat(bytes.length).map((length) => bytes.subarray(0, length)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        Buffer.concat([Buffer.from('\uFEFF'), bytes]),
        Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(bytes.toString('utf8'), 'utf16le')]),
        Buffer.concat([bytes, bytes]),
        Buffer.concat([bytes, Buffer.from('\n'), bytes]),
        Buffer.concat([bytes, Buffer.alloc(4096)]),
        Buffer.from(bytes.toString('utf8').replaceAll(',', ',\r\n')),
        Buffer.from(bytes.toString('utf8').replaceAll('"', "'")),
      ),
    },
  );
}
