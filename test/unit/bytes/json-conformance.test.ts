import { ACCEPTED_VALUES, REJECTED_BYTES, REJECTED_LINES, REJECTED_VALUES } from './json-cases';
import { createSplicer, eventsOf, spliceMember, WAYS } from './splice-all';

/** Positions in the line at which a case is tried, so that it meets every place in a vector of 16 bytes. */
const PADDINGS = Array.from({ length: 18 }, (_, bytes) => bytes);

describe.each(WAYS)('the kinds of cases of a JSON conformance suite, the %s way', (way) => {
  // One for all cases, as one read has for all members.
  const splicer = createSplicer(way, { onMalformedLine: 'skip' });

  /** Reads the lines as one member, with sound ones between them of the same beginning. */
  const expectRefused = (lines: readonly (string | Buffer)[]): void => {
    const sound = Buffer.from('{"pad":"x","value":1,"next":2,"more":3,"and":4,"event_time":null}\n');
    const member = Buffer.concat([
      sound,
      ...lines.flatMap((line) => [toBytes(line), Buffer.from('\n'), sound]),
    ]);
    const spliced = spliceMember(splicer, member);
    // A line feed inside a case makes two lines of it, none of which is an event either.
    const refused = lines.reduce((sum, line) => sum + toBytes(line).toString('latin1').split('\n').length, 0);
    expect(eventsOf(spliced)).toEqual(Array(lines.length + 1).fill(sound.toString().trimEnd()));
    expect(spliced.malformedCount).toBe(refused);
    expect(spliced.malformed).toMatchObject({ line: 2, offset: sound.length });
  };

  it.each(ACCEPTED_VALUES)('keeps the value %j', (value) => {
    expect(() => JSON.parse(value) as unknown).not.toThrow();
    const lines = PADDINGS.flatMap((bytes) => [
      `{"pad":"${'x'.repeat(bytes)}","value":${value}}`,
      `{"pad":"${'x'.repeat(bytes)}","value":${value},"next":${value}}`,
    ]);
    expect(eventsOf(spliceMember(splicer, lines.join('\n')))).toEqual(lines);
  });

  it.each(REJECTED_VALUES)('refuses the value %j', (value) => {
    expect(() => JSON.parse(value) as unknown).toThrow();
    expectRefused(PADDINGS.map((bytes) => `{"pad":"${'x'.repeat(bytes)}","value":${value}}`));
    expectRefused(
      PADDINGS.map((bytes) => `{"event_time":null,"value":${value},"next":"${'x'.repeat(bytes)}"}`),
    );
  });

  it.each(REJECTED_BYTES)('refuses the bytes %s in a string', (hex) => {
    const bytes = Buffer.from(hex, 'hex');
    for (const after of ['"}', 'é"}', `${'x'.repeat(40)}","z":1}`, '","event_time":null}']) {
      expectRefused(
        PADDINGS.map((count) =>
          Buffer.concat([Buffer.from(`{"pad":"${'x'.repeat(count)}`), bytes, Buffer.from(after)]),
        ),
      );
    }
    expectRefused([Buffer.concat([Buffer.from('{"'), bytes, Buffer.from('":1}')])]);
  });

  it.each(REJECTED_LINES)('refuses the line %j', (line) => {
    expectRefused([line, `  ${line}\r`]);
  });

  it('refuses an event that is nested deeper than 1,024 levels, with a reason of its own', () => {
    const nest = (levels: number): string => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    const reason = 'nested deeper than 1024 levels';
    expect(eventsOf(spliceMember(splicer, nest(1024)))).toEqual([nest(1024)]);
    expect(spliceMember(splicer, nest(1025)).malformed).toEqual({ line: 1, offset: 0, reason });
    expect(spliceMember(splicer, `{"a":${'['.repeat(100_000)}`).malformed).toEqual({
      line: 1,
      offset: 0,
      reason,
    });
  });
});

function toBytes(line: string | Buffer): Buffer {
  return typeof line === 'string' ? Buffer.from(line) : line;
}
