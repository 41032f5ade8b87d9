import { parseMemberHour } from '../../../src/amplitude/member-name';
import { formatHour } from '../../../src/time/hours';

describe("the hour in a member's name", () => {
  it.each([
    ['310022/310022_2026-10-04_9#0.json.gz', '20261004T09', 0],
    ['310022/310022_2026-10-04_09#1.json.gz', '20261004T09', 1],
    ['310022/310022_2026-10-04_23#12.json.gz', '20261004T23', 12],
    ['310022_2024-02-29_0#0.json', '20240229T00', 0],
    ['a_b_c_2024-01-01_5#3.json.gz', '20240101T05', 3],
  ])('%s', (name, hour, part) => {
    const parsed = parseMemberHour(name);
    expect(parsed.hour).toBeDefined();
    expect([formatHour(parsed.hour!), parsed.part]).toEqual([hour, part]);
  });

  it.each([
    '310022/310022_2023-02-29_5#0.json.gz',
    '310022/310022_2026-10-04_24#0.json.gz',
    '310022/310022_2026-10-04_5.json.gz',
    '310022/310022_2026-10-04_5#0.json.gz.tmp',
    '310022/310022_2026-10-04_#0.json.gz',
    '310022/310022_2026-10-04#0.json.gz',
    '../../etc/passwd',
    '',
  ])('is not known from %j', (name) => {
    expect(parseMemberHour(name).hour).toBeUndefined();
  });
});
