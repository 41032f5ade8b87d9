import * as fc from 'fast-check';
import { TIMESTAMP_FIELDS } from '../../../src/bytes/record-form';
import { rewriteTimestamp } from '../../../src/bytes/timestamp';
import {
  createSplicer,
  eventsOf,
  HEAD,
  type Spliced,
  spliceMember,
  TAIL,
  tailWithChanges,
  WAYS,
} from '../../unit/bytes/splice-all';
import { DROPPED, similarEvents, writeEvent } from './event-documents';

const HARDER = process.env['TEST_HARDER'] === '1' ? 100 : 1;
const TIMEOUT_MS = 120_000 * HARDER;

const settings = { dropFields: DROPPED, onMalformedLine: 'skip' } as const;

/** Lengths of chunks: all of one byte, all of one size, or anything. */
const chunkSizes = fc.oneof(
  fc.constant([1]),
  fc.constant([1_000_000]),
  fc.integer({ min: 2, max: 64 }).map((bytes) => [bytes]),
  fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 }),
);

const lineEnd = fc.constantFrom('\n', '\n', '\n', '\r\n', ' \n', '\n\n', '\n \r\n', '\t\n');

/** What the splicer says of a member, in a form that shows differences well. */
const describeResult = (spliced: Spliced): object => ({
  text: spliced.bytes.toString('latin1').split('\n'),
  count: spliced.count,
  malformed: spliced.malformed,
  malformedCount: spliced.malformedCount,
});

describe.each(WAYS)('EventSplicer, the %s way', (way) => {
  it(
    'makes of any events, in any chunks, what they were built to become',
    () => {
      const member = fc.record({
        events: similarEvents,
        ends: fc.array(lineEnd, { minLength: 1, maxLength: 5 }),
        mark: fc.constantFrom('', '', '\ufeff'),
        isLastEnded: fc.boolean(),
        sizes: chunkSizes,
      });
      fc.assert(
        fc.property(member, ({ events, ends, mark, isLastEnded, sizes }) => {
          const lines = events.map(writeEvent);
          const raw = lines.map((line, index) => {
            const isLast = index === lines.length - 1;
            return line.raw + (isLast && !isLastEnded ? '' : ends[index % ends.length]!);
          });
          for (const { raw: event } of lines) JSON.parse(event);
          const sound = lines.filter(({ isEmpty }) => !isEmpty);
          const expected = sound.map(({ expected: event, nulled }) => {
            const changes = nulled.map((name) => ({
              field: name,
              change: 'NULLED' as const,
              reason: 'SOURCE_SERIALIZATION_ERROR' as const,
            }));
            return HEAD + event + (changes.length > 0 ? tailWithChanges(changes).toString() : TAIL);
          });
          const spliced = spliceMember(createSplicer(way, settings), mark + raw.join(''), sizes);
          expect(spliced.bytes.toString().split('\n')).toEqual(expected.join('').split('\n'));
          expect(spliced.count).toBe(sound.length);
          expect(spliced.malformedCount).toBe(lines.length - sound.length);
        }),
        { numRuns: 150 * HARDER },
      );
    },
    TIMEOUT_MS,
  );
});

/** Bytes that change what a line means. */
const spoilers = fc.oneof(
  fc
    .constantFrom(...Array.from('{}[]:,"\\0123456789-+.eEtrufalsn \t\r\n\0\x1f/bu'))
    .map((text) => Buffer.from(text)),
  fc
    .constantFrom(
      '80',
      'c2',
      'e2',
      'e280',
      'e280a8',
      'c285',
      'ed',
      'eda080',
      'f4',
      'f0908080',
      'ff',
      'efbbbf',
    )
    .map((hex) => Buffer.from(hex, 'hex')),
  fc.uint8Array({ minLength: 1, maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
);
const damage = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  removed: fc.constantFrom(0, 1, 1, 1, 2, 7, 40),
  added: fc.oneof({ weight: 3, arbitrary: spoilers }, { weight: 1, arbitrary: fc.constant(Buffer.alloc(0)) }),
});

describe('EventSplicer, both ways', () => {
  it(
    'accept of damaged lines exactly those that are events to JSON.parse, and agree about the bytes',
    () => {
      const member = fc.record({
        events: similarEvents,
        damages: fc.array(damage, { minLength: 1, maxLength: 6 }),
        sizes: chunkSizes,
      });
      fc.assert(
        fc.property(member, ({ events, damages, sizes }) => {
          let bytes = Buffer.from(events.map((fields) => writeEvent(fields).raw).join('\n'));
          for (const { at, removed, added } of damages) {
            const offset = Math.floor(at * bytes.length);
            bytes = Buffer.concat([bytes.subarray(0, offset), added, bytes.subarray(offset + removed)]);
          }
          expectAsJsonParse(bytes, sizes);
        }),
        { numRuns: 400 * HARDER },
      );
    },
    TIMEOUT_MS,
  );

  it(
    'accept of random tokens exactly what JSON.parse accepts',
    () => {
      const token = fc.constantFrom(
        ...[
          '{',
          '}',
          '[',
          ']',
          ':',
          ',',
          '{"a":',
          '"b":1',
          '"event_time":',
          '"x":',
          '""',
          '"é"',
          '"2023-01-01 00:00:00"',
        ],
        ...[
          '0',
          '-',
          '1',
          '.5',
          'e3',
          '12345678901234567',
          'null',
          'true',
          'fals',
          '\\',
          '"',
          ' ',
          '\r',
          '\u2028',
          '\n',
        ],
      );
      // Most lines start and end like events; random ones are nearly all refused at the first byte.
      const line = fc
        .tuple(
          fc.constantFrom('', '{', '{"a":', '{"a":[', '{"a":{"b":'),
          fc.array(token, { maxLength: 12 }),
          fc.constantFrom('', '}', ']}', '}}'),
        )
        .map(([start, tokens, end]) => start + tokens.join('') + end);
      fc.assert(
        fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), chunkSizes, (lines, sizes) => {
          expectAsJsonParse(Buffer.from(lines.join('\n')), sizes);
        }),
        { numRuns: 400 * HARDER },
      );
    },
    TIMEOUT_MS,
  );
});

/** Compares both ways with each other byte for byte, and with JSON.parse value for value. */
function expectAsJsonParse(member: Buffer, sizes: readonly number[]): void {
  const [fast, plain] = WAYS.map((way) => spliceMember(createSplicer(way, settings), member, sizes)) as [
    Spliced,
    Spliced,
  ];
  expect(describeResult(fast)).toEqual(describeResult(plain));

  const events: string[] = [];
  const malformed: { line: number; offset: number }[] = [];
  const isMarked = member.subarray(0, 3).toString('hex') === 'efbbbf';
  let offset = isMarked ? 3 : 0;
  for (const [index, line] of splitLines(member.subarray(offset)).entries()) {
    const event = parseEvent(line);
    if (event === 'malformed') malformed.push({ line: index + 1, offset });
    else if (event !== 'blank') events.push(JSON.stringify(event));
    offset += line.length + 1;
  }
  expect(fast.malformedCount).toBe(malformed.length);
  if (malformed.length > 0) expect(fast.malformed).toMatchObject(malformed[0]!);
  const written = fast.bytes.toString().split('\n').slice(0, -1);
  expect(
    written.map((line) => JSON.stringify((JSON.parse(line) as { record: { data: object } }).record.data)),
  ).toEqual(events);
  expect(fast.bytes.toString()).not.toMatch(/[\r\u0085\u2028\u2029]/);
  if (events.length === written.length && malformed.length === 0)
    expect(eventsOf(fast)).toHaveLength(events.length);
}

function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return [...lines, bytes.subarray(start)];
}

/** What the splicer has to make of a line, by JSON.parse. */
function parseEvent(line: Buffer): Record<string, unknown> | 'blank' | 'malformed' {
  if (/^[ \t\r]*$/.test(line.toString('latin1'))) return 'blank';
  let event: unknown;
  try {
    event = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line));
  } catch {
    return 'malformed';
  }
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return 'malformed';
  const fields = Object.entries(event).filter(([name]) => !DROPPED.has(name));
  if (fields.length === 0) return 'malformed';
  return Object.fromEntries(
    fields.map(([name, value]: [string, unknown]) => {
      if (!TIMESTAMP_FIELDS.has(name)) return [name, value];
      return [name, typeof value === 'string' ? (rewriteTimestamp(value) ?? null) : null];
    }),
  );
}
