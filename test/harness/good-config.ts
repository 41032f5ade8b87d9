import { assertFailure, type FailureType } from './assert-failure';
import type { ConnectorOutput } from './connector';

/* For runs that must end before their first request. */

export const SECRET = 'very-secret-4711';

/** Nobody listens at this address: whoever came as far as a request would fail otherwise than the tests say. */
export const good = (changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  api_key: 'key-0815',
  secret_key: SECRET,
  base_url: 'http://127.0.0.1:9',
  start_date: '2024-03-01',
  end_date: '2024-03-02',
  ...changes,
});

/** `assertFailure`, and the secret is not printed. */
export const expectFailure = (
  output: ConnectorOutput,
  exitCode: number,
  type: FailureType,
  message: RegExp,
): void => assertFailure(output, exitCode, type, message, [SECRET]);
