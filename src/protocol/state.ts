import { ConnectorFailure } from '../failure';
import { describeSyntaxError, isObject, type JsonObject } from './json';
import { type StreamDescriptor, streamKey } from './messages';
import type { StreamState } from './output';

/** State of a stream that was read in full and has no cursor. */
export const NO_CURSOR_STATE: StreamState = { __ab_no_cursor_state_message: true };

const SENTINELS: ReadonlySet<string> = new Set([
  '__ab_no_cursor_state_message',
  '__ab_full_refresh_sync_complete',
]);

/** Messages that stand between the STATEs of a saved run. */
const OTHER_MESSAGES: ReadonlySet<unknown> = new Set([
  'RECORD',
  'LOG',
  'TRACE',
  'SPEC',
  'CATALOG',
  'CONNECTION_STATUS',
  'CONTROL',
]);

/** One stream of a state file. `state` is null when the file names the stream without a state: start over. */
export interface InputState {
  readonly stream: StreamDescriptor;
  readonly state: StreamState | null;
}

/** By `streamKey`; a stream that occurs twice keeps its later entry. */
export type InputStates = ReadonlyMap<string, InputState>;

/**
 * Reads a state file in every form in use: an array of STREAM (or LEGACY, or one GLOBAL) states, the same inside STATE
 * messages, the saved output of a run (one message per line, others than STATE skipped), an object of stream names, and
 * `[]`, `{}` or nothing at all for "no state".
 * @param label How messages name the file.
 * @throws ConnectorFailure `system` when it is not JSON, `config` when it is JSON of another shape: a state that cannot be
 *   understood never means "start from scratch".
 */
export function parseStateInput(text: string, label = 'state file'): InputStates {
  const states = new Map<string, InputState>();
  const add = (entry: InputState): void => {
    states.set(streamKey(entry.stream), entry);
  };
  const trimmed = text.trim();
  if (trimmed === '') return states;
  const reader = new StateReader(label, add);
  const value = parseText(trimmed, label);
  if (value.lines !== undefined) {
    value.lines.forEach((line) => reader.readElement(line.value, `line ${String(line.number)}`));
  } else if (Array.isArray(value.whole)) {
    value.whole.forEach((element, index) => reader.readElement(element, `element ${String(index + 1)}`));
  } else if (isObject(value.whole)) {
    reader.readWhole(value.whole);
  } else {
    throw invalid(label, 'it is neither a list nor an object');
  }
  return states;
}

/**
 * The state to resume a stream from. Undefined when there is none, or one that says "no cursor" (null, `{}`, a sentinel).
 * A state without a namespace serves a configured stream with one, because PyAirbyte drops the namespace.
 */
export function findState(states: InputStates, stream: StreamDescriptor): StreamState | undefined {
  const entry = states.get(streamKey(stream)) ?? states.get(streamKey({ name: stream.name }));
  return entry?.state && hasCursor(entry.state) ? entry.state : undefined;
}

function hasCursor(state: StreamState): boolean {
  return Object.keys(state).some((key) => !SENTINELS.has(key));
}

interface ParsedText {
  readonly whole?: unknown;
  readonly lines?: readonly { readonly number: number; readonly value: unknown }[];
}

function parseText(text: string, label: string): ParsedText {
  try {
    return { whole: JSON.parse(text) };
  } catch (error) {
    const lines = text.split('\n');
    // One message per line only when the first line is JSON by itself; a pretty-printed file that is broken is not.
    if (lines.length === 1 || !isJson(lines[0] ?? '')) {
      throw new ConnectorFailure(
        'system',
        `The state is not valid JSON (${label}): ${describeSyntaxError(error, text)}.`,
      );
    }
    return { lines: lines.flatMap((line, index) => parseLine(line, index + 1, label)) };
  }
}

function parseLine(line: string, number: number, label: string): { number: number; value: unknown }[] {
  if (line.trim() === '') return [];
  try {
    return [{ number, value: JSON.parse(line) }];
  } catch {
    // The reason is left out: it quotes the line, which may be a record.
    throw new ConnectorFailure(
      'system',
      `The state is not valid JSON (${label}): line ${String(number)} is no message.`,
    );
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Reads one value after the other; `label` and the place go into its messages. */
class StateReader {
  readonly #label: string;
  readonly #add: (entry: InputState) => void;

  constructor(label: string, add: (entry: InputState) => void) {
    this.#label = label;
    this.#add = add;
  }

  /** The file as one object: a message, or an object of stream names. */
  readWhole(value: JsonObject): void {
    if (isMessage(value)) this.readElement(value, 'it');
    else this.#readStreams(value, 'it');
  }

  /** An element of the list, or a line. */
  readElement(value: unknown, place: string): void {
    if (!isObject(value)) throw invalid(this.#label, `${place} is not an object`);
    if (value.type === 'STATE' || isObject(value.state)) {
      if (!isObject(value.state)) throw invalid(this.#label, `${place} is a STATE message without a "state"`);
      this.#readState(value.state, place);
    } else if (!OTHER_MESSAGES.has(value.type)) {
      this.#readState(value, place);
    }
  }

  #readState(value: JsonObject, place: string): void {
    const { type, stream, global, data } = value;
    if (!isMissing(type) && type !== 'STREAM' && type !== 'GLOBAL' && type !== 'LEGACY') {
      throw invalid(this.#label, `${place} has an unknown type`);
    }
    const wanted =
      type === 'STREAM' ? stream : type === 'GLOBAL' ? global : type === 'LEGACY' ? data : undefined;
    if (!isMissing(type) && isMissing(wanted)) {
      throw invalid(this.#label, `${place} has the type ${type} but no "${fieldOf(type)}"`);
    }
    if (!isMissing(stream) && (isMissing(type) || type === 'STREAM')) {
      this.#readStream(stream, place);
    } else if (!isMissing(global) && type !== 'LEGACY') {
      this.#readGlobal(global, place);
    } else if (!isMissing(data)) {
      if (!isObject(data)) throw invalid(this.#label, `the "data" of ${place} is not an object`);
      this.#readStreams(data, place);
    } else {
      throw invalid(this.#label, `${place} has neither "stream", "global" nor "data"`);
    }
  }

  #readStream(value: unknown, place: string): void {
    if (!isObject(value)) throw invalid(this.#label, `the "stream" of ${place} is not an object`);
    const descriptor = value.stream_descriptor;
    if (!isObject(descriptor) || typeof descriptor.name !== 'string' || descriptor.name === '') {
      throw invalid(this.#label, `${place} does not name its stream`);
    }
    const { name, namespace } = descriptor;
    if (!isMissing(namespace) && typeof namespace !== 'string') {
      throw invalid(this.#label, `the namespace of the stream "${name}" (${place}) is not a text`);
    }
    this.#addState(typeof namespace === 'string' ? { name, namespace } : { name }, value.stream_state, place);
  }

  #readGlobal(value: unknown, place: string): void {
    if (!isObject(value) || !Array.isArray(value.stream_states)) {
      throw invalid(this.#label, `the "global" of ${place} has no list of "stream_states"`);
    }
    const shared = value.shared_state;
    if (!isMissing(shared) && !(isObject(shared) && Object.keys(shared).length === 0)) {
      throw invalid(this.#label, `${place} has a "shared_state", which no stream of this connector can use`);
    }
    value.stream_states.forEach((entry: unknown, index) =>
      this.#readStream(entry, `${place}, stream state ${String(index + 1)}`),
    );
  }

  #readStreams(value: JsonObject, place: string): void {
    for (const [name, state] of Object.entries(value)) {
      if (name === '') throw invalid(this.#label, `${place} holds a stream without a name`);
      this.#addState({ name }, state, place);
    }
  }

  #addState(stream: StreamDescriptor, state: unknown, place: string): void {
    if (!isMissing(state) && !isObject(state)) {
      throw invalid(this.#label, `the state of "${stream.name}" (${place}) is not an object`);
    }
    this.#add({ stream, state: isMissing(state) ? null : state });
  }
}

/** Told apart from an object of stream names by a shape that no state of a stream has. */
function isMessage(value: JsonObject): boolean {
  if (typeof value.type === 'string') return true;
  if (isObject(value.stream) && 'stream_descriptor' in value.stream) return true;
  if (isObject(value.global) && 'stream_states' in value.global) return true;
  if (isObject(value.state) && isMessage(value.state)) return true;
  return Object.keys(value).length === 1 && isObject(value.data) && Object.values(value.data).some(isObject);
}

function fieldOf(type: 'STREAM' | 'GLOBAL' | 'LEGACY'): string {
  return type === 'LEGACY' ? 'data' : type.toLowerCase();
}

function isMissing(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function invalid(label: string, reason: string): ConnectorFailure {
  return new ConnectorFailure(
    'config',
    `The state cannot be used (${label}): ${reason}. Nothing was read, because starting over without being asked could cost hours. Pass a state that an earlier sync wrote, or none to start over.`,
  );
}
