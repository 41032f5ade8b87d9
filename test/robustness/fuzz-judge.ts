import { HELP } from '../../src/cli';
import { parseConfiguredCatalog } from '../../src/protocol/catalog';
import type { AirbyteOutput } from '../harness/airbyte-output';
import { findViolations } from '../harness/assert-protocol';
import { type FuzzInput, SECRETS } from './fuzz-inputs';
import { findLeaks, spokenText } from './secrets';

const STACK = /\n\s+at (\S+ )?\(?(\/|node:|file:)/;

/** What the program says of an error that it does not know: then the fuzzer has found a defect. */
const UNKNOWN_ERROR = 'ran into an error that it does not know';

/** What must hold of the program's output whatever it was given. @returns What does not. */
export function judgeFuzzed(input: FuzzInput, output: AirbyteOutput): string[] {
  const { exitCode, stdout, stderr } = output;
  const asked = input.args.some((arg) => arg === '--help' || /^-h/.test(arg));
  if (asked && stdout === HELP) return exitCode === 0 && stderr === '' ? [] : ['help that failed'];
  return [...judgeLines(output), ...judgeExit(output), ...judgeResults(input, output)];
}

function judgeLines(output: AirbyteOutput): string[] {
  const { stdout, stderr, messages, unparsed, exitCode } = output;
  const problems: string[] = [];
  if (unparsed.length > 0) problems.push(`no message: ${unparsed[0]!.slice(0, 200)}`);
  if (stdout !== '' && !stdout.endsWith('\n')) problems.push('the last line has no end');
  if (stdout.split('\n').length - 1 !== messages.length + unparsed.length)
    problems.push('a message with a line end in it');
  for (const { type, value } of messages) {
    if (type !== 'RECORD' && hasStack(value, [])) problems.push(`a stack trace in a ${type}`);
  }
  if (exitCode !== 2 && stderr !== '') problems.push(`on stderr: ${stderr.slice(0, 500)}`);
  if (exitCode === 2 && !stderr.endsWith(HELP)) problems.push('exit code 2 without the usage on stderr');
  if (STACK.test(stderr)) problems.push('a stack trace on stderr');
  const leaks = findLeaks(spokenText(output), SECRETS);
  if (leaks.length > 0) problems.push(`secrets: ${leaks.join(' ')}`);
  return problems;
}

/** Anywhere but in the field that is made for it. */
function hasStack(value: unknown, path: readonly string[]): boolean {
  if (typeof value === 'string') return path.join('.') !== 'trace.error.stack_trace' && STACK.test(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => hasStack(inner, [...path, key]));
}

function judgeExit({ exitCode, signal, errors }: AirbyteOutput): string[] {
  const problems: string[] = [];
  if (exitCode === null || ![0, 1, 2].includes(exitCode))
    problems.push(`ended with ${String(exitCode ?? signal)}`);
  if (exitCode === 0 && errors.length > 0) problems.push(`exit code 0 with the error ${errors[0]!.message}`);
  if (exitCode !== 0 && errors.length === 0) problems.push(`exit code ${String(exitCode)} without an error`);
  for (const { message, internal_message: detail = '' } of errors)
    if (message.includes(UNKNOWN_ERROR)) problems.push(`an error that nobody foresaw: ${detail}`);
  return problems;
}

/** What a command gives, exactly once when it ends well and never beside an error. */
function judgeResults({ args, files }: FuzzInput, output: AirbyteOutput): string[] {
  const { exitCode } = output;
  const command = args.find((arg) => ['spec', 'check', 'discover', 'read'].includes(arg));
  const counts = ['SPEC', 'CONNECTION_STATUS', 'CATALOG'].map((type) => output.ofType(type).length);
  const due = { spec: [1, 0, 0], check: [0, 1, 0], discover: [0, 0, 1] }[command ?? ''] ?? [0, 0, 0];
  const expected = exitCode === 0 ? due : [0, 0, 0];
  const problems: string[] = [];
  if (counts.join() !== expected.join())
    problems.push(
      `SPEC, CONNECTION_STATUS, CATALOG: ${counts.join()} of ${String(command)} with ${String(exitCode)}`,
    );
  const isRead = exitCode !== 2 && args[0] === 'read' && args.includes('{catalog}') && args.length === 7;
  return isRead && files.catalog instanceof Buffer
    ? [...problems, ...judgeRead(files.catalog, output)]
    : problems;
}

function judgeRead(catalog: Buffer, output: AirbyteOutput): string[] {
  try {
    const streams = parseConfiguredCatalog(catalog.toString('utf8'));
    const failedBefore = output.statuses().length === 0;
    return failedBefore ? [] : findViolations(output, streams);
  } catch {
    return output.records().length === 0 && output.states().length === 0
      ? []
      : ['something was read by a catalog that cannot be used'];
  }
}
