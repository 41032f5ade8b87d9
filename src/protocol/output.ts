import type { Logger } from './log';

/** What a stream keeps between syncs: a flat JSON object such as `{"date":"2026-10-01"}`. */
export type StreamState = Readonly<Record<string, unknown>>;

/** One entry of `record.meta.changes`: why a value differs from what the source sent. */
export interface RecordChange {
  field: string;
  change: 'NULLED' | 'TRUNCATED';
  reason:
    | 'SOURCE_RECORD_SIZE_LIMITATION'
    | 'SOURCE_FIELD_SIZE_LIMITATION'
    | 'SOURCE_SERIALIZATION_ERROR'
    | 'SOURCE_RETRIEVAL_ERROR';
}

/** Records as objects, for streams of small answers. */
export interface RecordBatch {
  readonly kind: 'records';
  readonly records: readonly object[];
}

/** Records as finished message lines (`{"type":"RECORD",…}\n` each), for streams whose bytes must not change. */
export interface LineBatch {
  readonly kind: 'lines';
  /** Whole lines only. The consumer has copied or written them before it asks for the next output. */
  readonly bytes: Uint8Array;
  /** Number of RECORD messages in `bytes`. */
  readonly count: number;
}

/** Everything needed to resume from `state` has been yielded, complete and verified. */
export interface Checkpoint {
  readonly kind: 'checkpoint';
  readonly state: StreamState;
}

export type StreamOutput = RecordBatch | LineBatch | Checkpoint;

/** The bytes around a record's `data` in a RECORD line; the line is `head + data + tail`. */
export interface RecordEnvelope {
  /** `{"type":"RECORD","record":{"stream":"…","emitted_at":…,"data":` */
  readonly head: Uint8Array;
  /** `}}\n` */
  readonly tail: Uint8Array;
  /** The bytes between `data` and the end of the line when the record has changes: `,"meta":{"changes":[…]}}}\n`. */
  tailWithChanges(changes: readonly RecordChange[]): Uint8Array;
}

/** What the protocol side offers to a stream while it is read. */
export interface StreamHost {
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Top-level fields that the user's column selection leaves out; never a key or cursor field. */
  readonly unselectedFields: ReadonlySet<string>;
  /** The envelope of a RECORD written now (its `emitted_at` is the time of this call). */
  envelope(): RecordEnvelope;
  /** A rate limit makes the stream wait until `untilMs` (epoch); shown as status RATE_LIMITED. */
  rateLimited(untilMs: number): void;
  /** The wait is over. */
  resumed(): void;
  /** Adds to a number of the stream's line in the run summary, for example `requests`. */
  tally(name: string, amount: number): void;
}
