import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TempSpaceOptions } from './amplitude/temp-space';
import type { Invocation } from './cli';
import type { Config, ConfigSchema } from './config';
import type { Environment } from './environment';
import { ConnectorFailure } from './failure';
import { parseJson } from './protocol/json';
import type { Logger } from './protocol/log';
import type { Terminal } from './protocol/progress';
import type { MessageWriter } from './protocol/writer';

/** The package's root, from `src/` as from `dist/`. */
const ROOT = join(__dirname, '..');

/** What the process edge lends to a command. */
export interface SourceIo {
  readonly writer: MessageWriter;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  readonly nowMs: number;
  readonly readFile: (path: string) => string;
  /** Texts that no message may hold from now on. */
  readonly hide: (secrets: readonly string[]) => void;
  readonly redact: (text: string) => string;
  readonly temp: Omit<TempSpaceOptions, 'limitBytes'>;
  /** Takes the function that removes this run's temporary files at once. */
  readonly onTemp: (remove: () => void) => void;
  /** For live progress; undefined when nobody watches. */
  readonly terminal: Terminal | undefined;
}

export function loadSpec(): { connectionSpecification: ConfigSchema } {
  return JSON.parse(readFileSync(join(ROOT, 'spec.json'), 'utf8')) as {
    connectionSpecification: ConfigSchema;
  };
}

export function loadSchema(stream: string): { properties: Record<string, unknown> } {
  return JSON.parse(readFileSync(join(ROOT, 'schemas', `${stream}.json`), 'utf8')) as {
    properties: Record<string, unknown>;
  };
}

export function loadConfig({ config: path }: Invocation, io: SourceIo, log: Logger): Config {
  // `spec` and `--help` do without it: it loads node:net and node:dns.
  const { parseConfig, secretsOf } = require('./config') as typeof import('./config');
  const { connectionSpecification: schema } = loadSpec();
  const raw = parseJson(readInput(path!, 'configuration', io), `configuration ${path}`);
  const secrets = secretsOf(raw, schema);
  io.hide([...secrets, secrets.join(':')]);
  const config = parseConfig(raw, schema, io.environment, io.nowMs);
  config.warnings.forEach((warning) => log.warn(warning));
  return config;
}

export function readInput(path: string, what: string, io: SourceIo): string {
  try {
    return io.readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new ConnectorFailure(
      'system',
      `The ${what} file ${path} cannot be read (${code}). Check the path and its permissions.`,
    );
  }
}

/** `name/version`, from package.json: the one place of the version. */
export function loadUserAgent(): string {
  const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  return `${name}/${version}`;
}
