import type { StreamHost } from '../../../src/protocol/output';
import type { StreamProgress } from '../../../src/protocol/read-streams';
import type { StreamSource } from '../../../src/protocol/run-stream';
import { assertProtocol } from '../../harness/assert-protocol';
import { MemorySink } from '../../harness/memory-sink';
import {
  checkpointAt,
  countsAndStates,
  readIntoMemory,
  recordsOf,
  runOf,
} from '../../harness/read-into-memory';

describe('rate limits', () => {
  test('a wait over 3 s shows as RUNNING with the reset time, its end as plain RUNNING', async () => {
    const run = runOf('users', async function* (host): StreamSource {
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
    const run = runOf('users', async function* (host): StreamSource {
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
    const early = runOf('early', async function* (host): StreamSource {
      hosts.push(host);
      yield* [];
    });
    const late = runOf('late', async function* (host): StreamSource {
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

describe('heartbeat', () => {
  test('a silent stream sends its safe state again, with the records that are pending', async () => {
    const sink = new MemorySink();
    const statesSoFar = (): number => sink.text.split('"type":"STATE"').length - 1;
    const run = runOf(
      'events',
      async function* (): StreamSource {
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
      async function* (): StreamSource {
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
      async function* (): StreamSource {
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
      runOf('good', async function* (): StreamSource {}),
      runOf('bad', async function* (): StreamSource {
        yield recordsOf({ id: 1 });
        throw new Error('x');
      }),
    ]);
    expect(timers()).toBe(before);
  });
});

describe('what a user sees', () => {
  test('a summary line per stream', async () => {
    let elapsed = 0;
    const run = runOf(
      'events',
      async function* (host): StreamSource {
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
    const run = runOf('events', async function* (host): StreamSource {
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
    const run = runOf('events', async function* (host): StreamSource {
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
