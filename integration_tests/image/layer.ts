import { gunzipSync } from 'node:zlib';

/** One entry of an image layer. */
export interface LayerEntry {
  /** Without a leading `./` and without the `/` of a folder. */
  readonly path: string;
  readonly isFolder: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

const BLOCK = 512;

/** Reads the entries of a tar archive, gzipped or not: the ustar format with pax headers, which is what engines write. */
export function readLayer(file: Buffer): LayerEntry[] {
  const tar = file[0] === 0x1f && file[1] === 0x8b ? gunzipSync(file) : file;
  const entries: LayerEntry[] = [];
  let overrides: Readonly<Record<string, string>> = {};
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0;) {
    const header = tar.subarray(at, at + BLOCK);
    const size = readOctal(header, 124, 12);
    const type = String.fromCharCode(header[156] ?? 0);
    const body = tar.subarray(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (type === 'x') {
      overrides = readPax(body);
      continue;
    }
    const prefix = readText(header, 345, 155);
    const name = overrides['path'] ?? (prefix === '' ? '' : `${prefix}/`) + readText(header, 0, 100);
    entries.push({
      path: name.replace(/^\.?\//, '').replace(/\/$/, ''),
      isFolder: type === '5',
      mode: readOctal(header, 100, 8) & 0o7777,
      uid: readOctal(header, 108, 8),
      gid: readOctal(header, 116, 8),
      mtime: Number(overrides['mtime'] ?? readOctal(header, 136, 12)),
    });
    overrides = {};
  }
  return entries;
}

function readText(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

function readOctal(header: Buffer, start: number, length: number): number {
  const text = readText(header, start, length).trim();
  if (!/^[0-7]*$/.test(text)) throw new Error(`not an octal tar field: ${JSON.stringify(text)}`);
  return text === '' ? 0 : parseInt(text, 8);
}

/** Records of the form `LENGTH KEY=VALUE\n`, where LENGTH counts the whole record in bytes. */
function readPax(body: Buffer): Record<string, string> {
  const values: Record<string, string> = {};
  for (let at = 0; at < body.length;) {
    const length = parseInt(body.toString('latin1', at, body.indexOf(0x20, at)), 10);
    const record = body.toString('utf8', at, at + length - 1);
    const [, key = '', value = ''] = /^\d+ ([^=]+)=([\s\S]*)$/.exec(record) ?? [];
    values[key] = value;
    at += length;
  }
  return values;
}
