import type { Amplitude } from './amplitude/client';
import type { Invocation } from './cli';
import type { Config } from './config';
import { connect } from './connect';
import { ConnectorFailure } from './failure';
import { loadConfig, loadSchema, readInput, type SourceIo } from './inputs';
import { parseConfiguredCatalog, type ConfiguredStream } from './protocol/catalog';
import type { Logger } from './protocol/log';
import { createProgressView } from './protocol/progress';
import { readStreams, type StreamRun } from './protocol/read-streams';
import { findState, parseStateInput, type InputStates } from './protocol/state';
import { streams } from './streams';
import type { Stream } from './streams/stream';

export async function read(invocation: Invocation, io: SourceIo, log: Logger): Promise<number> {
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
  const states = loadStates(invocation, io, log);
  warnOfUnused(states, configured, log);
  if (configured.length === 0) log.warn('The catalog holds no streams: there is nothing to read.');
  const amplitude = connect(config, io);
  const view = io.terminal && createProgressView(io.terminal);
  const runs = configured.map((entry) => planRun(entry, states, config, amplitude, log));
  const { outcome } = await readStreams(runs, {
    writer: io.writer,
    logger: log,
    redact: io.redact,
    signal: io.signal,
    heartbeatMs: io.environment.heartbeatMs,
    ...(view && { onProgress: (progress) => view.update(progress) }),
  });
  view?.stop();
  return outcome === 'complete' ? 0 : 1;
}

function loadStates({ state: path }: Invocation, io: SourceIo, log: Logger): InputStates {
  if (path === undefined) return new Map();
  const text = readInput(path, 'state', io);
  const states = parseStateInput(text, path);
  const isEmpty = !/[^\s[\]{}]/.test(text);
  if (states.size === 0 && !isEmpty)
    log.warn(`The state file ${path} holds no state of a stream: every stream is read from its start.`);
  return states;
}

/** A state that no stream takes up means a read from the start, which somebody may not expect. */
function warnOfUnused(states: InputStates, configured: readonly ConfiguredStream[], log: Logger): void {
  for (const { stream, state } of states.values()) {
    const isBlank = Object.keys(state ?? {}).every((key) => key.startsWith('__ab_'));
    const namesakes = configured.filter(({ name }) => name === stream.name);
    if (isBlank || namesakes.some((candidate) => findState(states, candidate) === state)) continue;
    const name = JSON.stringify(stream.name);
    if (!streams.some((known) => known.name === stream.name))
      log.warn(`The saved state of stream ${name} is not used: there is no such stream.`);
    else if (namesakes.length > 0)
      log.warn(
        `The saved state of stream ${name} in namespace ${JSON.stringify(stream.namespace)} is not used: ` +
          'the catalog has the stream in another namespace.',
      );
  }
}

/** A run never fails to be planned: what is wrong with one stream must not keep the others from being read. */
function planRun(
  configured: ConfiguredStream,
  states: InputStates,
  { settings }: Config,
  amplitude: Amplitude,
  log: Logger,
): StreamRun {
  const { name, namespace, syncMode, selectedFields } = configured;
  const isFullRefresh = syncMode === 'full_refresh';
  const descriptor = namespace === undefined ? { name } : { name, namespace };
  const stream = streams.find((candidate) => candidate.name === name);
  const found = findState(states, configured);
  // Its saved state is given back as it came: the stream may be one that a later version knows again.
  if (!stream) return { ...descriptor, initialState: found, start: () => failUnknown(name) };
  const { cursorField } = stream;
  const saved = cursorField === undefined ? undefined : found;
  try {
    const state = saved && (stream.parseState ? stream.parseState(saved, { log }) : saved);
    return {
      ...descriptor,
      cursorField,
      initialState: state,
      unselectedFields: unselected(stream, selectedFields),
      start: (host) => stream.read({ isFullRefresh, settings, host, api: amplitude.for(host) }, state),
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
