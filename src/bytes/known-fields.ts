const BACKSLASH = 0x5c;

/** Recognises the keys of some fields by their bytes, so that the keys of all other fields need not be decoded. */
export class KnownFields {
  /** The keys as they are without escapes, and their fields, by the length of the key. */
  private readonly byLength = new Map<number, [key: Buffer, field: string][]>();

  constructor(fields: Iterable<string>) {
    for (const field of fields) {
      const key = Buffer.from(`"${field}"`);
      this.byLength.set(key.length, [...(this.byLength.get(key.length) ?? []), [key, field]]);
    }
  }

  /**
   * @param start of a well-formed key, at its opening quote; `end` is behind the closing one
   * @returns the field if it is a known one; a key with escapes gives its field in any case
   */
  find(bytes: Buffer, start: number, end: number): string | undefined {
    for (let at = start; at < end; at++) {
      if (bytes[at] === BACKSLASH) return JSON.parse(bytes.toString('utf8', start, end)) as string;
    }
    const candidates = this.byLength.get(end - start);
    return candidates?.find(([key]) => key.equals(bytes.subarray(start, end)))?.[1];
  }
}
