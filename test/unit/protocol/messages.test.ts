import {
  connectionStatusMessage,
  errorTraceMessage,
  logMessage,
  recordMessage,
  specMessage,
  stateMessage,
  streamKey,
  streamStatusMessage,
  stringifyOnOneLine,
} from '../../../src/protocol/messages';
import { splitLines } from '../../harness/airbyte-output';

describe('messages', () => {
  test.each([
    [
      'spec',
      specMessage({ connectionSpecification: {} }),
      '{"type":"SPEC","spec":{"connectionSpecification":{}}}',
    ],
    [
      'a status without a message has no message key',
      connectionStatusMessage('SUCCEEDED'),
      '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}',
    ],
    [
      'a failed status',
      connectionStatusMessage('FAILED', 'no'),
      '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"FAILED","message":"no"}}',
    ],
    [
      'a record has an integer time',
      recordMessage({ name: 's' }, { a: 1 }, 12.7),
      '{"type":"RECORD","record":{"stream":"s","emitted_at":12,"data":{"a":1}}}',
    ],
    [
      'a record echoes its namespace, even an empty one',
      recordMessage({ name: 's', namespace: '' }, { a: 1 }, 12),
      '{"type":"RECORD","record":{"stream":"s","namespace":"","emitted_at":12,"data":{"a":1}}}',
    ],
    [
      'a state',
      stateMessage({ name: 's' }, { date: '2026-01-01' }, 5),
      '{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"s"},"stream_state":{"date":"2026-01-01"}},"sourceStats":{"recordCount":5}}}',
    ],
    ['a log', logMessage('WARN', 'x'), '{"type":"LOG","log":{"level":"WARN","message":"x"}}'],
    [
      'an error trace',
      errorTraceMessage({ message: 'm', failure_type: 'config_error' }, 9.9),
      '{"type":"TRACE","trace":{"type":"ERROR","emitted_at":9,"error":{"message":"m","failure_type":"config_error"}}}',
    ],
    [
      'a plain status has no reasons',
      streamStatusMessage({ name: 's', namespace: 'n' }, 'STARTED', 1),
      '{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":1,"stream_status":{"stream_descriptor":{"name":"s","namespace":"n"},"status":"STARTED"}}}',
    ],
    [
      'a rate limit has an integer reset time',
      streamStatusMessage({ name: 's' }, 'RUNNING', 1, 1767229200000.5),
      '{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":1,"stream_status":{"stream_descriptor":{"name":"s"},"status":"RUNNING","reasons":[{"type":"RATE_LIMITED","rate_limited":{"quota_reset":1767229200000}}]}}}',
    ],
  ])('%s', (_name, message, line) => {
    expect(stringifyOnOneLine(message)).toBe(line);
  });

  test('only the keys of a descriptor are written, whatever else it carries', () => {
    const configured = { name: 's', syncMode: 'incremental', selectedFields: new Set(['a']) };
    expect(stringifyOnOneLine(stateMessage(configured, {}, 0))).toContain('"stream_descriptor":{"name":"s"}');
  });

  test('every line separator of Python is escaped and comes back', () => {
    const separators = '\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029';
    const line = stringifyOnOneLine({ [separators]: separators });
    expect(splitLines(line)).toEqual([line]);
    expect(JSON.parse(line)).toEqual({ [separators]: separators });
  });

  test('a namespace never makes two streams share a key', () => {
    const keys = [
      streamKey({ name: 'a' }),
      streamKey({ name: 'a', namespace: '' }),
      streamKey({ name: 'b', namespace: 'a' }),
      streamKey({ name: 'a","b', namespace: '' }),
      streamKey({ name: 'b', namespace: '","a' }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});
