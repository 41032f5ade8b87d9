import { parseDateTime, parseInstant } from '../../../src/time/instant';

const NOW = Date.parse('2026-10-04T12:34:56.789Z');
const show = (text: string, nowMs = NOW): string | undefined => {
  const instant = parseInstant(text, nowMs);
  return instant && new Date(instant.epochMs).toISOString();
};

describe('instants', () => {
  it.each([
    ['2024-03-01T00:00:00Z', '2024-03-01T00:00:00.000Z'],
    ['2024-02-29T23:59:59Z', '2024-02-29T23:59:59.000Z'],
    ['2024-03-01T00:00Z', '2024-03-01T00:00:00.000Z'],
    ['2024-03-01 10:20:30', '2024-03-01T10:20:30.000Z'],
    ['2024-03-01T10:20:30', '2024-03-01T10:20:30.000Z'],
    ['2023-08-25T11:05:08.013000+00:00', '2023-08-25T11:05:08.000Z'],
    ['2024-03-01T01:00:00+02:00', '2024-02-29T23:00:00.000Z'],
    ['2023-12-31T23:30:00-01:00', '2024-01-01T00:30:00.000Z'],
  ])('%s', (text, expected) => {
    expect(show(text)).toBe(expected);
    expect(parseInstant(text, NOW)).toMatchObject({ wholeDay: false, isRelative: false });
  });

  it('of a bare date stand for the whole day', () => {
    expect(parseInstant('2024-03-01', NOW)).toEqual({
      epochMs: Date.UTC(2024, 2, 1),
      wholeDay: true,
      isRelative: false,
    });
  });

  it.each([
    '2024-02-30T00:00:00Z',
    '2023-02-29',
    '2024-01-01T24:00:00Z',
    '2024-01-01T23:60:00Z',
    '2024-01-01T23:59:60Z',
    '2024-01-01T00:00:00+99:99',
    '2024-13-01',
    '9999-12-31T23:59:59-23:59',
    '0000-06-01T00:00:00Z',
    '2024-01-01T',
    '2024-01-01T00Z',
    '2024-01-01T00:00:00 Z',
    '2024-01-01T00:00:00.Z',
    '01/02/2024',
    'yesterday',
    '1704067200',
    '-1',
    '',
    ' ',
  ])('%j is none', (text) => {
    expect(parseInstant(text, NOW)).toBeUndefined();
    expect(parseDateTime(text)).toBeUndefined();
  });
});

describe('durations back from now', () => {
  it.each([
    ['P1Y', '2025-10-04T12:34:56.789Z'],
    ['P3M', '2026-07-04T12:34:56.789Z'],
    ['P2W', '2026-09-20T12:34:56.789Z'],
    ['P90D', '2026-07-06T12:34:56.789Z'],
    ['PT36H', '2026-10-03T00:34:56.789Z'],
    ['PT90M', '2026-10-04T11:04:56.789Z'],
    ['PT1S', '2026-10-04T12:34:55.789Z'],
    ['P1Y2M3W4DT5H6M7S', '2025-07-10T07:28:49.789Z'],
    ['P0D', '2026-10-04T12:34:56.789Z'],
    ['PT0S', '2026-10-04T12:34:56.789Z'],
  ])('%s', (text, expected) => {
    expect(show(text)).toBe(expected);
    expect(parseInstant(text, NOW)).toMatchObject({ wholeDay: false, isRelative: true });
  });

  it.each([
    ['P1M', '2026-03-31T06:00:00Z', '2026-02-28T06:00:00.000Z'],
    ['P1M', '2024-03-31T06:00:00Z', '2024-02-29T06:00:00.000Z'],
    ['P1M', '2026-05-31T06:00:00Z', '2026-04-30T06:00:00.000Z'],
    ['P1M', '2026-01-31T06:00:00Z', '2025-12-31T06:00:00.000Z'],
    ['P13M', '2026-03-31T06:00:00Z', '2025-02-28T06:00:00.000Z'],
    ['P1Y', '2024-02-29T06:00:00Z', '2023-02-28T06:00:00.000Z'],
    ['P4Y', '2024-02-29T06:00:00Z', '2020-02-29T06:00:00.000Z'],
    ['P1Y1M', '2024-03-30T06:00:00Z', '2023-02-28T06:00:00.000Z'],
    ['P1M1D', '2026-03-31T06:00:00Z', '2026-02-27T06:00:00.000Z'],
    ['P1Y', '2024-12-31T23:59:59Z', '2023-12-31T23:59:59.000Z'],
  ])('%s from %s is %s', (text, now, expected) => {
    expect(show(text, Date.parse(now))).toBe(expected);
  });

  it.each([
    'P',
    'PT',
    'P1YT',
    'PT1D',
    'P1H',
    'P1M1Y',
    'P1.5Y',
    'P-1Y',
    '-P1Y',
    'p1y',
    'P1Y ',
    '1Y',
    'P3000Y',
    'P999999Y',
    'P99999999999D',
    `P${'9'.repeat(400)}D`,
    `PT${'9'.repeat(30)}S`,
  ])('%.40j is none', (text) => {
    expect(parseInstant(text, NOW)).toBeUndefined();
  });
});
