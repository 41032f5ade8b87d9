import { WindowPlanner, type HourWindow } from '../../../src/time/windows';

/** Length in hours of each window that the planner asks for, with what the service says to it. */
function play(
  planner: WindowPlanner,
  serve: (window: HourWindow) => 'too large' | number,
  budgetBytes?: number,
): { hours: number; served: boolean }[] {
  const asked: { hours: number; served: boolean }[] = [];
  for (let window = planner.next(budgetBytes); window; window = planner.next(budgetBytes)) {
    const hours = window.last - window.first + 1;
    const answer = serve(window);
    if (answer === 'too large') {
      if (!planner.tooLarge(window)) throw new Error(`an hour cannot be made smaller (${asked.length})`);
    } else {
      planner.answered(window, answer);
    }
    asked.push({ hours, served: answer !== 'too large' });
  }
  return asked;
}

const BYTES = 1000;
const upTo =
  (limit: number) =>
  (window: HourWindow): 'too large' | number =>
    window.last - window.first + 1 > limit ? 'too large' : BYTES;

function hoursOf(asked: readonly { hours: number }[]): number[] {
  return asked.map(({ hours }) => hours);
}

describe('a service that takes every window', () => {
  it('cuts the range into windows of the largest size, and one rest', () => {
    expect(hoursOf(play(new WindowPlanner({ first: 100, last: 159 }, 24), () => BYTES))).toEqual([
      24, 24, 12,
    ]);
  });

  it('gives no window for an empty range', () => {
    expect(new WindowPlanner({ first: 10, last: 9 }, 24).next()).toBeUndefined();
  });

  it('gives the same window until it is answered', () => {
    const planner = new WindowPlanner({ first: 0, last: 99 }, 24);
    expect([planner.next(), planner.next()]).toEqual([
      { first: 0, last: 23 },
      { first: 0, last: 23 },
    ]);
  });
});

describe('windows that are too large', () => {
  it.each([
    { limit: 6, windows: [24, 12, 6, 6, 6, 6] },
    { limit: 12, windows: [24, 12, 12] },
    { limit: 3, windows: [24, 12, 6, 3, 3, 3, 3, 6, 3, 3, 3, 3] },
    { limit: 5, windows: [24, 12, 6, 3, 3, 3, 3, 6, 3, 3, 3, 3] },
  ])('are halved until they are served (limit $limit h)', ({ limit, windows }) => {
    expect(hoursOf(play(new WindowPlanner({ first: 0, last: 23 }, 24), upTo(limit)))).toEqual(windows);
  });

  it('reads a day that is rejected above six hours with at most ten requests, also when a rejection costs two', () => {
    for (const limit of [6, 7, 8, 9, 10, 11]) {
      for (const costOfRejection of [1, 2]) {
        const asked = play(new WindowPlanner({ first: 0, last: 23 }, 24), upTo(limit));
        const requests = asked.reduce((sum, { served }) => sum + (served ? 1 : costOfRejection), 0);
        expect(requests).toBeLessThanOrEqual(10);
        expect(asked.filter(({ served }) => served).reduce((sum, { hours }) => sum + hours, 0)).toBe(24);
      }
    }
  });

  it('says when an hour cannot be halved, and stays on it', () => {
    const planner = new WindowPlanner({ first: 5, last: 9 }, 1);
    expect(planner.tooLarge({ first: 5, last: 5 })).toBe(false);
    expect(planner.next()).toEqual({ first: 5, last: 5 });
  });

  it('halves by the window that was refused, which the end of the range may have cut', () => {
    const planner = new WindowPlanner({ first: 0, last: 9 }, 24);
    expect(planner.next()).toEqual({ first: 0, last: 9 });
    planner.tooLarge({ first: 0, last: 9 });
    expect(planner.next()).toEqual({ first: 0, last: 4 });
  });
});

describe('growing back', () => {
  it('tries twice the size after four windows, then waits twice as long each time that fails', () => {
    const asked = play(new WindowPlanner({ first: 0, last: 2399 }, 24), upTo(12));
    const tries = asked.flatMap(({ hours }, index) => (hours === 24 ? [index] : []));
    const gaps = tries.slice(1).map((index, at) => index - tries[at]! - 1);
    expect(gaps.slice(0, 6)).toEqual([4, 8, 16, 32, 64, 64]);
  });

  it('comes back to the largest size when the load is over, and never exceeds it', () => {
    const asked = play(new WindowPlanner({ first: 0, last: 2000 }, 24), ({ first, last }) =>
      first < 24 && last > first ? 'too large' : BYTES,
    );
    expect(asked.filter(({ hours }) => hours > 24)).toEqual([]);
    expect(asked.slice(-20, -1).every(({ hours }) => hours === 24)).toBe(true);
  });

  it('grows to a largest size that is no power of two', () => {
    const asked = play(new WindowPlanner({ first: 0, last: 5000 }, 20), (window) =>
      window.first === 0 && window.last > 2 ? 'too large' : BYTES,
    );
    expect([...new Set(hoursOf(asked))]).toEqual([20, 10, 5, 2, 4, 8, 16, 1]);
    expect(Math.max(...hoursOf(asked))).toBe(20);
  });

  it.each([12, 6, 3, 1])(
    'costs 30 days in which windows above %d h are refused at most 2·log2(24) + 30 requests in vain',
    (limit) => {
      const asked = play(new WindowPlanner({ first: 0, last: 719 }, 24), upTo(limit));
      const refused = asked.filter(({ served }) => !served).length;
      expect(refused).toBeLessThanOrEqual(2 * Math.log2(24) + 720 / 24);
      expect(refused).toBeGreaterThan(0);
    },
  );

  it('keeps that bound when single hours are as large as a request may be', () => {
    for (let period = 2; period <= 60; period += 1) {
      const weigh = ({ first, last }: HourWindow): number => {
        let weight = 0;
        for (let hour = first; hour <= last; hour += 1) weight += hour % period === 0 ? 24 : 1;
        return weight;
      };
      const asked = play(new WindowPlanner({ first: 0, last: 719 }, 24), (window) =>
        weigh(window) > 24 ? 'too large' : BYTES,
      );
      const refused = asked.filter(({ served }) => !served).length;
      expect([period, refused <= 2 * Math.log2(24) + 720 / 24]).toEqual([period, true]);
    }
  });
});

describe('empty stretches', () => {
  it('are crossed in ever larger windows, of 30 days at most', () => {
    const asked = play(new WindowPlanner({ first: 0, last: 8759 }, 24), () => 0);
    expect(hoursOf(asked).slice(0, 8)).toEqual([24, 24, 48, 96, 192, 384, 720, 720]);
    expect(asked).toHaveLength(18);
  });

  it('end with a window of the usual size where the data begin again', () => {
    const asked = play(new WindowPlanner({ first: 0, last: 400 }, 24), (window) =>
      window.last < 100 ? 0 : BYTES,
    );
    // The third window (48 h) is still empty, the next (96 h) holds data and is served.
    expect(hoursOf(asked)).toEqual([24, 24, 48, 96, 24, 24, 24, 24, 24, 24, 24, 24, 17]);
  });

  it('fall back to the usual size when the large window holds too much', () => {
    const asked = play(new WindowPlanner({ first: 0, last: 400 }, 24), (window) => {
      if (window.last < 100) return 0;
      return window.last - window.first + 1 > 24 ? 'too large' : BYTES;
    });
    expect(asked.slice(0, 6)).toEqual([
      { hours: 24, served: true },
      { hours: 24, served: true },
      { hours: 48, served: true },
      { hours: 96, served: false },
      { hours: 24, served: true },
      { hours: 24, served: true },
    ]);
  });

  it('do not shrink windows that are larger than 30 days', () => {
    const asked = play(new WindowPlanner({ first: 0, last: 8759 }, 2000), () => 0);
    expect(Math.min(...hoursOf(asked).slice(0, -1))).toBe(2000);
  });
});

describe('the disk budget', () => {
  it('makes windows smaller that would outgrow it by the last size seen', () => {
    const planner = new WindowPlanner({ first: 0, last: 999 }, 24);
    planner.answered({ first: 0, last: 23 }, 2400);
    expect(planner.next(1000)).toEqual({ first: 24, last: 33 });
  });

  it('gives windows of one hour when not even one fits', () => {
    const planner = new WindowPlanner({ first: 0, last: 999 }, 24);
    planner.answered({ first: 0, last: 23 }, 2400);
    expect(planner.next(99)).toEqual({ first: 24, last: 24 });
    expect(planner.next(0)).toEqual({ first: 24, last: 24 });
  });

  it('is not known to be too small before the first archive', () => {
    expect(new WindowPlanner({ first: 0, last: 999 }, 24).next(1)).toEqual({ first: 0, last: 23 });
  });

  it('remembers a large hour for a while, by halves', () => {
    const planner = new WindowPlanner({ first: 0, last: 999 }, 10);
    planner.answered({ first: 0, last: 9 }, 8000);
    planner.answered({ first: 10, last: 19 }, 10);
    // 800 bytes an hour were seen, now 1: it counts as 400.
    expect(planner.next(2000)).toEqual({ first: 20, last: 24 });
  });

  it('also holds for the large windows of an empty stretch', () => {
    const planner = new WindowPlanner({ first: 0, last: 9999 }, 24);
    planner.answered({ first: 0, last: 23 }, 2400);
    for (let first = 24; first < 240; first += 24) planner.answered({ first, last: first + 23 }, 0);
    expect(planner.next(5000)).toEqual({ first: 240, last: 289 });
  });
});
