import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Simulator } from '../simulator/simulator';

const PROGRAM = join(__dirname, '..', 'bin', 'source-amplitude');
/** Where the simulator has to listen for `sample_config.json` to work as it stands: `--port 8417`. */
const SAMPLE_PORT = 8417;
const FIRST_HOUR = '20240301T00';
const DAYS = 3;
const EVENTS_PER_HOUR = 2;
/** expected_records.jsonl holds the first so many events, and every record of the other streams. */
const EXPECTED_EVENTS = 10;
/** The acceptance tests compare keys, never this time; a fixed one keeps the file stable. */
const EMITTED_AT = Date.UTC(2024, 2, 4);

const RECORD_HEAD = '{"type":"RECORD","record":';

interface CatalogStream {
  readonly name: string;
  readonly supported_sync_modes: readonly string[];
  readonly default_cursor_field?: readonly string[];
  readonly source_defined_primary_key?: readonly (readonly string[])[];
}
interface Message {
  readonly type: string;
  readonly catalog?: { readonly streams: readonly CatalogStream[] };
  readonly record?: { readonly stream: string };
  readonly state?: { readonly stream: { readonly stream_descriptor: { readonly name: string } } };
}

/** The simulator's options under which the fixtures are true; also for `simulator/main.ts`. */
export const FIXTURE_DATA = {
  startHour: FIRST_HOUR,
  hours: DAYS * 24,
  eventsPerHour: EVENTS_PER_HOUR,
} as const;

/** Every acceptance input by its file name, made by running the built connector against the simulator. */
export async function makeFixtures(): Promise<Map<string, string>> {
  const simulator = await Simulator.start({ data: FIXTURE_DATA, now: EMITTED_AT });
  const folder = mkdtempSync(join(tmpdir(), 'fixtures-'));
  try {
    const { apiKey, secretKey } = simulator.settings.credentials;
    const config = {
      api_key: apiKey,
      secret_key: secretKey,
      start_date: '2024-03-01T00:00:00Z',
      end_date: '2024-03-03',
      base_url: `http://127.0.0.1:${SAMPLE_PORT}`,
    };
    const run = (command: string, files: Readonly<Record<string, unknown>>): Promise<string[]> =>
      runConnector(folder, command, { config: { ...config, base_url: simulator.baseUrl }, ...files });
    const catalog = (await run('discover', {})).map(parse).find(({ type }) => type === 'CATALOG')?.catalog;
    if (catalog === undefined) throw new Error('discover gave no catalog');
    const configured = configure(catalog.streams, 'full_refresh');
    const incremental = configure(catalog.streams, 'incremental');
    // Streams are read side by side, so their messages are put in the catalog's order to make the files stable.
    const lines = await run('read', { catalog: configured });
    const linesOf = (stream: CatalogStream, type: string): string[] =>
      lines.filter((line) => {
        const { type: own, record, state } = parse(line);
        return own === type && (record?.stream ?? state?.stream.stream_descriptor.name) === stream.name;
      });
    // The first state of a stream leaves something to read, so a read that goes on from it differs from a full one.
    const firstStates = incremental.streams.map(
      ({ stream }) => parse(linesOf(stream, 'STATE')[0] ?? '{}').state,
    );
    const expected = catalog.streams.flatMap((stream) =>
      linesOf(stream, 'RECORD').slice(0, stream.name === 'events' ? EXPECTED_EVENTS : undefined),
    );
    return new Map([
      ['sample_config.json', toJson(config)],
      ['invalid_config.json', toJson({ ...config, secret_key: 'ffffffffffffffffffffffffffffffff' })],
      ['configured_catalog.json', toJson(configured)],
      ['configured_catalog_incremental.json', toJson(incremental)],
      ['sample_state.json', toJson(firstStates)],
      ['abnormal_state.json', toJson(incremental.streams.map(({ stream }) => futureState(stream)))],
      [
        'expected_records.jsonl',
        // The text itself: parsed and written again, integers beyond 2^53 and 0.0 would no longer be what they were.
        expected
          .map(
            (line) =>
              `${line.slice(RECORD_HEAD.length, -1).replace(/"emitted_at":\d+/, `"emitted_at":${EMITTED_AT}`)}\n`,
          )
          .join(''),
      ],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
    await simulator.close();
  }
}

function configure(streams: readonly CatalogStream[], mode: 'full_refresh' | 'incremental') {
  return {
    streams: streams
      .filter((stream) => stream.supported_sync_modes.includes(mode))
      .map((stream) => ({
        stream,
        sync_mode: mode,
        destination_sync_mode: mode === 'incremental' ? 'append_dedup' : 'overwrite',
        ...(stream.default_cursor_field === undefined ? {} : { cursor_field: stream.default_cursor_field }),
        ...(stream.source_defined_primary_key === undefined
          ? {}
          : { primary_key: stream.source_defined_primary_key }),
      })),
  };
}

function futureState({ name, default_cursor_field: [field = ''] = [] }: CatalogStream): object {
  const value = field === 'date' ? '2999-01-01' : '29990101T00';
  return { type: 'STREAM', stream: { stream_descriptor: { name }, stream_state: { [field]: value } } };
}

function parse(line: string): Message {
  return JSON.parse(line) as Message;
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** The lines of one run; an exit code other than 0 is an error. */
async function runConnector(
  folder: string,
  command: string,
  files: Readonly<Record<string, unknown>>,
): Promise<string[]> {
  const flags = Object.entries(files).flatMap(([name, content]) => {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, JSON.stringify(content));
    return [`--${name}`, path];
  });
  const { stdout } = await promisify(execFile)(PROGRAM, [command, ...flags], { maxBuffer: 1 << 28 });
  return stdout.split('\n').filter((line) => line !== '');
}

async function main(): Promise<void> {
  for (const [name, text] of await makeFixtures()) writeFileSync(join(__dirname, name), text);
}

if (require.main === module) {
  main().catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  });
}
