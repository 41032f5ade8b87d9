import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const VERSION = '0.6.19';
const HOST_VARIABLE = 'PUBLISHED_BASE_URL';
const OLD_HOST = 'return f"https://{subdomain}amplitude.com/api/"';
const NEW_HOST = `import os; return os.environ["${HOST_VARIABLE}"] + "/api/"`;

/** Airbyte's published connector, installed from PyPI. */
export interface PublishedConnector {
  readonly program: string;
  readonly version: string;
  /** `Python 3.11.7`. */
  readonly python: string;
  /** Environment that points it at a server. */
  env(baseUrl: string): Record<string, string>;
}

/**
 * Installs the connector into an environment of its own, or takes the one that is there, and makes its host a setting.
 * @returns undefined when no Python that it runs with is present, or PyPI cannot be reached.
 */
export function installPublishedConnector(folder: string): PublishedConnector | undefined {
  const python = findPython();
  if (python === undefined) return undefined;
  const environment = join(folder, `airbyte-source-amplitude-${VERSION}`);
  const interpreter = join(environment, 'bin', 'python');
  const done = join(environment, 'installed');
  if (!existsSync(done)) {
    try {
      rmSync(environment, { recursive: true, force: true });
      run(python, '-m', 'venv', environment);
      run(interpreter, '-m', 'pip', '--quiet', 'install', `airbyte-source-amplitude==${VERSION}`);
      redirectHost(interpreter);
    } catch (error) {
      process.stderr.write(`Airbyte's connector cannot be installed: ${(error as Error).message}\n`);
      return undefined;
    }
    writeFileSync(done, '');
  }
  return {
    program: join(environment, 'bin', 'source-amplitude'),
    version: VERSION,
    python: run(interpreter, '--version'),
    env: (baseUrl) => ({ [HOST_VARIABLE]: baseUrl }),
  };
}

/** It runs on Python 3.10 and 3.11 only. */
function findPython(): string | undefined {
  return ['python3.11', 'python3.10', 'python3'].find((name) => {
    try {
      return /Python 3\.1[01]\./.test(run(name, '--version'));
    } catch (error) {
      if (error instanceof Error) return false;
      throw error;
    }
  });
}

function redirectHost(interpreter: string): void {
  const find =
    'import importlib.util as u; print(u.find_spec("source_amplitude").submodule_search_locations[0])';
  const streams = join(run(interpreter, '-c', find), 'streams.py');
  const code = readFileSync(streams, 'utf8');
  if (!code.includes(OLD_HOST)) throw new Error(`streams.py is not the one of ${VERSION}`);
  writeFileSync(streams, code.replace(OLD_HOST, NEW_HOST));
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}
