import fc from 'fast-check';
import { dayIn, dayOf, formatDay, parseDay, sliceDays, sliceMonths } from '../../src/time/days';
import { formatHour, hourFrom, hourOf, parseHour } from '../../src/time/hours';
import { PROPERTY_TIMEOUT_MS, runs } from '../harness/runs';

jest.setTimeout(PROPERTY_TIMEOUT_MS);

const FIRST_MS = Date.parse('0000-01-01T00:00:00Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');
const instants = fc.integer({ min: FIRST_MS, max: LAST_MS });

/** A calendar of its own: days of a month by the rule, without Date. */
function isRealDay(year: number, month: number, day: number): boolean {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return month >= 1 && month <= 12 && day >= 1 && day <= lengths[month - 1]!;
}

const pad = (value: number, width: number): string => String(value).padStart(width, '0');
const dates = fc.tuple(fc.integer({ min: 0, max: 9999 }), fc.integer({ min: 0, max: 14 }), fc.nat(33));

it('every hour of the calendar, and nothing else, is read, and written as it was', () => {
  fc.assert(
    fc.property(dates, fc.nat(30), ([year, month, day], hour) => {
      const text = `${pad(year, 4)}${pad(month, 2)}${pad(day, 2)}T${pad(hour, 2)}`;
      const parsed = parseHour(text);
      expect(parsed !== undefined).toBe(isRealDay(year, month, day) && hour < 24);
      if (parsed !== undefined) expect(formatHour(parsed)).toBe(text);
    }),
    { numRuns: runs(1000) },
  );
});

it('every day of the calendar, and nothing else, is read, and written as it was', () => {
  fc.assert(
    fc.property(dates, ([year, month, day]) => {
      const text = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
      const parsed = parseDay(text);
      expect(parsed !== undefined).toBe(isRealDay(year, month, day));
      if (parsed !== undefined) expect(formatDay(parsed)).toBe(text);
    }),
    { numRuns: runs(1000) },
  );
});

it('hours and days hold the instants that they are of', () => {
  fc.assert(
    fc.property(instants, (epochMs) => {
      const hour = hourOf(epochMs);
      expect(hour * 3_600_000).toBeLessThanOrEqual(epochMs);
      expect((hour + 1) * 3_600_000).toBeGreaterThan(epochMs);
      expect(hourFrom(epochMs) - hour).toBe(epochMs === hour * 3_600_000 ? 0 : 1);
      expect(parseHour(formatHour(hour))).toBe(hour);
      expect(dayOf(epochMs)).toBe(Math.floor(hour / 24));
    }),
    { numRuns: runs(500) },
  );
});

it('no text makes them throw, and what is read is written as it was', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^[0-9TZ:+-]{0,16}$/),
    fc.stringMatching(/^\d{8}T\d{2}$/),
    fc.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const hour = parseHour(text);
      const day = parseDay(text);
      if (hour !== undefined) expect(formatHour(hour)).toBe(text);
      if (day !== undefined) expect(formatDay(day)).toBe(text);
    }),
    { numRuns: runs(500) },
  );
});

it('slices cover a range of days exactly, in order, within their bounds', () => {
  const ranges = fc.tuple(fc.integer({ min: -700_000, max: 2_900_000 }), fc.integer({ min: -2, max: 800 }));
  fc.assert(
    fc.property(ranges, fc.integer({ min: 1, max: 40 }), ([first, more], length) => {
      const range = { first, last: first + more };
      const days = Array.from({ length: Math.max(0, more + 1) }, (_, at) => first + at);
      const daysOf = (slices: readonly { first: number; last: number }[]): number[] =>
        slices.flatMap((slice) =>
          Array.from({ length: slice.last - slice.first + 1 }, (_, at) => slice.first + at),
        );
      const months = [...sliceMonths(range)];
      expect(daysOf(months)).toEqual(days);
      for (const [index, slice] of months.entries()) {
        expect(formatDay(slice.first).slice(0, 7)).toBe(formatDay(slice.last).slice(0, 7));
        if (index > 0) expect(formatDay(slice.first).slice(8)).toBe('01');
      }
      const equal = [...sliceDays(range, length)];
      expect(daysOf(equal)).toEqual(days);
      for (const slice of equal.slice(0, -1)) expect(slice.last - slice.first + 1).toBe(length);
    }),
    { numRuns: runs(100) },
  );
});

it('the day in a time zone is the one that the clocks there show', () => {
  const zones = [
    'UTC',
    'America/Los_Angeles',
    'America/St_Johns',
    'America/Sao_Paulo',
    'Europe/London',
    'Africa/Cairo',
    'Asia/Kolkata',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'Pacific/Apia',
    'Pacific/Chatham',
    'Pacific/Kiritimati',
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: Date.UTC(1980, 0, 1), max: Date.UTC(2100, 0, 1) }),
      (timeZone, epochMs) => {
        // Swedish writes dates as ISO does.
        const shown = new Date(epochMs).toLocaleDateString('sv-SE', { timeZone });
        expect(formatDay(dayIn(timeZone, epochMs))).toBe(shown);
      },
    ),
    { numRuns: runs(200) },
  );
});
