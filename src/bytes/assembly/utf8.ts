/**
 * Whether the bytes are valid UTF-8 (Unicode 15, table 3-7) and hold no U+0085, U+2028 or U+2029, which the plain way
 * has to escape.
 */
export function isPlainUtf8(start: usize, end: usize): bool {
  let p = start;
  while (p < end) {
    const high = i8x16.bitmask(v128.load(p));
    if (high == 0) {
      p += 16;
      continue;
    }
    p += ctz(high);
    // A newline stands at the end, so a character that is cut off there fails by itself.
    while (p < end) {
      const word = load<u32>(p);
      if ((word & 0x80) == 0) break;
      if ((word & 0xc0c0f0) == 0x8080e0) {
        const code = ((word & 0x0f) << 12) | ((word & 0x3f00) >> 2) | ((word >> 16) & 0x3f);
        if (code < 0x800 || code - 0xd800 < 0x800 || code - 0x2028 < 2) return false;
        p += 3;
      } else if ((word & 0xc0e0) == 0x80c0) {
        if ((word & 0x1e) == 0 || (word & 0xffff) == 0x85c2) return false;
        p += 2;
      } else if ((word & 0xc0c0c0f8) == 0x808080f0) {
        const code =
          ((word & 0x07) << 18) | ((word & 0x3f00) << 4) | ((word >> 10) & 0xfc0) | ((word >> 24) & 0x3f);
        if (code - 0x10000 >= 0x100000) return false;
        p += 4;
      } else return false;
    }
  }
  return true;
}
