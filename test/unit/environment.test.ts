import { readEnvironment } from '../../src/environment';
import { ConnectorFailure } from '../../src/failure';

const DEFAULTS = {
  cloud: false,
  socketChannel: false,
  debug: false,
  retryBaseMs: 5_000,
  costWindowMs: 300_000,
  paceMs: 1_000,
  idleTimeoutMs: 600_000,
  heartbeatMs: 600_000,
  storageLimitBytes: undefined,
};

it('has defaults for what is not set, or set to nothing', () => {
  expect(readEnvironment({})).toMatchObject(DEFAULTS);
  const blank = Object.fromEntries(
    [
      'DEPLOYMENT_MODE',
      'DATA_CHANNEL_MEDIUM',
      'LOG_LEVEL',
      'AMPLITUDE_RETRY_BASE_SECONDS',
      'AMPLITUDE_COST_WINDOW_SECONDS',
      'AMPLITUDE_PACE_SECONDS',
      'AMPLITUDE_IDLE_TIMEOUT_SECONDS',
      'AMPLITUDE_HEARTBEAT_SECONDS',
      'CONNECTOR_STORAGE_LIMIT_BYTES',
    ].map((name) => [name, '']),
  );
  expect(readEnvironment(blank)).toMatchObject(DEFAULTS);
});

it.each([
  ['DEPLOYMENT_MODE', 'cloud', { cloud: true }],
  ['DEPLOYMENT_MODE', 'CLOUD', { cloud: true }],
  ['DEPLOYMENT_MODE', 'oss', { cloud: false }],
  ['DATA_CHANNEL_MEDIUM', 'SOCKET', { socketChannel: true }],
  ['DATA_CHANNEL_MEDIUM', 'STDIO', { socketChannel: false }],
  ['LOG_LEVEL', 'debug', { debug: true }],
  ['LOG_LEVEL', 'DEBUG', { debug: true }],
  ['LOG_LEVEL', 'INFO', { debug: false }],
  ['AMPLITUDE_RETRY_BASE_SECONDS', '0.05', { retryBaseMs: 50 }],
  ['AMPLITUDE_RETRY_BASE_SECONDS', '0', { retryBaseMs: 0 }],
  ['AMPLITUDE_RETRY_BASE_SECONDS', ' 7 ', { retryBaseMs: 7_000 }],
  ['AMPLITUDE_COST_WINDOW_SECONDS', '2.5', { costWindowMs: 2_500 }],
  ['AMPLITUDE_PACE_SECONDS', '1e-1', { paceMs: 100 }],
  ['AMPLITUDE_IDLE_TIMEOUT_SECONDS', '3', { idleTimeoutMs: 3_000 }],
  ['AMPLITUDE_HEARTBEAT_SECONDS', '0', { heartbeatMs: 0 }],
  ['CONNECTOR_STORAGE_LIMIT_BYTES', '5000000000', { storageLimitBytes: 5_000_000_000 }],
  ['CONNECTOR_STORAGE_LIMIT_BYTES', '0', { storageLimitBytes: 0 }],
  // The platform sets it; what it says in another form is no reason not to run.
  ['CONNECTOR_STORAGE_LIMIT_BYTES', '5Gi', { storageLimitBytes: undefined }],
  ['CONNECTOR_STORAGE_LIMIT_BYTES', '-1', { storageLimitBytes: undefined }],
])('%s=%j', (name, value, expected) => {
  expect(readEnvironment({ [name]: value })).toMatchObject(expected);
});

it.each([
  ['AMPLITUDE_RETRY_BASE_SECONDS', 'soon'],
  ['AMPLITUDE_RETRY_BASE_SECONDS', '-1'],
  ['AMPLITUDE_COST_WINDOW_SECONDS', 'Infinity'],
  ['AMPLITUDE_COST_WINDOW_SECONDS', 'NaN'],
  ['AMPLITUDE_PACE_SECONDS', '1s'],
  ['AMPLITUDE_IDLE_TIMEOUT_SECONDS', '1,5'],
])('%s=%j is refused by name', (name, value) => {
  let thrown: unknown;
  try {
    readEnvironment({ [name]: value });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ConnectorFailure);
  expect(thrown).toMatchObject({ kind: 'config', message: expect.stringContaining(name) });
});
