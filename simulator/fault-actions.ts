import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ArchiveChanges } from './export-endpoint';
import type { FaultAction } from './faults';
import { bodyLength, type Reply } from './reply';
import { cutConnection, waitOnOpen, type Transfer } from './transmit';

const compress = promisify(gzip);

/** What an action may do beyond its own exchange. */
export interface FaultTools {
  /** The URL that was asked for, absolute. */
  readonly url: string;
  /** Refuses new connections for so long. */
  refuseFor(ms: number): void;
  /** Keeps an answer on the storage server, and what is to happen to it there; resolves to its one-time URL. */
  park(reply: Reply, then?: FaultAction): Promise<string>;
}

/** What a fault changes about one exchange, in the order in which it comes to bear. */
export interface FaultPlan {
  /** Resolves to true when the exchange is over with it. */
  readonly before?: (response: ServerResponse) => Promise<boolean>;
  /** Answered instead, without looking at the request. */
  readonly replace?: Reply;
  readonly archive?: ArchiveChanges;
  readonly edit?: (reply: Reply) => Promise<Reply>;
  readonly transfer?: (reply: Reply) => Transfer;
}

async function bytesOf(reply: Reply): Promise<Buffer> {
  return Buffer.isBuffer(reply.body) ? reply.body : readFile(reply.body.file);
}

/** Where to cut: half of the body by default; a negative count is from its end. */
function cutPoint(reply: Reply, afterBytes: number | undefined): number {
  const length = bodyLength(reply);
  if (afterBytes === undefined) return Math.floor(length / 2);
  return afterBytes < 0 ? Math.max(0, length + afterBytes) : afterBytes;
}

async function sendHalfHeader(response: ServerResponse): Promise<void> {
  const { socket } = response;
  if (socket === null) return;
  await new Promise<void>((resolve) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: appli', () => resolve());
  });
}

function resetPlan(action: Extract<FaultAction, { kind: 'reset' }>): FaultPlan {
  const how = action.gracefully === true ? 'close' : 'reset';
  if (action.at === 'mid-body') {
    return { transfer: (reply) => ({ cut: { after: cutPoint(reply, action.afterBytes), how } }) };
  }
  return {
    before: async (response) => {
      if (action.at === 'mid-headers') await sendHalfHeader(response);
      if (response.socket !== null) cutConnection(response.socket, how);
      return true;
    },
  };
}

function stallPlan(action: Extract<FaultAction, { kind: 'stall' }>): FaultPlan {
  if (action.at === 'mid-body') {
    return {
      transfer: (reply) => ({
        cut: { after: cutPoint(reply, action.afterBytes), how: 'stall', stallMs: action.ms },
      }),
    };
  }
  return {
    before: async (response) => {
      await waitOnOpen(response, action.ms);
      return false;
    },
  };
}

async function encode(reply: Reply, cut: boolean): Promise<Reply> {
  const packed = await compress(await bytesOf(reply));
  const body = cut ? packed.subarray(0, Math.floor(packed.length / 2)) : packed;
  return { ...reply, headers: { ...reply.headers, 'content-encoding': 'gzip' }, body };
}

function bendJson(text: string, edit: Extract<FaultAction, { kind: 'json' }>['edit']): string {
  if (edit === 'cut') return text.slice(0, Math.floor(text.length / 2));
  if (edit === 'null') return 'null';
  if (edit === 'array') return '[]';
  if (edit === 'string') return '"ok"';
  const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
  const wrappers = ['data', 'cohorts'];
  const kept = edit === 'no-wrapper' ? entries.filter(([key]) => !wrappers.includes(key)) : entries;
  return JSON.stringify(
    Object.fromEntries(kept.map(([key, value]) => [key, wrappers.includes(key) ? 'soon' : value])),
  );
}

async function editJson(reply: Reply, edit: Extract<FaultAction, { kind: 'json' }>['edit']): Promise<Reply> {
  if (reply.status !== 200 || reply.headers['content-type'] !== 'application/json') return reply;
  return { ...reply, body: Buffer.from(bendJson((await bytesOf(reply)).toString(), edit)) };
}

function redirectPlan(action: Extract<FaultAction, { kind: 'redirect' }>, tools: FaultTools): FaultPlan {
  const to = (location: string): Reply => ({
    status: action.status ?? 302,
    headers: { location },
    body: Buffer.alloc(0),
  });
  if (action.to === 'storage') {
    const { then } = action;
    // Only a good answer moves to the storage; a refusal is the API's own.
    const edit = async (reply: Reply): Promise<Reply> =>
      reply.status === 200 ? to(await tools.park(reply, then)) : reply;
    return then?.kind === 'archive' ? { archive: then, edit } : { edit };
  }
  return { replace: to(action.to === 'loop' ? tools.url : action.to) };
}

/** Puts an HTTP date in place of `@date+seconds`, counted from now: a fault is written down long before it is answered. */
function datedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const dated = Object.entries(headers).map(([name, value]): [string, string] => {
    const seconds = /^@date\+(\d+)$/.exec(value)?.[1];
    return [
      name,
      seconds === undefined ? value : new Date(Date.now() + Number(seconds) * 1000).toUTCString(),
    ];
  });
  return Object.fromEntries(dated);
}

/** Turns an action into steps. */
export function planFault(action: FaultAction, tools: FaultTools): FaultPlan {
  switch (action.kind) {
    case 'refuse':
      return {
        before: (response) => {
          if (action.ms !== undefined) tools.refuseFor(action.ms);
          if (response.socket !== null) cutConnection(response.socket, 'reset');
          return Promise.resolve(true);
        },
      };
    case 'reset':
      return resetPlan(action);
    case 'stall':
      return stallPlan(action);
    case 'drip':
      return { transfer: () => ({ drip: action }) };
    case 'short-body':
      return { transfer: (reply) => ({ cut: { after: cutPoint(reply, action.afterBytes), how: 'close' } }) };
    case 'chunked': {
      if (action.cut !== true) return { transfer: () => ({ framing: 'chunked' }) };
      const after = action.afterBytes;
      return {
        transfer: (reply) => ({ framing: 'chunked', cut: { after: cutPoint(reply, after), how: 'close' } }),
      };
    }
    case 'gzip-encoding':
      return { edit: (reply) => encode(reply, action.cut === true) };
    case 'reply': {
      const body =
        action.bodyBase64 === undefined
          ? Buffer.from(action.body ?? '')
          : Buffer.from(action.bodyBase64, 'base64');
      return { replace: { status: action.status, headers: datedHeaders(action.headers ?? {}), body } };
    }
    case 'relabel':
      return {
        edit: (reply) =>
          Promise.resolve({
            ...reply,
            status: action.status ?? reply.status,
            headers: { ...reply.headers, ...action.headers },
          }),
      };
    case 'redirect':
      return redirectPlan(action, tools);
    case 'json':
      return { edit: (reply) => editJson(reply, action.edit) };
    case 'archive':
      return { archive: action };
  }
}
