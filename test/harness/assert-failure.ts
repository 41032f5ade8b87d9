import type { ConnectorOutput } from './connector';

export type FailureType = 'config_error' | 'system_error' | 'transient_error';

/**
 * Throws when a run did not fail as it should: one TRACE ERROR of this type whose message fits, this exit code, no record, only
 * messages on stdout, none of the secrets printed, no stack trace where a user reads, nothing left behind.
 */
export function assertFailure(
  output: ConnectorOutput,
  exitCode: number,
  type: FailureType,
  message: RegExp,
  secrets: readonly string[] = [],
): void {
  const problems: string[] = [];
  const [error, ...more] = output.errors;
  if (error === undefined || more.length > 0)
    problems.push(`${String(output.errors.length)} errors instead of one`);
  if (error?.failure_type !== type) problems.push(`${String(error?.failure_type)} instead of ${type}`);
  if (!message.test(error?.message ?? '')) problems.push(`the message does not say ${String(message)}`);
  if (/\n\s+at /.test(error?.message ?? '')) problems.push('the message holds a stack trace');
  if (output.exitCode !== exitCode)
    problems.push(`exit code ${String(output.exitCode)} instead of ${String(exitCode)}`);
  if (output.records().length > 0) problems.push('there are records');
  if (output.unparsed.length > 0) problems.push('stdout holds something else than messages');
  const printed = output.stdout + output.stderr;
  if (secrets.some((secret) => printed.includes(secret))) problems.push('a secret is printed');
  if (output.leftInTemp.length > 0) problems.push('something is left in the temporary folder');
  if (problems.length === 0) return;
  throw new Error([...problems, ...output.errors.map((each) => JSON.stringify(each))].join('\n'));
}
