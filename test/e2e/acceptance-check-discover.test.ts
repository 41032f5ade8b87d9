import { Ajv } from 'ajv';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertSuccess } from '../harness/assert-success';
import { runConnector, startConnector, type ConnectorOutput } from '../harness/connector';
import { configFor } from '../harness/inputs';
import { TWO_DAYS, withSimulator } from '../harness/with-simulator';

/* Sections 7.3 and 7.4 of Airbyte's acceptance checklist; a test's name starts with the number of its check. */
type Node = Readonly<Record<string, unknown>>;

interface DiscoveredStream {
  readonly name: string;
  readonly json_schema: Node;
  readonly supported_sync_modes: readonly string[];
  readonly default_cursor_field?: readonly string[];
  readonly source_defined_cursor?: boolean;
  readonly source_defined_primary_key?: readonly (readonly string[])[];
}

const checkWith = (changes: Record<string, unknown>, fault?: string): Promise<ConnectorOutput> =>
  withSimulator(TWO_DAYS, (simulator) => {
    if (fault !== undefined) simulator.fault({ action: fault });
    return runConnector(['check'], { config: configFor(simulator, changes) });
  });

describe('check', () => {
  it.concurrent(
    '25, 29: a good configuration gives exactly one CONNECTION_STATUS, SUCCEEDED, exit code 0 and no error',
    async () => {
      const output = await checkWith({});
      assertSuccess(output);
      expect(output.ofType('CONNECTION_STATUS')).toHaveLength(1);
      expect(output.connectionStatus).toEqual({ status: 'SUCCEEDED' });
      expect(output.messages.at(-1)?.type).toBe('CONNECTION_STATUS');
    },
  );

  it.concurrent.each([
    ['a wrong secret key', { secret_key: 'not-the-secret' }, /API Key and Secret Key/],
    ['a wrong API key', { api_key: 'not-the-key' }, /API Key and Secret Key/],
    ['a start date that does not exist', { start_date: '2024-02-30' }, /start_date/],
    ['a blank key', { secret_key: ' ' }, /secret_key/],
    ['a start date in the future', { start_date: '2999-01-01' }, /start_date.*future/],
  ])(
    '26, 28: %s gives exactly one CONNECTION_STATUS, FAILED with advice, and exit code 0',
    async (_name, changes, advice) => {
      const output = await checkWith(changes);
      expect([output.exitCode, output.stderr]).toEqual([0, '']);
      expect(output.ofType('CONNECTION_STATUS')).toHaveLength(1);
      expect(output.connectionStatus?.status).toBe('FAILED');
      expect(output.connectionStatus?.message).toMatch(advice);
    },
  );

  it.concurrent(
    '27: what the user cannot mend gives exactly one TRACE, an error with a message, and exit code 1',
    async () => {
      const output = await checkWith({}, 'unavailable-503');
      expect(output.exitCode).toBe(1);
      expect(output.ofType('CONNECTION_STATUS')).toEqual([]);
      expect(output.ofType('TRACE')).toHaveLength(1);
      expect(output.errors).toMatchObject([
        { failure_type: 'transient_error', message: expect.stringContaining('503') as string },
      ]);
    },
  );

  it.concurrent(
    '30: the result stands among LOGs, and ending the program right after it is no failure',
    async () => {
      await withSimulator(TWO_DAYS, async (simulator) => {
        const run = startConnector(['check'], { config: configFor(simulator) });
        await run.printed('"CONNECTION_STATUS"');
        run.child.kill('SIGTERM');
        const output = await run.finished;
        expect(output.connectionStatus).toEqual({ status: 'SUCCEEDED' });
        expect(output.ofType('LOG').length).toBeGreaterThan(0);
        // PyAirbyte takes an exit code of 0, or death by this signal.
        expect([0, 'SIGTERM']).toContain(output.exitCode ?? output.signal);
      });
    },
  );

  it.concurrent(
    'asks one cheap endpoint that every plan has, and none that costs of the query budget',
    async () => {
      await withSimulator(TWO_DAYS, async (simulator) => {
        assertSuccess(await runConnector(['check'], { config: configFor(simulator) }));
        expect(simulator.log.entries.map(({ path, cost }) => [path, cost])).toEqual([
          ['/api/3/annotations', 0],
        ]);
      });
    },
  );

  it.concurrent('works where annotations are still of version 2', async () => {
    const settings = { quirks: { annotationsV3: false } };
    await withSimulator({ ...TWO_DAYS, settings }, async (simulator) => {
      assertSuccess(await runConnector(['check'], { config: configFor(simulator) }));
    });
  });

  it.concurrent.each([
    ['a plan without this API', 'no-permission-403', 'FAILED', /plan does not include/],
    ['missing credentials', 'unauthorized-401', 'FAILED', /credentials/],
  ])('tells %s apart', async (_name, fault, status, message) => {
    const output = await checkWith({}, fault);
    expect(output.connectionStatus).toEqual({ status, message: expect.stringMatching(message) as string });
  });

  it.concurrent('tells a host that does not exist apart', async () => {
    const output = await checkWith({ base_url: 'https://amplitude.invalid' });
    // A resolver that cannot answer at all is a passing trouble, one that says "no such host" is the user's.
    const said = output.connectionStatus?.message ?? output.errors[0]?.message;
    expect(said).toMatch(/amplitude\.invalid|EAI_AGAIN/);
    expect(output.connectionStatus?.status).not.toBe('SUCCEEDED');
  });
});

describe('discover', () => {
  let outputs: ConnectorOutput[];
  let streams: readonly DiscoveredStream[];
  const propertiesOf = (schema: Node): Record<string, Node> =>
    (schema['properties'] ?? {}) as Record<string, Node>;
  const typesOf = (schema: Node | undefined): string[] => [schema?.['type'] ?? []].flat().map(String);
  const nodesOf = (schema: Node): Node[] => [
    schema,
    ...Object.values(propertiesOf(schema)).flatMap(nodesOf),
    ...(typeof schema['items'] === 'object' && schema['items'] !== null
      ? nodesOf(schema['items'] as Node)
      : []),
  ];
  /** `stream.field` of every node that breaks a rule. */
  const breaking = (rule: (node: Node) => boolean): string[] =>
    streams.flatMap(({ name, json_schema: schema }) =>
      nodesOf(schema)
        .filter(rule)
        .map((node) => `${name}: ${JSON.stringify(node).slice(0, 200)}`),
    );

  beforeAll(async () => {
    outputs = await withSimulator(TWO_DAYS, (simulator) =>
      Promise.all([1, 2].map(() => runConnector(['discover'], { config: configFor(simulator) }))),
    );
    streams = (outputs[0]?.catalog?.streams ?? []) as unknown as DiscoveredStream[];
  });

  it('31: prints exactly one CATALOG with streams, exit code 0, no error', () => {
    assertSuccess(outputs[0]!);
    expect(outputs[0]?.ofType('CATALOG')).toHaveLength(1);
    expect(streams.length).toBeGreaterThanOrEqual(7);
  });

  it('32: names are unique', () => {
    expect(new Set(streams.map(({ name }) => name)).size).toBe(streams.length);
  });

  it('33, 43: every schema is a valid Draft-07 schema with properties', () => {
    for (const { name, json_schema: schema } of streams) {
      expect([name, new Ajv({ strict: false }).validateSchema(schema)]).toEqual([name, true]);
      expect([name, schema['$schema']]).toEqual([name, 'http://json-schema.org/draft-07/schema#']);
      expect(Object.keys(propertiesOf(schema)).length).toBeGreaterThan(0);
    }
  });

  it('34, 43, 62: a stream that can be read incrementally has a default cursor at the top level of its schema', () => {
    const incremental = streams.filter(({ supported_sync_modes: modes }) => modes.includes('incremental'));
    expect(incremental.map(({ name }) => name).sort()).toEqual([
      'active_users',
      'average_session_length',
      'events',
      'new_users',
    ]);
    for (const {
      name,
      default_cursor_field: cursor,
      source_defined_cursor: own,
      json_schema: schema,
    } of incremental) {
      expect([name, cursor?.length, own]).toEqual([name, 1, true]);
      expect(propertiesOf(schema)[cursor?.[0] ?? '']).toBeDefined();
    }
  });

  it('35: no $ref, allOf or not', () => {
    expect(breaking((node) => ['$ref', 'allOf', 'not'].some((keyword) => keyword in node))).toEqual([]);
  });

  it('36, 39, 41, 43: every stream has a primary key: one top-level field that is neither object nor list', () => {
    for (const { name, source_defined_primary_key: key, json_schema: schema } of streams) {
      expect([name, key?.length, key?.[0]?.length]).toEqual([name, 1, 1]);
      const types = typesOf(propertiesOf(schema)[key?.[0]?.[0] ?? '']);
      expect(types.length).toBeGreaterThan(0);
      expect(types.filter((type) => type === 'object' || type === 'array')).toEqual([]);
    }
  });

  it('37: every stream has sync modes, full_refresh first', () => {
    for (const { supported_sync_modes: modes } of streams) expect(modes[0]).toBe('full_refresh');
  });

  it('38: every additionalProperties is true', () => {
    expect(
      breaking((node) => 'additionalProperties' in node && node['additionalProperties'] !== true),
    ).toEqual([]);
  });

  it('40: compared with upstream no stream, field, type, key or cursor is gone', () => {
    const path = join(__dirname, '..', 'fixtures', 'upstream-0.6.19.json');
    const upstream = JSON.parse(readFileSync(path, 'utf8')) as { streams: DiscoveredStream[] };
    for (const theirs of upstream.streams) {
      const ours = streams.find(({ name }) => name === theirs.name);
      expect(ours).toMatchObject({
        name: theirs.name,
        source_defined_primary_key: theirs.source_defined_primary_key,
      });
      expect(ours?.default_cursor_field).toEqual(theirs.default_cursor_field);
      for (const [field, schema] of Object.entries(propertiesOf(theirs.json_schema))) {
        const types = typesOf(propertiesOf(ours?.json_schema ?? {})[field]);
        expect([theirs.name, field, types]).toEqual([
          theirs.name,
          field,
          expect.arrayContaining(typesOf(schema)),
        ]);
      }
    }
  });

  it('42: only types, formats and airbyte_types that Airbyte knows', () => {
    const types = new Set(['null', 'string', 'number', 'integer', 'boolean', 'object', 'array']);
    expect(
      breaking((node) => typesOf(node).length === 0 || typesOf(node).some((type) => !types.has(type))),
    ).toEqual([]);
    expect(
      breaking(({ format }) => format !== undefined && format !== 'date' && format !== 'date-time'),
    ).toEqual([]);
    expect(
      breaking(
        (node) => 'format' in node && typesOf(node).some((type) => type !== 'string' && type !== 'null'),
      ),
    ).toEqual([]);
    expect(
      breaking(
        (node) =>
          'airbyte_type' in node &&
          !['timestamp_with_timezone', 'timestamp_without_timezone', 'integer'].includes(
            String(node['airbyte_type']),
          ),
      ),
    ).toEqual([]);
  });

  it('44: two runs print the same bytes', () => {
    const catalogLine = ({ stdout }: ConnectorOutput): string | undefined =>
      stdout.split('\n').find((line) => line.startsWith('{"type":"CATALOG"'));
    expect(catalogLine(outputs[0]!)).toBeDefined();
    expect(catalogLine(outputs[1]!)).toBe(catalogLine(outputs[0]!));
  });

  it('asks nothing of Amplitude', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      assertSuccess(await runConnector(['discover'], { config: configFor(simulator) }));
      expect(simulator.log.entries).toEqual([]);
    });
  });
});
