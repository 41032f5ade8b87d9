import fc from 'fast-check';
import { parseDateTime, parseInstant } from '../../src/time/instant';
import { PROPERTY_TIMEOUT_MS, runs } from '../harness/runs';

jest.setTimeout(PROPERTY_TIMEOUT_MS);

const NOW_RANGE = { min: Date.UTC(2015, 0, 1), max: Date.UTC(2100, 0, 1) };
const FOUR_DIGIT_YEARS = { min: Date.UTC(1000, 0, 1), max: Date.UTC(9999, 11, 31) };

it('date-times in every accepted form mean the instant that Date says', () => {
  fc.assert(
    fc.property(
      fc.integer(FOUR_DIGIT_YEARS).map((ms) => Math.floor(ms / 1000) * 1000),
      fc.constantFrom('T', ' '),
      fc.constantFrom('', '.0', '.013000', '.123456789'),
      fc.integer({ min: -14 * 60, max: 14 * 60 }),
      fc.constantFrom('Z', 'none', 'offset'),
      (epochMs, separator, fraction, offsetMinutes, zone) => {
        const shiftMs = zone === 'offset' ? offsetMinutes * 60_000 : 0;
        const local = new Date(epochMs + shiftMs).toISOString();
        fc.pre(/^\d{4}-/.test(local));
        const sign = offsetMinutes < 0 ? '-' : '+';
        const [hours, minutes] = [Math.floor(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60];
        const offset = `${sign}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
        const suffix = { Z: 'Z', none: '', offset }[zone]!;
        const text = `${local.slice(0, 10)}${separator}${local.slice(11, 19)}${fraction}${suffix}`;
        expect(parseDateTime(text)).toBe(epochMs);
        expect(parseInstant(text, 0)).toEqual({ epochMs, wholeDay: false, isRelative: false });
      },
    ),
    { numRuns: runs(500) },
  );
});

interface Civil {
  year: number;
  month: number;
  day: number;
}

function daysInMonth({ year, month }: Civil): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]!;
}

/** Month by month and day by day, as one would with a calendar on the wall. */
function goBack(start: Civil, months: number, days: number): Civil {
  const date = { ...start };
  for (let step = 0; step < months; step += 1) {
    date.month -= 1;
    if (date.month === 0) Object.assign(date, { month: 12, year: date.year - 1 });
  }
  date.day = Math.min(date.day, daysInMonth(date));
  for (let step = 0; step < days; step += 1) {
    date.day -= 1;
    if (date.day > 0) continue;
    date.month -= 1;
    if (date.month === 0) Object.assign(date, { month: 12, year: date.year - 1 });
    date.day = daysInMonth(date);
  }
  return date;
}

it('a duration goes back as a wall calendar does', () => {
  fc.assert(
    fc.property(
      fc.integer(NOW_RANGE),
      fc.nat(12),
      fc.nat(30),
      fc.nat(10),
      fc.nat(400),
      (nowMs, years, months, weeks, days) => {
        fc.pre(years + months + weeks + days > 0);
        const part = (amount: number, letter: string): string => (amount > 0 ? `${amount}${letter}` : '');
        const text = `P${part(years, 'Y')}${part(months, 'M')}${part(weeks, 'W')}${part(days, 'D')}`;
        const now = new Date(nowMs);
        const start = {
          year: now.getUTCFullYear(),
          month: now.getUTCMonth() + 1,
          day: now.getUTCDate(),
        };
        const { year, month, day } = goBack(start, years * 12 + months, weeks * 7 + days);
        const time = now.toISOString().slice(10);
        const pad = (value: number): string => String(value).padStart(2, '0');
        const { epochMs } = parseInstant(text, nowMs)!;
        expect(new Date(epochMs).toISOString()).toBe(`${year}-${pad(month)}-${pad(day)}${time}`);
      },
    ),
    { numRuns: runs(300) },
  );
});

it('a duration of hours, minutes and seconds is that long', () => {
  fc.assert(
    fc.property(
      fc.integer(NOW_RANGE),
      fc.nat(5000),
      fc.nat(5000),
      fc.nat(5000),
      (nowMs, hours, minutes, seconds) => {
        const { epochMs } = parseInstant(`PT${hours}H${minutes}M${seconds}S`, nowMs)!;
        expect(nowMs - epochMs).toBe((hours * 3600 + minutes * 60 + seconds) * 1000);
      },
    ),
    { numRuns: runs(200) },
  );
});

it('no text throws, and none gives an instant beyond the years 1 to 9999', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?$/),
    fc.stringMatching(/^P(\d{1,30}Y)?(\d{1,30}M)?(\d{1,30}W)?(\d{1,30}D)?(T(\d{1,30}H)?(\d{1,30}M)?)?$/),
  );
  fc.assert(
    fc.property(texts, fc.integer(NOW_RANGE), (text, nowMs) => {
      const instant = parseInstant(text, nowMs);
      if (instant === undefined) return;
      const year = new Date(instant.epochMs).getUTCFullYear();
      expect([text, year >= (instant.wholeDay ? 0 : 1) && year <= 9999]).toEqual([text, true]);
    }),
    { numRuns: runs(1000) },
  );
});
