import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { prepareDay, type DayArchive } from './archives';
import { drawComparison } from './chart';
import { listContestants, PIPELINE, READ, type Contestant } from './contestants';
import { measureContainer, type ContainerRuns } from './container';
import { compareRecords, type Equality } from './equality';
import { measure, type Measurement } from './measure';
import { serveDay, type Project } from './project';
import { installPublishedConnector, type PublishedConnector } from './published-connector';
import { writeReport } from './report';
import type { ContestantRuns, Results, SizeResults } from './results';
import { measureStartUp } from './start-up';

const HELP = `Usage: npm run bench -- [options]

Measures this connector beside other ways to read the same archives, and writes benchmarks/RESULTS.md and
benchmarks/comparison.svg. Linux with bash, curl, unzip and gzip; Python 3.10 or 3.11 for Airbyte's connector.

  --sizes 0.4,1.5,4        GB of inflated text of each day
  --rounds 5               runs of each contestant per size
  --published-rounds 2     runs of Airbyte's connector, which takes a minute and more; 0 leaves it out
  --quick                  a day of 0.04 GB, three rounds, nothing written
  --image NAME             measures peak memory in a container of this image, too, by the Docker engine that there is
  --program FILE           another build than bin/source-amplitude
  --cache FOLDER           where archives and the Python environment are kept
`;

const START_UP_ROUNDS = 15;
/** Deep comparison takes a millisecond per record, so that it has an archive of its own. */
const EQUALITY_DAY_BYTES = 40_000_000;
/** The connector's own pace is for Amplitude; here one request is all that is made. */
const ENVIRONMENT = { AMPLITUDE_PACE_SECONDS: '0' };

interface Plan {
  readonly sizes: readonly number[];
  readonly rounds: number;
  readonly publishedRounds: number;
  readonly program: string;
  readonly image: string | undefined;
  readonly cache: string;
  readonly writes: boolean;
}

async function main(): Promise<void> {
  const plan = readPlan();
  if (plan === undefined) {
    process.stdout.write(HELP);
    return;
  }
  const inputs = mkdtempSync(join(tmpdir(), 'bench-inputs-'));
  mkdirSync(plan.cache, { recursive: true });
  try {
    const published = plan.publishedRounds > 0 ? installPublishedConnector(plan.cache) : undefined;
    const sizes: SizeResults[] = [];
    const containers: ContainerRuns[] = [];
    for (const bytes of plan.sizes) {
      say(`A day of ${bytes / 1e9} GB: preparing its archive`);
      const day = await prepareDay(plan.cache, bytes);
      sizes.push(
        await withProject(day, inputs, async (project) => {
          const results = await measureSize(plan, project, day, published, sizes.length === 0);
          const isMeasured = bytes === plan.sizes[0] || bytes === plan.sizes.at(-1);
          if (plan.image && isMeasured)
            containers.push(await measureContainer(plan.image, project, day, plan.rounds));
          return results;
        }),
      );
    }
    const smallDay = await prepareDay(plan.cache, EQUALITY_DAY_BYTES);
    const results: Results = await withProject(smallDay, inputs, async (project) => ({
      date: new Date(),
      rounds: plan.rounds,
      sizes,
      containers,
      startUp: await measureStartUp(plan.program, project.plainConfigFile, START_UP_ROUNDS),
      startUpRounds: START_UP_ROUNDS,
      equality: published && (await compareWithPublished(plan, project, published)),
    }));
    const report = writeReport(results);
    process.stdout.write(`\n${report}`);
    if (!plan.writes) return;
    writeFileSync(join(__dirname, 'RESULTS.md'), report);
    writeFileSync(join(__dirname, 'comparison.svg'), drawComparison(results));
  } finally {
    rmSync(inputs, { recursive: true, force: true });
  }
}

function readPlan(): Plan | undefined {
  const { values } = parseArgs({
    options: {
      sizes: { type: 'string', default: '0.4,1.5,4' },
      rounds: { type: 'string', default: '5' },
      'published-rounds': { type: 'string', default: '2' },
      quick: { type: 'boolean', default: false },
      program: { type: 'string', default: join(__dirname, '..', 'bin', 'source-amplitude') },
      image: { type: 'string' },
      cache: { type: 'string', default: join(tmpdir(), 'source-amplitude-bench') },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const common = { program: resolve(values.program), image: values.image, cache: resolve(values.cache) };
  if (values.quick) return { ...common, sizes: [0.04e9], rounds: 3, publishedRounds: 0, writes: false };
  const sizes = values.sizes.split(',').map((size) => Math.round(Number(size) * 1e9));
  const [rounds, publishedRounds] = [Number(values.rounds), Number(values['published-rounds'])];
  if (![...sizes, rounds].every((value) => value >= 1) || !(publishedRounds >= 0)) {
    throw new RangeError('Sizes and rounds are positive numbers.');
  }
  sizes.sort((a, b) => a - b);
  return { ...common, sizes, rounds, publishedRounds, writes: true };
}

async function withProject<Value>(
  day: DayArchive,
  inputs: string,
  work: (project: Project) => Promise<Value>,
): Promise<Value> {
  const project = await serveDay(day, inputs);
  try {
    return await work(project);
  } finally {
    await project.simulator.close();
  }
}

async function measureSize(
  { program, rounds, publishedRounds }: Plan,
  project: Project,
  day: DayArchive,
  published: PublishedConnector | undefined,
  isSmallest: boolean,
): Promise<SizeResults> {
  const all = listContestants(program, project, day, published, publishedRounds);
  const contestants = all.filter(({ everySize }) => everySize || isSmallest);
  const runs = new Map<Contestant, Measurement[]>(contestants.map((one) => [one, []]));
  const requests = new Map<Contestant, number>();
  // Unmeasured: brings the files into memory, and proves that every record arrives.
  await assertComplete(
    contestants.find(({ name }) => name === READ)!,
    day,
  );
  await measure(contestants.find(({ name }) => name === PIPELINE)!.command);
  for (let round = 0; round < rounds; round += 1) {
    for (const contestant of contestants) {
      if (round >= (contestant.rounds ?? rounds)) continue;
      project.simulator.log.clear();
      const measured = await measure(contestant.command, { ...ENVIRONMENT, ...contestant.env });
      runs.get(contestant)!.push(measured);
      requests.set(contestant, project.simulator.log.entries.length);
      say(`  round ${round + 1}: ${contestant.name} ${measured.wallSeconds.toFixed(2)} s`);
    }
  }
  const listed = contestants.map((contestant): ContestantRuns => {
    return { contestant, runs: runs.get(contestant)!, requests: requests.get(contestant)! };
  });
  return { day, contestants: listed };
}

/** @throws Error when the connector does not give as many records as the archive holds. */
async function assertComplete({ command }: Contestant, day: DayArchive): Promise<void> {
  const count = `test "$(${command.replace('cat > /dev/null', `grep -c '^{"type":"RECORD"'`)})" = ${day.records}`;
  await measure(count, ENVIRONMENT);
}

function compareWithPublished(
  { program }: Plan,
  { configFile, longStepConfigFile, catalogFile, simulator }: Project,
  published: PublishedConnector,
): Promise<Equality> {
  say("Comparing the records with those of Airbyte's connector");
  const read = (command: string, config: string): string[] => [
    command,
    ...['read', '--config', config, '--catalog', catalogFile],
  ];
  return compareRecords(
    { command: read(published.program, longStepConfigFile), env: published.env(simulator.baseUrl) },
    { command: read(program, configFile) },
  );
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
