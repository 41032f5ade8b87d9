// The places in memory where the host puts bytes and finds them.

/** Vector loads and stores touch up to this many bytes beyond the end of what is read or written. */
const MARGIN = 128;

/** Lines to read: room for the start of a line of 2 MiB and the piece that comes next. */
export const INPUT_BYTES: i32 = (2048 + 256) * 1024;
export const INPUT: usize = memory.data((2048 + 256) * 1024 + MARGIN, 16);

/** Finished records: those of a chunk of 1 MiB, or one of a line of 2 MiB. */
export const OUTPUT_BYTES: i32 = 3 * 1024 * 1024;
export const OUTPUT: usize = memory.data(3 * 1024 * 1024 + MARGIN, 16);

/** What stands before an event in its record, then what stands behind it. */
export const ENVELOPE_BYTES: i32 = 16 * 1024;
export const ENVELOPE: usize = memory.data(16 * 1024 + MARGIN, 16);

/** The names of the fields that are given to `addField`. */
export const NAMES_BYTES: i32 = 32 * 1024;
export const NAMES: usize = memory.data(32 * 1024 + MARGIN, 16);
