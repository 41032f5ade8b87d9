import type { Readable } from 'node:stream';
import { constants, gunzipSync } from 'node:zlib';
import type { ContentEncoding } from './content-encoding';

/** Error bodies are read for their message only. */
const ERROR_BODY_BYTES = 65_536;
/** Like the pages of proxies: something was said, but no word of it is Amplitude's. */
const UNREADABLE = '<unreadable>';

export interface ErrorBody {
  /** As far as it came and is of use. */
  readonly text: string;
  /** What broke it off, if anything did. */
  readonly brokenBy?: NodeJS.ErrnoException;
}

export async function readErrorBody(body: Readable, encoding: ContentEncoding): Promise<ErrorBody> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= ERROR_BODY_BYTES) break;
    }
  } catch (error) {
    return { text: decode(Buffer.concat(chunks), encoding), brokenBy: error as NodeJS.ErrnoException };
  }
  return { text: decode(Buffer.concat(chunks), encoding) };
}

function decode(body: Buffer, { kind }: ContentEncoding): string {
  if (kind === 'unknown') return UNREADABLE;
  if (kind === 'plain' || body.length === 0) return body.subarray(0, ERROR_BODY_BYTES).toString('utf8');
  try {
    // What was read may be a first part only.
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 16 * ERROR_BODY_BYTES };
    return gunzipSync(body, options).subarray(0, ERROR_BODY_BYTES).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return UNREADABLE;
  }
}
