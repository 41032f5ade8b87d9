import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { memberName } from '../simulator/archive';
import { DataSet } from '../simulator/data-set';
import { HOUR_MS } from '../simulator/hours';
import { PLAIN_ZIP, writeZip, type ZipMember } from '../simulator/zip-writer';

const compress = promisify(gzip);

/** Every archive holds this one day, which lies far enough back for any clock. */
export const START_HOUR = '20240101T00';
export const END_HOUR = '20240101T23';
const HOURS = 24;
const PROJECT = 310_022;
/** About what one member holds when inflated. */
const PART_BYTES = 17_000_000;
/** Changed with the text of the events, so that a cached archive of older text is not taken. */
const GENERATION = 1;

const TITLES = [
  'Grüße aus dem Café',
  'お買い物ガイド',
  'Прайс-лист 2026',
  'Côté jardin — été',
  '价格 · 套餐',
];

/** One day of events in an archive as Amplitude's export gives it. */
export interface DayArchive {
  readonly file: string;
  readonly records: number;
  /** Bytes of all members when inflated. */
  readonly rawBytes: number;
  readonly zipBytes: number;
  readonly members: number;
}

/**
 * Writes the archive of a day of about so many inflated bytes into a folder, or takes the one that is there. Events are
 * about 1.7 KB each; all are different, and every line holds text outside ASCII.
 */
export async function prepareDay(folder: string, rawBytes: number): Promise<DayArchive> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, `day-${rawBytes}-${GENERATION}.zip`);
  const known = await readManifest(file);
  if (known) return { ...known, file };
  const partsPerHour = Math.max(1, Math.round(rawBytes / HOURS / PART_BYTES));
  const data = new DataSet({
    startHour: START_HOUR,
    hours: HOURS,
    projectId: PROJECT,
    partsPerHour,
    eventsPerHour: Math.ceil(rawBytes / HOURS / measureLine()),
    quirks: false,
  });
  const totals = { records: 0, rawBytes: 0, members: 0 };
  const members = compressMembers(data, partsPerHour, totals);
  await pipeline(Readable.from(writeZip(members, PLAIN_ZIP)), createWriteStream(`${file}.part`));
  await rename(`${file}.part`, file);
  const manifest = { ...totals, zipBytes: (await stat(file)).size };
  await writeFile(`${file}.json`, JSON.stringify(manifest));
  return { ...manifest, file };
}

async function readManifest(file: string): Promise<Omit<DayArchive, 'file'> | undefined> {
  try {
    const manifest = JSON.parse(await readFile(`${file}.json`, 'utf8')) as Omit<DayArchive, 'file'>;
    return (await stat(file)).size === manifest.zipBytes ? manifest : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Mean bytes of a line, over one small hour. */
function measureLine(): number {
  const sample = new DataSet({ startHour: START_HOUR, hours: 1, eventsPerHour: 1000, quirks: false });
  const lines = [...sample.truth()].map(({ line }, index) => enrichLine(line, index));
  return Buffer.byteLength(lines.join('')) / lines.length;
}

async function* compressMembers(
  data: DataSet,
  partsPerHour: number,
  totals: { records: number; rawBytes: number; members: number },
): AsyncGenerator<ZipMember, void, void> {
  const makePart = (hourMs: number, part: number): Promise<Buffer> => {
    const lines = Array.from(data.part(hourMs, part), ({ line }, index) => enrichLine(line, index));
    const text = Buffer.from(lines.join(''));
    totals.records += lines.length;
    totals.rawBytes += text.length;
    totals.members += 1;
    return compress(text);
  };
  const places = Array.from({ length: HOURS * partsPerHour }, (_, index) => ({
    hourMs: data.startMs + Math.floor(index / partsPerHour) * HOUR_MS,
    part: index % partsPerHour,
  }));
  // Two members ahead: zlib compresses on its own threads while the next lines are written.
  const ahead: Promise<Buffer>[] = [];
  for (const [index, { hourMs, part }] of places.entries()) {
    while (ahead.length < 3 && index + ahead.length < places.length) {
      const next = places[index + ahead.length]!;
      ahead.push(makePart(next.hourMs, next.part));
    }
    yield { name: memberName(PROJECT, hourMs, part, ''), data: await ahead.shift()! };
  }
}

/**
 * Adds what real events hold and a parse and a stringify would change or slow down: text outside ASCII, an integer beyond
 * 2^53 and `0.0` in every line; an empty timestamp in one of 100; a raw line separator (U+2028) in one of 5,000.
 */
function enrichLine(line: string, index: number): string {
  const title = TITLES[index % TITLES.length]!;
  const note = index % 5000 === 17 ? `,"note":"first\u2028second"` : '';
  const orderId = `9${String(index).padStart(6, '0')}${line.length}73625140`.slice(0, 17);
  let text = line.replace(
    '"event_properties":{',
    () => `"event_properties":{"title":"${title}","order_id":${orderId}91,"discount":0.0${note},`,
  );
  if (index % 100 === 3) text = text.replace(/"user_creation_time":"[^"]*"/, '"user_creation_time":""');
  return `${text}\n`;
}
