import { LONGEST_WAIT_MS, RETRIES, retryDelayMs } from '../../../src/amplitude/retry';

const BASE_MS = 5_000;
const PACE = { retryBaseMs: BASE_MS };

/** The least and the greatest delay of many draws. */
function bounds(draw: () => number): [number, number] {
  const delays = Array.from({ length: 2_000 }, draw);
  return [Math.min(...delays), Math.max(...delays)];
}

describe('the wait before a retry', () => {
  it.each([1, 2, 3, 4, 5])(
    'number %d doubles, within 20 % of jitter that is used on both sides',
    (number) => {
      const middle = BASE_MS * 2 ** (number - 1);
      const [least, greatest] = bounds(() => retryDelayMs(number, PACE, {}));
      expect(least).toBeGreaterThanOrEqual(middle * 0.8);
      expect(greatest).toBeLessThanOrEqual(middle * 1.2);
      expect(least).toBeLessThan(middle * 0.85);
      expect(greatest).toBeGreaterThan(middle * 1.15);
    },
  );

  it('is what Amplitude asks for, when that is longer', () => {
    const delay = retryDelayMs(1, PACE, { retryAfterMs: 90_000 });
    expect(delay).toBe(90_000);
  });

  it('is never shorter than the back-off', () => {
    const [least] = bounds(() => retryDelayMs(3, PACE, { retryAfterMs: 1 }));
    expect(least).toBeGreaterThanOrEqual(BASE_MS * 4 * 0.8);
  });

  it.each([601_000, 86_400_000, 1e15, Infinity])(
    'is ten minutes at most (Retry-After of %d ms)',
    (retryAfterMs) => {
      expect(retryDelayMs(1, PACE, { retryAfterMs })).toBe(LONGEST_WAIT_MS);
    },
  );

  it('is capped for a large base and a late retry too', () => {
    expect(retryDelayMs(30, { retryBaseMs: 60_000 }, {})).toBe(600_000);
    expect(RETRIES).toBe(5);
  });

  it('is nothing with a base of nothing, as tests use it', () => {
    expect(retryDelayMs(5, { retryBaseMs: 0 }, { status: 429 })).toBe(0);
  });

  it('is longer than Amplitude’s cost window, over all retries, for a rate limit that does not say how long', () => {
    const waits = (status: number): number[] =>
      Array.from({ length: RETRIES }, (_, index) => retryDelayMs(index + 1, PACE, { status }));
    const total = (status: number): number => waits(status).reduce((sum, wait) => sum + wait, 0);
    expect(Math.min(...waits(429))).toBeGreaterThanOrEqual(60_000);
    expect(total(429)).toBeGreaterThanOrEqual(300_000);
    expect(total(503)).toBeLessThan(200_000);
    expect(retryDelayMs(1, PACE, { status: 429, retryAfterMs: 7_000 })).toBe(7_000);
  });

  it.each([{}, { status: 429 }, { status: 429, retryAfterMs: 9_000 }])(
    'is never longer than the caller’s patience (%j)',
    (verdict) => {
      const [, greatest] = bounds(() => retryDelayMs(3, { ...PACE, patienceMs: 10_000 }, verdict));
      expect(greatest).toBeLessThanOrEqual(10_000);
    },
  );
});
