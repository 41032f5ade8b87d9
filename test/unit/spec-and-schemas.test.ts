import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  findLosses,
  findSpecProblems,
  findStreamSchemaProblems,
  propertiesOf,
  typesOf,
} from '../harness/schema-rules';
import type { Node } from '../harness/schema-rules';
import { streams } from '../../src/streams';

const ROOT = join(__dirname, '..', '..');
const readText = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const readJson = (path: string): Node => JSON.parse(readText(path)) as Node;

interface UpstreamStream {
  readonly name: string;
  readonly json_schema: Node;
  readonly source_defined_primary_key: readonly (readonly string[])[];
  readonly default_cursor_field?: readonly string[];
}
const upstream = readJson('test/fixtures/upstream-0.6.19.json') as unknown as {
  connectionSpecification: Node;
  streams: readonly UpstreamStream[];
};
const spec = readJson('spec.json');
const connectionSpecification = spec['connectionSpecification'] as Node;
const configKeys = propertiesOf(connectionSpecification);
const streamNames = readdirSync(join(ROOT, 'schemas')).map((file) => file.replace(/\.json$/, ''));
const schemaOf = (name: string): Node => readJson(`schemas/${name}.json`);
const clone = (node: Node): Record<string, Record<string, Record<string, unknown>>> =>
  JSON.parse(JSON.stringify(node)) as Record<string, Record<string, Record<string, unknown>>>;
const withChange = (root: Node, name: string, change: Node): Node => {
  const copy = clone(root);
  Object.assign(copy['properties']![name]!, change);
  return copy;
};
const compile = (schema: Node): ((value: unknown) => boolean) => {
  const ajv = addFormats(new Ajv({ strict: false }));
  const validate = ajv.compile(schema);
  return (value) => validate(value) === true;
};

describe('spec.json', () => {
  test('is a ConnectorSpecification of protocol 0.3.0 with a draft-07 connectionSpecification', () => {
    expect(spec['protocol_version']).toBe('0.3.0');
    expect(String(spec['documentationUrl'])).toMatch(/^https:\/\//);
    expect(connectionSpecification).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      additionalProperties: true,
      required: ['api_key', 'secret_key'],
    });
    expect(new Ajv({ strict: false }).validateSchema(connectionSpecification)).toBe(true);
  });

  test.each([
    [11, 'a key without its secret mark', 'api_key', { airbyte_secret: false }],
    [17, 'a repeated order', 'end_date', { order: 0 }],
    [9, 'a repeated enum value', 'on_malformed_line', { enum: ['fail', 'fail'] }],
    [9, 'a default outside the enum', 'on_malformed_line', { default: 'ignore' }],
    [12, 'an unlisted type', 'end_date', { type: ['null', 'string'] }],
    [15, 'a forbidden keyword', 'end_date', { anyOf: [] }],
    [13, 'an empty object', 'base_url', { type: 'object' }],
    [22, 'a closed object', 'base_url', { additionalProperties: false }],
    [19, 'a display_type without oneOf', 'base_url', { display_type: 'radio' }],
    [14, 'a list of anything', 'base_url', { type: 'array', items: {} }],
    [
      18,
      'a group below the top',
      'base_url',
      { type: 'object', properties: { inner: { type: 'string', group: 'g' } } },
    ],
    ['form', 'a missing description', 'base_url', { description: '' }],
    ['form', 'a descriptor without a pattern', 'start_date', { pattern_descriptor: 'YYYY' }],
  ] as const)('the rules of check %s notice %s', (check, _what, name, change) => {
    const problems = findSpecProblems(withChange(connectionSpecification, name, change));
    expect(problems.map((problem) => problem.check)).toContain(check);
  });

  test("keeps every key of upstream's with its type, enum, limits and default", () => {
    for (const [name, theirs] of Object.entries(propertiesOf(upstream.connectionSpecification))) {
      const ours = configKeys[name];
      expect(ours).toBeDefined();
      for (const keyword of ['type', 'enum', 'minimum', 'maximum', 'airbyte_secret', 'title']) {
        expect([name, keyword, ours?.[keyword]]).toEqual([name, keyword, theirs[keyword] ?? ours?.[keyword]]);
      }
      if ('default' in theirs) expect(ours?.['default']).toEqual(theirs['default']);
    }
    const required = connectionSpecification['required'] as string[];
    expect(upstream.connectionSpecification['required']).toEqual(expect.arrayContaining(required));
  });

  test('accepts the forms that the documentation promises and refuses the others', () => {
    const accepts = compile(connectionSpecification);
    const keys = { api_key: 'a', secret_key: 's' };
    expect(accepts(keys)).toBe(true);
    for (const date of ['', '2024-03-01', '2024-03-01T00:00:00Z', 'P1Y', 'P1DT12H']) {
      expect([date, accepts({ ...keys, start_date: date, end_date: date })]).toEqual([date, true]);
    }
    expect(accepts({ ...keys, unknown_key: 1 })).toBe(true);
    expect(accepts({ ...keys, lookback_hours: 0, request_time_range: 8760 })).toBe(true);
    for (const bad of [
      { end_date: 'tomorrow' },
      { lookback_hours: -1 },
      { lookback_hours: 1.5 },
      { request_time_range: 0 },
      { data_region: 'Mars' },
      { on_malformed_line: 'ignore' },
      { base_url: 'ftp://host' },
      { api_key: undefined },
    ]) {
      expect([bad, accepts({ ...keys, ...bad })]).toEqual([bad, false]);
    }
  });
});

describe.each(streamNames)('schemas/%s.json', (name) => {
  test('checks 33, 35, 38, 42: draft-07 within the type system, every field described', () => {
    expect(new Ajv({ strict: false }).validateSchema(schemaOf(name))).toBe(true);
    expect(findStreamSchemaProblems(schemaOf(name))).toEqual([]);
  });
});

describe('schemas', () => {
  const keys: Readonly<Record<string, string>> = {
    events: 'uuid',
    active_users: 'date',
    new_users: 'date',
    average_session_length: 'date',
    annotations: 'id',
    cohorts: 'id',
    events_list: 'id',
  };

  test("exist for upstream's six streams and new_users", () => {
    expect(streamNames).toEqual(expect.arrayContaining(Object.keys(keys)));
    expect(Object.keys(keys)).toEqual(expect.arrayContaining(upstream.streams.map((stream) => stream.name)));
  });

  test('checks 36, 39: every primary key is declared and scalar', () => {
    const declared = streams.flatMap(({ name, primaryKey }) => primaryKey.map((key) => [name, key] as const));
    expect(declared.length).toBeGreaterThanOrEqual(Object.keys(keys).length);
    for (const [stream, key] of declared) {
      const types = typesOf(propertiesOf(schemaOf(stream))[key] ?? {});
      expect(types.length).toBeGreaterThan(0);
      expect(types.filter((type) => type === 'object' || type === 'array')).toEqual([]);
    }
  });

  test.each(upstream.streams.map((stream) => [stream.name, stream] as const))(
    "%s is a superset of upstream's",
    (name, theirs) => {
      const ours = schemaOf(name);
      // Upstream declares this one date-time and sends dates: its own schema refuses its own values.
      const allowed = name === 'average_session_length' ? ['#/date: format date-time'] : [];
      expect(findLosses(theirs.json_schema, ours)).toEqual(allowed);
      expect(theirs.source_defined_primary_key).toEqual([[keys[name]]]);
      const cursor = theirs.default_cursor_field?.[0];
      if (cursor !== undefined) expect(propertiesOf(ours)[cursor]).toBeDefined();
    },
  );

  test('events declares the 55 keys of an exported line, and its seven times as timestamps', () => {
    const properties = propertiesOf(schemaOf('events'));
    expect(Object.keys(properties)).toHaveLength(55);
    const times = Object.keys(properties).filter((key) => properties[key]?.['format'] === 'date-time');
    expect(times.sort()).toEqual([
      'client_event_time',
      'client_upload_time',
      'event_time',
      'processed_time',
      'server_received_time',
      'server_upload_time',
      'user_creation_time',
    ]);
  });

  test('the values seen in the wild are valid', () => {
    const event = compile(schemaOf('events'));
    const base = { uuid: 'u', server_upload_time: '2023-08-25T11:05:08.013000+00:00', session_id: -1 };
    for (const paying of [null, true, '(none)']) expect(event({ ...base, paying })).toBe(true);
    for (const sample_rate of [null, 0.5, '0.5']) expect(event({ ...base, sample_rate })).toBe(true);
    for (const $schema of [null, 12, '12']) expect(event({ ...base, $schema })).toBe(true);
    for (const ids of [null, 'a', ['a', 'b']])
      expect(event({ ...base, amplitude_attribution_ids: ids })).toBe(true);
    expect(event({ ...base, event_id: '1' })).toBe(false);
    expect(compile(schemaOf('average_session_length'))({ date: '2026-10-01', length: 1204.02 })).toBe(true);
    expect(compile(schemaOf('events_list'))({ id: 1, timeline_hidden: 0 })).toBe(true);
  });

  test.each([
    ['a closed object', { additionalProperties: false }],
    ['an unknown type', { type: 'text' }],
    ['a format on a number', { type: 'number', format: 'date' }],
    ['an unknown airbyte_type', { airbyte_type: 'timestamp' }],
    ['a forbidden keyword', { not: {} }],
    ['a missing description', { description: '' }],
  ])('the rules notice %s', (_what, change) => {
    const schema = withChange(schemaOf('cohorts'), 'definition', change);
    expect(findStreamSchemaProblems(schema)).not.toEqual([]);
  });

  test.each([
    ['a removed field', (schema: Node) => ({ ...schema, properties: {} })],
    ['a narrowed type', (schema: Node) => withChange(schema, 'name', { type: 'string' })],
  ])('the comparison with upstream notices %s', (_what, change) => {
    const theirs = upstream.streams.find((stream) => stream.name === 'cohorts');
    expect(findLosses(theirs?.json_schema ?? {}, change(schemaOf('cohorts')))).not.toEqual([]);
  });
});

describe('metadata.yaml and icon.svg', () => {
  const metadata = readText('metadata.yaml');
  const valueOf = (key: string): string | undefined =>
    new RegExp(`^  ${key}: "?([^"\\n]+)"?$`, 'm').exec(metadata)?.[1];

  test('carry the one version number of package.json', () => {
    expect(valueOf('dockerImageTag')).toBe(readJson('package.json')['version']);
  });

  test('have an id of our own and name the language', () => {
    expect(valueOf('definitionId')).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(valueOf('definitionId')).not.toBe('fa9f58c6-2d03-4237-aaa4-07d75e0c1396');
    expect(metadata).toContain('- language:typescript');
  });

  test('the icon is a square drawing', () => {
    const [, width, height] = /<svg[^>]* width="(\d+)" height="(\d+)"/.exec(readText('icon.svg')) ?? [];
    expect(width).toBeDefined();
    expect(width).toBe(height);
  });
});
