import { logMessage, type LogMessage } from './messages';

export type LogLevel = 'FATAL' | 'ERROR' | 'WARN' | 'INFO' | 'DEBUG';

/** Writes LOG messages. `debug` is dropped unless asked for by `--debug` or `LOG_LEVEL=debug`. */
export interface Logger {
  error(message: string): void;
  warn(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

/** Where LOG messages go: the writer of all other messages, so that logs keep their place among them. */
export interface LogSink {
  send(message: LogMessage): unknown;
}

/** @param redact Applied to every text before it is written. */
export function createLogger(
  sink: LogSink,
  redact: (text: string) => string,
  options: { readonly debug: boolean },
): Logger {
  const log = (level: LogLevel, message: string): void => {
    sink.send(logMessage(level, redact(message)));
  };
  return {
    error: (message) => log('ERROR', message),
    warn: (message) => log('WARN', message),
    info: (message) => log('INFO', message),
    debug: (message) => {
      if (options.debug) log('DEBUG', message);
    },
  };
}
