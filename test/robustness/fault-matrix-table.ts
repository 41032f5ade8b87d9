import { presetOf } from '../../simulator/fault-presets';
import type { FaultAction } from '../../simulator/faults';

/** `json`: a small JSON answer (average_session_length). `export`: the archive. `storage`: the archive behind a redirect. */
export type Endpoint = 'json' | 'export' | 'storage';

/** What becomes of a read. */
export interface Outcome {
  /** Attempts after the first, as the log announces them; a range where chance decides. */
  readonly retries: number | readonly [least: number, most: number];
  /** Requests for the window, when they are not one more than the retries. */
  readonly requests?: number;
  readonly failure?: { readonly type: 'config' | 'transient' | 'system'; readonly message: string };
  /** The records of the window are given, or (`empty`) there are none and that is right. */
  readonly window?: 'empty';
  /** The run waits for so many seconds and is ended by the test meanwhile. */
  readonly waits?: number;
}

export interface MatrixRow {
  readonly endpoint: Endpoint;
  readonly fault: string;
  readonly action: FaultAction | 'dns';
  /** The fault hits once. */
  readonly once: Outcome;
  /** The fault hits every request for the window. */
  readonly always: Outcome;
  /** Not together with other rows in one run: it changes more than its own window. */
  readonly alone?: boolean;
  /** With a short idle time-out. */
  readonly stalls?: boolean;
  /** Least wait before each retry in ms, when it is not the back-off. */
  readonly leastWaitMs?: number;
}

type Case = Omit<MatrixRow, 'endpoint'>;

const RETRIES = 5;
/** Twelve times the back-off with which the matrix runs. */
const UNTOLD_WAIT_MS = 240;
const HARMLESS: Outcome = { retries: 0 };

function action(fault: FaultAction | string): FaultAction {
  return typeof fault === 'string' ? presetOf(fault).action : fault;
}

/** Tried again: a passing fault is not noticed, a lasting one is a transient_error. */
function retried(
  fault: string,
  how: FaultAction | string,
  message: string,
  more: Partial<Case> = {},
  type: 'transient' | 'system' = 'transient',
): Case {
  return {
    fault,
    action: action(how),
    once: { retries: 1 },
    always: { retries: RETRIES, failure: { type, message } },
    ...more,
  };
}

/** Not tried again, because the answer would be the same. */
function refused(
  fault: string,
  how: FaultAction | string,
  type: 'config' | 'transient' | 'system',
  message: string,
): Case {
  const outcome: Outcome = { retries: 0, failure: { type, message } };
  return { fault, action: action(how), once: outcome, always: outcome, alone: true };
}

/** The first redirect and five more make six requests of an attempt that always loops. */
function looping(fault: string, how: string): Case {
  const failure = { type: 'system', message: 'redirected more than 5 times' } as const;
  return {
    fault,
    action: action(how),
    // The fault hits one request, so that the first redirect leads to the answer.
    once: { retries: 0, requests: 2 },
    always: { retries: RETRIES, requests: 6 * (1 + RETRIES), failure },
    alone: true,
  };
}

/** On a slow machine a short idle time-out may hit a healthy request as well. */
function stalling(fault: string, how: string, message: string): Case {
  return { ...retried(fault, how, message), once: { retries: [1, RETRIES] }, alone: true, stalls: true };
}

function harmless(fault: string, how: FaultAction | string, more: Partial<Case> = {}): Case {
  return { fault, action: action(how), once: HARMLESS, always: HARMLESS, ...more };
}

function reply(status: number, body: string, headers: Record<string, string> = {}): FaultAction {
  return { kind: 'reply', status, headers: { 'content-type': 'text/plain', ...headers }, body };
}

const TRANSPORT: readonly Case[] = [
  {
    ...retried('connection refused', { kind: 'refuse', ms: 100 }, 'could not be reached (ECONNREFUSED)'),
    once: { retries: [1, 5] },
    alone: true,
  },
  {
    ...retried('DNS failure', 'refuse', 'could not be reached (EAI_AGAIN)'),
    action: 'dns',
    alone: true,
  },
  retried('reset before the headers', 'reset-before-headers', 'could not be reached (ECONNRESET)'),
  retried('closed before the headers', 'close-before-headers', 'could not be reached (ECONNRESET)'),
  retried('reset in the middle of the headers', 'reset-mid-headers', 'could not be reached (ECONNRESET)'),
  retried('closed in the middle of the headers', 'close-mid-headers', 'could not be reached ('),
  retried('reset in the middle of the body', 'reset-mid-body', 'could not be reached (ECONNRESET)'),
  retried('reset after the first byte of the body', 'reset-first-byte', 'could not be reached (ECONNRESET)'),
  stalling('stall in the middle of the body', 'stall-mid-body', 'could not be reached (ETIMEDOUT)'),
  harmless('slow drip', 'slow-drip'),
  retried('body shorter than Content-Length', 'short-body', 'could not be reached (ECONNRESET)'),
  retried('body one byte shorter than Content-Length', 'short-by-one', 'could not be reached (ECONNRESET)'),
  retried('chunked body cut', 'chunked-cut', 'could not be reached (ECONNRESET)'),
  harmless('chunked body', 'chunked'),
  harmless('gzip content-encoding', 'gzip-encoding'),
  retried(
    'content-encoding that was not asked for',
    reply(200, 'packed', { 'content-encoding': 'br' }),
    'its content-encoding is "br", and gzip was asked for',
  ),
  retried('gzip content-encoding cut', 'gzip-encoding-cut', 'its gzip encoding is broken'),
  retried('200 with an empty body', 'empty-200', 'it is empty'),
  harmless('wrong content type', 'wrong-content-type'),
  retried('408', 'timeout-408', '(HTTP 408'),
  retried('429 without Retry-After', 'rate-limit-429', '(HTTP 429', { leastWaitMs: UNTOLD_WAIT_MS }),
  retried('429 with Retry-After in seconds', 'rate-limit-429-seconds', '(HTTP 429', { leastWaitMs: 1000 }),
  // The date is two seconds away and has no milliseconds.
  retried('429 with Retry-After as a date', 'rate-limit-429-date', '(HTTP 429', { leastWaitMs: 1000 }),
  retried('429 with Retry-After as a date in the past', 'rate-limit-429-past-date', '(HTTP 429'),
  {
    ...retried('429 with an absurd Retry-After', 'rate-limit-429-absurd', ''),
    once: { retries: 1, waits: 600 },
    always: { retries: 1, waits: 600 },
    alone: true,
  },
  retried('429 with a negative Retry-After', 'rate-limit-429-negative', '(HTTP 429', {
    leastWaitMs: UNTOLD_WAIT_MS,
  }),
  retried('429 with words as Retry-After', 'rate-limit-429-words', '(HTTP 429', {
    leastWaitMs: UNTOLD_WAIT_MS,
  }),
  retried('500', 'server-error-500', '(HTTP 500)'),
  retried('502', 'bad-gateway-502', '(HTTP 502)'),
  retried('503', 'unavailable-503', '(HTTP 503)'),
  retried(
    '503 with Retry-After in seconds',
    reply(503, 'down for a moment', { 'retry-after': '1' }),
    '(HTTP 503',
    { leastWaitMs: 1000 },
  ),
];

const REDIRECTS: readonly Case[] = [
  harmless('redirect to the storage of another origin', 'redirect-storage'),
  looping('redirect loop', 'redirect-loop'),
  looping('redirect to itself', 'redirect-nowhere'),
  refused('redirect to a file', 'redirect-file', 'config', 'A redirect by Amplitude must be an https URL'),
  refused(
    'redirect to plain http on a public address',
    { kind: 'redirect', to: 'http://192.0.2.1/archive.zip' },
    'config',
    'plain http to a public address',
  ),
];

/** Answers of the API itself to which trying again makes no difference. */
const REFUSALS: readonly Case[] = [
  refused('401', 'unauthorized-401', 'config', 'did not accept the credentials (HTTP 401'),
  refused('403 key of another project or region', 'wrong-key-403', 'config', 'Data Region is the project'),
  refused('403 plan without this API', 'no-permission-403', 'config', 'plan does not include access'),
  refused('403 as a web page', 'html-403', 'config', 'refused access (HTTP 403)'),
  refused(
    '404 as a web page',
    reply(404, '<html>No such page</html>'),
    'config',
    'does not have this endpoint',
  ),
  refused('204', 'no-content-204', 'system', 'its API does not document (HTTP 204)'),
];

const SILENCE = stalling(
  'stall before the headers',
  'stall-before-headers',
  'could not be reached (ETIMEDOUT)',
);

const BAD_REQUEST = refused(
  '400 with a reason',
  'bad-request',
  'config',
  'Invalid chart definition (Invalid user property gp:plan',
);

const JSON_ONLY: readonly Case[] = [
  SILENCE,
  BAD_REQUEST,
  refused('404', 'not-found-404', 'config', 'does not have this endpoint (HTTP 404'),
  refused('400 without a word', reply(400, ''), 'config', 'rejected the request (HTTP 400)'),
  retried('504', 'gateway-timeout-504', '(HTTP 504)'),
  retried('200 with HTML', 'html-200-as-json', 'a web page instead of JSON'),
  retried('200 with plain rate-limit text', 'rate-limit-text-200', 'it is not JSON'),
  retried('JSON cut in the middle', 'json-cut', 'it is not JSON'),
  refused('JSON null', 'json-null', 'system', 'unexpected form'),
  refused('JSON list instead of an object', 'json-array', 'system', 'unexpected form'),
  refused('JSON text instead of an object', 'json-string', 'system', 'unexpected form'),
  refused('JSON without its wrapper', 'json-no-wrapper', 'system', 'unexpected form'),
  refused('JSON with wrong types', 'json-wrong-types', 'system', 'unexpected form'),
];

const EXPORT_ONLY: readonly Case[] = [
  {
    fault: '404 "no data" as a sentence',
    action: action('no-raw-files-404'),
    once: { retries: 0, window: 'empty' },
    always: { retries: 0, window: 'empty' },
    // After two empty windows the next one is larger.
    alone: true,
  },
  // It may mean "no data" when Amplitude's own host says it; the simulator is another one.
  refused('404 as bare text', 'not-found-404', 'config', 'does not have this endpoint (HTTP 404'),
  {
    ...SILENCE,
    once: { retries: [1, RETRIES + 2] },
    // Like a 504: twice for two hours, which is then halved, and six times for one.
    always: { ...SILENCE.always, retries: 6, requests: 8 },
  },
  {
    ...BAD_REQUEST,
    once: { retries: 0, requests: 2 },
    always: { ...BAD_REQUEST.always, requests: 2 },
  },
  {
    fault: '400 too large, as JSON',
    action: action('too-large'),
    once: { retries: 0, requests: 2 },
    always: { retries: 0, requests: 2, failure: { type: 'config', message: 'export to Amazon S3' } },
    alone: true,
  },
  {
    fault: '400 too large, as text',
    action: action('too-large-text'),
    once: { retries: 0, requests: 2 },
    always: { retries: 0, requests: 2, failure: { type: 'config', message: 'export to Amazon S3' } },
    alone: true,
  },
  {
    fault: '413',
    action: reply(413, 'Payload Too Large'),
    once: { retries: 0, requests: 2 },
    always: { retries: 0, requests: 2, failure: { type: 'config', message: 'export to Amazon S3' } },
    alone: true,
  },
  {
    fault: '400 without a word',
    action: reply(400, ''),
    once: { retries: 0, requests: 2 },
    always: {
      retries: 0,
      requests: 2,
      failure: { type: 'config', message: 'rejected the request (HTTP 400)' },
    },
    alone: true,
  },
  {
    fault: '504',
    action: action('gateway-timeout-504'),
    once: { retries: 1 },
    // Twice for two hours, which is then halved, and six times for one.
    always: { retries: 6, requests: 8, failure: { type: 'transient', message: '(HTTP 504)' } },
    alone: true,
  },
];

const NOT_AN_ARCHIVE: readonly Case[] = [
  retried('200 with HTML', 'html-200', 'it is a web page although the status is 200'),
  retried(
    '200 with HTML that is called a ZIP',
    'html-200-as-zip',
    'it is a web page although the status is 200',
  ),
  retried('200 with plain rate-limit text', 'rate-limit-text-200', 'it is no ZIP archive'),
];

const ARCHIVES: readonly Case[] = [
  retried('archive truncated', 'archive-truncated', "the archive's end is missing"),
  retried('archive without its last bytes', 'archive-without-end', "the archive's end is missing"),
  retried('flipped byte in the ZIP', 'archive-flipped-byte', 'member'),
  retried('wrong CRC-32', 'archive-wrong-crc', 'does not have the CRC-32 that the archive declares'),
  retried('wrong size', 'archive-wrong-size', 'does not have the size that the archive declares'),
  retried('archive without members', 'archive-no-members', 'it is no ZIP archive'),
  retried('bytes before the archive', 'archive-surrounded', 'it is no ZIP archive'),
  retried('flipped byte in the gzip', 'gzip-flipped-byte', 'archive is damaged'),
  retried("flipped byte in gzip's own CRC", 'gzip-flipped-crc', 'archive is damaged'),
  retried('gzip truncated', 'gzip-truncated', 'archive is damaged'),
  retried('garbage after the gzip', 'member-trailing-garbage', 'archive is damaged'),
  refused('member that is neither gzip nor JSON', 'member-garbage', 'system', 'is not one JSON object'),
  refused('line that is not JSON', 'line-malformed', 'system', 'is not one JSON object'),
  refused('line that is not an object', 'line-not-an-object', 'system', 'is not one JSON object'),
  refused('line that is not UTF-8', 'line-invalid-utf8', 'system', 'is not one JSON object'),
  refused('line of 20 MB without an end', 'line-20-mb-cut', 'system', 'is not one JSON object'),
  refused(
    'line of 256 MiB without an end (ZIP bomb)',
    { kind: 'archive', mutations: [{ kind: 'bomb', fill: 'one-line', bytes: 2 ** 28 }] },
    'system',
    'is not one JSON object',
  ),
  harmless(
    '256 MiB of blank lines (ZIP bomb)',
    { kind: 'archive', mutations: [{ kind: 'bomb', bytes: 2 ** 28 }] },
    { alone: true },
  ),
  harmless('100,000 members', 'members-100000', { alone: true }),
  harmless('ZIP64', 'zip-zip64'),
  harmless('ZIP64 with data descriptors', 'zip-zip64-descriptor'),
  harmless('data descriptors', 'zip-descriptor'),
  harmless('stored members', 'zip-stored'),
  harmless('stored members with data descriptors', 'zip-stored-descriptor'),
  harmless('archive comment', 'zip-comment'),
  harmless('directory entry', 'zip-directory-entry'),
  harmless('nested folder', 'zip-nested-folder'),
  harmless('members in any order', 'zip-shuffled'),
  harmless('hostile names beside the data', 'names-hostile'),
  harmless('hostile names of the data', 'members-hostile'),
  harmless('member that is not gzip', 'member-plain'),
  harmless('member that is not gzip, called .json', 'member-plain-renamed'),
  harmless('multi-member gzip', 'member-multi-gzip'),
  harmless('zeros after the gzip', 'member-zero-padding'),
  harmless('empty member', 'member-empty'),
  harmless('empty gzip member', 'member-empty-gzip'),
];

/** What the storage itself says is about the one-time address, so a new one is asked for. */
const STORAGE_REFUSALS: readonly Case[] = [400, 401, 403, 404, 410, 504].map((status) =>
  retried(
    `${String(status)} by the storage`,
    reply(status, '<Error><Code>AccessDenied</Code></Error>'),
    `storage that Amplitude redirected to refused the file (HTTP ${String(status)})`,
  ),
);

/** The damages that are likely on the way from a storage; the others cannot differ from those of `export`. */
const STORAGE_ARCHIVES = [
  'archive truncated',
  'flipped byte in the ZIP',
  'wrong CRC-32',
  'flipped byte in the gzip',
  'ZIP64',
];

function at(endpoint: Endpoint, cases: readonly Case[]): MatrixRow[] {
  return cases.map((one) => ({ endpoint, ...one }));
}

/** Every endpoint kind with every fault. */
export const FAULT_MATRIX: readonly MatrixRow[] = [
  ...at('json', [...TRANSPORT, ...REDIRECTS, ...REFUSALS, ...JSON_ONLY]),
  ...at('export', [...TRANSPORT, ...REDIRECTS, ...REFUSALS, ...EXPORT_ONLY, ...NOT_AN_ARCHIVE, ...ARCHIVES]),
  ...at('storage', [
    ...TRANSPORT,
    SILENCE,
    ...STORAGE_REFUSALS,
    ...NOT_AN_ARCHIVE,
    ...ARCHIVES.filter(({ fault }) => STORAGE_ARCHIVES.includes(fault)),
  ]),
];
