import type { FieldHandler } from './json-object-scanner';
import { KnownFields } from './known-fields';
import { REASON } from './malformed-line';
import type { RecordForm, SpliceChange } from './record-form';
import { TIMESTAMP_FIELDS } from './record-form';
import { rewriteTimestamp } from './timestamp';

/** Where a value stands that is worth nulling, as offsets in the line. */
interface LargeValue {
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly start: number;
  readonly end: number;
}

/** Nulling a shorter value would not pay: its entry in `meta.changes` takes some 75 bytes besides the field's name. */
const SMALLEST_NULLED = 128;
const LEAST_CHANGE_BYTES = 60;
/**
 * How many times its limit a line may be long before values go. It takes two limits to tell which value is the largest
 * while one of them is not yet read to its end; the rest is there so that values go in large batches.
 */
const MOST_HELD = 2.2;
/** Growing beyond this goes to the largest size at once, because doubling would hold the old and the new buffer. */
const LARGE_BUFFER_BYTES = 4_000_000;

/** Up to here a loop copies faster than `set`, which needs a view of the bytes. */
const SHORT_BYTES = 48;

const QUOTE = 0x22;
const OPEN = Buffer.from('{');
const COMMA = Buffer.from(',');
const NULL = Buffer.from('null');
const CLOSE = Buffer.from('}');

/**
 * Writes RECORD lines from the fields of events into one growing buffer: rewrites timestamps, leaves out fields, and
 * replaces the largest values by null in a line that would exceed its limit. Finished lines stand before the one in the
 * making until `discardLines`. However long an event is, at most 2.2 times its limit and one piece are held.
 */
export class RecordWriter implements FieldHandler {
  /** Number of finished lines. */
  count = 0;
  private readonly form: RecordForm;
  private readonly known: KnownFields;
  private buffer = Buffer.allocUnsafeSlow(64 * 1024);
  private lineStart = 0;
  /** Length of the line in the making. The other offsets count from its start, too. */
  private size = 0;
  private fieldAt = 0;
  private keyAt = 0;
  private keyEndAt = 0;
  private valueAt = 0;
  private fieldCount = 0;
  private isInValue = false;
  /** The field's name, when it is one that this class has to know. */
  private field: string | undefined;
  /** How long text is thrown away. */
  private skip: 'nothing' | 'value' | 'field' | 'line' = 'nothing';
  private large: LargeValue[] = [];
  private changes: SpliceChange[] = [];

  constructor(form: RecordForm) {
    this.form = form;
    this.known = new KnownFields([...TIMESTAMP_FIELDS, ...form.dropFields]);
  }

  /** The finished lines; valid until the next call. */
  get lines(): Uint8Array {
    return this.buffer.subarray(0, this.lineStart);
  }

  discardLines(): void {
    this.buffer.copyWithin(0, this.lineStart, this.lineStart + this.size);
    this.lineStart = 0;
    this.count = 0;
  }

  /** Throws the line in the making away, too. */
  discardAll(): void {
    this.size = 0;
    this.discardLines();
  }

  startLine(head: Uint8Array): void {
    this.size = 0;
    this.fieldCount = 0;
    this.isInValue = false;
    this.skip = 'nothing';
    this.large = [];
    this.changes = [];
    this.append(head);
    this.append(OPEN);
  }

  /** @returns why the line cannot become a record */
  finishLine(): string | undefined {
    if (this.skip === 'line') return REASON.tooLarge;
    if (this.fieldCount === 0) return REASON.empty;
    this.append(CLOSE);
    const { tail, tailWithChanges, maxRecordBytes } = this.form;
    let end = this.changes.length === 0 ? tail : tailWithChanges(this.changes);
    while (this.size + end.length > maxRecordBytes) {
      if (!this.nullLargest(this.size + end.length - maxRecordBytes)) return REASON.tooLarge;
      end = tailWithChanges(this.changes);
    }
    this.append(end);
    this.lineStart += this.size;
    this.size = 0;
    this.count++;
    return undefined;
  }

  fieldStart(): void {
    if (this.skip === 'line') return;
    this.fieldAt = this.size;
    if (this.fieldCount > 0) this.append(COMMA);
  }

  keyStart(ahead: number): void {
    this.keyAt = this.size + ahead;
  }

  keyEnd(): void {
    if (this.skip === 'line') return;
    this.keyEndAt = this.size;
    this.field = this.known.find(this.buffer, this.lineStart + this.keyAt, this.lineStart + this.size);
    if (this.field !== undefined && this.form.dropFields.has(this.field)) this.skip = 'field';
  }

  valueStart(ahead: number): void {
    this.valueAt = this.size + ahead;
    this.isInValue = true;
  }

  valueEnd(): void {
    this.isInValue = false;
    if (this.skip === 'value') this.skip = 'nothing';
    else if (this.skip === 'nothing') {
      if (this.field !== undefined && TIMESTAMP_FIELDS.has(this.field))
        this.rewriteTimestampValue(this.field);
      if (this.size - this.valueAt >= SMALLEST_NULLED) this.large.push(this.currentValue());
    }
  }

  fieldEnd(): void {
    if (this.skip === 'field') {
      this.size = this.fieldAt;
      this.skip = 'nothing';
    } else this.fieldCount++;
  }

  text(bytes: Uint8Array, from: number, to: number): void {
    if (this.skip !== 'nothing') return;
    this.append(bytes, from, to);
    if (this.size > MOST_HELD * this.form.maxRecordBytes) this.makeRoom();
  }

  replaceLast(length: number, escape: string): void {
    if (this.skip !== 'nothing') return;
    this.size -= length;
    this.append(Buffer.from(escape));
  }

  private rewriteTimestampValue(field: string): void {
    const start = this.lineStart + this.valueAt;
    const isString = this.buffer[start] === QUOTE;
    if (!isString && this.size - this.valueAt === NULL.length && this.buffer[start] === NULL[0]) return;
    const text = isString ? this.decodeString(this.valueAt, this.size) : undefined;
    const rewritten = text === undefined ? undefined : rewriteTimestamp(text);
    this.size = this.valueAt;
    if (rewritten !== undefined) this.append(Buffer.from(`"${rewritten}"`, 'latin1'));
    else {
      this.append(NULL);
      if (text !== '') this.changes.push({ field, change: 'NULLED', reason: 'SOURCE_SERIALIZATION_ERROR' });
    }
  }

  /**
   * Replaces values by null in the middle of a line, and only such as have to go at its end as well: the largest of the
   * finished ones while those alone are too many, and the one that is being read when it is larger than all of them.
   */
  private makeRoom(): void {
    const { maxRecordBytes, keepFields } = this.form;
    const current = this.currentValue();
    const currentBytes = this.isInValue ? current.end - current.start : 0;
    const changesBytes = this.changes.length * LEAST_CHANGE_BYTES;
    if (!this.nullLargest(this.size - currentBytes + changesBytes - maxRecordBytes)) return this.giveUp();
    if (!this.isInValue || this.size <= maxRecordBytes) return;
    const field = this.fieldOf(this.currentValue());
    if (keepFields.has(field)) {
      if (currentBytes > maxRecordBytes) this.giveUp();
      return;
    }
    const mayGo = this.large.filter((value) => !keepFields.has(this.fieldOf(value)));
    if (mayGo.some((value) => value.end - value.start >= currentBytes)) return;
    this.addSizeChange(field);
    this.size = this.valueAt;
    this.append(NULL);
    this.skip = 'value';
  }

  private giveUp(): void {
    this.skip = 'line';
    this.size = 0;
  }

  /**
   * Replaces the largest finished values by null until the line is shorter by `excess` or nothing is left to replace.
   *
   * @returns whether that was enough, as far as can be known before the changes are written out
   */
  private nullLargest(excess: number): boolean {
    const bySize = [...this.large].sort((a, b) => b.end - b.start - (a.end - a.start));
    const chosen = new Set<LargeValue>();
    let left = excess;
    for (const value of bySize) {
      if (left <= 0) break;
      if (this.form.keepFields.has(this.fieldOf(value))) continue;
      chosen.add(value);
      left -= value.end - value.start - NULL.length - LEAST_CHANGE_BYTES;
    }
    if (chosen.size > 0) this.replaceByNull(chosen);
    return left <= 0;
  }

  /** Replaces those of the finished values that are chosen, in one pass over the line. */
  private replaceByNull(chosen: ReadonlySet<LargeValue>): void {
    const line = this.view(0, this.size);
    const kept: LargeValue[] = [];
    let read = 0;
    let shift = 0;
    for (const value of this.large) {
      if (chosen.has(value)) {
        this.addSizeChange(this.fieldOf(value));
        line.copyWithin(read - shift, read, value.start);
        line.set(NULL, value.start - shift);
        read = value.end;
        shift += value.end - value.start - NULL.length;
      } else {
        const { keyStart, keyEnd, start, end } = value;
        kept.push({
          keyStart: keyStart - shift,
          keyEnd: keyEnd - shift,
          start: start - shift,
          end: end - shift,
        });
      }
    }
    line.copyWithin(read - shift, read, this.size);
    this.large = kept;
    // These are only used again when the field has no finished value yet, so all that went stood before them.
    this.fieldAt -= shift;
    this.keyAt -= shift;
    this.keyEndAt -= shift;
    this.valueAt -= shift;
    this.size -= shift;
  }

  private addSizeChange(field: string): void {
    this.changes.push({ field, change: 'NULLED', reason: 'SOURCE_RECORD_SIZE_LIMITATION' });
  }

  private currentValue(): LargeValue {
    return { keyStart: this.keyAt, keyEnd: this.keyEndAt, start: this.valueAt, end: this.size };
  }

  private fieldOf(value: LargeValue): string {
    return this.decodeString(value.keyStart, value.keyEnd);
  }

  /** Bytes of the line in the making; the view ends with the next `append`. */
  private view(from: number, to: number): Uint8Array {
    return this.buffer.subarray(this.lineStart + from, this.lineStart + to);
  }

  private append(bytes: Uint8Array, from = 0, to = bytes.length): void {
    const end = this.lineStart + this.size + to - from;
    if (end > this.buffer.length) this.grow(end);
    if (to - from > SHORT_BYTES) this.buffer.set(bytes.subarray(from, to), this.lineStart + this.size);
    else for (let at = from, out = end - to + from; at < to; at++, out++) this.buffer[out] = bytes[at]!;
    this.size += to - from;
  }

  private grow(needed: number): void {
    const largest = MOST_HELD * this.form.maxRecordBytes + LARGE_BUFFER_BYTES;
    const size = needed > LARGE_BUFFER_BYTES ? Math.max(largest, needed) : needed * 2;
    const grown = Buffer.allocUnsafeSlow(size);
    this.buffer.copy(grown, 0, 0, this.lineStart + this.size);
    this.buffer = grown;
  }

  private decodeString(from: number, to: number): string {
    return JSON.parse(this.buffer.toString('utf8', this.lineStart + from, this.lineStart + to)) as string;
  }
}
