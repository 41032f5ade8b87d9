import { EventSplicer, type MalformedLine, type SpliceChange } from '../../../src/bytes/event-splicer';

/** Both ways of the splicer; every test of its behaviour runs for each. */
export const WAYS = ['fast', 'plain'] as const;
export type Way = (typeof WAYS)[number];

export const HEAD = '{"type":"RECORD","record":{"stream":"events","emitted_at":1790000000000,"data":';
export const TAIL = '}}\n';

export interface SpliceSettings {
  /** Lengths of the chunks, over and over. */
  readonly chunkBytes?: readonly number[];
  readonly dropFields?: Iterable<string>;
  readonly keepFields?: Iterable<string>;
  readonly onMalformedLine?: 'fail' | 'skip';
}

export interface Spliced {
  readonly bytes: Buffer;
  readonly count: number;
  readonly malformed: MalformedLine | undefined;
  readonly malformedCount: number;
}

export function tailWithChanges(changes: readonly SpliceChange[]): Buffer {
  return Buffer.from(`,"meta":${JSON.stringify({ changes })}${TAIL}`);
}

export function createSplicer(way: Way, settings: SpliceSettings = {}): EventSplicer {
  return new EventSplicer(
    {
      head: () => Buffer.from(HEAD),
      tail: Buffer.from(TAIL),
      tailWithChanges,
      dropFields: new Set(settings.dropFields ?? []),
      keepFields: new Set(settings.keepFields ?? ['uuid', 'server_upload_time']),
      onMalformedLine: settings.onMalformedLine ?? 'fail',
    },
    way,
  );
}

/** Reads one archive member. The chunks are overwritten after each push, as gunzip may do. */
export function spliceMember(
  splicer: EventSplicer,
  member: string | Uint8Array,
  chunkBytes: readonly number[] = [member.length + 1],
): Spliced {
  const input = Buffer.from(member as Uint8Array);
  const copies: Buffer[] = [];
  let count = 0;
  const take = (batches: ReturnType<EventSplicer['push']>): void => {
    for (const lines of batches) {
      copies.push(Buffer.from(lines.bytes));
      count += lines.count;
    }
  };
  splicer.startMember();
  for (let at = 0, turn = 0; at < input.length; turn++) {
    const chunk = Buffer.from(input.subarray(at, at + chunkBytes[turn % chunkBytes.length]!));
    take(splicer.push(chunk));
    at += chunk.length;
    chunk.fill(0x22);
  }
  take(splicer.endMember());
  const { malformed, malformedCount } = splicer;
  return { bytes: Buffer.concat(copies), count, malformed, malformedCount };
}

export function spliceAll(way: Way, member: string | Uint8Array, settings: SpliceSettings = {}): Spliced {
  return spliceMember(createSplicer(way, settings), member, settings.chunkBytes);
}

/** What stands between head and tail in each record; fails when a line is not made of these. */
export function eventsOf(spliced: Spliced): string[] {
  const lines = spliced.bytes.toString().split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => {
    expect(line.slice(0, HEAD.length)).toBe(HEAD);
    expect(line.slice(-2)).toBe('}}');
    return line.slice(HEAD.length, -2);
  });
}
