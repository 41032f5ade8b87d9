import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import { memberName } from '../../simulator/archive';
import { DataSet } from '../../simulator/data-set';
import { formatHour } from '../../simulator/hours';
import { PLAIN_ZIP, writeZip, type ZipMember } from '../../simulator/zip-writer';

/** Events of the one part that the archive repeats. */
const EVENTS_PER_PART = 2_000;

/**
 * Writes the archive of one hour in which every part has the same events: it is large when inflated, and takes about a
 * second to make, because the events are written and compressed once.
 * @returns Events in the archive, and their bytes when inflated.
 */
export async function writeBigArchive(
  file: string,
  hourMs: number,
  parts: number,
): Promise<{ readonly events: number; readonly rawBytes: number }> {
  const data = new DataSet({
    startHour: formatHour(hourMs),
    hours: 1,
    eventsPerHour: EVENTS_PER_PART,
    partsPerHour: 1,
  });
  const text = [...data.truth()].map(({ line }) => `${line}\n`).join('');
  const compressed = gzipSync(text);
  function* members(): Generator<ZipMember> {
    for (let part = 0; part < parts; part += 1) {
      yield { name: memberName(data.projectId, hourMs, part, ''), data: compressed };
    }
  }
  await pipeline(
    Readable.from(writeZip(members(), { ...PLAIN_ZIP, method: 'stored' })),
    createWriteStream(file),
  );
  return { events: EVENTS_PER_PART * parts, rawBytes: Buffer.byteLength(text) * parts };
}
