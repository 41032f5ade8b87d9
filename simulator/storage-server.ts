import { Listener } from './listener';
import type { Reply } from './reply';
import { transmit } from './transmit';

/** A request to the storage, with no more of its credentials than whether there were any. */
export interface StorageRequest {
  readonly path: string;
  readonly authPresent: boolean;
  readonly cookiePresent: boolean;
  readonly status: number;
}

const DENIED: Reply = {
  status: 403,
  headers: { 'content-type': 'application/xml' },
  body: Buffer.from('<Error><Code>AccessDenied</Code></Error>'),
};

/** Another origin (its own port) to which answers are redirected, like the presigned URLs of a cloud storage: each URL works once. */
export class StorageServer {
  readonly requests: StorageRequest[] = [];
  readonly #parked = new Map<string, Reply>();
  readonly #listener: Listener;
  readonly #advertisedHost: string;
  #count = 0;

  private constructor(host: string, advertisedHost: string) {
    this.#advertisedHost = advertisedHost;
    this.#listener = new Listener(host, undefined, (request, response) => {
      const path = request.url ?? '/';
      const reply = this.#parked.get(path) ?? DENIED;
      this.#parked.delete(path);
      const { authorization, cookie } = request.headers;
      const present = { authPresent: authorization !== undefined, cookiePresent: cookie !== undefined };
      this.requests.push({ path, ...present, status: reply.status });
      // A client that leaves early ends the transfer; there is nobody left to tell.
      transmit(response, reply, {}, { bytes: 0 }).catch(() => response.destroy());
    });
  }

  static async start(host: string, advertisedHost: string): Promise<StorageServer> {
    const storage = new StorageServer(host, advertisedHost);
    await storage.#listener.open(0);
    return storage;
  }

  get baseUrl(): string {
    return `http://${this.#advertisedHost}:${this.#listener.port}`;
  }

  /** Keeps an answer; returns the URL at which it can be fetched once. */
  park(reply: Reply): string {
    this.#count += 1;
    const path = `/bucket/object-${this.#count}?X-Amz-Signature=${'0'.repeat(16)}`;
    this.#parked.set(path, reply);
    return this.baseUrl + path;
  }

  close(): Promise<void> {
    return this.#listener.close();
  }
}
