const DATE_AND_TIME: i32 = 19;

/** Length of what `writeTimestamp` wrote and of what it read, quotes included. */
export let writtenBytes: usize = 0;

/**
 * Reads a quoted `YYYY-MM-DD HH:MM:SS[.f…][Z]` (up to 16 digits) and writes it as Python's isoformat does in UTC.
 *
 * @returns the end of what was read, or 0 when it is something else
 */
export function rewriteTimestamp(quote: usize, out: usize): usize {
  const p = quote + 1;
  // Each byte less its lowest allowed value; the separators allow nothing else.
  const first = i8x16.sub(v128.load(p), i8x16(48, 48, 48, 48, 45, 48, 48, 45, 48, 48, 0, 48, 48, 58, 48, 48));
  const firstRange = i8x16(9, 9, 9, 9, 0, 1, 9, 0, 3, 9, -1, 2, 9, 0, 5, 9);
  if (!i8x16.all_true(i8x16.le_u(first, firstRange))) return 0;
  const separator = load<u8>(p, 10);
  if (separator != 0x20 && separator != 0x54) return 0;
  const month = i32(i8x16.extract_lane_u(first, 5)) * 10 + i8x16.extract_lane_u(first, 6);
  const day = i32(i8x16.extract_lane_u(first, 8)) * 10 + i8x16.extract_lane_u(first, 9);
  const hour = i32(i8x16.extract_lane_u(first, 11)) * 10 + i8x16.extract_lane_u(first, 12);
  if (hour > 23 || u32(month - 1) > 11 || day == 0) return 0;
  if (load<u32>(p) == 0x30303030) return 0;
  if (day > 28 && day > daysInMonth(month, first)) return 0;
  if (load<u8>(p, 16) != 0x3a || u32(load<u8>(p, 17)) - 0x30 > 5 || u32(load<u8>(p, 18)) - 0x30 > 9) return 0;

  let end = p + DATE_AND_TIME;
  let fraction: u64 = ZEROS;
  if (load<u8>(end) == 0x2e) {
    const digits = i8x16.le_u(i8x16.sub(v128.load(end, 1), i8x16.splat(0x30)), i8x16.splat(9));
    const count = ctz((i8x16.bitmask(digits) ^ 0xffff) | 0x10000);
    if (count == 0) return 0;
    const kept: u64 = count >= 6 ? SIX_BYTES : ((<u64>1) << (count * 8)) - 1;
    fraction = (load<u64>(end, 1) & kept) | (ZEROS & ~kept);
    end += 1 + count;
  }
  if (load<u8>(end) == 0x5a) end++;
  if (load<u8>(end) != 0x22) return 0;

  v128.store(out, v128.load(quote));
  store<u32>(out, load<u32>(quote, 16), 16);
  store<u8>(out, 0x54, 11);
  let to = out + 1 + DATE_AND_TIME;
  if (fraction != ZEROS) {
    store<u8>(to, 0x2e);
    store<u64>(to, fraction, 1);
    to += 7;
  }
  // +00:00 and the quote
  store<u64>(to, 0x2230303a30302b);
  writtenBytes = to + 7 - out;
  return end + 1;
}

const ZEROS: u64 = 0x303030303030;
const SIX_BYTES: u64 = 0xffffffffffff;

function daysInMonth(month: i32, date: v128): i32 {
  if (month != 2) return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
  const century = i32(i8x16.extract_lane_u(date, 0)) * 10 + i8x16.extract_lane_u(date, 1);
  const year = i32(i8x16.extract_lane_u(date, 2)) * 10 + i8x16.extract_lane_u(date, 3);
  return (year == 0 ? century : year) % 4 == 0 ? 29 : 28;
}
