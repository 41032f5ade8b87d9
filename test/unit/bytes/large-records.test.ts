import * as fc from 'fast-check';
import { MemberProgress } from '../../../src/bytes/member-progress';
import { PlainSplicer } from '../../../src/bytes/plain-splicer';
import { createSplicer, eventsOf, HEAD, spliceMember, TAIL, tailWithChanges, WAYS } from './splice-all';

const LIMIT = 20_000_000;
const TOO_LARGE = 'too large even without its largest values';
const RUNS = process.env['TEST_HARDER'] === '1' ? 30_000 : 300;

const nulled = (
  field: string,
): { field: string; change: 'NULLED'; reason: 'SOURCE_RECORD_SIZE_LIMITATION' } => ({
  field,
  change: 'NULLED',
  reason: 'SOURCE_RECORD_SIZE_LIMITATION',
});

/** A string value that takes this many bytes in JSON, its quotes included. */
const stringOf = (bytes: number, letter = 'x'): string => `"${letter.repeat(bytes - 2)}"`;

/** Compares long texts without printing them. */
function expectSame(actual: string, expected: string): void {
  expect({ bytes: actual.length, same: actual === expected, start: actual.slice(0, 200) }).toEqual({
    bytes: expected.length,
    same: true,
    start: expected.slice(0, 200),
  });
}

describe.each(WAYS)('records of 20 MB, the %s way', (way) => {
  const splicer = createSplicer(way, { dropFields: ['drop'], onMalformedLine: 'skip' });
  const wrap = (event: string): string => HEAD + event + TAIL;
  const around = '{"uuid":"before"}\n';

  it('stay as they are up to 19,999,999 bytes, and lose their largest value beyond', () => {
    for (const [bytes, isNulled] of [
      [LIMIT - 1, false],
      [LIMIT, true],
    ] as const) {
      const value = stringOf(bytes - wrap('{"uuid":"u","a":,"b":1}').length);
      const spliced = spliceMember(
        splicer,
        `${around}{"uuid":"u","a":${value},"b":1}\n${around}`,
        [1_048_576],
      );
      const expected = isNulled
        ? HEAD + '{"uuid":"u","a":null,"b":1}' + tailWithChanges([nulled('a')]).toString()
        : wrap(`{"uuid":"u","a":${value},"b":1}`);
      expectSame(spliced.bytes.toString(), wrap('{"uuid":"before"}') + expected + wrap('{"uuid":"before"}'));
    }
  });

  it('lose no more than they must, and never their key or cursor', () => {
    const [small, medium, large] = [stringOf(4_000_000), stringOf(9_000_000, 'y'), stringOf(12_000_000, 'z')];
    const key = stringOf(9_500_000, 'k');
    const event = (a: string, b: string): string =>
      `{"a":${a},"uuid":${key},"b":${b},"server_upload_time":"2024-01-01T00:00:00+00:00","c":${small}}`;
    const spliced = spliceMember(splicer, event(`[${large}]`, `{"x":${medium}}`), [3_000_000]);
    expectSame(
      spliced.bytes.toString(),
      HEAD + event('null', 'null') + tailWithChanges([nulled('a'), nulled('b')]).toString(),
    );
  });

  it('are reported when their key alone is too large, or when nothing in them is large', () => {
    const many = Array.from({ length: 200_000 }, (_, index) => `"field ${index}":"${'x'.repeat(100)}"`).join(
      ',',
    );
    for (const event of [`{"a":1,"uuid":${stringOf(LIMIT)}}`, `{${many}}`, `{"${'k'.repeat(LIMIT)}":1}`]) {
      const spliced = spliceMember(splicer, `${around}${event}\n${around}`, [2_000_000]);
      expect(spliced.malformed).toEqual({ line: 2, offset: around.length, reason: TOO_LARGE });
      expect(eventsOf(spliced)).toEqual([around.trim(), around.trim()]);
    }
  });

  it('count without what is left out of them', () => {
    const spliced = spliceMember(splicer, `{"a":1,"drop":[${stringOf(30_000_000)}],"b":2}`, [1_048_576]);
    expect(eventsOf(spliced)).toEqual(['{"a":1,"b":2}']);
  });

  it('are read to their end: what is wrong in a value that goes is found', () => {
    // More than twice the limit, so that the value goes before it ends.
    const start = Buffer.from(`{"a":1,"b":["${'x'.repeat(46_000_000)}`);
    for (const [end, reason] of [
      ['",01]}', 'not well-formed JSON'],
      ['\t"]}', 'control character inside a string'],
      ['"]', 'ends in the middle of the object'],
      [Buffer.from([0xed, 0xa0, 0x80, 0x22, 0x5d, 0x7d]), 'not valid UTF-8'],
    ] as const) {
      const line = Buffer.concat([start, Buffer.from(end as string)]);
      expect(spliceMember(splicer, line, [1_048_576]).malformed?.reason).toBe(reason);
    }
  });

  it('have their timestamps rewritten and their separators escaped like others', () => {
    const event = (time: string, separator: string): string =>
      `{"event_time":"${time}","a":"${separator.repeat(1_000_000)}","processed_time":7}`;
    const spliced = spliceMember(splicer, event('2024-01-01 00:00:00', '\u2028'), [999_999]);
    expectSame(
      spliced.bytes.toString(),
      HEAD +
        event('2024-01-01T00:00:00+00:00', '\\u2028').replace('7}', 'null}') +
        tailWithChanges([
          { field: 'processed_time', change: 'NULLED', reason: 'SOURCE_SERIALIZATION_ERROR' },
        ]).toString(),
    );
  });

  it('are read in bounded memory, however long the line is', () => {
    const values = Buffer.alloc(1_048_576, `"some field":"${'y'.repeat(5000)}",`);
    const started = process.memoryUsage().arrayBuffers;
    let most = 0;
    let text = '';
    const push = (bytes: Uint8Array): void => {
      for (const lines of splicer.push(bytes)) text += Buffer.from(lines.bytes).toString();
      most = Math.max(most, process.memoryUsage().arrayBuffers - started);
    };
    splicer.startMember();
    // One value of 60 MB, whose cut pieces are joined by a string; then 40 MB of small ones, too many to be kept.
    push(Buffer.from('{"uuid":"u","big":["'));
    for (let turn = 0; turn < 60; turn++) push(Buffer.alloc(1_048_576, 'é'));
    push(Buffer.from('"],"next":[""'));
    for (let turn = 0; turn < 40; turn++) {
      push(Buffer.from(',"'));
      push(Buffer.from(values.toString().replaceAll('"', "'")));
      push(Buffer.from('"'));
    }
    push(Buffer.from('],"last":"here"}\n'));
    expect(splicer.malformed).toBeUndefined();
    expect(text).toBe(
      `${HEAD}{"uuid":"u","big":null,"next":null,"last":"here"}${tailWithChanges([nulled('big'), nulled('next')]).toString()}`,
    );
    expect(most).toBeLessThan(70_000_000);
  });
});

it('a record that outgrows its limit loses its largest values one by one until it fits', () => {
  const maxRecordBytes = 3000;
  const field = fc.record({
    bytes: fc.oneof(fc.integer({ min: 2, max: 200 }), fc.integer({ min: 100, max: 4000 })),
    kind: fc.constantFrom('plain', 'plain', 'plain', 'kept', 'dropped'),
  });
  fc.assert(
    fc.property(
      fc.array(field, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 900 }),
      (fields, cut) => {
        const named = fields.map(({ bytes, kind }, index) => ({
          name: `${kind}${index}`,
          value: stringOf(bytes),
          kind,
        }));
        const drop = named.filter(({ kind }) => kind === 'dropped').map(({ name }) => name);
        const keep = named.filter(({ kind }) => kind === 'kept').map(({ name }) => name);
        const progress = new MemberProgress('skip');
        const splicer = new PlainSplicer(
          {
            tail: Buffer.from(TAIL),
            tailWithChanges: (changes) =>
              tailWithChanges([...changes].sort((a, b) => a.field.localeCompare(b.field))),
            dropFields: new Set(drop),
            keepFields: new Set(keep),
            maxRecordBytes,
          },
          progress,
        );
        const line = Buffer.from(`{${named.map(({ name, value }) => `"${name}":${value}`).join(',')}}\n`);
        let output = '';
        for (let at = 0; at < line.length; at += cut) {
          for (const { bytes } of splicer.push(line.subarray(at, at + cut), Buffer.from(HEAD))) {
            output += Buffer.from(bytes).toString();
          }
        }

        // The same by brute force: null the largest as long as the whole is too large.
        const left = named.filter(({ kind }) => kind !== 'dropped');
        const gone: string[] = [];
        const write = (): string => {
          const event = left
            .map(({ name, value }) => `"${name}":${gone.includes(name) ? 'null' : value}`)
            .join(',');
          const changes = [...gone].sort((a, b) => a.localeCompare(b)).map(nulled);
          return `${HEAD}{${event}}${changes.length > 0 ? tailWithChanges(changes).toString() : TAIL}`;
        };
        const candidates = left
          .filter(({ kind, value }) => kind === 'plain' && value.length >= 128)
          .sort((a, b) => b.value.length - a.value.length);
        while (write().length > maxRecordBytes && candidates.length > 0) gone.push(candidates.shift()!.name);

        if (left.length === 0) expect([output, progress.malformed?.reason]).toEqual(['', 'empty object']);
        else if (write().length > maxRecordBytes)
          expect([output, progress.malformed?.reason]).toEqual(['', TOO_LARGE]);
        else expect(output).toBe(write());
      },
    ),
    { numRuns: RUNS },
  );
});
