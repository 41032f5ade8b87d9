import { crc32 } from 'node:zlib';
import type { ArchiveMember } from '../amplitude/archive-member';

const NEWLINE = 0x0a;

/** How much of a member's text has left as records: whole lines only. */
export interface DeliveredText {
  readonly bytes: number;
}

/** What to leave out of a member that is read again: its first bytes, which hold this many lines. */
export interface KnownStart {
  readonly bytes: number;
  readonly lines: number;
}

/** Counts a member's text as it goes to the splicer, which delivers every line that it has seen the end of. */
export class DeliveryMeter {
  private seen = 0;
  private delivered: number;

  constructor(start: KnownStart) {
    this.seen = start.bytes;
    this.delivered = start.bytes;
  }

  add(chunk: Uint8Array): void {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end >= 0) this.delivered = this.seen + end + 1;
    this.seen += chunk.length;
  }

  get text(): DeliveredText {
    return { bytes: this.delivered };
  }
}

/**
 * Compares what was delivered of a damaged member with its new copy. Hashing happens only here, after damage: on the way of
 * every event it would cost a pass over the text.
 * @returns The part of the new copy that need not be read again; nothing of it when the copies differ.
 */
export async function findKnownStart(
  damaged: ArchiveMember,
  fresh: ArchiveMember,
  { bytes }: DeliveredText,
): Promise<KnownStart> {
  const [before, now] = [await hashStart(damaged, bytes), await hashStart(fresh, bytes)];
  return before.crc === now.crc && before.bytes === now.bytes
    ? { bytes, lines: now.lines }
    : { bytes: 0, lines: 0 };
}

async function hashStart(
  member: ArchiveMember,
  length: number,
): Promise<{ crc: number; bytes: number; lines: number }> {
  const hash = { crc: 0, bytes: 0, lines: 0 };
  if (length === 0) return hash;
  const text = await member.openText(1);
  for await (const chunk of text as AsyncIterable<Buffer>) {
    const part = chunk.subarray(0, length - hash.bytes);
    hash.crc = crc32(part, hash.crc);
    hash.bytes += part.length;
    for (let at = part.indexOf(NEWLINE); at >= 0; at = part.indexOf(NEWLINE, at + 1)) hash.lines += 1;
    if (hash.bytes === length) break;
  }
  return hash;
}
