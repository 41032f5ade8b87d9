/** Levels of objects and arrays that a line may have, the line's own object included. */
export const MAX_DEPTH = 1024;

/** Why a line is malformed. Constant texts: they may be logged, the line's content may not. */
export const REASON = {
  notAnObject: 'not a JSON object',
  syntax: 'not well-formed JSON',
  control: 'control character inside a string',
  utf8: 'not valid UTF-8',
  tooDeep: `nested deeper than ${MAX_DEPTH} levels`,
  truncated: 'ends in the middle of the object',
  trailing: 'more text after the object',
  empty: 'empty object',
  tooLarge: 'too large even without its largest values',
} as const;

/** A line that was not turned into a record. Holds nothing of its content. */
export interface MalformedLine {
  /** Number of the line in its member, from 1; blank lines count. */
  readonly line: number;
  /** Offset of the line's first byte in its member (uncompressed bytes). */
  readonly offset: number;
  /** A constant text. */
  readonly reason: string;
}
