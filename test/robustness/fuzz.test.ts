import { AirbyteOutput } from '../harness/airbyte-output';
import { type FuzzInput, fuzzInputs, SECRETS } from './fuzz-inputs';
import { judgeFuzzed } from './fuzz-judge';
import { Lane } from './fuzz-lanes';
import { sized } from './sizes';

/** FUZZ_SEED tries other inputs. */
const SEED = Number(process.env['FUZZ_SEED'] ?? '20260101');
const BLOCK = 50;
const BLOCKS = sized(9, 200);
/** One block of so many goes through real processes, whose start takes most of their time. */
const REAL_SHARE = 20;
const REAL_IN_SMALL = 20;

interface Tally {
  readonly ends: Map<string, number>;
  readonly problems: string[];
  inputs: number;
  real: number;
  records: number;
}

function show({ args, files }: FuzzInput): string {
  const parts = Object.entries(files).map(([name, content]) =>
    content instanceof Buffer
      ? `${name}: ${content.toString('utf8').slice(0, 2000)}`
      : `${name}: ${String(content)}`,
  );
  return [`args: ${JSON.stringify(args)}`, ...parts].join('\n');
}

async function runBlock(
  lane: Lane,
  inputs: readonly FuzzInput[],
  where: string,
  tally: Tally,
): Promise<void> {
  for (const [index, input] of inputs.entries()) {
    const output = await lane.run(input);
    const problems = [
      ...judgeFuzzed(input, output),
      ...lane.strays.splice(0).map((stray) => `left: ${stray}`),
    ];
    if (problems.length > 0)
      tally.problems.push(
        `${where}, input ${String(index)} (${lane.kind}): ${problems.join('; ')}\n${show(input)}`,
      );
    tally.inputs += 1;
    if (lane.kind === 'a process each') tally.real += 1;
    tally.records += output.records().length;
    const end = output.errors[0]?.failure_type ?? output.connectionStatus?.status ?? 'done';
    const name = `exit ${String(output.exitCode ?? output.signal)}, ${end}`;
    tally.ends.set(name, (tally.ends.get(name) ?? 0) + 1);
  }
}

async function fuzz(): Promise<Tally> {
  const tally: Tally = { ends: new Map(), problems: [], inputs: 0, real: 0, records: 0 };
  const blocks = Array.from({ length: BLOCKS }, (_, block) => block);
  const isReal = (block: number): boolean => block % REAL_SHARE === 0;
  const work = async (lane: Lane, own: readonly number[]): Promise<void> => {
    try {
      for (const block of own) {
        const count = sized(lane.kind === 'a process each' ? REAL_IN_SMALL : BLOCK, BLOCK);
        await runBlock(lane, fuzzInputs(count, SEED + block), `seed ${String(SEED + block)}`, tally);
      }
    } finally {
      await lane.close();
    }
  };
  await Promise.all([
    work(await Lane.start('a process each'), blocks.filter(isReal)),
    work(
      await Lane.start('within one process'),
      blocks.filter((block) => !isReal(block)),
    ),
  ]);
  return tally;
}

describe('fuzzing', () => {
  let tally: Tally;
  beforeAll(async () => {
    tally = await fuzz();
    const ends = [...tally.ends].sort().map(([name, count]) => `${name}: ${String(count)}`);
    process.stdout.write(
      `fuzzing, seeds ${String(SEED)} to ${String(SEED + BLOCKS - 1)}: ${String(tally.inputs)} inputs, ` +
        `${String(tally.real)} of them by a process each, ${String(tally.records)} records; ${ends.join('; ')}; ` +
        `${String(tally.problems.length)} with problems\n`,
    );
  }, 3_600_000);

  it('no input makes the program hang, print anything but messages, end wrongly or tell a secret', () => {
    expect(tally.problems.slice(0, 5).join('\n\n')).toBe('');
    expect(tally.inputs).toBeGreaterThanOrEqual(sized(400, 10_000));
  });

  it('the inputs come to every end that there is', () => {
    for (const end of [
      'exit 0, done',
      'exit 0, SUCCEEDED',
      'exit 0, FAILED',
      'exit 1, config_error',
      'exit 1, system_error',
      'exit 2, system_error',
    ])
      expect([end, (tally.ends.get(end) ?? 0) >= 3]).toEqual([end, true]);
    expect(tally.records).toBeGreaterThan(1_000);
  });
});

describe('the judge of these runs', () => {
  const input: FuzzInput = {
    args: ['check', '--config', '{config}'],
    files: { config: undefined, catalog: undefined, state: undefined },
  };
  const status = '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}\n';
  const log = (message: string): string =>
    `${JSON.stringify({ type: 'LOG', log: { level: 'INFO', message } })}\n`;
  const error = (fields: object): string =>
    `${JSON.stringify({ type: 'TRACE', trace: { type: 'ERROR', emitted_at: 1, error: fields } })}\n`;
  const failure = { message: 'It failed.', failure_type: 'system_error' };
  const stack = 'Error: x\n    at check (/app/dist/check.js:3:5)';

  it.each([
    ['a good check', status, '', 0],
    ['a failed check', error({ ...failure, stack_trace: stack }), '', 1],
  ])('takes %s', (_name, stdout, stderr, exitCode) => {
    expect(judgeFuzzed(input, new AirbyteOutput(stdout, stderr, exitCode))).toEqual([]);
  });

  it.each([
    ['a line that is no message', `warning\n${status}`, '', 0, 'no message'],
    ['a cut line', status.trimEnd(), '', 0, 'no end'],
    ['a stack trace on stdout', `${stack}\n${status}`, '', 0, 'no message'],
    ['a stack trace in a log', log(stack) + status, '', 0, 'a stack trace in a LOG'],
    ['a stack trace in a message', error({ ...failure, message: stack }), '', 1, 'a stack trace in a TRACE'],
    ['a stack trace on stderr', error(failure), stack, 1, 'a stack trace on stderr'],
    ['anything on stderr', status, 'Warning', 0, 'on stderr'],
    ['exit code 0 with an error', error(failure), '', 0, 'exit code 0 with the error'],
    ['exit code 1 without an error', status, '', 1, 'without an error'],
    ['another exit code', error(failure), '', 7, 'ended with 7'],
    ['exit code 2 without the usage', error(failure), '', 2, 'without the usage'],
    ['no status', log('fine'), '', 0, 'CONNECTION_STATUS'],
    ['two statuses', status + status, '', 0, 'CONNECTION_STATUS'],
    ['a status and an error', status + error(failure), '', 1, 'CONNECTION_STATUS'],
    ['a secret', log(`key ${SECRETS.apiKey}`) + status, '', 0, 'secrets'],
    ['a secret in base64', log(Buffer.from(SECRETS.secretKey).toString('base64')) + status, '', 0, 'secrets'],
    ['a secret on stderr', error(failure), SECRETS.secretKey, 2, 'secrets'],
    [
      'a defect',
      error({ ...failure, message: 'The connector ran into an error that it does not know' }),
      '',
      1,
      'foresaw',
    ],
  ])('does not take %s', (_name, stdout, stderr, exitCode, problem) => {
    expect(judgeFuzzed(input, new AirbyteOutput(stdout, stderr, exitCode)).join('; ')).toContain(problem);
  });

  it('does not take a run that had to be killed', () => {
    expect(judgeFuzzed(input, new AirbyteOutput('', '', null, 'SIGKILL')).join('; ')).toContain('SIGKILL');
  });
});
