import { ConnectorFailure } from '../../../src/failure';
import type { StreamHost, StreamOutput } from '../../../src/protocol/output';
import type { StreamProgress } from '../../../src/protocol/read-streams';
import { assertProtocol } from '../../harness/assert-protocol';
import { MemorySink } from '../../harness/memory-sink';
import { checkpointAt, linesOf, readIntoMemory, recordsOf, runOf } from '../../harness/read-into-memory';

type Source = AsyncGenerator<StreamOutput, void, void>;

const countsAndStates = (
  states: readonly { sourceStats?: { recordCount: number }; stream: { stream_state: unknown } }[],
): unknown[] => states.map((state) => [state.sourceStats?.recordCount, state.stream.stream_state]);

describe('a stream that is read', () => {
  test('gives statuses, records and states in order, with exact counts', async () => {
    const run = runOf('events', async function* (host): Source {
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
    const run = runOf('events', async function* (): Source {}, { initialState: { cursor: '09', other: 1 } });
    const { output } = await readIntoMemory([run]);
    assertProtocol(output, [run]);
    expect(output.statusNames()).toEqual(['STARTED', 'RUNNING', 'COMPLETE']);
    expect(countsAndStates(output.states())).toEqual([[0, { cursor: '09', other: 1 }]]);
  });

  test('without a record and an input state gives the empty state', async () => {
    const { output } = await readIntoMemory([runOf('events', async function* (): Source {})]);
    expect(countsAndStates(output.states())).toEqual([[0, {}]]);
  });

  test('records after the last checkpoint are counted by a last state that does not cover them', async () => {
    const run = runOf('daily', async function* (): Source {
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
      async function* (): Source {
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
    const run = runOf('events', async function* (): Source {
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
      async function* (host): Source {
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
      async function* (host): Source {
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
    const run = runOf('events', async function* (host): Source {
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
      async function* (host): Source {
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
    const run = runOf('events', async function* (): Source {
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
    const run = runOf('events', async function* (): Source {
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
      async function* (): Source {
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

describe('rate limits', () => {
  test('a wait over 3 s shows as RUNNING with the reset time, its end as plain RUNNING', async () => {
    const run = runOf('users', async function* (host): Source {
      host.rateLimited(1_000_000 + 3_000);
      host.resumed();
      host.rateLimited(1_000_000 + 60_000);
      host.rateLimited(1_000_000 + 60_000);
      host.resumed();
      host.resumed();
      yield recordsOf({ id: 1 });
    });
    const { output } = await readIntoMemory([run], { now: () => 1_000_000 });
    assertProtocol(output, [run]);
    expect(output.statuses().map(({ status, reasons }) => [status, reasons?.[0]])).toEqual([
      ['STARTED', undefined],
      ['RUNNING', { type: 'RATE_LIMITED', rate_limited: { quota_reset: 1_060_000 } }],
      ['RUNNING', undefined],
      ['COMPLETE', undefined],
    ]);
  });

  test('a record ends the limit when the stream does not say so', async () => {
    const run = runOf('users', async function* (host): Source {
      yield recordsOf({ id: 1 });
      host.rateLimited(1_060_000.5);
      yield recordsOf({ id: 2 });
    });
    const { output } = await readIntoMemory([run], { now: () => 1_000_000 });
    assertProtocol(output, [run]);
    expect(output.statuses().map(({ status, reasons }) => [status, reasons !== undefined])).toEqual([
      ['STARTED', false],
      ['RUNNING', false],
      ['RUNNING', true],
      ['RUNNING', false],
      ['COMPLETE', false],
    ]);
  });

  test('nothing is said after the terminal status', async () => {
    const hosts: StreamHost[] = [];
    const early = runOf('early', async function* (host): Source {
      hosts.push(host);
      yield* [];
    });
    const late = runOf('late', async function* (host): Source {
      for (let turn = 0; turn < 20; turn += 1) yield recordsOf({ turn });
      hosts[0]?.rateLimited(Date.now() + 60_000);
      hosts[0]?.resumed();
      host.log.info('done');
    });
    const { output } = await readIntoMemory([early, late]);
    assertProtocol(output, [early, late]);
    expect(output.statusNames('early')).toEqual(['STARTED', 'RUNNING', 'COMPLETE']);
  });
});

describe('a stream that fails', () => {
  const good = runOf('good', async function* (): Source {
    for (let id = 0; id < 20; id += 1) yield recordsOf({ id });
    yield checkpointAt('99');
  });
  const failing = (name: string, error: unknown, rest: object = {}): ReturnType<typeof runOf> =>
    runOf(
      name,
      async function* (): Source {
        yield recordsOf({ id: 1 });
        yield checkpointAt('01');
        yield recordsOf({ id: 2 });
        throw error;
      },
      rest,
    );

  test('tells why, keeps its last safe state, and leaves the others alone', async () => {
    const bad = failing('bad', new ConnectorFailure('transient', 'try again', 'GET / 503 tops3cret'));
    const { output, summary } = await readIntoMemory([bad, good], { secrets: ['tops3cret'] });
    assertProtocol(output, [bad, good]);
    expect(summary.outcome).toBe('failed');
    expect(summary.streams.map(({ status }) => status)).toEqual(['failed', 'complete']);
    expect(output.errors).toEqual([
      {
        message: 'try again',
        internal_message: 'GET / 503 ****',
        failure_type: 'transient_error',
        stream_descriptor: { name: 'bad' },
        emitted_at: expect.any(Number),
      },
    ]);
    expect(output.logsOf('ERROR')).toEqual(['bad: try again']);
    expect(countsAndStates(output.states('bad'))).toEqual([
      [1, { cursor: '01' }],
      [1, { cursor: '01' }],
    ]);
    expect(output.statusNames('bad')).toEqual(['STARTED', 'RUNNING', 'INCOMPLETE']);
    expect(output.statusNames('good').at(-1)).toBe('COMPLETE');
    expect(output.records('good')).toHaveLength(20);
  });

  test.each([
    ['its input state', { cursor: '00' }, 'cursor', { cursor: '00' }],
    ['the empty state when there is none', undefined, 'cursor', {}],
    ['never the sentinel of a full refresh', undefined, undefined, {}],
  ])('before its first checkpoint gives %s', async (_name, initialState, cursorField, expected) => {
    const bad = runOf(
      'bad',
      async function* (): Source {
        yield recordsOf({ id: 1 });
        throw new Error('x');
      },
      { initialState, cursorField },
    );
    const { output } = await readIntoMemory([bad]);
    assertProtocol(output, [bad]);
    expect(countsAndStates(output.states())).toEqual([[1, expected]]);
  });

  test('with a config error is reported after all others have ended', async () => {
    const config = failing('config', new ConnectorFailure('config', 'wrong key'));
    const transient = runOf('transient', async function* (): Source {
      for (let id = 0; id < 20; id += 1) yield recordsOf({ id });
      throw new ConnectorFailure('transient', 'down');
    });
    const { output } = await readIntoMemory([config, good, transient]);
    assertProtocol(output, [config, good, transient]);
    expect(output.errors.map(({ failure_type }) => failure_type)).toEqual([
      'transient_error',
      'config_error',
    ]);
    const [first, second] = output.errors.map(({ emitted_at }) => emitted_at);
    expect(first).toBeLessThan(second ?? 0);
    // Its state and log do not wait.
    const order = output.messages.map(({ value }) => JSON.stringify(value));
    const stateAt = order.findLastIndex((line) => line.includes('"STATE"') && line.includes('"config"'));
    const othersEnd = order.findIndex((line) => line.includes('COMPLETE') && line.includes('"good"'));
    expect(stateAt).toBeLessThan(othersEnd);
  });

  test('traces keep their order when the clock steps back', async () => {
    let time = 2_000_000;
    const now = (): number => (time -= 1000);
    const runs = [
      failing('one', new ConnectorFailure('config', 'a')),
      failing('two', new ConnectorFailure('transient', 'b')),
      failing('three', new ConnectorFailure('config', 'c')),
    ];
    const { output } = await readIntoMemory(runs, { now });
    assertProtocol(output, runs);
    const times = output.errors.map(({ emitted_at }) => emitted_at);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
  });

  test('that cannot start is a failed stream like any other', async () => {
    const unknown = {
      name: 'gone',
      start: (): Source => {
        throw new ConnectorFailure('config', 'there is no stream "gone"');
      },
    };
    const { output, summary } = await readIntoMemory([unknown, good]);
    assertProtocol(output, [unknown, good]);
    expect(summary.outcome).toBe('failed');
    expect(output.statusNames('gone')).toEqual(['STARTED', 'INCOMPLETE']);
    expect(output.errors).toMatchObject([
      { failure_type: 'config_error', stream_descriptor: { name: 'gone' } },
    ]);
  });

  test('by an error of unknown kind is a system error', async () => {
    const bad = failing('bad', new RangeError('boom'));
    const { output } = await readIntoMemory([bad]);
    assertProtocol(output, [bad]);
    expect(output.errors).toMatchObject([
      { failure_type: 'system_error', internal_message: 'RangeError: boom' },
    ]);
    expect(output.errors[0]?.message).not.toContain('boom');
  });

  test.each([
    ['a record that is no JSON', recordsOf({ id: 1n })],
    ['a batch without a line end', { kind: 'lines', bytes: Buffer.from('{}'), count: 1 } as const],
    ['a state that is no JSON', { kind: 'checkpoint', state: { cursor: 1n } } as const],
  ])('by %s fails alone, and is told to clean up', async (_name, output_) => {
    let cleaned = false;
    const bad = runOf('bad', async function* (): Source {
      try {
        yield recordsOf({ id: 0 });
        yield output_;
      } finally {
        cleaned = true;
      }
    });
    const { output } = await readIntoMemory([bad, good]);
    assertProtocol(output, [bad, good]);
    expect(output.errors).toMatchObject([{ failure_type: 'system_error' }]);
    expect(cleaned).toBe(true);
  });
});

describe('heartbeat', () => {
  test('a silent stream sends its safe state again, with the records that are pending', async () => {
    const sink = new MemorySink();
    const statesSoFar = (): number => sink.text.split('"type":"STATE"').length - 1;
    const run = runOf(
      'events',
      async function* (): Source {
        yield recordsOf({ id: 1 });
        yield checkpointAt('01');
        yield recordsOf({ id: 2 }, { id: 3 });
        while (statesSoFar() < 3) await new Promise((resolve) => setTimeout(resolve, 1));
        yield recordsOf({ id: 4 });
        yield checkpointAt('02');
      },
      { initialState: { cursor: '00' } },
    );
    const { output } = await readIntoMemory([run], { sink, heartbeatMs: 15 });
    assertProtocol(output, [run]);
    const states = countsAndStates(output.states());
    expect(states.slice(0, 3)).toEqual([
      [1, { cursor: '01' }],
      [2, { cursor: '01' }],
      [0, { cursor: '01' }],
    ]);
    expect(states.at(-1)).toEqual([1, { cursor: '02' }]);
  });

  test('before the first checkpoint it is the input state', async () => {
    const sink = new MemorySink();
    const run = runOf(
      'events',
      async function* (): Source {
        while (!sink.text.includes('"type":"STATE"')) await new Promise((resolve) => setTimeout(resolve, 1));
        yield checkpointAt('02');
      },
      { initialState: { cursor: '00' } },
    );
    const { output } = await readIntoMemory([run], { sink, heartbeatMs: 15 });
    expect(countsAndStates(output.states())[0]).toEqual([0, { cursor: '00' }]);
  });

  test('0 switches it off', async () => {
    const run = runOf(
      'events',
      async function* (): Source {
        // Many times as long as a timer of the shortest interval needs.
        await new Promise((resolve) => setTimeout(resolve, 100));
        yield checkpointAt('02');
      },
      { initialState: { cursor: '00' } },
    );
    const { output } = await readIntoMemory([run], { heartbeatMs: 0 });
    expect(countsAndStates(output.states())).toEqual([[0, { cursor: '02' }]]);
  });

  test('no timer is left when the streams have ended', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await readIntoMemory([
      runOf('good', async function* (): Source {}),
      runOf('bad', async function* (): Source {
        yield recordsOf({ id: 1 });
        throw new Error('x');
      }),
    ]);
    expect(timers()).toBe(before);
  });
});

describe('a read that is stopped', () => {
  test('ends every stream with its last safe state, without an error', async () => {
    const stop = new AbortController();
    let cleaned = 0;
    const run = (name: string): ReturnType<typeof runOf> =>
      runOf(name, async function* (host): Source {
        try {
          for (let id = 1; ; id += 1) {
            yield linesOf(host, { id });
            if (id % 2 === 0) yield checkpointAt(String(id));
            if (id === 5) stop.abort(new Error('SIGTERM'));
          }
        } finally {
          cleaned += 1;
        }
      });
    const runs = [run('a'), run('b')];
    const { output, summary } = await readIntoMemory(runs, { signal: stop.signal });
    assertProtocol(output, runs);
    expect(summary.outcome).toBe('stopped');
    expect(cleaned).toBe(2);
    expect(output.errors).toEqual([]);
    expect(output.statusNames('a').at(-1)).toBe('INCOMPLETE');
    expect(countsAndStates(output.states('a')).at(-1)).toEqual([1, { cursor: '4' }]);
  });

  test('does not wait for a source that ignores its signal', async () => {
    const stop = new AbortController();
    const run = runOf('deaf', async function* (): Source {
      yield recordsOf({ id: 1 });
      setImmediate(() => stop.abort());
      await new Promise(() => undefined);
    });
    const { output, summary } = await readIntoMemory([run], { signal: stop.signal, cleanupMs: 5 });
    assertProtocol(output, [run]);
    expect(summary.outcome).toBe('stopped');
    expect(output.logsOf('WARN')).toEqual(['deaf: clean-up did not end within 0.005 s and was left behind']);
  });

  test('does not wait for a reader that has stalled, and sends the rest in order when it goes on', async () => {
    const stop = new AbortController();
    const sink = new MemorySink();
    const line = 'x'.repeat(100_000);
    const runs = ['a', 'b'].map((name) =>
      runOf(name, async function* (host): Source {
        for (let id = 0; ; id += 1) {
          if (id === 3) {
            sink.stall();
            setImmediate(() => stop.abort());
          }
          yield name === 'a'
            ? linesOf(host, { id, line })
            : recordsOf({ id, line }, { id, line }, { id, line });
        }
      }),
    );
    setTimeout(() => sink.release(), 100).unref();
    const { output, summary } = await readIntoMemory(runs, { sink, signal: stop.signal });
    assertProtocol(output, runs);
    expect(summary.outcome).toBe('stopped');
  });

  test('before it began starts nothing', async () => {
    const run = runOf('never', () => {
      throw new Error('started');
    });
    const { output, summary } = await readIntoMemory([run], { signal: AbortSignal.abort() });
    assertProtocol(output, [run]);
    expect(summary.outcome).toBe('stopped');
    expect(output.statusNames()).toEqual(['STARTED', 'INCOMPLETE']);
  });

  test('an error that comes from the stop is not reported', async () => {
    const stop = new AbortController();
    const run = runOf('obedient', async function* (host): Source {
      yield recordsOf({ id: 1 });
      setImmediate(() => stop.abort(new Error('SIGTERM')));
      await new Promise((_resolve, reject) => {
        host.signal.addEventListener('abort', () => reject(new ConnectorFailure('transient', 'aborted')));
      });
    });
    const { output } = await readIntoMemory([run], { signal: stop.signal });
    expect(output.errors).toEqual([]);
  });
});

describe('an output that is closed', () => {
  test('stops all streams quietly', async () => {
    const sink = new MemorySink();
    let cleaned = 0;
    const runs = ['a', 'b'].map((name) =>
      runOf(name, async function* (host): Source {
        try {
          for (let id = 0; ; id += 1) {
            if (id === 10) sink.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
            yield linesOf(host, { id, filler: 'x'.repeat(50_000) });
          }
        } finally {
          cleaned += 1;
        }
      }),
    );
    const { summary } = await readIntoMemory(runs, { sink });
    expect(summary.outcome).toBe('closed');
    expect(cleaned).toBe(2);
    expect(sink.text).not.toContain('"ERROR"');
  });
});

describe('what a user sees', () => {
  test('a summary line per stream', async () => {
    let elapsed = 0;
    const run = runOf(
      'events',
      async function* (host): Source {
        host.tally('requests', 2);
        host.tally('windows', 1);
        host.tally('requests', 3);
        yield recordsOf({ id: 1 });
        yield checkpointAt('02');
        elapsed += 1500;
      },
      { initialState: { cursor: '01' } },
    );
    const { output, summary } = await readIntoMemory([run], { elapsed: () => elapsed });
    expect(output.logsOf('INFO')).toEqual([
      'Summary of events: complete in 1.5 s; records 1, requests 5, windows 1; state {"cursor":"01"} -> {"cursor":"02"}',
    ]);
    expect(summary.streams).toEqual([
      {
        name: 'events',
        status: 'complete',
        records: 1,
        bytes: (output.stdout.split('\n').find((line) => line.includes('"RECORD"'))?.length as number) + 1,
        states: 1,
        seconds: 1.5,
        stateBefore: { cursor: '01' },
        stateAfter: { cursor: '02' },
        tallies: new Map([
          ['requests', 5],
          ['windows', 1],
        ]),
      },
    ]);
  });

  test('the stream in front of its log lines', async () => {
    const run = runOf('events', async function* (host): Source {
      host.log.debug('d');
      host.log.info('i');
      host.log.warn('w');
      host.log.error('e');
      yield* [];
    });
    const { output } = await readIntoMemory([run]);
    expect(output.logs.slice(0, 4)).toEqual([
      { level: 'DEBUG', message: 'events: d' },
      { level: 'INFO', message: 'events: i' },
      { level: 'WARN', message: 'events: w' },
      { level: 'ERROR', message: 'events: e' },
    ]);
  });

  test('progress after each output and change', async () => {
    const seen: StreamProgress[] = [];
    const run = runOf('events', async function* (host): Source {
      yield recordsOf({ id: 1 });
      yield checkpointAt('02');
      host.rateLimited(1_060_000);
      host.resumed();
    });
    await readIntoMemory([run], { onProgress: (progress) => seen.push(progress), now: () => 1_000_000 });
    expect(
      seen.map(({ status, records, cursor, waitingUntil }) => [status, records, cursor, waitingUntil]),
    ).toEqual([
      ['running', 1, undefined, undefined],
      ['running', 1, '02', undefined],
      ['waiting', 1, '02', 1_060_000],
      ['running', 1, '02', undefined],
      ['complete', 1, '02', undefined],
    ]);
  });

  test('nothing when there is nothing to read', async () => {
    const { output, summary } = await readIntoMemory([]);
    expect(summary).toEqual({ outcome: 'complete', streams: [] });
    expect(output.stdout).toBe('');
  });
});
