/**
 * Copies 16 bytes at a time, so up to 15 more than asked for are read and written.
 *
 * @returns the bitwise OR of all blocks: a sign bit in it means that there may be bytes above 0x7f
 */
export function copyBytes(from: usize, end: usize, to: usize): v128 {
  let seen = i8x16.splat(0);
  while (from + 64 <= end) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    const c = v128.load(from, 32);
    const d = v128.load(from, 48);
    v128.store(to, a);
    v128.store(to, b, 16);
    v128.store(to, c, 32);
    v128.store(to, d, 48);
    seen = v128.or(seen, v128.or(v128.or(a, b), v128.or(c, d)));
    from += 64;
    to += 64;
  }
  while (from < end) {
    const a = v128.load(from);
    v128.store(to, a);
    seen = v128.or(seen, a);
    from += 16;
    to += 16;
  }
  return seen;
}
