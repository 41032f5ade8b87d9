import type { MemberHandler } from './json-object-scanner';
import { REASON } from './malformed-line';
import { rewriteTimestamp } from './timestamp';

/** One entry of `record.meta.changes`. */
export interface SpliceChange {
  readonly field: string;
  readonly change: 'NULLED';
  readonly reason: 'SOURCE_SERIALIZATION_ERROR' | 'SOURCE_RECORD_SIZE_LIMITATION';
}

/** What stands around an event in its line, and what of the event is left out. */
export interface RecordForm {
  readonly tail: Uint8Array;
  tailWithChanges(changes: readonly SpliceChange[]): Uint8Array;
  readonly dropFields: ReadonlySet<string>;
  /** Fields that are never replaced by null because of the record's size. */
  readonly keepFields: ReadonlySet<string>;
  /** Largest finished line, its newline included (bytes). */
  readonly maxRecordBytes: number;
}

/** The top-level fields that Airbyte's connector rewrites (its components.py). */
export const TIMESTAMP_FIELDS: ReadonlySet<string> = new Set([
  'event_time',
  'server_upload_time',
  'processed_time',
  'server_received_time',
  'user_creation_time',
  'client_upload_time',
  'client_event_time',
]);

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
/** How far a line may outgrow its limit before its largest values go: less costs copying, more costs memory. */
const SLACK_BYTES = 8_000_000;
/** Growing beyond this goes to the largest size at once, because doubling would hold the old and the new buffer. */
const LARGE_BUFFER_BYTES = 4_000_000;

const OPEN = Buffer.from('{');
const COMMA = Buffer.from(',');
const NULL = Buffer.from('null');
const CLOSE = Buffer.from('}');
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Writes RECORD lines from the members of events into one growing buffer: rewrites timestamps, leaves out fields, and
 * replaces the largest values by null in a line that would exceed its limit. Finished lines stand before the one in the
 * making until `discardLines`. However long an event is, at most its limit, `SLACK_BYTES` and one piece are held.
 */
export class RecordWriter implements MemberHandler {
  /** Number of finished lines. */
  count = 0;
  private readonly form: RecordForm;
  private readonly keyLengths: ReadonlySet<number>;
  private buffer: Uint8Array = new Uint8Array(64 * 1024);
  private lineStart = 0;
  /** Length of the line in the making. The other offsets count from its start, too. */
  private size = 0;
  private memberAt = 0;
  private keyAt = 0;
  private keyEndAt = 0;
  private valueAt = 0;
  private members = 0;
  private isInValue = false;
  /** The member's field, when it is one that this class has to know. */
  private field: string | undefined;
  /** How long text is thrown away. */
  private skip: 'nothing' | 'value' | 'member' | 'line' = 'nothing';
  private large: LargeValue[] = [];
  private changes: SpliceChange[] = [];

  constructor(form: RecordForm) {
    this.form = form;
    const known = [...TIMESTAMP_FIELDS, ...form.dropFields];
    this.keyLengths = new Set(known.map((field) => Buffer.byteLength(field) + 2));
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
    this.members = 0;
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
    if (this.members === 0) return REASON.empty;
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

  memberStart(): void {
    if (this.skip === 'line') return;
    this.memberAt = this.size;
    if (this.members > 0) this.append(COMMA);
  }

  keyStart(): void {
    this.keyAt = this.size;
  }

  keyEnd(): void {
    if (this.skip === 'line') return;
    this.keyEndAt = this.size;
    const key = this.view(this.keyAt, this.keyEndAt);
    const isKnown = this.keyLengths.has(key.length) || key.includes(0x5c);
    this.field = isKnown ? decodeString(key) : undefined;
    if (this.field !== undefined && this.form.dropFields.has(this.field)) this.skip = 'member';
  }

  valueStart(): void {
    this.valueAt = this.size;
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

  memberEnd(): void {
    if (this.skip === 'member') {
      this.size = this.memberAt;
      this.skip = 'nothing';
    } else this.members++;
  }

  text(bytes: Uint8Array, from: number, to: number): void {
    if (this.skip !== 'nothing') return;
    this.append(bytes, from, to);
    const excess = this.size + this.changes.length * LEAST_CHANGE_BYTES - this.form.maxRecordBytes;
    if (excess <= SLACK_BYTES || this.nullLargest(excess)) return;
    this.skip = 'line';
    this.size = 0;
  }

  replaceLast(length: number, escape: string): void {
    if (this.skip !== 'nothing') return;
    this.size -= length;
    this.append(Buffer.from(escape));
  }

  private rewriteTimestampValue(field: string): void {
    const value = decoder.decode(this.view(this.valueAt, this.size));
    if (value === 'null') return;
    const text = value.startsWith('"') ? (JSON.parse(value) as string) : undefined;
    const rewritten = text === undefined ? undefined : rewriteTimestamp(text);
    this.size = this.valueAt;
    this.append(rewritten === undefined ? NULL : Buffer.from(`"${rewritten}"`));
    if (rewritten !== undefined || text === '') return;
    this.changes.push({ field, change: 'NULLED', reason: 'SOURCE_SERIALIZATION_ERROR' });
  }

  /**
   * Replaces the largest values by null until the line is shorter by `excess` or nothing is left to replace. Doing so in
   * the middle of a line picks the same values as at its end: what has to go from a part has to go from the whole.
   *
   * @returns whether that was enough, as far as can be known before the changes are written out
   */
  private nullLargest(excess: number): boolean {
    const current = this.isInValue && this.skip === 'nothing' ? this.currentValue() : undefined;
    const bySize = current === undefined ? [...this.large] : [...this.large, current];
    bySize.sort((a, b) => b.end - b.start - (a.end - a.start));
    const chosen = new Set<LargeValue>();
    let left = excess;
    for (const value of bySize) {
      if (left <= 0) break;
      if (this.form.keepFields.has(this.fieldOf(value))) continue;
      chosen.add(value);
      left -= value.end - value.start - NULL.length - LEAST_CHANGE_BYTES;
    }
    if (chosen.size === 0) return left <= 0;
    this.replaceByNull(chosen);
    if (current !== undefined && chosen.has(current)) {
      this.addSizeChange(this.currentValue());
      this.size = this.valueAt;
      this.append(NULL);
      this.skip = 'value';
    }
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
        this.addSizeChange(value);
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
    // These are only used again when the member has no finished value yet, so all that went stood before them.
    this.memberAt -= shift;
    this.keyAt -= shift;
    this.keyEndAt -= shift;
    this.valueAt -= shift;
    this.size -= shift;
  }

  private addSizeChange(value: LargeValue): void {
    this.changes.push({
      field: this.fieldOf(value),
      change: 'NULLED',
      reason: 'SOURCE_RECORD_SIZE_LIMITATION',
    });
  }

  private currentValue(): LargeValue {
    return { keyStart: this.keyAt, keyEnd: this.keyEndAt, start: this.valueAt, end: this.size };
  }

  private fieldOf(value: LargeValue): string {
    return decodeString(this.view(value.keyStart, value.keyEnd));
  }

  /** Bytes of the line in the making; the view ends with the next `append`. */
  private view(from: number, to: number): Uint8Array {
    return this.buffer.subarray(this.lineStart + from, this.lineStart + to);
  }

  private append(bytes: Uint8Array, from = 0, to = bytes.length): void {
    const end = this.lineStart + this.size + to - from;
    if (end > this.buffer.length) this.grow(end);
    this.buffer.set(bytes.subarray(from, to), this.lineStart + this.size);
    this.size += to - from;
  }

  private grow(needed: number): void {
    const largest = this.form.maxRecordBytes + SLACK_BYTES + LARGE_BUFFER_BYTES;
    const size = needed > LARGE_BUFFER_BYTES ? Math.max(largest, needed) : needed * 2;
    const grown = new Uint8Array(size);
    grown.set(this.buffer.subarray(0, this.lineStart + this.size));
    this.buffer = grown;
  }
}

function decodeString(json: Uint8Array): string {
  return JSON.parse(decoder.decode(json)) as string;
}
