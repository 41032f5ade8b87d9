import { fstatSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Writable } from 'node:stream';
import { HELP, parseCommandLine, type Invocation } from './cli';
import { readEnvironment } from './environment';
import { ConnectorFailure } from './failure';
import { createRedactor } from './protocol/redact';
import { renderFailure } from './protocol/render-failure';
import { errorTraceMessage, logMessage } from './protocol/messages';
import { PipeStream } from './protocol/pipe-stream';
import { MessageWriter, OutputClosed } from './protocol/writer';
import { runCommand } from './source';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
/** What a shell reports for a process that a signal ended: 128 + number. */
const EXIT_OF_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const;

/** Docker and PyAirbyte kill 10 s after they asked. */
const LONGEST_FLUSH_MS = 8_000;

/** The process edge: the only file that touches `process`. It never calls process.exit, which would cut off output. */
async function main(): Promise<void> {
  const parsed = parseCommandLine(process.argv.slice(2));
  if (parsed.kind === 'help') {
    process.stdout.write(HELP);
    return;
  }
  const writer = new MessageWriter(openOutput());
  if (parsed.kind === 'usage error') {
    process.stderr.write(`${parsed.message}\n\n${HELP}`);
    const failure = new ConnectorFailure('system', `Wrong usage: ${parsed.message} See --help.`);
    writer.send(
      errorTraceMessage(
        renderFailure(failure, (text) => text),
        Date.now(),
      ),
    );
    process.exitCode = EXIT_USAGE;
    return writer.flush().catch(() => undefined);
  }
  await runInvocation(parsed.invocation, writer);
}

/** Standard output, which must be asked for before anything else looks at `process.stdout`. */
function openOutput(): Writable {
  const [output, errors] = [fstatSync(1), fstatSync(2)];
  // Shared with standard error, the pipe is made non-blocking by whoever looks at process.stderr. And as PID 1 of a
  // container a process cannot end itself by a signal while a thread of it waits for the reader.
  const isShared = output.ino === errors.ino && output.dev === errors.dev;
  if (!output.isFIFO() || isShared || process.pid === 1) return process.stdout;
  const stream = new PipeStream(1);
  // Node's Readable.pipe looks at process.stdout, and its first look alone makes the pipe non-blocking.
  Object.defineProperty(process, 'stdout', { value: stream, configurable: true });
  return stream;
}

async function runInvocation(invocation: Invocation, writer: MessageWriter): Promise<void> {
  let redact = createRedactor([]);
  const stop = new AbortController();
  let removeTemp = (): void => undefined;
  writer.signal.addEventListener('abort', () => stop.abort(writer.failure));
  const report = (error: unknown): void => {
    process.exitCode = EXIT_FAILURE;
    if (error instanceof OutputClosed) return;
    if (error === writer.failure) {
      // A full disk behind `>`, for example: standard error is all that is left to say it.
      process.stderr.write(`The output cannot be written: ${writer.failure?.message}\n`);
      return;
    }
    if (error === stop.signal.reason) return;
    const trace = renderFailure(error, redact);
    if (!(error instanceof ConnectorFailure))
      writer.send(logMessage('FATAL', trace.message, trace.stack_trace));
    writer.send(errorTraceMessage(trace, Date.now()));
  };
  process.on('uncaughtException', (error) => {
    report(error);
    stop.abort(error);
  });
  process.on('exit', () => removeTemp());
  const ending = endOnSignal(stop);
  try {
    process.exitCode = await runCommand(invocation, {
      writer,
      environment: readEnvironment(process.env),
      signal: stop.signal,
      nowMs: Date.now(),
      readFile: (path) => readFileSync(path, 'utf8'),
      hide: (secrets) => (redact = createRedactor(secrets)),
      redact: (text) => redact(text),
      temp: { parent: tmpdir(), pid: process.pid, isAlive },
      onTemp: (remove) => (removeTemp = remove),
      terminal: process.stderr.isTTY ? process.stderr : undefined,
    });
  } catch (error) {
    report(error);
  }
  await Promise.race([writer.flush().catch(report), ending.overdue]);
  removeTemp();
  ending.finish();
}

interface Ending {
  /** Settles when a signal came and the time to flush is over: a reader that stands still must not keep the program. */
  readonly overdue: Promise<void>;
  /** To be called when everything has been written, or never will be. */
  finish(): void;
}

/**
 * On a signal, stops the run, lets it flush its last safe states, and then dies by that same signal: to PyAirbyte any
 * other end is a failure, and an exit with 0 would make the platform believe that everything was read.
 */
function endOnSignal(stop: AbortController): Ending {
  let received: keyof typeof EXIT_OF_SIGNAL | undefined;
  let timer: NodeJS.Timeout | undefined;
  let giveUp = (): void => undefined;
  const overdue = new Promise<void>((resolve) => (giveUp = resolve));
  const handle = (signal: keyof typeof EXIT_OF_SIGNAL): void => {
    received ??= signal;
    timer ??= setTimeout(giveUp, LONGEST_FLUSH_MS);
    stop.abort(new Error(`Stopped by ${signal}.`));
  };
  process.once('SIGTERM', handle);
  process.once('SIGINT', handle);
  const finish = (): void => {
    clearTimeout(timer);
    process.removeListener('SIGTERM', handle);
    process.removeListener('SIGINT', handle);
    if (received === undefined) return;
    // As PID 1 of a container the kernel ignores the signal; then this code is what is left to tell.
    process.exitCode = EXIT_OF_SIGNAL[received];
    process.stdout.destroy();
    process.kill(process.pid, received);
  };
  return { overdue, finish };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: alive, but somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

void main();
