import { LONGEST_WAIT_MS, RETRIES, retryDelayMs } from '../../../src/amplitude/retry';

const BASE_MS = 5_000;

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
      const [least, greatest] = bounds(() => retryDelayMs(number, BASE_MS, {}));
      expect(least).toBeGreaterThanOrEqual(middle * 0.8);
      expect(greatest).toBeLessThanOrEqual(middle * 1.2);
      expect(least).toBeLessThan(middle * 0.85);
      expect(greatest).toBeGreaterThan(middle * 1.15);
    },
  );

  it('is what Amplitude asks for, when that is longer', () => {
    const delay = retryDelayMs(1, BASE_MS, { retryAfterMs: 90_000 });
    expect(delay).toBe(90_000);
  });

  it('is never shorter than the back-off', () => {
    const [least] = bounds(() => retryDelayMs(3, BASE_MS, { retryAfterMs: 1 }));
    expect(least).toBeGreaterThanOrEqual(BASE_MS * 4 * 0.8);
  });

  it.each([601_000, 86_400_000, 1e15, Infinity])(
    'is ten minutes at most (Retry-After of %d ms)',
    (retryAfterMs) => {
      expect(retryDelayMs(1, BASE_MS, { retryAfterMs })).toBe(LONGEST_WAIT_MS);
    },
  );

  it('is capped for a large base and a late retry too', () => {
    expect(retryDelayMs(30, 60_000, {})).toBe(600_000);
    expect(RETRIES).toBe(5);
  });

  it('is nothing with a base of nothing, as tests use it', () => {
    expect(retryDelayMs(5, 0, {})).toBe(0);
  });
});
