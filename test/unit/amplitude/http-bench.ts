import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Amplitude, type AmplitudeApi, type AmplitudeOptions } from '../../../src/amplitude/client';
import type { ApiObserver } from '../../../src/amplitude/observer';
import { TempSpace } from '../../../src/amplitude/temp-space';
import { ConnectorFailure } from '../../../src/failure';

/** The header that the bench's keys make. */
export const BASIC = `Basic ${Buffer.from('key:secret').toString('base64')}`;

export type Handler = (response: ServerResponse, request: IncomingMessage) => void;

export const reply =
  (status: number, body: string | Buffer = '', headers: Record<string, string> = {}): Handler =>
  (response) =>
    response.writeHead(status, headers).end(body);

export const redirectTo =
  (url: () => string, status = 302): Handler =>
  (response) =>
    response.writeHead(status, { location: url() }).end();

/** A server of one origin; each request takes the next handler, the last one stays. */
export class Origin {
  readonly requests: { path: string; authorization: string | undefined }[] = [];
  handlers: Handler[] = [];
  private readonly server: Server = createServer((request, response) => {
    this.requests.push({ path: request.url!, authorization: request.headers.authorization });
    const handler = this.handlers[Math.min(this.requests.length, this.handlers.length) - 1];
    handler?.(response, request);
  });

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** What a caller of the API heard, and its way to stop. */
export interface Heard {
  readonly observer: ApiObserver;
  readonly warnings: string[];
  readonly tallies: Record<string, number>;
  readonly limitedUntil: number[];
  readonly stop: AbortController;
}

export function listen(): Heard {
  const warnings: string[] = [];
  const tallies: Record<string, number> = {};
  const limitedUntil: number[] = [];
  const stop = new AbortController();
  const observer: ApiObserver = {
    signal: stop.signal,
    log: { info: () => undefined, debug: () => undefined, warn: (message) => warnings.push(message) },
    rateLimited: (untilMs) => limitedUntil.push(untilMs),
    resumed: () => undefined,
    tally: (name, amount) => (tallies[name] = (tallies[name] ?? 0) + amount),
  };
  return { observer, warnings, tallies, limitedUntil, stop };
}

/** Amplitude's origin, the storage that it may redirect to, and a folder, for one test. */
export class HttpBench {
  api = new Origin();
  storage = new Origin();
  private folder = '';

  async start(): Promise<void> {
    [this.api, this.storage] = [new Origin(), new Origin()];
    await Promise.all([this.api.listen(), this.storage.listen()]);
    this.folder = mkdtempSync(join(tmpdir(), 'client-test-'));
  }

  async stop(): Promise<void> {
    await Promise.all([this.api.close(), this.storage.close()]);
    rmSync(this.folder, { recursive: true });
  }

  connect(heard: Heard, options: Partial<AmplitudeOptions> = {}): AmplitudeApi {
    return new Amplitude({
      baseUrl: new URL(this.api.url),
      apiKey: 'key',
      secretKey: 'secret',
      policy: { cloud: false },
      temp: this.temp(),
      // As if the bench were Amplitude's own host.
      hasOwnBaseUrl: false,
      retryBaseMs: 0,
      costWindowMs: 10,
      paceMs: 0,
      idleTimeoutMs: 30_000,
      userAgent: 'test/1',
      redact: (text) => text,
      ...options,
    }).for(heard.observer);
  }

  temp(limitBytes?: number): TempSpace {
    return new TempSpace({ parent: this.folder, pid: 1, isAlive: () => true, limitBytes });
  }

  /** As a clean-up of the machine's would. */
  removeFolders(): void {
    for (const name of readdirSync(this.folder)) rmSync(join(this.folder, name), { recursive: true });
  }

  /** Names of the files in the folders of runs. */
  filesLeft(): string[] {
    return readdirSync(this.folder).flatMap((name) => readdirSync(join(this.folder, name)));
  }
}

export async function failureOf(promise: Promise<unknown>): Promise<ConnectorFailure> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ConnectorFailure) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
