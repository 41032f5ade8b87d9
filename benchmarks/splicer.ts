// Throughput of the event splicer: `npx ts-node benchmarks/splicer.ts [MB of the archive member]`. Prints MB of raw
// (uncompressed) text per second, best and median of the rounds, and per second of CPU time of all threads, which other
// work on the machine changes least.
import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { releaseChunk } from '../src/amplitude/release-chunk';
import { TEXT_CHUNK } from '../src/amplitude/text-chunk';
import { EventSplicer } from '../src/bytes/event-splicer';
import { rewriteTimestamp } from '../src/bytes/timestamp';
import { TIMESTAMP_FIELDS } from '../src/bytes/record-form';
import { createEventLines } from './event-lines';

const MEMBER_MB = Number(process.argv[2] ?? 350);
const IN_MEMORY_BYTES = 32_000_000;
/** Of packed bytes, and of text that is in memory. */
const CHUNK_BYTES = 1024 * 1024;
/** Inflating runs ahead of splicing only while the stream asks for more than one chunk. */
const CHUNKS_AHEAD = 2;
const ROUNDS = 5;

const HEAD = Buffer.from('{"type":"RECORD","record":{"stream":"events","emitted_at":1790000000000,"data":');
const TAIL = Buffer.from('}}\n');

function createSplicer(way: 'fast' | 'plain'): EventSplicer {
  return new EventSplicer(
    {
      head: () => HEAD,
      tail: TAIL,
      tailWithChanges: (changes) => Buffer.from(`,"meta":${JSON.stringify({ changes })}}}\n`),
      dropFields: new Set(),
      keepFields: new Set(['uuid', 'server_upload_time']),
      onMalformedLine: 'fail',
    },
    way,
  );
}

/** @returns a function that splices a member that is in memory and gives the number of its records */
function spliceInMemory(way: 'fast' | 'plain', member: Buffer): () => number {
  const splicer = createSplicer(way);
  return () => {
    let records = 0;
    splicer.startMember();
    for (let at = 0; at < member.length; at += CHUNK_BYTES) {
      for (const lines of splicer.push(member.subarray(at, at + CHUNK_BYTES))) records += lines.count;
    }
    for (const lines of splicer.endMember()) records += lines.count;
    return records;
  };
}

/** What a connector does that reads events as objects. */
function parseAndStringify(member: Buffer): number {
  let records = 0;
  for (let start = 0, end = member.indexOf(10); end >= 0; start = end + 1, end = member.indexOf(10, start)) {
    const data = JSON.parse(member.toString('utf8', start, end)) as Record<string, unknown>;
    for (const field of TIMESTAMP_FIELDS) {
      const value = data[field];
      if (typeof value === 'string') data[field] = rewriteTimestamp(value) ?? null;
    }
    const record = { type: 'RECORD', record: { stream: 'events', emitted_at: 1790000000000, data } };
    if (Buffer.from(JSON.stringify(record) + '\n').length > 0) records++;
  }
  return records;
}

async function gunzip(file: string, take: (chunk: Uint8Array) => void): Promise<void> {
  // As the program does it (src/amplitude/archive.ts): a chunk is a whole buffer, which is given back when it has been read.
  const inflate = createGunzip({
    chunkSize: TEXT_CHUNK,
    readableObjectMode: true,
    readableHighWaterMark: CHUNKS_AHEAD,
  } as object);
  await pipeline(createReadStream(file, { highWaterMark: CHUNK_BYTES }), inflate, async (chunks) => {
    for await (const chunk of chunks) {
      take(chunk as Uint8Array);
      releaseChunk(chunk as Uint8Array, TEXT_CHUNK);
    }
  });
}

async function gunzipAndSplice(file: string, splicer: EventSplicer): Promise<number> {
  let records = 0;
  splicer.startMember();
  await gunzip(file, (chunk) => {
    for (const lines of splicer.push(chunk)) records += lines.count;
  });
  for (const lines of splicer.endMember()) records += lines.count;
  return records;
}

async function writeMember(file: string, megabytes: number): Promise<number> {
  let bytes = 0;
  function* blocks(): Generator<Buffer> {
    for (let seed = 1; bytes < megabytes * 1e6; seed++) {
      const block = createEventLines(Math.min(4e6, megabytes * 1e6 - bytes), seed);
      bytes += block.length;
      yield block;
    }
  }
  await pipeline(Readable.from(blocks()), createGzip(), createWriteStream(file));
  return bytes;
}

/** @returns CPU seconds of gzip */
function gunzipByGzip(file: string): number {
  // `times` prints the user and system time of the shell, then of its children.
  const times = execFileSync('sh', ['-c', `gzip -dc '${file}' > /dev/null; times`]).toString();
  const parts = [
    ...times
      .trim()
      .split('\n')
      .at(-1)!
      .matchAll(/(\d+)m([\d.]+)s/g),
  ];
  return parts.reduce((sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds), 0);
}

interface Task {
  readonly name: string;
  readonly bytes: number;
  readonly run: () => unknown;
  /** Instead of `run`, for work that is not done by this process: gives its CPU seconds. */
  readonly runOutside?: () => number;
}

/** Takes turns, so that other work on the machine hits all tasks alike. */
async function measure(title: string, tasks: readonly Task[], rounds: number): Promise<void> {
  const results = tasks.map(() => ({ seconds: [] as number[], cpuSeconds: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, { run, runOutside }] of tasks.entries()) {
      const cpu = process.cpuUsage();
      const started = process.hrtime.bigint();
      const outside = runOutside ? runOutside() : void (await run());
      const { user, system } = process.cpuUsage(cpu);
      results[index]!.seconds.push(Number(process.hrtime.bigint() - started) / 1e9);
      results[index]!.cpuSeconds.push(outside ?? (user + system) / 1e6);
    }
  }
  write(`\n| ${title.padEnd(40)} |    best |  median | per CPU s |`);
  write(`| ${'-'.repeat(40)} | ------: | ------: | --------: |`);
  for (const [index, { name, bytes }] of tasks.entries()) {
    const seconds = results[index]!.seconds.sort((a, b) => a - b);
    const speed = (value: number, width: number): string => (bytes / 1e6 / value).toFixed(0).padStart(width);
    const [best, median] = [seconds[0]!, seconds[seconds.length >> 1]!];
    const cpu = Math.min(...results[index]!.cpuSeconds);
    write(`| ${name.padEnd(40)} | ${speed(best, 7)} | ${speed(median, 7)} | ${speed(cpu, 9)} |`);
  }
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'splicer-benchmark-'));
  try {
    const member = createEventLines(IN_MEMORY_BYTES);
    const records = spliceInMemory('plain', member)();
    write(`${records} events of ${(member.length / records).toFixed(0)} bytes; MB of raw text per second:`);
    const inMemory = (name: string, run: () => unknown): Task => ({ name, bytes: member.length, run });
    await measure(
      'in memory, one thread',
      [
        inMemory('WebAssembly', spliceInMemory('fast', member)),
        inMemory('plain TypeScript', spliceInMemory('plain', member)),
        inMemory('JSON.parse and JSON.stringify', () => parseAndStringify(member)),
      ],
      ROUNDS,
    );

    const file = join(folder, 'member.json.gz');
    const bytes = await writeMember(file, MEMBER_MB);
    const [fast, plain] = [createSplicer('fast'), createSplicer('plain')];
    await measure(
      `member of ${MEMBER_MB} MB, ${(statSync(file).size / 1e6).toFixed(0)} MB compressed`,
      [
        {
          name: 'gzip -dc member > /dev/null',
          bytes,
          run: () => undefined,
          runOutside: () => gunzipByGzip(file),
        },
        { name: 'gunzip', bytes, run: () => gunzip(file, () => undefined) },
        { name: 'gunzip and WebAssembly', bytes, run: () => gunzipAndSplice(file, fast) },
        { name: 'gunzip and plain TypeScript', bytes, run: () => gunzipAndSplice(file, plain) },
      ],
      ROUNDS,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

void main();
