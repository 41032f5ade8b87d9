import { TIMESTAMP_FIELDS } from '../../../src/bytes/record-form';
import { rewriteTimestamp } from '../../../src/bytes/timestamp';
import { createSplicer, type Spliced, spliceMember, WAYS } from './splice-all';

/**
 * Splices an archive member both ways and compares them with each other byte for byte, and with JSON.parse: the same
 * lines are accepted, with the same values.
 */
export function expectAsJsonParse(
  member: Buffer,
  chunkBytes: readonly number[],
  dropFields: ReadonlySet<string>,
): void {
  const [fast, plain] = WAYS.map((way) =>
    spliceMember(createSplicer(way, { dropFields, onMalformedLine: 'skip' }), member, chunkBytes),
  ) as [Spliced, Spliced];
  expectSameLines(fast.bytes.toString('latin1'), plain.bytes.toString('latin1'));
  expect({ ...fast, bytes: undefined }).toEqual({ ...plain, bytes: undefined });

  const events: string[] = [];
  const malformed: { line: number; offset: number }[] = [];
  let offset = member.subarray(0, 3).toString('hex') === 'efbbbf' ? 3 : 0;
  for (const [index, line] of splitLines(member.subarray(offset)).entries()) {
    const event = parseEvent(line, dropFields);
    if (event === 'malformed') malformed.push({ line: index + 1, offset });
    else if (event !== 'blank') events.push(JSON.stringify(event));
    offset += line.length + 1;
  }
  const written = fast.bytes.toString().split('\n').slice(0, -1);
  const read = written.map((line) => (JSON.parse(line) as { record: { data: object } }).record.data);
  expectSameLines(read.map((event) => JSON.stringify(event)).join('\n'), events.join('\n'));
  expect(fast.malformedCount).toBe(malformed.length);
  if (malformed.length > 0) expect(fast.malformed).toMatchObject(malformed[0]!);
  expect(/[\r\u0085\u2028\u2029]/.test(fast.bytes.toString())).toBe(false);
}

/** Shows only the lines that differ, for there may be thousands. */
function expectSameLines(actual: string, expected: string): void {
  if (actual === expected) return;
  const [ours, theirs] = [actual.split('\n'), expected.split('\n')];
  const first = ours.findIndex((line, index) => line !== theirs[index]);
  const at = first < 0 ? ours.length : first;
  expect({ line: at + 1, ...shown(ours, at) }).toEqual({ line: at + 1, ...shown(theirs, at) });
}

function shown(lines: readonly string[], at: number): object {
  return { of: lines.length, before: lines[at - 1], text: lines[at] };
}

function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return [...lines, bytes.subarray(start)];
}

/** What the splicer has to make of a line, by JSON.parse. */
function parseEvent(
  line: Buffer,
  dropFields: ReadonlySet<string>,
): Record<string, unknown> | 'blank' | 'malformed' {
  if (/^[ \t\r]*$/.test(line.toString('latin1'))) return 'blank';
  let event: unknown;
  try {
    event = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line));
  } catch {
    return 'malformed';
  }
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return 'malformed';
  const fields = Object.entries(event).filter(([name]) => !dropFields.has(name));
  if (fields.length === 0) return 'malformed';
  return Object.fromEntries(
    fields.map(([name, value]: [string, unknown]) => {
      if (!TIMESTAMP_FIELDS.has(name)) return [name, value];
      return [name, typeof value === 'string' ? (rewriteTimestamp(value) ?? null) : null];
    }),
  );
}
