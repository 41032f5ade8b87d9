import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import axios, { AxiosError, type AxiosInstance } from 'axios';
import { ConnectorFailure } from '../failure';
import { type AddressPolicy, assertUrlAllowed, guardedLookup } from './address-policy';
import { ACCEPTED_ENCODING, encodingOf } from './content-encoding';
import { readErrorBody } from './error-body';
import type { ApiObserver } from './observer';
import {
  judgeBody,
  judgeMovedStatus,
  judgeNetworkError,
  judgeStatus,
  judgeStorageStatus,
  type StatusJudge,
  type Verdict,
} from './verdicts';

const MAX_REDIRECTS = 5;
/** What an address answers that has moved for good, with everything below it. */
const MOVED = new Set([301, 308]);

/** An attempt that failed, as our own error: an axios error holds the keys and is never passed on. */
export class AttemptError extends AxiosError {
  constructor(readonly verdict: Verdict) {
    super(verdict.failure.message);
  }
}

export interface TransportOptions {
  readonly baseUrl: URL;
  readonly apiKey: string;
  readonly secretKey: string;
  readonly policy: AddressPolicy;
  /** Longest silence on a connection, before the answer or within it. */
  readonly idleTimeoutMs: number;
  readonly userAgent: string;
  /** Takes the keys out of a text of the other side, in every form. */
  readonly redact: (text: string) => string;
}

/** An answer with status 200; its body has not been read. */
export interface HttpAnswer {
  /** What was asked for, as messages name it. */
  readonly request: string;
  /** Content-Length. */
  readonly declaredBytes: number | undefined;
  /** Whether the body is compressed as a whole. */
  readonly isGzip: boolean;
  readonly body: Readable;
}

/** The one path whose answers may lie elsewhere: Amplitude redirects to the archive in a storage. */
export const EXPORT_PATH = '/api/2/export';

/** Sends single attempts. Redirects are followed by hand, so that the credentials stay with Amplitude's own origin. */
export class Transport {
  private readonly http: AxiosInstance;

  constructor(private readonly options: TransportOptions) {
    const { policy } = options;
    this.http = axios.create({
      httpAgent: new HttpAgent({ keepAlive: true, lookup: guardedLookup('http:', policy) }),
      httpsAgent: new HttpsAgent({ keepAlive: true, lookup: guardedLookup('https:', policy) }),
      headers: { 'User-Agent': options.userAgent, 'Accept-Encoding': ACCEPTED_ENCODING },
      maxRedirects: 0,
      validateStatus: () => true,
      responseType: 'stream',
      // axios accepts a cut gzip body as whole; our own gunzip does not.
      decompress: false,
      transitional: { clarifyTimeoutError: true },
    });
  }

  /**
   * @param path From the host's root, such as `/api/2/export`.
   * @param observer Hears of every answer at DEBUG.
   * @param idleTimeoutMs Longest silence for this request; never more than the transport's own.
   * @throws AttemptError for everything but a 200; ConnectorFailure (config) when a redirect is not allowed.
   */
  async get(
    path: string,
    params: Readonly<Record<string, string>>,
    { signal, log }: Pick<ApiObserver, 'signal' | 'log'>,
    idleTimeoutMs = this.options.idleTimeoutMs,
  ): Promise<HttpAnswer> {
    const timeout = Math.min(idleTimeoutMs, this.options.idleTimeoutMs);
    const request = nameRequest(path, params);
    const start = new URL(this.options.baseUrl.href.replace(/\/$/, '') + path);
    start.search = new URLSearchParams(params).toString();
    let url = start;
    let judgeElsewhere: StatusJudge = judgeStorageStatus;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
      const sinceMs = Date.now();
      const { status, headers, data } = await this.send(url, url.origin === start.origin, request, {
        signal,
        timeout,
      });
      log.debug(`${request}: ${url.host} answered ${status} after ${Date.now() - sinceMs} ms.`);
      if (status === 200) return this.open(request, headers, data);
      const location: unknown = headers['location'];
      if (status < 300 || status >= 400 || typeof location !== 'string') {
        const { text, brokenBy } = await readErrorBody(data, encodingOf(headers));
        const judge = url.origin === start.origin ? judgeStatus : judgeElsewhere;
        // Before anything quotes a part of it: half a key is no longer recognised as one.
        const verdict = judge(request, status, headers, this.options.redact(text));
        // What follows from half of an explanation may be the opposite of what the whole says.
        if (brokenBy && !verdict.retry) throw translateNetworkError(brokenBy, request, signal);
        throw new AttemptError(verdict);
      }
      data.destroy();
      url = resolveRedirect(location, url, request);
      if (path !== EXPORT_PATH) judgeElsewhere = judgeMovedStatus(start, url, judgeStatus);
      else if (MOVED.has(status)) judgeElsewhere = judgeMovedStatus(start, url, judgeStorageStatus);
      assertUrlAllowed(url, this.options.policy, 'A redirect by Amplitude');
    }
    throw new AttemptError({
      failure: new ConnectorFailure(
        'system',
        `Amplitude redirected more than ${MAX_REDIRECTS} times. Request: ${request}.`,
      ),
      retry: true,
    });
  }

  private open(request: string, headers: Readonly<Record<string, unknown>>, body: Readable): HttpAnswer {
    const { kind, name } = encodingOf(headers);
    if (kind === 'unknown') {
      body.destroy();
      const problem = `its content-encoding is "${this.options.redact(name).slice(0, 100)}", and ${ACCEPTED_ENCODING} was asked for`;
      throw new AttemptError(judgeBody(request, problem));
    }
    const length = headers['content-length'];
    return {
      request,
      declaredBytes: length === undefined ? undefined : Number(length),
      isGzip: kind === 'gzip',
      body,
    };
  }

  private async send(
    url: URL,
    withKeys: boolean,
    request: string,
    limits: { readonly signal: AbortSignal; readonly timeout: number },
  ) {
    const auth = { username: this.options.apiKey, password: this.options.secretKey };
    try {
      const answer = await this.http.get<Readable>(url.href, { ...limits, ...(withKeys ? { auth } : {}) });
      endWhenSilent(answer.data, limits.timeout);
      return answer;
    } catch (error) {
      const translated = translateNetworkError(error, request, limits.signal);
      if (!withKeys || !isOwnTimeout(error) || !(translated instanceof AttemptError)) throw translated;
      throw new AttemptError({ ...translated.verdict, timedOut: true });
    }
  }
}

/** Whether the limit of axios ended it: a time-out of the system, as on connecting, comes as the cause of another error. */
function isOwnTimeout(error: unknown): boolean {
  return error instanceof AxiosError && error.code === AxiosError.ETIMEDOUT && error.cause === undefined;
}

function nameRequest(path: string, params: Readonly<Record<string, string>>): string {
  const query = Object.entries(params).map(([name, value]) => `${name}=${value}`);
  return `GET ${path}${query.length === 0 ? '' : `?${query.join('&')}`}`;
}

/** axios stops looking at its own time-out as soon as there is a status: a body that stalls would be waited for for ever. */
function endWhenSilent(body: Readable, idleTimeoutMs: number): void {
  const { socket } = body as IncomingMessage;
  const giveUp = (): void => {
    const message = `nothing came for ${idleTimeoutMs} ms`;
    body.destroy(Object.assign(new Error(message), { code: 'ETIMEDOUT' }));
  };
  socket.setTimeout(idleTimeoutMs);
  socket.on('timeout', giveUp);
  // A kept-alive connection serves other requests afterwards.
  body.once('close', () => socket.off('timeout', giveUp));
}

function resolveRedirect(location: string, from: URL, request: string): URL {
  if (!URL.canParse(location, from.href)) {
    throw new AttemptError({
      failure: new ConnectorFailure(
        'system',
        `Amplitude redirected to something that is no URL. Request: ${request}.`,
      ),
      retry: false,
    });
  }
  const url = new URL(location, from);
  url.username = '';
  url.password = '';
  return url;
}

/** Our error for whatever broke a request or its body. An abort by our own signal is passed on as it is. */
export function translateNetworkError(error: unknown, request: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof AttemptError || error instanceof ConnectorFailure) return error;
  const { code, message, cause } = error as { code?: string; message?: string; cause?: unknown };
  if (cause instanceof ConnectorFailure) return cause;
  if (code === undefined) return error;
  return new AttemptError(judgeNetworkError(request, code, message ?? ''));
}
