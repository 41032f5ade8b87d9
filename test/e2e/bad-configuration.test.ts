import type { FailureType } from '../harness/assert-failure';
import { runConnector } from '../harness/connector';
import { catalogOf } from '../harness/inputs';
import { expectFailure, SECRET, good } from '../harness/good-config';

/* Wrong values of the configuration and of the environment, row by row: the exact failure type, and the field that is named. */
const EVENTS = catalogOf(['events']);

describe('a configuration that is no object is a system_error: the platform writes this file', () => {
  it.concurrent.each([
    ['a list', () => [good()]],
    ['null', () => 'null'],
    ['a text', () => JSON.stringify(SECRET)],
    ['a number', () => '7'],
  ])('%s', async (_name, config) => {
    for (const command of ['read', 'check', 'discover']) {
      const output = await runConnector([command], {
        config: config(),
        ...(command === 'read' ? { catalog: EVENTS } : {}),
      });
      expectFailure(output, 1, 'system_error', /configuration is not a JSON object/);
    }
  });
});

describe('a configuration value that is wrong', () => {
  const rows: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['no API key', () => ({ ...good(), api_key: undefined }), /API Key \(api_key\) is missing/],
    ['a blank secret key', () => good({ secret_key: '  ' }), /Secret Key \(secret_key\) must not be blank/],
    ['a null secret key', () => good({ secret_key: null }), /Secret Key \(secret_key\) must not be blank/],
    [
      'a key of 257 characters',
      () => good({ secret_key: SECRET.repeat(20).slice(0, 257) }),
      /Secret Key \(secret_key\) is longer than 256 characters/,
    ],
    [
      'a key of 70,000 characters',
      () => good({ api_key: SECRET.repeat(5_000) }),
      /API Key \(api_key\) is longer than 256 characters/,
    ],
    ['a number as the key', () => good({ api_key: 47114711 }), /API Key \(api_key\) must be string/],
    [
      'an unknown region',
      () => good({ data_region: 'Mars' }),
      /data_region\) must be one of: Standard Server, EU Residency Server/,
    ],
    ['a start that is no date', () => good({ start_date: 'yesterday' }), /start_date/],
    [
      'a start on a day that does not exist',
      () => good({ start_date: '2023-02-29' }),
      /start_date\) is not a date that exists/,
    ],
    [
      'a start at an hour that does not exist',
      () => good({ start_date: '2024-03-01T24:00:00Z' }),
      /start_date/,
    ],
    ['a start that is a number', () => good({ start_date: 20240301 }), /start_date\) must be string/],
    ['an end that is no date', () => good({ end_date: 'tomorrow' }), /end_date/],
    [
      'an end on a day that does not exist',
      () => good({ end_date: '2024-02-30' }),
      /end_date\) is not a date that exists/,
    ],
    [
      'an end before the start',
      () => good({ start_date: '2024-03-02', end_date: '2024-03-01' }),
      /end_date\) must be later than .*start_date/,
    ],
    ['an empty duration', () => good({ end_date: 'P' }), /end_date/],
    [
      'a request range of 0 hours',
      () => good({ request_time_range: 0 }),
      /request_time_range\) must be between 1 and 8760/,
    ],
    [
      'a request range of more than a year',
      () => good({ request_time_range: 8761 }),
      /request_time_range\) must be between 1 and 8760/,
    ],
    [
      'a request range in a text',
      () => good({ request_time_range: '24' }),
      /request_time_range\) must be integer/,
    ],
    ['half an hour of lookback', () => good({ lookback_hours: 0.5 }), /lookback_hours\) must be integer/],
    ['a negative lookback', () => good({ lookback_hours: -1 }), /lookback_hours\) must be between 0 and 168/],
    [
      'a grouping that is neither true nor false',
      () => good({ active_users_group_by_country: 'yes' }),
      /active_users_group_by_country\) must be boolean/,
    ],
    [
      'an unknown time zone',
      () => good({ project_timezone: 'Mars/Olympus' }),
      /project_timezone\) must be an IANA name/,
    ],
    [
      'an unknown choice for malformed lines',
      () => good({ on_malformed_line: 'ignore' }),
      /on_malformed_line\) must be one of: fail, skip/,
    ],
    ['a base URL that is none', () => good({ base_url: 'https://' }), /base_url/],
    ['a base URL of another protocol', () => good({ base_url: 'ftp://127.0.0.1' }), /base_url/],
    [
      'a base URL with keys in it',
      () => good({ base_url: `https://u:${SECRET}@amplitude.com` }),
      /base_url\) must not contain a user name or password/,
    ],
    ['plain http to a public address', () => good({ base_url: 'http://93.184.216.34' }), /base_url\).*https/],
    [
      'two wrong values at once',
      () => good({ data_region: 'Mars', lookback_hours: -1 }),
      /data_region.*lookback_hours/,
    ],
  ];

  it.concurrent.each(rows)(
    '%s: read and discover fail with a config_error, check says FAILED',
    async (_name, config, message) => {
      const read = await runConnector(['read'], { config: config(), catalog: EVENTS });
      expectFailure(read, 1, 'config_error', message);
      const checked = await runConnector(['check'], { config: config() });
      expect([checked.exitCode, checked.errors, checked.stderr]).toEqual([0, [], '']);
      expect(checked.connectionStatus).toEqual({
        status: 'FAILED',
        message: expect.stringMatching(message) as string,
      });
    },
  );

  it.concurrent('discover fails alike', async () => {
    const output = await runConnector(['discover'], { config: good({ data_region: 'Mars' }) });
    expectFailure(output, 1, 'config_error', /data_region/);
    expect(output.catalog).toBeUndefined();
  });
});

describe('surroundings that are wrong', () => {
  const rows: readonly (readonly [string, Record<string, string>, FailureType, RegExp])[] = [
    ['plain http in Airbyte Cloud', { DEPLOYMENT_MODE: 'CLOUD' }, 'config_error', /base_url\).*https/],
    [
      'a back-off that is no number',
      { AMPLITUDE_RETRY_BASE_SECONDS: 'soon' },
      'config_error',
      /AMPLITUDE_RETRY_BASE_SECONDS/,
    ],
    [
      'a negative cost window',
      { AMPLITUDE_COST_WINDOW_SECONDS: '-1' },
      'config_error',
      /AMPLITUDE_COST_WINDOW_SECONDS/,
    ],
    [
      'a data channel that is not stdout',
      { DATA_CHANNEL_MEDIUM: 'SOCKET' },
      'system_error',
      /DATA_CHANNEL_MEDIUM/,
    ],
  ];

  it.concurrent.each(rows)('%s', async (_name, env, type, message) => {
    expectFailure(await runConnector(['read'], { config: good(), catalog: EVENTS, env }), 1, type, message);
  });

  it.concurrent('a private address in Airbyte Cloud', async () => {
    const env = { DEPLOYMENT_MODE: 'cloud' };
    const output = await runConnector(['read'], {
      config: good({ base_url: 'https://10.0.0.7' }),
      catalog: EVENTS,
      env,
    });
    expectFailure(output, 1, 'config_error', /private/);
  });
});
