import type { AmplitudeApi } from '../amplitude/client';
import type { StreamHost, StreamOutput, StreamState } from '../protocol/output';

/** What streams may know of the configuration: never the keys, never the host. */
export interface StreamSettings {
  /** First instant to read (UTC epoch ms). */
  readonly startMs: number;
  /** The start counts back from now, so that it limits nothing that a saved state has not passed. */
  readonly startIsRelative: boolean;
  /** Where reading stops (UTC epoch ms, exclusive), or undefined for "as far as there is data". */
  readonly endMs: number | undefined;
  /** The time of this run (UTC epoch ms): fixed at the start, so that every stream agrees on what today is. */
  readonly nowMs: number;
  /** Hours of complete data that are read again to catch late arrivals. */
  readonly lookbackHours: number;
  /** Largest export window (hours), but for stretches without data. */
  readonly windowHours: number;
  /** IANA name; decides which day is "today" for the daily streams, and the date of an annotation that Amplitude gives none for. */
  readonly projectTimeZone: string;
  readonly groupByCountry: boolean;
  readonly onMalformedLine: 'fail' | 'skip';
}

export interface ReadContext {
  /** A saved state is then of an earlier attempt at this very read: what it covers was delivered and is not wanted again. */
  readonly isFullRefresh: boolean;
  readonly settings: StreamSettings;
  readonly api: AmplitudeApi;
  readonly host: StreamHost;
}

/** A stream is a value. Its schema is `schemas/<name>.json`. */
export interface Stream {
  readonly name: string;
  readonly primaryKey: readonly string[];
  /** Top-level field that moves forward; present means that the stream can be read incrementally. */
  readonly cursorField?: string;
  /** Accepts every historical form of this stream's state; throws a `config` ConnectorFailure when it cannot be one. */
  parseState?(state: StreamState, host: Pick<StreamHost, 'log'>): StreamState | undefined;
  /** Yields batches, and a checkpoint whenever everything before it is complete and verified. */
  read(context: ReadContext, state: StreamState | undefined): AsyncGenerator<StreamOutput, void, void>;
}
