/** A stream as tests name it: by name, or by name and namespace. */
export type StreamName = string | { readonly name: string; readonly namespace?: string | null | undefined };

type Json = Readonly<Record<string, unknown>>;

export interface OutputRecord {
  readonly stream: string;
  readonly namespace?: string;
  readonly emitted_at: number;
  readonly data: Json;
  readonly meta?: { readonly changes: readonly Json[] };
}

export interface OutputState {
  readonly type: string;
  readonly stream: {
    readonly stream_descriptor: { readonly name: string; readonly namespace?: string };
    readonly stream_state: Json;
  };
  readonly sourceStats?: { readonly recordCount: number };
}

export interface OutputStatus {
  readonly stream_descriptor: { readonly name: string; readonly namespace?: string };
  readonly status: string;
  readonly reasons?: readonly {
    readonly type: string;
    readonly rate_limited?: { readonly quota_reset?: number };
  }[];
}

export interface OutputError {
  readonly message: string;
  readonly internal_message?: string;
  readonly stack_trace?: string;
  readonly failure_type: string;
  readonly stream_descriptor?: { readonly name: string; readonly namespace?: string };
  readonly emitted_at: number;
}

/** One parsed line; `index` is its place in the output. */
export interface OutputMessage {
  readonly index: number;
  readonly type: string;
  readonly value: Json;
}

const PAYLOADS: Readonly<Record<string, string>> = {
  RECORD: 'record',
  STATE: 'state',
  LOG: 'log',
  TRACE: 'trace',
  SPEC: 'spec',
  CATALOG: 'catalog',
  CONNECTION_STATUS: 'connectionStatus',
};

/** Splits as Python's `str.splitlines` does, which Airbyte's own suites use. */
export function splitLines(text: string): string[] {
  const lines = text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** What a run of the connector wrote to stdout, parsed as Airbyte's suites parse it. */
export class AirbyteOutput {
  readonly messages: readonly OutputMessage[];
  /** Lines that are no Airbyte message. */
  readonly unparsed: readonly string[];

  constructor(
    readonly stdout: string,
    readonly stderr = '',
    readonly exitCode: number | null = null,
    readonly signal: string | null = null,
  ) {
    const messages: OutputMessage[] = [];
    const unparsed: string[] = [];
    splitLines(stdout).forEach((line, index) => {
      const value = parseMessage(line);
      if (value === undefined) unparsed.push(line);
      else messages.push({ index, type: String(value.type), value });
    });
    this.messages = messages;
    this.unparsed = unparsed;
  }

  ofType(type: string): readonly OutputMessage[] {
    return this.messages.filter((message) => message.type === type);
  }

  records(stream?: StreamName): OutputRecord[] {
    return this.ofType('RECORD')
      .map(({ value }) => value.record as OutputRecord)
      .filter((record) => isOf(stream, record.stream, record.namespace));
  }

  states(stream?: StreamName): OutputState[] {
    return this.ofType('STATE')
      .map(({ value }) => value.state as OutputState)
      .filter(({ stream: of }) => isOf(stream, of.stream_descriptor.name, of.stream_descriptor.namespace));
  }

  /** The last state of each stream, as the content of the next run's state file. */
  get mostRecentState(): OutputState[] {
    const last = new Map(
      this.states().map((state) => [JSON.stringify(state.stream.stream_descriptor), state]),
    );
    return [...last.values()];
  }

  get errors(): OutputError[] {
    return this.traces('ERROR').map((trace) => ({
      ...(trace.error as OutputError),
      emitted_at: trace.emitted_at as number,
    }));
  }

  statuses(stream?: StreamName): OutputStatus[] {
    return this.traces('STREAM_STATUS')
      .map((trace) => trace.stream_status as OutputStatus)
      .filter(({ stream_descriptor: of }) => isOf(stream, of.name, of.namespace));
  }

  statusNames(stream?: StreamName): string[] {
    return this.statuses(stream).map(({ status }) => status);
  }

  get logs(): { readonly level: string; readonly message: string }[] {
    return this.ofType('LOG').map(({ value }) => value.log as { level: string; message: string });
  }

  logsOf(level: string): string[] {
    return this.logs.filter((log) => log.level === level).map((log) => log.message);
  }

  get spec(): Json | undefined {
    return this.ofType('SPEC')[0]?.value.spec as Json | undefined;
  }

  get catalog(): { readonly streams: readonly Json[] } | undefined {
    return this.ofType('CATALOG')[0]?.value.catalog as { streams: Json[] } | undefined;
  }

  get connectionStatus(): { readonly status: string; readonly message?: string } | undefined {
    return this.ofType('CONNECTION_STATUS')[0]?.value.connectionStatus as { status: string } | undefined;
  }

  private traces(type: string): Json[] {
    return this.ofType('TRACE')
      .map(({ value }) => value.trace as Json)
      .filter((trace) => trace.type === type);
  }
}

function parseMessage(line: string): Json | undefined {
  try {
    const value = JSON.parse(line) as unknown;
    if (!isObject(value) || typeof value.type !== 'string') return undefined;
    const payload = PAYLOADS[value.type];
    return payload !== undefined && isObject(value[payload]) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOf(wanted: StreamName | undefined, name: string, namespace: string | undefined): boolean {
  if (wanted === undefined) return true;
  if (typeof wanted === 'string') return wanted === name;
  return wanted.name === name && (wanted.namespace ?? undefined) === namespace;
}
