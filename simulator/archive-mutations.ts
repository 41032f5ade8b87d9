import { constants, crc32, deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import type { Member } from './archive';
import type { DataSet } from './data-set';

/** `member` counts the members with events from 0 in archive order; default 0. Positions are fractions of the bytes, 0 to 1. */
export type ArchiveMutation =
  /** The file ends early; a fraction of it is kept. Default 0.5. */
  | { kind: 'truncate'; keep?: number }
  /** One bit-inverted byte in a member as it stands in the container: the CRC shows it. */
  | { kind: 'flip-zip-byte'; member?: number; at?: number }
  /** One inverted byte inside the gzip file; the container's CRC is right. Default at 0.5; near 1 it hits gzip's own CRC. */
  | { kind: 'flip-gzip-byte'; member?: number; at?: number }
  | { kind: 'wrong-crc'; member?: number }
  /** The headers claim so many bytes more (or less). Default 7. */
  | { kind: 'wrong-size'; member?: number; delta?: number }
  /** JSON lines that are not compressed, under the usual name or (`rename`) under one ending in `.json`. */
  | { kind: 'plain-member'; member?: number; rename?: boolean }
  /** Bytes that are neither gzip nor JSON in place of the member. */
  | { kind: 'garbage-member'; member?: number }
  /** The same lines as several gzip members one after the other (RFC 1952 allows it). Default 3. */
  | { kind: 'multi-member-gzip'; member?: number; pieces?: number }
  /** Bytes after the end of the gzip data: zeros (padding) or others. */
  | { kind: 'trailing-garbage'; member?: number; text?: string }
  /** The gzip file ends early under a right container. Default keeps 0.5. */
  | { kind: 'truncated-gzip'; member?: number; keep?: number }
  /** One more member of zero bytes, or (`gzip`) of a gzip file of nothing. */
  | { kind: 'empty-member'; gzip?: boolean }
  /** Members get these names, one each in turn; `add` adds copies of nothing under them instead. */
  | { kind: 'hostile-names'; names?: readonly string[]; add?: boolean }
  /** A member that is not data, as `README.txt`. */
  | { kind: 'foreign-member'; name?: string; text?: string }
  /** So many further members, each an empty gzip file. Default 100,000. */
  | { kind: 'many-members'; count?: number }
  /** One further member that inflates to so many bytes of blank lines, or of one endless line. Default 1 GiB. */
  | { kind: 'bomb'; bytes?: number; fill?: 'blank-lines' | 'one-line' }
  /** A line (as text or base64) put before line `at` (from 0) of the member. */
  | { kind: 'insert-line'; member?: number; at?: number; text?: string; base64?: string }
  /** An archive that holds no member at all. */
  | { kind: 'no-members' }
  /** Bytes before and after the archive. */
  | { kind: 'surround'; before?: string; after?: string };

/** Names that must never become a path, a URL or a lookup key unescaped. */
export const HOSTILE_NAMES: readonly string[] = [
  '../../etc/passwd',
  '/etc/cron.d/evil',
  'C:\\Windows\\system32\\drivers\\etc\\hosts',
  '310022/nul\u0000byte.json.gz',
  `310022/${'long'.repeat(8000)}.json.gz`,
  '310022/a#b?c=%2e%2e%2f#0.json.gz',
  '__proto__',
  '',
];

type Kind<K extends ArchiveMutation['kind']> = Extract<ArchiveMutation, { kind: K }>;

/** Puts the lines of `insert-line` where they belong in the member with this number. */
export function mutateLines(
  lines: readonly string[],
  member: number,
  mutations: readonly ArchiveMutation[],
): (string | Buffer)[] {
  const result: (string | Buffer)[] = [...lines];
  for (const mutation of mutations) {
    if (mutation.kind !== 'insert-line' || (mutation.member ?? 0) !== member) continue;
    const line =
      mutation.base64 === undefined ? (mutation.text ?? '{"uuid":') : Buffer.from(mutation.base64, 'base64');
    result.splice(mutation.at ?? 0, 0, line);
  }
  return result;
}

function invert(bytes: Buffer, fraction: number): Buffer {
  const copy = Buffer.from(bytes);
  const at = Math.min(copy.length - 1, Math.floor(copy.length * fraction));
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}

function splitGzip(raw: Buffer, pieces: number): Buffer {
  const step = Math.max(1, Math.ceil(raw.length / pieces));
  const parts: Buffer[] = [];
  // Cut by bytes, not by lines: a line, and even a character, may go over the seam.
  for (let at = 0; at < raw.length; at += step) parts.push(gzipSync(raw.subarray(at, at + step)));
  return Buffer.concat(parts);
}

/** Gzip of `bytes` equal bytes: one deflated block repeated, so that making it costs neither its size nor its time. */
export function bombGzip(bytes: number, fill: 'blank-lines' | 'one-line'): Buffer {
  const block = Buffer.alloc(1 << 20, fill === 'blank-lines' ? '\n' : 'x');
  const times = Math.max(1, Math.ceil(bytes / block.length));
  const packed = deflateRawSync(block, { finishFlush: constants.Z_FULL_FLUSH, level: 9 });
  let crc = 0;
  for (let i = 0; i < times; i += 1) crc = crc32(block, crc);
  const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(crc, 0);
  tail.writeUInt32LE((times * block.length) % 2 ** 32, 4);
  return Buffer.concat([
    head,
    ...Array.from({ length: times }, () => packed),
    deflateRawSync(Buffer.alloc(0)),
    tail,
  ]);
}

function mutateOne(member: Member, raw: () => Buffer, mutation: ArchiveMutation): Member {
  switch (mutation.kind) {
    case 'flip-zip-byte':
      return { ...member, damage: (stored) => invert(stored, mutation.at ?? 0.5) };
    case 'flip-gzip-byte':
      return { ...member, data: invert(member.data, mutation.at ?? 0.5) };
    case 'wrong-crc':
      return { ...member, claimedCrc: (crc32(member.data) ^ 0x5a5a5a5a) >>> 0 };
    case 'wrong-size':
      return { ...member, claimedSize: member.data.length + (mutation.delta ?? 7) };
    case 'plain-member': {
      const name = mutation.rename === true ? String(member.name).replace(/\.gz$/, '') : member.name;
      return { ...member, name, data: raw() };
    }
    case 'garbage-member':
      return { ...member, data: Buffer.from('\u0007this is neither gzip nor JSON\u0000\u00ff\n') };
    case 'multi-member-gzip':
      return { ...member, data: splitGzip(raw(), mutation.pieces ?? 3) };
    case 'trailing-garbage':
      return {
        ...member,
        data: Buffer.concat([member.data, Buffer.from(mutation.text ?? '\u0000'.repeat(64), 'latin1')]),
      };
    case 'truncated-gzip':
      return {
        ...member,
        data: member.data.subarray(0, Math.floor(member.data.length * (mutation.keep ?? 0.5))),
      };
    default:
      return member;
  }
}

function* addedMembers(mutation: ArchiveMutation, data: DataSet): Generator<Member, void, void> {
  const nowhere = { hourMs: 0, part: -1 };
  const nothing = gzipSync('');
  const folder = `${data.projectId}/${data.projectId}`;
  if (mutation.kind === 'empty-member') {
    yield {
      name: `${folder}_2024-01-01_0#9000.json.gz`,
      data: mutation.gzip === true ? nothing : Buffer.alloc(0),
      ...nowhere,
    };
  } else if (mutation.kind === 'foreign-member') {
    yield {
      name: mutation.name ?? 'README.txt',
      data: Buffer.from(mutation.text ?? 'not data\n'),
      ...nowhere,
    };
  } else if (mutation.kind === 'many-members') {
    const count = mutation.count ?? 100_000;
    for (let i = 0; i < count; i += 1)
      yield { name: `${folder}_2024-01-01_0#${10_000 + i}.json.gz`, data: nothing, ...nowhere };
  } else if (mutation.kind === 'bomb') {
    const bomb = bombGzip(mutation.bytes ?? 2 ** 30, mutation.fill ?? 'blank-lines');
    yield { name: `${folder}_2024-01-01_0#9001.json.gz`, data: bomb, ...nowhere };
  } else if (mutation.kind === 'hostile-names' && mutation.add === true) {
    for (const name of mutation.names ?? HOSTILE_NAMES) yield { name, data: nothing, ...nowhere };
  }
}

/** Applies what concerns single members, in the order of the list. */
export async function* mutateMembers(
  members: AsyncIterable<Member>,
  data: DataSet,
  mutations: readonly ArchiveMutation[],
): AsyncGenerator<Member, void, void> {
  const without = mutations.some((mutation) => mutation.kind === 'no-members');
  const renaming = mutations.find(
    (one): one is Kind<'hostile-names'> => one.kind === 'hostile-names' && one.add !== true,
  );
  const names = renaming?.names ?? HOSTILE_NAMES;
  let index = 0;
  for await (let member of members) {
    if (without) continue;
    if (member.part >= 0) {
      for (const mutation of mutations) {
        const target = 'member' in mutation ? (mutation.member ?? 0) : 0;
        const original = member.data;
        if (target === index) member = mutateOne(member, () => gunzipSync(original), mutation);
      }
      const name = names[index];
      if (renaming !== undefined && name !== undefined) member = { ...member, name };
      index += 1;
    }
    yield member;
  }
  for (const mutation of mutations) yield* addedMembers(mutation, data);
}

/** Applies what concerns the finished file. */
export function mutateBytes(archive: Buffer, mutations: readonly ArchiveMutation[]): Buffer {
  let bytes = archive;
  for (const mutation of mutations) {
    if (mutation.kind === 'truncate')
      bytes = bytes.subarray(0, Math.floor(bytes.length * (mutation.keep ?? 0.5)));
    if (mutation.kind === 'surround') {
      bytes = Buffer.concat([Buffer.from(mutation.before ?? ''), bytes, Buffer.from(mutation.after ?? '')]);
    }
  }
  return bytes;
}
