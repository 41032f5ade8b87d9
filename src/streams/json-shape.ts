import { ConnectorFailure } from '../failure';

/** A JSON object of an answer. @throws ConnectorFailure (system) when it is something else. */
export function asObject(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw unexpectedShape(where, 'a JSON object');
}

/**
 * The list under a key. A missing key is an error, never an empty list: a renamed wrapper once made Airbyte's cohorts
 * stream return nothing for four months.
 */
export function listUnder(answer: unknown, key: string, where: string): object[] {
  const list = asObject(answer, where)[key];
  if (!Array.isArray(list)) throw unexpectedShape(where, `a list under ${JSON.stringify(key)}`);
  return list.map((item, index) => asObject(item, `item ${index} under ${JSON.stringify(key)} in ${where}`));
}

export function unexpectedShape(where: string, expected: string): ConnectorFailure {
  return new ConnectorFailure(
    'system',
    `Amplitude answered in an unexpected form: expected ${expected} in ${where}. Nothing was skipped; ` +
      'report this to the maintainers if it repeats.',
  );
}
