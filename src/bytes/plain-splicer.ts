import { JsonObjectScanner } from './json-object-scanner';
import type { MemberProgress } from './member-progress';
import type { RecordForm } from './record-form';
import { RecordWriter } from './record-writer';
import type { SplicedLines, SplicerEngine } from './splicer-engine';

const NEWLINE = 0x0a;
/** Finished lines are handed out when they make up this much. */
const BATCH_BYTES = 1024 * 1024;
/** The writer gets a line in pieces of at most this size, so that it needs little room beyond its limit. */
const PIECE_BYTES = 256 * 1024;

/**
 * The plain way from lines to RECORD lines, byte by byte: for what the fast way gives up on (lines that are malformed,
 * unusual or very long) and for machines without WebAssembly SIMD. Works in bounded memory on a line of any length.
 */
export class PlainSplicer implements SplicerEngine {
  private readonly progress: MemberProgress;
  private readonly writer: RecordWriter;
  private readonly scanner: JsonObjectScanner;
  /** Bytes of the line that has begun and not ended yet. */
  private lineBytes = 0;

  constructor(form: RecordForm, progress: MemberProgress) {
    this.progress = progress;
    this.writer = new RecordWriter(form);
    this.scanner = new JsonObjectScanner(this.writer);
  }

  startMember(): void {
    this.writer.discardAll();
    this.lineBytes = 0;
  }

  get isInLine(): boolean {
    return this.lineBytes > 0;
  }

  *push(chunk: Uint8Array, head: Uint8Array): Generator<SplicedLines, void, void> {
    const { writer, progress } = this;
    writer.discardLines();
    for (let at = 0; at < chunk.length && !progress.isStopped;) {
      const newline = chunk.indexOf(NEWLINE, at);
      const end = newline < 0 ? chunk.length : newline;
      this.readPart(head, chunk, at, end);
      at = end + 1;
      if (newline < 0) break;
      this.finishLine(1);
      if (writer.lines.length < BATCH_BYTES) continue;
      yield { bytes: writer.lines, count: writer.count };
      writer.discardLines();
    }
    if (writer.count > 0) yield { bytes: writer.lines, count: writer.count };
  }

  *endMember(): Generator<SplicedLines, void, void> {
    this.writer.discardLines();
    if (!this.isInLine || this.progress.isStopped) return;
    this.finishLine(0);
    if (this.writer.count > 0) yield { bytes: this.writer.lines, count: this.writer.count };
  }

  private readPart(head: Uint8Array, chunk: Uint8Array, from: number, to: number): void {
    if (!this.isInLine) {
      this.scanner.start();
      this.writer.startLine(head);
    }
    for (let at = from; at < to; at += PIECE_BYTES) {
      this.scanner.feed(chunk, at, Math.min(at + PIECE_BYTES, to));
    }
    this.lineBytes += to - from;
  }

  private finishLine(newlineBytes: number): void {
    const line = this.scanner.finish();
    const reason = line === 'object' ? this.writer.finishLine() : line === 'blank' ? undefined : line.reason;
    if (reason !== undefined) this.progress.reportLine(reason);
    this.progress.passLines(1, this.lineBytes + newlineBytes);
    this.lineBytes = 0;
  }
}
