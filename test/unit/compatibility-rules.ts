import { isNode, propertiesOf, typesOf, type Node } from '../harness/schema-rules';

/** Keywords that only narrow what a configuration may hold: a bound, and whether a larger value admits more. */
const BOUNDS: Readonly<Record<string, boolean>> = {
  maximum: true,
  maxLength: true,
  minimum: false,
  minLength: false,
};

interface CatalogStream {
  readonly name: string;
  readonly json_schema: Node;
  readonly supported_sync_modes: readonly string[];
  readonly default_cursor_field?: readonly string[];
  readonly source_defined_primary_key?: readonly (readonly string[])[];
}

export interface Catalog {
  readonly streams: readonly CatalogStream[];
}

/** Every way in which a configuration saved for `old` could be refused by `current`; each schema is a connectionSpecification. */
export function findSpecBreaks(old: Node, current: Node, path = '#'): string[] {
  const breaks: string[] = [];
  const required = (schema: Node): string[] =>
    Array.isArray(schema['required']) ? schema['required'].map(String) : [];
  for (const key of required(current)) {
    if (!required(old).includes(key)) breaks.push(`${path}: ${key} has become required`);
  }
  for (const type of typesOf(old)) {
    if (!typesOf(current).includes(type)) breaks.push(`${path}: type ${type} was removed`);
  }
  breaks.push(...findEnumBreaks(old, current, path), ...findConstraintBreaks(old, current, path));
  for (const [name, child] of Object.entries(propertiesOf(old))) {
    const match = propertiesOf(current)[name];
    if (match === undefined) breaks.push(`${path}/${name}: was removed`);
    else breaks.push(...findSpecBreaks(child, match, `${path}/${name}`));
  }
  return breaks;
}

function findEnumBreaks(old: Node, current: Node, path: string): string[] {
  const now = current['enum'];
  if (!Array.isArray(now)) return [];
  const before = old['enum'];
  if (!Array.isArray(before)) return [`${path}: an enum was added`];
  return before
    .filter((value) => !now.includes(value))
    .map((value) => `${path}: enum value ${String(value)} was removed`);
}

function findConstraintBreaks(old: Node, current: Node, path: string): string[] {
  const breaks: string[] = [];
  for (const keyword of ['pattern', 'format', 'const']) {
    // Whether another pattern admits more cannot be decided, so that any change counts.
    if (keyword in current && current[keyword] !== old[keyword])
      breaks.push(`${path}: ${keyword} was added or changed`);
  }
  for (const [keyword, largerAdmitsMore] of Object.entries(BOUNDS)) {
    const now = current[keyword];
    if (typeof now !== 'number') continue;
    const before = old[keyword];
    const isTighter = typeof before !== 'number' || (largerAdmitsMore ? now < before : now > before);
    if (isTighter) breaks.push(`${path}: ${keyword} was tightened`);
  }
  return breaks;
}

/** Every way in which a connection made with `old` would have to be refreshed or would lose data. */
export function findCatalogBreaks(old: Catalog, current: Catalog): string[] {
  return old.streams.flatMap((stream) => {
    const match = current.streams.find(({ name }) => name === stream.name);
    if (match === undefined) return [`${stream.name}: the stream was removed`];
    const breaks = findFieldBreaks(stream.json_schema, match.json_schema, stream.name);
    for (const key of ['default_cursor_field', 'source_defined_primary_key'] as const) {
      if (JSON.stringify(stream[key]) !== JSON.stringify(match[key]))
        breaks.push(`${stream.name}: ${key} was changed`);
    }
    for (const mode of stream.supported_sync_modes) {
      if (!match.supported_sync_modes.includes(mode))
        breaks.push(`${stream.name}: sync mode ${mode} was removed`);
    }
    return breaks;
  });
}

function findFieldBreaks(old: Node, current: Node, path: string): string[] {
  const breaks: string[] = [];
  const before = typesOf(old).sort();
  const now = typesOf(current).sort();
  const withNull = [...new Set([...before, 'null'])].sort();
  // A destination changes its column with the type; only a value that may now be missing leaves it as it is.
  if (String(now) !== String(before) && String(now) !== String(withNull)) {
    breaks.push(`${path}: type ${before.join('|')} became ${now.join('|')}`);
  }
  for (const keyword of ['format', 'airbyte_type']) {
    if (old[keyword] !== current[keyword]) breaks.push(`${path}: ${keyword} was changed`);
  }
  for (const [name, child] of Object.entries(propertiesOf(old))) {
    const match = propertiesOf(current)[name];
    if (match === undefined) breaks.push(`${path}.${name}: was removed`);
    else breaks.push(...findFieldBreaks(child, match, `${path}.${name}`));
  }
  if (isNode(old['items']) && isNode(current['items'])) {
    breaks.push(...findFieldBreaks(old['items'], current['items'], `${path}[]`));
  }
  return breaks;
}
