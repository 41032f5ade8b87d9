import { cpus, totalmem } from 'node:os';
import type { DayArchive } from './archives';
import { CONTAINER_MEMORY, type ContainerRuns } from './container';
import { PIPELINE, PUBLISHED, READ } from './contestants';
import { findRuns, walls, type ContestantRuns, type Results, type SizeResults } from './results';
import type { StartUp } from './start-up';
import { median, medianRatio } from './statistics';

const MB = 1e6;
const LARGE_DAY_BYTES = 1.5e9;

/** The results page, Markdown. */
export function writeReport(results: Results): string {
  const { date, rounds, sizes, startUp, startUpRounds, equality } = results;
  const model = cpus()[0]?.model ?? 'unknown';
  return [
    '# Benchmark results',
    '',
    `Written by \`npm run bench\` on ${date.toISOString().slice(0, 10)}: ${cpus().length} cores (${model}), ` +
      `${(totalmem() / 2 ** 30).toFixed(0)} GiB of memory, Node ${process.version}, ${process.platform}.`,
    '',
    `Medians of ${rounds} rounds; in a round the contestants run one after the other on the same archive, and a ratio is the median of`,
    "the rounds' ratios. CPU time is that of all processes of a contestant, the discarding reader of its output included. Peak memory is",
    'the sum of the peaks (VmHWM) of its processes, without that reader. Events are 1.7 KB each, all different, with text outside ASCII in',
    'every line. MB are 10^6 bytes of inflated text.',
    '',
    '![Inflated text per second](comparison.svg)',
    '',
    '## Targets',
    '',
    ...table(['Target', 'Measured', 'Met'], targets(results)),
    ...sizes.flatMap(writeSize),
    ...writeContainers(results.containers),
    '## Start-up',
    '',
    `From process start to exit, medians of ${startUpRounds}.`,
    '',
    ...table(
      ['Command', 'Wall (ms)', `In \`node -e 0\``],
      startUp.map(({ name, wallSeconds, ratio }) => [
        name,
        (wallSeconds * 1000).toFixed(0),
        ratio.toFixed(2),
      ]),
    ),
    ...(equality === undefined
      ? ["Airbyte's connector was not measured: it needs Python 3.10 or 3.11 and PyPI.", '']
      : writeEquality(equality)),
    '## Contestants',
    '',
    ...uniqueContestants(sizes).map(
      ({ contestant: { name, description } }) => `- **${name}**: ${description}`,
    ),
    '',
  ].join('\n');
}

function writeSize(size: SizeResults): string[] {
  const { day, contestants } = size;
  const base = findRuns(size, PIPELINE);
  const ratio = ({ runs }: ContestantRuns, of: 'wallSeconds' | 'cpuSeconds'): string =>
    base === undefined
      ? ''
      : medianRatio(
          runs.map((run) => run[of]),
          base.runs.map((run) => run[of]),
        ).toFixed(2);
  const columns = [
    'Contestant',
    'MB/s',
    'Records/s',
    'Wall (s)',
    'CPU (s)',
    'Peak memory (MB)',
    'Peak disk (MB)',
    'Requests',
    'Wall ratio',
    'CPU ratio',
    'Runs',
  ];
  const rows = contestants.map((entry) => {
    const wall = median(walls(entry));
    const { runs } = entry;
    return [
      entry.contestant.name,
      (day.rawBytes / MB / wall).toFixed(0),
      integer(day.records / wall),
      wall.toFixed(2),
      median(runs.map((run) => run.cpuSeconds)).toFixed(2),
      (median(runs.map((run) => run.peakRssBytes)) / MB).toFixed(0),
      (median(runs.map((run) => run.peakDiskBytes)) / MB).toFixed(0),
      String(entry.requests),
      ratio(entry, 'wallSeconds'),
      ratio(entry, 'cpuSeconds'),
      String(runs.length),
    ];
  });
  return [
    `## A day of ${gigabytes(day.rawBytes)}`,
    '',
    `${integer(day.records)} events in ${day.members} members, ${(day.rawBytes / MB).toFixed(0)} MB inflated, an archive of ` +
      `${(day.zipBytes / MB).toFixed(1)} MB. Ratios are to \`${PIPELINE}\`.`,
    '',
    ...table(columns, rows),
  ];
}

function targets({ sizes, containers, startUp }: Results): string[][] {
  const rows: string[][] = [];
  const add: AddTarget = (target, measured, met) =>
    void rows.push([target, measured, met ? 'yes' : '**no**']);
  const large = sizes.find(({ day }) => Math.abs(day.rawBytes - LARGE_DAY_BYTES) < 0.1 * LARGE_DAY_BYTES);
  const [ours, pipeline] = large ? [findRuns(large, READ), findRuns(large, PIPELINE)] : [];
  if (ours && pipeline) {
    const ratio = medianRatio(walls(ours), walls(pipeline));
    add('`read` of the 1.5 GB day ≤ 1.0 × `curl, unzip, gzip`', ratio.toFixed(2), ratio <= 1);
    add('the same, stretch ≤ 0.67 ×', ratio.toFixed(2), ratio <= 0.67);
  }
  const smallest = sizes[0];
  const published = smallest && findRuns(smallest, PUBLISHED);
  const beside = smallest && findRuns(smallest, READ);
  if (published && beside) {
    const ratio = medianRatio(walls(published), walls(beside));
    add("≥ 40 × the records/s of Airbyte's connector", `${ratio.toFixed(1)} ×`, ratio >= 40);
  }
  const peaks = sizes.flatMap((size) => {
    const runs = findRuns(size, READ)?.runs;
    return runs ? [{ day: size.day, peak: median(runs.map(({ peakRssBytes }) => peakRssBytes)) }] : [];
  });
  addMemory('peak memory', peaks, add);
  const inContainer = containers.map(({ day, peaks: all }) => ({ day, peak: median(all) }));
  addMemory(`in the image with \`--memory ${CONTAINER_MEMORY}\`: peak memory`, inContainer, add);
  const limits: [string, number][] = [
    ['`spec`', 2.5],
    ['`discover`', 3],
  ];
  for (const [name, limit] of limits) {
    const found: StartUp | undefined = startUp.find((entry) => entry.name === name);
    if (found) add(`${name} ≤ ${limit} × \`node -e 0\``, `${found.ratio.toFixed(2)} ×`, found.ratio <= limit);
  }
  return rows;
}

type AddTarget = (target: string, measured: string, met: boolean) => void;

function addMemory(
  what: string,
  peaks: readonly { readonly day: DayArchive; readonly peak: number }[],
  add: AddTarget,
): void {
  const [first, last] = [peaks[0], peaks.at(-1)];
  if (!first || !last) return;
  const highest = Math.max(...peaks.map(({ peak }) => peak));
  add(`${what} ≤ 200 MB`, `${(highest / MB).toFixed(0)} MB at most`, highest <= 200 * MB);
  if (first === last) return;
  const growth = last.peak / first.peak - 1;
  const [from, to] = [gigabytes(first.day.rawBytes), gigabytes(last.day.rawBytes)];
  add(`${what} at ${to} within 10 % of that at ${from}`, `${(growth * 100).toFixed(1)} %`, growth <= 0.1);
}

function writeContainers(containers: readonly ContainerRuns[]): string[] {
  if (containers.length === 0) return [];
  return [
    '## In the image',
    '',
    `\`docker run --memory ${CONTAINER_MEMORY}\`, temporary files on a disk of the host. Medians.`,
    '',
    ...table(
      ['Day', 'Peak memory (MB)', 'Runs'],
      containers.map(({ day, peaks }) => [
        gigabytes(day.rawBytes),
        (median(peaks) / MB).toFixed(0),
        String(peaks.length),
      ]),
    ),
  ];
}

function writeEquality({ records, values, differences }: NonNullable<Results['equality']>): string[] {
  return [
    "## The same records as Airbyte's connector",
    '',
    `${integer(records)} records with ${integer(values)} values were compared in order: keys, texts, timestamps, and numbers by their exact value.`,
    '',
    ...(differences.size === 0
      ? ['No difference.']
      : [
          'Differences:',
          '',
          ...[...differences].map(([what, count]) => `- \`${what}\`: ${integer(count)} times`),
        ]),
    '',
  ];
}

function uniqueContestants(sizes: readonly SizeResults[]): ContestantRuns[] {
  const all = sizes.flatMap(({ contestants }) => contestants);
  return [...new Map(all.map((entry) => [entry.contestant.name, entry])).values()];
}

export function gigabytes(bytes: number): string {
  return `${Number((bytes / 1e9).toFixed(2))} GB`;
}

function integer(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [columns, columns.map((_, index) => (index === 0 ? '---' : '---:')), ...rows];
  return [...lines.map((cells) => `| ${cells.join(' | ')} |`), ''];
}
