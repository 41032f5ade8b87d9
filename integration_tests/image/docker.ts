import { spawn } from 'node:child_process';
import path from 'node:path';

/** The repository's top level: the build context. */
export const ROOT = path.join(__dirname, '..', '..');

/** The image that `npm run test:image` builds and tests. */
export const IMAGE = process.env['SOURCE_AMPLITUDE_IMAGE'] ?? 'source-amplitude:dev';

export interface Finished {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the Docker client to its end. Asynchronous, because the simulator that containers talk to lives in this process.
 * @returns Whatever the exit code is; `succeed` is for commands that must not fail.
 */
export async function docker(...args: readonly string[]): Promise<Finished> {
  const lines: string[] = [];
  const finished = await dockerLines(args, (line) => lines.push(line));
  return { ...finished, stdout: lines.join('') };
}

/** The same for output that is too large to keep: each line of stdout is given away, its end included. */
export function dockerLines(
  args: readonly string[],
  take: (line: string) => void,
): Promise<Omit<Finished, 'stdout'>> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', [...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let rest = '';
    let stderr = '';
    // setEncoding keeps characters whole that two chunks share.
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split(/(?<=\n)/);
      rest = chunk.endsWith('\n') ? '' : (lines.pop() ?? '');
      lines.forEach(take);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.once('error', reject);
    child.once('close', (exitCode) => {
      if (rest !== '') take(rest);
      resolve({ exitCode, stderr });
    });
  });
}

/** The command's stdout; throws with its stderr when it fails. */
export async function succeed(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await docker(...args);
  if (exitCode !== 0) {
    throw new Error(`docker ${args.join(' ')} ended with ${String(exitCode)}:\n${stdout}\n${stderr}`);
  }
  return stdout;
}

export interface ImageFacts {
  readonly Size: number;
  readonly RootFS: { readonly Layers: readonly string[] };
  readonly Config: {
    readonly User: string;
    readonly WorkingDir: string;
    readonly Env: readonly string[];
    readonly Entrypoint: readonly string[];
    readonly Cmd?: readonly string[] | null;
    readonly Labels: Readonly<Record<string, string>>;
  };
}

/** What `docker image inspect` says. */
export async function inspectImage(image: string): Promise<ImageFacts> {
  const [facts] = JSON.parse(await succeed('image', 'inspect', image)) as ImageFacts[];
  if (facts === undefined) throw new Error(`there is no image ${image}`);
  return facts;
}

/** The address under which a container reaches this machine: the bridge's gateway, or its counterpart in Docker Desktop. */
export async function hostAddress(): Promise<string> {
  const lines = await succeed(
    ...[
      'run',
      '--rm',
      '--add-host=machine:host-gateway',
      '--entrypoint=getent',
      IMAGE,
      'ahostsv4',
      'machine',
    ],
  );
  const address = lines.split(/\s/)[0];
  if (!address) throw new Error(`no address of this machine in: ${lines}`);
  return address;
}
