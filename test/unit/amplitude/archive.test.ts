import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { openArchive } from '../../../src/amplitude/archive';
import { formatHour } from '../../../src/time/hours';
import {
  layoutOf,
  member,
  type Member,
  nameOf,
  openFiles,
  pack,
  packQuickly,
  patch,
  Samples,
  TEXT,
  textOf,
} from './archive-samples';

const samples = new Samples();
afterAll(() => samples.remove());

describe('archives in every form that a ZIP may have', () => {
  it.each<[string, Member['form'], object]>([
    ['deflated members', undefined, {}],
    ['stored members', 'stored', {}],
    ['data descriptors', 'descriptor', {}],
    ['ZIP64 members', 'zip64', {}],
    ['a ZIP64 end', undefined, { forceZip64Format: true }],
    ['ZIP64 members and a ZIP64 end', 'zip64', { forceZip64Format: true }],
    ['a comment', undefined, { comment: 'packed by hand' }],
    ['a comment of 60,000 bytes', undefined, { comment: 'c'.repeat(60_000) }],
    ['the longest comment', 'stored', { comment: 'c'.repeat(65_535) }],
    ['a ZIP64 end and a long comment', 'descriptor', { forceZip64Format: true, comment: 'c'.repeat(60_000) }],
  ])('%s', async (_form, form, end) => {
    const zip = await pack([member(0, form), member(1, form), member(2, form)], end);
    expect(await samples.read(zip)).toEqual([textOf(0), textOf(1), textOf(2)]);
  });

  it('members of several forms, and folders, which are left out', async () => {
    const zip = await pack([
      { name: '310022/', data: Buffer.alloc(0), form: 'folder' },
      member(0, 'stored'),
      member(1, 'descriptor'),
      member(2, 'zip64'),
      member(3),
    ]);
    expect(await samples.read(zip)).toEqual([textOf(0), textOf(1), textOf(2), textOf(3)]);
  });

  it('a folder alone, which holds nothing', async () => {
    const zip = await pack([{ name: '310022/', data: Buffer.alloc(0), form: 'folder' }]);
    expect(await samples.read(zip)).toEqual([]);
  });

  it('members whose bytes look like the end of an archive', async () => {
    const trap = 'PK\x05\x06'.repeat(20) + 'PK\x01\x02' + TEXT;
    const zip = await pack([{ name: nameOf(0), data: Buffer.from(trap, 'latin1'), form: 'stored' }]);
    expect(await samples.read(zip)).toEqual([{ name: nameOf(0), text: trap }]);
  });

  it('a comment that looks like the end of an archive', async () => {
    const zip = await pack([member(0)], { comment: 'four and much more than such a record would hold' });
    expect(await samples.read(patch(zip, zip.lastIndexOf('four'), 'PK\x05\x06'))).toEqual([textOf(0)]);
  });

  it.each([
    ['text that is not gzip', Buffer.from(TEXT), TEXT],
    ['nothing', Buffer.alloc(0), ''],
    ['gzip of nothing', gzipSync(''), ''],
    ['one byte', Buffer.from('{'), '{'],
    ['two gzip files, one after the other', Buffer.concat([gzipSync('a\n'), gzipSync('b\n')]), 'a\nb\n'],
    ['gzip and a filling of zeros', Buffer.concat([gzipSync(TEXT), Buffer.alloc(512)]), TEXT],
    ['more than a megabyte', gzipSync('x'.repeat(3_000_000)), 'x'.repeat(3_000_000)],
  ])('a member that holds %s', async (_what, data, text) => {
    for (const form of ['stored', undefined, 'descriptor'] as const) {
      const zip = await pack([{ name: nameOf(0), data, ...(form && { form }) }]);
      expect(await samples.read(zip)).toEqual([{ name: nameOf(0), text }]);
    }
  });

  it.each([
    '../../../../tmp/evil.json.gz',
    '/etc/passwd_______________x',
    'C:\\windows\\evil.json.gz',
    '\0'.repeat(20),
  ])('a member with the name %j, which is only shown', async (hostile) => {
    const name = 'n'.repeat(hostile.length);
    let zip = await pack([{ name, data: gzipSync(TEXT) }]);
    const { locals, entries } = layoutOf(zip);
    zip = patch(patch(zip, locals[0]! + 30, hostile), entries[0]! + 46, hostile);
    expect(await samples.read(zip)).toEqual([{ name: hostile, text: TEXT }]);
  });
});

describe('members', () => {
  it('come in the order of their hours and parts; those without an hour come last', async () => {
    const names = [
      '310022/readme.json.gz',
      nameOf(10),
      nameOf(9, 10),
      nameOf(9, 2),
      '310022/310022_2026-10-03_23#0.json.gz',
      nameOf(0),
      '310022/a.json.gz',
    ];
    const zip = await pack(names.map((name) => ({ name, data: gzipSync(TEXT) })));
    const archive = await openArchive(samples.save(zip));
    const shown = archive.members.map(({ name, hour }) => [name, hour === undefined ? '' : formatHour(hour)]);
    await archive.close();
    expect(shown).toEqual([
      ['310022/310022_2026-10-03_23#0.json.gz', '20261003T23'],
      [nameOf(0), '20261004T00'],
      [nameOf(9, 2), '20261004T09'],
      [nameOf(9, 10), '20261004T09'],
      [nameOf(10), '20261004T10'],
      ['310022/a.json.gz', ''],
      ['310022/readme.json.gz', ''],
    ]);
    expect(archive.bytes).toBe(zip.length);
  });

  it('have the same fingerprint in another archive exactly when name and bytes are the same', async () => {
    const fingerprints = async (...members: Member[]): Promise<string[]> => {
      const archive = await openArchive(samples.save(await pack(members)));
      await archive.close();
      return archive.members.map(({ fingerprint }) => fingerprint);
    };
    const [first] = await fingerprints(member(0, 'stored'), member(1));
    expect(await fingerprints(member(0))).toEqual([first]);
    expect(await fingerprints(member(0, undefined, 'other'))).not.toEqual([first]);
    expect(await fingerprints({ ...member(0), name: nameOf(0, 1) })).not.toEqual([first]);
  });

  it('can be read several times, at once, and in any order', async () => {
    const archive = await openArchive(samples.save(await pack([member(0, 'stored'), member(1)])));
    const [first, second] = archive.members;
    const texts = await Promise.all(
      [second!, first!, second!, first!].map(async (one) => (await buffer(await one.openText())).toString()),
    );
    await archive.close();
    expect(texts).toEqual([1, 0, 1, 0].map((hour) => textOf(hour).text));
  });

  it.each<[Member['form'] | 'deflated', string]>([
    ['stored', 'gzip'],
    ['stored', 'plain'],
    ['deflated', 'gzip'],
    ['deflated', 'plain'],
  ])('left in the middle (%s, %s) leave the others readable and the file closable', async (form, content) => {
    const text = 'some text that is long enough to come in several pieces\n'.repeat(100_000);
    const data = content === 'gzip' ? gzipSync(text, { level: 0 }) : Buffer.from(text);
    const large: Member = { name: nameOf(0), data, ...(form === 'stored' && { form }) };
    const path = samples.save(await pack([large, member(1)]));
    const archive = await openArchive(path);
    const reader = await archive.members[0]!.openText();
    for await (const chunk of reader) {
      expect((chunk as Buffer).length).toBeGreaterThan(0);
      break;
    }
    const abandoned = await archive.members[0]!.openText();
    abandoned.destroy();
    expect((await buffer(await archive.members[1]!.openText())).toString()).toBe(textOf(1).text);
    await archive.close();
    expect(openFiles(path)).toBe(0);
  });

  it('in their tens of thousands open in little memory', async () => {
    const count = 20_000;
    const members = Array.from({ length: count }, (_, index) => ({
      name: `310022/310022_2026-10-04_${index % 24}#${Math.floor(index / 24)}.json.gz`,
      data: index % 2 ? Buffer.from(`{"n":${index}}\n`) : gzipSync(`{"n":${index}}\n`, { level: 1 }),
    }));
    const path = samples.save(packQuickly(members));
    const before = process.memoryUsage();
    const archive = await openArchive(path);
    const after = process.memoryUsage();
    expect(archive.members).toHaveLength(count);
    const used = after.heapUsed + after.external - before.heapUsed - before.external;
    // Garbage that was not collected included: 10 KB for each.
    expect(used).toBeLessThan(count * 10_000);
    expect((await buffer(await archive.members[0]!.openText())).toString()).toBe('{"n":0}\n');
    expect((await buffer(await archive.members[count - 1]!.openText())).toString()).toMatch(
      /^\{"n":\d+\}\n$/,
    );
    await archive.close();
    expect(openFiles(path)).toBe(0);
  }, 300_000);
});
