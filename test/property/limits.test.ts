import { setMaxListeners } from 'node:events';
import fc from 'fast-check';
import { CostLedger } from '../../src/amplitude/cost-ledger';
import { RequestLimits } from '../../src/amplitude/limits';
import type { ApiObserver } from '../../src/amplitude/observer';
import { sleep } from '../../src/amplitude/sleep';
import { PROPERTY_TIMEOUT_MS, runs } from '../harness/runs';

jest.setTimeout(PROPERTY_TIMEOUT_MS);

const never = new AbortController().signal;
// All requests of a case listen to it at once.
setMaxListeners(0, never);

/** A request as it really ran. Amplitude may have counted its cost at any moment between the two. */
interface Sent {
  readonly index: number;
  readonly cost: number;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * The most cost that any window of this length can hold. A fullest window ends with the start of some request, and holds
 * whatever had not ended a whole window before.
 */
function mostCost(sent: readonly Sent[], windowMs: number): number {
  const sums = sent.map((last) =>
    sent
      .filter(({ startMs, endMs }) => startMs <= last.startMs && endMs + windowMs > last.startMs)
      .reduce((sum, { cost }) => sum + cost, 0),
  );
  return Math.max(0, ...sums);
}

const requests = fc.array(
  fc.record({
    /** In percent of the smallest budget. */
    share: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constantFrom(0, 0, 0, 1, 100)),
    durationMs: fc.integer({ min: 0, max: 12 }),
    arrivesMs: fc.integer({ min: 0, max: 20 }),
    abortsMs: fc.option(fc.integer({ min: 0, max: 60 }), { freq: 4, nil: undefined }),
  }),
  { minLength: 1, maxLength: 20 },
);

it('the ledger keeps every budget in every sliding window and serves in the order of asking', async () => {
  await fc.assert(
    fc.asyncProperty(
      requests,
      fc.array(
        fc.record({ limit: fc.integer({ min: 1, max: 60 }), windowMs: fc.integer({ min: 1, max: 30 }) }),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
      async (script, budgets) => {
        const ledger = new CostLedger(budgets);
        const smallest = Math.min(...budgets.map(({ limit }) => limit));
        const sent: Sent[] = [];
        const granted: number[] = [];
        const asked: number[] = [];
        const work = script.map(async ({ share, durationMs, arrivesMs, abortsMs }, index) => {
          await sleep(arrivesMs, never);
          const cost = Math.ceil((share / 100) * smallest);
          const stop = new AbortController();
          const timer = abortsMs === undefined ? undefined : setTimeout(() => stop.abort(), abortsMs);
          asked.push(index);
          try {
            const settle = await ledger.acquire(cost, stop.signal, () => undefined);
            granted.push(index);
            const startMs = performance.now();
            await sleep(durationMs, never);
            sent.push({ index, cost, startMs, endMs: performance.now() });
            settle();
          } catch (error) {
            if (!stop.signal.aborted) throw error;
          } finally {
            clearTimeout(timer);
          }
        });
        await Promise.all(work);
        for (const { limit, windowMs } of budgets) {
          expect(mostCost(sent, windowMs)).toBeLessThanOrEqual(limit);
        }
        expect(granted).toEqual(asked.filter((index) => granted.includes(index)));
        const patient = asked.filter((index) => script[index]!.abortsMs === undefined);
        expect(granted).toEqual(expect.arrayContaining(patient));
      },
    ),
    { numRuns: runs(12) },
  );
});

it('the limits keep five in flight and the cost budget, whatever is asked for, paused and aborted', async () => {
  await fc.assert(
    fc.asyncProperty(
      requests,
      fc.integer({ min: 5, max: 30 }),
      fc.integer({ min: 0, max: 4 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.constantFrom('json', 'export')), {
        maxLength: 3,
      }),
      async (script, costWindowMs, paceMs, pauses) => {
        const limits = new RequestLimits({ costWindowMs, paceMs });
        const sent: Sent[] = [];
        const outcomes: string[] = [];
        let inFlight = 0;
        let most = 0;
        const work = script.map(async ({ share, durationMs, arrivesMs, abortsMs }, index) => {
          await sleep(arrivesMs, never);
          const stop = new AbortController();
          const timer = abortsMs === undefined ? undefined : setTimeout(() => stop.abort(), abortsMs);
          const observer: ApiObserver = {
            signal: stop.signal,
            log: { info: () => undefined, warn: () => undefined, debug: () => undefined },
            rateLimited: () => undefined,
            resumed: () => undefined,
            tally: () => undefined,
          };
          const cost = share * 10;
          const attempt = async (): Promise<void> => {
            const startMs = performance.now();
            inFlight += 1;
            most = Math.max(most, inFlight);
            await sleep(durationMs, never);
            inFlight -= 1;
            sent.push({ index, cost, startMs, endMs: performance.now() });
          };
          try {
            await limits.run(index % 4 ? 'json' : 'export', cost, attempt, observer);
            outcomes.push('sent');
          } catch (error) {
            if (!stop.signal.aborted) throw error;
            outcomes.push('aborted');
          } finally {
            clearTimeout(timer);
          }
        });
        for (const [lengthMs, kind] of pauses) limits.pause(kind as 'json' | 'export', Date.now() + lengthMs);
        await Promise.all(work);
        expect(most).toBeLessThanOrEqual(5);
        expect(inFlight).toBe(0);
        expect(mostCost(sent, costWindowMs)).toBeLessThanOrEqual(1_000);
        expect(outcomes).toHaveLength(script.length);
        expect(sent.length).toBeGreaterThanOrEqual(
          script.filter(({ abortsMs }) => abortsMs === undefined).length,
        );
      },
    ),
    { numRuns: runs(12) },
  );
});
