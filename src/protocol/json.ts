import { ConnectorFailure } from '../failure';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Parses the text of an input file.
 * @param label How messages name the file.
 * @throws ConnectorFailure `system`: the platform writes these files. It tells the place, never the text there, because
 *   a file given by mistake may be the configuration with its keys.
 */
export function parseJson(text: string, label: string): unknown {
  try {
    // A byte order mark is no JSON, but editors on Windows write one.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new ConnectorFailure('system', `Not valid JSON (${label}): ${describeSyntaxError(error, text)}.`);
  }
}

/** Where JSON ends to be JSON, without any of the text. */
export function describeSyntaxError(error: unknown, text: string): string {
  if (text.trim() === '') return 'it is empty';
  const message = error instanceof Error ? error.message : '';
  if (/unexpected end|unterminated/i.test(message)) return 'the text ends in the middle';
  const position = /at position (\d+)/.exec(message)?.[1];
  if (Number(position) >= text.trimEnd().length) return 'the text ends in the middle';
  // Node names the character but no position for some errors, and its message quotes the text: it is not passed on.
  if (position === undefined) return 'it holds a character where JSON allows none';
  const lines = text.slice(0, Number(position)).split('\n');
  return `line ${String(lines.length)}, column ${String((lines.at(-1)?.length ?? 0) + 1)}`;
}
