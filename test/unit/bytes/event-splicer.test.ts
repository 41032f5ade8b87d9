import { EventSplicer } from '../../../src/bytes/event-splicer';
import {
  createSplicer,
  eventsOf,
  HEAD,
  spliceAll,
  spliceMember,
  TAIL,
  tailWithChanges,
  WAYS,
} from './splice-all';

const TIME = '2023-08-25 11:05:08.013000';
const REWRITTEN = '2023-08-25T11:05:08.013000+00:00';
const TIMESTAMP_KEYS = [
  'event_time',
  'server_upload_time',
  'processed_time',
  'server_received_time',
  'user_creation_time',
  'client_upload_time',
  'client_event_time',
];
const SEPARATORS = ['\u0085', '\u2028', '\u2029'];

/** The change that a field of no use as a timestamp leaves in its record. */
const nulled = (field: string): object => ({ field, change: 'NULLED', reason: 'SOURCE_SERIALIZATION_ERROR' });

describe.each(WAYS)('EventSplicer, the %s way', (way) => {
  describe('timestamps', () => {
    it('rewrites the seven at the top level and nothing that only looks like them', () => {
      const others = [
        'Event_time',
        'event_time ',
        'event_tim',
        'event_timex',
        'time',
        '',
        'client_event_tims',
      ];
      const line = (time: string): string =>
        `{${TIMESTAMP_KEYS.map((key) => `"${key}":"${time}"`).join(',')},` +
        `${others.map((key) => `"${key}":"${TIME}"`).join(',')},` +
        `"event_properties":{"event_time":"${TIME}","a":[{"processed_time":"${TIME}"}]},"list":["event_time","${TIME}"]}`;
      expect(eventsOf(spliceAll(way, line(TIME)))).toEqual([line(REWRITTEN)]);
    });

    it('keeps null, and writes null for an empty string without a note', () => {
      const spliced = spliceAll(
        way,
        '{"event_time":null,"processed_time":"","a":"","client_event_time" : "" }',
      );
      expect(eventsOf(spliced)).toEqual([
        '{"event_time":null,"processed_time":null,"a":"","client_event_time" : null }',
      ]);
    });

    it.each(['0', '-1', '1692961508013', '1.5e3', 'true', 'false', '{}', '[]', '["x"]', `{"a":"${TIME}"}`])(
      'writes null with a note for the value %s',
      (value) => {
        const spliced = spliceAll(way, `{"a":1,"event_time":${value},"b":2}\n{"c":3}`);
        expect(spliced.bytes.toString()).toBe(
          HEAD +
            '{"a":1,"event_time":null,"b":2}' +
            tailWithChanges([nulled('event_time')] as never) +
            HEAD +
            '{"c":3}' +
            TAIL,
        );
      },
    );

    it('notes each of several bad timestamps, in the order of the line', () => {
      const spliced = spliceAll(
        way,
        '{"processed_time":"x","event_time":"y","processed_time":1,"client_event_time":""}',
      );
      expect(spliced.bytes.toString()).toBe(
        HEAD +
          '{"processed_time":null,"event_time":null,"processed_time":null,"client_event_time":null}' +
          tailWithChanges(['processed_time', 'event_time', 'processed_time'].map(nulled) as never),
      );
    });

    it('rewrites each occurrence of a key that is there twice', () => {
      const line = (a: string, b: string): string => `{"event_time":"${a}","x":1,"event_time":"${b}"}`;
      expect(eventsOf(spliceAll(way, line(TIME, '2024-01-01 00:00:00')))).toEqual([
        line(REWRITTEN, '2024-01-01T00:00:00+00:00'),
      ]);
    });

    it.each(['event\\u005ftime', '\\u0065vent_time', 'event_tim\\u0065'])(
      'recognises the key "%s"',
      (key) => {
        expect(eventsOf(spliceAll(way, `{"${key}":"${TIME}","\\u0065x":1}`))).toEqual([
          `{"${key}":"${REWRITTEN}","\\u0065x":1}`,
        ]);
        expect(spliceAll(way, `{"${key}":3}`).bytes.toString()).toContain('"field":"event_time"');
      },
    );

    it('reads a timestamp that is written with escapes', () => {
      const line = '{"event_time":"2023\\u002d08-25\\u002011:05:08\\u002e013"}';
      expect(eventsOf(spliceAll(way, line))).toEqual([`{"event_time":"${REWRITTEN}"}`]);
    });
  });

  describe('characters that end a line for some readers', () => {
    it.each(SEPARATORS)('escapes %j in strings, keys and nested ones, and nowhere else', (separator) => {
      const escaped = `\\u${separator.charCodeAt(0).toString(16).padStart(4, '0')}`;
      const line = (text: string): string =>
        `{"a":"${text}","b${text}":"x${text}${text}y","c":{"${text}":["${text}é\u2027\u202a\u0084"]},"d":"\\u2028"}`;
      expect(eventsOf(spliceAll(way, line(separator)))).toEqual([line(escaped)]);
    });

    it('takes out a raw CR between tokens and keeps other white space', () => {
      const line = '\t {\r "a"\r: \r[\r1 ,\r\r2\r]\r\t, "b"\t:  "x" \r} \r';
      expect(eventsOf(spliceAll(way, `${line}\n`))).toEqual(['{ "a": [1 ,2]\t, "b"\t:  "x" }']);
    });
  });

  describe('dropFields', () => {
    it.each([
      ['{"a":1,"b":2,"c":3}', ['a'], '{"b":2,"c":3}'],
      ['{"a":1,"b":2,"c":3}', ['b'], '{"a":1,"c":3}'],
      ['{"a":1,"b":2,"c":3}', ['c'], '{"a":1,"b":2}'],
      ['{"a":1,"b":2,"c":3}', ['a', 'b'], '{"c":3}'],
      ['{"a":1,"b":2,"c":3}', ['b', 'c'], '{"a":1}'],
      ['{"a":1,"b":2,"c":3}', ['a', 'c'], '{"b":2}'],
      ['{"a":1,"b":2,"c":3,"d":4,"e":5}', ['b', 'd'], '{"a":1,"c":3,"e":5}'],
      ['{"a":{"a":1},"b":{"a":1},"c":["a"]}', ['a'], '{"b":{"a":1},"c":["a"]}'],
      ['{"a":"}","b":"\\"a\\":1","c":[[],{}]}', ['a', 'c'], '{"b":"\\"a\\":1"}'],
      ['{"a":1,"b":2,"a":3}', ['a'], '{"b":2}'],
      ['{ "a" : 1 , "b" : 2 , "c" : 3 }', ['a'], '{ "b" : 2 , "c" : 3 }'],
      ['{ "a" : 1 , "b" : 2 , "c" : 3 }', ['b'], '{ "a" : 1 , "c" : 3 }'],
      ['{ "a" : 1 , "b" : 2 , "c" : 3 }', ['c'], '{ "a" : 1 , "b" : 2 }'],
      ['{ "a" : 1 , "b" : 2 , "c" : 3 }', ['a', 'b'], '{ "c" : 3 }'],
      ['{"\\u0061":1,"b":2}', ['a'], '{"b":2}'],
      ['{"é日":1,"b":2}', ['é日'], '{"b":2}'],
      ['{"x\u2028y":1,"b":2}', ['x\u2028y'], '{"b":2}'],
      ['{"":1,"b":2}', [''], '{"b":2}'],
      ['{"a\\"b":1,"b":2}', ['a"b'], '{"b":2}'],
      ['{"a":"\u2028","b":"\u2028"}', ['a'], '{"b":"\\u2028"}'],
      ['{"event_time":"x","b":2}', ['event_time'], '{"b":2}'],
      [`{"a":0,"event_time":"${TIME}","b":2}`, ['a', 'b'], `{"event_time":"${REWRITTEN}"}`],
      [
        `{"x":1,"a":0,"event_time":"${TIME}","b":2,"y":3}`,
        ['a', 'b'],
        `{"x":1,"event_time":"${REWRITTEN}","y":3}`,
      ],
      [`{"processed_time":"","event_time":"${TIME}"}`, ['processed_time'], `{"event_time":"${REWRITTEN}"}`],
    ])('of %s, leaves %j out', (line, dropFields, expected) => {
      // Several times, so that the later lines are met with what was learned from the first.
      const member = `${line}\n`.repeat(40);
      expect(eventsOf(spliceAll(way, member, { dropFields }))).toEqual(Array(40).fill(expected));
    });

    it('still reads what it leaves out', () => {
      const dropFields = ['a', 'event_time'];
      for (const value of ['01', '"\\x"', '[1,]', '"\t"', 'nul', '']) {
        expect(spliceAll(way, `{"a":${value},"b":1}`, { dropFields }).malformedCount).toBe(1);
        expect(spliceAll(way, `{"b":1,"event_time":${value}}`, { dropFields }).malformedCount).toBe(1);
      }
      expect(
        spliceAll(way, Buffer.from('7b2261223a22ff222c2262223a317d', 'hex'), { dropFields }).malformedCount,
      ).toBe(1);
    });

    it('knows many and long fields', () => {
      const names = Array.from(
        { length: 3000 },
        (_, index) => `${'field of some length '.repeat(index % 5)}${index}`,
      );
      const line = (fields: readonly string[]): string =>
        `{${fields.map((name) => `"${name}":0`).join(',')}}`;
      for (const count of [100, 1000, 3000]) {
        const dropFields = names.slice(0, count).filter((_, index) => index % 2 === 1);
        const kept = names.filter((name) => !dropFields.includes(name));
        expect(eventsOf(spliceAll(way, line(names), { dropFields }))).toEqual([line(kept)]);
      }
    });
  });

  describe('lines', () => {
    it.each([
      ['', []],
      ['\n', []],
      ['\n \r\n\t\n', []],
      ['{"a":1}', ['{"a":1}']],
      ['{"a":1}\n', ['{"a":1}']],
      ['{"a":1}\r\n', ['{"a":1}']],
      ['\n\n{"a":1}\n\n{"b":2}\n \n', ['{"a":1}', '{"b":2}']],
      ['  {"a":1}\t \r\n\t{"b":2}  ', ['{"a":1}', '{"b":2}']],
      ['\ufeff{"a":1}\n{"b":2}', ['{"a":1}', '{"b":2}']],
      ['\ufeff', []],
      ['\ufeff\n{"a":1}', ['{"a":1}']],
    ])('reads %j, in chunks of any size', (member, events) => {
      const splicer = createSplicer(way);
      for (const bytes of [1, 2, 3, 5, 1000]) {
        const spliced = spliceMember(splicer, member, [bytes]);
        expect(eventsOf(spliced)).toEqual(events);
        expect(spliced).toMatchObject({ count: events.length, malformed: undefined, malformedCount: 0 });
      }
    });

    it.each([
      'efbb7b2261223a317d',
      'ef',
      'efbb',
      'efbbef',
      'efbbbfefbbbf7b7d',
      'feff',
      'efbbbfef',
      '7b2261223a317d0aefbbbf0a',
    ])('takes the bytes %s for no byte order mark', (hex) => {
      const splicer = createSplicer(way, { onMalformedLine: 'skip' });
      for (const bytes of [1, 2, 3, 100]) {
        expect(spliceMember(splicer, Buffer.from(hex, 'hex'), [bytes]).malformedCount).toBe(1);
      }
    });

    it('hands out what is larger than one batch in several, each of whole records', () => {
      const line = `{"a":"${'x'.repeat(1500)}"}\n`;
      const lines = 5000;
      const splicer = createSplicer(way);
      splicer.startMember();
      let records = 0;
      let batches = 0;
      for (const { bytes, count } of splicer.push(Buffer.from(line.repeat(lines)))) {
        expect(bytes.length).toBe(count * (HEAD.length + line.length - 1 + TAIL.length));
        expect(Buffer.from(bytes).subarray(-TAIL.length).toString()).toBe(TAIL);
        records += count;
        batches++;
      }
      expect(records).toBe(lines);
      expect(batches).toBeGreaterThan(1);
      expect(batches).toBeLessThan(20);
    });

    it('reads lines of up to megabytes whole, wherever the chunks end', () => {
      const line = (bytes: number): string =>
        `{"a":"${'é'.repeat(bytes / 2)}","event_time":"${TIME}","b":[1]}`;
      const sizes = [10, 1_000_000, 20, 2_090_000, 2_097_152, 3_000_000, 30, 5_000_000, 40];
      const member = sizes.map(line).join('\n');
      const expected = member.replaceAll(TIME, REWRITTEN).split('\n');
      const splicer = createSplicer(way);
      for (const chunkBytes of [65_536, 1_000_003, 20_000_000]) {
        const spliced = spliceMember(splicer, member, [chunkBytes]);
        expect(eventsOf(spliced).map((event, index) => event === expected[index])).toEqual(
          sizes.map(() => true),
        );
        expect(spliced.malformed).toBeUndefined();
      }
    });

    it('keeps the order of the lines when some are too long for the fast way', () => {
      const sizes = [1, 2_500_000, 2, 300_000, 3, 2_200_000, 4, 5, 100_000, 6];
      const lines = sizes.map((bytes, index) => `{"n":${index},"a":"${'x'.repeat(bytes)}"}`);
      for (const chunkBytes of [100_000, 20_000_000]) {
        const events = eventsOf(spliceAll(way, lines.join('\n'), { chunkBytes: [chunkBytes] }));
        expect(events.map((event) => lines.indexOf(event))).toEqual(sizes.map((_, index) => index));
      }
    });

    it('asks for the head once per push and uses it from then on', () => {
      let asked = 0;
      const splicer = new EventSplicer(
        {
          head: () => Buffer.from(`${'h'.repeat(100)}${asked++}:`),
          tail: Buffer.from(TAIL),
          tailWithChanges,
          dropFields: new Set(),
          keepFields: new Set(),
          onMalformedLine: 'fail',
        },
        way,
      );
      splicer.startMember();
      for (const turn of [0, 1, 2]) {
        const texts = [...splicer.push(Buffer.from('{"a":1}\n{"event_time":4}\n{"b":2}\n'))].map(
          ({ bytes }) => Buffer.from(bytes).toString(),
        );
        expect(asked).toBe(turn + 1);
        expect(texts.join('').split(`${'h'.repeat(100)}${turn}:{`)).toHaveLength(4);
      }
    });
  });

  describe('malformed lines', () => {
    const member = '{"a":1}\n\n{"a":2}\nnonsense\n{"b":\n{"a":3}\r\n{"a":4,}\n{}\n{"a":5}';

    it('stops at the first by default, after the lines before it', () => {
      for (const chunkBytes of [1, 7, 1000]) {
        const spliced = spliceAll(way, member, { chunkBytes: [chunkBytes] });
        expect(eventsOf(spliced)).toEqual(['{"a":1}', '{"a":2}']);
        expect(spliced.malformed).toEqual({ line: 4, offset: 17, reason: 'not a JSON object' });
        expect(spliced.malformedCount).toBe(1);
      }
    });

    it('leaves them out and counts them when told so', () => {
      for (const chunkBytes of [1, 7, 1000]) {
        const spliced = spliceAll(way, member, { chunkBytes: [chunkBytes], onMalformedLine: 'skip' });
        expect(eventsOf(spliced)).toEqual(['{"a":1}', '{"a":2}', '{"a":3}', '{"a":5}']);
        expect(spliced.malformed).toEqual({ line: 4, offset: 17, reason: 'not a JSON object' });
        expect(spliced.malformedCount).toBe(4);
      }
    });

    it.each([
      ['nonsense', 'not a JSON object'],
      ['[{"a":1}]', 'not a JSON object'],
      ['{"a":1,}', 'not well-formed JSON'],
      ['{"a":01}', 'not well-formed JSON'],
      ['{"a":"\\x"}', 'not well-formed JSON'],
      ['{"a":"\t"}', 'control character inside a string'],
      ['{"a":"x', 'ends in the middle of the object'],
      ['{"a":1', 'ends in the middle of the object'],
      ['{"a":1}}', 'more text after the object'],
      ['{"a":1}{"a":1}', 'more text after the object'],
      ['{}', 'empty object'],
      ['{ }', 'empty object'],
      ['{"drop":1}', 'empty object'],
      ['{"drop":1,"drop":{}}', 'empty object'],
    ])('says of %j that it is %s', (line, reason) => {
      const spliced = spliceAll(way, `\n{"a":"ö"}\n${line}`, { dropFields: ['drop'] });
      expect(spliced.malformed).toEqual({ line: 3, offset: 12, reason });
    });

    it('says of bytes that are no UTF-8 what they are', () => {
      const spliced = spliceAll(way, Buffer.from('7b2261223a22eda080227d', 'hex'));
      expect(spliced.malformed).toEqual({ line: 1, offset: 0, reason: 'not valid UTF-8' });
    });

    it('counts lines and bytes over chunks, batches and byte order marks', () => {
      const before = `\ufeff${`{"a":"${'x'.repeat(1000)}"}\n\n`.repeat(8000)}`;
      const spliced = spliceAll(way, `${before}oops\n{"a":1}`, { chunkBytes: [1_000_003] });
      expect(spliced.count).toBe(8000);
      expect(spliced.malformed).toMatchObject({ line: 16_001, offset: Buffer.byteLength(before) });
    });

    it('forgets them, and an unfinished line, with the next member', () => {
      const splicer = createSplicer(way);
      expect(spliceMember(splicer, 'oops').malformedCount).toBe(1);
      expect(spliceMember(splicer, '{"a":1}')).toMatchObject({
        count: 1,
        malformed: undefined,
        malformedCount: 0,
      });
      splicer.startMember();
      expect([...splicer.push(Buffer.from('{"a":1'))]).toEqual([]);
      splicer.startMember();
      expect([...splicer.push(Buffer.from(`{"b":"${'x'.repeat(3_000_000)}`))]).toEqual([]);
      expect(eventsOf(spliceMember(splicer, '{"c":1}\n'))).toEqual(['{"c":1}']);
    });
  });
});
