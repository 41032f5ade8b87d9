import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AirbyteOutput } from '../../test/harness/airbyte-output';
import { dockerLines, IMAGE } from './docker';

/** How a careful operator starts a container: nothing to write to but a tmpfs, no right of any kind, 256 MB. */
export const HARDENED: readonly string[] = [
  '--read-only',
  '--tmpfs=/tmp',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges',
  '--memory=256m',
  '--memory-swap=256m',
  '--user=1000',
];

/** Waits that only make sense against the real Amplitude are cut short. */
const QUICK: readonly string[] = [
  '--env=AMPLITUDE_RETRY_BASE_SECONDS=0.05',
  '--env=AMPLITUDE_PACE_SECONDS=0',
];

/** A file's content that is not to be written as JSON. */
export class Verbatim {
  constructor(readonly text: string) {}
}

export interface ContainerRun {
  /** Files of the read-only folder, by name; values are written as JSON. */
  readonly files?: Readonly<Record<string, unknown>>;
  /** Flags of `docker run` besides these. */
  readonly flags?: readonly string[];
  /** What follows the image's name. */
  readonly command: readonly string[];
  /** Where the files are mounted. Default `/secrets`. */
  readonly folder?: string;
  /** Name of the container, for `docker stop`. */
  readonly name?: string;
  /** Leaves the ended container to be looked at; the caller removes it. */
  readonly keep?: boolean;
}

/** The catalog of a `discover` with every stream configured: incremental where the stream can. */
export function configureAll(catalog: AirbyteOutput['catalog'], only?: readonly string[]): object {
  const streams = (catalog?.streams ?? []) as readonly {
    readonly name: string;
    readonly supported_sync_modes: readonly string[];
    readonly default_cursor_field?: readonly string[];
    readonly source_defined_primary_key?: readonly (readonly string[])[];
  }[];
  return {
    streams: streams
      .filter(({ name }) => only === undefined || only.includes(name))
      .map((stream) => ({
        stream,
        sync_mode: stream.supported_sync_modes.includes('incremental') ? 'incremental' : 'full_refresh',
        destination_sync_mode: 'append',
        cursor_field: stream.default_cursor_field ?? [],
        primary_key: stream.source_defined_primary_key ?? [],
      })),
  };
}

/** Runs the image once and parses what came out. */
export async function runContainer(run: ContainerRun): Promise<AirbyteOutput> {
  const lines: string[] = [];
  const { exitCode, stderr } = await runLines(run, (line) => lines.push(line));
  return new AirbyteOutput(lines.join(''), stderr, exitCode);
}

/** The same for a read whose records are too many to keep: they are only counted. */
export async function runCounting(
  run: ContainerRun,
): Promise<{ readonly output: AirbyteOutput; readonly records: number; readonly bytes: number }> {
  const others: string[] = [];
  let records = 0;
  let bytes = 0;
  const { exitCode, stderr } = await runLines(run, (line) => {
    bytes += Buffer.byteLength(line);
    if (line.startsWith('{"type":"RECORD"') && line.endsWith('}\n')) records += 1;
    else others.push(line);
  });
  return { output: new AirbyteOutput(others.join(''), stderr, exitCode), records, bytes };
}

async function runLines(
  run: ContainerRun,
  take: (line: string) => void,
): Promise<{ exitCode: number | null; stderr: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'image-run-'));
  const mounted = path.join(folder, 'mounted');
  try {
    await mkdir(mounted);
    await chmod(folder, 0o755);
    for (const [name, value] of Object.entries(run.files ?? {})) {
      const text = value instanceof Verbatim ? value.text : JSON.stringify(value);
      // Airbyte's and PyAirbyte's files are owned by somebody else and cannot be written.
      await writeFile(path.join(mounted, name), text, { mode: 0o444 });
    }
    const args = [
      'run',
      // The engine would keep a copy of everything that a container prints.
      '--log-driver=none',
      `--name=${run.name ?? `image-test-${randomUUID()}`}`,
      ...(run.keep === true ? [] : ['--rm']),
      `--volume=${mounted}:${run.folder ?? '/secrets'}:ro`,
      ...QUICK,
      ...(run.flags ?? []),
      IMAGE,
      ...run.command,
    ];
    return await dockerLines(args, take);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
