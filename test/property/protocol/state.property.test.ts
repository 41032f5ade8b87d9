import * as fc from 'fast-check';
import { ConnectorFailure } from '../../../src/failure';
import { type InputStates, parseStateInput } from '../../../src/protocol/state';
import { formatStateInput } from '../../harness/format-state-input';

interface Entry {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly state: Record<string, unknown> | null;
}

const blob = fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<Record<string, unknown>>;
const entry: fc.Arbitrary<Entry> = fc.record({
  name: fc.string({ minLength: 1, unit: 'binary' }),
  namespace: fc.option(fc.string(), { nil: undefined }),
  state: fc.option(blob, { nil: null }),
});
/** Names of few letters, so that streams occur more than once. */
const repeatedEntry: fc.Arbitrary<Entry> = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  namespace: fc.constantFrom(undefined, '', 'n'),
  state: fc.option(blob, { nil: null }),
});

const streamState = ({ name, namespace, state }: Entry): object => ({
  type: 'STREAM',
  stream: { stream_descriptor: { name, namespace: namespace ?? null }, stream_state: state },
  global_: null,
});

type Form = (entries: readonly Entry[]) => string;
const FORMS: Readonly<Record<string, Form>> = {
  'a list': (entries) => JSON.stringify(entries.map(streamState)),
  'a pretty-printed list': (entries) => JSON.stringify(entries.map(streamState), null, '\t'),
  'a GLOBAL state': (entries) =>
    JSON.stringify([
      {
        type: 'GLOBAL',
        global: {
          shared_state: {},
          stream_states: entries.map(({ name, namespace, state }) => ({
            stream_descriptor: { name, ...(namespace === undefined ? {} : { namespace }) },
            ...(state === null ? {} : { stream_state: state }),
          })),
        },
      },
    ]),
  'messages in a list': (entries) =>
    JSON.stringify(entries.map((one) => ({ type: 'STATE', state: streamState(one), log: null }))),
  'a saved run': (entries) =>
    entries
      .flatMap((one) => [
        { type: 'RECORD', record: { stream: one.name, data: { type: 'STATE' }, emitted_at: 1 } },
        { type: 'STATE', state: streamState(one) },
        { type: 'LOG', log: { level: 'INFO', message: '{"type":"STATE"}' } },
      ])
      .map((message) => `${JSON.stringify(message)}\n`)
      .join(''),
};

/** What any form must mean: the last entry of each stream. */
function oracle(entries: readonly Entry[]): unknown[] {
  const last = new Map(entries.map((one) => [JSON.stringify([one.namespace, one.name]), one]));
  return [...last.values()].map(({ name, namespace, state }) => ({
    stream: namespace === undefined ? { name } : { name, namespace },
    state,
  }));
}

const valuesOf = (states: InputStates): unknown[] =>
  JSON.parse(JSON.stringify([...states.values()])) as unknown[];
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;

describe.each(Object.entries(FORMS))('state input as %s', (_name, form) => {
  test('means the last state of each stream', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(entry, repeatedEntry)), (entries) => {
        expect(valuesOf(parseStateInput(form(entries)))).toEqual(plain(oracle(entries)));
      }),
    );
  });

  test('written and read again is the same', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(entry, repeatedEntry)), (entries) => {
        const once = formatStateInput(parseStateInput(form(entries)));
        expect(formatStateInput(parseStateInput(once))).toBe(once);
      }),
    );
  });

  test('repeated is the same', () => {
    fc.assert(
      fc.property(fc.array(repeatedEntry), (entries) => {
        const once = valuesOf(parseStateInput(form(entries)));
        const twice = valuesOf(parseStateInput(form([...entries, ...entries])));
        expect(new Set(twice.map((value) => JSON.stringify(value)))).toEqual(
          new Set(once.map((value) => JSON.stringify(value))),
        );
      }),
    );
  });
});

test('an object of streams means what its list means', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.stringMatching(/^[a-z_]{1,12}$/),
        fc.option(fc.record({ date: fc.string() }), { nil: null }),
      ),
      (streams) => {
        const entries = Object.entries(streams).map(([name, state]) => ({
          name,
          namespace: undefined,
          state,
        }));
        expect(valuesOf(parseStateInput(JSON.stringify(streams)))).toEqual(plain(oracle(entries)));
        if (entries.some(({ state }) => state !== null)) {
          expect(valuesOf(parseStateInput(JSON.stringify({ data: streams })))).toEqual(
            plain(oracle(entries)),
          );
        }
      },
    ),
  );
});

test('any text is either a state or a ConnectorFailure', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.array(fc.json()).map((lines) => lines.join('\n')),
    // Valid input with one character taken out.
    fc
      .tuple(fc.array(entry, { minLength: 1 }), fc.constantFrom(...Object.values(FORMS)), fc.nat())
      .map(([entries, form, at]) => {
        const whole = form(entries);
        const index = at % whole.length;
        return whole.slice(0, index) + whole.slice(index + 1);
      }),
  );
  fc.assert(
    fc.property(text, (input) => {
      try {
        parseStateInput(input);
      } catch (error) {
        expect(error).toBeInstanceOf(ConnectorFailure);
      }
    }),
    { numRuns: 500 },
  );
});
