import { recordMessage, type StreamDescriptor, stringifyOnOneLine } from './messages';
import type { RecordChange, RecordEnvelope } from './output';

const EMPTY_DATA = '{}';
const TAIL = Buffer.from('}}\n');

/** The text of a RECORD line up to its data. */
export function recordHead(stream: StreamDescriptor, emittedAt: number): string {
  const line = stringifyOnOneLine(recordMessage(stream, {}, emittedAt));
  return line.slice(0, line.length - EMPTY_DATA.length - '}}'.length);
}

export function createEnvelope(stream: StreamDescriptor, emittedAt: number): RecordEnvelope {
  return {
    head: Buffer.from(recordHead(stream, emittedAt)),
    tail: TAIL,
    tailWithChanges: (changes: readonly RecordChange[]) =>
      changes.length === 0 ? TAIL : Buffer.from(`,"meta":${stringifyOnOneLine({ changes })}}}\n`),
  };
}
