import { AirbyteOutput, splitLines } from '../../harness/airbyte-output';
import { findViolations } from '../../harness/assert-protocol';

const status = (name: string, value: string, rest: object = {}): object => ({
  type: 'TRACE',
  trace: {
    type: 'STREAM_STATUS',
    emitted_at: 1,
    stream_status: { stream_descriptor: { name }, status: value, ...rest },
  },
});
const record = (stream: string, data: object = { id: 1 }, emitted_at = 1): object => ({
  type: 'RECORD',
  record: { stream, data, emitted_at },
});
const state = (name: string, recordCount: number | undefined, rest: object = {}): object => ({
  type: 'STATE',
  state: {
    type: 'STREAM',
    stream: { stream_descriptor: { name }, stream_state: {} },
    ...(recordCount === undefined ? {} : { sourceStats: { recordCount } }),
    ...rest,
  },
});
const error = (failure_type: string, emitted_at = 1, name = 'a'): object => ({
  type: 'TRACE',
  trace: { type: 'ERROR', emitted_at, error: { message: 'm', failure_type, stream_descriptor: { name } } },
});
const log = { type: 'LOG', log: { level: 'INFO', message: 'x' } };

const STARTED = status('a', 'STARTED');
const RUNNING = status('a', 'RUNNING');
const COMPLETE = status('a', 'COMPLETE');
const INCOMPLETE = status('a', 'INCOMPLETE');
const GOOD = [log, STARTED, RUNNING, record('a'), state('a', 1), COMPLETE];

function violations(messages: readonly object[], exitCode: number | null = null, tail = ''): string {
  const stdout = messages.map((message) => `${JSON.stringify(message)}\n`).join('') + tail;
  return findViolations(new AirbyteOutput(stdout, '', exitCode), [{ name: 'a' }]).join('; ');
}

describe('findViolations', () => {
  test('has nothing to say about a correct read', () => {
    expect(violations(GOOD, 0)).toBe('');
    expect(violations([STARTED, error('config_error'), state('a', 0), INCOMPLETE], 1)).toBe('');
  });

  test.each<[string, readonly object[], number | null, string]>([
    [
      'a record before RUNNING',
      [STARTED, record('a'), RUNNING, state('a', 1), COMPLETE],
      null,
      'before RUNNING',
    ],
    ['a state before STARTED', [state('a', 0), STARTED, RUNNING, COMPLETE], null, 'a state before STARTED'],
    ['RUNNING first', [RUNNING, state('a', 0), COMPLETE], null, 'RUNNING as status 1'],
    ['STARTED twice', [STARTED, STARTED, RUNNING, state('a', 0), COMPLETE], null, 'STARTED as status 2'],
    ['no RUNNING', [STARTED, state('a', 0), COMPLETE], null, 'COMPLETE without RUNNING'],
    ['no terminal status', [STARTED, RUNNING, state('a', 0)], null, 'no terminal status'],
    ['two terminal statuses', [...GOOD, COMPLETE], null, 'COMPLETE after COMPLETE'],
    ['a record after the end', [...GOOD, record('a'), state('a', 1)], null, 'a record after COMPLETE'],
    ['a state after the end', [...GOOD, state('a', 0)], null, 'a state after COMPLETE'],
    ['no state', [STARTED, RUNNING, COMPLETE], null, 'no state'],
    ['a wrong count', [STARTED, RUNNING, record('a'), state('a', 2), COMPLETE], null, 'recordCount 2 but 1'],
    [
      'a cumulative count',
      [STARTED, RUNNING, record('a'), state('a', 1), record('a'), state('a', 2), COMPLETE],
      null,
      'recordCount 2 but 1',
    ],
    ['no count', [STARTED, RUNNING, state('a', undefined), COMPLETE], null, 'recordCount undefined'],
    [
      'records without a state',
      [STARTED, RUNNING, state('a', 0), record('a'), COMPLETE],
      null,
      '1 records after the last state',
    ],
    ['an id in the state', [STARTED, RUNNING, state('a', 0, { id: 1 }), COMPLETE], null, 'reserved key'],
    [
      'a LEGACY state',
      [STARTED, RUNNING, state('a', 0, { type: 'LEGACY' }), COMPLETE],
      null,
      'type is LEGACY',
    ],
    ['an empty record', [STARTED, RUNNING, record('a', {}), state('a', 1), COMPLETE], null, 'without data'],
    [
      'a fraction in emitted_at',
      [STARTED, RUNNING, record('a', { id: 1 }, 1.5), state('a', 1), COMPLETE],
      null,
      'no integer',
    ],
    ['an unknown stream', [...GOOD, record('b')], null, 'b is not in the catalog'],
    [
      'COMPLETE after an error',
      [STARTED, RUNNING, error('system_error'), state('a', 0), COMPLETE],
      null,
      'COMPLETE after an error',
    ],
    ['an error after the end', [...GOOD, error('system_error')], null, 'an error after COMPLETE'],
    [
      'a transient error after a config error',
      [STARTED, error('config_error'), error('transient_error'), state('a', 0), INCOMPLETE],
      null,
      'transient_error after a config_error',
    ],
    [
      'errors stamped in the wrong order',
      [STARTED, error('system_error', 5), error('config_error', 4), state('a', 0), INCOMPLETE],
      null,
      'stamped before',
    ],
    [
      'an unknown failure type',
      [STARTED, error('fatal'), state('a', 0), INCOMPLETE],
      null,
      'unknown failure_type',
    ],
    [
      'a reason with COMPLETE',
      [
        STARTED,
        RUNNING,
        state('a', 0),
        status('a', 'COMPLETE', { reasons: [{ type: 'RATE_LIMITED', rate_limited: { quota_reset: 1 } }] }),
      ],
      null,
      'COMPLETE with reasons',
    ],
    [
      'a fraction as reset time',
      [
        STARTED,
        status('a', 'RUNNING', { reasons: [{ type: 'RATE_LIMITED', rate_limited: { quota_reset: 1.5 } }] }),
        state('a', 0),
        COMPLETE,
      ],
      null,
      'malformed reason',
    ],
    [
      'another message',
      [...GOOD, { type: 'CATALOG', catalog: { streams: [] } }],
      null,
      'CATALOG has no place',
    ],
    ['exit code 1 of a good read', GOOD, 1, 'although the read succeeded'],
    [
      'exit code 0 of a failed read',
      [STARTED, error('system_error'), state('a', 0), INCOMPLETE],
      0,
      'although the read failed',
    ],
    ['INCOMPLETE without an error', [STARTED, state('a', 0), INCOMPLETE], 1, 'there is no error'],
  ])('finds %s', (_name, messages, exitCode, words) => {
    expect(violations(messages, exitCode)).toContain(words);
  });

  test('finds lines that are no messages, cut lines, and lines that Python splits', () => {
    expect(violations(GOOD, 0, 'hello\n')).toContain('a line is no message: hello');
    expect(violations(GOOD, 0, '{"type":"LOG"')).toContain('the last line has no end');
    expect(violations([{ type: 'LOG', log: { level: 'INFO', message: 'a\u2028b' } }, ...GOOD], 0)).toContain(
      'other lines',
    );
  });

  test('of a run that was cut, only what there is must be right', () => {
    const text = GOOD.map((message) => `${JSON.stringify(message)}\n`).join('');
    for (let length = 0; length < text.length; length += 1) {
      expect(
        findViolations(new AirbyteOutput(text.slice(0, length)), [{ name: 'a' }], { cut: true }),
      ).toEqual([]);
    }
    const wrong = new AirbyteOutput(`oops\n${text}{"typ`);
    expect(findViolations(wrong, [{ name: 'a' }], { cut: true })).toEqual(['a line is no message: oops']);
  });
});

test('splitLines splits as Python does', () => {
  expect(splitLines('a\nb\rc\r\nd\ve\ff\x1cg\x1dh\x1ei\x85j\u2028k\u2029l\n')).toEqual([...'abcdefghijkl']);
  expect(splitLines('')).toEqual([]);
  expect(splitLines('a\n\nb')).toEqual(['a', '', 'b']);
});
