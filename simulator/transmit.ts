import { createReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { finished, pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { bodyLength, type Reply } from './reply';

/** How an answer goes over the wire when not in the usual way. Byte counts are of the body. */
export interface Transfer {
  readonly framing?: 'length' | 'chunked';
  /** What happens once `after` bytes were sent. */
  readonly cut?: {
    readonly after: number;
    readonly how: 'reset' | 'close' | 'stall';
    readonly stallMs?: number | undefined;
  };
  readonly drip?: { readonly bytes: number; readonly everyMs: number };
}

export interface Sent {
  bytes: number;
}

const FILE_CHUNK = 1 << 20;
/** setTimeout takes longer waits for none at all. */
const LONGEST_WAIT = 2 ** 31 - 1;

async function* chunksOf(reply: Reply, size: number): AsyncGenerator<Buffer, void, void> {
  if (!Buffer.isBuffer(reply.body)) {
    yield* createReadStream(reply.body.file, { highWaterMark: size });
    return;
  }
  for (let at = 0; at < reply.body.length; at += size) yield reply.body.subarray(at, at + size);
}

function write(response: ServerResponse, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

/** Ends the connection: with a reset, or in good order although the answer is not complete. */
export function cutConnection(socket: Socket, how: 'reset' | 'close'): void {
  if (how === 'close') socket.destroySoon();
  // Only a plain TCP socket can be reset; under TLS a missing close_notify says the same.
  else if ('encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}

/** Waits, or rejects as soon as the connection is gone. Without a time it waits for that alone. */
export async function waitOnOpen(response: ServerResponse, ms: number | undefined): Promise<void> {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  response.once('close', leave);
  try {
    if (response.destroyed) leave();
    await sleep(Math.min(ms ?? LONGEST_WAIT, LONGEST_WAIT), undefined, { signal: gone.signal });
  } finally {
    response.off('close', leave);
  }
}

/** Sends the answer; `sent` counts along. Rejects when the connection goes away first. */
export async function transmit(
  response: ServerResponse,
  reply: Reply,
  transfer: Transfer,
  sent: Sent,
): Promise<void> {
  const framing = transfer.framing ?? 'length';
  const length: Record<string, string> =
    framing === 'length' ? { 'content-length': String(bodyLength(reply)) } : {};
  response.writeHead(reply.status, { ...reply.headers, ...length });
  const { cut, drip } = transfer;
  const counted = async function* (): AsyncGenerator<Buffer, void, void> {
    for await (const chunk of chunksOf(reply, FILE_CHUNK)) {
      sent.bytes += chunk.length;
      yield chunk;
    }
  };
  if (cut === undefined && drip === undefined) return pipeline(counted(), response);
  response.flushHeaders();
  for await (const chunk of chunksOf(reply, drip?.bytes ?? FILE_CHUNK)) {
    let rest = chunk;
    if (cut !== undefined && sent.bytes + rest.length > cut.after && sent.bytes <= cut.after) {
      const head = rest.subarray(0, cut.after - sent.bytes);
      rest = rest.subarray(head.length);
      if (head.length > 0) await write(response, head);
      sent.bytes += head.length;
      if (cut.how !== 'stall') {
        if (response.socket !== null) cutConnection(response.socket, cut.how);
        return;
      }
      await waitOnOpen(response, cut.stallMs);
    }
    if (rest.length > 0) await write(response, rest);
    sent.bytes += rest.length;
    if (drip !== undefined) await waitOnOpen(response, drip.everyMs);
  }
  response.end();
  await finished(response);
}
