import * as fc from 'fast-check';
import { PlainSplicer } from '../../../src/bytes/plain-splicer';
import { expectAsJsonParse } from '../../unit/bytes/json-oracle';
import { createSplicer, HEAD, spliceMember, TAIL, tailWithChanges, WAYS } from '../../unit/bytes/splice-all';
import { DROPPED, similarEvents, writeEvent } from './event-documents';

const HARDER = process.env['TEST_HARDER'] === '1' ? 100 : 1;
const TIMEOUT_MS = 120_000 * HARDER;

/** Lengths of chunks: all of one byte, all of one size, or anything. */
const chunkSizes = fc.oneof(
  fc.constant([1]),
  fc.constant([1_000_000]),
  fc.integer({ min: 2, max: 64 }).map((bytes) => [bytes]),
  fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 }),
);

const lineEnd = fc.constantFrom('\n', '\n', '\n', '\r\n', ' \n', '\n\n', '\n \r\n', '\t\n');

afterEach(() => jest.restoreAllMocks());

describe.each(WAYS)('EventSplicer, the %s way', (way) => {
  it(
    'makes of any events, in any chunks, what they were built to become',
    () => {
      let plainBytes = 0;
      let [all, fast] = [0, 0];
      const push = PlainSplicer.prototype.push;
      jest.spyOn(PlainSplicer.prototype, 'push').mockImplementation(function (
        this: PlainSplicer,
        chunk,
        head,
      ) {
        plainBytes += chunk.length;
        return push.call(this, chunk, head);
      });
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
          plainBytes = 0;
          const splicer = createSplicer(way, { dropFields: DROPPED, onMalformedLine: 'skip' });
          const spliced = spliceMember(splicer, mark + raw.join(''), sizes);
          expect(spliced.bytes.toString().split('\n')).toEqual(expected.join('').split('\n'));
          expect(spliced.count).toBe(sound.length);
          expect(spliced.malformedCount).toBe(lines.length - sound.length);
          all++;
          if (plainBytes === 0) fast++;
        }),
        { numRuns: 150 * HARDER },
      );
      // Else this would not have tested the fast way.
      expect(fast / all).toBeGreaterThanOrEqual(way === 'fast' ? 0.4 : 0);
    },
    TIMEOUT_MS,
  );
});

/** Bytes that change what a line means. */
const spoilers = fc.oneof(
  fc
    .constantFrom(...Array.from('{}[]:,"\\0123456789-+.eEtrufalsn \t\r\n\0\x1f/bu'))
    .map((character) => Buffer.from(character)),
  fc
    .constantFrom(...'80 c2 e2 e280 e280a8 c285 ed eda080 f4 f0908080 ff efbbbf'.split(' '))
    .map((hex) => Buffer.from(hex, 'hex')),
  fc.uint8Array({ minLength: 1, maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
);

interface Damage {
  readonly at: number;
  readonly place: string;
  readonly removed: number;
  readonly added: Buffer;
}

const damage: fc.Arbitrary<Damage> = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  // Most is done at or next to what structures a line; elsewhere it is mostly harmless.
  place: fc.constantFrom('anywhere', 'at structure', 'at structure', 'after structure'),
  removed: fc.constantFrom(0, 1, 1, 1, 2, 7, 40),
  added: fc.oneof({ weight: 3, arbitrary: spoilers }, { weight: 1, arbitrary: fc.constant(Buffer.alloc(0)) }),
});

function doDamage(bytes: Buffer, { at, place, removed, added }: Damage): Buffer {
  const structure = [...bytes.keys()].filter((offset) =>
    '{}[]:,"'.includes(String.fromCharCode(bytes[offset]!)),
  );
  const isAnywhere = place === 'anywhere' || structure.length === 0;
  const near = isAnywhere ? Math.floor(at * bytes.length) : structure[Math.floor(at * structure.length)]!;
  const offset = near + (place === 'after structure' ? 1 : 0);
  return Buffer.concat([bytes.subarray(0, offset), added, bytes.subarray(offset + removed)]);
}

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
          const sound = Buffer.from(events.map((fields) => writeEvent(fields).raw).join('\n'));
          expectAsJsonParse(damages.reduce(doDamage, sound), sizes, DROPPED);
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
        ...'{ } [ ] : , {"a": "b":1 "event_time": "x": "" "é" 0 - 1 .5 e3 12345678901234567 null true fals \\ "'.split(
          ' ',
        ),
        ...['"2023-01-01 00:00:00"', ' ', '\r', '\u2028', '\n'],
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
          expectAsJsonParse(Buffer.from(lines.join('\n')), sizes, DROPPED);
        }),
        { numRuns: 400 * HARDER },
      );
    },
    TIMEOUT_MS,
  );
});
