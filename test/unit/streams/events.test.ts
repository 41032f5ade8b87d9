import { ArchiveCorrupt } from '../../../src/amplitude/archive-corrupt';
import { ConnectorFailure } from '../../../src/failure';
import { events } from '../../../src/streams/events';
import type { StreamSettings } from '../../../src/streams/stream';
import { formatHour, parseHour } from '../../../src/time/hours';
import type { HourWindow } from '../../../src/time/windows';
import {
  archiveAnswer,
  collect,
  EMPTY,
  FakeApi,
  FakeArchive,
  FakeHost,
  NOW,
  open,
  readAll,
  settingsOf,
  tooLarge,
  type FakeMember,
  type Given,
} from './fake-context';

const HOUR_MS = 3_600_000;
const hour = (text: string): number => parseHour(text)!;
const at = (text: string): number => Date.parse(text);

/** One event for each hour, whose uuid says which. */
const lineOf = (of: number, uuid = formatHour(of)): string => `{"uuid":"${uuid}"}\n`;
const membersOf = ({ first, last }: HourWindow): FakeMember[] =>
  Array.from({ length: last - first + 1 }, (_, index) => ({
    hour: first + index,
    text: lineOf(first + index),
  }));

/** A project with an event in every hour; remembers its archives. */
function project(answer?: (window: HourWindow) => ReturnType<typeof archiveAnswer> | undefined): {
  api: FakeApi;
  archives: FakeArchive[];
} {
  const archives: FakeArchive[] = [];
  const api = new FakeApi({
    export: (window) => {
      const special = answer?.(window);
      if (special) return special;
      const archive = new FakeArchive(membersOf(window));
      archives.push(archive);
      return archiveAnswer(archive);
    },
  });
  return { api, archives };
}

/** `20261001T05` for a record, `=20261001T05` for a state. */
const show = (given: readonly Given[]): string[] =>
  given.map((one) =>
    'state' in one ? `=${String(one.state['server_upload_time'])}` : (one.record as { uuid: string }).uuid,
  );
const stateOf = (text: string): { server_upload_time: string } => ({ server_upload_time: text });
const range = (startText: string, endText: string): Partial<StreamSettings> => ({
  startMs: at(startText),
  endMs: at(endText),
});

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

describe('windows that are too large', () => {
  it('are halved, and no hour is read twice', async () => {
    const { api, archives } = project(({ first, last }) => (last - first >= 6 ? tooLarge() : undefined));
    const { records, states, error } = await readAll(events, api, {
      settings: range('2026-10-01T00:00:00Z', '2026-10-02T00:00:00Z'),
    });
    expect(error).toBeUndefined();
    expect(records).toHaveLength(24);
    expect(new Set(records.map((record) => (record as { uuid: string }).uuid)).size).toBe(24);
    expect(states.at(-1)).toEqual(stateOf('20261001T23'));
    expect(api.exports).toHaveLength(6);
    expect(archives.map(({ closed }) => closed)).toEqual([1, 1, 1, 1]);
  });

  it('at one hour fail with the advice, after every hour before was given', async () => {
    const heavy = hour('20261001T13');
    const { api, archives } = project(({ first, last }) =>
      first <= heavy && heavy <= last ? tooLarge('use Amazon S3') : undefined,
    );
    const { given, error } = await readAll(events, api, {
      settings: range('2026-10-01T00:00:00Z', '2026-10-02T00:00:00Z'),
    });
    expect(error).toMatchObject({ kind: 'config', message: 'use Amazon S3' });
    const shown = show(given);
    expect(shown.at(-1)).toBe('=20261001T12');
    expect(shown.filter((one) => !one.startsWith('='))).toEqual(
      Array.from({ length: 13 }, (_, index) => formatHour(hour('20261001T00') + index)),
    );
    expect(api.windows.at(-1)).toBe('20261001T13..20261001T13');
    expect(archives.every(({ closed }) => closed === 1)).toBe(true);
  });

  it('are made smaller ahead of time when the disk has too little room', async () => {
    const { api } = project((window) =>
      archiveAnswer(new FakeArchive(membersOf(window), (window.last - window.first + 1) * 100)),
    );
    api.budgetBytes = 600;
    await readAll(events, api, { settings: range('2026-10-01T00:00:00Z', '2026-10-03T00:00:00Z') });
    expect(api.exports.map(({ first, last }) => last - first + 1)).toEqual([24, 6, 6, 6, 6]);
  });
});

describe('failures', () => {
  const week = { ...range('2026-09-01T00:00:00Z', '2026-09-08T00:00:00Z') };

  it('of a download come after the window before it was given', async () => {
    const failure = new ConnectorFailure('transient', 'lost');
    const { api, archives } = project(({ first }) => {
      if (first >= hour('20260903T00')) throw failure;
      return undefined;
    });
    const { error, states, records } = await readAll(events, api, { settings: week });
    expect(error).toBe(failure);
    expect(records).toHaveLength(48);
    expect(states.at(-1)).toEqual(stateOf('20260902T23'));
    expect(archives.map(({ closed }) => closed)).toEqual([1, 1]);
  });

  it('of a line name member, line and byte, and never what it holds; later hours stay unread', async () => {
    const { api } = project((window) => {
      const members = membersOf(window);
      members[2] = { hour: window.first + 2, text: '{"uuid":"ok"}\n\n{"uuid":"private\n{"uuid":"after"}\n' };
      return archiveAnswer(new FakeArchive(members));
    });
    const { error, given } = await readAll(events, api, {
      settings: range('2026-10-01T00:00:00Z', '2026-10-01T06:00:00Z'),
    });
    expect(error).toMatchObject({ kind: 'system' });
    const { message } = error as ConnectorFailure;
    expect(message).toContain('Line 3 (byte 15)');
    expect(message).toContain('1/1_20261001T02#0.json.gz');
    expect(message).toContain('20261001T02');
    expect(message).not.toContain('private');
    expect(show(given).filter((one) => one.startsWith('='))).toEqual(['=20261001T00', '=20261001T01']);
    expect(show(given)).not.toContain('20261001T03');
  });

  it('of a line are left out and counted when the configuration says so', async () => {
    const host = new FakeHost();
    const text = '{"uuid":"a"}\n[1]\nnot json\n{"uuid":"b"}';
    const { api } = project(({ first }) => archiveAnswer(new FakeArchive([{ hour: first, text }])));
    const { error, given } = await readAll(events, api, {
      host,
      settings: { ...range('2026-10-01T00:00:00Z', '2026-10-01T01:00:00Z'), onMalformedLine: 'skip' },
    });
    expect(error).toBeUndefined();
    expect(show(given)).toEqual(['a', 'b', '=20261001T00']);
    expect(host.tallies['malformed lines left out']).toBe(2);
    expect(host.warnings).toEqual([expect.stringMatching(/Line 2 .*: 2\.$/)]);
  });

  it('of a member that is damaged lead to another download, and what was given is not given again', async () => {
    const window = range('2026-10-01T00:00:00Z', '2026-10-01T03:00:00Z');
    let downloads = 0;
    const { api } = project(({ first, last }) => {
      downloads += 1;
      if (downloads > 1) return undefined;
      const members = membersOf({ first, last });
      members[1] = { hour: first + 1, text: [lineOf(first + 1).slice(0, 9), new ArchiveCorrupt('cut')] };
      return archiveAnswer(new FakeArchive(members));
    });
    const { given, error } = await readAll(events, api, { settings: window });
    expect(error).toBeUndefined();
    expect(show(given).filter((one) => !one.startsWith('='))).toEqual([
      '20261001T00',
      '20261001T01',
      '20261001T02',
    ]);
    expect(show(given).at(-1)).toBe('=20261001T02');
    expect(api.windows).toEqual(['20261001T00..20261001T02', '20261001T01..20261001T02']);
    expect(api.backOffs).toEqual([1]);
  });

  it('of a member that stays damaged fail the stream after the hours before it', async () => {
    const { api } = project(({ first, last }) => {
      const members = membersOf({ first, last }).map((member) =>
        member.hour === hour('20261001T01') ? { ...member, text: [new ArchiveCorrupt('cut')] } : member,
      );
      return archiveAnswer(new FakeArchive(members));
    });
    const { given, error } = await readAll(events, api, {
      settings: range('2026-10-01T00:00:00Z', '2026-10-01T03:00:00Z'),
    });
    expect(error).toMatchObject({ kind: 'transient', message: expect.stringContaining('cut') });
    expect(show(given)).toEqual(['20261001T00', '=20261001T00']);
    expect(api.backOffs).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('archives', () => {
  it('are two at most at a time: the next one comes while one is read', async () => {
    let openNow = 0;
    let most = 0;
    const api = new FakeApi({
      export: (window) => {
        openNow += 1;
        most = Math.max(most, openNow);
        const archive = new FakeArchive(membersOf(window));
        const close = archive.close.bind(archive);
        archive.close = async () => {
          openNow -= 1;
          await close();
        };
        return archiveAnswer(archive);
      },
    });
    await readAll(events, api, { settings: range('2026-09-01T00:00:00Z', '2026-09-08T00:00:00Z') });
    expect(most).toBe(2);
    expect(openNow).toBe(0);
  });

  it('are asked for before the first is read', async () => {
    const { api } = project();
    const host = new FakeHost();
    const settings = settingsOf(range('2026-09-01T00:00:00Z', '2026-09-08T00:00:00Z'));
    const source = events.read({ api, host, settings }, undefined);
    expect(open((await source.next()).value!)).toHaveLength(1);
    expect(api.exports).toHaveLength(2);
    await source.return();
  });

  it('are closed, and the download under way is stopped, when the reader stops early', async () => {
    const archives: FakeArchive[] = [];
    const stopped: boolean[] = [];
    const api = new FakeApi({
      export: (window, stop) => {
        if (api.exports.length > 1) {
          // A download that lasts until it is stopped.
          return new Promise((_resolve, reject) => {
            stop!.addEventListener('abort', () => {
              stopped.push(true);
              reject(stop!.reason as Error);
            });
          });
        }
        archives.push(new FakeArchive(membersOf(window)));
        return archiveAnswer(archives[0]!);
      },
    });
    const settings = settingsOf(range('2026-09-01T00:00:00Z', '2026-09-08T00:00:00Z'));
    const source = events.read({ api, host: new FakeHost(), settings }, undefined);
    await source.next();
    await source.return();
    expect(stopped).toEqual([true]);
    expect(archives.map(({ closed }) => closed)).toEqual([1]);
  });

  it('that were fetched ahead are closed too, when the reader stops early', async () => {
    const { api, archives } = project();
    const settings = settingsOf(range('2026-09-01T00:00:00Z', '2026-09-08T00:00:00Z'));
    const source = events.read({ api, host: new FakeHost(), settings }, undefined);
    await source.next();
    await source.return();
    expect(archives).toHaveLength(2);
    expect(archives.map(({ closed }) => closed)).toEqual([1, 1]);
  });

  it('are closed when the run is stopped in the middle of a member', async () => {
    const host = new FakeHost();
    const archives: FakeArchive[] = [];
    const api = new FakeApi({
      export: (window) => {
        const pieces = Array.from({ length: 50 }, (_, index) => lineOf(window.first, `${index}`));
        const archive = new FakeArchive([{ hour: window.first, text: pieces }]);
        archives.push(archive);
        return archiveAnswer(archive);
      },
    });
    const settings = settingsOf(range('2026-09-01T00:00:00Z', '2026-09-03T00:00:00Z'));
    host.stop.abort(new Error('stopped'));
    const { error, states } = await collect(events.read({ api, host, settings }, undefined));
    expect(error).toMatchObject({ message: 'stopped' });
    expect(states).toEqual([]);
    expect(archives.map(({ closed }) => closed)).toEqual([1, 1]);
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
