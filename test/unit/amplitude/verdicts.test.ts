import { ConnectorFailure } from '../../../src/failure';
import {
  amplitudeWords,
  judgeBody,
  judgeNetworkError,
  judgeStatus,
  judgeStorageStatus,
  parseRetryAfter,
} from '../../../src/amplitude/verdicts';

const REQUEST = 'GET /api/2/users';

describe('what a status means', () => {
  it.each([
    [400, 'config', false],
    [401, 'config', false],
    [403, 'config', false],
    [404, 'config', false],
    [408, 'transient', true],
    [413, 'config', false],
    [425, 'transient', true],
    [429, 'transient', true],
    [500, 'transient', true],
    [502, 'transient', true],
    [503, 'transient', true],
    [504, 'transient', true],
    [520, 'transient', true],
    [599, 'transient', true],
    [201, 'system', false],
    [204, 'system', false],
    [304, 'system', false],
    [402, 'system', false],
    [418, 'system', false],
  ])('%d is %s, retried: %s', (status, kind, retry) => {
    const verdict = judgeStatus(REQUEST, status, {}, '');
    expect(verdict.failure).toBeInstanceOf(ConnectorFailure);
    expect(verdict).toMatchObject({ retry, status, words: '', failure: { kind, status } });
    expect(verdict.failure.message).toContain(`(HTTP ${status})`);
    expect(verdict.failure.message).toContain(REQUEST);
    expect(verdict).not.toHaveProperty('retryAfterMs');
  });

  it.each([
    [401, /API Key and Secret Key/],
    [403, /API Key and Secret Key.*Data Region.*plan/],
    [404, /Data Region and base_url/],
    [429, /sync less often/],
    [500, /next sync goes on/],
  ])('%d tells what to do', (status, advice) => {
    expect(judgeStatus(REQUEST, status, {}, '').failure.message).toMatch(advice);
  });

  it("quotes Amplitude's words, and keeps the body for the developer", () => {
    const body = '{"error":{"message":"Invalid $& chart","metadata":{"details":"property {words}"}}}';
    const { failure, words } = judgeStatus(REQUEST, 400, {}, body);
    expect(words).toBe('Invalid $& chart (property {words})');
    expect(failure.message).toBe(
      `Amplitude rejected the request (HTTP 400: Invalid $& chart (property {words})). Request: ${REQUEST}.`,
    );
    expect(failure.detail).toBe(`${REQUEST} answered 400: ${body}`);
  });

  it('cuts long bodies in the message and in the detail', () => {
    const { failure } = judgeStatus(REQUEST, 500, {}, 'x'.repeat(60_000));
    expect(failure.message.length).toBeLessThan(800);
    expect(failure.detail?.length).toBeLessThan(2_100);
  });

  it('reads Retry-After', () => {
    expect(judgeStatus(REQUEST, 429, { 'retry-after': '7' }, '').retryAfterMs).toBe(7000);
    expect(judgeStatus(REQUEST, 503, { 'retry-after': 'soon' }, '')).not.toHaveProperty('retryAfterMs');
  });
});

describe('a status of the storage that Amplitude redirected to', () => {
  it.each([400, 403, 404, 410, 429, 500, 503])('%d is worth another try by Amplitude', (status) => {
    const verdict = judgeStorageStatus(REQUEST, status, { 'retry-after': '2' }, '<Error>expired</Error>');
    expect(verdict).toMatchObject({ retry: true, retryAfterMs: 2000, failure: { kind: 'transient' } });
    expect(verdict.failure.message).toContain(`HTTP ${status}`);
    // Neither "no data" nor "too large" may be read from it.
    expect(verdict.words).toBeUndefined();
    expect(verdict.status).toBe(status === 429 ? 429 : undefined);
  });
});

describe("Amplitude's words in a body", () => {
  it.each([
    // Recorded answers of the dashboard API, of its rate limit, and of the region that does not know the key.
    [
      '{"error":{"http_code":400,"type":"invalid","message":"Invalid chart definition","metadata":{"details":"Invalid user property country"}}}',
      'Invalid chart definition (Invalid user property country)',
    ],
    [
      '{"error":{"http_code":429,"type":"unspecified","message":"Unspecified Error","metadata":{"details":"Too Many Requests: Exceeded rate limit with query of cost 1800"}}}',
      'Unspecified Error (Too Many Requests: Exceeded rate limit with query of cost 1800)',
    ],
    [
      '{"error":{"http_code":429,"type":"unspecified","message":"Unspecified Error","metadata":{"details":"Exceeded concurrent limit with query of cost 415"}}}',
      'Unspecified Error (Exceeded concurrent limit with query of cost 415)',
    ],
    [
      '{"error":{"http_code":403,"type":"forbidden","message":"Forbidden","metadata":{"details":"Invalid API Key"}}}',
      'Forbidden (Invalid API Key)',
    ],
    // The user profile, taxonomy and lookup table APIs.
    ['{"error":"User id and device id not seen before"}', 'User id and device id not seen before'],
    ['{"success":false,"errors":[{"message":"Not found"}]}', 'Not found'],
    ['{"success":false,"errors":[{"message":"One"},{"message":"Two"}]}', 'One; Two'],
    [
      '{"statusCode":404,"message":"No such table","errorCode":"LOOKUP_TABLE_DOES_NOT_EXIST"}',
      'No such table',
    ],
    // The export API answers in plain text.
    ['Raw data files were not found.', 'Raw data files were not found.'],
    ['404: Not Found', '404: Not Found'],
    ['  Rate   limit\n\texceeded ', 'Rate limit exceeded'],
    // Parts that are missing or of another type.
    ['{"error":{"message":"Bad"}}', 'Bad'],
    ['{"error":{"message":"Bad","metadata":null}}', 'Bad'],
    ['{"error":{"message":"Bad","metadata":{"details":null}}}', 'Bad'],
    ['{"error":{"message":"Bad","metadata":{"details":{"code":5}}}}', 'Bad ({"code":5})'],
    ['{"error":{"metadata":{"details":"only these"}}}', '(only these)'],
    ['{"error":{"message":{"text":"nested"}}}', '{"text":"nested"}'],
    ['{"error":{}}', ''],
    ['{"error":null}', '{"error":null}'],
    ['{"errors":[]}', '{"errors":[]}'],
    ['{"errors":["plain"]}', 'plain'],
    ['{}', '{}'],
    ['[]', '[]'],
    ['null', 'null'],
    ['"text"', 'text'],
    // Pages of proxies and edges say nothing to a user.
    ['<html><body>502 Bad Gateway</body></html>', ''],
    ['\n  <!DOCTYPE html>', ''],
    ['', ''],
    [' \r\n ', ''],
  ])('%.60s', (body, words) => {
    expect(amplitudeWords(body)).toBe(words);
  });

  it('are cut to 500 characters, from JSON as from text', () => {
    expect(amplitudeWords('a'.repeat(600))).toBe('a'.repeat(500));
    expect(amplitudeWords(JSON.stringify({ error: 'b'.repeat(600) }))).toBe('b'.repeat(500));
  });

  it('are found in no body without an error of ours, however deep it is nested', () => {
    const deep = '['.repeat(32_000) + ']'.repeat(32_000);
    expect(amplitudeWords(deep)).toBe('['.repeat(500));
    expect(amplitudeWords('{"a":'.repeat(10_000))).toHaveLength(500);
  });
});

describe('errors of the network', () => {
  it.each([
    ['ECONNRESET', 'transient', true],
    ['ECONNREFUSED', 'transient', true],
    ['ETIMEDOUT', 'transient', true],
    ['ECONNABORTED', 'transient', true],
    ['ENOTFOUND', 'transient', true],
    ['EAI_AGAIN', 'transient', true],
    ['HPE_INVALID_HEADER_TOKEN', 'transient', true],
    ['ERR_SOMETHING_NEW', 'transient', false],
    ['CERT_HAS_EXPIRED', 'config', false],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'config', false],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'config', false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'config', false],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'config', false],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'config', false],
    ['HOSTNAME_MISMATCH', 'config', false],
    ['CERT_NOT_YET_VALID', 'config', false],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'config', false],
    ['ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', 'transient', true],
    ['ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR', 'transient', true],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'transient', true],
    ['ERR_TLS_HANDSHAKE_TIMEOUT', 'transient', true],
    ['EPROTO', 'transient', true],
  ])('%s is %s, retried: %s', (code, kind, retry) => {
    const verdict = judgeNetworkError(REQUEST, code, 'text');
    expect(verdict).toMatchObject({ retry, failure: { kind, code } });
    expect(verdict.failure.message).toContain(code);
  });

  it('of certificates name the variable that helps', () => {
    expect(judgeNetworkError(REQUEST, 'SELF_SIGNED_CERT_IN_CHAIN', '').failure.message).toContain(
      'NODE_EXTRA_CA_CERTS',
    );
  });
});

it('an answer that is no TLS is the user’s to mend, also when Node calls it EPROTO', () => {
  const text =
    'write EPROTO 80EC:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:ssl3_record.c:350:';
  expect(judgeNetworkError(REQUEST, 'EPROTO', text)).toMatchObject({
    retry: false,
    failure: { kind: 'config', message: expect.stringContaining('speaks no TLS') },
  });
});

it('a body that cannot be used is worth another try', () => {
  expect(judgeBody(REQUEST, 'it is empty')).toMatchObject({ retry: true, failure: { kind: 'transient' } });
});

describe('Retry-After', () => {
  const NOW = Date.parse('2026-10-04T12:00:00Z');
  it.each([
    ['0', 0],
    ['7', 7_000],
    [' 30 ', 30_000],
    ['0.5', 500],
    ['86400', 86_400_000],
    ['999999999999', 999_999_999_999_000],
    ['Sun, 04 Oct 2026 12:00:30 GMT', 30_000],
    ['Sun, 04 Oct 2026 11:00:00 GMT', 0],
    ['Sunday, 04-Oct-26 12:01:00 GMT', 60_000],
  ])('%j asks for %d ms', (value, expected) => {
    expect(parseRetryAfter(value, NOW)).toBe(expected);
  });

  it.each([
    '',
    '  ',
    '-5',
    '+5',
    '1e9',
    '0x10',
    'Infinity',
    'NaN',
    'soon',
    '2026-10-04',
    '5s',
    '5, 6',
    'Sunday',
  ])('%j asks for nothing', (value) => {
    expect(parseRetryAfter(value, NOW)).toBeUndefined();
  });

  it.each([undefined, null, 5, ['5'], {}, true])('%p is no header', (value) => {
    expect(parseRetryAfter(value, NOW)).toBeUndefined();
  });
});
