/** Bytes of finished RECORD lines. `bytes` is valid until the next call on the same splicer. */
export interface SplicedLines {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** A way to turn the raw bytes of members into RECORD lines. Positions and malformed lines go to a `MemberProgress`. */
export interface SplicerEngine {
  startMember(): void;
  /** @param head stands before the event in each line that ends in the chunk or, at the latest, in a later one */
  push(chunk: Uint8Array, head: Uint8Array): Iterable<SplicedLines>;
  endMember(head: Uint8Array): Iterable<SplicedLines>;
}
