import { ConnectorFailure } from './failure';

/** What the surroundings say, read once from the environment variables. */
export interface Environment {
  /** `DEPLOYMENT_MODE=cloud`: stricter rules on where requests may go. */
  readonly cloud: boolean;
  readonly debug: boolean;
  /** `DATA_CHANNEL_MEDIUM=SOCKET`: nobody would read records from standard output. */
  readonly socketChannel: boolean;
  /** First back-off, from `AMPLITUDE_RETRY_BASE_SECONDS`. */
  readonly retryBaseMs: number;
  /** Length of Amplitude's cost window, from `AMPLITUDE_COST_WINDOW_SECONDS`. */
  readonly costWindowMs: number;
  /** Least time between two exports, from `AMPLITUDE_PACE_SECONDS`; other requests take a quarter. */
  readonly paceMs: number;
  /** Longest silence on a connection, from `AMPLITUDE_IDLE_TIMEOUT_SECONDS`. */
  readonly idleTimeoutMs: number;
  /** A stream that sent no record and no state for so long sends its state again (0: never), from `AMPLITUDE_HEARTBEAT_SECONDS`. */
  readonly heartbeatMs: number;
  /** From `CONNECTOR_STORAGE_LIMIT_BYTES`, which the platform sets with an ephemeral-storage limit. */
  readonly storageLimitBytes: number | undefined;
}

/** @throws ConnectorFailure (config) that names the variable. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const storageLimit = env['CONNECTOR_STORAGE_LIMIT_BYTES'];
  return {
    cloud: env['DEPLOYMENT_MODE']?.toLowerCase() === 'cloud',
    socketChannel: env['DATA_CHANNEL_MEDIUM']?.toUpperCase() === 'SOCKET',
    debug: env['LOG_LEVEL']?.toLowerCase() === 'debug',
    retryBaseMs: readSeconds(env, 'AMPLITUDE_RETRY_BASE_SECONDS', 5),
    costWindowMs: readSeconds(env, 'AMPLITUDE_COST_WINDOW_SECONDS', 300),
    paceMs: readSeconds(env, 'AMPLITUDE_PACE_SECONDS', 1),
    // A large export may take minutes before its first byte: peers raised theirs from 60 to 600 s.
    idleTimeoutMs: readSeconds(env, 'AMPLITUDE_IDLE_TIMEOUT_SECONDS', 600),
    heartbeatMs: readSeconds(env, 'AMPLITUDE_HEARTBEAT_SECONDS', 600),
    storageLimitBytes:
      storageLimit !== undefined && /^\d+$/.test(storageLimit) ? Number(storageLimit) : undefined,
  };
}

function readSeconds(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  fallback: number,
): number {
  const text = env[name]?.trim();
  if (text === undefined || text === '') return fallback * 1000;
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) {
    throw new ConnectorFailure(
      'config',
      `The environment variable ${name} must be a number of seconds, 0 or more.`,
    );
  }
  return seconds * 1000;
}
