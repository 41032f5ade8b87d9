/** A body that is piped from a file. */
export interface FileBody {
  readonly file: string;
  readonly bytes: number;
}

/** An answer before it is put on the wire. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | FileBody;
}

export function bodyLength(reply: Reply): number {
  return Buffer.isBuffer(reply.body) ? reply.body.length : reply.body.bytes;
}

export function jsonReply(status: number, value: unknown): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(value)),
  };
}

export function textReply(status: number, text: string, type = 'text/html; charset=utf-8'): Reply {
  return { status, headers: { 'content-type': type }, body: Buffer.from(text) };
}

/** Amplitude's error envelope (reference: amplitude-api.md section 2.1). */
export function errorReply(status: number, type: string, message: string, details: string): Reply {
  return jsonReply(status, { error: { http_code: status, type, message, metadata: { details } } });
}

export const replies = {
  noAuth: (): Reply =>
    errorReply(401, 'unauthorized', 'Unauthorized', 'Missing or malformed Authorization header'),
  wrongKey: (): Reply => errorReply(403, 'forbidden', 'Forbidden', 'Invalid API Key'),
  noPermission: (): Reply =>
    errorReply(403, 'forbidden', 'Forbidden', 'This project’s plan does not include access to this API'),
  notFound: (): Reply => textReply(404, '404: Not Found'),
  noRawFiles: (): Reply => textReply(404, 'Raw data files were not found.'),
  badRequest: (details: string): Reply => errorReply(400, 'invalid', 'Invalid request', details),
  badChart: (details: string): Reply => errorReply(400, 'invalid', 'Invalid chart definition', details),
  tooLarge: (): Reply =>
    errorReply(
      400,
      'invalid',
      'Bad Request',
      'The file size of the exported data is too large. The limit is 4GB.',
    ),
  tooLargeText: (): Reply =>
    textReply(
      400,
      'The file size of the exported data is too large. Shorten the time range. The limit size is 4GB.',
    ),
  rateLimit: (cost: number): Reply =>
    tooMany(`Too Many Requests: Exceeded rate limit with query of cost ${cost}`),
  concurrency: (cost: number): Reply => tooMany(`Exceeded concurrent limit with query of cost ${cost}`),
  gatewayTimeout: (): Reply =>
    textReply(
      504,
      '<html><head><title>504 Gateway Time-out</title></head><body><h1>504 Gateway Time-out</h1></body></html>',
    ),
};

function tooMany(details: string): Reply {
  return errorReply(429, 'unspecified', 'Unspecified Error', details);
}
