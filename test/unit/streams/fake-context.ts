import { Readable } from 'node:stream';
import { ArchiveCorrupt } from '../../../src/amplitude/archive-corrupt';
import type { ExportArchive } from '../../../src/amplitude/archive';
import type { ArchiveMember } from '../../../src/amplitude/archive-member';
import type { AmplitudeApi } from '../../../src/amplitude/client';
import type { ExportAnswer } from '../../../src/amplitude/export-download';
import type { JsonRequest } from '../../../src/amplitude/json-client';
import { ConnectorFailure } from '../../../src/failure';
import type { StreamHost, StreamOutput, StreamState } from '../../../src/protocol/output';
import { createEnvelope } from '../../../src/protocol/record-envelope';
import type { ReadContext, Stream, StreamSettings } from '../../../src/streams/stream';
import { formatHour } from '../../../src/time/hours';
import type { HourWindow } from '../../../src/time/windows';

export const NOW = Date.parse('2026-10-04T12:34:56Z');

export function settingsOf(changes: Partial<StreamSettings> = {}): StreamSettings {
  return {
    startMs: Date.parse('2026-10-01T00:00:00Z'),
    startIsRelative: false,
    endMs: undefined,
    nowMs: NOW,
    lookbackHours: 3,
    windowHours: 24,
    projectTimeZone: 'UTC',
    groupByCountry: true,
    onMalformedLine: 'fail',
    ...changes,
  };
}

/** Amplitude, answered by two functions of the test; remembers what it was asked. */
export class FakeApi implements AmplitudeApi {
  readonly requests: JsonRequest[] = [];
  readonly exports: HourWindow[] = [];
  readonly backOffs: number[] = [];
  budgetBytes = Infinity;

  constructor(
    private readonly answers: {
      readonly json?: (request: JsonRequest) => unknown;
      readonly export?: (window: HourWindow, stop?: AbortSignal) => ExportAnswer | Promise<ExportAnswer>;
    },
  ) {}

  async getJson(request: JsonRequest): Promise<unknown> {
    this.requests.push(request);
    if (!this.answers.json) throw new Error(`unexpected request ${request.path}`);
    return this.answers.json(request);
  }

  async export(window: HourWindow, stop?: AbortSignal): Promise<ExportAnswer> {
    this.exports.push(window);
    if (!this.answers.export) throw new Error('unexpected export');
    return this.answers.export(window, stop);
  }

  async backOff(number: number): Promise<void> {
    this.backOffs.push(number);
  }

  async archiveBudget(): Promise<number> {
    return this.budgetBytes;
  }

  /** The windows asked for, such as `20261001T00..20261001T23`. */
  get windows(): string[] {
    return this.exports.map(({ first, last }) => `${formatHour(first)}..${formatHour(last)}`);
  }
}

export class FakeHost implements StreamHost {
  readonly stop = new AbortController();
  readonly signal = this.stop.signal;
  readonly lines: string[] = [];
  readonly tallies: Record<string, number> = {};
  readonly log = {
    error: (message: string): void => void this.lines.push(`ERROR ${message}`),
    warn: (message: string): void => void this.lines.push(`WARN ${message}`),
    info: (message: string): void => void this.lines.push(`INFO ${message}`),
    debug: (message: string): void => void this.lines.push(`DEBUG ${message}`),
  };

  constructor(readonly unselectedFields: ReadonlySet<string> = new Set()) {}

  envelope(): ReturnType<StreamHost['envelope']> {
    return createEnvelope({ name: 'stream' }, 0);
  }

  rateLimited(): void {
    this.lines.push('RATE LIMITED');
  }

  resumed(): void {
    this.lines.push('RESUMED');
  }

  tally(name: string, amount: number): void {
    this.tallies[name] = (this.tallies[name] ?? 0) + amount;
  }

  get warnings(): string[] {
    return this.lines.filter((line) => line.startsWith('WARN '));
  }
}

/** What a stream gave, in order: the data of its records, and its states. */
export type Given = { readonly record: unknown } | { readonly state: StreamState };

export interface Outcome {
  readonly given: readonly Given[];
  readonly records: readonly unknown[];
  readonly states: readonly StreamState[];
  /** What the stream threw. */
  readonly error: unknown;
}

/** Takes the stream's outputs as the protocol side does: a batch is used before the next is asked for. */
export async function collect(source: AsyncGenerator<StreamOutput, void, void>): Promise<Outcome> {
  const given: Given[] = [];
  let error: unknown;
  try {
    for await (const output of source) given.push(...open(output));
  } catch (thrown) {
    error = thrown;
  }
  return {
    given,
    records: given.flatMap((one) => ('record' in one ? [one.record] : [])),
    states: given.flatMap((one) => ('state' in one ? [one.state] : [])),
    error,
  };
}

export function open(output: StreamOutput): Given[] {
  if (output.kind === 'checkpoint') return [{ state: output.state }];
  if (output.kind === 'records') return output.records.map((record) => ({ record }));
  const lines = Buffer.from(output.bytes).toString('utf8').split('\n');
  if (lines.pop() !== '') throw new Error('a batch ends in the middle of a line');
  if (lines.length !== output.count) throw new Error(`${lines.length} lines are said to be ${output.count}`);
  return lines.map((line) => ({ record: (JSON.parse(line) as { record: { data: unknown } }).record.data }));
}

/** Reads a stream to its end or failure. `state` goes through the stream's own parser, as in a run. */
export function readAll(
  stream: Stream,
  api: AmplitudeApi,
  options: {
    readonly settings?: Partial<StreamSettings>;
    readonly state?: StreamState;
    readonly host?: FakeHost;
    readonly isFullRefresh?: boolean;
  } = {},
): Promise<Outcome> {
  const host = options.host ?? new FakeHost();
  const { state, isFullRefresh = false } = options;
  const context: ReadContext = { isFullRefresh, api, host, settings: settingsOf(options.settings) };
  const parsed = state && (stream.parseState ? stream.parseState(state, host) : state);
  return collect(stream.read(context, parsed));
}

/** A member of an archive that is not there. */
export interface FakeMember {
  readonly hour: number | undefined;
  readonly part?: number;
  /** In pieces as a stream would give them; an error ends the text. An error alone: it cannot be opened. */
  readonly text: string | readonly (string | ArchiveCorrupt)[] | ArchiveCorrupt;
}

export class FakeArchive implements ExportArchive {
  readonly members: readonly ArchiveMember[];
  closed = 0;

  constructor(
    members: readonly FakeMember[],
    readonly bytes = 1_000,
  ) {
    this.members = members.map(({ hour, part = 0, text }) => {
      const name = `1/1_${hour === undefined ? 'unknown' : formatHour(hour)}#${part}.json.gz`;
      const pieces = typeof text === 'string' ? [text] : text instanceof ArchiveCorrupt ? [] : text;
      return {
        name,
        hour,
        fingerprint: `${name} ${JSON.stringify(pieces)}`,
        openText: () => {
          if (this.closed > 0) throw new Error('the archive is closed');
          if (text instanceof ArchiveCorrupt) return Promise.reject(text);
          return Promise.resolve(Readable.from(play(pieces), { objectMode: false }));
        },
      };
    });
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

async function* play(pieces: readonly (string | ArchiveCorrupt)[]): AsyncGenerator<Buffer, void, void> {
  for (const piece of pieces) {
    if (piece instanceof ArchiveCorrupt) throw piece;
    yield Buffer.from(piece);
  }
}

export function archiveAnswer(archive: FakeArchive): ExportAnswer {
  return { kind: 'archive', archive };
}

export const EMPTY: ExportAnswer = { kind: 'empty' };

export function tooLarge(message = 'too large'): ExportAnswer {
  return { kind: 'too large', failure: new ConnectorFailure('config', message, undefined, { status: 400 }) };
}

export function httpFailure(status: number, message: string): ConnectorFailure {
  return new ConnectorFailure(status === 429 ? 'transient' : 'config', message, undefined, {
    status,
    words: message,
  });
}
