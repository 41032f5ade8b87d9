import * as fc from 'fast-check';
import { TIMESTAMP_FIELDS } from '../../../src/bytes/record-form';

/** JSON text, and what the splicer has to make of it. Both are built side by side, so that no parser is trusted. */
export interface Rewritten {
  readonly raw: string;
  readonly expected: string;
}

export interface Field {
  /** The key as JSON string. */
  readonly key: Rewritten;
  readonly name: string;
  readonly value: Rewritten;
  /** Whether the value is a timestamp that had to become null. */
  readonly isNulled: boolean;
  /** White space before the key, before and after the colon, and after the value. */
  readonly spaces: readonly [Rewritten, Rewritten, Rewritten, Rewritten];
}

/** Fields that the tests leave out of every event. */
export const DROPPED: ReadonlySet<string> = new Set(['dropped', 'city', 'x', 'é\u2028', '$insert_id']);

const same = (raw: string): Rewritten => ({ raw, expected: raw });

const join = (parts: readonly Rewritten[], separator = ''): Rewritten => ({
  raw: parts.map(({ raw }) => raw).join(separator),
  expected: parts.map(({ expected }) => expected).join(separator),
});

const SEPARATORS = [
  { raw: '\u0085', expected: '\\u0085' },
  { raw: '\u2028', expected: '\\u2028' },
  { raw: '\u2029', expected: '\\u2029' },
];

const ESCAPES = [
  '\\"',
  '\\\\',
  '\\/',
  '\\b',
  '\\f',
  '\\n',
  '\\r',
  '\\t',
  '\\u0000',
  '\\u2028',
  '\\ud800',
  '\\uDFFF',
];
const PLAIN = [
  'a',
  'bc',
  ' ',
  '0',
  '}',
  ']',
  '{',
  '[',
  ':',
  ',',
  "'",
  '\x7f',
  '/',
  'é',
  'ß',
  '日本',
  '😀',
  '\ud83d\ude00',
];
const LONG = [
  'x'.repeat(15),
  'x'.repeat(16),
  'y'.repeat(17),
  'é'.repeat(33),
  'z'.repeat(100),
  '語'.repeat(20),
];

/** The inside of a string. */
const stringPart: fc.Arbitrary<Rewritten> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...PLAIN).map(same) },
  { weight: 2, arbitrary: fc.constantFrom(...ESCAPES).map(same) },
  { weight: 1, arbitrary: fc.constantFrom(...LONG).map(same) },
  { weight: 1, arbitrary: fc.constantFrom(...SEPARATORS) },
  {
    weight: 2,
    arbitrary: fc
      .integer({ min: 0x20, max: 0x10ffff })
      .filter(
        (code) => ![0x22, 0x5c, 0x85, 0x2028, 0x2029].includes(code) && (code < 0xd800 || code > 0xdfff),
      )
      .map((code) => same(String.fromCodePoint(code))),
  },
);

const text: fc.Arbitrary<Rewritten> = fc
  .array(stringPart, { maxLength: 8 })
  .map((parts) => join([same('"'), ...parts, same('"')]));

const number = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '0.0',
    '9007199254740993',
    '-12345678901234567890',
    '1e400',
    '1E-7',
    '0.1e+05',
    '-1',
  ),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
);

const spaces: fc.Arbitrary<Rewritten> = fc.oneof(
  { weight: 12, arbitrary: fc.constant(same('')) },
  { weight: 2, arbitrary: fc.constantFrom(' ', '\t', '  ', ' '.repeat(20)).map(same) },
  // A raw CR goes, wherever it stands between tokens.
  { weight: 1, arbitrary: fc.constantFrom({ raw: '\r', expected: '' }, { raw: ' \r\t', expected: ' \t' }) },
);

const scalar: fc.Arbitrary<Rewritten> = fc.oneof(
  text,
  number.map(same),
  fc.constantFrom('null', 'true', 'false', '""', '{}', '[]').map(same),
);

/** Names that occur in events, are close to those that matter, or are spelt in an unusual way. */
const nestedName = fc
  .constantFrom(...TIMESTAMP_FIELDS, ...DROPPED, 'a', '', 'event_tim', 'user')
  .map((name) => {
    const raw = JSON.stringify(name).replace('\u2028', '\\u2028');
    return same(raw);
  });

const value: fc.Arbitrary<Rewritten> = fc.letrec<{ value: Rewritten }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: scalar },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.tuple(spaces, tie('value'), spaces).map(join3), { maxLength: 4 })
        .map((items) => join([same('['), join(items, ','), same(']')])),
    },
    {
      weight: 1,
      arbitrary: fc
        .array(
          fc
            .tuple(spaces, fc.oneof(text, nestedName), spaces, spaces, tie('value'), spaces)
            .map(([before, key, a, b, inner, after]) => join([before, key, a, same(':'), b, inner, after])),
          { maxLength: 4 },
        )
        .map((items) => join([same('{'), join(items, ','), same('}')])),
    },
  ),
})).value;

function join3(parts: readonly [Rewritten, Rewritten, Rewritten]): Rewritten {
  return join(parts);
}

/** Timestamps with what becomes of them. */
const TIMESTAMPS: readonly (Rewritten & { isNulled?: true })[] = [
  { raw: '"2023-08-25 11:05:08.013000"', expected: '"2023-08-25T11:05:08.013000+00:00"' },
  { raw: '"2024-02-29 00:00:00.000000"', expected: '"2024-02-29T00:00:00+00:00"' },
  { raw: '"2023-12-31 23:59:59"', expected: '"2023-12-31T23:59:59+00:00"' },
  { raw: '"2023-12-31T23:59:59.5Z"', expected: '"2023-12-31T23:59:59.500000+00:00"' },
  { raw: '"2023-12-31 23:59:59.123456789-00:30"', expected: '"2024-01-01T00:29:59.123456+00:00"' },
  { raw: '"2023-08-25\\u002011:05:08"', expected: '"2023-08-25T11:05:08+00:00"' },
  { raw: 'null', expected: 'null' },
  { raw: '""', expected: 'null' },
  { raw: '"2023-02-29 00:00:00.000000"', expected: 'null', isNulled: true },
  { raw: '"2023-08-25 11:05:60.013000"', expected: 'null', isNulled: true },
  { raw: '"soon"', expected: 'null', isNulled: true },
  { raw: '"2023-08-25 11:05:08.013000\u2028"', expected: 'null', isNulled: true },
  { raw: '1692961508013', expected: 'null', isNulled: true },
  { raw: '{"event_time":"2023-08-25 11:05:08"}', expected: 'null', isNulled: true },
];

const fieldSpaces = fc.tuple(spaces, spaces, spaces, spaces);

/** Any way to spell a name as JSON string. */
const spell = (name: string): fc.Arbitrary<Rewritten> => {
  const plain = join(
    Array.from(name, (character) => SEPARATORS.find(({ raw }) => raw === character) ?? same(character)),
  );
  const escaped = Array.from(
    name,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant(join([same('"'), plain, same('"')])) },
    {
      weight: 1,
      arbitrary: fc
        .nat({ max: Math.max(0, name.length - 1) })
        .map((at) => same(`"${name.slice(0, at)}${escaped.slice(at).join('')}"`))
        .filter(({ raw }) => !SEPARATORS.some((separator) => raw.includes(separator.raw))),
    },
  );
};

const timestampField: fc.Arbitrary<Field> = fc
  .constantFrom(...TIMESTAMP_FIELDS)
  .chain((name) => fc.tuple(fc.constant(name), spell(name), fc.constantFrom(...TIMESTAMPS), fieldSpaces))
  .map(([name, key, timestamp, around]) => ({
    name,
    key,
    value: timestamp,
    isNulled: timestamp.isNulled ?? false,
    spaces: around,
  }));

const NAMES = [
  ...DROPPED,
  'a',
  'A',
  '',
  'uuid',
  'event_type',
  'event_properties',
  'Event_Time',
  'a key of 33 bytes, a long key, ok',
];

const plainField: fc.Arbitrary<Field> = fc
  .constantFrom(...NAMES)
  .chain((name) => fc.tuple(fc.constant(name), spell(name), value, fieldSpaces))
  .map(([name, key, inner, around]) => ({ name, key, value: inner, isNulled: false, spaces: around }));

const field = fc.oneof({ weight: 2, arbitrary: plainField }, { weight: 1, arbitrary: timestampField });

/** The fields of the lines of one member: variations of a first line, as the events of a project are. */
export const similarEvents: fc.Arbitrary<readonly (readonly Field[])[]> = fc
  .array(field, { minLength: 1, maxLength: 12 })
  .chain((base) => {
    const variation = fc
      .array(fc.tuple(fc.constantFrom('same', 'same', 'same', 'same', 'value', 'less', 'more'), field), {
        minLength: base.length,
        maxLength: base.length,
      })
      .map((changes) =>
        base.flatMap((original, index): Field[] => {
          const [change, other] = changes[index]!;
          if (change === 'less') return [];
          if (change === 'more') return [other, original];
          // A value of another field may not fit the name, so only plain fields take one.
          const isPlain = !TIMESTAMP_FIELDS.has(original.name) && !TIMESTAMP_FIELDS.has(other.name);
          return change === 'value' && isPlain ? [{ ...original, value: other.value }] : [original];
        }),
      );
    return fc.array(variation, { minLength: 1, maxLength: 12 }).map((lines) => [base, ...lines]);
  });

export interface ExpectedEvent extends Rewritten {
  /** The fields that had to become null. */
  readonly nulled: readonly string[];
  readonly isEmpty: boolean;
}

export function writeEvent(fields: readonly Field[]): ExpectedEvent {
  const write = ({ key, value: inner, spaces: [a, b, c, d] }: Field): Rewritten =>
    join([a, key, b, same(':'), c, inner, d]);
  const kept = fields.filter(({ name }) => !DROPPED.has(name));
  return {
    raw: `{${fields.map((one) => write(one).raw).join(',')}}`,
    expected: `{${kept.map((one) => write(one).expected).join(',')}}`,
    nulled: kept.filter(({ isNulled }) => isNulled).map(({ name }) => name),
    isEmpty: kept.length === 0,
  };
}
