import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { USUAL_LINES, writeArchive, type LineLayout } from './archive';
import { DataSet, type DataSetOptions } from './data-set';
import { HOUR_MS, formatHour, requireHour } from './hours';
import { PLAIN_ZIP, type ZipFlavour } from './zip-writer';

/** A finished archive for exactly one window. */
export interface PreparedArchive {
  readonly file: string;
  /** `YYYYMMDDTHH`, both inclusive. */
  readonly startHour: string;
  readonly endHour: string;
  readonly records: number;
  /** Bytes of all members when inflated. */
  readonly rawBytes: number;
  readonly zipBytes: number;
}

export interface PrepareOptions {
  /** Without functions, so that the manifest can say what the files were made from. */
  readonly data: Omit<DataSetOptions, 'availableAt' | 'eventsPerHour' | 'partsPerHour'> & {
    readonly eventsPerHour?: number;
    readonly partsPerHour?: number;
  };
  readonly windows: readonly { readonly startHour: string; readonly hours: number }[];
  readonly zip?: Partial<ZipFlavour>;
  readonly lines?: Partial<LineLayout>;
  /** Default 6. */
  readonly gzipLevel?: number;
}

async function readManifest(file: string): Promise<PreparedArchive | undefined> {
  try {
    const known = JSON.parse(await readFile(`${file}.json`, 'utf8')) as PreparedArchive;
    return (await stat(file)).size === known.zipBytes ? known : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Writes the archives of the windows into a folder, or takes those that are there already from equal options.
 * Serve them with `simulator.addReadyArchive(startHour, endHour, file)`.
 */
export async function prepareArchives(folder: string, options: PrepareOptions): Promise<PreparedArchive[]> {
  await mkdir(folder, { recursive: true });
  const data = new DataSet(options.data);
  const flavour = { ...PLAIN_ZIP, ...options.zip };
  const layout = { ...USUAL_LINES, ...options.lines };
  const gzipLevel = options.gzipLevel ?? 6;
  const origin = createHash('sha256')
    .update(JSON.stringify([options.data, flavour, layout, gzipLevel]))
    .digest('hex')
    .slice(0, 12);
  const prepared: PreparedArchive[] = [];
  for (const { startHour, hours } of options.windows) {
    const startMs = requireHour(startHour);
    const endMs = startMs + (hours - 1) * HOUR_MS;
    const file = join(folder, `${startHour}-${formatHour(endMs)}-${origin}.zip`);
    let archive = await readManifest(file);
    if (archive === undefined) {
      const totals = { records: 0, rawBytes: 0 };
      // Under another name first: a run that is cut short leaves no half archive under the right one.
      await writeArchive(`${file}.part`, data, {
        startMs,
        endMs,
        nowMs: Infinity,
        flavour,
        layout,
        gzipLevel,
        mutations: [],
        totals,
      });
      await rename(`${file}.part`, file);
      archive = { file, startHour, endHour: formatHour(endMs), ...totals, zipBytes: (await stat(file)).size };
      await writeFile(`${file}.json`, JSON.stringify(archive));
    }
    prepared.push(archive);
  }
  return prepared;
}
