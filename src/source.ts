import type { Invocation } from './cli';
import { loadSpec, type SourceIo } from './inputs';
import { createLogger } from './protocol/log';
import { specMessage } from './protocol/messages';

/** @returns The exit code. @throws ConnectorFailure when the command could not do its work. */
export async function runCommand(invocation: Invocation, io: SourceIo): Promise<number> {
  const { writer } = io;
  const debug = invocation.debug || io.environment.debug;
  const log = createLogger(writer, io.redact, { debug });
  // A command pays only for what it needs: what speaks to Amplitude (axios, unzipper) takes 200 ms to load.
  switch (invocation.command) {
    case 'spec':
      await writer.write(specMessage(loadSpec()));
      return 0;
    case 'discover': {
      const { discover } = require('./discover') as typeof import('./discover');
      return discover(invocation, io, log);
    }
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
