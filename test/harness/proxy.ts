import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** An HTTP proxy for tests: forwards plain requests and tunnels CONNECT, and remembers both. */
export interface Proxy {
  /** `http://127.0.0.1:…` */
  readonly url: string;
  /** `GET http://host/path` and `CONNECT host:port`, as they were asked for. */
  readonly seen: readonly string[];
  /** The Proxy-Authorization header of each, or undefined. */
  readonly authorizations: readonly (string | undefined)[];
  close(): Promise<void>;
}

/**
 * @param route Where tunnels really lead, by the `host:port` that was asked for: with it a test stands in for a public host.
 *   A host that it does not know is refused with 502.
 */
export async function startProxy(route: Readonly<Record<string, number>> = {}): Promise<Proxy> {
  const seen: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const sockets = new Set<Duplex>();
  const note = (message: IncomingMessage): void => {
    seen.push(`${message.method ?? ''} ${message.url ?? ''}`);
    authorizations.push(message.headers['proxy-authorization']);
  };
  const server = createServer((message, answer) => {
    note(message);
    forward(message, answer);
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.on('connect', (message: IncomingMessage, client: Socket) => {
    note(message);
    const port = route[message.url ?? ''];
    if (port === undefined) {
      client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      return;
    }
    const target = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.pipe(client).pipe(target);
    });
    sockets.add(target);
    // Either side may go first; the other one goes with it.
    target.on('error', () => client.destroy());
    client.on('error', () => target.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    seen,
    authorizations,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function forward(message: IncomingMessage, answer: ServerResponse): void {
  const { 'proxy-authorization': _, ...headers } = message.headers;
  const onward = request(message.url ?? '', { method: message.method ?? 'GET', headers }, (reply) => {
    answer.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  message.pipe(onward);
}
