import fc from 'fast-check';
import { parseConfig, secretsOf, type Config } from '../../src/config';
import { readEnvironment } from '../../src/environment';
import { ConnectorFailure } from '../../src/failure';
import { loadSpec } from '../../src/inputs';
import { runs } from '../harness/runs';

const { connectionSpecification: schema } = loadSpec();
const OWN = readEnvironment({});
const CLOUD = readEnvironment({ DEPLOYMENT_MODE: 'cloud' });
const NOW = Date.parse('2026-10-04T12:34:56Z');
const KEYS = { api_key: 'key', secret_key: 'secret' };

const parse = (raw: unknown, environment = OWN): Config => parseConfig(raw, schema, environment, NOW);

function failureOf(raw: unknown, environment = OWN): ConnectorFailure {
  try {
    parse(raw, environment);
  } catch (error) {
    if (error instanceof ConnectorFailure) return error;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(raw)}`);
}

describe('a configuration with the keys alone', () => {
  it('has every documented default', () => {
    const { baseUrl, ...config } = parse(KEYS);
    expect(baseUrl.href).toBe('https://amplitude.com/');
    expect(config).toEqual({
      apiKey: 'key',
      secretKey: 'secret',
      region: 'Standard Server',
      hasOwnBaseUrl: false,
      warnings: [],
      settings: {
        startMs: Date.parse('2025-10-04T12:34:56Z'),
        startIsRelative: true,
        endMs: undefined,
        nowMs: NOW,
        lookbackHours: 3,
        windowHours: 24,
        projectTimeZone: 'UTC',
        groupByCountry: true,
        onMalformedLine: 'fail',
      },
    });
  });

  it.each([null, '', '  '])('is the same with %j for everything optional', (blank) => {
    const optional = Object.keys(schema.properties).filter((key) => !schema.required.includes(key));
    expect(optional.length).toBeGreaterThanOrEqual(9);
    const raw = { ...KEYS, ...Object.fromEntries(optional.map((key) => [key, blank])) };
    expect(parse(raw)).toEqual(parse(KEYS));
  });

  it('is the same with keys that nobody knows, and with those of Airbyte', () => {
    const raw = {
      ...KEYS,
      _limit: { any: 'thing' },
      __injected_declarative_manifest: {},
      credentials: { auth_type: 'x' },
      num_workers: 3,
      constructor: 5,
      toString: null,
    };
    expect(parse(raw)).toEqual(parse(KEYS));
  });

  it('has a `_` key ignored also where it names one of ours', () => {
    expect(parse({ ...KEYS, _start_date: 'nonsense', _base_url: 5 })).toEqual(parse(KEYS));
  });
});

describe('values', () => {
  it('of a configuration that upstream’s connector has', () => {
    const { settings, region, baseUrl } = parse({
      ...KEYS,
      data_region: 'EU Residency Server',
      start_date: '2024-03-01T00:00:00Z',
      request_time_range: 8760,
      active_users_group_by_country: false,
    });
    expect(settings).toMatchObject({
      startMs: Date.UTC(2024, 2, 1),
      windowHours: 8760,
      groupByCountry: false,
    });
    expect([region, baseUrl.href]).toEqual(['EU Residency Server', 'https://analytics.eu.amplitude.com/']);
  });

  it('of the newer keys', () => {
    const { settings, baseUrl, hasOwnBaseUrl } = parse({
      ...KEYS,
      end_date: '2026-01-01T00:00:00Z',
      lookback_hours: 0,
      project_timezone: 'America/Los_Angeles',
      on_malformed_line: 'skip',
      base_url: 'https://proxy.example.com/amplitude',
    });
    expect(settings).toMatchObject({
      endMs: Date.UTC(2026, 0, 1),
      lookbackHours: 0,
      projectTimeZone: 'America/Los_Angeles',
      onMalformedLine: 'skip',
    });
    expect([baseUrl.href, hasOwnBaseUrl]).toEqual(['https://proxy.example.com/amplitude', true]);
  });

  it('are trimmed, as they were copied by hand', () => {
    const raw = {
      api_key: ' key\n',
      secret_key: '\tsecret ',
      start_date: ' 2024-03-01 ',
      base_url: ' https://a.b ',
    };
    const { apiKey, secretKey, settings, baseUrl } = parse(raw);
    expect([apiKey, secretKey, settings.startMs, baseUrl.href]).toEqual([
      'key',
      'secret',
      Date.UTC(2024, 2, 1),
      'https://a.b/',
    ]);
  });

  it('are not changed in place', () => {
    const raw = Object.freeze({ ...KEYS, start_date: null, _x: 1 });
    parse(raw);
    expect(raw).toEqual({ ...KEYS, start_date: null, _x: 1 });
  });
});

describe('dates', () => {
  it.each([
    ['P30D', true],
    [undefined, true],
    ['2024-03-01', false],
    ['2024-03-01T00:00:00Z', false],
  ])('the start %j counts back from now: %j', (start_date, isRelative) => {
    expect(parse({ ...KEYS, start_date }).settings.startIsRelative).toBe(isRelative);
  });

  const settingsOf = (start_date: unknown, end_date?: unknown): Config['settings'] =>
    parse({ ...KEYS, start_date, ...(end_date !== undefined && { end_date }) }).settings;

  it.each([
    ['2024-03-01', '2024-03-01T00:00:00.000Z'],
    ['2024-03-01T10:00:00Z', '2024-03-01T10:00:00.000Z'],
    ['2024-03-01T10:00:00+02:00', '2024-03-01T08:00:00.000Z'],
    ['P7D', '2026-09-27T12:34:56.000Z'],
    ['PT36H', '2026-10-03T00:34:56.000Z'],
    ['P1Y6M', '2025-04-04T12:34:56.000Z'],
  ])('start_date %s', (text, instant) => {
    expect(new Date(settingsOf(text).startMs).toISOString()).toBe(instant);
  });

  it.each([
    // A date includes that day, a date-time is where reading stops.
    ['2024-03-01', '2024-03-02T00:00:00.000Z'],
    ['2024-02-28', '2024-02-29T00:00:00.000Z'],
    ['2023-12-31', '2024-01-01T00:00:00.000Z'],
    ['2024-03-01T00:00:00Z', '2024-03-01T00:00:00.000Z'],
    ['2024-03-01T10:30', '2024-03-01T10:30:00.000Z'],
    ['P1D', '2026-10-03T12:34:56.000Z'],
    ['2099-01-01', '2099-01-02T00:00:00.000Z'],
  ])('end_date %s', (text, instant) => {
    const { endMs } = settingsOf('2023-01-01', text);
    expect(new Date(endMs!).toISOString()).toBe(instant);
  });

  it('may be the same day', () => {
    const { startMs, endMs } = settingsOf('2024-03-01', '2024-03-01');
    expect(endMs! - startMs).toBe(86_400_000);
  });

  it.each([
    ['2024-03-02', '2024-03-01'],
    ['2024-03-01T00:00:00Z', '2024-03-01T00:00:00Z'],
    ['2024-03-01T00:00:01Z', '2024-03-01T00:00:00Z'],
    ['P1D', 'P2D'],
    ['P1D', '2024-03-01'],
    ['2099-01-01', 'P0D'],
  ])('start_date %s with end_date %s is refused, naming both', (start, end) => {
    const { kind, message } = failureOf({ ...KEYS, start_date: start, end_date: end });
    expect(kind).toBe('config');
    expect(message).toContain('(end_date)');
    expect(message).toContain('(start_date)');
  });

  it('an end before the default start is refused too', () => {
    expect(failureOf({ ...KEYS, end_date: '2020-01-01' }).message).toContain('(end_date)');
  });

  it('a start in the future is a warning', () => {
    const { warnings, settings } = parse({ ...KEYS, start_date: '2030-01-01' });
    expect(settings.startMs).toBe(Date.UTC(2030, 0, 1));
    expect(warnings).toEqual([expect.stringMatching(/\(start_date\).*future/)]);
  });
});

describe('what is wrong is named', () => {
  it.each<[string, Record<string, unknown>, string[]]>([
    [
      'no keys',
      { api_key: undefined, secret_key: undefined },
      ['API Key (api_key) is missing', 'secret_key'],
    ],
    ['no secret key', { secret_key: undefined }, ['Secret Key (secret_key) is missing']],
    ['a blank key', { api_key: '' }, ['API Key (api_key) must not be blank']],
    ['a key of spaces', { api_key: ' \t' }, ['API Key (api_key) must not be blank']],
    ['a key that is null', { secret_key: null }, ['Secret Key (secret_key) must not be blank']],
    ['two blank keys', { api_key: '', secret_key: null }, ['(api_key) must not', '(secret_key) must not']],
    ['a key that is a number', { api_key: 12345 }, ['(api_key)']],
    ['another region', { data_region: 'US' }, ['(data_region)', 'Standard Server, EU Residency Server']],
    ['a region in small letters', { data_region: 'standard server' }, ['(data_region)']],
    ['an impossible start', { start_date: '2023-02-29' }, ['(start_date)', 'date that exists', 'P1Y']],
    ['a start at hour 24', { start_date: '2024-01-01T24:00:00Z' }, ['(start_date)']],
    ['a start in words', { start_date: 'yesterday' }, ['(start_date)']],
    ['a start that is a number', { start_date: 20240101 }, ['(start_date)']],
    ['a duration beyond all dates', { start_date: 'P9999Y' }, ['(start_date)']],
    ['an impossible end', { end_date: '2024-02-30' }, ['(end_date)', 'date that exists']],
    ['an end in words', { end_date: 'today' }, ['(end_date)', 'YYYY-MM-DD']],
    ['no window', { request_time_range: 0 }, ['(request_time_range)', 'between 1 and 8760']],
    ['too large a window', { request_time_range: 8761 }, ['(request_time_range)', 'between 1 and 8760']],
    ['half a window', { request_time_range: 1.5 }, ['(request_time_range)', 'integer']],
    ['a window as text', { request_time_range: '24' }, ['(request_time_range)', 'integer']],
    ['a negative lookback', { lookback_hours: -1 }, ['(lookback_hours)', 'between 0 and 168']],
    ['too long a lookback', { lookback_hours: 169 }, ['(lookback_hours)', 'between 0 and 168']],
    [
      'yes for a switch',
      { active_users_group_by_country: 'yes' },
      ['(active_users_group_by_country)', 'boolean'],
    ],
    [
      'a time zone that is none',
      { project_timezone: 'Mars/Olympus' },
      ['(project_timezone)', 'America/New_York'],
    ],
    ['another choice', { on_malformed_line: 'ignore' }, ['(on_malformed_line)', 'fail, skip']],
    ['a base_url without a scheme', { base_url: 'amplitude.com' }, ['(base_url)', 'https://host']],
    ['a base_url that is no URL', { base_url: 'https://[::1' }, ['(base_url)']],
    ['a base_url with a password', { base_url: 'https://a:b@c.d' }, ['(base_url)', 'password']],
    ['plain http to a public address', { base_url: 'http://8.8.8.8' }, ['(base_url)', 'unencrypted']],
    [
      'several things at once',
      { data_region: 'US', request_time_range: 0, lookback_hours: 'x' },
      ['(data_region)', '(request_time_range)', '(lookback_hours)'],
    ],
  ])('%s', (_what, changes, words) => {
    const { kind, message } = failureOf({ ...KEYS, ...changes });
    expect(kind).toBe('config');
    for (const word of words) expect(message).toContain(word);
    expect(message).not.toContain('undefined');
  });

  it.each([[null], [5], ['text'], [[]], [[KEYS]], [true]])('%j is no configuration at all', (raw) => {
    expect(failureOf(raw)).toMatchObject({ message: expect.stringContaining('not a JSON object') });
  });
});

describe('base_url', () => {
  it.each([
    ['http://127.0.0.1:8080', /plain http to a private address/],
    ['http://[fd00::1]:8080', /plain http to a private address/],
    ['http://localhost:8080', /plain http to a local host/],
  ])('%s comes with a warning', (base_url, words) => {
    expect(parse({ ...KEYS, base_url }).warnings).toEqual([expect.stringMatching(words)]);
  });

  it.each(['https://proxy.example.com', 'https://10.0.0.1', 'https://localhost'])(
    '%s comes without',
    (base_url) => {
      expect(parse({ ...KEYS, base_url }).warnings).toEqual([]);
    },
  );

  it.each(['http://localhost:8080', 'https://localhost', 'https://192.168.1.1', 'http://proxy.example.com'])(
    '%s is refused in the cloud',
    (base_url) => {
      const { kind, message } = failureOf({ ...KEYS, base_url }, CLOUD);
      expect(kind).toBe('config');
      expect(message).toContain('(base_url)');
    },
  );
});

describe('secrets', () => {
  it('are the two keys, as they are sent', () => {
    expect(secretsOf({ api_key: ' a ', secret_key: 'b', base_url: 'c', other: 'd' }, schema)).toEqual([
      'a',
      'b',
    ]);
  });

  it.each([
    [null],
    [5],
    ['text'],
    [[]],
    [{}],
    [{ api_key: '', secret_key: ' ' }],
    [{ api_key: 5, secret_key: {} }],
  ])('are none in %j', (raw) => {
    expect(secretsOf(raw, schema)).toEqual([]);
  });

  it('are never in a message, whatever else is wrong', () => {
    const secret = fc
      .tuple(fc.string({ minLength: 4, unit: 'grapheme' }), fc.string({ minLength: 4, unit: 'binary' }))
      .map(([left, right]) => `${left}§${right}`);
    const wrong = fc.record(
      {
        data_region: fc.jsonValue(),
        start_date: fc.oneof(fc.string(), fc.jsonValue()),
        end_date: fc.oneof(fc.string(), fc.jsonValue()),
        request_time_range: fc.jsonValue(),
        active_users_group_by_country: fc.jsonValue(),
        lookback_hours: fc.jsonValue(),
        project_timezone: fc.oneof(fc.string(), fc.jsonValue()),
        on_malformed_line: fc.jsonValue(),
        base_url: fc.oneof(fc.string(), fc.webUrl(), fc.jsonValue()),
        other: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const form = (text: string): fc.Arbitrary<unknown> =>
      fc.constantFrom<unknown>(text, ` ${text} `, [text], { value: text }, 5, '', null);
    fc.assert(
      fc.property(
        fc.tuple(secret, secret).chain((secrets) =>
          fc.record({
            secrets: fc.constant(secrets),
            keys: fc.record(
              { api_key: form(secrets[0]), secret_key: form(secrets[1]) },
              { requiredKeys: [] },
            ),
          }),
        ),
        wrong,
        ({ secrets, keys }, rest) => {
          let message = '';
          try {
            const { warnings } = parse({ ...rest, ...keys });
            message = warnings.join(' ');
          } catch (error) {
            expect(error).toBeInstanceOf(ConnectorFailure);
            message = `${(error as Error).message} ${(error as ConnectorFailure).detail ?? ''}`;
          }
          for (const one of secrets) expect(message).not.toContain(one.trim());
        },
      ),
      { numRuns: runs(300) },
    );
  });
});

it('no JSON is answered by anything but a configuration or a failure that the user can read', () => {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom('2024-01-01', 'P1D', 24, true, 'UTC', 'https://a.b', null),
  );
  const raw = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(
      fc.constantFrom(...Object.keys(schema.properties), '_x', '__proto__', 'constructor'),
      value,
    ),
  );
  fc.assert(
    fc.property(raw, fc.constantFrom(OWN, CLOUD), (config, environment) => {
      try {
        const { settings } = parse(config, environment);
        expect(Number.isFinite(settings.startMs)).toBe(true);
        expect(settings.endMs === undefined || settings.endMs > settings.startMs).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(ConnectorFailure);
      }
    }),
    { numRuns: runs(300) },
  );
});
