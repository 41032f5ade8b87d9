import type { FaultAction } from '../../simulator/faults';
import type { FaultRule, Simulator } from '../../simulator/simulator';
import { assertProtocol } from '../harness/assert-protocol';
import { assertSuccess } from '../harness/assert-success';
import { clockAt } from '../harness/clock-at';
import { runConnector, type ConnectorOutput } from '../harness/connector';
import { findEventErrors } from '../harness/event-comparison';
import { catalogOf, configFor } from '../harness/inputs';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';

/*
 * What Amplitude, or something that stands before it, can answer, row by row: the failure type of a `read` that never gets
 * anything else, how often it asks, and that a `read` that gets it once loses nothing. Exit code and place of the error are
 * the same for all.
 */
type FailureType = 'config_error' | 'system_error' | 'transient_error';

/** An attempt and five retries. */
const ALL_ATTEMPTS = 6;
const EXPORT = '/api/2/export';

/** One hour only, because a window that can be divided is. */
const read = (simulator: Simulator, stream: string): Promise<ConnectorOutput> => {
  const config = configFor(simulator, { end_date: '2024-03-01T01:00:00Z' });
  return runConnector(['read'], { config, catalog: catalogOf([stream]) });
};

/** Reads a stream under a fault that stays, and returns how many requests it hit. */
const failUnder = (rule: FaultRule, stream: string, type: FailureType, message: RegExp): Promise<number> =>
  withSimulator(TWO_DAYS, async (simulator) => {
    const handle = simulator.fault(rule);
    expectFailure(await read(simulator, stream), simulator, stream, type, message);
    return handle.hits;
  });

function expectFailure(
  output: ConnectorOutput,
  simulator: Simulator,
  stream: string,
  type: FailureType,
  message: RegExp,
): void {
  assertProtocol(output, catalogOf([stream]));
  expect(
    output.errors.map((error) => [error.stream_descriptor?.name, error.failure_type, error.message]),
  ).toEqual([[stream, type, expect.stringMatching(message)]]);
  expect([output.exitCode, output.stderr, output.leftInTemp]).toEqual([1, '', []]);
  expect(output.statusNames(stream).at(-1)).toBe('INCOMPLETE');
  const { apiKey, secretKey } = simulator.settings.credentials;
  for (const secret of [apiKey, secretKey, Buffer.from(`${apiKey}:${secretKey}`).toString('base64')]) {
    expect(output.stdout).not.toContain(secret);
  }
}

describe('an answer that stays', () => {
  it.concurrent.each([
    [
      'events',
      'bad-request',
      'config_error',
      1,
      /400: Invalid chart definition \(Invalid user property gp:plan\)/,
    ],
    [
      'active_users',
      'bad-request',
      'config_error',
      1,
      /400: Invalid chart definition \(Invalid user property gp:plan\)/,
    ],
    ['cohorts', 'unauthorized-401', 'config_error', 1, /401.*API Key and Secret Key/],
    ['events', 'wrong-key-403', 'config_error', 1, /403: .*Invalid API Key.*Data Region/],
    ['cohorts', 'no-permission-403', 'config_error', 1, /403: .*plan does not include/],
    ['events', 'html-403', 'config_error', 1, /HTTP 403\)/],
    ['cohorts', 'timeout-408', 'transient_error', ALL_ATTEMPTS, /408/],
    ['active_users', 'rate-limit-429', 'transient_error', ALL_ATTEMPTS, /429.*Exceeded rate limit/],
    ['events', 'concurrency-429', 'transient_error', ALL_ATTEMPTS, /429.*Exceeded concurrent limit/],
    ['events', 'server-error-500', 'transient_error', ALL_ATTEMPTS, /HTTP 500/],
    ['cohorts', 'bad-gateway-502', 'transient_error', ALL_ATTEMPTS, /HTTP 502/],
    ['events', 'unavailable-503', 'transient_error', ALL_ATTEMPTS, /HTTP 503/],
    ['events', 'gateway-timeout-504', 'transient_error', ALL_ATTEMPTS, /HTTP 504/],
    ['average_session_length', 'gateway-timeout-504', 'transient_error', ALL_ATTEMPTS, /HTTP 504/],
    [
      'cohorts',
      'reset-before-headers',
      'transient_error',
      ALL_ATTEMPTS,
      /could not be reached \(ECONNRESET\)/,
    ],
    ['events', 'reset-mid-headers', 'transient_error', ALL_ATTEMPTS, /could not be reached/],
    ['cohorts', 'reset-mid-body', 'transient_error', ALL_ATTEMPTS, /GET/],
    ['events', 'short-body', 'transient_error', ALL_ATTEMPTS, /GET/],
    ['events', 'html-200', 'transient_error', ALL_ATTEMPTS, /web page/],
    ['cohorts', 'html-200', 'transient_error', ALL_ATTEMPTS, /web page/],
    ['events', 'empty-200', 'transient_error', ALL_ATTEMPTS, /it is empty/],
    ['cohorts', 'empty-200', 'transient_error', ALL_ATTEMPTS, /it is empty/],
    ['events', 'rate-limit-text-200', 'transient_error', ALL_ATTEMPTS, /no ZIP archive/],
    ['events', 'redirect-file', 'config_error', 1, /redirect/i],
    // Of each attempt the first request and the five hops that are followed.
    ['cohorts', 'redirect-loop', 'system_error', ALL_ATTEMPTS * 6, /redirected more than 5 times/],
  ] as const)('%s: %s is a %s after %i requests', async (stream, fault, type, requests, message) => {
    expect(await failUnder({ action: fault }, stream, type, message)).toBe(requests);
  });
});

describe('a body of an export that stays', () => {
  it.concurrent.each([
    ['archive-truncated', 'transient_error', ALL_ATTEMPTS, /end|directory|bytes/],
    ['archive-flipped-byte', 'transient_error', ALL_ATTEMPTS, /member|directory/],
    ['archive-wrong-crc', 'transient_error', ALL_ATTEMPTS, /CRC-32/],
    ['archive-wrong-size', 'transient_error', ALL_ATTEMPTS, /size/],
    ['archive-no-members', 'transient_error', ALL_ATTEMPTS, /no members|no ZIP/],
    [
      'line-malformed',
      'system_error',
      1,
      /Line 2 \(byte \d+\) of member ".*_2024-03-01_0#0\.json\.gz".*is not one JSON object/,
    ],
    ['line-not-an-object', 'system_error', 1, /Line 2 .*is not one JSON object/],
    ['line-invalid-utf8', 'system_error', 1, /Line 2 .*not valid UTF-8/],
  ] as const)('%s is a %s after %i requests', async (fault, type, requests, message) => {
    const rule = { match: { path: EXPORT }, action: fault };
    expect(await failUnder(rule, 'events', type, message)).toBe(requests);
  });

  it.concurrent('a malformed line is named without its content, and left out on demand', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const text = '{"uuid":"private-content",';
      const action: FaultAction = { kind: 'archive', mutations: [{ kind: 'insert-line', at: 1, text }] };
      simulator.fault({ match: { path: EXPORT }, action });
      const failed = await read(simulator, 'events');
      expectFailure(failed, simulator, 'events', 'system_error', /Set on_malformed_line to skip/);
      expect(failed.stdout).not.toContain('private-content');
      const config = configFor(simulator, { end_date: '2024-03-01T01:00:00Z', on_malformed_line: 'skip' });
      const skipped = await runConnector(['read'], { config, catalog: catalogOf(['events']) });
      assertSuccess(skipped, catalogOf(['events']));
      expect(findEventErrors(skipped, simulator.truth({ endHour: '20240301T00' }))).toEqual([]);
      expect(skipped.logsOf('WARN').join('\n')).toMatch(/left out by on_malformed_line: 1/);
    });
  });
});

describe('a JSON answer that stays', () => {
  it.concurrent.each([
    ['annotations', 'json-cut', 'transient_error', ALL_ATTEMPTS, /not JSON/],
    ['annotations', 'json-no-wrapper', 'system_error', 1, /"data"/],
    ['cohorts', 'json-no-wrapper', 'system_error', 1, /"cohorts"/],
    ['events_list', 'json-array', 'system_error', 1, /JSON object/],
    ['events_list', 'json-wrong-types', 'system_error', 1, /list under "data"/],
    ['active_users', 'json-no-wrapper', 'system_error', 1, /"data"/],
    ['active_users', 'json-null', 'system_error', 1, /JSON object/],
    ['average_session_length', 'json-string', 'system_error', 1, /JSON object/],
  ] as const)(
    '%s: %s is a %s after %i requests, never "no rows"',
    async (stream, fault, type, requests, message) => {
      expect(await failUnder({ action: fault }, stream, type, message)).toBe(requests);
    },
  );
});

describe('a daily answer that lacks its last day', () => {
  it.concurrent.each(['active_users', 'new_users', 'average_session_length'])(
    'leaves it for the next sync: %s',
    async (stream) => {
      const settings = { quirks: { series: 'short' } } as const;
      await withSimulator({ ...TWO_DAYS, settings }, async (simulator) => {
        const config = configFor(simulator, { end_date: SECOND_DAY });
        const catalog = catalogOf([stream]);
        // Only a day of the last 60 is waited for.
        const then = clockAt(TWO_DAYS.now);
        const cut = await runConnector(['read'], { config, catalog, ...then });
        assertSuccess(cut, catalog);
        expect(cut.records(stream).map(({ data }) => data['date'])).toEqual(['2024-03-01']);
        expect(cut.mostRecentState[0]?.stream.stream_state).toEqual({ date: '2024-03-01' });
        expect(cut.logsOf('WARN').join('\n')).toContain('2024-03-02');
        simulator.configure({ quirks: { series: 'full' } });
        const whole = await runConnector(['read'], { config, catalog, state: cut.mostRecentState, ...then });
        assertSuccess(whole, catalog);
        expect(whole.records(stream).map(({ data }) => data['date'])).toContain('2024-03-02');
        expect(whole.mostRecentState[0]?.stream.stream_state).toEqual({ date: '2024-03-02' });
      });
    },
  );
});

describe('an answer that passes', () => {
  it.concurrent.each(['server-error-500', 'reset-mid-body', 'gzip-flipped-byte'])(
    '%s, once per request, loses nothing and repeats nothing',
    async (fault) => {
      await withSimulator(TWO_DAYS, async (simulator) => {
        simulator.fault({ match: { path: EXPORT, when: ({ attempt }) => attempt === 0 }, action: fault });
        const config = configFor(simulator, { end_date: SECOND_DAY, request_time_range: 12 });
        const output = await runConnector(['read'], { config, catalog: catalogOf(['events']) });
        assertSuccess(output, catalogOf(['events']));
        expect(findEventErrors(output, simulator.truth())).toEqual([]);
        expect(simulator.faults.injected).toBeGreaterThanOrEqual(4);
      });
    },
  );
});
