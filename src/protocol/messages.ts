import type { LogLevel } from './log';
import type { StreamState } from './output';

/** Names a stream. A namespace is echoed exactly as configured: to the platform, null, absent and `""` differ. */
export interface StreamDescriptor {
  readonly name: string;
  readonly namespace?: string;
}

export interface SpecMessage {
  readonly type: 'SPEC';
  readonly spec: object;
}

/** One stream of a CATALOG. */
export interface AirbyteStream {
  readonly name: string;
  readonly json_schema: object;
  readonly supported_sync_modes: readonly SyncMode[];
  readonly source_defined_cursor?: boolean;
  readonly default_cursor_field?: readonly string[];
  readonly source_defined_primary_key?: readonly (readonly string[])[];
  readonly is_resumable: boolean;
}

export type SyncMode = 'full_refresh' | 'incremental';

export interface AirbyteCatalog {
  readonly streams: readonly AirbyteStream[];
}

export interface CatalogMessage {
  readonly type: 'CATALOG';
  readonly catalog: AirbyteCatalog;
}

export interface ConnectionStatusMessage {
  readonly type: 'CONNECTION_STATUS';
  readonly connectionStatus: { readonly status: 'SUCCEEDED' | 'FAILED'; readonly message?: string };
}

export interface RecordMessage {
  readonly type: 'RECORD';
  readonly record: {
    readonly stream: string;
    readonly namespace?: string;
    /** Epoch ms, an integer. */
    readonly emitted_at: number;
    /** Never empty: the platform drops a record without fields, and its count no longer matches. */
    readonly data: object;
  };
}

export interface StateMessage {
  readonly type: 'STATE';
  readonly state: {
    readonly type: 'STREAM';
    readonly stream: { readonly stream_descriptor: StreamDescriptor; readonly stream_state: StreamState };
    /** RECORDs of this stream since its previous STATE. */
    readonly sourceStats: { readonly recordCount: number };
  };
}

export interface LogMessage {
  readonly type: 'LOG';
  readonly log: { readonly level: LogLevel; readonly message: string; readonly stack_trace?: string };
}

export type FailureType = 'config_error' | 'transient_error' | 'system_error';

/** A failure as Airbyte shows it; every text is redacted already. */
export interface ErrorTrace {
  readonly message: string;
  readonly internal_message?: string;
  readonly stack_trace?: string;
  readonly failure_type: FailureType;
  readonly stream_descriptor?: StreamDescriptor;
}

export type StreamStatus = 'STARTED' | 'RUNNING' | 'COMPLETE' | 'INCOMPLETE';

export interface StreamStatusTrace {
  readonly stream_descriptor: StreamDescriptor;
  readonly status: StreamStatus;
  readonly reasons?: readonly {
    readonly type: 'RATE_LIMITED';
    readonly rate_limited: { readonly quota_reset: number };
  }[];
}

export interface TraceMessage {
  readonly type: 'TRACE';
  readonly trace:
    | { readonly type: 'ERROR'; readonly emitted_at: number; readonly error: ErrorTrace }
    | {
        readonly type: 'STREAM_STATUS';
        readonly emitted_at: number;
        readonly stream_status: StreamStatusTrace;
      };
}

/** Every message that a source of ours sends (protocol 0.18). */
export type Message =
  | SpecMessage
  | CatalogMessage
  | ConnectionStatusMessage
  | RecordMessage
  | StateMessage
  | LogMessage
  | TraceMessage;

export function specMessage(spec: object): SpecMessage {
  return { type: 'SPEC', spec };
}

export function catalogMessage(catalog: AirbyteCatalog): CatalogMessage {
  return { type: 'CATALOG', catalog };
}

export function connectionStatusMessage(
  status: 'SUCCEEDED' | 'FAILED',
  message?: string,
): ConnectionStatusMessage {
  return {
    type: 'CONNECTION_STATUS',
    connectionStatus: message === undefined ? { status } : { status, message },
  };
}

export function recordMessage(stream: StreamDescriptor, data: object, emittedAt: number): RecordMessage {
  return {
    type: 'RECORD',
    record: {
      stream: stream.name,
      ...(stream.namespace === undefined ? {} : { namespace: stream.namespace }),
      emitted_at: Math.trunc(emittedAt),
      data,
    },
  };
}

export function stateMessage(
  stream: StreamDescriptor,
  state: StreamState,
  recordCount: number,
): StateMessage {
  return {
    type: 'STATE',
    state: {
      type: 'STREAM',
      stream: { stream_descriptor: plainDescriptor(stream), stream_state: state },
      sourceStats: { recordCount },
    },
  };
}

export function logMessage(level: LogLevel, message: string, stackTrace?: string): LogMessage {
  return {
    type: 'LOG',
    log: stackTrace === undefined ? { level, message } : { level, message, stack_trace: stackTrace },
  };
}

export function errorTraceMessage(error: ErrorTrace, emittedAt: number): TraceMessage {
  return { type: 'TRACE', trace: { type: 'ERROR', emitted_at: Math.trunc(emittedAt), error } };
}

/** @param quotaReset Epoch ms when a rate limit ends; only with RUNNING. */
export function streamStatusMessage(
  stream: StreamDescriptor,
  status: StreamStatus,
  emittedAt: number,
  quotaReset?: number,
): TraceMessage {
  const plain = { stream_descriptor: plainDescriptor(stream), status };
  return {
    type: 'TRACE',
    trace: {
      type: 'STREAM_STATUS',
      emitted_at: Math.trunc(emittedAt),
      stream_status:
        quotaReset === undefined
          ? plain
          : {
              ...plain,
              reasons: [{ type: 'RATE_LIMITED', rate_limited: { quota_reset: Math.trunc(quotaReset) } }],
            },
    },
  };
}

/** Only the two keys of a descriptor, whatever else the given value carries. */
export function plainDescriptor(stream: StreamDescriptor): StreamDescriptor {
  return stream.namespace === undefined
    ? { name: stream.name }
    : { name: stream.name, namespace: stream.namespace };
}

/** A map key for a stream; JSON, because names and namespaces may hold any character. */
export function streamKey(stream: StreamDescriptor): string {
  return stream.namespace === undefined ? stream.name : JSON.stringify([stream.namespace, stream.name]);
}

const SEPARATORS = /[\u0085\u2028\u2029]/;
const SEPARATOR_ESCAPES = new Map([
  ['\u0085', '\\u0085'],
  ['\u2028', '\\u2028'],
  ['\u2029', '\\u2029'],
]);

/**
 * JSON on one line for every reader: Python's `splitlines` (used by Airbyte's test suites) also splits on U+0085, U+2028
 * and U+2029, which `JSON.stringify` leaves as they are.
 */
export function stringifyOnOneLine(value: object | string): string {
  const json = JSON.stringify(value);
  if (!SEPARATORS.test(json)) return json;
  return json.replace(/[\u0085\u2028\u2029]/g, (separator) => SEPARATOR_ESCAPES.get(separator) ?? separator);
}
