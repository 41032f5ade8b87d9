/** The contract of the events byte path; see docs/decisions for how it is kept. */

/** Bytes of finished RECORD lines. `bytes` is valid until the next call on the same splicer. */
export interface SplicedLines {
  readonly bytes: Uint8Array;
  readonly count: number;
}
