/** How far into a number of RFC 8259 the bytes so far have come. */
export enum NumberState {
  Minus,
  Zero,
  Integer,
  Point,
  Fraction,
  ExponentMark,
  ExponentSign,
  Exponent,
  /** The number ended before this byte. */
  Done,
  Wrong,
}

/** @returns undefined when no number starts with this byte */
export function startNumber(byte: number): NumberState | undefined {
  if (byte === 0x2d) return NumberState.Minus;
  if (byte === 0x30) return NumberState.Zero;
  return isDigit(byte) ? NumberState.Integer : undefined;
}

/** The state after one more byte of the number, or of what follows it. */
export function stepNumber(state: NumberState, byte: number): NumberState {
  const isMark = byte === 0x65 || byte === 0x45;
  switch (state) {
    case NumberState.Minus:
      return startNumber(byte === 0x2d ? 0 : byte) ?? NumberState.Wrong;
    case NumberState.Zero:
    case NumberState.Integer:
      if (isDigit(byte) && state === NumberState.Integer) return NumberState.Integer;
      if (byte === 0x2e) return NumberState.Point;
      return isMark ? NumberState.ExponentMark : NumberState.Done;
    case NumberState.Point:
      return isDigit(byte) ? NumberState.Fraction : NumberState.Wrong;
    case NumberState.Fraction:
      if (isDigit(byte)) return NumberState.Fraction;
      return isMark ? NumberState.ExponentMark : NumberState.Done;
    case NumberState.ExponentMark:
      if (byte === 0x2b || byte === 0x2d) return NumberState.ExponentSign;
      return isDigit(byte) ? NumberState.Exponent : NumberState.Wrong;
    case NumberState.ExponentSign:
      return isDigit(byte) ? NumberState.Exponent : NumberState.Wrong;
    default:
      return isDigit(byte) ? NumberState.Exponent : NumberState.Done;
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
