import { ConnectorFailure } from '../../../src/failure';
import type { StreamSource } from '../../../src/protocol/run-stream';
import { assertProtocol } from '../../harness/assert-protocol';
import { MemorySink } from '../../harness/memory-sink';
import {
  checkpointAt,
  countsAndStates,
  linesOf,
  readIntoMemory,
  recordsOf,
  runOf,
} from '../../harness/read-into-memory';

describe('a stream that fails', () => {
  const good = runOf('good', async function* (): StreamSource {
    for (let id = 0; id < 20; id += 1) yield recordsOf({ id });
    yield checkpointAt('99');
  });
  const failing = (name: string, error: unknown, rest: object = {}): ReturnType<typeof runOf> =>
    runOf(
      name,
      async function* (): StreamSource {
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
      async function* (): StreamSource {
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
    const transient = runOf('transient', async function* (): StreamSource {
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
      start: (): StreamSource => {
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
    const bad = runOf('bad', async function* (): StreamSource {
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

describe('a read that is stopped', () => {
  test('ends every stream with its last safe state, without an error', async () => {
    const stop = new AbortController();
    let cleaned = 0;
    const run = (name: string): ReturnType<typeof runOf> =>
      runOf(name, async function* (host): StreamSource {
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
    const run = runOf('deaf', async function* (): StreamSource {
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
      runOf(name, async function* (host): StreamSource {
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
    const run = runOf('obedient', async function* (host): StreamSource {
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
      runOf(name, async function* (host): StreamSource {
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
