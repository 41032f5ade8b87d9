import { formatHour, hourFrom, hourOf, parseHour } from '../../../src/time/hours';

describe('hours as Amplitude writes them', () => {
  it.each([
    ['20240101T20', Date.UTC(2024, 0, 1, 20)],
    ['20240229T23', Date.UTC(2024, 1, 29, 23)],
    ['19700101T00', 0],
    ['19691231T23', -3_600_000],
    ['99991231T23', Date.UTC(9999, 11, 31, 23)],
  ])('%s', (text, epochMs) => {
    expect(parseHour(text)).toBe(epochMs / 3_600_000);
    expect(formatHour(epochMs / 3_600_000)).toBe(text);
  });

  it('follow each other over the ends of days, months, years and Februaries', () => {
    const next = (text: string): string => formatHour(parseHour(text)! + 1);
    expect(next('20231231T23')).toBe('20240101T00');
    expect(next('20240228T23')).toBe('20240229T00');
    expect(next('20240229T23')).toBe('20240301T00');
    expect(next('20230228T23')).toBe('20230301T00');
    expect(next('21000228T23')).toBe('21000301T00');
    // The hours at which New York and Berlin change their clocks are hours like any other.
    expect(next('20240310T06')).toBe('20240310T07');
    expect(next('20241027T00')).toBe('20241027T01');
  });

  it.each([
    '20240230T00',
    '20230229T00',
    '20240101T24',
    '20240101T99',
    '20241301T00',
    '20240001T00',
    '20240100T00',
    '20240101',
    '20240101T5',
    '20240101T005',
    '2024-01-01T05',
    '20240101t05',
    ' 20240101T05',
    '20240101T05\n',
    '２０２４0101T05',
    '',
    'now',
  ])('%j is none', (text) => {
    expect(parseHour(text)).toBeUndefined();
  });

  it('of an instant is the one it lies in, and the first from it on begins at or after it', () => {
    const start = Date.UTC(2024, 4, 5, 6);
    expect([hourOf(start), hourOf(start + 3_599_999), hourOf(start - 1)].map(formatHour)).toEqual([
      '20240505T06',
      '20240505T06',
      '20240505T05',
    ]);
    expect([hourFrom(start), hourFrom(start + 1), hourFrom(start - 1)].map(formatHour)).toEqual([
      '20240505T06',
      '20240505T07',
      '20240505T06',
    ]);
  });
});
