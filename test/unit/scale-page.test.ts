import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hourFrom, hourOf } from '../../src/time/hours';
import { parseInstant } from '../../src/time/instant';

const PAGE = readFileSync(join(__dirname, '..', '..', 'docs', 'scale.md'), 'utf8');

/** The only code block of a language. */
function block(language: string): string {
  const blocks = [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))];
  if (blocks.length !== 1) throw new Error(`${blocks.length} blocks of ${language}`);
  return blocks[0]![1]!;
}

interface Range {
  readonly start_date: string;
  readonly end_date: string;
}

/** The hours that each part reads, by the rules of the connector: the end of a date-time is excluded. */
function hoursOf({ start_date, end_date }: Range): { first: number; last: number } {
  const [start, end] = [start_date, end_date].map((text) => parseInstant(text, 0)!);
  expect([start!.wholeDay, end!.wholeDay]).toEqual([false, false]);
  return { first: hourOf(start!.epochMs), last: hourFrom(end!.epochMs) - 1 };
}

function expectThreeYears(ranges: readonly Range[]): void {
  const parts = ranges.map(hoursOf);
  expect(parts).toHaveLength(36);
  expect(parts[0]!.first).toBe(hourOf(Date.UTC(2022, 0, 1)));
  expect(parts.at(-1)!.last).toBe(hourOf(Date.UTC(2025, 0, 1)) - 1);
  // Each hour once: every part begins right behind the one before it.
  expect(parts.slice(1).map(({ first }) => first)).toEqual(parts.slice(0, -1).map(({ last }) => last + 1));
}

/** The Airflow example is Python, so its ranges are tested with the Python suites (integration_tests/airbyte_suites/fast). */
describe('docs/scale.md', () => {
  it('divides three years over the indexes of a Kubernetes Job without gap or overlap', () => {
    const completions = Number(/completions: (\d+)/.exec(block('yaml'))![1]);
    const [setUp] = block('sh').split('\nsed ');
    const print = `${setUp}\nprintf '{"start_date":"%s","end_date":"%s"}' "$start" "$end"`;
    const ranges = Array.from({ length: completions }, (_, index) => {
      const env = { ...process.env, JOB_COMPLETION_INDEX: String(index) };
      return JSON.parse(execFileSync('sh', ['-c', print], { env, encoding: 'utf8' })) as Range;
    });
    expectThreeYears(ranges);
  });

  it("gives the connector a configuration that holds the part's range and the keys", () => {
    const script = block('sh')
      .replace(/\/job\/keys.json >\/tmp\/config.json[\s\S]*/, '')
      .concat('\n');
    const env = { ...process.env, JOB_COMPLETION_INDEX: '11' };
    const input = '{"api_key":"k","secret_key":"s"}\n';
    const config: unknown = JSON.parse(execFileSync('sh', ['-c', script], { env, input, encoding: 'utf8' }));
    expect(config).toEqual({
      start_date: '2022-12-01T00:00:00Z',
      end_date: '2023-01-01T00:00:00Z',
      api_key: 'k',
      secret_key: 's',
    });
  });

  describe('its script', () => {
    let root: string;
    let script: string;
    /** Runs the page's script with its folders below `root`; what takes the program's place prints these lines. */
    const run = (output: string, env: Record<string, string>): void => {
      const program = `#!/bin/sh\necho "$@" >>${root}/calls\ncat <<'END'\n${output}\nEND\n`;
      writeFileSync(join(root, 'program'), program);
      chmodSync(join(root, 'program'), 0o755);
      execFileSync('sh', ['-c', script], { env: { ...process.env, ...env } });
    };
    const calls = (): string[] => readFileSync(join(root, 'calls'), 'utf8').trimEnd().split('\n');

    beforeEach(() => {
      root = mkdtempSync(join(tmpdir(), 'scale-page-'));
      for (const folder of ['job', 'output', 'tmp']) mkdirSync(join(root, folder));
      writeFileSync(join(root, 'job', 'keys.json'), '{"api_key":"k","secret_key":"s"}\n');
      script = block('sh')
        .replaceAll(/(?<![\w/])\/(job|output|tmp)\//g, `${root}/$1/`)
        .replaceAll('/app/bin/docker-entrypoint.sh', `${root}/program`);
    });

    afterEach(() => rmSync(root, { recursive: true }));

    it('goes on behind the last whole state of the attempts before, and leaves their output alone', () => {
      const index = { JOB_COMPLETION_INDEX: '3' };
      const cut = '{"type":"STATE","state":{"stream":{"stream_desc';
      const record = '{"type":"RECORD","record":{"data":{"text":"{\\"type\\":\\"STATE\\"}"}}}';
      const state = (number: number): string => `{"type":"STATE","state":{"number":${String(number)}}}`;
      run([state(1), state(2), record, cut].join('\n'), index);
      run(record, index);
      run([state(3), record].join('\n'), index);
      expect(JSON.parse(readFileSync(join(root, 'tmp', 'state.json'), 'utf8'))).toEqual(JSON.parse(state(2)));
      run(record, index);
      expect(JSON.parse(readFileSync(join(root, 'tmp', 'state.json'), 'utf8'))).toEqual(JSON.parse(state(3)));
      const first = `read --config ${root}/tmp/config.json --catalog ${root}/job/catalog.json`;
      const later = `${first} --state ${root}/tmp/state.json`;
      expect(calls()).toEqual([first, later, later, later]);
      expect(readdirSync(join(root, 'output')).sort()).toEqual(
        [1, 2, 3, 4].map((attempt) => `part-2022-04-01.${String(attempt)}.jsonl`),
      );
      expect(readFileSync(join(root, 'output', 'part-2022-04-01.1.jsonl'), 'utf8')).toContain(cut);
    });

    it('reads the range that an Airflow task gives it, without a state at first', () => {
      const range = { PART_START: '2023-05-01T00:00:00Z', PART_END: '2023-06-01T00:00:00Z' };
      run('{}', range);
      expect(JSON.parse(readFileSync(join(root, 'tmp', 'config.json'), 'utf8'))).toEqual({
        start_date: range.PART_START,
        end_date: range.PART_END,
        api_key: 'k',
        secret_key: 's',
      });
      expect(calls()).toEqual([`read --config ${root}/tmp/config.json --catalog ${root}/job/catalog.json`]);
      expect(readdirSync(join(root, 'output'))).toEqual(['part-2023-05-01.1.jsonl']);
    });
  });

  it('keeps the parts under way below the five requests that Amplitude allows a project', () => {
    expect(Number(/parallelism: (\d+)/.exec(block('yaml'))![1])).toBeLessThan(5);
    expect(Number(/max_active_tis_per_dag=(\d+)/.exec(block('text'))![1])).toBeLessThan(5);
  });
});
