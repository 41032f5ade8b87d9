import { assertProtocol, type CheckedCatalog } from './assert-protocol';
import type { ConnectorOutput } from './connector';

/**
 * Throws, with everything that the run said of it, when it did not end well: exit code 0, no TRACE ERROR, nothing on stderr,
 * nothing left in the temporary folder, and by all rules of the protocol.
 */
export function assertSuccess(output: ConnectorOutput, catalog?: CheckedCatalog): void {
  const problems: string[] = [];
  if (output.exitCode !== 0)
    problems.push(`exit code ${String(output.exitCode)}, signal ${String(output.signal)}`);
  if (output.stderr !== '') problems.push(`stderr: ${output.stderr.slice(0, 2000)}`);
  if (output.leftInTemp.length > 0)
    problems.push(`left in the temporary folder: ${output.leftInTemp.join(', ')}`);
  for (const { message, internal_message: detail, stack_trace: stack } of output.errors) {
    problems.push(['error:', message, detail, stack].filter((text) => text !== undefined).join(' '));
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  if (catalog !== undefined) assertProtocol(output, catalog);
}
