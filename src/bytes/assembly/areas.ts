// The places in memory where the host puts bytes and finds them. Sizes are chosen so that a chunk of 1 MiB from gunzip,
// behind the start of a line that the chunk before left over, goes through in one call.

/** Vector loads and stores go up to this far beyond the ends of what is read and written. */
const MARGIN: i32 = 128;

export const inputBytes: i32 = 3 * 1024 * 1024;
export const input: usize = memory.data(3 * 1024 * 1024 + 128, 64);

export const outputBytes: i32 = 3 * 1024 * 1024;
export const output: usize = memory.data(3 * 1024 * 1024 + 128, 64);
