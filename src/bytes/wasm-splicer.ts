import type { MemberProgress } from './member-progress';
import type { PlainSplicer } from './plain-splicer';
import type { RecordForm } from './record-writer';
import { TIMESTAMP_FIELDS } from './record-writer';
import type { SplicedLines, SplicerEngine } from './splicer-engine';
import { SPLICER_MODULE } from './splicer-module';

/** What assembly/splicer.ts exports. */
interface SplicerExports {
  readonly memory: WebAssembly.Memory;
  readonly inputEnd: WebAssembly.Global;
  readonly outputEnd: WebAssembly.Global;
  readonly lines: WebAssembly.Global;
  readonly records: WebAssembly.Global;
  readonly MAX_FIELDS: WebAssembly.Global;
  clearFields(): void;
  addField(name: number, length: number, kind: number): void;
  splice(
    input: number,
    inputEnd: number,
    output: number,
    outputLimit: number,
    head: number,
    headBytes: number,
    tail: number,
    tailBytes: number,
  ): number;
}

const enum Status {
  AllRead,
  OutputFull,
  UnusualLine,
}
const enum Kind {
  Timestamp = 1,
  Dropped,
}

const NEWLINE = 0x0a;
const KiB = 1024;
const MiB = 1024 * KiB;

// The module's memory: its own tables below 64 KiB, then these areas.
const ENVELOPE = 64 * KiB;
const ENVELOPE_BYTES = 64 * KiB;
const NAMES = ENVELOPE + ENVELOPE_BYTES;
const NAMES_BYTES = 64 * KiB;
const INPUT = NAMES + NAMES_BYTES;
/** A longer line goes the plain way, which needs no room for all of it. */
const MAX_LINE_BYTES = 2 * MiB;
const PIECE_BYTES = MiB;
/** The module reads and writes up to this much beyond the ends it is given. */
const MARGIN = KiB;
const OUTPUT = INPUT + MAX_LINE_BYTES + PIECE_BYTES + MARGIN;
const OUTPUT_BYTES = 3 * MiB;
const PAGES = Math.ceil((OUTPUT + OUTPUT_BYTES + MARGIN) / (64 * KiB));

/**
 * The fast way: whole lines go through the WebAssembly module, and what it gives up on through `plain`.
 * Each byte is copied twice, into the module's memory and from there to its place in the output.
 */
export class WasmSplicer implements SplicerEngine {
  private readonly progress: MemberProgress;
  private readonly plain: PlainSplicer;
  private readonly head: () => Uint8Array;
  private readonly tail: Uint8Array;
  private readonly module: SplicerExports;
  private readonly memory: Uint8Array;
  private headBytes = 0;
  /** Bytes at the start of the input area that are the beginning of a line. */
  private held = 0;
  private outputEnd = OUTPUT;
  private records = 0;

  constructor(head: () => Uint8Array, form: RecordForm, progress: MemberProgress, plain: PlainSplicer) {
    this.head = head;
    this.tail = form.tail;
    this.progress = progress;
    this.plain = plain;
    this.module = new WebAssembly.Instance(compiledModule()).exports as unknown as SplicerExports;
    const { memory } = this.module;
    memory.grow(Math.max(0, PAGES - memory.buffer.byteLength / (64 * KiB)));
    this.memory = new Uint8Array(memory.buffer);
    this.addFields(form.dropFields);
  }

  /** Whether this machine and these options are within what the module can do. */
  static canServe(form: RecordForm): boolean {
    const names = [...form.dropFields].map((name) => Buffer.byteLength(name));
    const bytes = names.reduce((sum, length) => sum + length, 0);
    return WebAssembly.validate(moduleBytes()) && names.length <= 400 && bytes <= NAMES_BYTES / 2;
  }

  startMember(): void {
    this.plain.startMember();
    this.held = 0;
  }

  *push(chunk: Uint8Array): Generator<SplicedLines, void, void> {
    const { plain, memory, progress } = this;
    this.writeEnvelope();
    for (let at = 0; at < chunk.length && !progress.isStopped;) {
      if (plain.isInLine) {
        const newline = chunk.indexOf(NEWLINE, at);
        const end = newline < 0 ? chunk.length : newline + 1;
        yield* plain.push(chunk.subarray(at, end));
        at = end;
        continue;
      }
      const piece = chunk.subarray(at, at + PIECE_BYTES);
      at += piece.length;
      memory.set(piece, INPUT + this.held);
      const lastNewline = piece.lastIndexOf(NEWLINE);
      const filled = INPUT + this.held + piece.length;
      if (lastNewline >= 0) {
        const end = INPUT + this.held + lastNewline + 1;
        yield* this.splice(end);
        memory.copyWithin(INPUT, end, filled);
        this.held = filled - end;
      } else {
        this.held += piece.length;
        if (this.held <= MAX_LINE_BYTES) continue;
        const start = memory.subarray(INPUT, filled);
        this.held = 0;
        yield* plain.push(start);
      }
    }
  }

  *endMember(): Generator<SplicedLines, void, void> {
    if (this.held > 0 && !this.progress.isStopped) {
      this.writeEnvelope();
      const end = INPUT + this.held;
      this.memory[end] = NEWLINE;
      yield* this.splice(end + 1);
      this.held = 0;
    }
    yield* this.plain.endMember();
  }

  /** Splices the lines from the start of the input area to `end`, which is behind a newline. */
  private *splice(end: number): Generator<SplicedLines, void, void> {
    const { module, memory, progress, plain } = this;
    let input = INPUT;
    while (input < end && !progress.isStopped) {
      const limit = OUTPUT + OUTPUT_BYTES;
      const tail = ENVELOPE + this.headBytes;
      const status = module.splice(
        input,
        end,
        this.outputEnd,
        limit,
        ENVELOPE,
        this.headBytes,
        tail,
        this.tail.length,
      ) as Status;
      const stopped = module.inputEnd.value;
      progress.passLines(module.lines.value, stopped - input);
      input = stopped;
      this.outputEnd = module.outputEnd.value;
      this.records += module.records.value;
      if (status === Status.AllRead) break;
      if (status === Status.OutputFull && this.records > 0) {
        yield this.takeOutput();
        continue;
      }
      const lineEnd = memory.indexOf(NEWLINE, input) + 1;
      for (const lines of plain.push(memory.subarray(input, lineEnd))) {
        if (this.outputEnd + lines.bytes.length <= limit) {
          memory.set(lines.bytes, this.outputEnd);
          this.outputEnd += lines.bytes.length;
          this.records += lines.count;
        } else {
          if (this.records > 0) yield this.takeOutput();
          yield lines;
        }
      }
      input = lineEnd;
    }
    if (this.records > 0) yield this.takeOutput();
  }

  private takeOutput(): SplicedLines {
    const lines = { bytes: this.memory.subarray(OUTPUT, this.outputEnd), count: this.records };
    this.outputEnd = OUTPUT;
    this.records = 0;
    return lines;
  }

  private writeEnvelope(): void {
    const head = this.head();
    if (head.length + this.tail.length > ENVELOPE_BYTES)
      throw new RangeError('the envelope of a record is too large');
    this.headBytes = head.length;
    this.memory.set(head, ENVELOPE);
    this.memory.set(this.tail, ENVELOPE + head.length);
  }

  private addFields(dropFields: ReadonlySet<string>): void {
    this.module.clearFields();
    let at = NAMES;
    const add = (name: string, kind: Kind): void => {
      const bytes = Buffer.from(name);
      this.memory.set(bytes, at);
      this.module.addField(at, bytes.length, kind);
      at += bytes.length;
    };
    for (const name of dropFields) add(name, Kind.Dropped);
    for (const name of TIMESTAMP_FIELDS) if (!dropFields.has(name)) add(name, Kind.Timestamp);
  }
}

let bytes: Buffer | undefined;
let compiled: WebAssembly.Module | undefined;

function moduleBytes(): Buffer {
  bytes ??= Buffer.from(SPLICER_MODULE, 'base64');
  return bytes;
}

function compiledModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(moduleBytes());
  return compiled;
}
