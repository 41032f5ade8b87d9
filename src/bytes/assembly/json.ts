// Each function takes the address where something starts and returns the one behind it, or 0 when that thing is not
// well-formed or is left to the plain way. All stop at a newline, so none reads past the last newline of the input by
// more than a vector.

/** Containers that may be open at once: each has a bit in a 64-bit word. Deeper values are left to the plain way. */
const MAX_LEVELS: i32 = 64;

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;
const COMMA: u32 = 0x2c;
const COLON: u32 = 0x3a;
const OPEN_OBJECT: u32 = 0x7b;
const CLOSE_OBJECT: u32 = 0x7d;
const OPEN_ARRAY: u32 = 0x5b;
const CLOSE_ARRAY: u32 = 0x5d;

/** Passes spaces and tabs. A CR inside the object has to go, which is left to the plain way. */
export function skipBlanks(start: usize): usize {
  return load<u8>(start) <= 0x20 ? blanksEnd(start) : start;
}

function blanksEnd(start: usize): usize {
  let p = start;
  while (load<u8>(p) == 0x20 || load<u8>(p) == 0x09) p++;
  return p;
}

/** @param start at a value, which may be of any kind */
export function valueEnd(start: usize): usize {
  const c = <u32>load<u8>(start);
  if (c == QUOTE) return stringEnd(start);
  if (c == OPEN_OBJECT || c == OPEN_ARRAY) return containerEnd(start);
  return scalarEnd(start);
}

/** @param start at the opening quote */
function stringEnd(start: usize): usize {
  const stops = stopsOf(v128.load(start, 1));
  const stop = start + 1 + ctz(stops);
  return stops != 0 && load<u8>(stop) == QUOTE ? stop + 1 : longStringEnd(start + 1);
}

/** A bit for each byte that is a quote, a backslash or a control character. */
function stopsOf(v: v128): i32 {
  // 0x22 ^ 2 is 0x20, and the control characters stay below that.
  const quotesAndControls = i8x16.le_u(v128.xor(v, i8x16.splat(2)), i8x16.splat(0x20));
  return i8x16.bitmask(v128.or(quotesAndControls, i8x16.eq(v, i8x16.splat(0x5c))));
}

function longStringEnd(start: usize): usize {
  let p = start;
  while (true) {
    const stops = stopsOf(v128.load(p));
    if (stops == 0) {
      p += 16;
      continue;
    }
    p += ctz(stops);
    const c = <u32>load<u8>(p);
    if (c == QUOTE) return p + 1;
    if (c != BACKSLASH) return 0;
    const escape = <u32>load<u8>(p, 1);
    if (escape == 0x75) {
      for (let digit: usize = 2; digit < 6; digit++) {
        if (!isHexDigit(load<u8>(p + digit))) return 0;
      }
      p += 6;
    } else if (isSimpleEscape(escape)) p += 2;
    else return 0;
  }
}

function isHexDigit(c: u32): bool {
  return c - 0x30 < 10 || (c | 0x20) - 0x61 < 6;
}

/** One of "\/bfnrt */
function isSimpleEscape(c: u32): bool {
  if (c == QUOTE || c == BACKSLASH || c == 0x2f) return true;
  return c == 0x62 || c == 0x66 || c == 0x6e || c == 0x72 || c == 0x74;
}

/**
 * A name without escapes: one with an escape may be a known field in disguise.
 *
 * @param start at the opening quote
 */
export function nameEnd(start: usize): usize {
  if (load<u8>(start) != QUOTE) return 0;
  let p = start + 1;
  while (true) {
    const stops = stopsOf(v128.load(p));
    if (stops != 0) {
      p += ctz(stops);
      return load<u8>(p) == QUOTE ? p + 1 : 0;
    }
    p += 16;
  }
}

/** Passes the colon and the blanks around it. */
export function colonEnd(start: usize): usize {
  const p = skipBlanks(start);
  return load<u8>(p) == COLON ? skipBlanks(p + 1) : 0;
}

/** A number, `true`, `false` or `null`. */
function scalarEnd(start: usize): usize {
  const word = load<u32>(start);
  if (word == 0x6c6c756e || word == 0x65757274) return start + 4;
  if (word == 0x736c6166) return load<u8>(start, 4) == 0x65 ? start + 5 : 0;
  return numberEnd(start);
}

function numberEnd(start: usize): usize {
  let p = start;
  if (load<u8>(p) == 0x2d) p++;
  p = load<u8>(p) == 0x30 ? p + 1 : digitsEnd(p);
  if (p != 0 && load<u8>(p) == 0x2e) p = digitsEnd(p + 1);
  if (p != 0 && (load<u8>(p) | 0x20) == 0x65) {
    p++;
    if (load<u8>(p) == 0x2b || load<u8>(p) == 0x2d) p++;
    p = digitsEnd(p);
  }
  return p;
}

/** At least one digit. */
function digitsEnd(start: usize): usize {
  let p = start;
  while (true) {
    const digits = i8x16.le_u(i8x16.sub(v128.load(p), i8x16.splat(0x30)), i8x16.splat(9));
    const others = i8x16.bitmask(digits) ^ 0xffff;
    if (others != 0) {
      p += ctz(others);
      return p == start ? 0 : p;
    }
    p += 16;
  }
}

/** @param start at `{` or `[` */
function containerEnd(start: usize): usize {
  let p = start;
  let levels = 0;
  /** Bit 0 is the innermost container: 1 for an object. */
  let kinds: u64 = 0;
  while (p != 0) {
    // At a value.
    const c = <u32>load<u8>(p);
    let isOpened = false;
    if (c == QUOTE) p = stringEnd(p);
    else if (c == OPEN_OBJECT || c == OPEN_ARRAY) {
      if (++levels > MAX_LEVELS) return 0;
      kinds = (kinds << 1) | u64(c == OPEN_OBJECT);
      p = skipBlanks(p + 1);
      isOpened = load<u8>(p) != (c == OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY);
    } else p = scalarEnd(p);
    if (p == 0) return 0;

    while (!isOpened) {
      // Behind a value, or in an empty container.
      p = skipBlanks(p);
      const next = <u32>load<u8>(p);
      if (next == COMMA) {
        p = skipBlanks(p + 1);
        break;
      }
      if (next != (kinds & 1 ? CLOSE_OBJECT : CLOSE_ARRAY)) return 0;
      p++;
      kinds >>= 1;
      if (--levels == 0) return p;
    }

    if (kinds & 1) {
      if (load<u8>(p) != QUOTE) return 0;
      p = stringEnd(p);
      if (p != 0) p = colonEnd(p);
    }
  }
  return 0;
}
