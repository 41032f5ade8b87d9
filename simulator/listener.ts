import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** Key and certificate in PEM form. */
export interface TlsOptions {
  readonly key: string;
  readonly cert: string;
}

/** A listening socket that can refuse connections for a while and be closed at once. */
export class Listener {
  port = 0;
  readonly #server: Server;
  readonly #host: string;
  readonly #sockets = new Set<Socket>();
  #reopening: NodeJS.Timeout | undefined;

  constructor(host: string, tls: TlsOptions | undefined, handle: RequestListener) {
    this.#host = host;
    this.#server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
    // A load balancer keeps idle connections about a minute; node's 5 s would make clients' pooled sockets fail at random.
    this.#server.keepAliveTimeout = 65_000;
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  open(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, this.#host, () => {
        this.#server.off('error', reject);
        this.port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  /** Refuses new connections for so long; idle ones are closed, busy ones go on. `failed` hears when the port cannot be had again. */
  refuseFor(ms: number, failed: (error: unknown) => void): void {
    clearTimeout(this.#reopening);
    this.#server.close();
    this.#server.closeIdleConnections();
    this.#reopening = setTimeout(() => {
      this.open(this.port).catch(failed);
    }, ms);
  }

  /** Cuts every connection. */
  async close(): Promise<void> {
    clearTimeout(this.#reopening);
    const closed = new Promise<void>((resolve) => {
      if (this.#server.listening) this.#server.close(() => resolve());
      else resolve();
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
