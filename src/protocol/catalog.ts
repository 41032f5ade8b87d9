import { ConnectorFailure } from '../failure';
import { isObject, parseJson } from './json';
import {
  type AirbyteCatalog,
  type AirbyteStream,
  type StreamDescriptor,
  streamKey,
  type SyncMode,
} from './messages';

/** What `read` needs of one stream of the configured catalog. */
export interface ConfiguredStream extends StreamDescriptor {
  /** As configured. PyAirbyte asks for `incremental` on every stream, so it is no proof that the stream can do it. */
  readonly syncMode: SyncMode;
  /** Top-level fields of the configured schema: the user's column selection. Undefined when the schema lists none. */
  readonly selectedFields: ReadonlySet<string> | undefined;
}

/** A stream as `discover` presents it. */
export interface DiscoveredStream {
  readonly name: string;
  readonly jsonSchema: object;
  readonly primaryKey: readonly string[];
  /** Present when the stream can be read incrementally; a top-level field. */
  readonly cursorField?: string;
}

const SYNC_MODES: readonly SyncMode[] = ['full_refresh', 'incremental'];

/**
 * Reads a configured catalog, with explicit nulls and unknown keys anywhere. A catalog without streams is valid: nothing to read.
 * @param input The text of the file, or its parsed value.
 * @param label How messages name it, for example the path of the file.
 * @throws ConnectorFailure `system` when the text is not JSON, `config` when a stream is not what the protocol says.
 */
export function parseConfiguredCatalog(input: unknown, label = 'configured catalog'): ConfiguredStream[] {
  const catalog = typeof input === 'string' ? parseJson(input, label) : input;
  if (!isObject(catalog)) throw invalid(label, 'it is not a JSON object');
  if (!Array.isArray(catalog.streams)) throw invalid(label, 'it has no list of "streams"');
  const seen = new Set<string>();
  return catalog.streams.map((entry: unknown, index) => {
    const stream = parseEntry(entry, index, label);
    const key = streamKey(stream);
    if (seen.has(key)) throw invalid(label, `the stream "${stream.name}" is listed twice`);
    seen.add(key);
    return stream;
  });
}

function parseEntry(entry: unknown, index: number, label: string): ConfiguredStream {
  const where = `stream ${String(index + 1)}`;
  if (!isObject(entry)) throw invalid(label, `${where} is not an object`);
  const stream = entry.stream;
  if (!isObject(stream)) throw invalid(label, `${where} has no "stream" object`);
  const { name, namespace } = stream;
  if (typeof name !== 'string' || name === '') throw invalid(label, `${where} has no name`);
  if (typeof namespace !== 'string' && namespace !== undefined && namespace !== null) {
    throw invalid(label, `the namespace of the stream "${name}" is not a text`);
  }
  const syncMode = SYNC_MODES.find((mode) => mode === entry.sync_mode);
  if (syncMode === undefined) {
    const given = typeof entry.sync_mode === 'string' ? `is "${entry.sync_mode}"` : 'is missing';
    throw invalid(
      label,
      `the sync_mode of the stream "${name}" ${given}; it must be full_refresh or incremental`,
    );
  }
  return {
    name,
    ...(typeof namespace === 'string' ? { namespace } : {}),
    syncMode,
    selectedFields: selectedFieldsOf(stream.json_schema),
  };
}

function selectedFieldsOf(schema: unknown): ReadonlySet<string> | undefined {
  if (!isObject(schema) || !isObject(schema.properties)) return undefined;
  const names = Object.keys(schema.properties);
  return names.length === 0 ? undefined : new Set(names);
}

function invalid(label: string, reason: string): ConnectorFailure {
  return new ConnectorFailure(
    'config',
    `The catalog is not valid (${label}): ${reason}. Refresh the schema of the connection, or run discover again.`,
  );
}

/** The catalog that `discover` sends: same input, same bytes. */
export function buildCatalog(streams: readonly DiscoveredStream[]): AirbyteCatalog {
  return { streams: streams.map(buildStream) };
}

function buildStream(stream: DiscoveredStream): AirbyteStream {
  return {
    name: stream.name,
    json_schema: stream.jsonSchema,
    // full_refresh first: Airbyte's test suites read with the first mode.
    supported_sync_modes:
      stream.cursorField === undefined ? ['full_refresh'] : ['full_refresh', 'incremental'],
    ...(stream.cursorField === undefined
      ? {}
      : { source_defined_cursor: true, default_cursor_field: [stream.cursorField] }),
    ...(stream.primaryKey.length === 0
      ? {}
      : { source_defined_primary_key: stream.primaryKey.map((field) => [field]) }),
    is_resumable: stream.cursorField !== undefined,
  };
}
