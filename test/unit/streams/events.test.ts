import { events } from '../../../src/streams/events';
import type { StreamSettings } from '../../../src/streams/stream';
import { archiveAnswer, EMPTY, FakeArchive, FakeHost, NOW, readAll } from './fake-context';
import { at, hour, lineOf, membersOf, project, range, show, stateOf } from './events-project';

const HOUR_MS = 3_600_000;

describe('which hours are read', () => {
  const cases: [string, { state?: string; settings?: Partial<StreamSettings> }, string[]][] = [
    // It is 12:34, so that 09 is the last hour that is complete.
    [
      'from the start to the last complete hour',
      {},
      ['20261001T00..20261001T23', '20261004T00..20261004T09'],
    ],
    [
      'the hours of the lookback again, up to and including the hour of the state',
      { state: '20261004T05' },
      ['20261004T03..20261004T09', '20261004T03..20261004T09'],
    ],
    [
      'none of them without a lookback',
      { state: '20261004T05', settings: { lookbackHours: 0 } },
      ['20261004T06..20261004T09', '20261004T06..20261004T09'],
    ],
    [
      'not before the start date',
      { state: '20261001T02', settings: { lookbackHours: 168 } },
      ['20261001T00..20261001T23', '20261004T00..20261004T09'],
    ],
    [
      'the whole hour in which the start lies',
      { settings: { startMs: at('2026-10-04T05:59:59Z') } },
      ['20261004T05..20261004T09', '20261004T05..20261004T09'],
    ],
    [
      'from a start date behind the state',
      { state: '20261002T05', settings: { startMs: at('2026-10-04T08:00:00Z') } },
      ['20261004T08..20261004T09', '20261004T08..20261004T09'],
    ],
    [
      'from the state, whatever a start that is a duration has come to since',
      { state: '20261002T05', settings: { startMs: at('2026-10-04T08:00:00Z'), startIsRelative: true } },
      ['20261002T03..20261003T02', '20261004T03..20261004T09'],
    ],
    [
      'from a start that is a duration where there is no state',
      { settings: { startMs: at('2026-10-04T08:00:00Z'), startIsRelative: true } },
      ['20261004T08..20261004T09', '20261004T08..20261004T09'],
    ],
    [
      'up to an end, exclusive',
      { settings: range('2026-10-01T00:00:00Z', '2026-10-01T03:00:00Z') },
      ['20261001T00..20261001T02', '20261001T00..20261001T02'],
    ],
    [
      'the hour in which the end lies',
      { settings: range('2026-10-01T00:00:00Z', '2026-10-01T03:00:01Z') },
      ['20261001T00..20261001T03', '20261001T00..20261001T03'],
    ],
    [
      'no further than is complete, when the end lies ahead',
      { settings: range('2026-10-04T08:00:00Z', '2027-01-01T00:00:00Z') },
      ['20261004T08..20261004T09', '20261004T08..20261004T09'],
    ],
    [
      'the lookback alone, when the state is up to date',
      { state: '20261004T09' },
      Array(2).fill('20261004T07..20261004T09'),
    ],
    ['nothing, when the start lies ahead', { settings: { startMs: NOW + HOUR_MS } }, []],
    [
      'nothing, when the start lies in hours that are not complete',
      { settings: { startMs: at('2026-10-04T10:00:00Z') } },
      [],
    ],
    [
      'an hour as soon as it is three hours old, and not a moment before',
      { state: '20261004T08', settings: { lookbackHours: 0, nowMs: at('2026-10-04T12:00:00Z') } },
      ['20261004T09..20261004T09', '20261004T09..20261004T09'],
    ],
    [
      'an hour not before it is three hours old',
      { state: '20261004T08', settings: { lookbackHours: 0, nowMs: at('2026-10-04T11:59:59Z') } },
      [],
    ],
    [
      'over the end of a leap February',
      { settings: { ...range('2024-02-28T22:00:00Z', '2024-03-01T02:00:00Z'), windowHours: 48 } },
      ['20240228T22..20240301T01', '20240228T22..20240301T01'],
    ],
  ];
  it.each(cases)('%s', async (_rule, { state, settings }, ends) => {
    const { api } = project();
    const { error } = await readAll(events, api, {
      ...(state && { state: stateOf(state) }),
      ...(settings && { settings }),
    });
    expect(error).toBeUndefined();
    const windows = api.windows;
    expect(windows.length === 0 ? [] : [windows[0], windows.at(-1)]).toEqual(ends);
  });

  it('are divided by the window size', async () => {
    const { api } = project();
    await readAll(events, api, {
      settings: { ...range('2026-10-01T00:00:00Z', '2026-10-01T10:00:00Z'), windowHours: 4 },
    });
    expect(api.windows).toEqual([
      '20261001T00..20261001T03',
      '20261001T04..20261001T07',
      '20261001T08..20261001T09',
    ]);
  });
});

describe('states', () => {
  const day = range('2026-10-01T00:00:00Z', '2026-10-01T03:00:00Z');

  it('follow each hour', async () => {
    const { given } = await readAll(events, project().api, { settings: day });
    expect(show(given)).toEqual([
      '20261001T00',
      '=20261001T00',
      '20261001T01',
      '=20261001T01',
      '20261001T02',
      '=20261001T02',
    ]);
  });

  it('follow the last part of an hour, and count hours without a member as read', async () => {
    const { api } = project(({ first, last }) =>
      archiveAnswer(
        new FakeArchive([
          { hour: first + 1, part: 0, text: lineOf(first + 1, 'a') },
          { hour: first + 1, part: 1, text: lineOf(first + 1, 'b') },
          { hour: last - 1, text: lineOf(last - 1, 'c') },
        ]),
      ),
    );
    const { given } = await readAll(events, api, {
      settings: range('2026-10-01T00:00:00Z', '2026-10-01T08:00:00Z'),
    });
    expect(show(given)).toEqual(['a', 'b', '=20261001T05', 'c', '=20261001T07']);
  });

  it('do not go back while the lookback is read, and go on after it', async () => {
    const { given } = await readAll(events, project().api, {
      state: stateOf('20261004T07'),
      settings: { lookbackHours: 5 },
    });
    expect(show(given).filter((one) => one.startsWith('='))).toEqual([
      '=20261004T07',
      '=20261004T07',
      '=20261004T07',
      '=20261004T07',
      '=20261004T07',
      '=20261004T08',
      '=20261004T09',
    ]);
  });

  it('move over windows without data', async () => {
    const { api } = project(() => EMPTY);
    const { given } = await readAll(events, api, {
      settings: range('2026-09-01T00:00:00Z', '2026-09-05T00:00:00Z'),
    });
    expect(show(given)).toEqual(['=20260901T23', '=20260902T23', '=20260904T23']);
    expect(api.windows).toHaveLength(3);
  });

  it('that lie ahead of the clock are believed, kept, and warned of', async () => {
    const host = new FakeHost();
    const { api } = project();
    const { given, error } = await readAll(events, api, { host, state: stateOf('20300101T00') });
    expect([given, error, api.exports]).toEqual([[], undefined, []]);
    expect(host.warnings).toEqual([expect.stringContaining('20300101T00')]);
  });

  it('within the lookback of the clock are no reason to warn', async () => {
    const host = new FakeHost();
    await readAll(events, project().api, { host, state: stateOf('20261004T12') });
    expect(host.warnings).toEqual([]);
  });

  it.each([
    ['no hour', undefined],
    ['an hour outside of the window', hour('20261009T05')],
  ])('wait for the end of the window when a member says %s', async (_what, strange) => {
    const { api } = project((window) =>
      archiveAnswer(new FakeArchive([...membersOf(window), { hour: strange, text: lineOf(0, 'strange') }])),
    );
    const { given } = await readAll(events, api, { settings: day });
    expect(show(given)).toEqual(['20261001T00', '20261001T01', '20261001T02', 'strange', '=20261001T02']);
  });
});

describe('the log', () => {
  it('has a line for each window, with what it held, and counts them', async () => {
    const host = new FakeHost();
    const { api } = project(({ first }) => (first < hour('20260902T00') ? EMPTY : undefined));
    await readAll(events, api, { host, settings: range('2026-09-01T00:00:00Z', '2026-09-03T00:00:00Z') });
    const text = 24 * lineOf(0).length;
    expect(host.tallies).toEqual({ windows: 2 });
    expect(host.lines).toEqual([
      expect.stringMatching(/^INFO 20260901T00\.\.20260901T23: no data/),
      expect.stringMatching(
        new RegExp(
          `^INFO 20260902T00\\.\\.20260902T23: 24 records, ${text} bytes of text from an archive of 1000 bytes`,
        ),
      ),
    ]);
  });
});

it('fields that were not selected are left out', async () => {
  const host = new FakeHost(new Set(['app', 'city']));
  const text = '{"uuid":"a","app":5,"server_upload_time":"2026-10-01 00:00:00.000000","nested":{"app":1}}\n';
  const { api } = project(({ first }) => archiveAnswer(new FakeArchive([{ hour: first, text }])));
  const { records } = await readAll(events, api, {
    host,
    settings: range('2026-10-01T00:00:00Z', '2026-10-01T01:00:00Z'),
  });
  expect(records).toEqual([
    { uuid: 'a', server_upload_time: '2026-10-01T00:00:00+00:00', nested: { app: 1 } },
  ]);
});
