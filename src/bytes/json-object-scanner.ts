import { NumberState, startNumber, stepNumber } from './json-number';
import { MAX_DEPTH, REASON } from './malformed-line';

/** What the scanner tells of the fields of the line's own object. Everything nested is part of a field's text. */
export interface FieldHandler {
  /** Called after `{` and after each comma, so the white space around a field belongs to it. */
  fieldStart(): void;
  /** @param ahead bytes of the field before the key that `text` will only be given later */
  keyStart(ahead: number): void;
  keyEnd(): void;
  /** @param ahead bytes of the field before the value that `text` will only be given later */
  valueStart(ahead: number): void;
  valueEnd(): void;
  fieldEnd(): void;
  /** The next bytes of the field. */
  text(bytes: Uint8Array, from: number, to: number): void;
  /** The last `length` bytes of text are a U+0085, U+2028 or U+2029 and have to be written as `escape` instead. */
  replaceLast(length: number, escape: string): void;
}

const enum State {
  /** Before the line's object. */
  Start,
  /** After `{`: a key or `}`. */
  FirstKey,
  /** After `,` in an object. */
  Key,
  Colon,
  Value,
  /** After `[`: a value or `]`. */
  FirstElement,
  AfterValue,
  /** After the line's object. */
  End,
  Failed,
  String,
  Escape,
  Hex,
  Continuation,
  Literal,
  Number,
}

const OBJECT = 1;
const ARRAY = 2;
/** The characters that may follow a backslash, without `u`. */
const SIMPLE_ESCAPES = new Set(Array.from('"\\/bfnrt', (character) => character.charCodeAt(0)));

/**
 * Reads one line, in pieces of any size, as one JSON object (RFC 8259, valid UTF-8) in constant memory: it never looks
 * back and keeps one byte for each open bracket. It reports the fields of the object while it reads, so the handler
 * must be ready to throw its work away when the line turns out to be malformed.
 */
export class JsonObjectScanner {
  private readonly handler: FieldHandler;
  private readonly brackets = new Uint8Array(MAX_DEPTH + 1);
  private depth = 0;
  private state = State.Start;
  private failure: string | undefined;
  private isKey = false;
  /** `true`, `false` or `null`, and how many letters of it were read. */
  private literal = '';
  private lettersRead = 0;
  private digitsLeft = 0;
  private numberState = NumberState.Wrong;
  /** The character whose continuation bytes are being read, its length in bytes, and the range of its next byte. */
  private codePoint = 0;
  private sequenceLength = 0;
  private continuationsLeft = 0;
  private lowest = 0;
  private highest = 0;
  /** The piece that is being read; what stands before `run` was given to the handler. */
  private bytes: Uint8Array = new Uint8Array(0);
  private run = 0;

  constructor(handler: FieldHandler) {
    this.handler = handler;
  }

  start(): void {
    this.state = State.Start;
    this.depth = 0;
    this.failure = undefined;
  }

  /** @returns 'blank', 'object', or why the line is neither */
  finish(): 'blank' | 'object' | { readonly reason: string } {
    if (this.failure !== undefined) return { reason: this.failure };
    if (this.state === State.Start) return 'blank';
    return this.state === State.End ? 'object' : { reason: REASON.truncated };
  }

  feed(bytes: Uint8Array, from: number, to: number): void {
    this.bytes = bytes;
    this.run = from;
    let at = from;
    while (at < to && this.state !== State.Failed) {
      const byte = bytes[at]!;
      if (this.state < State.String) this.readStructure(byte, at);
      else if (this.state === State.String) {
        let last = byte;
        while (last >= 0x20 && last < 0x80 && last !== 0x22 && last !== 0x5c && at + 1 < to)
          last = bytes[++at]!;
        this.readString(last, at);
      } else if (this.state === State.Continuation) this.readContinuation(byte, at);
      else if (this.state < State.Number) this.readEscapeOrLiteral(byte, at);
      else if (!this.readNumber(byte)) {
        this.endValue(at);
        // The byte after a number is looked at again, as structure.
        continue;
      }
      at++;
    }
    if (this.depth > 0) this.flush(at);
  }

  private readStructure(byte: number, at: number): void {
    if (byte === 0x20 || byte === 0x09 || byte === 0x0d) {
      // A raw CR is white space to JSON and the end of a line to some readers of the output, so it goes.
      if (byte === 0x0d && this.depth > 0) {
        this.flush(at);
        this.run = at + 1;
      }
      return;
    }
    switch (this.state) {
      case State.Start:
        if (byte !== 0x7b) return this.fail(REASON.notAnObject);
        return this.open(OBJECT, at);
      case State.FirstKey:
        if (byte === 0x7d) return this.close(OBJECT, at);
        return this.startKey(byte, at);
      case State.Key:
        return this.startKey(byte, at);
      case State.Colon:
        this.state = State.Value;
        if (byte !== 0x3a) this.fail(REASON.syntax);
        return;
      case State.FirstElement:
        if (byte === 0x5d) return this.close(ARRAY, at);
        return this.startValue(byte, at);
      case State.Value:
        return this.startValue(byte, at);
      case State.AfterValue:
        if (byte === 0x2c) return this.nextField(at);
        if (byte === 0x7d) return this.close(OBJECT, at);
        if (byte === 0x5d) return this.close(ARRAY, at);
        return this.fail(REASON.syntax);
      default:
        return this.fail(REASON.trailing);
    }
  }

  private open(bracket: number, at: number): void {
    if (this.depth === MAX_DEPTH) return this.fail(REASON.tooDeep);
    this.brackets[++this.depth] = bracket;
    this.state = bracket === OBJECT ? State.FirstKey : State.FirstElement;
    if (this.depth > 1) return;
    this.run = at + 1;
    this.handler.fieldStart();
  }

  private close(bracket: number, at: number): void {
    if (this.brackets[this.depth] !== bracket) return this.fail(REASON.syntax);
    if (this.depth > 1) {
      this.depth--;
      return this.endValue(at + 1);
    }
    if (this.state === State.FirstKey) return this.fail(REASON.empty);
    this.flush(at);
    this.handler.fieldEnd();
    this.depth = 0;
    this.state = State.End;
  }

  private nextField(at: number): void {
    this.state = this.brackets[this.depth] === OBJECT ? State.Key : State.Value;
    if (this.depth > 1) return;
    this.flush(at);
    this.handler.fieldEnd();
    this.run = at + 1;
    this.handler.fieldStart();
  }

  private startKey(byte: number, at: number): void {
    if (byte !== 0x22) return this.fail(REASON.syntax);
    this.isKey = true;
    this.state = State.String;
    if (this.depth === 1) this.handler.keyStart(at - this.run);
  }

  private startValue(byte: number, at: number): void {
    if (this.depth === 1) this.handler.valueStart(at - this.run);
    if (byte === 0x22) {
      this.isKey = false;
      this.state = State.String;
    } else if (byte === 0x7b) this.open(OBJECT, at);
    else if (byte === 0x5b) this.open(ARRAY, at);
    else if (byte === 0x74 || byte === 0x66 || byte === 0x6e) {
      this.literal = byte === 0x74 ? 'true' : byte === 0x66 ? 'false' : 'null';
      this.lettersRead = 1;
      this.state = State.Literal;
    } else {
      this.numberState = startNumber(byte) ?? NumberState.Wrong;
      this.state = State.Number;
      if (this.numberState === NumberState.Wrong) this.fail(REASON.syntax);
    }
  }

  private endValue(end: number): void {
    if (this.state === State.Failed) return;
    this.state = State.AfterValue;
    if (this.depth > 1) return;
    this.flush(end);
    this.handler.valueEnd();
  }

  private readString(byte: number, at: number): void {
    if (byte === 0x22) {
      if (!this.isKey) return this.endValue(at + 1);
      this.state = State.Colon;
      if (this.depth > 1) return;
      this.flush(at + 1);
      this.handler.keyEnd();
    } else if (byte === 0x5c) this.state = State.Escape;
    else if (byte < 0x20) this.fail(REASON.control);
    else if (byte >= 0x80) this.startSequence(byte);
  }

  /** Unicode 15, table 3-7: which bytes may start a character, and what may follow them. */
  private startSequence(byte: number): void {
    if (byte < 0xc2 || byte > 0xf4) return this.fail(REASON.utf8);
    this.state = State.Continuation;
    this.sequenceLength = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    this.continuationsLeft = this.sequenceLength - 1;
    this.codePoint = byte & (0x7f >> this.sequenceLength);
    this.lowest = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
    this.highest = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
  }

  private readContinuation(byte: number, at: number): void {
    if (byte < this.lowest || byte > this.highest) return this.fail(REASON.utf8);
    this.lowest = 0x80;
    this.highest = 0xbf;
    this.codePoint = (this.codePoint << 6) | (byte & 0x3f);
    if (--this.continuationsLeft > 0) return;
    this.state = State.String;
    if (this.codePoint === 0x85 || this.codePoint === 0x2028 || this.codePoint === 0x2029) {
      this.flush(at + 1);
      this.handler.replaceLast(this.sequenceLength, '\\u' + this.codePoint.toString(16).padStart(4, '0'));
    }
  }

  private readEscapeOrLiteral(byte: number, at: number): void {
    if (this.state === State.Literal) {
      if (byte !== this.literal.charCodeAt(this.lettersRead++)) return this.fail(REASON.syntax);
      if (this.lettersRead === this.literal.length) this.endValue(at + 1);
    } else if (this.state === State.Hex) {
      if (!isHexDigit(byte)) return this.fail(REASON.syntax);
      if (--this.digitsLeft === 0) this.state = State.String;
    } else if (byte === 0x75) {
      this.state = State.Hex;
      this.digitsLeft = 4;
    } else {
      this.state = State.String;
      if (!SIMPLE_ESCAPES.has(byte)) this.fail(REASON.syntax);
    }
  }

  /** @returns whether the byte belongs to the number */
  private readNumber(byte: number): boolean {
    const next = stepNumber(this.numberState, byte);
    if (next === NumberState.Done) return false;
    this.numberState = next;
    if (next === NumberState.Wrong) this.fail(REASON.syntax);
    return true;
  }

  private fail(reason: string): void {
    this.state = State.Failed;
    this.failure = reason;
  }

  private flush(end: number): void {
    if (this.run < end) this.handler.text(this.bytes, this.run, end);
    this.run = end;
  }
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}
