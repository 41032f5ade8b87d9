import { createRedactor } from '../../../src/protocol/redact';

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const urlSafe = (text: string): string => base64(text).replaceAll('+', '-').replaceAll('/', '_');
const json = (text: string): string => JSON.stringify(text).slice(1, -1);
const asciiJson = (text: string): string =>
  [...Array(text.length).keys()]
    .map((index) => `\\u${text.charCodeAt(index).toString(16).padStart(4, '0')}`)
    .join('');

const SECRETS = [
  'd9a3f0c2b7e64815',
  'with "quotes" and \\back\\\\slashes\\',
  "<tags> & 'entities'",
  'plus+slash/equals==',
  'späße–漢字-😀',
  'line\nbreak\ttab',
  '%41%2F%zz',
  '$insert_id.*(?:x)[y]{2}^$|',
  'key:with:colons',
  'ÿÿÿÿ>>>???',
];

const FORMS: readonly [string, (secret: string) => string][] = [
  ['as it is', (secret) => secret],
  ['as JSON', json],
  ['as JSON in JSON', (secret) => json(json(secret))],
  ['as JSON in JSON in JSON', (secret) => json(json(json(secret)))],
  ['as JSON with escaped slashes', (secret) => json(secret).replaceAll('/', '\\/')],
  ['as \\u escapes', asciiJson],
  [
    'as upper-case \\u escapes',
    (secret) => asciiJson(secret).replace(/[0-9a-f]{4}/g, (digits) => digits.toUpperCase()),
  ],
  ['URL-encoded', encodeURIComponent],
  [
    'URL-encoded in lower case',
    (secret) => encodeURIComponent(secret).replace(/%../g, (hex) => hex.toLowerCase()),
  ],
  ['as a form', (secret) => new URLSearchParams({ k: secret }).toString().slice(2)],
  ['URL-encoded twice', (secret) => encodeURIComponent(encodeURIComponent(secret))],
  ['as base64', base64],
  ['as base64 without padding', (secret) => base64(secret).replace(/=+$/, '')],
  ['as URL-safe base64', urlSafe],
  ['as URL-safe base64 without padding', (secret) => urlSafe(secret).replace(/=+$/, '')],
  ['as URL-encoded base64', (secret) => encodeURIComponent(base64(secret))],
  [
    'as HTML',
    (secret) =>
      secret
        .replaceAll('&', '&amp;')
        .replaceAll('<', '&lt;')
        .replaceAll('>', '&gt;')
        .replaceAll('"', '&quot;')
        .replaceAll("'", '&#x27;'),
  ],
];

describe.each(FORMS)('a secret %s', (_name, form) => {
  test.each(SECRETS)('%j is replaced completely', (secret) => {
    const redact = createRedactor(SECRETS);
    expect(redact(`before ${form(secret)} after`)).toBe('before **** after');
  });
});

describe('createRedactor', () => {
  test('leaves a text without secrets as it is', () => {
    const text = 'GET /api/2/export 403 {"error":"\\u0000"} %20 ü';
    expect(createRedactor(SECRETS)(text)).toBe(text);
    expect(createRedactor([])(text)).toBe(text);
  });

  test('the basic authentication of a pair is replaced when the pair is given', () => {
    const redact = createRedactor(['key-1234', 'secret-5678', 'key-1234:secret-5678']);
    expect(redact(`Authorization: Basic ${base64('key-1234:secret-5678')}`)).toBe(
      'Authorization: Basic ****',
    );
    expect(redact('key-1234:secret-5678')).toBe('****');
    expect(redact('key-1234 / secret-5678')).toBe('**** / ****');
  });

  test('every occurrence is replaced', () => {
    expect(createRedactor(['abcd'])('abcd, abcd; xabcdy')).toBe('****, ****; x****y');
  });

  test.each([
    ['one inside the other', ['abcdef', 'bcde'], 'xabcdefx bcde', 'x****x ****'],
    ['one the beginning of the other', ['abcd', 'abcdef'], 'abcdef abcd', '**** ****'],
    ['overlapping in the text', ['abcd', 'cdef'], 'xabcdefx', 'x****x'],
    ['overlapping with itself', ['abcabc'], 'xabcabcabcx', 'x****x'],
    ['side by side', ['abcd', 'efgh'], 'abcdefgh', '****'],
    ['overlapping in astral characters', ['😀😀😀😀'], '😀😀😀😀😀', '****'],
  ])('%s: nothing of either is left', (_name, secrets, text, expected) => {
    expect(createRedactor(secrets)(text)).toBe(expected);
    expect(createRedactor([...secrets].reverse())(text)).toBe(expected);
  });

  test.each([
    [
      'a',
      'a bad key "a", key=a, {"api_key":"a"} and (a)',
      '**** bad key "****", key=****, {"api_key":"****"} and (****)',
    ],
    ['a', 'an apple at 401', 'an apple at 401'],
    ['7', 'key 7 of 17 in 7.5 s', 'key **** of 17 in ****.5 s'],
    ['x1', 'x1 x12 ax1 "x1"', '**** x12 ax1 "****"'],
    ['é', 'é été', '**** été'],
    ['+/=', 'invalid key "+/=" in 1+/=2', 'invalid key "****" in 1+/=2'],
    ['"', 'key " is invalid, not "this"', 'key **** is invalid, not "this"'],
    ['a', `Basic ${base64('a')} or YQx`, 'Basic **** or YQx'],
  ])('the short secret %j is replaced as a token only', (secret, text, expected) => {
    expect(createRedactor([secret])(text)).toBe(expected);
  });

  test('blank secrets are ignored', () => {
    expect(createRedactor(['', '   ', '\n'])('a   b')).toBe('a   b');
  });

  test('a secret with white space around it is also found without', () => {
    expect(createRedactor([' abcdef\n'])('"abcdef" and " abcdef\n"')).toBe('"****" and "****"');
  });

  test('a lone surrogate in a secret or text is no trouble', () => {
    expect(createRedactor(['abc\ud800def'])('x abc\ud800def \udc00 y')).toBe('x **** \udc00 y');
  });

  test('hostile texts take time in proportion to their length', () => {
    const redact = createRedactor(['\\'.repeat(8) + '"x"' + '\\'.repeat(8), ...SECRETS]);
    const text = '\\'.repeat(40_000) + '%25'.repeat(20_000) + '"'.repeat(20_000);
    expect(redact(text)).toHaveLength(text.length);
  });
});
