/** One entry of `record.meta.changes`. */
export interface SpliceChange {
  readonly field: string;
  readonly change: 'NULLED';
  readonly reason: 'SOURCE_SERIALIZATION_ERROR' | 'SOURCE_RECORD_SIZE_LIMITATION';
}

/** What stands around an event in its line, and what of the event is left out. */
export interface RecordForm {
  readonly tail: Uint8Array;
  tailWithChanges(changes: readonly SpliceChange[]): Uint8Array;
  readonly dropFields: ReadonlySet<string>;
  /** Fields that are never replaced by null because of the record's size. */
  readonly keepFields: ReadonlySet<string>;
  /** Largest finished line, its newline included (bytes). */
  readonly maxRecordBytes: number;
}

/** The top-level fields that Airbyte's connector rewrites (its components.py). */
export const TIMESTAMP_FIELDS: ReadonlySet<string> = new Set([
  'event_time',
  'server_upload_time',
  'processed_time',
  'server_received_time',
  'user_creation_time',
  'client_upload_time',
  'client_event_time',
]);
