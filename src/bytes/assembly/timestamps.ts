/** Length of `YYYY-MM-DD HH:MM:SS`. */
const SECONDS_BYTES: usize = 19;
const SIX_ZEROS: u64 = 0x303030303030;
const SIX_BYTES: u64 = 0xffffffffffff;

/** Where the last call of `rewriteTimestamp` stopped writing. */
export let timestampOut: usize = 0;

/**
 * Reads a timestamp string without an offset from UTC, and with at most 15 digits of fraction, and writes it as Python's
 * isoformat does; reads an empty string and writes null. Other strings are left to the plain way.
 *
 * @param start at the opening quote
 * @param to at least 40 bytes there are overwritten
 * @returns the address behind the closing quote, or 0
 */
export function rewriteTimestamp(start: usize, to: usize): usize {
  if (load<u8>(start, 1) == 0x22) {
    store<u32>(to, 0x6c6c756e);
    timestampOut = to + 4;
    return start + 2;
  }
  const p = start + 1;
  if (!isDateTime(p)) return 0;
  let end = p + SECONDS_BYTES;
  let fraction = SIX_ZEROS;
  if (load<u8>(end) == 0x2e) {
    const digits = i8x16.le_u(i8x16.sub(v128.load(end, 1), i8x16.splat(0x30)), i8x16.splat(9));
    const count = ctz(i8x16.bitmask(digits) ^ 0x1ffff);
    if (count == 0) return 0;
    const kept = count >= 6 ? SIX_BYTES : ((<u64>1) << (8 * count)) - 1;
    fraction = (load<u64>(end, 1) & kept) | (SIX_ZEROS & ~kept);
    end += 1 + count;
  }
  if (load<u8>(end) == 0x5a) end++;
  if (load<u8>(end) != 0x22) return 0;

  v128.store(to, v128.load(start));
  store<u32>(to, load<u32>(start, 16), 16);
  store<u8>(to, 0x54, 11);
  let out = to + 1 + SECONDS_BYTES;
  if (fraction != SIX_ZEROS) {
    store<u8>(out, 0x2e);
    store<u64>(out, fraction, 1);
    out += 7;
  }
  // `+00:00"`
  store<u64>(out, 0x2230303a30302b);
  timestampOut = out + 7;
  return end + 1;
}

/** Whether `YYYY-MM-DD HH:MM:SS` stands at p, with a space or a `T`, and is a moment of the years 1 to 9999. */
function isDateTime(p: usize): bool {
  // Each byte less the lowest that may stand in its place, then how much more may; the byte before the hour comes later.
  const lowest = i8x16(48, 48, 48, 48, 45, 48, 48, 45, 48, 48, 0, 48, 48, 58, 48, 48);
  const range = i8x16(9, 9, 9, 9, 0, 1, 9, 0, 3, 9, -1, 2, 9, 0, 5, 9);
  const bytes = i8x16.sub(v128.load(p), lowest);
  if (!i8x16.all_true(i8x16.le_u(bytes, range))) return false;
  const separator = load<u8>(p, 10);
  if (separator != 0x20 && separator != 0x54) return false;
  if (load<u8>(p, 16) != 0x3a || <u32>load<u8>(p, 17) - 0x30 > 5 || <u32>load<u8>(p, 18) - 0x30 > 9)
    return false;

  const month = 10 * <i32>i8x16.extract_lane_u(bytes, 5) + i8x16.extract_lane_u(bytes, 6);
  const day = 10 * <i32>i8x16.extract_lane_u(bytes, 8) + i8x16.extract_lane_u(bytes, 9);
  const hour = 10 * <i32>i8x16.extract_lane_u(bytes, 11) + i8x16.extract_lane_u(bytes, 12);
  if (month == 0 || month > 12 || day == 0 || hour > 23) return false;
  const century = 10 * <i32>i8x16.extract_lane_u(bytes, 0) + i8x16.extract_lane_u(bytes, 1);
  const year = 10 * <i32>i8x16.extract_lane_u(bytes, 2) + i8x16.extract_lane_u(bytes, 3);
  if (century == 0 && year == 0) return false;
  return day <= 28 || day <= daysInMonth(century, year, month);
}

/** @param year from 0 to 99 */
function daysInMonth(century: i32, year: i32, month: i32): i32 {
  if (month == 2) return (year == 0 ? century : year) % 4 == 0 ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}
