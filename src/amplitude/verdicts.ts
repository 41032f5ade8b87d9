import { ConnectorFailure, type FailureKind } from '../failure';

/** What one attempt came to, and what follows from it. */
export interface Verdict {
  readonly failure: ConnectorFailure;
  readonly retry: boolean;
  /** HTTP status, when there was an answer. */
  readonly status?: number;
  /** Amplitude's own explanation, empty when it gave none. */
  readonly words?: string;
  /** The other side had the request and said nothing for as long as we wait. */
  readonly timedOut?: boolean;
  /** What Amplitude's Retry-After asked for, uncapped. */
  readonly retryAfterMs?: number;
}

interface StatusRule {
  readonly kind: FailureKind;
  readonly retry: boolean;
  /** Completes "Amplitude …"; `{words}` is what Amplitude said. */
  readonly text: string;
}

const REJECTED: StatusRule = { kind: 'config', retry: false, text: 'rejected the request{words}.' };
const FAILED: StatusRule = {
  kind: 'transient',
  retry: true,
  text: 'failed to answer{words}. This usually passes; the next sync goes on from here.',
};
const SURPRISING: StatusRule = {
  kind: 'system',
  retry: false,
  text: 'answered in a way that its API does not document{words}.',
};

/** The one table of what an HTTP status means. */
const STATUS_RULES: Readonly<Record<number, StatusRule>> = {
  400: REJECTED,
  401: {
    kind: 'config',
    retry: false,
    text: 'did not accept the credentials{words}. Check API Key and Secret Key.',
  },
  403: {
    kind: 'config',
    retry: false,
    text:
      'refused access{words}. Check that API Key and Secret Key are of this project, that Data Region is the ' +
      "project's, and that the project's plan and the keys' permissions include this data.",
  },
  404: {
    kind: 'config',
    retry: false,
    text: 'does not have this endpoint{words}. Check Data Region and base_url.',
  },
  408: FAILED,
  413: REJECTED,
  425: FAILED,
  429: {
    kind: 'transient',
    retry: true,
    text: 'kept limiting the rate of requests{words}. The next sync goes on from here; sync less often if this repeats.',
  },
};

/** Network errors that pass by themselves, by the codes of Node and axios. */
const PASSING_CODES = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EPROTO',
  'ERR_NETWORK',
  'ERR_BAD_RESPONSE',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** A certificate that was not accepted, by the codes of Node and OpenSSL. */
const CERTIFICATE =
  /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|CRL_/;
/** How OpenSSL calls a first answer that is no TLS, such as plain http; Node gives it as EPROTO or with a code of its own. */
const NO_TLS = /wrong.version.number/i;

/** What follows from a status; `body` is the text of the answer, as far as it was read. */
export type StatusJudge = (
  request: string,
  status: number,
  headers: Readonly<Record<string, unknown>>,
  body: string,
) => Verdict;

/** Bodies are quoted to the user only up to this many characters. */
const QUOTED_CHARACTERS = 500;

/** @param body Text of the answer, as far as it was read. */
export function judgeStatus(
  request: string,
  status: number,
  headers: Readonly<Record<string, unknown>>,
  body: string,
): Verdict {
  const rule = STATUS_RULES[status] ?? (status >= 500 ? FAILED : SURPRISING);
  const words = amplitudeWords(body);
  const said = words === '' ? ` (HTTP ${status})` : ` (HTTP ${status}: ${words})`;
  const message = `Amplitude ${rule.text.replace('{words}', () => said)} Request: ${request}.`;
  const retryAfterMs = parseRetryAfter(headers['retry-after'], Date.now());
  return {
    failure: new ConnectorFailure(
      rule.kind,
      message,
      `${request} answered ${status}: ${body.slice(0, 2000)}`,
      { status, words },
    ),
    retry: rule.retry,
    status,
    words,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/**
 * A refusal by another host to which Amplitude redirected. It says something of that one-time address only: it may have
 * run out, and a 404 of it is not Amplitude's "no data". So it carries no status but a rate limit's, and a new address is
 * asked for.
 */
export function judgeStorageStatus(
  request: string,
  status: number,
  headers: Readonly<Record<string, unknown>>,
  body: string,
): Verdict {
  const words = amplitudeWords(body);
  const said = words === '' ? `HTTP ${status}` : `HTTP ${status}: ${words}`;
  const retryAfterMs = parseRetryAfter(headers['retry-after'], Date.now());
  return {
    failure: new ConnectorFailure(
      'transient',
      `The storage that Amplitude redirected to refused the file (${said}). This usually passes; the next sync goes on ` +
        `from here. Request: ${request}.`,
      `${request}, redirected, answered ${status}: ${body.slice(0, 2000)}`,
    ),
    retry: true,
    ...(status === 429 ? { status } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/**
 * A refusal by the host that an address was redirected to as a whole: keys go to the address that the user chose only, so
 * the new one cannot know them.
 * @param otherwise Judges every other status.
 */
export function judgeMovedStatus(from: URL, to: URL, otherwise: StatusJudge): StatusJudge {
  return (request, status, headers, body) => {
    if (status !== 401 && status !== 403) return otherwise(request, status, headers, body);
    const message =
      `${from.origin} redirects to ${to.origin}, where the keys are not sent (HTTP ${status}). Set Base URL (base_url) ` +
      `to the address there. Request: ${request}.`;
    // Without the status, which would be taken for a refusal of the keys.
    const detail = `${request}, redirected, answered ${status}: ${body.slice(0, 2000)}`;
    return { failure: new ConnectorFailure('config', message, detail), retry: false };
  };
}

/** An attempt that brought no answer at all. */
export function judgeNetworkError(request: string, code: string, text: string): Verdict {
  const settled = settledHint(code, text);
  const hint = settled ?? 'Check the network, the proxy settings and, if set, base_url.';
  return {
    failure: new ConnectorFailure(
      settled === undefined ? 'transient' : 'config',
      `Amplitude could not be reached (${code}). ${hint} Request: ${request}.`,
      `${request}: ${code} ${text}`,
      { code },
    ),
    // Most faults of TLS are a byte that was damaged, or one server of many that is out of order.
    retry: settled === undefined && (PASSING_CODES.has(code) || /^(HPE|ERR_SSL|ERR_TLS)_/.test(code)),
  };
}

/** What to do about an error that the next attempt would meet again; undefined for the others. */
function settledHint(code: string, text: string): string | undefined {
  const isTls = code === 'EPROTO' || code.startsWith('ERR_SSL_');
  if (isTls && NO_TLS.test(`${code} ${text}`))
    return 'What answered there speaks no TLS: base_url or a proxy setting may say https where http is meant.';
  if (CERTIFICATE.test(code))
    return 'The TLS certificate was not accepted; a proxy may need its CA in NODE_EXTRA_CA_CERTS.';
  return undefined;
}

/** An answer with status 200 whose body is not what the endpoint returns. Worth another try: proxies and edges do this. */
export function judgeBody(request: string, problem: string): Verdict {
  return {
    failure: new ConnectorFailure(
      'transient',
      `Amplitude's answer could not be used: ${problem}. This usually passes; the next sync goes on from here. Request: ${request}.`,
      `${request}: ${problem}`,
    ),
    retry: true,
  };
}

/** Amplitude's own explanation out of an error body: JSON envelope, taxonomy form, or short plain text. */
export function amplitudeWords(body: string): string {
  const text = body.trim();
  if (text === '' || text.startsWith('<')) return '';
  try {
    const parsed: unknown = JSON.parse(text);
    return envelopeWords(parsed).slice(0, QUOTED_CHARACTERS);
  } catch (error) {
    // Plain text is normal here: export errors are often not JSON. A RangeError comes of JSON nested thousands deep.
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
    return text.replace(/\s+/g, ' ').slice(0, QUOTED_CHARACTERS);
  }
}

function envelopeWords(parsed: unknown): string {
  if (typeof parsed !== 'object' || parsed === null) return String(parsed);
  const { error, message, errors } = parsed as { error?: unknown; message?: unknown; errors?: unknown };
  if (typeof error === 'string') return error;
  if (typeof error === 'object' && error !== null) {
    const { message: said, metadata } = error as { message?: unknown; metadata?: { details?: unknown } };
    const details = metadata?.details ?? '';
    return [said, details === '' ? '' : `(${asText(details)})`].filter(Boolean).map(asText).join(' ');
  }
  if (typeof message === 'string') return message;
  if (Array.isArray(errors) && errors.length > 0) return errors.map(envelopeWords).join('; ');
  return JSON.stringify(parsed);
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Seconds or an HTTP date, as a duration from now; undefined when absent or unreadable. */
export function parseRetryAfter(value: unknown, nowMs: number): number | undefined {
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  // Date.parse alone takes nearly anything ("-5" is a year); an HTTP date begins with a weekday.
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined;
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : Math.max(0, epochMs - nowMs);
}
