import { ConnectorFailure } from '../../../src/failure';
import type { StreamSource } from '../../../src/protocol/run-stream';
import { assertProtocol } from '../../harness/assert-protocol';
import {
  checkpointAt,
  countsAndStates,
  linesOf,
  readIntoMemory,
  recordsOf,
  runOf,
} from '../../harness/read-into-memory';

describe('a stream that is read', () => {
  test('gives statuses, records and states in order, with exact counts', async () => {
    const run = runOf('events', async function* (host): StreamSource {
      yield linesOf(host, { id: 1 }, { id: 2 });
      yield recordsOf({ id: 3 });
      yield checkpointAt('01');
      yield linesOf(host, { id: 4 });
      yield checkpointAt('02');
    });
    const { output, summary } = await readIntoMemory([run]);
    assertProtocol(output, [{ name: 'events' }]);
    expect(output.messages.map(({ type }) => type).filter((type) => type !== 'LOG')).toEqual([
      'TRACE',
      'TRACE',
      'RECORD',
      'RECORD',
      'RECORD',
      'STATE',
      'RECORD',
      'STATE',
      'TRACE',
    ]);
    expect(output.statusNames()).toEqual(['STARTED', 'RUNNING', 'COMPLETE']);
    expect(output.records().map(({ data }) => data.id)).toEqual([1, 2, 3, 4]);
    expect(countsAndStates(output.states())).toEqual([
      [3, { cursor: '01' }],
      [1, { cursor: '02' }],
    ]);
    expect(summary.outcome).toBe('complete');
  });

  test('without a record still gives RUNNING and its input state', async () => {
    const run = runOf('events', async function* (): StreamSource {}, {
      initialState: { cursor: '09', other: 1 },
    });
    const { output } = await readIntoMemory([run]);
    assertProtocol(output, [run]);
    expect(output.statusNames()).toEqual(['STARTED', 'RUNNING', 'COMPLETE']);
    expect(countsAndStates(output.states())).toEqual([[0, { cursor: '09', other: 1 }]]);
  });

  test('without a record and an input state gives the empty state', async () => {
    const { output } = await readIntoMemory([runOf('events', async function* (): StreamSource {})]);
    expect(countsAndStates(output.states())).toEqual([[0, {}]]);
  });

  test('records after the last checkpoint are counted by a last state that does not cover them', async () => {
    const run = runOf('daily', async function* (): StreamSource {
      yield recordsOf({ id: 1 });
      yield checkpointAt('01');
      yield recordsOf({ id: 2 });
    });
    const { output } = await readIntoMemory([run]);
    assertProtocol(output, [run]);
    expect(countsAndStates(output.states())).toEqual([
      [1, { cursor: '01' }],
      [1, { cursor: '01' }],
    ]);
  });

  test('without a cursor has one state, the sentinel, at the end', async () => {
    const run = runOf(
      'cohorts',
      async function* (): StreamSource {
        yield recordsOf({ id: 1 });
        yield checkpointAt('01');
        yield recordsOf({ id: 2 });
      },
      { cursorField: undefined },
    );
    const { output } = await readIntoMemory([run]);
    assertProtocol(output, [run]);
    expect(countsAndStates(output.states())).toEqual([[2, { __ab_no_cursor_state_message: true }]]);
  });

  test('a state that the stream changes after its checkpoint is not changed in the output', async () => {
    const run = runOf('events', async function* (): StreamSource {
      const state = { cursor: '01' };
      yield recordsOf({ id: 1 });
      yield { kind: 'checkpoint', state };
      state.cursor = '02';
      yield recordsOf({ id: 2 });
    });
    const { output } = await readIntoMemory([run]);
    expect(countsAndStates(output.states())).toEqual([
      [1, { cursor: '01' }],
      [1, { cursor: '01' }],
    ]);
  });

  test('echoes a configured namespace everywhere', async () => {
    const run = runOf(
      'events',
      async function* (host): StreamSource {
        yield linesOf(host, { id: 1 });
        yield recordsOf({ id: 2 });
        throw new ConnectorFailure('transient', 'no');
      },
      { namespace: 'n"s' },
    );
    const { output } = await readIntoMemory([run]);
    assertProtocol(output, [{ name: 'events', namespace: 'n"s' }]);
    expect(output.records().map(({ namespace }) => namespace)).toEqual(['n"s', 'n"s']);
    expect(output.errors[0]?.stream_descriptor).toEqual({ name: 'events', namespace: 'n"s' });
    expect(output.statuses({ name: 'events', namespace: 'n"s' })).toHaveLength(3);
  });

  test('leaves out unselected fields and records without fields', async () => {
    const run = runOf(
      'cohorts',
      async function* (host): StreamSource {
        expect(host.unselectedFields).toEqual(new Set(['hidden']));
        yield recordsOf({ id: 1, hidden: 'x' }, {}, { hidden: 'x' }, { id: undefined }, { id: 2 });
      },
      { unselectedFields: new Set(['hidden']) },
    );
    const { output } = await readIntoMemory([run]);
    assertProtocol(output, [run]);
    expect(output.records().map(({ data }) => data)).toEqual([{ id: 1 }, { id: 2 }]);
  });

  test('may use the memory of a line batch again when it is asked for the next output', async () => {
    const run = runOf('events', async function* (host): StreamSource {
      const { head, tail } = host.envelope();
      const shared = Buffer.alloc(1024 * 1024);
      for (let index = 0; index < 50; index += 1) {
        // Small ones are copied by the writer, large ones are not.
        const filler = String(index % 10).repeat(index % 2 === 0 ? 10 : 200_000);
        const line = Buffer.concat([head, Buffer.from(JSON.stringify({ index, filler })), tail]);
        line.copy(shared);
        yield { kind: 'lines', bytes: shared.subarray(0, line.length), count: 1 };
        shared.fill('!');
      }
    });
    const { output } = await readIntoMemory([run]);
    assertProtocol(output, [run]);
    expect(output.records().map(({ data }) => data.index)).toEqual([...Array(50).keys()]);
  });
});

describe('the envelope of a record', () => {
  test('has the time of its call and escapes every name', async () => {
    let time = 1000;
    const lines: string[] = [];
    const run = runOf(
      'a"\u2028b',
      async function* (host): StreamSource {
        for (time = 1001; time <= 1002; time += 1) {
          const { head, tail, tailWithChanges } = host.envelope();
          const changes = [
            { field: 'f\u2029', change: 'NULLED', reason: 'SOURCE_SERIALIZATION_ERROR' },
          ] as const;
          lines.push(`${Buffer.from(head).toString()}{"x":1}${Buffer.from(tail).toString()}`);
          lines.push(
            `${Buffer.from(head).toString()}{"x":1}${Buffer.from(tailWithChanges(changes)).toString()}`,
          );
          lines.push(`${Buffer.from(head).toString()}{"x":1}${Buffer.from(tailWithChanges([])).toString()}`);
        }
        yield* [];
      },
      { namespace: 'n\u0085' },
    );
    await readIntoMemory([run], { now: () => time });
    const plain = (at: number): string =>
      `{"type":"RECORD","record":{"stream":"a\\"\\u2028b","namespace":"n\\u0085","emitted_at":${String(at)},"data":{"x":1}}}\n`;
    const changed = (at: number): string =>
      plain(at)
        .replace(
          '}}\n',
          '},"meta":{"changes":[{"field":"f\\u2029","change":"NULLED","reason":"SOURCE_SERIALIZATION_ERROR"}]}}}\n',
        )
        .replace('{"x":1}},"meta"', '{"x":1},"meta"');
    expect(lines).toEqual([plain(1001), changed(1001), plain(1001), plain(1002), changed(1002), plain(1002)]);
  });
});

describe('checkpoints without records', () => {
  test('wait for the interval, and the last one goes out before COMPLETE', async () => {
    let elapsed = 0;
    const run = runOf('events', async function* (): StreamSource {
      for (let hour = 10; hour < 20; hour += 1) {
        elapsed += 10_000;
        yield checkpointAt(String(hour));
      }
    });
    const { output } = await readIntoMemory([run], { elapsed: () => elapsed });
    assertProtocol(output, [run]);
    // After 30, 60 and 90 s, and at the end.
    expect(countsAndStates(output.states())).toEqual([
      [0, { cursor: '12' }],
      [0, { cursor: '15' }],
      [0, { cursor: '18' }],
      [0, { cursor: '19' }],
    ]);
  });

  test('the same state is not sent twice for nothing', async () => {
    let elapsed = 0;
    const run = runOf('events', async function* (): StreamSource {
      yield recordsOf({ id: 1 });
      for (let index = 0; index < 5; index += 1) {
        yield checkpointAt('01');
        elapsed += 60_000;
      }
    });
    const { output } = await readIntoMemory([run], { elapsed: () => elapsed });
    expect(countsAndStates(output.states())).toEqual([[1, { cursor: '01' }]]);
  });

  test('a state that counts nothing does not come before the same state with a count', async () => {
    const run = runOf(
      'daily',
      async function* (): StreamSource {
        yield checkpointAt('01');
        yield recordsOf({ id: 1 });
        yield checkpointAt('01');
      },
      { initialState: { cursor: '01' } },
    );
    const { output } = await readIntoMemory([run]);
    expect(countsAndStates(output.states())).toEqual([[1, { cursor: '01' }]]);
  });
});
