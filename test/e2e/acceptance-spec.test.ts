import { Ajv } from 'ajv';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runConnector, type ConnectorOutput } from '../harness/connector';
import { BUILD } from '../harness/inputs';
import {
  findSpecProblems,
  type Node,
  propertiesOf,
  type SpecProblem,
  subschemas,
} from '../harness/schema-rules';

/*
 * Section 7.2 of Airbyte's acceptance checklist, against what `spec` prints; a test's name starts with the number of its
 * check. Checks 1 to 5 and 24 are about the image (integration_tests/image).
 */
const ROOT = join(__dirname, '..', '..');
const readJson = (path: string): Node => JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as Node;
const childrenOf = (schema: Node): [string, Node][] => Object.entries(propertiesOf(schema));

let output: ConnectorOutput;
let schema: Node;
/** Every schema inside, by path. Names of properties are never taken for keywords. */
let nodes: [string, Node][];
/** What the rules find, which test/unit/spec-and-schemas.test.ts breaks one by one. */
let problems: SpecProblem[];

const problemsOf = (check: SpecProblem['check']): SpecProblem[] =>
  problems.filter((problem) => problem.check === check);
const pathsWhere = (test: (node: Node, path: string) => boolean): string[] =>
  nodes.filter(([path, node]) => test(node, path)).map(([path]) => path);

beforeAll(async () => {
  output = await runConnector(['spec']);
  schema = (output.spec?.['connectionSpecification'] ?? {}) as Node;
  nodes = [...subschemas(schema)];
  problems = findSpecProblems(schema);
});

it('6: spec exits with 0 and prints exactly one SPEC and no error', () => {
  expect([output.exitCode, output.stderr, output.errors]).toEqual([0, '', []]);
  expect(output.ofType('SPEC')).toHaveLength(1);
  expect(output.messages).toHaveLength(1);
});

it('7: the sample configuration validates against the connectionSpecification, which is a valid schema', () => {
  const ajv = new Ajv({ strict: false });
  expect(ajv.validateSchema(schema)).toBe(true);
  const sample = Object.entries(readJson('integration_tests/sample_config.json')).filter(
    ([key]) => !key.startsWith('_'),
  );
  expect(ajv.compile(schema)(Object.fromEntries(sample))).toBe(true);
  expect(ajv.compile(schema)({ api_key: 'a' })).toBe(false);
});

it('8: the SPEC equals the spec.json of the repository', () => {
  expect(output.spec).toEqual(JSON.parse(readFileSync(join(BUILD, 'spec.json'), 'utf8')));
});

it('9: every enum has distinct values', () => {
  expect(pathsWhere((node) => Array.isArray(node['enum']))).not.toEqual([]);
  expect(problemsOf(9)).toEqual([]);
});

it('10, 19: there is no oneOf and no display_type, so that none can be malformed', () => {
  expect(pathsWhere((node) => 'oneOf' in node || 'anyOf' in node || 'display_type' in node)).toEqual([]);
  expect(problemsOf(19)).toEqual([]);
});

it('11: exactly the properties that hold a secret are marked as secret', () => {
  expect(pathsWhere((node) => node['airbyte_secret'] === true)).toEqual(['#/api_key', '#/secret_key']);
  expect(problemsOf(11)).toEqual([]);
});

it('12: every type is a text, or a list of one, or of two with "null" last', () => {
  expect(problemsOf(12)).toEqual([]);
});

it('13: every object below the root has properties', () => {
  expect(problemsOf(13)).toEqual([]);
});

it('14: every list names the type of its items', () => {
  expect(problemsOf(14)).toEqual([]);
});

it('15, 20: no keyword is used that the platform forbids', () => {
  expect(problemsOf(15)).toEqual([]);
  expect(output.stdout).not.toContain('"$ref"');
});

it('16: a field with the format date or date-time has the pattern of its picker', () => {
  const patterns: Readonly<Record<string, string>> = {
    date: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
    'date-time': '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$',
  };
  expect(
    pathsWhere(
      ({ format, pattern }) => patterns[String(format)] !== undefined && pattern !== patterns[String(format)],
    ),
  ).toEqual([]);
  expect(
    pathsWhere(
      ({ format, pattern }) => Object.values(patterns).includes(String(pattern)) && format === undefined,
    ),
  ).toEqual([]);
});

it('17: no order occurs twice in one object', () => {
  expect(problemsOf(17)).toEqual([]);
});

it('18: a group stands at top-level properties only', () => {
  expect(problemsOf(18)).toEqual([]);
});

it('21: there is no advanced_auth, because Amplitude has keys and no OAuth', () => {
  expect(output.spec).not.toHaveProperty('advanced_auth');
  expect(output.spec).not.toHaveProperty('authSpecification');
});

it('22: every additionalProperties is true', () => {
  expect(problemsOf(22)).toEqual([]);
  expect(schema['additionalProperties']).toBe(true);
});

it('the platform’s form finds a title and a description for every field', () => {
  expect(problemsOf('form')).toEqual([]);
});

describe('23: compared with upstream’s specification', () => {
  const upstream = readJson('test/fixtures/upstream-0.6.19.json')['connectionSpecification'] as Node;

  it('nothing is required that was not', () => {
    expect(upstream['required']).toEqual(expect.arrayContaining(schema['required'] as unknown[]));
  });

  it('no property is gone, and none has a narrower type or fewer values', () => {
    const ours = Object.fromEntries(childrenOf(schema));
    for (const [name, theirs] of childrenOf(upstream)) {
      expect([name, ours[name]?.['type']]).toEqual([name, theirs['type']]);
      const values = (theirs['enum'] ?? []) as unknown[];
      expect(ours[name]?.['enum'] ?? []).toEqual(expect.arrayContaining(values));
      if (!('enum' in theirs)) expect([name, ours[name]?.['enum']]).toEqual([name, undefined]);
    }
  });

  it('a hundred configurations made from it are valid in ours', () => {
    const date = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-01-01'), noInvalidDate: true });
    const configuration = fc.record(
      {
        api_key: fc.string(),
        secret_key: fc.string(),
        start_date: date.map((value) => `${value.toISOString().slice(0, 19)}Z`),
        data_region: fc.constantFrom('Standard Server', 'EU Residency Server'),
        request_time_range: fc.integer({ min: 1, max: 8760 }),
        active_users_group_by_country: fc.boolean(),
        unknown: fc.jsonValue(),
      },
      { requiredKeys: ['api_key', 'secret_key', 'start_date'] },
    );
    const [theirs, ours] = [upstream, schema].map((each) =>
      new Ajv({ strict: false, validateFormats: false }).compile(each),
    );
    fc.assert(
      fc.property(configuration, (config) => {
        expect([theirs!(config), ours!(config), ours!.errors]).toEqual([true, true, null]);
      }),
      { numRuns: 100 },
    );
  });
});
