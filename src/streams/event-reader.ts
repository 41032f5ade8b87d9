import type { Readable } from 'node:stream';
import type { ExportArchive } from '../amplitude/archive';
import type { ArchiveMember } from '../amplitude/archive-member';
import { ArchiveCorrupt } from '../amplitude/archive-corrupt';
import { releaseBuffer, releaseChunk } from '../amplitude/release-chunk';
import { TEXT_CHUNK } from '../amplitude/text-chunk';
import { EventSplicer, type MalformedLine } from '../bytes/event-splicer';
import { ConnectorFailure } from '../failure';
import type { StreamOutput } from '../protocol/output';
import { formatHour } from '../time/hours';
import type { HourWindow } from '../time/windows';
import { DeliveryMeter, findKnownStart, type DeliveredText, type KnownStart } from './delivered-text';
import type { ReadContext } from './stream';

const KEPT_FIELDS: ReadonlySet<string> = new Set(['uuid', 'server_upload_time']);
const NOTHING_KNOWN: KnownStart = { bytes: 0, lines: 0 };
/** Damage that passed the archive's checksums is rarely of the network, so a few tries tell. */
const DAMAGE_RETRIES = 5;

/** Where the reading of a member broke off. */
interface Damage {
  readonly member: ArchiveMember;
  readonly delivered: DeliveredText;
  readonly error: ArchiveCorrupt;
}

/** Reads archives of events member by member into RECORD lines. One per read; its buffers are reused. */
export class EventReader {
  /** Over the whole read: records given and bytes of event text. */
  readonly totals = { records: 0, bytes: 0 };
  private readonly splicer: EventSplicer;

  constructor(private readonly context: ReadContext) {
    const { host, settings } = context;
    const envelope = host.envelope();
    this.splicer = new EventSplicer({
      head: () => host.envelope().head,
      tail: envelope.tail,
      tailWithChanges: (changes) => envelope.tailWithChanges(changes),
      dropFields: host.unselectedFields,
      keepFields: KEPT_FIELDS,
      onMalformedLine: settings.onMalformedLine,
    });
  }

  /**
   * Reads a window's archive. A member whose gzip turns out to be damaged is fetched anew; what was delivered of it is
   * recognised and not given twice.
   * @param checkpoint Makes the checkpoint of an hour; given after each hour whose members have all been read.
   * @throws ConnectorFailure when a line is not one JSON object, or a member stays damaged.
   */
  async *readWindow(
    window: HourWindow,
    archive: ExportArchive,
    checkpoint: (hour: number) => StreamOutput,
  ): AsyncGenerator<StreamOutput, void, void> {
    const finished = new Set<string>();
    let current = archive;
    try {
      let damage = yield* this.readMembers(window, current, finished, undefined, checkpoint);
      for (let retry = 1; damage !== undefined; retry += 1) {
        const failure = describeDamage(damage.error);
        if (retry > DAMAGE_RETRIES) throw failure;
        await this.context.api.backOff(retry, failure);
        const fresh = await this.fetchAgain(window, damage.member, failure);
        const start = await findStartIn(fresh, damage);
        if (start === undefined) continue;
        if (current !== archive) await current.close();
        current = fresh;
        const known = { name: damage.member.name, start };
        damage = yield* this.readMembers(window, current, finished, known, checkpoint);
      }
    } finally {
      if (current !== archive) await current.close();
    }
  }

  private async fetchAgain(
    window: HourWindow,
    from: ArchiveMember,
    failure: ConnectorFailure,
  ): Promise<ExportArchive> {
    const answer = await this.context.api.export({ first: from.hour ?? window.first, last: window.last });
    if (answer.kind !== 'archive') throw failure;
    return answer.archive;
  }

  /** @returns The damage that broke the reading off, or undefined when every member was read. */
  private async *readMembers(
    window: HourWindow,
    { members }: ExportArchive,
    finished: Set<string>,
    known: { name: string; start: KnownStart } | undefined,
    checkpoint: (hour: number) => StreamOutput,
  ): AsyncGenerator<StreamOutput, Damage | undefined, void> {
    // A name without an hour, or with one outside the window, may belong anywhere: then only the window's end is sure.
    const hoursKnown = members.every(
      ({ hour }) => hour !== undefined && hour >= window.first && hour <= window.last,
    );
    for (const [index, member] of members.entries()) {
      if (!finished.has(member.fingerprint)) {
        const start = known?.name === member.name ? known.start : NOTHING_KNOWN;
        const damage = yield* this.readMember(member, start);
        if (damage) return damage;
        finished.add(member.fingerprint);
      }
      const next = members[index + 1];
      if (hoursKnown && next && next.hour !== member.hour) yield checkpoint(next.hour! - 1);
    }
    return undefined;
  }

  private async *readMember(
    member: ArchiveMember,
    start: KnownStart,
  ): AsyncGenerator<StreamOutput, Damage | undefined, void> {
    const { splicer, totals } = this;
    const { signal } = this.context.host;
    const meter = new DeliveryMeter(start);
    let toSkip = start.bytes;
    splicer.startMember();
    let text: Readable | undefined;
    let lastBuffer: ArrayBufferLike | undefined;
    try {
      text = await member.openText();
      for await (const chunk of text as AsyncIterable<Buffer>) {
        signal.throwIfAborted();
        const fresh = toSkip === 0 ? chunk : chunk.subarray(toSkip);
        toSkip -= chunk.length - fresh.length;
        if (fresh.length === 0) continue;
        for (const lines of splicer.push(fresh)) yield this.give(lines);
        meter.add(fresh);
        totals.bytes += fresh.length;
        this.judgeLines(member, start);
        releaseChunk(chunk, TEXT_CHUNK);
        lastBuffer = chunk.buffer;
      }
      for (const lines of splicer.endMember()) yield this.give(lines);
      this.judgeLines(member, start);
      if (lastBuffer) releaseBuffer(lastBuffer);
    } catch (error) {
      if (!(error instanceof ArchiveCorrupt)) throw error;
      // The next pass over the member begins behind these lines.
      this.warnOfSkipped(member, start);
      return { member, delivered: meter.text, error };
    } finally {
      text?.destroy();
    }
    this.warnOfSkipped(member, start);
    return undefined;
  }

  private give({ bytes, count }: { bytes: Uint8Array; count: number }): StreamOutput {
    this.totals.records += count;
    return { kind: 'lines', bytes, count };
  }

  private judgeLines(member: ArchiveMember, start: KnownStart): void {
    const { malformed } = this.splicer;
    if (malformed === undefined || this.context.settings.onMalformedLine === 'skip') return;
    throw new ConnectorFailure(
      'system',
      `${describeLine(member, malformed, start)} Nothing after it was read. ` +
        'Set on_malformed_line to skip to leave such lines out.',
    );
  }

  private warnOfSkipped(member: ArchiveMember, start: KnownStart): void {
    const { malformed, malformedCount } = this.splicer;
    if (malformed === undefined) return;
    this.context.host.tally('malformed lines left out', malformedCount);
    this.context.host.log.warn(
      `${describeLine(member, malformed, start)} Lines of this member left out by on_malformed_line: ${malformedCount}.`,
    );
  }
}

/**
 * Where to go on in a new archive; undefined when its copy of the member is damaged before that.
 * @param fresh Closed unless something is returned.
 */
async function findStartIn(
  fresh: ExportArchive,
  { member, delivered }: Damage,
): Promise<KnownStart | undefined> {
  const copy = fresh.members.find(({ name }) => name === member.name);
  if (copy === undefined) return NOTHING_KNOWN;
  try {
    return await findKnownStart(member, copy, delivered);
  } catch (error) {
    await fresh.close();
    if (!(error instanceof ArchiveCorrupt)) throw error;
    return undefined;
  }
}

function describeDamage({ message }: ArchiveCorrupt): ConnectorFailure {
  return new ConnectorFailure(
    'transient',
    `Amplitude's archive is damaged: ${message}. Every hour before it was delivered; the next sync goes on from there.`,
  );
}

function describeLine(
  { name, hour }: ArchiveMember,
  { line, offset, reason }: MalformedLine,
  start: KnownStart,
): string {
  const when = hour === undefined ? '' : ` of hour ${formatHour(hour)}`;
  return (
    `Line ${start.lines + line} (byte ${start.bytes + offset}) of member ${JSON.stringify(name.slice(0, 200))}${when} ` +
    `is not one JSON object: ${reason}.`
  );
}
