/** Levels below the event that are followed here; one bit for each says whether it is an object. */
const MAX_LEVELS: i32 = 60;

/**
 * Every function here takes a pointer and returns where the thing ends, or 0 when it is not well-formed or something
 * that the fast way leaves to the plain one. A newline ends whatever is read, so nothing reads past the input's last one.
 */

/** @param p after the opening quote; @returns the closing quote */
// @ts-ignore: decorator
@inline
export function stringEnd(p: usize): usize {
  const v = v128.load(p);
  const stops = stopMask(v);
  if (stops != 0) {
    const end = p + ctz(stops);
    if (load<u8>(end) == 0x22) return end;
  }
  return longStringEnd(p);
}

/** As `stringEnd`, but gives up on an escape: a name with one may be a known field in disguise. */
// @ts-ignore: decorator
@inline
export function nameEnd(start: usize): usize {
  let p = start;
  while (true) {
    const stops = stopMask(v128.load(p));
    if (stops != 0) {
      p += ctz(stops);
      return load<u8>(p) == 0x22 ? p : 0;
    }
    p += 16;
  }
}

/** One bit for each byte that is a quote, a backslash or a control character. */
// @ts-ignore: decorator
@inline
function stopMask(v: v128): i32 {
  // 0x22 ^ 2 is 0x20, and the control characters stay below it.
  const quoteOrControl = i8x16.le_u(v128.xor(v, i8x16.splat(2)), i8x16.splat(0x20));
  return i8x16.bitmask(v128.or(quoteOrControl, i8x16.eq(v, i8x16.splat(0x5c))));
}

function longStringEnd(start: usize): usize {
  let p = start;
  while (true) {
    const stops = stopMask(v128.load(p));
    if (stops == 0) {
      p += 16;
      continue;
    }
    p += ctz(stops);
    const c = load<u8>(p);
    if (c == 0x22) return p;
    if (c != 0x5c) return 0;
    const escaped = <u32>load<u8>(p, 1);
    if (escaped == 0x75) {
      if (!isHex(load<u8>(p, 2)) || !isHex(load<u8>(p, 3)) || !isHex(load<u8>(p, 4)) || !isHex(load<u8>(p, 5))) return 0;
      p += 6;
    } else {
      if (escaped != 0x22 && escaped != 0x5c && escaped != 0x2f && escaped != 0x6e && escaped != 0x74 && escaped != 0x72 && escaped != 0x62 && escaped != 0x66) return 0;
      p += 2;
    }
  }
}

// @ts-ignore: decorator
@inline
function isHex(c: u32): bool {
  return c - 0x30 < 10 || (c | 0x20) - 0x61 < 6;
}

/** Passes spaces and tabs, not CR: a CR inside the object has to go, which is the plain way's work. */
export function skipBlanks(p: usize): usize {
  while (load<u8>(p) == 0x20 || load<u8>(p) == 0x09) p++;
  return p;
}

/** @param p at a number, `true`, `false` or `null` */
// @ts-ignore: decorator
@inline
export function scalarEnd(p: usize): usize {
  const word = load<u32>(p);
  if (word == 0x6c6c756e || word == 0x65757274) return p + 4;
  if (word == 0x736c6166) return load<u8>(p, 4) == 0x65 ? p + 5 : 0;
  return numberEnd(p);
}

function numberEnd(start: usize): usize {
  let p = start;
  if (load<u8>(p) == 0x2d) p++;
  if (load<u8>(p) == 0x30) p++;
  else {
    const end = digitsEnd(p);
    if (end == p) return 0;
    p = end;
  }
  if (load<u8>(p) == 0x2e) {
    const end = digitsEnd(p + 1);
    if (end == p + 1) return 0;
    p = end;
  }
  if ((load<u8>(p) | 0x20) == 0x65) {
    p++;
    const sign = load<u8>(p);
    if (sign == 0x2b || sign == 0x2d) p++;
    const end = digitsEnd(p);
    if (end == p) return 0;
    p = end;
  }
  return p;
}

// @ts-ignore: decorator
@inline
function digitsEnd(start: usize): usize {
  let p = start;
  while (true) {
    const digits = i8x16.le_u(i8x16.sub(v128.load(p), i8x16.splat(0x30)), i8x16.splat(9));
    const others = i8x16.bitmask(digits) ^ 0xffff;
    if (others != 0) return p + ctz(others);
    p += 16;
  }
}

/** @param start at `{` or `[` */
export function containerEnd(start: usize): usize {
  let p = start;
  let level = 0;
  // Bit 0 is the innermost container: 1 for an object.
  let kinds: u64 = 0;
  let c = <u32>load<u8>(p);
  while (true) {
    // At the start of a value; c is its first byte.
    let isOpen = false;
    if (c == 0x22) {
      p = stringEnd(p + 1);
      if (p == 0) return 0;
      p++;
    } else if (c == 0x7b || c == 0x5b) {
      if (++level > MAX_LEVELS) return 0;
      const isObject = c == 0x7b;
      kinds = (kinds << 1) | u64(isObject);
      p++;
      c = load<u8>(p);
      if (c <= 0x20) {
        p = skipBlanks(p);
        c = load<u8>(p);
      }
      isOpen = c != (isObject ? 0x7d : 0x5d);
    } else {
      p = scalarEnd(p);
      if (p == 0) return 0;
    }
    if (!isOpen) {
      // At the end of a value, or at the bracket that closes an empty container.
      while (true) {
        c = load<u8>(p);
        if (c <= 0x20) {
          p = skipBlanks(p);
          c = load<u8>(p);
        }
        if (c == 0x2c) {
          p++;
          c = load<u8>(p);
          if (c <= 0x20) {
            p = skipBlanks(p);
            c = load<u8>(p);
          }
          break;
        }
        if (c != (kinds & 1 ? 0x7d : 0x5d)) return 0;
        p++;
        kinds >>= 1;
        if (--level == 0) return p;
      }
    }
    if (kinds & 1) {
      // At a key.
      if (c != 0x22) return 0;
      p = stringEnd(p + 1);
      if (p == 0) return 0;
      p++;
      c = load<u8>(p);
      if (c <= 0x20) {
        p = skipBlanks(p);
        c = load<u8>(p);
      }
      if (c != 0x3a) return 0;
      p++;
      c = load<u8>(p);
      if (c <= 0x20) {
        p = skipBlanks(p);
        c = load<u8>(p);
      }
    }
  }
}
