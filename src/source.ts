import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Amplitude, AmplitudeApi } from './amplitude/client';
import type { TempSpaceOptions } from './amplitude/temp-space';
import { checkConnection } from './check';
import type { Invocation } from './cli';
import { parseConfig, secretsOf, type Config, type ConfigSchema } from './config';
import type { Environment } from './environment';
import { ConnectorFailure } from './failure';
import { buildCatalog, parseConfiguredCatalog, type ConfiguredStream } from './protocol/catalog';
import { parseJson } from './protocol/json';
import { createLogger, type Logger } from './protocol/log';
import { catalogMessage, connectionStatusMessage, specMessage } from './protocol/messages';
import { createProgressView, type Terminal } from './protocol/progress';
import { readStreams, type StreamRun } from './protocol/read-streams';
import { findState, parseStateInput, type InputStates } from './protocol/state';
import type { MessageWriter } from './protocol/writer';
import { streams } from './streams';
import type { Stream } from './streams/stream';

/** Interactive commands must answer within a minute; a sync may wait much longer. */
const CHECK_RETRIES = 2;
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

/** @returns The exit code. @throws ConnectorFailure when the command could not do its work. */
export async function runCommand(invocation: Invocation, io: SourceIo): Promise<number> {
  const { writer } = io;
  const debug = invocation.debug || io.environment.debug;
  const log = createLogger(writer, io.redact, { debug });
  switch (invocation.command) {
    case 'spec':
      await writer.write(specMessage(loadSpec()));
      return 0;
    case 'check':
      return check(invocation, io, log);
    case 'discover':
      loadConfig(invocation, io, log);
      await writer.write(catalogMessage(buildCatalog(streams.map(discover))));
      return 0;
    case 'read':
      return read(invocation, io, log);
  }
}

function loadSpec(): { connectionSpecification: ConfigSchema } {
  return JSON.parse(readFileSync(join(ROOT, 'spec.json'), 'utf8')) as {
    connectionSpecification: ConfigSchema;
  };
}

function loadSchema(stream: string): { properties: Record<string, unknown> } {
  return JSON.parse(readFileSync(join(ROOT, 'schemas', `${stream}.json`), 'utf8')) as {
    properties: Record<string, unknown>;
  };
}

function discover({ name, primaryKey, cursorField }: Stream) {
  return {
    name,
    jsonSchema: loadSchema(name),
    primaryKey,
    ...(cursorField !== undefined && { cursorField }),
  };
}

function loadConfig({ config: path }: Invocation, io: SourceIo, log: Logger): Config {
  const { connectionSpecification: schema } = loadSpec();
  const raw = parseJson(readInput(path!, 'configuration', io), `configuration ${path}`);
  const secrets = secretsOf(raw, schema);
  io.hide([...secrets, secrets.join(':')]);
  const config = parseConfig(raw, schema, io.environment, io.nowMs);
  config.warnings.forEach((warning) => log.warn(warning));
  return config;
}

function readInput(path: string, what: string, io: SourceIo): string {
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

function connect(config: Config, io: SourceIo, retries?: number): Amplitude {
  // axios and unzipper take 200 ms to load, which spec and discover need not pay.
  const { Amplitude } = require('./amplitude/client') as typeof import('./amplitude/client');
  const { TempSpace } = require('./amplitude/temp-space') as typeof import('./amplitude/temp-space');
  const { environment } = io;
  const temp = new TempSpace({ ...io.temp, limitBytes: environment.storageLimitBytes });
  io.onTemp(() => temp.removeSync());
  const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  return new Amplitude({
    ...config,
    ...environment,
    policy: environment,
    temp,
    userAgent: `${name}/${version}`,
    ...(retries !== undefined && { retries }),
  });
}

async function check(invocation: Invocation, io: SourceIo, log: Logger): Promise<number> {
  const { writer, signal } = io;
  const observer = {
    signal,
    log,
    rateLimited: () => undefined,
    resumed: () => undefined,
    tally: () => undefined,
  };
  const connectTo = (config: Config): AmplitudeApi => connect(config, io, CHECK_RETRIES).for(observer);
  try {
    await checkConnection(loadConfig(invocation, io, log), io.nowMs, connectTo);
    await writer.write(connectionStatusMessage('SUCCEEDED'));
  } catch (error) {
    // Only what the user can mend is a failed check; anything else is an error of this run.
    if (!(error instanceof ConnectorFailure) || error.kind !== 'config') throw error;
    await writer.write(connectionStatusMessage('FAILED', io.redact(error.message)));
  }
  return 0;
}

async function read(invocation: Invocation, io: SourceIo, log: Logger): Promise<number> {
  if (io.environment.socketChannel) {
    throw new ConnectorFailure(
      'system',
      'DATA_CHANNEL_MEDIUM is SOCKET, but this connector writes its records to standard output only.',
    );
  }
  const config = loadConfig(invocation, io, log);
  const configured = parseConfiguredCatalog(
    readInput(invocation.catalog!, 'catalog', io),
    invocation.catalog,
  );
  const states = loadStates(invocation, io);
  if (configured.length === 0) log.warn('The catalog holds no streams: there is nothing to read.');
  const amplitude = connect(config, io);
  const view = io.terminal && createProgressView(io.terminal);
  const runs = configured.map((entry) => planRun(entry, states, config, amplitude, log));
  const { outcome } = await readStreams(runs, {
    writer: io.writer,
    logger: log,
    redact: io.redact,
    signal: io.signal,
    ...(view && { onProgress: (progress) => view.update(progress) }),
  });
  view?.stop();
  return outcome === 'complete' ? 0 : 1;
}

function loadStates({ state: path }: Invocation, io: SourceIo): InputStates {
  return path === undefined ? new Map() : parseStateInput(readInput(path, 'state', io), path);
}

/** A run never fails to be planned: what is wrong with one stream must not keep the others from being read. */
function planRun(
  configured: ConfiguredStream,
  states: InputStates,
  { settings }: Config,
  amplitude: Amplitude,
  log: Logger,
): StreamRun {
  const { name, namespace, selectedFields } = configured;
  const descriptor = namespace === undefined ? { name } : { name, namespace };
  const stream = streams.find((candidate) => candidate.name === name);
  if (!stream) return { ...descriptor, start: () => failUnknown(name) };
  const { cursorField } = stream;
  const saved = cursorField === undefined ? undefined : findState(states, configured);
  try {
    const state = saved && (stream.parseState ? stream.parseState(saved, { log }) : saved);
    return {
      ...descriptor,
      cursorField,
      initialState: state,
      unselectedFields: unselected(stream, selectedFields),
      start: (host) => stream.read({ settings, host, api: amplitude.for(host) }, state),
    };
  } catch (error) {
    const start = (): never => {
      throw error;
    };
    return { ...descriptor, cursorField, initialState: saved, start };
  }
}

function failUnknown(name: string): never {
  const known = streams.map((stream) => stream.name).join(', ');
  throw new ConnectorFailure(
    'config',
    `There is no stream ${JSON.stringify(name)}. Refresh the schema of the connection. Streams: ${known}.`,
  );
}

/** Declared fields that the catalog does not list. Undeclared ones stay: the platform prunes them, others want them. */
function unselected(stream: Stream, selected: ReadonlySet<string> | undefined): ReadonlySet<string> {
  if (!selected) return new Set();
  const needed = [...stream.primaryKey, stream.cursorField];
  const declared = Object.keys(loadSchema(stream.name).properties);
  return new Set(declared.filter((field) => !selected.has(field) && !needed.includes(field)));
}
