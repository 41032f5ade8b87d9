import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConnectorFailure } from '../../../src/failure';
import { findState, parseStateInput } from '../../../src/protocol/state';
import type { StreamState } from '../../../src/protocol/output';
import { streams } from '../../../src/streams';
import { readCursor } from '../../../src/streams/cursor';
import { FakeHost } from './fake-context';

const FOLDER = join(__dirname, '../../fixtures/states');

function parse(stream: string, state: StreamState, host = new FakeHost()): StreamState | undefined {
  return streams.find(({ name }) => name === stream)!.parseState!(state, host);
}

/** State files in every form that Airbyte's connector ever wrote, and what each means to a stream. */
const FORMS: Record<string, { stream: string; means: StreamState | undefined }> = {
  'events-hour.json': { stream: 'events', means: { server_upload_time: '20240301T20' } },
  // The time of the latest event: its own hour may not have been read to its end.
  'events-isoformat.json': { stream: 'events', means: { server_upload_time: '20240301T19' } },
  'events-isoformat-without-fraction.json': {
    stream: 'events',
    means: { server_upload_time: '20240301T19' },
  },
  'events-with-space.json': { stream: 'events', means: { server_upload_time: '20240301T19' } },
  'events-slices.json': { stream: 'events', means: { server_upload_time: '20240301T20' } },
  // What lies behind the first gap is read again.
  'events-slices-with-gap.json': { stream: 'events', means: { server_upload_time: '20240301T07' } },
  'events-slices-and-legacy.json': { stream: 'events', means: { server_upload_time: '20240301T19' } },
  'events-event-time.json': { stream: 'events', means: undefined },
  'events-global.json': { stream: 'events', means: { server_upload_time: '20240301T20' } },
  'events-from-pyairbyte.json': { stream: 'events', means: { server_upload_time: '20240301T20' } },
  'events-messages.jsonl': { stream: 'events', means: { server_upload_time: '20240301T20' } },
  'all-legacy-message.json': { stream: 'average_session_length', means: { date: '2024-03-01' } },
  'all-legacy-object.json': { stream: 'active_users', means: { date: '2024-03-01' } },
  'daily-date.json': { stream: 'active_users', means: { date: '2024-03-01' } },
  'daily-date-time.json': { stream: 'average_session_length', means: { date: '2024-03-01' } },
  'daily-slices.json': { stream: 'average_session_length', means: { date: '2024-03-01' } },
};

describe('state files that Airbyte’s connector wrote', () => {
  it('are all in the table', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(Object.keys(FORMS).sort());
  });

  it.each(Object.entries(FORMS))('%s', (file, { stream, means }) => {
    const states = parseStateInput(readFileSync(join(FOLDER, file), 'utf8'));
    const saved = findState(states, { name: stream });
    expect(saved).toBeDefined();
    expect(parse(stream, saved!)).toEqual(means);
  });

  it('mean the same once they are in our own form', () => {
    for (const { stream, means } of Object.values(FORMS)) {
      if (means) expect(parse(stream, means)).toEqual(means);
    }
  });

  it('of before 0.2.0 are said to be left out', () => {
    const host = new FakeHost();
    expect(parse('events', { event_time: '2022-05-01 10:20:30.123456' }, host)).toBeUndefined();
    expect(host.warnings).toEqual([expect.stringMatching(/^WARN events:.*event_time.*start date/)]);
  });
});

describe('rarer forms', () => {
  const dateRange = (...slices: object[]): StreamState => ({
    state_type: 'date-range',
    slices,
    use_global_cursor: false,
    lookback_window: 7200,
  });
  it.each<[string, StreamState, StreamState]>([
    [
      'events',
      dateRange({ start: '2024-01-01T00:00:00.000Z', end: '2024-01-02T05:00:00.000Z' }),
      { server_upload_time: '20240102T04' },
    ],
    [
      'events',
      { state_type: 'date-range', slices: [], legacy: { server_upload_time: '20240101T20' } },
      { server_upload_time: '20240101T20' },
    ],
    ['events', { server_upload_time: '2023-12-31T23:30:00-01:00' }, { server_upload_time: '20231231T23' }],
    ['events', { server_upload_time: '2024-01-01T00:00:00Z' }, { server_upload_time: '20231231T23' }],
    [
      'active_users',
      dateRange(
        { start: '2024-03-01', end: '2024-03-31', most_recent_cursor_value: '2024-03-31' },
        { start: '2023-12-01', end: '2024-01-31', most_recent_cursor_value: '2024-01-15' },
      ),
      { date: '2024-01-15' },
    ],
    [
      'new_users',
      { state_type: 'date-range', slices: [], legacy: { date: '2024-01-15' } },
      { date: '2024-01-15' },
    ],
    ['active_users', { date: '2024-02-29', __ab_note: 1 }, { date: '2024-02-29' }],
  ])('%s: %j', (stream, state, means) => {
    expect(parse(stream, state)).toEqual(means);
  });
});

describe('states without a cursor', () => {
  it.each([{}, { __ab_no_cursor_state_message: true }, { __ab_full_refresh_sync_complete: true }])(
    '%j mean that nothing was read yet',
    (state) => {
      expect(parse('events', state)).toBeUndefined();
      expect(parse('active_users', state)).toBeUndefined();
    },
  );
});

describe('states that cannot be used', () => {
  const MALFORMED: [string, StreamState][] = [
    ['events', { server_upload_time: '20240230T05' }],
    ['events', { server_upload_time: '20240101T24' }],
    ['events', { server_upload_time: '20240101' }],
    ['events', { server_upload_time: '2024-01-01' }],
    ['events', { server_upload_time: '2023-02-29T00:00:00+00:00' }],
    ['events', { server_upload_time: '2024-01-01T00:00:0' }],
    ['events', { server_upload_time: '9999-12-31T23:59:59-12:00' }],
    ['events', { server_upload_time: 'now' }],
    ['events', { server_upload_time: '' }],
    ['events', { server_upload_time: null }],
    ['events', { server_upload_time: 20240101 }],
    ['events', { server_upload_time: ['20240101T20'] }],
    ['events', { server_upload_time: { value: '20240101T20' } }],
    ['events', { date: '2024-01-01' }],
    ['events', { cursor: '20240101T20' }],
    ['events', { event_time: 5 }],
    ['events', { state_type: 'date-range' }],
    ['events', { state_type: 'date-range', slices: [] }],
    ['events', { state_type: 'date-range', slices: {} }],
    ['events', { state_type: 'date-range', slices: [null] }],
    ['events', { state_type: 'date-range', slices: ['20240101T20'] }],
    ['events', { state_type: 'date-range', slices: [{ start: '20240101T20' }] }],
    ['events', { state_type: 'date-range', slices: [{ start: '20240101T20', end: 5 }] }],
    ['events', { slices: [], legacy: null }],
    ['events', { slices: [], legacy: {} }],
    ['active_users', { date: '2024-02-30' }],
    ['active_users', { date: '20240101' }],
    ['active_users', { date: '2024-01' }],
    ['active_users', { date: '9999-12-31T23:00:00-12:00' }],
    ['active_users', { date: '' }],
    ['active_users', { date: null }],
    ['active_users', { date: 5 }],
    ['new_users', { server_upload_time: '20240101T20' }],
    ['average_session_length', { slices: [{ start: '2024-01-01', end: 'x' }] }],
  ];

  it.each(MALFORMED)('of %s: %j', (stream, state) => {
    let thrown: unknown;
    try {
      parse(stream, state);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ConnectorFailure);
    expect(thrown).toMatchObject({ kind: 'config', message: expect.stringContaining(`stream ${stream} `) });
  });
});

describe('readCursor', () => {
  it('prefers the field itself to slices, and slices to the legacy part', () => {
    const legacy = { c: '3' };
    const slices = [{ start: '1', end: '2' }];
    expect(readCursor('s', 'c', { c: '1', slices, legacy })).toBe('1');
    expect(readCursor('s', 'c', { slices, legacy })).toBe('2');
    expect(readCursor('s', 'c', { slices: [], legacy })).toBe('3');
  });

  it('takes the lowest slice by its start, wherever it stands, and leaves the state as it is', () => {
    const slices = [
      { start: '2024-03', most_recent_cursor_value: '2024-04' },
      { start: '2024-01', most_recent_cursor_value: '2024-02' },
    ];
    const state = { slices };
    const before = JSON.stringify(state);
    expect(readCursor('s', 'c', state)).toBe('2024-02');
    expect(readCursor('s', 'c', { slices: slices.toReversed() })).toBe('2024-02');
    expect(JSON.stringify(state)).toBe(before);
  });
});
