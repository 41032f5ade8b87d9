import * as fc from 'fast-check';
import { TIMESTAMP_FIELDS } from '../../../src/bytes/record-form';

/** JSON text, and what the splicer has to make of it. Both are built side by side, so that no parser is trusted. */
export interface Rewritten {
  readonly raw: string;
  readonly expected: string;
}

export interface Field {
  readonly name: string;
  /** The name as JSON string. */
  readonly key: Rewritten;
  readonly value: Rewritten;
  /** Whether the value is a timestamp that had to become null. */
  readonly isNulled: boolean;
  /** White space before the key, before and after the colon, and after the value. */
  readonly spaces: readonly [Rewritten, Rewritten, Rewritten, Rewritten];
}

/**
 * `ordinary` is what exports hold, and all that the fast way takes but for white space, which `spaced` has. `odd` has
 * everything else: raw CR, U+2028 and its like, escapes in keys, bad timestamps.
 */
type Style = 'ordinary' | 'spaced' | 'odd';

/** Fields that the tests leave out of every event. */
export const DROPPED: ReadonlySet<string> = new Set(['dropped', 'city', 'x', 'é\u2028', '$insert_id']);

const words = (text: string): string[] => text.trim().split(/\s+/);

const same = (raw: string): Rewritten => ({ raw, expected: raw });

const join = (parts: readonly Rewritten[], separator = ''): Rewritten => ({
  raw: parts.map(({ raw }) => raw).join(separator),
  expected: parts.map(({ expected }) => expected).join(separator),
});

const SEPARATORS: readonly Rewritten[] = [
  { raw: '\u0085', expected: '\\u0085' },
  { raw: '\u2028', expected: '\\u2028' },
  { raw: '\u2029', expected: '\\u2029' },
];

const STRING_PARTS = [
  ...words(String.raw`\" \\ \/ \b \f \n \r \t \u0000 \u2028 \ud800 \uDFFF`),
  ...words(
    `a bc 0 } ] { [ : , ' / é ß 日本 😀 ${'x'.repeat(15)} ${'x'.repeat(16)} ${'y'.repeat(17)} ${'z'.repeat(100)}`,
  ),
  ...[' ', '\x7f', 'é'.repeat(33), '語'.repeat(20), '\u0084', '\u2027'],
];

const anyCharacter = fc
  .integer({ min: 0x20, max: 0x10ffff })
  .map((code) => String.fromCodePoint(code))
  .filter((character) => !/["\\\u0085\u2028\u2029\ud800-\udfff]/u.test(character));

const number = fc.oneof(
  fc.constantFrom(...words('0 -0 0.0 9007199254740993 -12345678901234567890 1e400 1E-7 0.1e+05 -1')),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
);

function spacesOf(style: Style): fc.Arbitrary<Rewritten> {
  const none = fc.constant(same(''));
  if (style === 'ordinary') return none;
  const blanks = fc.constantFrom(' ', '\t', '  ', ' '.repeat(20)).map(same);
  const returns = fc.constantFrom({ raw: '\r', expected: '' }, { raw: ' \r\t', expected: ' \t' });
  return fc.oneof(
    { weight: 12, arbitrary: none },
    { weight: 2, arbitrary: blanks },
    { weight: style === 'odd' ? 1 : 0, arbitrary: returns },
  );
}

function stringOf(style: Style): fc.Arbitrary<Rewritten> {
  const part = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...STRING_PARTS).map(same) },
    { weight: 2, arbitrary: anyCharacter.map(same) },
    { weight: style === 'odd' ? 1 : 0, arbitrary: fc.constantFrom(...SEPARATORS) },
  );
  return fc.array(part, { maxLength: 8 }).map((parts) => join([same('"'), ...parts, same('"')]));
}

function valueOf(style: Style): fc.Arbitrary<Rewritten> {
  const spaces = spacesOf(style);
  const text = stringOf(style);
  const nestedNames = [...TIMESTAMP_FIELDS, ...DROPPED, 'a', '', 'event_tim'].map((name) =>
    same(spellPlainly(name)),
  );
  const scalar = fc.oneof(
    text,
    number.map(same),
    fc.constantFrom(...words('null true false "" {} []')).map(same),
  );
  return fc.letrec<{ value: Rewritten }>((tie) => {
    const item = fc.tuple(spaces, tie('value'), spaces).map((parts) => join(parts));
    const member = fc
      .tuple(spaces, fc.oneof(text, fc.constantFrom(...nestedNames)), spaces, fc.constant(same(':')), item)
      .map((parts) => join(parts));
    const list = (inner: fc.Arbitrary<Rewritten>, open: string, close: string): fc.Arbitrary<Rewritten> =>
      fc.array(inner, { maxLength: 4 }).map((items) => join([same(open), join(items, ','), same(close)]));
    return {
      value: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        { weight: 4, arbitrary: scalar },
        { weight: 1, arbitrary: list(item, '[', ']') },
        { weight: 2, arbitrary: list(member, '{', '}') },
      ),
    };
  }).value;
}

/** With U+2028 and its like as escapes. */
function spellPlainly(name: string): string {
  return `"${name.replaceAll('\u2028', '\\u2028')}"`;
}

/** Any way to write a name: as it is, or with escapes from some character on. */
function keyOf(name: string, style: Style): fc.Arbitrary<Rewritten> {
  if (style !== 'odd') return fc.constant(same(spellPlainly(name)));
  const characters = Array.from(name);
  const plain = join(characters.map((one) => SEPARATORS.find(({ raw }) => raw === one) ?? same(one)));
  const escaped = characters.map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const partlyEscaped = fc
    .nat({ max: Math.max(0, characters.length - 1) })
    .filter((at) => !name.slice(0, at).includes('\u2028'))
    .map((at) => same(`"${name.slice(0, at)}${escaped.slice(at).join('')}"`));
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant(join([same('"'), plain, same('"')])) },
    { weight: 1, arbitrary: partlyEscaped },
  );
}

const ORDINARY_TIMESTAMPS: readonly Rewritten[] = [
  { raw: '"2023-08-25 11:05:08.013000"', expected: '"2023-08-25T11:05:08.013000+00:00"' },
  { raw: '"2023-08-25 11:05:08.900000"', expected: '"2023-08-25T11:05:08.900000+00:00"' },
  { raw: '"2024-02-29 00:00:00.000000"', expected: '"2024-02-29T00:00:00+00:00"' },
  { raw: '"2023-12-31 23:59:59"', expected: '"2023-12-31T23:59:59+00:00"' },
  { raw: '"2023-12-31T23:59:59.5Z"', expected: '"2023-12-31T23:59:59.500000+00:00"' },
  { raw: 'null', expected: 'null' },
  { raw: '""', expected: 'null' },
];
const ODD_TIMESTAMPS: readonly (Rewritten & { readonly isGood?: true })[] = [
  {
    raw: '"2023-12-31 23:59:59.123456789-00:30"',
    expected: '"2024-01-01T00:29:59.123456+00:00"',
    isGood: true,
  },
  { raw: '"2023-08-25\\u002011:05:08"', expected: '"2023-08-25T11:05:08+00:00"', isGood: true },
  { raw: '"2023-02-29 00:00:00.000000"', expected: 'null' },
  { raw: '"2023-08-25 11:05:60.013000"', expected: 'null' },
  { raw: '"soon"', expected: 'null' },
  { raw: '"2023-08-25 11:05:08.013000\u2028"', expected: 'null' },
  { raw: '1692961508013', expected: 'null' },
  { raw: '{"event_time":"2023-08-25 11:05:08"}', expected: 'null' },
];

const NAMES = [
  ...DROPPED,
  ...words('a A uuid event_type event_properties Event_Time a_key_of_33_bytes_which_is_longer'),
];

function fieldOf(style: Style): fc.Arbitrary<Field> {
  const spaces = fc.tuple(spacesOf(style), spacesOf(style), spacesOf(style), spacesOf(style));
  const names = style === 'odd' ? [...NAMES, ''] : NAMES.filter((name) => !name.includes('\u2028'));
  const timestamps = [
    ...ORDINARY_TIMESTAMPS.map((value) => ({ value, isNulled: false })),
    ...(style === 'odd' ? ODD_TIMESTAMPS.map((value) => ({ value, isNulled: value.isGood !== true })) : []),
  ];
  const content = (name: string): fc.Arbitrary<Pick<Field, 'value' | 'isNulled'>> =>
    TIMESTAMP_FIELDS.has(name)
      ? fc.constantFrom(...timestamps)
      : valueOf(style).map((value) => ({ value, isNulled: false }));
  return fc
    .oneof({ weight: 2, arbitrary: fc.constantFrom(...names) }, fc.constantFrom(...TIMESTAMP_FIELDS))
    .chain((name) => fc.tuple(fc.constant(name), keyOf(name, style), content(name), spaces))
    .map(([name, key, { value, isNulled }, around]) => ({ name, key, value, isNulled, spaces: around }));
}

/** The fields of the lines of one archive member: variations of a first line, as the events of a project are. */
export const similarEvents: fc.Arbitrary<readonly (readonly Field[])[]> = fc
  .constantFrom<Style>('ordinary', 'ordinary', 'ordinary', 'spaced', 'odd')
  .chain((style) => {
    const field = fieldOf(style);
    // From five fields on, the fast way learns from the first line.
    const fields = fc.oneof(
      fc.array(field, { minLength: 1, maxLength: 4 }),
      fc.array(field, { minLength: 5, maxLength: 12, size: 'max' }),
    );
    const change = fc.constantFrom('none', 'none', 'none', 'none', 'value', 'less', 'more');
    return fields.chain((base) => {
      const changes = fc.array(fc.tuple(change, field), { minLength: base.length, maxLength: base.length });
      const variation = changes.map((list) =>
        base.flatMap((original, index) => vary(original, ...list[index]!)),
      );
      return fc.array(variation, { minLength: 1, maxLength: 12 }).map((lines) => [base, ...lines]);
    });
  });

function vary(original: Field, change: string, other: Field): Field[] {
  if (change === 'less') return [];
  if (change === 'more') return [other, original];
  // What is right for one name is wrong for another, unless both are plain.
  const isPlain = !TIMESTAMP_FIELDS.has(original.name) && !TIMESTAMP_FIELDS.has(other.name);
  return change === 'value' && isPlain ? [{ ...original, value: other.value }] : [original];
}

export interface ExpectedEvent extends Rewritten {
  /** The fields that had to become null. */
  readonly nulled: readonly string[];
  readonly isEmpty: boolean;
}

export function writeEvent(fields: readonly Field[]): ExpectedEvent {
  const write = ({ key, value, spaces: [a, b, c, d] }: Field): Rewritten =>
    join([a, key, b, same(':'), c, value, d]);
  const kept = fields.filter(({ name }) => !DROPPED.has(name));
  return {
    raw: `{${fields.map((field) => write(field).raw).join(',')}}`,
    expected: `{${kept.map((field) => write(field).expected).join(',')}}`,
    nulled: kept.filter(({ isNulled }) => isNulled).map(({ name }) => name),
    isEmpty: kept.length === 0,
  };
}
