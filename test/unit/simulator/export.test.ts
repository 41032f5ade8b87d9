import { gunzipSync } from 'node:zlib';
import { memberName } from '../../../simulator/archive';
import { requireHour } from '../../../simulator/hours';
import { type Simulator, type SimulatorOptions } from '../../../simulator/simulator';
import type { ZipFlavour } from '../../../simulator/zip-writer';
import { get, readLines, readMembers, truthOf, unzipTest } from './client';
import { open } from './opened';

const DAY = { start: '20240101T00', end: '20240101T23' };
const NOW = Date.UTC(2024, 0, 3, 12, 30);

function window(start: string, end: string): string {
  return `/api/2/export?start=${start}&end=${end}`;
}

function start(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const data = { startHour: '20240101T00', hours: 72, eventsPerHour: 6, partsPerHour: 2 };
  return open({ data, now: NOW, ...options });
}

describe('GET /api/2/export', () => {
  it('answers a zip with one gzip member per hour and part, hours not padded, and exactly the truth', async () => {
    const simulator = await start();
    const { status, headers, body } = await get(simulator, window(DAY.start, DAY.end));
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/zip');
    expect(headers['content-length']).toBe(String(body.length));
    expect(body.subarray(0, 4).toString('latin1')).toBe('PK\u0003\u0004');
    expect(await unzipTest(body)).toMatchObject({ ok: true });
    const members = await readMembers(body);
    expect(members.map((member) => member.name)).toEqual(
      Array.from({ length: 24 }, (_, hour) =>
        [0, 1].map((part) => `310022/310022_2024-01-01_${hour}#${part}.json.gz`),
      ).flat(),
    );
    expect(await readLines(body)).toEqual(truthOf(simulator, DAY.start, DAY.end));
  });

  it('has both hours inclusive, and no member for an hour without events', async () => {
    const simulator = await start({
      data: {
        startHour: '20240101T00',
        hours: 12,
        eventsPerHour: (hour) => (hour === 3 ? 0 : 2),
        partsPerHour: 1,
      },
    });
    const { body } = await get(simulator, window('20240101T02', '20240101T04'));
    expect((await readMembers(body)).map((member) => member.name)).toEqual([
      '310022/310022_2024-01-01_2#0.json.gz',
      '310022/310022_2024-01-01_4#0.json.gz',
    ]);
    expect(await get(simulator, window('20240101T03', '20240101T03'))).toMatchObject({ status: 404 });
    expect(
      (await readMembers((await get(simulator, window('20240101T11', '20240101T11'))).body)).length,
    ).toBe(1);
  });

  it('answers 404 with the documented sentence for hours without data and for hours that are not loaded yet', async () => {
    const simulator = await start({ now: Date.UTC(2024, 0, 1, 5, 59, 59, 999) });
    expect((await get(simulator, window('20231231T00', '20231231T23'))).body.toString()).toBe(
      'Raw data files were not found.',
    );
    expect(await get(simulator, window('20240101T03', '20240101T04'))).toMatchObject({ status: 404 });
    const before = await get(simulator, window(DAY.start, DAY.end));
    expect(await readLines(before.body)).toEqual(truthOf(simulator, '20240101T00', '20240101T02'));
    simulator.setNow(Date.UTC(2024, 0, 1, 6));
    expect(await get(simulator, window('20240101T03', '20240101T04'))).toMatchObject({ status: 200 });
    const after = await get(simulator, window(DAY.start, DAY.end));
    expect(await readLines(after.body)).toEqual(truthOf(simulator, '20240101T00', '20240101T03'));
    simulator.configure({ emptyWindow: 'bare' });
    expect((await get(simulator, window('20250101T00', '20250101T01'))).body.toString()).toBe(
      '404: Not Found',
    );
  });

  it.each([
    ['no parameters', '/api/2/export'],
    ['a day without an hour', window('20240101', '20240101')],
    ['an hour that does not exist', window('20240101T00', '20240101T24')],
    ['a day that does not exist', window('20230229T00', '20230301T00')],
    ['end before start', window('20240102T00', '20240101T23')],
    ['more than 365 days', window('20230101T00', '20240101T00')],
  ])('answers 400 with the envelope to %s', async (_name, path) => {
    const simulator = await start();
    const { status, body } = await get(simulator, path);
    expect(status).toBe(400);
    const { error } = JSON.parse(body.toString()) as {
      error: { http_code: number; metadata: { details: string } };
    };
    expect(error.http_code).toBe(400);
    expect(error.metadata.details).not.toMatch(/too large/i);
  });

  it('takes exactly 365 days', async () => {
    expect(await get(await start(), window('20230102T00', '20240101T23'))).toMatchObject({ status: 200 });
  });

  it.each([
    ['hours', { hours: 6 }],
    ['bytes', { bytes: 15_000 }],
    ['a rule', { when: (from: number, to: number) => to - from > 6 * 3_600_000 }],
  ])('answers 400 "too large" by %s', async (_name, tooLarge) => {
    const simulator = await start({ settings: { tooLarge } });
    const refused = await get(simulator, window('20240101T00', '20240101T11'));
    expect(refused.status).toBe(400);
    expect(refused.body.toString()).toMatch(/too large/);
    expect(await get(simulator, window('20240101T00', '20240101T02'))).toMatchObject({ status: 200 });
    simulator.configure({ tooLarge: { body: 'text' } });
    const text = await get(simulator, window('20240101T00', '20240101T11'));
    expect(text).toMatchObject({
      status: 400,
      headers: { 'content-type': expect.stringContaining('text/html') as string },
    });
    expect(text.body.toString()).toMatch(/too large/);
  });

  it('answers 504 to windows that take too long', async () => {
    const simulator = await start({ settings: { gatewayTimeout: { hours: 12 } } });
    expect(await get(simulator, window('20240101T00', '20240101T12'))).toMatchObject({ status: 504 });
    expect(await get(simulator, window('20240101T00', '20240101T11'))).toMatchObject({ status: 200 });
  });

  it('answers 429 above the export rate', async () => {
    const simulator = await start({ settings: { exportRate: { requests: 2, perMs: 600_000 } } });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i += 1)
      statuses.push((await get(simulator, window('20240101T00', '20240101T00'))).status);
    expect(statuses).toEqual([200, 200, 429]);
    simulator.reset();
    expect(await get(simulator, window('20240101T00', '20240101T00'))).toMatchObject({ status: 200 });
  });
});

describe('archive flavours', () => {
  const flavours: [string, Partial<ZipFlavour>][] = [
    ['deflate', {}],
    ['stored', { method: 'stored' }],
    ['data descriptor', { dataDescriptor: true }],
    ['stored with data descriptor', { method: 'stored', dataDescriptor: true }],
    ['ZIP64', { zip64: true }],
    ['ZIP64 with data descriptor', { zip64: true, dataDescriptor: true }],
    ['stored ZIP64 with data descriptor', { method: 'stored', zip64: true, dataDescriptor: true }],
    ['comment', { comment: 'made by hand — PK' }],
    ['directory entry', { directoryEntry: true }],
    ['nested folder', { nestedFolder: 'a/b' }],
    ['reversed', { order: 'reversed' }],
    ['shuffled', { order: 'shuffled' }],
  ];

  it.each(flavours)('%s: unzip accepts it and the events are all there', async (_name, zip) => {
    const simulator = await start({ settings: { zip } });
    const { body } = await get(simulator, window(DAY.start, DAY.end));
    expect(await unzipTest(body)).toMatchObject({ ok: true });
    const truth = truthOf(simulator, DAY.start, DAY.end);
    const lines = await readLines(body);
    expect(lines).toHaveLength(truth.length);
    expect([...lines].sort()).toEqual([...truth].sort());
    const members = (await readMembers(body)).filter((member) => !member.name.endsWith('/'));
    expect(new Set(members.map((member) => member.method))).toEqual(
      new Set([zip.method === 'stored' ? 0 : 8]),
    );
    expect(members.every((member) => ((member.flags & 8) !== 0) === (zip.dataDescriptor ?? false))).toBe(
      true,
    );
  });

  it('shows each flavour in the bytes', async () => {
    const simulator = await start();
    const bytes = async (zip: Partial<ZipFlavour>): Promise<Buffer> => {
      simulator.reset();
      simulator.configure({ zip });
      return (await get(simulator, window('20240101T00', '20240101T01'))).body;
    };
    const names = async (zip: Partial<ZipFlavour>): Promise<string[]> =>
      (await readMembers(await bytes(zip))).map((one) => one.name);
    const usual = await names({});
    // The local header's sizes and CRC are zero when a data descriptor follows, and its signature is there.
    const described = await bytes({ dataDescriptor: true, method: 'stored' });
    expect(described.subarray(14, 26).equals(Buffer.alloc(12))).toBe(true);
    expect(described.includes(Buffer.from('PK\u0007\u0008'))).toBe(true);
    expect((await bytes({})).includes(Buffer.from('PK\u0007\u0008'))).toBe(false);
    expect((await bytes({ zip64: true })).includes(Buffer.from('PK\u0006\u0006'))).toBe(true);
    expect((await bytes({ comment: 'tail' })).subarray(-4).toString()).toBe('tail');
    expect((await names({ directoryEntry: true }))[0]).toBe('310022/');
    expect(await names({ nestedFolder: 'a' })).toContain('310022/a/310022_2024-01-01_0#0.json.gz');
    expect(await names({ order: 'reversed' })).toEqual([...usual].reverse());
    const shuffled = await names({ order: 'shuffled' });
    expect(shuffled).not.toEqual(usual);
    expect([...shuffled].sort()).toEqual([...usual].sort());
  });

  it('names members as documented', () => {
    expect(memberName(5, requireHour('20240229T07'), 3, '')).toBe('5/5_2024-02-29_7#3.json.gz');
    expect(memberName(5, requireHour('20240229T23'), 0, 'x')).toBe('5/x/5_2024-02-29_23#0.json.gz');
  });

  it('writes members with and without a final newline, with blank lines and with CRLF', async () => {
    const simulator = await start();
    const texts = async (): Promise<string[]> => {
      const { body } = await get(simulator, window(DAY.start, DAY.end));
      return (await readMembers(body)).map((member) => gunzipSync(member.data).toString());
    };
    const mixed = await texts();
    expect(mixed.some((text) => text.endsWith('\n'))).toBe(true);
    expect(mixed.some((text) => text.endsWith('}'))).toBe(true);
    expect(mixed.every((text) => !text.includes('\n\n') && !text.includes('\r'))).toBe(true);
    simulator.configure({ lines: { finalNewline: 'never', blankLines: 'mixed', lineEnd: 'crlf' } });
    const odd = await texts();
    expect(odd.some((text) => /(^|\n) *\r\n/.test(text))).toBe(true);
    expect(odd.every((text) => !/[^\r]\n/.test(text))).toBe(true);
    const { body } = await get(simulator, window(DAY.start, DAY.end));
    expect(await readLines(body)).toEqual(truthOf(simulator, DAY.start, DAY.end));
    simulator.configure({ lines: { finalNewline: 'always', blankLines: 'none', lineEnd: 'lf' } });
    expect((await texts()).every((text) => text.endsWith('}\n'))).toBe(true);
  });
});
