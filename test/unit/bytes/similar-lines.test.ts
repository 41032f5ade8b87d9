import { expectAsJsonParse } from './json-oracle';
import { eventsOf, spliceAll, WAYS } from './splice-all';

// The fast way passes over what a line has in common with an earlier one; these lines differ from it as little as can be.

const TIME = '2023-08-25 11:05:08.013000';
const EVENTS = [
  `{"a":1,"bc":null,"event_time":"${TIME}","d":"x","dropped":{"a":[]},"uuid":"0f3c1d52","processed_time":null,"é":{}}`,
  `{"dropped":0,"aa":-1.5e2,"ab":[1,{"a":"b"}],"ac":"\\n","x":true,"ad":"","ae":false,"city":null,"af":0}`,
  `{ "a" : 1 , "b" : "" , "event_time" : null , "c" : [ ] , "d" : 2 , "e" : "日本" }`,
];
const DROPPED = new Set(['dropped', 'city']);
const CHARACTERS = Array.from('{}[]:,"\\ \t\r\n019-+.eEaflnrtu\x00\x7f').map((character) =>
  character.charCodeAt(0),
);
const BYTES = [...CHARACTERS, 0x80, 0xa8, 0xc2, 0xc3, 0xe2, 0xff];

function expectVariants(event: string, variants: (bytes: Buffer, at: number) => readonly Buffer[]): void {
  const bytes = Buffer.from(event);
  const newline = Buffer.from('\n');
  const lines = Array.from(bytes, (_, at) => variants(bytes, at)).flat();
  expect(lines.length).toBeGreaterThanOrEqual(bytes.length);
  expectAsJsonParse(
    Buffer.concat([bytes, newline, ...lines.flatMap((line) => [line, newline])]),
    [1_000_000],
    DROPPED,
  );
}

const splice = (bytes: Buffer, at: number, removed: number, added: readonly number[]): Buffer =>
  Buffer.concat([bytes.subarray(0, at), Buffer.from(added), bytes.subarray(at + removed)]);

describe.each(EVENTS)('lines that differ from %s', (event) => {
  it('in one byte', () => {
    expectVariants(event, (bytes, at) => BYTES.map((byte) => splice(bytes, at, 1, [byte])));
  });

  it('by one byte more', () => {
    expectVariants(event, (bytes, at) => BYTES.map((byte) => splice(bytes, at, 0, [byte])));
  });

  it('by one, two or three bytes less', () => {
    expectVariants(event, (bytes, at) => [1, 2, 3].map((removed) => splice(bytes, at, removed, [])));
  });

  it('by an end at any place', () => {
    expectVariants(event, (bytes, at) => [
      bytes.subarray(0, at),
      Buffer.from(`${bytes.toString('utf8', 0, at)}}`),
    ]);
  });
});

it('lines that lack fields of the one before, or have fields with nearly the same names', () => {
  const names = [
    'a',
    'b',
    'location_lat',
    'client_event_time',
    'location_lng',
    'client_upload_time',
    'city',
    'z',
  ];
  const renamed = (name: string): string[] => [name, `${name}s`, name.slice(0, -1), `${name.slice(0, -1)}x`];
  const write = (fields: readonly string[]): string =>
    `{${fields.map((name) => `"${name}":"${TIME}"`).join(',')}}\n`;
  const lines: string[] = [];
  for (let subset = 1; subset < 2 ** names.length; subset++) {
    const left = names.filter((_, index) => (subset >> index) % 2 === 1);
    for (const index of left.keys()) {
      for (const name of renamed(left[index]!)) lines.push(write(names), write(left.with(index, name)));
    }
  }
  expectAsJsonParse(Buffer.from(lines.join('')), [1_000_000], DROPPED);
});

it.each(WAYS)('events of more fields than are learned, the %s way', (way) => {
  const line = (count: number, time: string): string =>
    `{${Array.from({ length: count }, (_, index) => `"field${index}":null,"t${index}":${index % 7}`).join(',')},"event_time":"${time}"}`;
  const counts = [100, 127, 128, 129, 300, 300, 128, 127, 400, 2, 300];
  const spliced = spliceAll(way, counts.map((count) => line(count, TIME)).join('\n'));
  expect(eventsOf(spliced)).toEqual(counts.map((count) => line(count, '2023-08-25T11:05:08.013000+00:00')));
});
