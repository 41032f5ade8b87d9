import type { Invocation } from './cli';
import { loadConfig, loadSchema, loadSpec, type SourceIo } from './inputs';
import { buildCatalog } from './protocol/catalog';
import { createLogger } from './protocol/log';
import { catalogMessage, specMessage } from './protocol/messages';
import { streams } from './streams';
import type { Stream } from './streams/stream';

/** @returns The exit code. @throws ConnectorFailure when the command could not do its work. */
export async function runCommand(invocation: Invocation, io: SourceIo): Promise<number> {
  const { writer } = io;
  const debug = invocation.debug || io.environment.debug;
  const log = createLogger(writer, io.redact, { debug });
  switch (invocation.command) {
    case 'spec':
      await writer.write(specMessage(loadSpec()));
      return 0;
    case 'discover':
      loadConfig(invocation, io, log);
      await writer.write(catalogMessage(buildCatalog(streams.map(discover))));
      return 0;
    // What speaks to Amplitude takes 200 ms to load (axios, unzipper), which spec and discover need not pay.
    case 'check': {
      const { check } = require('./check') as typeof import('./check');
      return check(invocation, io, log);
    }
    case 'read': {
      const { read } = require('./read') as typeof import('./read');
      return read(invocation, io, log);
    }
  }
}

function discover({ name, primaryKey, cursorField }: Stream) {
  return {
    name,
    jsonSchema: loadSchema(name),
    primaryKey,
    ...(cursorField !== undefined && { cursorField }),
  };
}
