import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { mutateLines, mutateMembers, type ArchiveMutation } from './archive-mutations';
import type { DataSet } from './data-set';
import { HOUR_MS, formatDay } from './hours';
import { mix } from './random';
import { writeZip, type ZipFlavour, type ZipMember } from './zip-writer';

const compress = promisify(gzip);

/** How lines stand in a member. `mixed` differs from member to member, the same in every run. */
export interface LineLayout {
  readonly finalNewline: 'always' | 'never' | 'mixed';
  readonly blankLines: 'none' | 'mixed';
  readonly lineEnd: 'lf' | 'crlf';
}

export const USUAL_LINES: LineLayout = { finalNewline: 'mixed', blankLines: 'none', lineEnd: 'lf' };

/** What an archive is made of and how. */
export interface ArchivePlan {
  readonly startMs: number;
  /** Inclusive hour. */
  readonly endMs: number;
  readonly nowMs: number;
  readonly flavour: ZipFlavour;
  readonly layout: LineLayout;
  readonly gzipLevel: number;
  readonly mutations: readonly ArchiveMutation[];
  /** Counts along when given. */
  readonly totals?: { records: number; rawBytes: number };
}

/** A member before it goes into the container. */
export interface Member extends ZipMember {
  readonly hourMs: number;
  readonly part: number;
}

/** `<project>/<project>_2024-01-01_7#0.json.gz`: the hour is not padded, parts count from 0. */
export function memberName(projectId: number, hourMs: number, part: number, nestedFolder: string): string {
  const folder = nestedFolder === '' ? '' : `${nestedFolder}/`;
  return `${projectId}/${folder}${projectId}_${formatDay(hourMs)}_${new Date(hourMs).getUTCHours()}#${part}.json.gz`;
}

function joinLines(lines: readonly (string | Buffer)[], layout: LineLayout, choice: number): Buffer {
  const end = layout.lineEnd === 'crlf' ? '\r\n' : '\n';
  const pieces: (string | Buffer)[] = [];
  lines.forEach((line, index) => {
    if (layout.blankLines === 'mixed' && (choice + index) % 7 === 0) pieces.push(index % 2 === 0 ? '' : '  ');
    pieces.push(line);
  });
  const last =
    layout.finalNewline === 'always' || (layout.finalNewline === 'mixed' && choice % 2 === 0) ? end : '';
  const blank = layout.blankLines === 'mixed' && choice % 3 === 0 ? end + end : '';
  if (pieces.every((piece) => typeof piece === 'string')) return Buffer.from(pieces.join(end) + last + blank);
  const bytes = pieces.flatMap((piece, index) => [Buffer.from(index === 0 ? '' : end), Buffer.from(piece)]);
  return Buffer.concat([...bytes, Buffer.from(last + blank)]);
}

interface Place {
  readonly hourMs: number;
  readonly part: number;
}

/** Hours and parts that can be seen, in the order that the flavour asks for. */
export function placesOf(
  data: DataSet,
  plan: Pick<ArchivePlan, 'startMs' | 'endMs' | 'nowMs'>,
  order: ZipFlavour['order'] = 'hour',
): Place[] {
  const places: Place[] = [];
  const last = Math.min(plan.endMs, data.endMs - HOUR_MS);
  for (let hourMs = Math.max(plan.startMs, data.startMs); hourMs <= last; hourMs += HOUR_MS) {
    for (const part of data.visibleParts(hourMs, plan.nowMs)) places.push({ hourMs, part });
  }
  if (order === 'reversed') places.reverse();
  if (order === 'shuffled') {
    const rank = (place: Place): number => mix(place.hourMs / HOUR_MS, place.part, 'order');
    places.sort((a, b) => rank(a) - rank(b));
  }
  return places;
}

/** Compressed members, kept while they fit: splits and lookbacks ask for the same hours again and again. */
export class MemberCache {
  readonly #members = new Map<string, Buffer>();
  readonly #limit: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  async get(key: string, make: () => Promise<Buffer>): Promise<Buffer> {
    const known = this.#members.get(key);
    if (known !== undefined) return known;
    const made = await make();
    if (this.#members.has(key)) return made;
    this.#members.set(key, made);
    this.#bytes += made.length;
    for (const [oldest, bytes] of this.#members) {
      if (this.#bytes <= this.#limit) break;
      this.#members.delete(oldest);
      this.#bytes -= bytes.length;
    }
    return made;
  }

  clear(): void {
    this.#members.clear();
    this.#bytes = 0;
  }
}

async function buildMember(
  data: DataSet,
  plan: ArchivePlan,
  place: Place,
  index: number,
  cache: MemberCache,
): Promise<Buffer> {
  const { layout, gzipLevel, mutations, totals } = plan;
  const { hourMs, part } = place;
  const make = (): Promise<Buffer> => {
    const events = Array.from(data.part(hourMs, part), (event) => event.line);
    const lines = joinLines(mutateLines(events, index, mutations), layout, data.chooser(hourMs, part));
    if (totals !== undefined) {
      totals.records += events.length;
      totals.rawBytes += lines.length;
    }
    return compress(lines, { level: gzipLevel });
  };
  const touched = mutations.some(
    (mutation) => mutation.kind === 'insert-line' && (mutation.member ?? 0) === index,
  );
  return touched ? make() : cache.get(`${hourMs} ${part} ${gzipLevel} ${JSON.stringify(layout)}`, make);
}

async function* buildMembers(
  data: DataSet,
  plan: ArchivePlan,
  cache: MemberCache,
): AsyncGenerator<Member, void, void> {
  const { flavour } = plan;
  if (flavour.directoryEntry)
    yield { name: `${data.projectId}/`, data: Buffer.alloc(0), hourMs: 0, part: -1 };
  const places = placesOf(data, plan, flavour.order);
  // One member ahead: zlib compresses on its own thread while the next lines are written.
  let next = places[0] === undefined ? undefined : buildMember(data, plan, places[0], 0, cache);
  for (const [index, place] of places.entries()) {
    const following = places[index + 1];
    const current = next;
    next = following === undefined ? undefined : buildMember(data, plan, following, index + 1, cache);
    if (current === undefined) return;
    yield {
      name: memberName(data.projectId, place.hourMs, place.part, flavour.nestedFolder),
      data: await current,
      ...place,
    };
  }
}

/** The archive of a window, piece by piece. Damage that concerns the whole file is the caller's (`mutateBytes`). */
export function streamArchive(
  data: DataSet,
  plan: ArchivePlan,
  cache: MemberCache,
): AsyncGenerator<Buffer, void, void> {
  return writeZip(mutateMembers(buildMembers(data, plan, cache), data, plan.mutations), plan.flavour);
}

/** Writes the archive of a window to a file. */
export async function writeArchive(file: string, data: DataSet, plan: ArchivePlan): Promise<void> {
  await pipeline(Readable.from(streamArchive(data, plan, new MemberCache(0))), createWriteStream(file));
}
