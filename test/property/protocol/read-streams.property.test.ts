import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { ConnectorFailure } from '../../../src/failure';
import type { StreamHost, StreamOutput } from '../../../src/protocol/output';
import type { StreamRun } from '../../../src/protocol/read-streams';
import { assertProtocol } from '../../harness/assert-protocol';
import { MemorySink } from '../../harness/memory-sink';
import { linesOf, readIntoMemory } from '../../harness/read-into-memory';

type Step =
  | { readonly kind: 'lines' | 'records'; readonly count: number; readonly filler: number }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'sameCheckpoint' }
  | { readonly kind: 'wait'; readonly turns: number; readonly elapsed: number }
  | { readonly kind: 'rateLimited'; readonly ms: number }
  | { readonly kind: 'resumed' }
  | { readonly kind: 'stop' };

interface Program {
  readonly steps: readonly Step[];
  readonly end: 'return' | 'config' | 'transient' | 'system' | 'unknown';
  readonly hasCursor: boolean;
  readonly hasInput: boolean;
}

const batch = (kind: 'lines' | 'records'): fc.Arbitrary<Step> =>
  fc.record({
    kind: fc.constant(kind),
    count: fc.integer({ min: 0, max: 5 }),
    filler: fc.oneof(fc.integer({ max: 50, min: 0 }), fc.constant(30_000)),
  });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: batch('lines') },
  { weight: 4, arbitrary: batch('records') },
  { weight: 5, arbitrary: fc.constant<Step>({ kind: 'checkpoint' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'sameCheckpoint' }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      turns: fc.integer({ min: 0, max: 3 }),
      elapsed: fc.integer({ min: 0, max: 40_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('rateLimited' as const),
      ms: fc.integer({ min: 0, max: 10_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'resumed' }) },
);
const program: fc.Arbitrary<Program> = fc.record({
  steps: fc.array(step, { maxLength: 25 }),
  end: fc.constantFrom('return', 'return', 'return', 'config', 'transient', 'system', 'unknown'),
  hasCursor: fc.boolean(),
  hasInput: fc.boolean(),
});
const stopped = fc.option(fc.tuple(fc.nat(4), fc.nat(24)), { nil: undefined });

/** How much a program has yielded: what its states say. */
interface Truth {
  records: number;
  checkpointed: number;
}

function streamOf(
  name: string,
  { steps, end, hasCursor, hasInput }: Program,
  truth: Truth,
  world: { elapsed: number; stop: () => void },
): StreamRun {
  const read = async function* (host: StreamHost): AsyncGenerator<StreamOutput, void, void> {
    let checkpoints = 0;
    const checkpoint = (): StreamOutput => ({
      kind: 'checkpoint',
      state: { cursor: String(checkpoints), records: truth.checkpointed },
    });
    for (const step of steps) {
      if (step.kind === 'lines' || step.kind === 'records') {
        const records = Array.from({ length: step.count }, (_value, index) => ({
          index: truth.records + index,
          filler: 'x'.repeat(step.filler),
        }));
        truth.records += step.count;
        yield step.kind === 'lines' ? linesOf(host, ...records) : { kind: 'records', records };
      } else if (step.kind === 'checkpoint') {
        checkpoints += 1;
        truth.checkpointed = truth.records;
        yield checkpoint();
      } else if (step.kind === 'sameCheckpoint') {
        yield checkpoint();
      } else if (step.kind === 'wait') {
        world.elapsed += step.elapsed;
        for (let turn = 0; turn < step.turns; turn += 1) await nextTurn();
      } else if (step.kind === 'rateLimited') {
        host.rateLimited(Date.now() + step.ms);
      } else if (step.kind === 'resumed') {
        host.resumed();
      } else {
        world.stop();
      }
    }
    if (end === 'unknown') throw new RangeError('unknown');
    if (end !== 'return') throw new ConnectorFailure(end, end);
  };
  return {
    name,
    cursorField: hasCursor ? 'cursor' : undefined,
    initialState: hasInput ? { cursor: '', records: 0 } : undefined,
    start: read,
  };
}

/** A sink that takes each chunk after a number of turns, drawn from the list in turn. */
function sinkOf(delays: readonly number[]): MemorySink {
  let index = 0;
  return new MemorySink((callback) => {
    let turns = delays[index % Math.max(1, delays.length)] ?? 0;
    index += 1;
    const wait = (): void => {
      turns -= 1;
      if (turns < 0) callback();
      else setImmediate(wait);
    };
    wait();
  });
}

test('under any interleaving counts are exact, states cover only what was sent and never go back', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(program, { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 6 }),
      stopped,
      fc.constantFrom(1, 600_000),
      async (drawn, delays, stopAt, heartbeatMs) => {
        const programs = drawn.map((one, index) => {
          if (stopAt === undefined || stopAt[0] !== index) return one;
          return { ...one, steps: one.steps.toSpliced(stopAt[1], 0, { kind: 'stop' }) };
        });
        const stop = new AbortController();
        const world = { elapsed: 0, stop: () => stop.abort(new Error('SIGTERM')) };
        const truths = programs.map((): Truth => ({ records: 0, checkpointed: 0 }));
        const runs = programs.map((one, index) =>
          streamOf(`s${String(index)}`, one, truths[index] ?? { records: 0, checkpointed: 0 }, world),
        );
        const { output, summary } = await readIntoMemory(runs, {
          sink: sinkOf(delays),
          signal: stop.signal,
          // The heartbeat's own clock is the drawn one; its timer is real.
          elapsed: () => world.elapsed,
          heartbeatMs,
        });
        assertProtocol(output, runs);

        programs.forEach((one, index) => {
          const name = `s${String(index)}`;
          const records = output.records(name);
          const truth = truths[index];
          expect(records.map(({ data }) => data.index)).toEqual([...records.keys()]);
          if (!stop.signal.aborted) expect(records).toHaveLength(truth?.records ?? 0);

          let sent = 0;
          let covered = 0;
          for (const { type, value } of output.messages) {
            const record = value.record as { stream: string } | undefined;
            if (type === 'RECORD' && record?.stream === name) sent += 1;
            const state = value.state as {
              stream: { stream_descriptor: { name: string }; stream_state: { records?: number } };
            };
            if (type !== 'STATE' || state.stream.stream_descriptor.name !== name) continue;
            const claimed = state.stream.stream_state.records ?? 0;
            expect(claimed).toBeLessThanOrEqual(sent);
            expect(claimed).toBeGreaterThanOrEqual(covered);
            covered = claimed;
          }
          const last = output.states(name).at(-1)?.stream.stream_state;
          if (one.hasCursor && !stop.signal.aborted) expect(last?.records ?? 0).toBe(truth?.checkpointed);
          const status = summary.streams[index]?.status;
          if (!one.hasCursor && status === 'complete')
            expect(last).toEqual({ __ab_no_cursor_state_message: true });
          if (status !== 'complete') expect(last).not.toHaveProperty('__ab_no_cursor_state_message');
          if (!stop.signal.aborted) expect(status).toBe(one.end === 'return' ? 'complete' : 'failed');
        });
      },
    ),
    { numRuns: process.env.TEST_HARDER === '1' ? 5_000 : 200 },
  );
});
