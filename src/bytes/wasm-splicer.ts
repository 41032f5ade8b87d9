import type { MemberProgress } from './member-progress';
import type { PlainSplicer } from './plain-splicer';
import type { RecordForm } from './record-form';
import { TIMESTAMP_FIELDS } from './record-form';
import type { SplicedLines, SplicerEngine } from './splicer-engine';
import { SPLICER_MODULE } from './splicer-module';

/** What assembly/splicer.ts exports; the constants are addresses and sizes in its memory. */
interface SplicerModule {
  readonly memory: WebAssembly.Memory;
  readonly INPUT: WebAssembly.Global;
  readonly INPUT_BYTES: WebAssembly.Global;
  readonly OUTPUT: WebAssembly.Global;
  readonly OUTPUT_BYTES: WebAssembly.Global;
  readonly ENVELOPE: WebAssembly.Global;
  readonly ENVELOPE_BYTES: WebAssembly.Global;
  readonly NAMES: WebAssembly.Global;
  readonly NAMES_BYTES: WebAssembly.Global;
  readonly MAX_FIELDS: WebAssembly.Global;
  /** Results of the last `splice`. */
  readonly inputEnd: WebAssembly.Global;
  readonly outputEnd: WebAssembly.Global;
  readonly lines: WebAssembly.Global;
  readonly records: WebAssembly.Global;
  addField(name: number, length: number, kind: number): void;
  splice(start: number, end: number, to: number, headBytes: number, tailBytes: number): number;
}

const ALL_READ = 0;
const OUTPUT_FULL = 1;

const TIMESTAMP = 1;
const DROPPED = 2;

const NEWLINE = 0x0a;
/** How much is copied into the module's memory at once: little enough to be in the cache when it is read there. */
const PIECE_BYTES = 128 * 1024;

/**
 * The fast way: whole lines go through a WebAssembly module (assembly/, with SIMD), and what it leaves through `plain`.
 * A byte is copied twice, into the module's memory and there from the input to the output area.
 */
export class WasmSplicer implements SplicerEngine {
  private readonly progress: MemberProgress;
  private readonly plain: PlainSplicer;
  private readonly tail: Uint8Array;
  private readonly module: SplicerModule;
  private readonly memory: Uint8Array;
  private readonly input: number;
  private readonly inputBytes: number;
  private readonly output: number;
  private readonly outputBytes: number;
  /** Bytes at the start of the input area that are the beginning of a line. */
  private held = 0;
  private outputEnd: number;
  private records = 0;

  /**
   * @param plain works on the same `progress`
   * @returns undefined where the machine has no SIMD for WebAssembly (x86 before SSE4.1), or for a list of fields that
   *   is beyond the module's tables
   */
  static create(form: RecordForm, progress: MemberProgress, plain: PlainSplicer): WasmSplicer | undefined {
    const compiled = compileModule();
    if (compiled === undefined) return undefined;
    const module = new WebAssembly.Instance(compiled).exports as unknown as SplicerModule;
    if (!addFields(module, form.dropFields)) return undefined;
    return new WasmSplicer(form.tail, progress, plain, module);
  }

  private constructor(
    tail: Uint8Array,
    progress: MemberProgress,
    plain: PlainSplicer,
    module: SplicerModule,
  ) {
    this.tail = tail;
    this.progress = progress;
    this.plain = plain;
    this.module = module;
    this.memory = new Uint8Array(module.memory.buffer);
    this.input = module.INPUT.value;
    this.inputBytes = module.INPUT_BYTES.value;
    this.output = module.OUTPUT.value;
    this.outputBytes = module.OUTPUT_BYTES.value;
    this.outputEnd = this.output;
  }

  startMember(): void {
    this.plain.startMember();
    this.held = 0;
    this.outputEnd = this.output;
    this.records = 0;
  }

  *push(chunk: Uint8Array, head: Uint8Array): Generator<SplicedLines, void, void> {
    const { plain, progress } = this;
    this.writeEnvelope(head);
    for (let at = 0; at < chunk.length && !progress.isStopped;) {
      if (plain.isInLine) {
        const newline = chunk.indexOf(NEWLINE, at);
        const end = newline < 0 ? chunk.length : newline + 1;
        yield* this.pushPlainly(chunk.subarray(at, end), head);
        at = end;
      } else {
        const piece = chunk.subarray(at, at + PIECE_BYTES);
        yield* this.pushPiece(piece, head);
        at += piece.length;
      }
    }
    if (this.records > 0) yield this.takeOutput();
  }

  *endMember(head: Uint8Array): Generator<SplicedLines, void, void> {
    if (this.held > 0 && !this.progress.isStopped) {
      this.writeEnvelope(head);
      const end = this.input + this.held;
      this.memory[end] = NEWLINE;
      yield* this.splice(end + 1, head);
      if (this.records > 0) yield this.takeOutput();
    }
    this.held = 0;
    yield* this.plain.endMember();
  }

  private *pushPiece(piece: Uint8Array, head: Uint8Array): Generator<SplicedLines, void, void> {
    const { memory, input } = this;
    const start = input + this.held;
    const filled = start + piece.length;
    memory.set(piece, start);
    const lastNewline = piece.lastIndexOf(NEWLINE);
    this.held = filled - input;
    if (lastNewline >= 0) {
      const end = start + lastNewline + 1;
      yield* this.splice(end, head);
      memory.copyWithin(input, end, filled);
      this.held = filled - end;
    } else if (this.held + PIECE_BYTES + 1 > this.inputBytes) {
      // A line too long for the next piece to fit behind it: from here to its end it takes the plain way.
      this.held = 0;
      yield* this.pushPlainly(memory.subarray(input, filled), head);
    }
  }

  /** Splices the lines from the start of the input area to `end`, which is behind a newline. */
  private *splice(end: number, head: Uint8Array): Generator<SplicedLines, void, void> {
    const { module, progress } = this;
    let start = this.input;
    while (start < end && !progress.isStopped) {
      const status = module.splice(start, end, this.outputEnd, head.length, this.tail.length);
      const stop = module.inputEnd.value;
      progress.passLines(module.lines.value, stop - start);
      start = stop;
      this.outputEnd = module.outputEnd.value;
      this.records += module.records.value;
      if (status === ALL_READ) break;
      if (status === OUTPUT_FULL && this.records > 0) yield this.takeOutput();
      else {
        const lineEnd = this.memory.indexOf(NEWLINE, start) + 1;
        yield* this.pushPlainly(this.memory.subarray(start, lineEnd), head);
        start = lineEnd;
      }
    }
  }

  /** Passes bytes through the plain way; what comes out is put behind the records that are in the output area. */
  private *pushPlainly(bytes: Uint8Array, head: Uint8Array): Generator<SplicedLines, void, void> {
    for (const lines of this.plain.push(bytes, head)) {
      if (this.outputEnd + lines.bytes.length > this.output + this.outputBytes) {
        if (this.records > 0) yield this.takeOutput();
        yield lines;
      } else {
        this.memory.set(lines.bytes, this.outputEnd);
        this.outputEnd += lines.bytes.length;
        this.records += lines.count;
      }
    }
  }

  private takeOutput(): SplicedLines {
    const lines = { bytes: this.memory.subarray(this.output, this.outputEnd), count: this.records };
    this.outputEnd = this.output;
    this.records = 0;
    return lines;
  }

  private writeEnvelope(head: Uint8Array): void {
    if (head.length + this.tail.length > this.module.ENVELOPE_BYTES.value) {
      throw new RangeError('The envelope of a record is larger than the splicer has room for.');
    }
    this.memory.set(head, this.module.ENVELOPE.value);
    this.memory.set(this.tail, this.module.ENVELOPE.value + head.length);
  }
}

let compiled: WebAssembly.Module | undefined;

function compileModule(): WebAssembly.Module | undefined {
  if (compiled === undefined) {
    const bytes = Buffer.from(SPLICER_MODULE, 'base64');
    if (WebAssembly.validate(bytes)) compiled = new WebAssembly.Module(bytes);
  }
  return compiled;
}

/** @returns whether there was room for all of them */
function addFields(module: SplicerModule, dropFields: ReadonlySet<string>): boolean {
  const memory = new Uint8Array(module.memory.buffer);
  const kinds = new Map<string, number>();
  for (const name of TIMESTAMP_FIELDS) kinds.set(name, TIMESTAMP);
  for (const name of dropFields) kinds.set(name, DROPPED);
  let room = module.NAMES_BYTES.value;
  if (kinds.size > module.MAX_FIELDS.value) return false;
  for (const [name, kind] of kinds) {
    const bytes = Buffer.from(name);
    if (bytes.length > room) return false;
    const at = module.NAMES.value + module.NAMES_BYTES.value - room;
    memory.set(bytes, at);
    module.addField(at, bytes.length, kind);
    room -= bytes.length;
  }
  return true;
}
