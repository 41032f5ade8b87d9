import { truncateSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { openArchive } from '../../../src/amplitude/archive';
import { ArchiveCorrupt } from '../../../src/amplitude/archive-corrupt';
import {
  complaintOf,
  layoutOf,
  member,
  type Member,
  nameOf,
  openFiles,
  pack,
  patch,
  Samples,
  TEXT,
  textOf,
} from './archive-samples';

/** Packed, more than what is read and inflated at once. */
const LARGE_TEXT = Array.from(
  { length: 5_000 },
  (_, line) => `${line} ${Math.sin(line)} ${Math.cos(line)}\n`,
).join('');

const HARDER = process.env['TEST_HARDER'] === '1';
const samples = new Samples();
afterAll(() => samples.remove());

describe.each([
  ['small', TEXT],
  ['large', LARGE_TEXT],
])('damaged archives of %s members', (_size, content) => {
  let zip: Buffer;
  beforeAll(async () => {
    zip = await pack([
      member(0, 'stored', content),
      member(1, undefined, content),
      member(2, 'descriptor', content),
    ]);
  });
  const entry = (index: number): number => layoutOf(zip).entries[index]!;
  const end = (): number => layoutOf(zip).end;

  it('with a wrong CRC-32 are told by the member', async () => {
    const complaint = complaintOf(await samples.read(patch(zip, entry(1) + 16, [1, 2, 3, 4])));
    expect(complaint).toContain(nameOf(1));
    expect(complaint).toContain('CRC-32');
  });

  it.each([
    ['uncompressed size of a stored member', 0, 24],
    ['uncompressed size of a deflated member', 1, 24],
    ['compressed size of a stored member', 0, 20],
  ])('with a wrong %s', async (_what, index, field) => {
    for (const change of [-1, 1, 1_000_000]) {
      const size = zip.readUInt32LE(entry(index) + field);
      const wrong = Buffer.from(zip);
      wrong.writeUInt32LE(size + change, entry(index) + field);
      expect(complaintOf(await samples.read(wrong))).toContain(nameOf(index));
    }
  });

  it('with a wrong compressed size of a deflated member are read exactly or not at all', async () => {
    const truth = await samples.read(zip);
    const size = zip.readUInt32LE(entry(1) + 20);
    for (const change of [-5, -1, 1, 5, 1_000_000]) {
      const wrong = Buffer.from(zip);
      wrong.writeUInt32LE(size + change, entry(1) + 20);
      const reading = await samples.read(wrong);
      // Deflate knows its own end: bytes that follow it do no harm.
      if (change < 0) expect(complaintOf(reading)).toContain(nameOf(1));
      else if (change > 1_000) expect(complaintOf(reading)).toMatch(/2026-10-04_1#0|file ends early/);
      else expect(reading).toEqual(truth);
    }
  });

  it('that are encrypted', async () => {
    const flags = zip.readUInt16LE(entry(0) + 8);
    const complaint = complaintOf(await samples.read(patch(zip, entry(0) + 8, [(flags & 0xff) | 1])));
    expect(complaint).toContain('is encrypted');
  });

  it.each([1, 9, 12, 93, 99])('that are compressed by method %d', async (method) => {
    const complaint = complaintOf(await samples.read(patch(zip, entry(0) + 10, [method, 0])));
    expect(complaint).toContain(`method ${method}`);
  });

  it.each([
    ['in one count of the end record', [10]],
    ['in the other', [8]],
    ['in both counts', [8, 10]],
  ])('that name fewer members %s do not lose one', async (_where, fields) => {
    const fewer = fields.reduce((bytes, field) => patch(bytes, end() + field, [2, 0]), zip);
    complaintOf(await samples.read(fewer));
  });

  it('whose directory is said to be shorter do not lose a member', async () => {
    const entryBytes = 46 + zip.readUInt16LE(entry(0) + 28);
    const wrong = Buffer.from(zip);
    wrong.writeUInt32LE(zip.readUInt32LE(end() + 12) - entryBytes, end() + 12);
    complaintOf(await samples.read(wrong));
  });

  it('that hold no members at all', async () => {
    expect(complaintOf(await samples.read(await pack([])))).toContain('no members');
    expect(complaintOf(await samples.read(zip.subarray(end())))).toBeTruthy();
  });

  it.each([0, 1, 4, 21])('of %d bytes', async (bytes) => {
    complaintOf(await samples.read(zip.subarray(0, bytes)));
  });

  it('whose member has another name in its own header, so that its hour is not sure', async () => {
    const { locals } = layoutOf(zip);
    const digit = nameOf(1).indexOf('_1#') + 1;
    for (const at of [locals[1]! + 30 + digit, entry(1) + 46 + digit]) {
      expect(complaintOf(await samples.read(patch(zip, at, '7')))).toContain('another name');
    }
  });

  it('with a ZIP64 count of millions end at once', async () => {
    const zip64 = await pack([member(0)], { forceZip64Format: true });
    const end64 = zip64.indexOf(Buffer.from('PK\x06\x06', 'latin1'));
    for (const field of [24, 32]) {
      for (const byte of [3, 4, 7]) complaintOf(await samples.read(patch(zip64, end64 + field + byte, [1])));
    }
  });

  it('that were cut are never taken for whole, in whatever form', async () => {
    for (const form of [undefined, 'stored', 'descriptor', 'zip64'] as const) {
      for (const options of [{}, { forceZip64Format: true }, { comment: 'some words' }]) {
        const whole = await pack([member(0, form), member(1, form)], options);
        for (let part = 0; part < 16; part += 1) {
          complaintOf(await samples.read(whole.subarray(0, Math.floor((whole.length * part) / 16))));
        }
        complaintOf(await samples.read(whole.subarray(0, whole.length - 1)));
      }
    }
  });

  it('that go on after their end', async () => {
    complaintOf(await samples.read(Buffer.concat([zip, Buffer.from('garbage')])));
  });

  it('leave no file open', async () => {
    for (const bytes of [
      zip.subarray(0, 300),
      patch(zip, entry(0) + 24, [1]),
      patch(zip, entry(0) + 16, [1]),
    ]) {
      const path = samples.save(bytes);
      await expect(openArchive(path)).rejects.toThrow(ArchiveCorrupt);
      expect(openFiles(path)).toBe(0);
    }
  });

  it('say nothing of what members hold', async () => {
    const secret = Buffer.from('{"user":"very private"}');
    const plain = await pack([{ name: nameOf(0), data: secret, form: 'stored' }]);
    const at = plain.indexOf('private');
    expect(complaintOf(await samples.read(patch(plain, at, 'PRIVATE')))).not.toMatch(/private/i);
  });

  it('with a name of any length give a message of some length', async () => {
    const long = await pack([{ name: 'n'.repeat(60_000), data: Buffer.from('text') }]);
    const broken = patch(long, layoutOf(long).entries[0]! + 16, [9]);
    expect(complaintOf(await samples.read(broken)).length).toBeLessThan(400);
  });

  it.each<[string, readonly Member[], object]>([
    ['a plain ZIP', [member(0, 'stored'), member(1), member(2, 'descriptor')], {}],
    ['a ZIP64', [member(0, 'zip64'), member(1, 'stored')], { forceZip64Format: true }],
  ])(
    'with any byte of %s flipped are read exactly or not at all',
    async (_what, members, options) => {
      const whole = await pack(members, options);
      const truth = await samples.read(whole);
      const { locals } = layoutOf(whole);
      const outcomes = { exact: 0, corrupt: 0 };
      for (let at = 0; at < whole.length; at += 1) {
        const masks = HARDER ? [1, 2, 4, 8, 16, 32, 64, 128, 255] : [1 << (at % 8)];
        for (const mask of masks) {
          const reading = await samples.read(patch(whole, at, [whole[at]! ^ mask]));
          if (!(reading instanceof ArchiveCorrupt)) {
            if (JSON.stringify(reading) !== JSON.stringify(truth)) throw new Error(`byte ${at} ^ ${mask}`);
            outcomes.exact += 1;
          } else outcomes.corrupt += 1;
        }
      }
      // Times, attributes and what the local headers repeat may be wrong without harm; all the rest is noticed.
      expect(outcomes.corrupt).toBeGreaterThan(outcomes.exact);
      expect(outcomes.exact).toBeLessThan((HARDER ? 9 : 1) * locals.length * 110);
    },
    HARDER ? 1_200_000 : 120_000,
  );
});

describe.each([
  ['small', TEXT.repeat(1000)],
  ['large', LARGE_TEXT],
])('damage that the checksums of the ZIP do not show, in a %s member', (size, content) => {
  const whole = gzipSync(content, { level: 1 });
  it(`is tried with one that is ${size}`, () => {
    expect(whole.length > 65_536).toBe(size === 'large');
  });
  const flipped = Buffer.from(whole);
  flipped[whole.length - 20]! ^= 0x55;
  const badCrc = Buffer.from(whole);
  badCrc[whole.length - 6]! ^= 1;

  it.each([
    ['cut in its data', whole.subarray(0, whole.length - 30)],
    ['cut in its trailer', whole.subarray(0, whole.length - 3)],
    ['cut in its header', whole.subarray(0, 5)],
    ['of its two first bytes only', whole.subarray(0, 2)],
    ['with a flipped byte', flipped],
    ['with a wrong CRC-32', badCrc],
    ['followed by garbage', Buffer.concat([whole, Buffer.from('garbage')])],
    ['followed by half of another', Buffer.concat([whole, whole.subarray(0, 40)])],
  ])('gzip %s is ArchiveCorrupt with the name of the member', async (_what, data) => {
    for (const form of ['stored', undefined] as const) {
      const archive = await openArchive(
        samples.save(await pack([{ name: nameOf(0), data, ...(form && { form }) }, member(1)])),
      );
      const reading = archive.members[0]!.openText().then((text) => buffer(text));
      await expect(reading).rejects.toThrow(ArchiveCorrupt);
      await expect(reading).rejects.toThrow(nameOf(0));
      // The others are not touched by it.
      expect((await buffer(await archive.members[1]!.openText())).toString()).toBe(textOf(1).text);
      await archive.close();
    }
  });
});

describe('a file that changes after it was opened', () => {
  const text = 'a line of some length, in fact quite long\n'.repeat(20_000);
  const short = text.slice(0, 40_000);
  it.each<[string, Buffer, Member['form'] | undefined]>([
    ['small stored gzip', gzipSync(short, { level: 0 }), 'stored'],
    ['small deflated gzip', gzipSync(short, { level: 0 }), undefined],
    ['small deflated text', Buffer.from(short), undefined],
    ['stored gzip', gzipSync(text, { level: 0 }), 'stored'],
    ['stored text', Buffer.from(text), 'stored'],
    ['deflated gzip', gzipSync(text, { level: 0 }), undefined],
    ['deflated text', Buffer.from(text), undefined],
  ])('is ArchiveCorrupt when it was cut (%s)', async (_what, data, form) => {
    const zip = await pack([{ name: nameOf(0), data, ...(form && { form }) }]);
    for (const share of [0.01, 0.2, 0.5]) {
      const path = samples.save(zip);
      const archive = await openArchive(path);
      truncateSync(path, Math.floor(zip.length * share));
      const reading = archive.members[0]!.openText().then((stream) => buffer(stream));
      await expect(reading).rejects.toThrow(ArchiveCorrupt);
      await archive.close();
    }
  });

  it('rejects, and does not hang, when it was closed', async () => {
    const archive = await openArchive(samples.save(await pack([member(0)])));
    await archive.close();
    await expect(archive.members[0]!.openText()).rejects.toThrow();
  });

  it('rejects with the error of the file system when it is missing', async () => {
    await expect(openArchive(`${samples.save(Buffer.alloc(1))}.missing`)).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});
