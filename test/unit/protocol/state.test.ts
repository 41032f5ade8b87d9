import { ConnectorFailure } from '../../../src/failure';
import { findState, parseStateInput } from '../../../src/protocol/state';
import { formatStateInput } from '../../harness/format-state-input';

const streamState = (name: string, stream_state: unknown, rest: object = {}): object => ({
  type: 'STREAM',
  stream: { stream_descriptor: { name }, stream_state },
  ...rest,
});
const A = { server_upload_time: '20260101T05' };
const B = { date: '2026-01-01' };

/** Name (with namespace) to state. */
function parse(input: unknown): Record<string, unknown> {
  const text = typeof input === 'string' ? input : JSON.stringify(input);
  const states = parseStateInput(text);
  return Object.fromEntries([...states].map(([key, { state }]) => [key, state]));
}

describe('parseStateInput', () => {
  test.each<[string, unknown, Record<string, unknown>]>([
    ['nothing', '', {}],
    ['white space and a byte order mark', '\uFEFF \n\t', {}],
    ['an empty list', '[]', {}],
    ['an empty object', '{}', {}],
    ['a list of STREAM states', [streamState('a', A), streamState('b', B)], { a: A, b: B }],
    ['a list behind a byte order mark', `\uFEFF${JSON.stringify([streamState('a', A)])}`, { a: A }],
    ['one STREAM state by itself', streamState('a', A), { a: A }],
    ['a pretty-printed list', JSON.stringify([streamState('a', A)], null, 2), { a: A }],
    [
      'STREAM states without a type',
      [{ stream: { stream_descriptor: { name: 'a' }, stream_state: A } }],
      { a: A },
    ],
    [
      "PyAirbyte's form, with nulls",
      [
        {
          type: 'STREAM',
          stream: { stream_descriptor: { name: 'a', namespace: null }, stream_state: A },
          global_: null,
          global: null,
          data: null,
          sourceStats: null,
          destinationStats: null,
        },
      ],
      { a: A },
    ],
    [
      "the platform's form, with bookkeeping",
      [
        streamState('a', A, {
          id: 3,
          sourceStats: { recordCount: 2.0 },
          destinationStats: { recordCount: 2.0 },
        }),
      ],
      { a: A },
    ],
    ['a null state', [streamState('a', null)], { a: null }],
    ['an absent state', [streamState('a', undefined)], { a: null }],
    [
      'a namespace',
      [{ type: 'STREAM', stream: { stream_descriptor: { name: 'a', namespace: 'n' }, stream_state: A } }],
      { '["n","a"]': A },
    ],
    [
      'a GLOBAL state',
      [
        {
          type: 'GLOBAL',
          global: {
            shared_state: {},
            stream_states: [
              { stream_descriptor: { name: 'a' }, stream_state: A },
              { stream_descriptor: { name: 'b' }, stream_state: null },
            ],
          },
        },
      ],
      { a: A, b: null },
    ],
    [
      'a GLOBAL state by itself with a null shared state',
      { type: 'GLOBAL', global: { shared_state: null, stream_states: [] } },
      {},
    ],
    ['a LEGACY state', [{ type: 'LEGACY', data: { a: A, b: B } }], { a: A, b: B }],
    ['a LEGACY state without a type', [{ data: { a: A } }], { a: A }],
    ['a LEGACY state by itself', { data: { a: A } }, { a: A }],
    ['an empty LEGACY state', [{ type: 'LEGACY', data: {} }], {}],
    ['an object of streams', { a: A, b: null }, { a: A, b: null }],
    ['an object of streams with a telling name', { data: { date: '2026-01-01' } }, { data: B }],
    ['STATE messages in a list', [{ type: 'STATE', state: streamState('a', A) }], { a: A }],
    ['a STATE message by itself', { type: 'STATE', state: streamState('a', A) }, { a: A }],
    [
      'the saved output of a run: the last state of each stream counts, other messages do not',
      [
        { type: 'LOG', log: { level: 'INFO', message: 'x' } },
        { type: 'STATE', state: streamState('a', { date: 'old' }) },
        { type: 'RECORD', record: { stream: 'a', data: { type: 'STATE' }, emitted_at: 1 } },
        { type: 'STATE', state: streamState('b', B) },
        { type: 'TRACE', trace: { type: 'STREAM_STATUS' } },
        { type: 'STATE', state: streamState('a', A) },
      ]
        .map((message) => JSON.stringify(message))
        .join('\r\n') + '\n\n',
      { a: A, b: B },
    ],
    ['a run that left no state', '{"type":"LOG","log":{"level":"INFO","message":"x"}}\n', {}],
    [
      'states by line, without an envelope',
      `${JSON.stringify(streamState('a', A))}\n${JSON.stringify(streamState('b', B))}`,
      { a: A, b: B },
    ],
    [
      'a stream called __proto__',
      '[{"type":"STREAM","stream":{"stream_descriptor":{"name":"x"},"stream_state":{"__proto__":{"y":1}}}}]',
      { x: JSON.parse('{"__proto__":{"y":1}}') },
    ],
  ])('%s', (_name, input, expected) => {
    expect(parse(input)).toEqual(expected);
  });

  test.each<[string, string, string, unknown]>([
    ['half a file', 'system', 'the text ends in the middle', '[{"type":"STREAM","stream":{'],
    [
      'half a file over several lines',
      'system',
      'the text ends in the middle',
      '[\n{"type":"STREAM",\n"stream":{',
    ],
    ['no JSON', 'system', 'a character where JSON allows none', 'server_upload_time=20260101T05'],
    ['a broken place', 'system', 'line 2, column 6', '{\n "a" 1}'],
    [
      'a broken line',
      'system',
      'line 2 is no message',
      `${JSON.stringify(streamState('a', A))}\n{"type":"STA`,
    ],
    ['a number', 'config', 'neither a list nor an object', '17'],
    ['null', 'config', 'neither a list nor an object', 'null'],
    ['a list of texts', 'config', 'element 1 is not an object', ['a']],
    ['a list with null', 'config', 'element 2 is not an object', [streamState('a', A), null]],
    [
      'an element with nothing',
      'config',
      'element 3 has neither "stream", "global" nor "data"',
      [streamState('a', A), streamState('b', B), {}],
    ],
    [
      'an element of nulls',
      'config',
      'element 1 has neither',
      [{ type: null, stream: null, global: null, data: null }],
    ],
    [
      'a STREAM without stream',
      'config',
      'element 1 has the type STREAM but no "stream"',
      [{ type: 'STREAM', data: {} }],
    ],
    ['a GLOBAL without global', 'config', 'has the type GLOBAL but no "global"', [{ type: 'GLOBAL' }]],
    ['a LEGACY without data', 'config', 'has the type LEGACY but no "data"', [{ type: 'LEGACY' }]],
    ['an unknown type', 'config', 'element 1 has an unknown type', [{ type: 'SHARED', stream: {} }]],
    [
      'a STATE message without state',
      'config',
      'element 1 is a STATE message without a "state"',
      [{ type: 'STATE' }],
    ],
    [
      'a stream that is no object',
      'config',
      'the "stream" of element 1 is not an object',
      [{ type: 'STREAM', stream: [] }],
    ],
    [
      'a stream without name',
      'config',
      'element 1 does not name its stream',
      [{ type: 'STREAM', stream: { stream_descriptor: {} } }],
    ],
    [
      'an empty stream name',
      'config',
      'does not name its stream',
      [{ stream: { stream_descriptor: { name: '' } } }],
    ],
    [
      'a namespace that is no text',
      'config',
      'the namespace of the stream "a"',
      [{ stream: { stream_descriptor: { name: 'a', namespace: 1 } } }],
    ],
    [
      'a state that is no object',
      'config',
      'the state of "a" (element 1) is not an object',
      [streamState('a', '20260101T05')],
    ],
    ['a state that is a list', 'config', 'the state of "a"', [streamState('a', [])]],
    [
      'a shared state',
      'config',
      'element 1 has a "shared_state"',
      [{ type: 'GLOBAL', global: { shared_state: { lsn: 1 }, stream_states: [] } }],
    ],
    [
      'a GLOBAL without list',
      'config',
      'no list of "stream_states"',
      [{ type: 'GLOBAL', global: { stream_states: {} } }],
    ],
    [
      'a broken state in a GLOBAL',
      'config',
      'element 1, stream state 2',
      [{ type: 'GLOBAL', global: { stream_states: [{ stream_descriptor: { name: 'a' } }, 3] } }],
    ],
    ['data that is no object', 'config', 'the "data" of element 1', [{ type: 'LEGACY', data: 'x' }]],
    [
      'the state of a stream instead of a state file',
      'config',
      'the state of "server_upload_time" (it) is not an object',
      A,
    ],
    ['a configuration', 'config', 'the state of "api_key"', { api_key: 'k', secret_key: 's' }],
    ['a stream without a name in an object', 'config', 'a stream without a name', { '': {} }],
  ])('%s is a %s failure that says: %s', (_name, kind, words, input) => {
    const text = typeof input === 'string' ? input : JSON.stringify(input);
    const failure = catchFailure(() => parseStateInput(text, 'state file /tmp/s.json'));
    expect(failure.message).toContain(words);
    expect(failure.message).toContain('/tmp/s.json');
    expect(failure.kind).toBe(kind);
  });

  test('a broken text is never quoted', () => {
    const failure = catchFailure(() => parseStateInput('{"api_key": tops3cret}'));
    expect(failure.message + String(failure.detail)).not.toContain('tops3cret');
  });

  test('the state of a stream is not quoted when it is wrong', () => {
    const failure = catchFailure(() => parseStateInput('{"api_key":"tops3cret"}'));
    expect(failure.message).not.toContain('tops3cret');
  });
});

describe('findState', () => {
  const states = parseStateInput(
    JSON.stringify([
      streamState('cursor', A),
      streamState('null', null),
      streamState('empty', {}),
      streamState('full', { __ab_no_cursor_state_message: true }),
      streamState('done', { __ab_full_refresh_sync_complete: true }),
      streamState('both', { __ab_full_refresh_sync_complete: true, date: '2026-01-01' }),
    ]),
  );

  test.each(['null', 'empty', 'full', 'done', 'unknown'])('%s has no cursor', (name) => {
    expect(findState(states, { name })).toBeUndefined();
  });

  test('a cursor counts, also beside a sentinel', () => {
    expect(findState(states, { name: 'cursor' })).toEqual(A);
    expect(findState(states, { name: 'both' })).toMatchObject(B);
  });

  test('a state without namespace serves a stream with one, not the other way round', () => {
    expect(findState(states, { name: 'cursor', namespace: 'n' })).toEqual(A);
    const spaced = parseStateInput(
      JSON.stringify([{ stream: { stream_descriptor: { name: 'a', namespace: 'n' }, stream_state: A } }]),
    );
    expect(findState(spaced, { name: 'a' })).toBeUndefined();
    expect(findState(spaced, { name: 'a', namespace: 'n' })).toEqual(A);
  });
});

test('formatStateInput writes what parseStateInput reads', () => {
  const text = JSON.stringify([streamState('a', A), streamState('b', null)]);
  expect(formatStateInput(parseStateInput(text))).toBe(text);
});

function catchFailure(work: () => unknown): ConnectorFailure {
  try {
    work();
  } catch (error) {
    if (error instanceof ConnectorFailure) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
