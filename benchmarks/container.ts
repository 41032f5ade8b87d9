import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { DayArchive } from './archives';
import type { Project } from './project';

export const CONTAINER_MEMORY = '256m';

/** Peak memory of the image's reads of one day, in bytes. */
export interface ContainerRuns {
  readonly day: DayArchive;
  readonly peaks: readonly number[];
}

const run = promisify(execFile);

/**
 * Reads a day in a container that has as little memory as we promise to need. Its temporary files lie on a disk of the host:
 * in a tmpfs they would count as its memory.
 * @throws Error when the container fails, as one that runs out of memory does.
 */
export async function measureContainer(
  image: string,
  { configFile, catalogFile }: Project,
  day: DayArchive,
  rounds: number,
): Promise<ContainerRuns> {
  // The image's user is not ours.
  chmodSync(dirname(configFile), 0o755);
  const peaks: number[] = [];
  for (let round = 0; round < rounds; round += 1)
    peaks.push(await measurePeak(image, configFile, catalogFile));
  return { day, peaks };
}

async function measurePeak(image: string, configFile: string, catalogFile: string): Promise<number> {
  const temp = mkdtempSync(join(tmpdir(), 'bench-container-'));
  chmodSync(temp, 0o777);
  try {
    const read = `read --config /inputs/${basename(configFile)} --catalog /inputs/${basename(catalogFile)}`;
    const args = [
      ...['run', '--rm', '--log-driver=none', '--network=host'],
      ...[`--memory=${CONTAINER_MEMORY}`, `--memory-swap=${CONTAINER_MEMORY}`],
      ...[`--volume=${temp}:/tmp`, `--volume=${dirname(configFile)}:/inputs:ro`],
      `--volume=${join(__dirname, 'programs')}:/programs:ro`,
      ...['--env=AMPLITUDE_PACE_SECONDS=0', '--env=NODE_OPTIONS=--require=/programs/print-peak-memory.js'],
      // As Airbyte starts it: by a shell, into a pipe.
      ...[
        '--entrypoint=sh',
        image,
        '-c',
        `(eval "$AIRBYTE_ENTRYPOINT ${read}" || echo failed >&2) | cat > /dev/null`,
      ],
    ];
    const { stderr } = await run('docker', args);
    const peak = /^peak (\d+)$/m.exec(stderr)?.[1];
    if (peak === undefined || /^failed$/m.test(stderr))
      throw new Error(`The read in the container failed: ${stderr}`);
    return Number(peak);
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}
