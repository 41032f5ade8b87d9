// The places in memory where the host puts bytes and finds them.

/** Vector loads and stores touch up to this many bytes beyond the end of what is read or written. */
const MARGIN = 128;

/** Lines to read. A line of up to 2 MiB that earlier chunks left unfinished fits before a chunk of 1 MiB. */
export const INPUT_BYTES: i32 = 3 * 1024 * 1024;
export const INPUT: usize = memory.data(3 * 1024 * 1024 + MARGIN, 16);

/** Finished records. */
export const OUTPUT_BYTES: i32 = 3 * 1024 * 1024;
export const OUTPUT: usize = memory.data(3 * 1024 * 1024 + MARGIN, 16);

/** What stands before an event in its record, then what stands behind it. */
export const ENVELOPE_BYTES: i32 = 16 * 1024;
export const ENVELOPE: usize = memory.data(16 * 1024 + MARGIN, 16);

/** The names of the fields that are given to `addField`. */
export const NAMES_BYTES: i32 = 32 * 1024;
export const NAMES: usize = memory.data(32 * 1024 + MARGIN, 16);
