import type { ArchiveMember, ExportArchive } from '../amplitude/archive';
import { ArchiveCorrupt } from '../amplitude/archive-corrupt';
import { EventSplicer, type MalformedLine } from '../bytes/event-splicer';
import { ConnectorFailure } from '../failure';
import type { StreamOutput } from '../protocol/output';
import { formatHour } from '../time/hours';
import type { HourWindow } from '../time/windows';
import type { ReadContext } from './stream';

const KEPT_FIELDS: ReadonlySet<string> = new Set(['uuid', 'server_upload_time']);

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
   * @param checkpoint Makes the checkpoint of an hour; given after each hour whose members have all been read.
   * @throws ConnectorFailure when a line is not one JSON object, or a member is not whole.
   */
  async *readWindow(
    window: HourWindow,
    archive: ExportArchive,
    checkpoint: (hour: number) => StreamOutput,
  ): AsyncGenerator<StreamOutput, void, void> {
    const { members } = archive;
    // A name without an hour, or with one outside the window, may belong anywhere: then only the window's end is sure.
    const hoursKnown = members.every(
      ({ hour }) => hour !== undefined && hour >= window.first && hour <= window.last,
    );
    for (const [index, member] of members.entries()) {
      yield* this.readMember(member);
      const next = members[index + 1];
      if (hoursKnown && next && next.hour !== member.hour) yield checkpoint(next.hour! - 1);
    }
  }

  private async *readMember(member: ArchiveMember): AsyncGenerator<StreamOutput, void, void> {
    const { splicer, totals } = this;
    const { host } = this.context;
    splicer.startMember();
    const text = await member.openText();
    try {
      for await (const chunk of text as AsyncIterable<Buffer>) {
        host.signal.throwIfAborted();
        totals.bytes += chunk.length;
        for (const { bytes, count } of splicer.push(chunk)) {
          totals.records += count;
          yield { kind: 'lines', bytes, count };
        }
        this.judgeLines(member);
      }
      for (const { bytes, count } of splicer.endMember()) {
        totals.records += count;
        yield { kind: 'lines', bytes, count };
      }
      this.judgeLines(member);
    } catch (error) {
      if (!(error instanceof ArchiveCorrupt)) throw error;
      throw new ConnectorFailure(
        'transient',
        `Amplitude's archive is damaged: ${error.message}. Every hour before it was delivered; the next sync goes on from there.`,
      );
    } finally {
      text.destroy();
    }
    if (splicer.malformedCount > 0)
      host.log.warn(
        `${describeLine(member, splicer.malformed!)} ${splicer.malformedCount} lines of this member were left out, as on_malformed_line says.`,
      );
  }

  private judgeLines(member: ArchiveMember): void {
    const { malformed } = this.splicer;
    if (malformed === undefined || this.context.settings.onMalformedLine === 'skip') return;
    throw new ConnectorFailure(
      'system',
      `${describeLine(member, malformed)} Nothing after it was read. Set on_malformed_line to skip to leave such lines out.`,
    );
  }
}

function describeLine({ name, hour }: ArchiveMember, { line, offset, reason }: MalformedLine): string {
  const when = hour === undefined ? '' : ` of hour ${formatHour(hour)}`;
  return `Line ${line} (byte ${offset}) of member ${JSON.stringify(name.slice(0, 200))}${when} is not one JSON object: ${reason}.`;
}
