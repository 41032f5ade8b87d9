import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type Agent, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { Open } from 'unzipper';
import type { Simulator } from '../../../simulator/simulator';

const run = promisify(execFile);

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Set when the answer did not arrive whole. */
  readonly failure: string | undefined;
}

export interface GetOptions {
  /** The Authorization header, or null for none; default: the right one. */
  readonly authorization?: string | null;
  readonly method?: string;
  readonly agent?: Agent;
  readonly signal?: AbortSignal;
  readonly headers?: Record<string, string>;
}

export function basic(apiKey: string, secretKey: string): string {
  return `Basic ${Buffer.from(`${apiKey}:${secretKey}`).toString('base64')}`;
}

/** One plain request: follows no redirect, decodes nothing, never rejects. */
export function get(simulator: Simulator, path: string, options: GetOptions = {}): Promise<Answer> {
  const { apiKey, secretKey } = simulator.settings.credentials;
  const authorization =
    options.authorization === undefined ? basic(apiKey, secretKey) : options.authorization;
  const url = path.startsWith('http') ? path : simulator.baseUrl + path;
  const { method = 'GET', agent = false, signal, headers } = options;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let head: { status: number; headers: IncomingHttpHeaders } = { status: 0, headers: {} };
    const finish = (failure: string | undefined): void =>
      resolve({ ...head, body: Buffer.concat(chunks), failure });
    const request = httpRequest(
      url,
      {
        method,
        agent,
        headers: { ...headers, ...(authorization === null ? {} : { authorization }) },
        ...(signal ? { signal } : {}),
      },
      (response) => {
        head = { status: response.statusCode ?? 0, headers: response.headers };
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => finish(response.complete ? undefined : 'incomplete'));
        response.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
      },
    );
    request.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    request.end();
  });
}

export async function getJson(
  simulator: Simulator,
  path: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const { status, body } = await get(simulator, path);
  return { status, body: JSON.parse(body.toString()) as Record<string, unknown> };
}

/**
 * A second opinion beside our own checks: Info-ZIP's on every header and CRC. Where it is not installed it has none.
 */
export async function unzipTest(archive: Buffer): Promise<{ ok: boolean; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'simulator-test-'));
  try {
    const file = join(folder, 'archive.zip');
    await writeFile(file, archive);
    const { stdout } = await run('unzip', ['-tq', file], { maxBuffer: 64 << 20 });
    return { ok: true, output: stdout };
  } catch (error) {
    const { code, stdout = '' } = error as { code?: number | string; stdout?: string };
    if (code === 'ENOENT') return { ok: true, output: 'unzip is not installed' };
    // Exit code 1 is for warnings; the only one that concerns no data is about a name longer than a path can be.
    const complaints = stdout
      .split('\n')
      .filter((line) => !/filename too long|^At least one warning|^$/.test(line));
    return { ok: code === 1 && complaints.length === 0, output: stdout };
  } finally {
    await rm(folder, { recursive: true });
  }
}

export interface FoundMember {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly claimedSize: number;
  readonly claimedCrc: number;
  readonly data: Buffer;
}

/** Names and inflated members, by the central directory. */
export async function readMembers(archive: Buffer): Promise<FoundMember[]> {
  const directory = await Open.buffer(archive);
  return Promise.all(
    directory.files.map(async (file) => ({
      name: file.path,
      flags: file.flags,
      method: file.compressionMethod,
      claimedSize: file.uncompressedSize,
      claimedCrc: file.crc32 >>> 0,
      data: file.type === 'Directory' ? Buffer.alloc(0) : await file.buffer(),
    })),
  );
}

/** The lines of all members, blank ones left out. A member may be plain text when its bytes do not say gzip. */
export async function readLines(archive: Buffer): Promise<string[]> {
  const lines: string[] = [];
  for (const { name, data } of await readMembers(archive)) {
    const isGzip = data[0] === 0x1f && data[1] === 0x8b;
    if (!isGzip && !/\.json(\.gz)?$/.test(name)) continue;
    const text = (isGzip ? gunzipSync(data) : data).toString();
    lines.push(...text.split(/\r?\n/).filter((line) => line.trim() !== ''));
  }
  return lines;
}

export function truthOf(simulator: Simulator, startHour?: string, endHour?: string): string[] {
  const range = {
    ...(startHour === undefined ? {} : { startHour }),
    ...(endHour === undefined ? {} : { endHour }),
  };
  return Array.from(simulator.truth(range), (event) => event.line);
}
