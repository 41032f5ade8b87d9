import fc from 'fast-check';
import { WindowPlanner, type HourWindow } from '../../src/time/windows';
import { PROPERTY_TIMEOUT_MS, runs } from '../harness/runs';

jest.setTimeout(PROPERTY_TIMEOUT_MS);

/** What the service says to one request. */
type Answer = 'too large' | 'empty' | { readonly bytes: number };

const answers: fc.Arbitrary<Answer> = fc.oneof(
  { arbitrary: fc.constant('too large' as const), weight: 2 },
  { arbitrary: fc.constant('empty' as const), weight: 3 },
  { arbitrary: fc.record({ bytes: fc.integer({ min: 1, max: 10_000_000_000 }) }), weight: 3 },
);

const plans = fc.record({
  first: fc.integer({ min: -10_000, max: 600_000 }),
  length: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 1_000 })),
  largest: fc.oneof(fc.integer({ min: 1, max: 48 }), fc.integer({ min: 1, max: 8_760 })),
  answers: fc.array(answers, { minLength: 1, maxLength: 60 }),
  budgets: fc.array(
    fc.oneof(fc.constant(Infinity), fc.constant(0), fc.integer({ min: 0, max: 5_000_000_000 })),
    { minLength: 1, maxLength: 20 },
  ),
});

/** Cheaper than expect, which takes most of the time when it runs for every window. */
function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

const size = ({ first, last }: HourWindow): number => last - first + 1;

it('answered windows give every hour of the range once, in order, whatever the service says', () => {
  fc.assert(
    fc.property(plans, ({ first, length, largest, answers: script, budgets }) => {
      const planner = new WindowPlanner({ first, last: first + length - 1 }, largest);
      const answered: HourWindow[] = [];
      let emptyRun = 0;
      let refused: HourWindow | undefined;
      for (let step = 0; ; step += 1) {
        const window = planner.next(budgets[step % budgets.length]!);
        if (window === undefined) break;
        // The script repeats; in its second round everything is served, so that it ends.
        const answer = step < script.length ? script[step]! : script.length % 2 ? 'empty' : { bytes: 5 };
        demand(size(window) >= 1, 'a window without hours');
        demand(emptyRun > 1 || size(window) <= largest, 'a window above the largest size');
        demand(!refused || window.first === refused.first, 'a refused window was passed over');
        demand(!refused || size(window) < size(refused), 'a refused window was not made smaller');
        refused = undefined;
        if (answer === 'too large' && planner.tooLarge(window)) {
          refused = window;
          continue;
        }
        demand(answer !== 'too large' || size(window) === 1, 'a window that could be halved was given up');
        // An hour that cannot be had ends a real run; here its answer comes after all.
        const bytes = answer === 'too large' ? 1 : answer === 'empty' ? 0 : answer.bytes;
        planner.answered(window, bytes);
        answered.push(window);
        emptyRun = bytes === 0 ? emptyRun + 1 : 0;
      }
      const hours = answered.flatMap((one) => Array.from({ length: size(one) }, (_, at) => one.first + at));
      expect(hours).toEqual(Array.from({ length }, (_, at) => first + at));
    }),
    { numRuns: runs(150) },
  );
});

it('asks in vain at most 2·log2(window) + hours/window times, whatever each hour weighs', () => {
  const loads = fc.record({
    largest: fc.integer({ min: 1, max: 100 }),
    // Weights in percent of what one answer may hold; nothing is heavier, so every hour can be had.
    weights: fc.oneof(
      fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 720 }),
      fc.array(fc.constantFrom(0, 1, 100), { maxLength: 720 }),
      fc
        .tuple(fc.array(fc.constantFrom(0, 1, 20, 60, 100), { minLength: 1, maxLength: 40 }), fc.nat(720))
        .map(([pattern, length]) => Array.from({ length }, (_, at) => pattern[at % pattern.length]!)),
    ),
  });
  fc.assert(
    fc.property(loads, ({ largest, weights }) => {
      const planner = new WindowPlanner({ first: 0, last: weights.length - 1 }, largest);
      let inVain = 0;
      for (let window = planner.next(); window; window = planner.next()) {
        const weight = weights.slice(window.first, window.last + 1).reduce((sum, one) => sum + one, 0);
        if (weight <= 100) planner.answered(window, weight);
        else {
          demand(planner.tooLarge(window), 'an hour was refused');
          inVain += 1;
        }
      }
      expect(inVain).toBeLessThanOrEqual(2 * Math.log2(largest) + weights.length / largest);
    }),
    { numRuns: runs(150) },
  );
});

it('never plans an archive beyond the budget by the sizes seen, but for single hours', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 0, max: 30_000_000 })), {
        minLength: 1,
        maxLength: 40,
      }),
      fc.integer({ min: 1, max: 48 }),
      (hours, largest) => {
        const planner = new WindowPlanner({ first: 0, last: 100_000 }, largest);
        let lastPerHour: number | undefined;
        for (const [bytesPerHour, budget] of hours) {
          const window = planner.next(budget)!;
          if (lastPerHour !== undefined && size(window) > 1) {
            demand(size(window) * lastPerHour <= budget, 'an archive beyond the budget');
          }
          planner.answered(window, bytesPerHour * size(window));
          lastPerHour = bytesPerHour;
        }
      },
    ),
    { numRuns: runs(200) },
  );
});
