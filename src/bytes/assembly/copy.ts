/** Copies 16 bytes at a time, so up to 15 more than asked for are read and written. */
export function copyBytes(start: usize, end: usize, to: usize): void {
  let p = start;
  let out = to;
  while (p + 64 <= end) {
    const a = v128.load(p);
    const b = v128.load(p, 16);
    const c = v128.load(p, 32);
    const d = v128.load(p, 48);
    v128.store(out, a);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
    p += 64;
    out += 64;
  }
  while (p < end) {
    v128.store(out, v128.load(p));
    p += 16;
    out += 16;
  }
}
