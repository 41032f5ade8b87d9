import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import axios, { AxiosError, type AxiosAdapter, type AxiosInstance } from 'axios';
import axiosRetry from 'axios-retry';
import type { ApiObserver } from './observer';
import { announceRetry, refuseToWait, retryDelayMs, type RequestOptions } from './retry';
import { AttemptError, translateNetworkError, type HttpAnswer } from './transport';
import { judgeBody } from './verdicts';

/** These answers take seconds; Amplitude was seen to hang where it should have said 429. */
const IDLE_TIMEOUT_MS = 120_000;
/** Far above any answer seen; keeps a runaway body out of memory. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

export interface JsonRequest {
  readonly path: string;
  readonly params?: Readonly<Record<string, string>>;
  /** Dashboard cost in Amplitude's units; 0 or absent for endpoints without one. */
  readonly cost?: number;
}

/** GETs of small JSON answers: axios-retry around attempts that wait for their own turn and budget. */
export class JsonClient {
  private readonly http: AxiosInstance;

  constructor(
    private readonly options: RequestOptions,
    private readonly observer: ApiObserver,
  ) {
    this.http = axios.create({ transformResponse: (data: unknown) => data });
    axiosRetry(this.http, {
      retries: options.retries,
      shouldResetTimeout: true,
      retryCondition: (error) =>
        error instanceof AttemptError && error.verdict.retry && !refuseToWait(error.verdict, options),
      retryDelay: (number, error) => this.delayRetry(number, error),
    });
  }

  /** @throws ConnectorFailure when the retries are used up or would not help. */
  async get({ path, params = {}, cost = 0 }: JsonRequest): Promise<unknown> {
    const { limits, transport } = this.options;
    const { signal } = this.observer;
    const adapter: AxiosAdapter = (config) =>
      limits.run(
        'json',
        cost,
        async () => {
          this.observer.tally('requests', 1);
          try {
            const data = await readJson(
              await transport.get(path, params, this.observer, IDLE_TIMEOUT_MS),
              signal,
            );
            return { data, status: 200, statusText: 'OK', headers: {}, config };
          } catch (error) {
            // axios-retry finds its own bookkeeping in the error's config.
            if (error instanceof AxiosError) error.config = config;
            throw error;
          }
        },
        this.observer,
      );
    try {
      const { data } = await this.http.get<unknown>(path, { adapter, signal });
      return data;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof AttemptError)) throw error;
      throw refuseToWait(error.verdict, this.options) ?? error.verdict.failure;
    }
  }

  private delayRetry(number: number, error: AxiosError): number {
    const { verdict } = error as AttemptError;
    const delayMs = retryDelayMs(number, this.options, verdict);
    announceRetry(this.observer, this.options.limits, 'json', verdict, number, delayMs);
    return delayMs;
  }
}

async function readJson({ request, isGzip, body }: HttpAnswer, signal: AbortSignal): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES)
        throw new AttemptError(judgeBody(request, `it is larger than ${MAX_BODY_BYTES} bytes`));
      chunks.push(chunk);
    }
  } catch (error) {
    throw translateNetworkError(error, request, signal);
  }
  const text = await decode(Buffer.concat(chunks), isGzip, request);
  return parseJson(text, request);
}

async function decode(body: Buffer, isGzip: boolean, request: string): Promise<string> {
  if (!isGzip) return body.toString('utf8');
  try {
    const decoded = await promisify(gunzip)(body, { maxOutputLength: MAX_BODY_BYTES });
    return decoded.toString('utf8');
  } catch (error) {
    throw new AttemptError(
      judgeBody(request, `its gzip encoding is broken (${(error as NodeJS.ErrnoException).code})`),
    );
  }
}

function parseJson(text: string, request: string): unknown {
  if (text.trim() === '') throw new AttemptError(judgeBody(request, 'it is empty'));
  try {
    return JSON.parse(text);
  } catch {
    const kind = text.trimStart().startsWith('<') ? 'it is a web page instead of JSON' : 'it is not JSON';
    throw new AttemptError(judgeBody(request, kind));
  }
}
