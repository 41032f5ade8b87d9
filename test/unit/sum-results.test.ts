import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PROGRAM = path.join(__dirname, '..', '..', '.ci', 'sum-results.js');

interface Step {
  readonly name: string;
  readonly code: number;
  /** Result files of a step that runs tests. */
  readonly files?: Readonly<Record<string, string>>;
}

const jestReport = (passed: number, failed: number, broken = 0, pending = 0): string =>
  JSON.stringify({
    numPassedTests: passed,
    numFailedTests: failed,
    numRuntimeErrorTestSuites: broken,
    numPendingTests: pending,
    numTodoTests: 0,
  });

const junitReport = (tests: number, failures: number, errors: number, skipped: number): string =>
  `<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" errors="${errors}" failures="${failures}" ` +
  `skipped="${skipped}" tests="${tests}" time="1.5"><testcase name="a"/></testsuite></testsuites>`;

describe('the sum of a CI run', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sum-results-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function sum(steps: readonly Step[]): { lastLine: string | undefined; status: number | null } {
    for (const { name, files } of steps) {
      if (files === undefined) continue;
      mkdirSync(path.join(folder, name));
      for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, name, file), text);
    }
    const lines = steps.map(({ name, code }) => `${name}\tTitle of ${name}\t${code}\t1\n`);
    writeFileSync(path.join(folder, 'steps.tsv'), lines.join(''));
    const { stdout, stderr, status } = spawnSync('node', [PROGRAM, folder], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return { lastLine: stdout.trimEnd().split('\n').at(-1), status };
  }

  test.each<[string, readonly Step[], string, number]>([
    [
      'adds Jest and JUnit up',
      [
        { name: 'lint', code: 0 },
        { name: 'unit', code: 0, files: { 'jest.json': jestReport(40, 0) } },
        {
          name: 'airbyte',
          code: 0,
          files: { 'fast.xml': junitReport(10, 0, 0, 0), 'dropin.xml': junitReport(5, 0, 0, 0) },
        },
      ],
      '55 passed, 0 failed',
      0,
    ],
    [
      'names skipped tests',
      [
        {
          name: 'unit',
          code: 0,
          files: { 'jest.json': jestReport(3, 0, 0, 2), 'more.xml': junitReport(4, 0, 0, 1) },
        },
      ],
      '6 passed, 0 failed, 3 skipped',
      0,
    ],
    [
      'counts failures and errors',
      [{ name: 'airbyte', code: 1, files: { 'fast.xml': junitReport(10, 2, 1, 0) } }],
      '7 passed, 3 failed',
      1,
    ],
    [
      'counts a test file that does not load',
      [{ name: 'unit', code: 1, files: { 'jest.json': jestReport(3, 0, 1) } }],
      '3 passed, 1 failed',
      1,
    ],
    [
      'counts a failed step without tests',
      [
        { name: 'lint', code: 2 },
        { name: 'unit', code: 0, files: { 'jest.json': jestReport(3, 0) } },
      ],
      '3 passed, 1 failed',
      1,
    ],
    [
      'counts a suite that failed although its tests passed',
      [{ name: 'unit', code: 7, files: { 'jest.json': jestReport(3, 0) } }],
      '3 passed, 1 failed',
      1,
    ],
    ['counts a suite that ran no test', [{ name: 'unit', code: 0, files: {} }], '0 passed, 1 failed', 1],
  ])('%s', (_, steps, line, status) => {
    expect(sum(steps)).toEqual({ lastLine: line, status });
  });
});
