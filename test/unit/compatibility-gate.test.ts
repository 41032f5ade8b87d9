import Ajv from 'ajv';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCatalogBreaks, findSpecBreaks, type Catalog } from './compatibility-rules';
import { propertiesOf, typesOf, type Node } from '../harness/schema-rules';

const ROOT = join(__dirname, '..', '..');
const readJson = (path: string): Node => JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as Node;

/** What users of the last release have saved: `npm run release:snapshot` replaces it when a version is released. */
const released = readJson('integration_tests/released/snapshot.json') as unknown as {
  version: string;
  connectionSpecification: Node;
  catalog: Catalog;
};
const connectionSpecification = readJson('spec.json')['connectionSpecification'] as Node;
const configured = readJson('integration_tests/configured_catalog.json') as unknown as {
  streams: readonly { stream: Catalog['streams'][number] }[];
};
/** acceptance-fixtures.test.ts shows that this is what the program discovers. */
const catalog: Catalog = { streams: configured.streams.map(({ stream }) => stream) };
const version = String(readJson('package.json')['version']);

/** Breaking changes are allowed in a new major version only, and before 1.0.0 in a new minor one. */
function mayBreak(from: string, to: string): boolean {
  const [fromMajor = 0, fromMinor = 0] = from.split('.').map(Number);
  const [toMajor = 0, toMinor = 0] = to.split('.').map(Number);
  return toMajor > fromMajor || (toMajor === 0 && fromMajor === 0 && toMinor > fromMinor);
}

function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

type Mutable = Record<string, Record<string, Record<string, unknown>>>;

describe('compatibility with the released version', () => {
  const advice = `This breaks what users of ${released.version} have saved. Undo it, or release it as a new ${released.version.startsWith('0.') ? 'minor' : 'major'} version.`;

  test('the spec refuses nothing that it used to accept', () => {
    const breaks = mayBreak(released.version, version)
      ? []
      : findSpecBreaks(released.connectionSpecification, connectionSpecification);
    expect(breaks.length === 0 ? '' : [advice, ...breaks].join('\n')).toBe('');
  });

  test('the catalog takes nothing away and changes no type, key or cursor', () => {
    const breaks = mayBreak(released.version, version) ? [] : findCatalogBreaks(released.catalog, catalog);
    expect(breaks.length === 0 ? '' : [advice, ...breaks].join('\n')).toBe('');
  });

  test('check 23: a hundred configurations made from the released spec are valid under this one', () => {
    const validate = new Ajv({ strict: false }).compile(connectionSpecification);
    const check = (config: unknown): void => {
      if (!validate(config)) throw new Error(`${JSON.stringify(config)}: ${JSON.stringify(validate.errors)}`);
    };
    if (mayBreak(released.version, version)) return;
    fc.assert(fc.property(configurations(released.connectionSpecification), check), { numRuns: 100 });
  });

  test.each<[string, (spec: Mutable) => void]>([
    ['a removed key', (spec) => delete spec['properties']!['lookback_hours']],
    [
      'a key that becomes required',
      (spec) => Object.assign(spec, { required: ['api_key', 'secret_key', 'start_date'] }),
    ],
    ['a narrower type', (spec) => Object.assign(spec['properties']!['lookback_hours']!, { type: 'string' })],
    [
      'a removed enum value',
      (spec) => Object.assign(spec['properties']!['data_region']!, { enum: ['Standard Server'] }),
    ],
    ['a new enum', (spec) => Object.assign(spec['properties']!['project_timezone']!, { enum: ['UTC'] })],
    ['a new pattern', (spec) => Object.assign(spec['properties']!['start_date']!, { pattern: '^2' })],
    ['a lower maximum', (spec) => Object.assign(spec['properties']!['request_time_range']!, { maximum: 24 })],
    ['a higher minimum', (spec) => Object.assign(spec['properties']!['lookback_hours']!, { minimum: 1 })],
    ['a new bound', (spec) => Object.assign(spec['properties']!['api_key']!, { minLength: 32 })],
  ])('the spec gate notices %s', (_what, change) => {
    const changed = copy(connectionSpecification) as unknown as Mutable;
    change(changed);
    expect(findSpecBreaks(connectionSpecification, changed as unknown as Node)).toHaveLength(1);
  });

  test.each<[string, (streams: Record<string, unknown>[]) => void]>([
    ['a removed stream', (streams) => streams.shift()],
    [
      'a changed key',
      (streams) => Object.assign(streams[0]!, { source_defined_primary_key: [['event_id']] }),
    ],
    ['a changed cursor', (streams) => Object.assign(streams[0]!, { default_cursor_field: ['event_time'] })],
    ['a removed mode', (streams) => Object.assign(streams[0]!, { supported_sync_modes: ['full_refresh'] })],
    ['a removed field', (streams) => delete (streams[0]!['json_schema'] as Mutable)['properties']!['city']],
    ['a wider type', (streams) => setField(streams, 'city', { type: ['null', 'string', 'number'] })],
    ['a field that may no longer be null', (streams) => setField(streams, 'city', { type: 'string' })],
    ['a changed format', (streams) => setField(streams, 'event_time', { format: 'date' })],
  ])('the catalog gate notices %s', (_what, change) => {
    const changed = copy(catalog);
    change(changed.streams as unknown as Record<string, unknown>[]);
    expect(findCatalogBreaks(catalog, changed)).toHaveLength(1);
  });

  test('the gate lets through what breaks nothing', () => {
    const spec = copy(connectionSpecification) as unknown as Mutable;
    spec['properties']!['new_key'] = { type: 'string' };
    Object.assign(spec['properties']!['lookback_hours']!, { maximum: 1000, title: 'Other' });
    expect(findSpecBreaks(connectionSpecification, spec as unknown as Node)).toEqual([]);
    const changed = copy(catalog);
    const streams = changed.streams as unknown as Record<string, unknown>[];
    (streams[0]!['json_schema'] as Mutable)['properties']!['new_field'] = { type: ['null', 'string'] };
    streams.push({ ...copy(streams[0]!), name: 'another' });
    expect(findCatalogBreaks(catalog, changed)).toEqual([]);
    expect([mayBreak('0.1.0', '0.2.0'), mayBreak('1.2.0', '1.3.0'), mayBreak('1.2.0', '2.0.0')]).toEqual([
      true,
      false,
      true,
    ]);
  });
});

function setField(streams: Record<string, unknown>[], field: string, change: object): void {
  Object.assign((streams[0]!['json_schema'] as Mutable)['properties']![field]!, change);
}

/** Configurations that the schema admits: required keys always, the others now and then. */
function configurations(schema: Node): fc.Arbitrary<object> {
  const required = schema['required'] as string[];
  const keys = Object.entries(propertiesOf(schema)).map(
    ([key, property]) => [key, valuesOf(property)] as const,
  );
  return fc.record(Object.fromEntries(keys), { requiredKeys: required });
}

function valuesOf(property: Node): fc.Arbitrary<unknown> {
  if (Array.isArray(property['enum'])) return fc.constantFrom(...(property['enum'] as unknown[]));
  switch (typesOf(property)[0]) {
    case 'integer':
      return fc.integer({ min: Number(property['minimum']), max: Number(property['maximum']) });
    case 'boolean':
      return fc.boolean();
    default:
      return typeof property['pattern'] === 'string'
        ? fc.stringMatching(new RegExp(property['pattern']))
        : fc.string();
  }
}
