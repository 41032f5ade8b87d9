import { copyBytes } from './copy';
import { DROPPED, kindOf, PLAIN } from './fields';
import { colonEnd, nameEnd, skipBlanks, valueEnd } from './json';
import {
  entryKind,
  findEntry,
  FIRST_ENTRY,
  hasEntry,
  keyBytes,
  keyOffset,
  learnReference,
  nextEntry,
  passOffset,
  sameBytes,
} from './reference';
import { rewriteTimestamp, timestampOut } from './timestamps';
import { isPlainUtf8 } from './utf8';

const QUOTE: u32 = 0x22;
const COMMA: u32 = 0x2c;
const CLOSE_OBJECT: u32 = 0x7d;
/** The bytes of `null`, and the first of them. */
const NULL: u32 = 0x6c6c756e;

/** A line with more fields than this that are not where the reference has them becomes the reference, ... */
const MAX_MISSES: i32 = 4;
/** ... but only after so many other lines, because learning takes as long as two lines. */
const LEARNING_PAUSE: i32 = 16;

/** Where `spliceEvent` stopped writing; beyond the limit when the event does not fit before it. */
export let eventOut: usize = 0;
let linesSinceLearning: i32 = LEARNING_PAUSE;

/**
 * Copies one event with its splices.
 *
 * @param start at `{`
 * @param limit where writing has to stop; up to 128 bytes beyond it are overwritten
 * @returns the address behind `}`, or 0 when the event is malformed or unusual or does not fit
 */
export function spliceEvent(start: usize, to: usize, limit: usize): usize {
  let p = start;
  let out = to;
  /** Start of what was read and is still to be copied. */
  let run = start;
  let hasFields = false;
  let entry = FIRST_ENTRY;
  let misses = 0;
  eventOut = 0;
  do {
    p = skipBlanks(p + 1);
    let isExpected = false;
    if (hasEntry(entry)) {
      const same = keyOffset(entry) + sameBytes(p, entry);
      const origin = p - keyOffset(entry);
      while (passOffset(entry) <= same) {
        entry = nextEntry(entry);
        hasFields = true;
      }
      p = origin + keyOffset(entry);
      isExpected = keyOffset(entry) + keyBytes(entry) <= same;
    }
    if (!isExpected) {
      misses++;
      if (hasEntry(entry)) {
        const found = findEntry(p, entry);
        isExpected = found != entry;
        entry = found;
      }
    }

    const key = p;
    let kind: u32;
    if (isExpected) {
      kind = entryKind(entry);
      p = skipBlanks(p + keyBytes(entry));
      entry = nextEntry(entry);
    } else {
      const end = nameEnd(p);
      if (end == 0) return 0;
      p = colonEnd(end);
      if (p == 0) return 0;
      kind = kindOf(key + 1, <u32>(end - key) - 2);
    }

    if (kind == PLAIN) {
      p = valueEnd(p);
      if (p == 0) return 0;
      p = skipBlanks(p);
      hasFields = true;
      continue;
    }
    const runEnd = kind == DROPPED ? keptEnd(key, start) : p;
    if (run < runEnd) {
      eventOut = out + (runEnd - run);
      if (eventOut > limit) return 0;
      copyBytes(run, runEnd, out);
      out = eventOut;
    }
    if (kind == DROPPED) {
      p = valueEnd(p);
      if (p == 0) return 0;
      p = skipBlanks(p);
      // The comma stays if it is to stand between two fields.
      run = hasFields || load<u8>(p) != COMMA ? p : p + 1;
      continue;
    }
    if (load<u8>(p) == QUOTE) {
      run = rewriteTimestamp(p, out);
      if (run == 0) return 0;
      p = run;
      out = timestampOut;
    } else {
      if (load<u32>(p) != NULL) return 0;
      run = p;
      p += 4;
    }
    p = skipBlanks(p);
    hasFields = true;
  } while (load<u8>(p) == COMMA);

  if (load<u8>(p) != CLOSE_OBJECT || !hasFields) return 0;
  const end = p + 1;
  eventOut = out + (end - run);
  if (eventOut > limit) return 0;
  copyBytes(run, end, out);
  // On its own, because that costs 1 %: the line is in the first-level cache by now.
  if (!isPlainUtf8(start, end)) return 0;
  linesSinceLearning++;
  if (misses > MAX_MISSES && linesSinceLearning > LEARNING_PAUSE) {
    learnReference(start, end);
    linesSinceLearning = 0;
  }
  return end;
}

/** Where the fields that are kept end before a dropped one: before the comma, or behind `{`. */
function keptEnd(key: usize, start: usize): usize {
  let p = key - 1;
  while (load<u8>(p) <= 0x20) p--;
  return p == start ? p + 1 : p;
}
