import {
  dayIn,
  dayOf,
  formatCompactDay,
  formatDay,
  parseDay,
  sliceDays,
  sliceMonths,
} from '../../../src/time/days';

const day = (text: string): number => {
  const parsed = parseDay(text);
  if (parsed === undefined) throw new Error(`${text} is no day`);
  return parsed;
};
const at = (text: string): number => Date.parse(text);

describe('days of the calendar', () => {
  it.each([
    ['1970-01-01', 0],
    ['1969-12-31', -1],
    ['2024-02-29', 19_782],
    ['2026-10-01', 20_727],
  ])('%s is day %d', (text, number) => {
    expect(parseDay(text)).toBe(number);
    expect(formatDay(number)).toBe(text);
    expect(formatCompactDay(number)).toBe(text.replace(/-/g, ''));
  });

  it.each([
    '2023-02-29',
    '2024-02-30',
    '2100-02-29',
    '2024-04-31',
    '2024-13-01',
    '2024-00-10',
    '2024-01-00',
    '2024-1-1',
    '20240101',
    '2024-01-01T00:00:00Z',
    '2024-01-01 ',
    '+002024-01-01',
    '',
  ])('%j is none', (text) => {
    expect(parseDay(text)).toBeUndefined();
  });

  it('begin at midnight UTC', () => {
    expect(formatDay(dayOf(at('2024-03-01T00:00:00Z')))).toBe('2024-03-01');
    expect(formatDay(dayOf(at('2024-03-01T00:00:00Z') - 1))).toBe('2024-02-29');
  });
});

describe('the day that it is in a time zone', () => {
  it.each([
    // Los Angeles is UTC-8 until 2026-03-08 10:00 UTC and UTC-7 until 2026-11-01 09:00 UTC.
    ['America/Los_Angeles', '2026-03-08T07:59:59Z', '2026-03-07'],
    ['America/Los_Angeles', '2026-03-08T08:00:00Z', '2026-03-08'],
    ['America/Los_Angeles', '2026-03-09T06:59:59Z', '2026-03-08'],
    ['America/Los_Angeles', '2026-03-09T07:00:00Z', '2026-03-09'],
    ['America/Los_Angeles', '2026-11-02T07:59:59Z', '2026-11-01'],
    ['America/Los_Angeles', '2026-11-02T08:00:00Z', '2026-11-02'],
    ['Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29'],
    ['Europe/Berlin', '2026-03-29T21:59:59Z', '2026-03-29'],
    ['Europe/Berlin', '2026-03-29T22:00:00Z', '2026-03-30'],
    ['Asia/Kolkata', '2026-05-01T18:29:59Z', '2026-05-01'],
    ['Asia/Kolkata', '2026-05-01T18:30:00Z', '2026-05-02'],
    ['Pacific/Kiritimati', '2026-05-01T10:00:00Z', '2026-05-02'],
    ['Pacific/Pago_Pago', '2026-05-01T10:59:59Z', '2026-04-30'],
    // Samoa left out 2011-12-30.
    ['Pacific/Apia', '2011-12-30T09:59:59Z', '2011-12-29'],
    ['Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-31'],
    ['UTC', '2023-12-31T23:59:59.999Z', '2023-12-31'],
    ['UTC', '2024-02-29T00:00:00Z', '2024-02-29'],
  ])('%s, %s: %s', (zone, instant, expected) => {
    expect(formatDay(dayIn(zone, at(instant)))).toBe(expected);
  });

  it('is a RangeError for a zone that does not exist', () => {
    expect(() => dayIn('Mars/Olympus', 0)).toThrow(RangeError);
  });
});

describe('slices', () => {
  const show = (slices: Iterable<{ first: number; last: number }>): string[] =>
    [...slices].map(({ first, last }) => `${formatDay(first)}..${formatDay(last)}`);

  it('of months end with each month', () => {
    expect(show(sliceMonths({ first: day('2023-12-30'), last: day('2024-03-02') }))).toEqual([
      '2023-12-30..2023-12-31',
      '2024-01-01..2024-01-31',
      '2024-02-01..2024-02-29',
      '2024-03-01..2024-03-02',
    ]);
  });

  it('of months within one month, on one day, and of nothing', () => {
    expect(show(sliceMonths({ first: day('2024-01-05'), last: day('2024-01-09') }))).toEqual([
      '2024-01-05..2024-01-09',
    ]);
    expect(show(sliceMonths({ first: day('2024-01-31'), last: day('2024-01-31') }))).toEqual([
      '2024-01-31..2024-01-31',
    ]);
    expect(show(sliceMonths({ first: day('2024-02-01'), last: day('2024-01-31') }))).toEqual([]);
  });

  it('of months in the first century', () => {
    expect(show(sliceMonths({ first: day('0076-02-10'), last: day('0076-03-01') }))).toEqual([
      '0076-02-10..0076-02-29',
      '0076-03-01..0076-03-01',
    ]);
  });

  it('of a number of days leave the rest to the last', () => {
    expect(show(sliceDays({ first: day('2024-02-20'), last: day('2024-03-21') }, 15))).toEqual([
      '2024-02-20..2024-03-05',
      '2024-03-06..2024-03-20',
      '2024-03-21..2024-03-21',
    ]);
  });
});
