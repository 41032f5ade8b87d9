/** A JSON schema, or any object inside one. */
export type Node = Readonly<Record<string, unknown>>;

const FORBIDDEN_EVERYWHERE = [
  'not',
  'anyOf',
  'patternProperties',
  'prefixItems',
  'allOf',
  'if',
  'then',
  'else',
  'dependentSchemas',
  'dependentRequired',
  '$ref',
];
const SECRET_NAMES =
  /^(client_token|access_token|api_token|token|secret|client_secret|password|key|service_account_info|service_account|tenant_id|certificate|jwt|credentials|app_id|appid|refresh_token)$|(_token|_secret|password|api_?key|secret_key|private_key|access_key)$/i;
const JSON_TYPES = new Set(['null', 'string', 'number', 'integer', 'boolean', 'object', 'array']);
const AIRBYTE_TYPES: Readonly<Record<string, readonly string[]>> = {
  timestamp_with_timezone: ['string'],
  timestamp_without_timezone: ['string'],
  integer: ['integer', 'number'],
};

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function propertiesOf(schema: Node): Readonly<Record<string, Node>> {
  return (isNode(schema['properties']) ? schema['properties'] : {}) as Readonly<Record<string, Node>>;
}

export function typesOf(schema: Node): string[] {
  const type = schema['type'];
  return Array.isArray(type) ? type.map(String) : type === undefined ? [] : [String(type)];
}

/** Every schema below and including `schema`, with its path; property names are never taken for keywords. */
export function* subschemas(schema: Node, path = '#'): Generator<[string, Node]> {
  yield [path, schema];
  for (const [name, child] of Object.entries(propertiesOf(schema)))
    yield* subschemas(child, `${path}/${name}`);
  if (isNode(schema['items'])) yield* subschemas(schema['items'], `${path}[]`);
  for (const branch of Array.isArray(schema['oneOf']) ? (schema['oneOf'] as Node[]) : []) {
    yield* subschemas(branch, `${path}/oneOf`);
  }
}

/** What is wrong with a connectionSpecification, by the number of the check of the acceptance checklist (7.2). */
export interface SpecProblem {
  /** `form`: no check asks for it, but the platform's form shows it. */
  readonly check: number | 'form';
  readonly what: string;
}

export function findSpecProblems(root: Node): SpecProblem[] {
  const problems: SpecProblem[] = [];
  const report = (check: SpecProblem['check'], what: string): void => {
    problems.push({ check, what });
  };
  for (const [path, schema] of subschemas(root)) {
    const type = schema['type'];
    const isRoot = schema === root;
    for (const keyword of FORBIDDEN_EVERYWHERE) if (keyword in schema) report(15, `${path}: ${keyword}`);
    if ('additionalProperties' in schema && schema['additionalProperties'] !== true) {
      report(22, `${path}: additionalProperties`);
    }
    if (!isRoot) {
      const listIsFine =
        Array.isArray(type) && (type.length === 1 || (type.length === 2 && type[1] === 'null'));
      if (typeof type !== 'string' && !listIsFine) report(12, `${path}: type`);
      if (type === 'object' && !('oneOf' in schema) && Object.keys(propertiesOf(schema)).length === 0) {
        report(13, `${path}: empty object`);
      }
      if ('group' in schema && path.split('/').length > 2) report(18, `${path}: group`);
    }
    if (type === 'array') {
      const items = schema['items'];
      const itemType = isNode(items) ? items['type'] : undefined;
      if (
        !isNode(items) ||
        !('enum' in items || ['object', 'string', 'number', 'integer'].includes(String(itemType)))
      ) {
        report(14, `${path}: items`);
      }
    }
    if (Array.isArray(schema['enum'])) {
      const values = schema['enum'] as unknown[];
      if (new Set(values).size !== values.length) report(9, `${path}: repeated enum value`);
      if (new Set(values.map((value) => typeof value)).size > 1) report(9, `${path}: mixed enum`);
      if ('default' in schema && !values.includes(schema['default'])) report(9, `${path}: default`);
    }
    if ('display_type' in schema && !('oneOf' in schema)) report(19, `${path}: display_type`);
    if ('pattern_descriptor' in schema && !('pattern' in schema))
      report('form', `${path}: pattern_descriptor`);
    const orders = Object.values(propertiesOf(schema)).map((child) => child['order']);
    if (new Set(orders).size !== orders.length) report(17, `${path}: repeated order`);
    for (const [name, child] of Object.entries(propertiesOf(schema))) {
      const holdsText = typesOf(child).some((each) => ['string', 'number', 'integer'].includes(each));
      const mustBeSecret = SECRET_NAMES.test(name) && holdsText && !('const' in child);
      if (mustBeSecret && child['airbyte_secret'] !== true) report(11, `${path}/${name}: airbyte_secret`);
      if (!mustBeSecret && 'airbyte_secret' in child) report(11, `${path}/${name}: needless airbyte_secret`);
      for (const text of ['title', 'description']) {
        if (typeof child[text] !== 'string' || child[text] === '') report('form', `${path}/${name}: ${text}`);
      }
      if (typeof child['order'] !== 'number') report(17, `${path}/${name}: order`);
    }
  }
  return problems;
}

/** What the acceptance checklist (7.4) and Airbyte's type system have against a stream's schema. */
export function findStreamSchemaProblems(root: Node): string[] {
  const problems: string[] = [];
  if (root['$schema'] !== 'http://json-schema.org/draft-07/schema#') problems.push('#: $schema');
  if (root['type'] !== 'object' || Object.keys(propertiesOf(root)).length === 0) problems.push('#: object');
  for (const [path, schema] of subschemas(root)) {
    const types = typesOf(schema);
    for (const keyword of [...FORBIDDEN_EVERYWHERE, 'oneOf'])
      if (keyword in schema) problems.push(`${path}: ${keyword}`);
    if (types.length === 0 || types.some((type) => !JSON_TYPES.has(type))) problems.push(`${path}: type`);
    if (types.includes('object') && schema['additionalProperties'] !== true) {
      problems.push(`${path}: additionalProperties`);
    }
    if (types.includes('array') && !isNode(schema['items'])) problems.push(`${path}: items`);
    const onlyText = types.every((type) => type === 'string' || type === 'null');
    const format = schema['format'];
    if (format !== undefined && !(onlyText && (format === 'date' || format === 'date-time'))) {
      problems.push(`${path}: format`);
    }
    const airbyteType = schema['airbyte_type'];
    if (airbyteType !== undefined) {
      const allowed = AIRBYTE_TYPES[String(airbyteType)] ?? [];
      if (!types.every((type) => type === 'null' || allowed.includes(type)))
        problems.push(`${path}: airbyte_type`);
    }
    if (format === 'date-time' && airbyteType !== 'timestamp_with_timezone')
      problems.push(`${path}: airbyte_type`);
    for (const [name, child] of Object.entries(propertiesOf(schema))) {
      if (typeof child['description'] !== 'string' || !/[.)]$/.test(child['description'])) {
        problems.push(`${path}/${name}: description`);
      }
    }
  }
  return problems;
}

/** What `theirs` declares and `ours` lacks: properties, types, formats, keyed by path. */
export function findLosses(theirs: Node, ours: Node, path = '#'): string[] {
  const losses: string[] = [];
  const ourTypes = typesOf(ours);
  for (const type of typesOf(theirs)) if (!ourTypes.includes(type)) losses.push(`${path}: type ${type}`);
  if (theirs['format'] !== ours['format']) losses.push(`${path}: format ${String(theirs['format'])}`);
  for (const [name, child] of Object.entries(propertiesOf(theirs))) {
    const match = propertiesOf(ours)[name];
    if (match === undefined) losses.push(`${path}/${name}: missing`);
    else losses.push(...findLosses(child, match, `${path}/${name}`));
  }
  if (isNode(theirs['items'])) {
    losses.push(...findLosses(theirs['items'], isNode(ours['items']) ? ours['items'] : {}, `${path}[]`));
  }
  return losses;
}
