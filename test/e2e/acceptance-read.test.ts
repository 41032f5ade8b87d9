import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIXTURE_DATA } from '../../integration_tests/write-fixtures';
import type { Simulator } from '../../simulator/simulator';
import { assertProtocol } from '../harness/assert-protocol';
import { assertSuccess } from '../harness/assert-success';
import { runConnector, type ConnectorOutput } from '../harness/connector';
import { catalogOf, configFor, schemaOf, STREAMS, type ConfiguredCatalog } from '../harness/inputs';
import { compileSchema, findSchemaErrors } from '../harness/schema-check';
import { parseLossless, toStrictPlain } from '../harness/lossless-json';
import { startSimulator } from '../harness/with-simulator';

/*
 * Sections 7.5 and 7.6 of Airbyte's acceptance checklist; a test's name starts with the number of its check. Check 57 is
 * about the image; 60 is asserted nowhere in Airbyte's own suite.
 */
const OPTIONS = { data: FIXTURE_DATA, now: Date.UTC(2024, 2, 4) };
const END = '2024-03-03';
const KEYS: Readonly<Record<string, string>> = {
  events: 'uuid',
  active_users: 'date',
  new_users: 'date',
  average_session_length: 'date',
  annotations: 'id',
  cohorts: 'id',
  events_list: 'id',
};
const input = (name: string): unknown =>
  JSON.parse(readFileSync(join(__dirname, '..', '..', 'integration_tests', name), 'utf8')) as unknown;

/** As Airbyte's suites write a catalog: every optional key is there and null. */
const catalogWithNulls = (names: readonly string[]): ConfiguredCatalog => ({
  streams: catalogOf(names, { mode: 'full_refresh' }).streams.map((entry) => ({
    ...entry,
    stream: {
      ...entry.stream,
      ...nulls(
        'namespace',
        'source_defined_cursor',
        'default_cursor_field',
        'source_defined_primary_key',
        'is_resumable',
        'is_file_based',
      ),
    },
    destination_sync_mode: 'append_dedup',
    ...nulls(
      'cursor_field',
      'primary_key',
      'destination_object_name',
      'generation_id',
      'minimum_generation_id',
      'sync_id',
      'include_files',
    ),
  })) as unknown as ConfiguredCatalog['streams'],
});
const nulls = (...keys: string[]): Record<string, null> => Object.fromEntries(keys.map((key) => [key, null]));

let simulator: Simulator;
let output: ConnectorOutput;
let again: ConnectorOutput;

beforeAll(async () => {
  simulator = await startSimulator(OPTIONS);
  const run = (): Promise<ConnectorOutput> =>
    runConnector(['read'], {
      config: configFor(simulator, { end_date: END }),
      catalog: catalogWithNulls(STREAMS),
    });
  output = await run();
  again = await run();
});
afterAll(() => simulator.close());

it('45: a read of all streams ends with exit code 0, records and no error', () => {
  // The checker takes the catalog's explicit nulls for no namespace, as the platform does.
  assertSuccess(output, catalogOf(STREAMS));
  expect(output.records().length).toBeGreaterThan(0);
});

it.each(STREAMS)(
  '46, 47: every record of %s is valid by its schema, with strict integers and formats',
  (stream) => {
    expect(findSchemaErrors(output, stream, schemaOf(stream))).toEqual([]);
    const fields = Object.keys(schemaOf(stream).properties);
    for (const { data } of output.records(stream)) {
      expect(Object.keys(data).some((field) => fields.includes(field))).toBe(true);
    }
  },
);

it('47: the schema check itself finds a float, a date and a time that are none', () => {
  const validate = compileSchema({
    properties: {
      n: { type: 'integer' },
      d: { type: 'string', format: 'date' },
      t: { type: 'string', format: 'date-time' },
    },
  });
  const isValid = (text: string): boolean => validate(toStrictPlain(parseLossless(text)));
  expect([isValid('{"n":1}'), isValid('{"n":1.0}'), isValid('{"n":1e2}')]).toEqual([true, false, false]);
  expect([isValid('{"d":"2024-02-29"}'), isValid('{"d":"2023-02-29"}')]).toEqual([true, false]);
  expect([isValid('{"t":"2024-02-29T00:00:00.000001+00:00"}'), isValid('{"t":"2024-02-29"}')]).toEqual([
    true,
    false,
  ]);
});

it.each(STREAMS)('48, 49: %s gives records, each with its key', (stream) => {
  const records = output.records(stream);
  expect(records.length).toBeGreaterThan(0);
  const key = KEYS[stream] ?? 'id';
  for (const { data } of records) expect(['string', 'number']).toContain(typeof data[key]);
  expect(new Set(records.map(({ data }) => data[key])).size).toBe(records.length);
});

it('50: every declared field of the small streams has a value in some record', () => {
  const missing = STREAMS.filter((stream) => stream !== 'events').flatMap((stream) =>
    Object.keys(schemaOf(stream).properties)
      .filter((field) => output.records(stream).every(({ data }) => (data[field] ?? null) === null))
      .map((field) => `${stream}.${field}`),
  );
  expect(missing).toEqual([]);
});

it('51: every expected record is there by its key', () => {
  const path = join(__dirname, '..', '..', 'integration_tests', 'expected_records.jsonl');
  const expected = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { stream: string; data: Record<string, unknown> });
  expect(new Set(expected.map(({ stream }) => stream))).toEqual(new Set(STREAMS));
  for (const stream of STREAMS) {
    const key = KEYS[stream] ?? 'id';
    const keys = output.records(stream).map(({ data }) => data[key]);
    const wanted = expected.filter((record) => record.stream === stream).map(({ data }) => data[key]);
    // In the same order as well, which is what exact_order asks for.
    expect(keys.slice(0, wanted.length)).toEqual(wanted);
  }
});

it('52: each stream’s statuses are STARTED, then RUNNING, then COMPLETE', () => {
  expect(new Set(output.statuses().map(({ stream_descriptor: { name } }) => name))).toEqual(new Set(STREAMS));
  for (const stream of STREAMS) {
    const names = output.statusNames(stream);
    expect([names.length >= 3, names[0], names.at(-1)]).toEqual([true, 'STARTED', 'COMPLETE']);
    expect(new Set(names.slice(1, -1))).toEqual(new Set(['RUNNING']));
  }
});

it('53: every stream has a state, all of type STREAM with sourceStats', () => {
  expect(output.states().length).toBeGreaterThanOrEqual(STREAMS.length);
  for (const state of output.states()) {
    expect(state).toMatchObject({
      type: 'STREAM',
      stream: { stream_descriptor: { name: expect.any(String) as string } },
    });
    expect(typeof state.sourceStats?.recordCount).toBe('number');
  }
});

it('54, 55: a catalog with invalid modes gives a TRACE ERROR and a non-zero exit code', async () => {
  const catalog = {
    streams: [
      {
        stream: {
          name: '__AIRBYTE__stream_that_does_not_exist',
          json_schema: {},
          supported_sync_modes: ['full_refresh'],
        },
        sync_mode: 'INVALID',
        destination_sync_mode: 'INVALID',
      },
    ],
  };
  const bad = await runConnector(['read'], { config: configFor(simulator), catalog });
  expect(bad.exitCode).toBe(1);
  expect(bad.errors.length).toBeGreaterThan(0);
  expect(bad.records()).toEqual([]);
});

it('56: with the invalid configuration check fails and read ends in an error', async () => {
  const config = { ...(input('invalid_config.json') as object), base_url: simulator.baseUrl };
  const checked = await runConnector(['check'], { config });
  expect([checked.exitCode, checked.connectionStatus?.status]).toEqual([0, 'FAILED']);
  const catalog = catalogOf(STREAMS);
  const read = await runConnector(['read'], { config, catalog });
  assertProtocol(read, catalog);
  expect(read.exitCode).toBe(1);
  expect(new Set(read.errors.map(({ failure_type: type }) => type))).toEqual(new Set(['config_error']));
  expect(read.records()).toEqual([]);
});

it('58: records have data and an integer time, and echo the namespace that was configured', async () => {
  for (const { data, emitted_at: emittedAt } of output.records()) {
    expect([Object.keys(data).length > 0, Number.isInteger(emittedAt)]).toEqual([true, true]);
  }
  const catalog = catalogOf(STREAMS, { namespace: 'shop “eu”' });
  const named = await runConnector(['read'], { config: configFor(simulator, { end_date: END }), catalog });
  assertSuccess(named, catalog);
  expect(new Set(named.records().map(({ namespace }) => namespace))).toEqual(new Set(['shop “eu”']));
  expect(named.records()).toHaveLength(output.records().length);
});

it('59: the counts of a stream’s states add up to its records, also between any two states', () => {
  // Between states `assertProtocol` counts (check 45); here the sums.
  for (const stream of STREAMS) {
    const counted = output
      .states(stream)
      .reduce((sum, { sourceStats }) => sum + (sourceStats?.recordCount ?? NaN), 0);
    expect([stream, counted]).toEqual([stream, output.records(stream).length]);
  }
});

it('61: two full refreshes both give records, the second with later times only', () => {
  assertSuccess(again, catalogOf(STREAMS));
  const times = (of: ConnectorOutput): number[] => of.records().map(({ emitted_at: at }) => at);
  expect(times(again)).toHaveLength(times(output).length);
  expect(Math.max(...times(output))).toBeLessThan(Math.min(...times(again)));
});
