import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Simulator } from '../../simulator/simulator';
import { runConnector, type CommandResult } from './run-connector';
import { summarise, type StreamRow } from './summarise';
import { formatTable } from './table';

const OUTPUT = join(__dirname, '..', '..', 'demo-output');
const HOUR_MS = 3_600_000;
/** The first read stops here, so that the second one has something new to find. */
const HOURS_LEFT_FOR_SECOND_READ = 6;

interface Project {
  readonly config: Record<string, unknown>;
  readonly describe: string;
  close(): Promise<void>;
}

/** The project of AMPLITUDE_API_KEY and AMPLITUDE_SECRET_KEY, or the simulator in its place. */
async function chooseProject(): Promise<Project> {
  const {
    AMPLITUDE_API_KEY: apiKey,
    AMPLITUDE_SECRET_KEY: secretKey,
    AMPLITUDE_DATA_REGION: region,
  } = process.env;
  if (apiKey && secretKey) {
    return {
      config: {
        api_key: apiKey,
        secret_key: secretKey,
        start_date: 'P2D',
        ...(region && { data_region: region }),
      },
      describe: 'your Amplitude project, the last two days',
      close: () => Promise.resolve(),
    };
  }
  const start = new Date(Date.now() - 50 * HOUR_MS).toISOString();
  const startHour = start.slice(0, 13).replace(/-/g, '');
  const simulator = await Simulator.start({ data: { startHour, hours: 50, eventsPerHour: 1000 } });
  const credentials = simulator.settings.credentials;
  return {
    config: {
      api_key: credentials.apiKey,
      secret_key: credentials.secretKey,
      start_date: `${start.slice(0, 13)}:00:00Z`,
      base_url: simulator.baseUrl,
    },
    describe: `a simulated project of 50,000 events at ${simulator.baseUrl}`,
    close: () => simulator.close(),
  };
}

function writeJson(folder: string, name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
  return path;
}

async function run(title: string, args: readonly string[], outputName: string): Promise<CommandResult> {
  console.log(`\n${title}\n  bin/source-amplitude ${args[0]}`);
  const result = await runConnector(args, join(OUTPUT, outputName));
  console.log(`  exit code ${result.exitCode}, ${result.seconds.toFixed(1)} s`);
  if (result.exitCode !== 0) throw new Error(`"${args[0]}" failed; see demo-output/${outputName}`);
  return result;
}

/** Every discovered stream, incrementally where it can be. */
function configureCatalog(catalog: CommandResult): object {
  const discovered = catalog.messages.find((message) => message.type === 'CATALOG');
  const streams = (discovered?.catalog?.streams ?? []) as { supported_sync_modes: string[] }[];
  return {
    streams: streams.map((stream) => ({
      stream,
      sync_mode: stream.supported_sync_modes.at(-1),
      destination_sync_mode: 'append',
    })),
  };
}

function printRows(rows: readonly StreamRow[]): void {
  const columns = ['stream', 'records', 'MB', 'seconds', 'cursor before', 'cursor after'];
  console.log(
    formatTable(
      columns,
      rows.map((row) => [
        row.stream,
        String(row.records),
        row.megabytes.toFixed(2),
        row.seconds.toFixed(1),
        row.before,
        row.after,
      ]),
    ),
  );
}

async function main(): Promise<void> {
  rmSync(OUTPUT, { recursive: true, force: true });
  mkdirSync(OUTPUT, { mode: 0o700 });
  // Configurations hold keys, so they do not stay behind.
  const secrets = mkdtempSync(join(tmpdir(), 'source-amplitude-demo-'));
  const project = await chooseProject();
  try {
    console.log(`Reading ${project.describe}.`);
    const firstEnd = new Date(Date.now() - HOURS_LEFT_FOR_SECOND_READ * HOUR_MS);
    const first = writeJson(secrets, 'config-first-read.json', {
      ...project.config,
      end_date: `${firstEnd.toISOString().slice(0, 13)}:00:00Z`,
    });
    const config = writeJson(secrets, 'config.json', project.config);
    await run('1. What can be configured', ['spec'], 'spec.jsonl');
    await run('2. Do the keys work?', ['check', '--config', config], 'check.jsonl');
    const discovered = await run(
      '3. Which streams are there?',
      ['discover', '--config', config],
      'discover.jsonl',
    );
    const catalog = writeJson(OUTPUT, 'catalog.json', configureCatalog(discovered));
    const readArgs = (configPath: string): string[] => ['read', '--config', configPath, '--catalog', catalog];
    const firstRead = await run('4. First read, up to six hours ago', readArgs(first), 'first-read.jsonl');
    const firstRows = summarise(firstRead, new Map());
    printRows(firstRows);
    const state = writeJson(OUTPUT, 'state.json', firstRead.states());
    const secondRead = await run(
      '5. Second read, from the state of the first',
      [...readArgs(config), '--state', state],
      'second-read.jsonl',
    );
    printRows(summarise(secondRead, new Map(firstRows.map((row) => [row.stream, row.after]))));
    console.log('\nEvery message is in demo-output/.');
  } finally {
    rmSync(secrets, { recursive: true, force: true });
    await project.close();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
