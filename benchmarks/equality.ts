import { spawn } from 'node:child_process';
import { parseLossless, type LosslessJson } from '../test/harness/lossless-json';

/** How the records of two connectors compare. */
export interface Equality {
  /** Records of each; both gave the same number, in the same order. */
  readonly records: number;
  /** Values without members of their own (numbers, texts, nulls, empty lists) that were compared. */
  readonly values: number;
  /** Number of differences by what they are. */
  readonly differences: ReadonlyMap<string, number>;
}

export interface Reader {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs two connectors side by side and compares their records one by one: keys, texts, and numbers by their exact value.
 * @throws Error when one of them fails or gives another number of records.
 */
export async function compareRecords(theirs: Reader, ours: Reader): Promise<Equality> {
  const differences = new Map<string, number>();
  let records = 0;
  let values = 0;
  const compare = (before: LosslessJson, after: LosslessJson, path: string): void => {
    if (before.kind === 'object' && after.kind === 'object') {
      const others = new Map(after.entries);
      const names = before.entries.map(([name]) => name);
      if (names.length === after.entries.length && names.every((name) => others.has(name))) {
        for (const [name, value] of before.entries) compare(value, others.get(name)!, `${path}.${name}`);
        return;
      }
    } else if (
      before.kind === 'array' &&
      after.kind === 'array' &&
      before.items.length === after.items.length
    ) {
      before.items.forEach((item, index) => compare(item, after.items[index]!, `${path}[]`));
      return;
    }
    values += 1;
    const [left, right] = [describe(before), describe(after)];
    if (left === right) return;
    const what = /^"?\d/.test(left) ? `${path} has another value` : `${path}: ${left} became ${right}`;
    differences.set(what, (differences.get(what) ?? 0) + 1);
  };
  const [left, right] = [readRecords(theirs), readRecords(ours)];
  for (;;) {
    const [before, after] = await Promise.all([left.next(), right.next()]);
    if (before.done !== after.done) throw new Error(`one connector gave more than ${records} records`);
    if (before.done || after.done) break;
    records += 1;
    compare(before.value, after.value, 'data');
  }
  return { records, values, differences };
}

async function* readRecords({ command, env }: Reader): AsyncGenerator<LosslessJson, undefined, void> {
  const [program, ...args] = command;
  const child = spawn(program!, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  for await (const line of linesOf(child.stdout)) {
    if (!line.includes('"RECORD"')) continue;
    const message = parseLossless(line);
    const record = entryOf(message, 'record');
    if (record) yield entryOf(record, 'data')!;
  }
  const code = await ended;
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
  return undefined;
}

/** Split at newlines only: readline also splits at U+2028, which Airbyte's connector leaves in its lines. */
async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string, void, void> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    const text = Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = text.indexOf(0x0a); end >= 0; end = text.indexOf(0x0a, from)) {
      yield text.toString('utf8', from, end);
      from = end + 1;
    }
    rest = text.subarray(from);
  }
}

function entryOf(json: LosslessJson, key: string): LosslessJson | undefined {
  return json.kind === 'object' ? json.entries.find(([name]) => name === key)?.[1] : undefined;
}

function describe(json: LosslessJson): string {
  if (json.kind === 'number') return exactValue(json.text);
  if (json.kind === 'null') return 'null';
  return JSON.stringify('value' in json ? json.value : json.kind === 'array' ? json.items : json.entries);
}

/** `1.50`, `1.5` and `15e-1` are one value; `9007199254740993` and `9007199254740992` are two. */
function exactValue(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const short = digits.replace(/0+$/, '');
  if (short === '') return '0';
  return `${sign}${short}e${Number(exponent) - fraction.length + digits.length - short.length}`;
}
