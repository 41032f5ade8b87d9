import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createEventLines } from '../../../benchmarks/event-lines';
import { PlainSplicer } from '../../../src/bytes/plain-splicer';
import type * as Harness from './splice-all';
import { createSplicer, eventsOf, spliceMember } from './splice-all';

const BUILD = join(__dirname, '../../../src/bytes/assembly/build.js');

afterEach(() => jest.restoreAllMocks());

it('what is committed as splicer-module.ts is what its sources compile to', async () => {
  await expect(promisify(execFile)(process.execPath, [BUILD, '--check'])).resolves.toBeDefined();
}, 180_000);

it('ordinary events take the fast way, and the plain way makes the same of them', () => {
  const push = jest.spyOn(PlainSplicer.prototype, 'push');
  const manyFields = Array.from({ length: 300 }, (_, index) => `"field ${index}":null`).join(',');
  const member = Buffer.concat([
    createEventLines(2_000_000),
    Buffer.from(`{${manyFields}}\n`.repeat(40)),
    Buffer.from(
      '{"user_creation_time":"","event_time":"2024-01-01 00:00:00","processed_time":"2024-01-01T00:00:00.5Z"}\r\n',
    ),
    Buffer.from('\n { "a" : [ 1 , { "b" : "\\n" } ] , "c\u0084" : "日本\ud83d\ude00" } \n'),
    Buffer.from(`{"dropped":{"a":[]},"a":${'['.repeat(64)}${']'.repeat(64)},"city":-1.5e+3}`),
  ]);
  const settings = { dropFields: ['dropped', 'city', 'idfa'] };
  const fast = spliceMember(createSplicer('fast', settings), member, [1_000_000]);
  expect(push).not.toHaveBeenCalled();
  const plain = spliceMember(createSplicer('plain', settings), member, [1_000_000]);
  expect(push).toHaveBeenCalled();
  expect(fast.malformed).toBeUndefined();
  expect(fast.count).toBeGreaterThan(1000);
  expect(fast.bytes.equals(plain.bytes)).toBe(true);
});

it('a line that the fast way leaves goes the plain way alone', () => {
  const push = PlainSplicer.prototype.push;
  const plain: string[] = [];
  jest.spyOn(PlainSplicer.prototype, 'push').mockImplementation(function (this: PlainSplicer, chunk, head) {
    // Copied at once: what is pushed is overwritten later.
    plain.push(Buffer.from(chunk).toString());
    return push.call(this, chunk, head);
  });
  const unusual = [
    '{"a":"\u2028"}',
    '{"\\u0061":1}',
    '{"event_time":7}',
    '{"a":\r1}',
    `{"a":${'['.repeat(65)}${']'.repeat(65)}}`,
  ];
  const member = unusual.map((line) => `{"sound":1}\n${line}\n`).join('');
  expect(eventsOf(spliceMember(createSplicer('fast'), member))).toHaveLength(2 * unusual.length);
  expect(plain.map((line) => line.trimEnd())).toEqual(unusual);
});

it('without SIMD in WebAssembly everything takes the plain way', () => {
  jest.spyOn(WebAssembly, 'validate').mockReturnValue(false);
  jest.isolateModules(() => {
    // A fresh copy of the modules, because the compiled one is kept.
    const harness = jest.requireActual<typeof Harness>('./splice-all');
    const plain = jest.requireActual<{ PlainSplicer: typeof PlainSplicer }>(
      '../../../src/bytes/plain-splicer',
    );
    const push = jest.spyOn(plain.PlainSplicer.prototype, 'push');
    expect(harness.eventsOf(harness.spliceAll('fast', '{"event_time":"2024-01-01 00:00:00"}'))).toEqual([
      '{"event_time":"2024-01-01T00:00:00+00:00"}',
    ]);
    expect(push).toHaveBeenCalledTimes(1);
  });
});
