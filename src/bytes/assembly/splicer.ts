import { ENVELOPE, OUTPUT, OUTPUT_BYTES } from './areas';
import { copyBytes } from './copy';
import { eventOut, spliceEvent } from './event';

export {
  ENVELOPE,
  ENVELOPE_BYTES,
  INPUT,
  INPUT_BYTES,
  NAMES,
  NAMES_BYTES,
  OUTPUT,
  OUTPUT_BYTES,
} from './areas';
export { addField, MAX_FIELDS } from './fields';

/** Results of `splice`. */
const ALL_READ: i32 = 0;
const OUTPUT_FULL: i32 = 1;
const UNUSUAL_LINE: i32 = 2;

/** Where `splice` stopped reading and writing, and how many lines and records it passed. */
export let inputEnd: usize = 0;
export let outputEnd: usize = 0;
export let lines: i32 = 0;
export let records: i32 = 0;

/**
 * Turns lines into records.
 *
 * @param end behind the last line's newline
 * @param to where in the output area to go on
 * @returns 0: all is read. 1: the record of the line at `inputEnd` does not fit into what is left of the output area.
 *   2: the line at `inputEnd` is malformed or unusual, the plain way has to look at it.
 */
export function splice(start: usize, end: usize, to: usize, headBytes: usize, tailBytes: usize): i32 {
  const tail = ENVELOPE + headBytes;
  const limit = OUTPUT + OUTPUT_BYTES - tailBytes;
  let status = ALL_READ;
  let p = start;
  let out = to;
  lines = 0;
  records = 0;
  while (p < end) {
    const first = lineBlanksEnd(p);
    if (load<u8>(first) == 0x0a) {
      p = first + 1;
      lines++;
      continue;
    }
    if (load<u8>(first) != 0x7b) {
      status = UNUSUAL_LINE;
      break;
    }
    const event = out + headBytes;
    if (event > limit) {
      status = OUTPUT_FULL;
      break;
    }
    copyBytes(ENVELOPE, tail, out);
    let last = spliceEvent(first, event, limit);
    if (last != 0) last = lineBlanksEnd(last);
    if (last == 0 || load<u8>(last) != 0x0a) {
      status = eventOut > limit ? OUTPUT_FULL : UNUSUAL_LINE;
      break;
    }
    copyBytes(tail, tail + tailBytes, eventOut);
    out = eventOut + tailBytes;
    p = last + 1;
    lines++;
    records++;
  }
  inputEnd = p;
  outputEnd = out;
  return status;
}

/** Around the event a CR may stand as well. */
function lineBlanksEnd(start: usize): usize {
  let p = start;
  while (load<u8>(p) == 0x20 || load<u8>(p) == 0x09 || load<u8>(p) == 0x0d) p++;
  return p;
}
