import { ConnectorFailure } from '../../../src/failure';
import { buildCatalog, parseConfiguredCatalog } from '../../../src/protocol/catalog';

const stream = (name: string, rest: object = {}): object => ({
  stream: { name, json_schema: { properties: { id: {}, date: {} } } },
  sync_mode: 'incremental',
  ...rest,
});

describe('parseConfiguredCatalog', () => {
  test('reads text and parsed values alike', () => {
    const catalog = { streams: [stream('a')] };
    expect(parseConfiguredCatalog(JSON.stringify(catalog))).toEqual(parseConfiguredCatalog(catalog));
  });

  test('gives the mode and the selected fields', () => {
    expect(parseConfiguredCatalog({ streams: [stream('a', { sync_mode: 'full_refresh' })] })).toEqual([
      { name: 'a', syncMode: 'full_refresh', selectedFields: new Set(['id', 'date']) },
    ]);
  });

  test('takes explicit nulls and unknown keys everywhere', () => {
    const catalog = {
      streams: [
        {
          stream: {
            name: 'a',
            namespace: null,
            json_schema: { properties: { id: {} }, additionalProperties: null },
            supported_sync_modes: null,
            source_defined_cursor: null,
            default_cursor_field: null,
            source_defined_primary_key: null,
            is_resumable: null,
            is_file_based: null,
          },
          sync_mode: 'full_refresh',
          destination_sync_mode: null,
          cursor_field: null,
          primary_key: null,
          generation_id: null,
          minimum_generation_id: null,
          sync_id: null,
          include_files: null,
          fields: [],
          mappers: [],
        },
      ],
      unknown: 1,
    };
    expect(parseConfiguredCatalog(catalog)).toEqual([
      { name: 'a', syncMode: 'full_refresh', selectedFields: new Set(['id']) },
    ]);
  });

  test.each([
    ['null', null],
    ['absent', undefined],
    ['without properties', {}],
    ['with null properties', { properties: null }],
    ['with empty properties', { properties: {} }],
  ])('a schema that is %s selects nothing, so all fields are read', (_name, json_schema) => {
    const [only] = parseConfiguredCatalog({
      streams: [{ stream: { name: 'a', json_schema }, sync_mode: 'incremental' }],
    });
    expect(only?.selectedFields).toBeUndefined();
  });

  test('a namespace is kept, even an empty one', () => {
    const streams = ['', 'n'].map((namespace) => ({
      stream: { name: 'a', namespace },
      sync_mode: 'incremental',
    }));
    expect(parseConfiguredCatalog({ streams }).map(({ namespace }) => namespace)).toEqual(['', 'n']);
  });

  test('a catalog without streams is valid', () => {
    expect(parseConfiguredCatalog('{"streams":[]}')).toEqual([]);
  });

  test.each([
    ['not JSON', 'system', 'the text ends in the middle', '{"streams":[{'],
    ['empty', 'system', 'it is empty', '  '],
    ['a list', 'config', 'not a JSON object', []],
    ['null', 'config', 'not a JSON object', null],
    ['without streams', 'config', 'no list of "streams"', {}],
    ['with null streams', 'config', 'no list of "streams"', { streams: null }],
    ['with streams that are no list', 'config', 'no list of "streams"', { streams: {} }],
    [
      'with a stream that is no object',
      'config',
      'stream 2 is not an object',
      { streams: [stream('a'), 'b'] },
    ],
    ['with an entry without stream', 'config', 'stream 1 has no "stream" object', { streams: [{}] }],
    ['with a stream without name', 'config', 'stream 1 has no name', { streams: [{ stream: {} }] }],
    ['with an empty name', 'config', 'stream 1 has no name', { streams: [{ stream: { name: '' } }] }],
    [
      'with a namespace that is no text',
      'config',
      'the namespace of the stream "a"',
      { streams: [{ stream: { name: 'a', namespace: 3 }, sync_mode: 'incremental' }] },
    ],
    [
      'with an invalid mode',
      'config',
      'stream "a" is "INVALID"',
      { streams: [stream('a', { sync_mode: 'INVALID' })] },
    ],
    ['with a null mode', 'config', 'stream "a" is missing', { streams: [stream('a', { sync_mode: null })] }],
    ['with a stream twice', 'config', '"a" is listed twice', { streams: [stream('a'), stream('a')] }],
  ])('a catalog %s is a %s failure that says: %s', (_name, kind, words, input) => {
    const failure = catchFailure(() => parseConfiguredCatalog(input, 'catalog.json'));
    expect(failure.kind).toBe(kind);
    expect(failure.message).toContain(words);
    expect(failure.message).toContain('catalog.json');
  });

  test('text that is no JSON is not quoted: it may be the configuration', () => {
    const failure = catchFailure(() => parseConfiguredCatalog('{"secret_key": tops3cret}'));
    expect(failure.message).not.toContain('tops3cret');
  });
});

describe('buildCatalog', () => {
  test('an incremental stream offers full_refresh first and is resumable', () => {
    expect(
      buildCatalog([
        { name: 'a', jsonSchema: { type: 'object' }, primaryKey: ['id', 'day'], cursorField: 'date' },
      ]),
    ).toEqual({
      streams: [
        {
          name: 'a',
          json_schema: { type: 'object' },
          supported_sync_modes: ['full_refresh', 'incremental'],
          source_defined_cursor: true,
          default_cursor_field: ['date'],
          source_defined_primary_key: [['id'], ['day']],
          is_resumable: true,
        },
      ],
    });
  });

  test('a stream without a cursor offers full_refresh only', () => {
    expect(buildCatalog([{ name: 'a', jsonSchema: {}, primaryKey: [] }])).toEqual({
      streams: [{ name: 'a', json_schema: {}, supported_sync_modes: ['full_refresh'], is_resumable: false }],
    });
  });
});

function catchFailure(work: () => unknown): ConnectorFailure {
  try {
    work();
  } catch (error) {
    if (error instanceof ConnectorFailure) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
