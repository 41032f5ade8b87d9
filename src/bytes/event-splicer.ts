import type { MalformedLine } from './malformed-line';
import { MemberProgress } from './member-progress';
import { PlainSplicer } from './plain-splicer';
import type { SpliceChange } from './record-form';
import type { SplicedLines, SplicerEngine } from './splicer-engine';
import { WasmSplicer } from './wasm-splicer';

export type { MalformedLine, SpliceChange, SplicedLines };

export interface SplicerOptions {
  /** What stands before the event in its line; asked once per `push`, because its `emitted_at` may change. */
  head: () => Uint8Array;
  /** What stands after it: `}}` and a newline. */
  tail: Uint8Array;
  /** The same for a record with `meta.changes`. */
  tailWithChanges: (changes: readonly SpliceChange[]) => Uint8Array;
  /** Top-level fields to leave out. */
  dropFields: ReadonlySet<string>;
  /** Top-level fields that are never replaced by null because of the record's size (primary key and cursor). */
  keepFields: ReadonlySet<string>;
  /** `fail`: nothing is emitted after the first malformed line of a member. `skip`: such lines are left out. */
  onMalformedLine: 'fail' | 'skip';
}

/** Airbyte warns at 20,000,000 characters in a line, and destinations stop at about as many bytes. */
const MAX_RECORD_BYTES = 19_999_999;
const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf);

/**
 * Turns the raw bytes of a member (events as JSON objects, one a line) into RECORD lines. It keeps every byte of an
 * event but for these: the seven top-level timestamps are written as Airbyte's connector writes them, `dropFields` are
 * left out, raw U+0085, U+2028, U+2029 are escaped and a raw CR between tokens goes (they end a line for some readers),
 * and the largest values of a record of 20 MB are replaced by null.
 *
 * Create one for a read and use it for all members, one after the other. What `push` and `endMember` return has to be
 * iterated to its end before the next call.
 */
export class EventSplicer {
  private readonly head: () => Uint8Array;
  private readonly progress: MemberProgress;
  private readonly engine: SplicerEngine;
  /** How many bytes of a byte order mark were seen at the start of the member; undefined when that is decided. */
  private markBytes: number | undefined = 0;

  /** @param way `plain` does without WebAssembly, as happens by itself on machines that lack its SIMD */
  constructor(options: SplicerOptions, way: 'fast' | 'plain' = 'fast') {
    const { tail, tailWithChanges, dropFields, keepFields, onMalformedLine } = options;
    const form = { tail, tailWithChanges, dropFields, keepFields, maxRecordBytes: MAX_RECORD_BYTES };
    this.head = options.head;
    this.progress = new MemberProgress(onMalformedLine);
    const plain = new PlainSplicer(form, this.progress);
    const fast = way === 'fast' ? WasmSplicer.create(form, this.progress, plain) : undefined;
    this.engine = fast ?? plain;
  }

  /** The first malformed line of the member. */
  get malformed(): MalformedLine | undefined {
    return this.progress.malformed;
  }

  /** Malformed lines of the member so far. */
  get malformedCount(): number {
    return this.progress.malformedCount;
  }

  startMember(): void {
    this.markBytes = 0;
    this.progress.startMember();
    this.engine.startMember();
  }

  /** The lines that end in this chunk, in batches. */
  *push(chunk: Uint8Array): Generator<SplicedLines, void, void> {
    const head = this.head();
    let from = 0;
    while (this.markBytes !== undefined && from < chunk.length) {
      if (chunk[from] === BYTE_ORDER_MARK[this.markBytes]) {
        from++;
        this.markBytes++;
        if (this.markBytes < BYTE_ORDER_MARK.length) continue;
        this.progress.passLines(0, BYTE_ORDER_MARK.length);
        this.markBytes = undefined;
      } else {
        yield* this.releaseMark(head);
      }
    }
    if (from < chunk.length) yield* this.engine.push(from === 0 ? chunk : chunk.subarray(from), head);
  }

  /** The last line, when it has no newline. */
  *endMember(): Generator<SplicedLines, void, void> {
    const head = this.head();
    yield* this.releaseMark(head);
    yield* this.engine.endMember(head);
  }

  /** What looked like a byte order mark is none: its bytes belong to the first line. */
  private releaseMark(head: Uint8Array): Iterable<SplicedLines> {
    const bytes = BYTE_ORDER_MARK.subarray(0, this.markBytes ?? 0);
    this.markBytes = undefined;
    return bytes.length > 0 ? this.engine.push(bytes, head) : [];
  }
}
