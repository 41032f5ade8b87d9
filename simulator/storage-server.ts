import type { ServerResponse } from 'node:http';
import { planFault } from './fault-actions';
import type { FaultAction } from './faults';
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

interface Parked {
  readonly reply: Reply;
  readonly then: FaultAction | undefined;
}

const DENIED: Reply = {
  status: 403,
  headers: { 'content-type': 'application/xml' },
  body: Buffer.from('<Error><Code>AccessDenied</Code></Error>'),
};

/** Another origin (its own port) to which answers are redirected, like the presigned URLs of a cloud storage: each URL works once. */
export class StorageServer {
  readonly requests: StorageRequest[] = [];
  readonly #parked = new Map<string, Parked>();
  readonly #listener: Listener;
  readonly #advertisedHost: string;
  #count = 0;

  private constructor(host: string, advertisedHost: string) {
    this.#advertisedHost = advertisedHost;
    this.#listener = new Listener(host, undefined, (request, response) => {
      const path = request.url ?? '/';
      const { reply, then } = this.#parked.get(path) ?? { reply: DENIED, then: undefined };
      this.#parked.delete(path);
      const { authorization, cookie } = request.headers;
      const present = { authPresent: authorization !== undefined, cookiePresent: cookie !== undefined };
      this.requests.push({ path, ...present, status: reply.status });
      // A client that leaves early ends the transfer; there is nobody left to tell.
      this.#answer(response, path, reply, then).catch(() => response.destroy());
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

  /** Keeps an answer; returns the URL at which it can be fetched once. `then`: a fault for that fetch. */
  park(reply: Reply, then?: FaultAction): string {
    this.#count += 1;
    const path = `/bucket/object-${this.#count}?X-Amz-Signature=${'0'.repeat(16)}`;
    this.#parked.set(path, { reply, then });
    return this.baseUrl + path;
  }

  async #answer(
    response: ServerResponse,
    path: string,
    good: Reply,
    then: FaultAction | undefined,
  ): Promise<void> {
    const plan =
      then &&
      planFault(then, {
        url: this.baseUrl + path,
        refuseFor: (ms) => this.#listener.refuseFor(ms, () => undefined),
        park: (reply) => Promise.resolve(this.park(reply)),
      });
    if ((await plan?.before?.(response)) === true) return;
    let reply = plan?.replace ?? good;
    if (plan?.edit !== undefined) reply = await plan.edit(reply);
    await transmit(response, reply, plan?.transfer?.(reply) ?? {}, { bytes: 0 });
  }

  close(): Promise<void> {
    return this.#listener.close();
  }
}
