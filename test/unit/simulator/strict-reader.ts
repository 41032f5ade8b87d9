import { crc32, gunzipSync } from 'node:zlib';
import type { Simulator } from '../../../simulator/simulator';
import { get, readMembers, truthOf, unzipTest, type Answer } from './client';

type Verdict = { readonly exact: true } | { readonly exact: false; readonly why: string };

function no(why: string): Verdict {
  return { exact: false, why };
}

/** One hop, without credentials, and only to the storage. */
async function follow(simulator: Simulator, answer: Answer): Promise<Answer> {
  const { location } = answer.headers;
  if (answer.status !== 302 || location === undefined || !location.startsWith(simulator.storage.baseUrl))
    return answer;
  return get(simulator, location, { authorization: null });
}

function decode(answer: Answer): Buffer {
  return answer.headers['content-encoding'] === 'gzip' ? gunzipSync(answer.body) : answer.body;
}

/** Inflates a whole gzip file: what is left over after its last member may only be zeros, as gzip(1) has it. */
function inflateAll(data: Buffer): Buffer {
  const { buffer, engine } = gunzipSync(data, { info: true }) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
  const rest = data.subarray(engine.bytesWritten);
  if (rest.some((byte) => byte !== 0)) throw new Error('bytes after the end of the gzip data');
  return buffer;
}

async function readArchive(simulator: Simulator, body: Buffer, truth: readonly string[]): Promise<Verdict> {
  if (body.subarray(0, 4).toString('latin1') !== 'PK\u0003\u0004') return no('not an archive');
  const { ok, output } = await unzipTest(body);
  if (!ok) return no(`unzip: ${output.slice(0, 200)}`);
  const lines: string[] = [];
  const project = String(simulator.data.projectId);
  for (const { name, data, claimedSize, claimedCrc } of await readMembers(body)) {
    // Info-ZIP does not compare the size of a deflated member with its header.
    if (data.length !== claimedSize) return no('another size than the header says');
    if (crc32(data) !== claimedCrc) return no('another CRC than the header says');
    if (data.length === 0 || name === 'README.txt') continue;
    const isGzip = data[0] === 0x1f && data[1] === 0x8b;
    const text = isGzip ? inflateAll(data) : data;
    if (text.length === 0) continue;
    if (!name.startsWith(`${project}/`)) return no(`events in a member named ${name.slice(0, 30)}`);
    const found = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(text)
      .split('\n')
      .filter((line) => line !== '');
    for (const line of found) {
      const parsed: unknown = JSON.parse(line);
      if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
        return no('a line that is no object');
    }
    lines.push(...found);
  }
  if ([...lines].sort().join('\n') !== [...truth].sort().join('\n')) return no('not the truth');
  return { exact: true };
}

function readJson(body: Buffer, wrapper: string): Verdict {
  const parsed: unknown = JSON.parse(body.toString());
  if (typeof parsed !== 'object' || parsed === null || !(wrapper in parsed)) return no('no wrapper');
  return Array.isArray((parsed as Record<string, unknown>)[wrapper]) ? { exact: true } : no('wrong type');
}

/** Reads as strictly as a client can. Everything that is not provably right is rejected, with the reason. */
export async function readStrictly(
  simulator: Simulator,
  path: string,
  signal?: AbortSignal,
): Promise<Verdict> {
  const first = await get(simulator, path, signal === undefined ? {} : { signal });
  const answer = await follow(simulator, first);
  if (answer.failure !== undefined) return no(answer.failure);
  if (answer.status !== 200) return no(`status ${answer.status}`);
  try {
    const body = decode(answer);
    if (!path.startsWith('/api/2/export'))
      return readJson(body, path.includes('cohorts') ? 'cohorts' : 'data');
    const { start, end } = Object.fromEntries(new URLSearchParams(path.slice(path.indexOf('?')))) as Record<
      string,
      string
    >;
    return await readArchive(simulator, body, truthOf(simulator, start, end));
  } catch (error) {
    return no(String(error));
  }
}
