import { ArchiveCorrupt } from '../../../src/amplitude/archive-corrupt';
import { ConnectorFailure } from '../../../src/failure';
import { events } from '../../../src/streams/events';
import { formatHour } from '../../../src/time/hours';
import {
  archiveAnswer,
  collect,
  FakeApi,
  FakeArchive,
  FakeHost,
  open,
  readAll,
  settingsOf,
  tooLarge,
} from './fake-context';
import { hour, lineOf, membersOf, project, range, show, stateOf } from './events-project';

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

  it('because the disk was shared with the one before are asked for once more at one hour', async () => {
    const full = new ConnectorFailure('transient', 'full', undefined, { code: 'ENOSPC' });
    const asked: string[] = [];
    const { api, archives } = project(({ first }) => {
      asked.push(formatHour(first));
      if (archives.some(({ closed }) => closed === 0)) throw full;
      return undefined;
    });
    const settings = { ...range('2026-10-01T00:00:00Z', '2026-10-01T03:00:00Z'), windowHours: 1 };
    const { given, error } = await readAll(events, api, { settings });
    expect(error).toBeUndefined();
    expect(show(given).filter((one) => !one.startsWith('='))).toEqual(
      ['00', '01', '02'].map((one) => `20261001T${one}`),
    );
    expect(asked).toEqual(['00', '01', '01', '02', '02'].map((one) => `20261001T${one}`));
  });

  it('for the disk alone fail, after one more request at most', async () => {
    const full = new ConnectorFailure('transient', 'full', undefined, { code: 'ENOSPC' });
    const settings = { ...range('2026-10-01T00:00:00Z', '2026-10-01T03:00:00Z'), windowHours: 1 };
    for (const [hourThatFails, requests] of [
      ['20261001T00', 1],
      ['20261001T01', 3],
    ] as const) {
      const { api } = project(({ first }) => {
        if (first === hour(hourThatFails)) throw full;
        return undefined;
      });
      expect((await readAll(events, api, { settings })).error).toBe(full);
      expect(api.exports).toHaveLength(requests);
    }
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

  it('of a member that cannot be opened are damage: it is downloaded again', async () => {
    const archives = [new ArchiveCorrupt('no gzip'), '{"uuid":"a"}\n'].map(
      (text) => new FakeArchive([{ hour: hour('20261001T00'), text }]),
    );
    const left = [...archives];
    const { api } = project(() => archiveAnswer(left.shift()!));
    const { given, error } = await readAll(events, api, {
      settings: range('2026-10-01T00:00:00Z', '2026-10-01T01:00:00Z'),
    });
    expect(error).toBeUndefined();
    expect(show(given)).toEqual(['a', '=20261001T00']);
    expect(api.backOffs).toEqual([1]);
    expect(archives.map(({ closed }) => closed)).toEqual([1, 1]);
  });

  it('of a line before damage are reported, and those behind it after the next download', async () => {
    const host = new FakeHost();
    const [before, behind] = ['{"uuid":"a"}\n[1]\n[2]\n{"uuid":"b"}\n', '{"uuid":"c"}\nno json\n'];
    const archives = [
      [before, behind.slice(0, 5), new ArchiveCorrupt('cut')],
      [before, behind],
    ].map((text) => new FakeArchive([{ hour: hour('20261001T00'), text }]));
    const { api } = project(() => archiveAnswer(archives.shift()!));
    const { given, error } = await readAll(events, api, {
      host,
      settings: { ...range('2026-10-01T00:00:00Z', '2026-10-01T01:00:00Z'), onMalformedLine: 'skip' },
    });
    expect(error).toBeUndefined();
    expect(show(given)).toEqual(['a', 'b', 'c', '=20261001T00']);
    expect(host.tallies['malformed lines left out']).toBe(3);
    expect(host.warnings).toEqual([
      expect.stringMatching(/Line 2 .*: 2\.$/),
      expect.stringMatching(/Line 6 .*: 1\.$/),
    ]);
  });

  it('of a member whose new copy is damaged before what was given lead to one more download', async () => {
    const [first, second] = ['{"uuid":"a"}\n', '{"uuid":"b"}\n'];
    const archives = [
      [first, second.slice(0, 5), new ArchiveCorrupt('cut')],
      [first.slice(0, 5), new ArchiveCorrupt('cut earlier')],
      [first, second],
    ].map((text) => new FakeArchive([{ hour: hour('20261001T00'), text }]));
    const left = [...archives];
    const { api } = project(() => archiveAnswer(left.shift()!));
    const { given, error } = await readAll(events, api, {
      settings: range('2026-10-01T00:00:00Z', '2026-10-01T01:00:00Z'),
    });
    expect(error).toBeUndefined();
    expect(show(given)).toEqual(['a', 'b', '=20261001T00']);
    expect(api.backOffs).toEqual([1, 2]);
    expect(archives.map(({ closed }) => closed)).toEqual([1, 1, 1]);
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
    const source = events.read({ isFullRefresh: false, api, host, settings }, undefined);
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
    const source = events.read({ isFullRefresh: false, api, host: new FakeHost(), settings }, undefined);
    await source.next();
    await source.return();
    expect(stopped).toEqual([true]);
    expect(archives.map(({ closed }) => closed)).toEqual([1]);
  });

  it('that were fetched ahead are closed too, when the reader stops early', async () => {
    const { api, archives } = project();
    const settings = settingsOf(range('2026-09-01T00:00:00Z', '2026-09-08T00:00:00Z'));
    const source = events.read({ isFullRefresh: false, api, host: new FakeHost(), settings }, undefined);
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
    const { error, states } = await collect(
      events.read({ isFullRefresh: false, api, host, settings }, undefined),
    );
    expect(error).toMatchObject({ message: 'stopped' });
    expect(states).toEqual([]);
    expect(archives.map(({ closed }) => closed)).toEqual([1, 1]);
  });
});
