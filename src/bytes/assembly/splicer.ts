import { copyRun } from './copy';
import { DROPPED, kindOf, PLAIN } from './fields';
import { containerEnd, nameEnd, scalarEnd, skipBlanks, stringEnd } from './json';
import { rewriteTimestamp, writtenBytes } from './timestamps';
import { isPlainUtf8 } from './utf8';

export { addField, clearFields, MAX_FIELDS } from './fields';

const NULL_WORD: u32 = 0x6c6c756e;

/** Where `splice` stopped reading and writing, and what it passed. */
export let inputEnd: usize = 0;
export let outputEnd: usize = 0;
export let lines: u32 = 0;
export let records: u32 = 0;

/** Where `spliceObject` stopped writing. */
let written: usize = 0;
/** Where output has to stop; some bytes beyond it are overwritten. */
let outputLimit: usize = 0;

/**
 * Turns lines into records until the input ends, or the output is full, or a line comes that is malformed or unusual.
 * The input ends with a newline. Up to 64 bytes beyond input and output are touched.
 *
 * @param parts pointer to the head, and its and the tail's lengths; the tail stands behind the head
 * @returns why it stopped: 0: all read, 1: the output is full, 2: the line at `inputEnd` is left to the plain way
 */
export function splice(
  input: usize,
  end: usize,
  output: usize,
  limit: usize,
  head: usize,
  headBytes: usize,
  tail: usize,
  tailBytes: usize,
): i32 {
  let p = input;
  let out = output;
  let status = 0;
  lines = 0;
  written = 0;
  records = 0;
  outputLimit = limit - tailBytes;
  while (p < end) {
    const lineStart = p;
    let c = load<u8>(p);
    while (c == 0x20 || c == 0x09 || c == 0x0d) c = load<u8>(++p);
    if (c == 0x0a) {
      p++;
      lines++;
      continue;
    }
    if (out + headBytes > outputLimit) {
      status = 1;
      p = lineStart;
      break;
    }
    copyRun(head, head + headBytes, out);
    p = c == 0x7b ? spliceObject(p, out + headBytes) : 0;
    if (p != 0) {
      c = load<u8>(p);
      while (c == 0x20 || c == 0x09 || c == 0x0d) c = load<u8>(++p);
    }
    if (p == 0 || c != 0x0a) {
      status = written > outputLimit ? 1 : 2;
      p = lineStart;
      break;
    }
    copyRun(tail, tail + tailBytes, written);
    out = written + tailBytes;
    p++;
    lines++;
    records++;
  }
  inputEnd = p;
  outputEnd = out;
  return status;
}

/**
 * @param start at `{`
 * @returns the end of the object, or 0 when it is malformed or unusual, or when `written` is beyond the limit
 */
function spliceObject(start: usize, output: usize): usize {
  let p = start + 1;
  let out = output;
  /** Start of what was read and not copied yet. */
  let run = start;
  let separator = start;
  let hasMembers = false;
  let seen = i8x16.splat(0);
  written = 0;
  while (true) {
    let c = <u32>load<u8>(p);
    if (c <= 0x20) {
      p = skipBlanks(p);
      c = load<u8>(p);
    }
    if (c != 0x22) return 0;
    const name = p + 1;
    const end = nameEnd(name);
    if (end == 0) return 0;
    p = end + 1;
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

    const kind = kindOf(name, <u32>(end - name));
    if (kind != PLAIN) {
      const until = kind != DROPPED ? p : separator == start ? start + 1 : separator;
      if (run < until) {
        const next = out + (until - run);
        if (next > outputLimit) {
          written = next;
          return 0;
        }
        seen = v128.or(seen, copyRun(run, until, out));
        out = next;
      }
      run = p;
    }
    if (kind != PLAIN && kind != DROPPED) {
      if (c == 0x22) {
        p = rewriteTimestamp(p, out);
        if (p == 0) {
          if (load<u8>(run, 1) != 0x22) return 0;
          store<u32>(out, NULL_WORD);
          out += 4;
          p = run + 2;
        } else out += writtenBytes;
        run = p;
      } else {
        if (load<u32>(p) != NULL_WORD) return 0;
        p += 4;
      }
    } else if (c == 0x22) {
      p = stringEnd(p + 1);
      if (p == 0) return 0;
      p++;
    } else if (c == 0x7b || c == 0x5b) {
      p = containerEnd(p);
      if (p == 0) return 0;
    } else {
      p = scalarEnd(p);
      if (p == 0) return 0;
    }

    c = load<u8>(p);
    if (c <= 0x20) {
      p = skipBlanks(p);
      c = load<u8>(p);
    }
    if (kind == DROPPED) run = hasMembers || c != 0x2c ? p : p + 1;
    else hasMembers = true;
    if (c == 0x2c) {
      separator = p;
      p++;
      continue;
    }
    if (c != 0x7d || !hasMembers) return 0;
    p++;
    break;
  }
  const next = out + (p - run);
  if (next > outputLimit) {
    written = next;
    return 0;
  }
  seen = v128.or(seen, copyRun(run, p, out));
  if (i8x16.bitmask(seen) != 0 && !isPlainUtf8(start, p)) return 0;
  written = next;
  return p;
}
