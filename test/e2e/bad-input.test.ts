import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runConnector, type RunOptions } from '../harness/connector';
import { catalogOf, stateOf } from '../harness/inputs';
import { expectFailure, SECRET, good } from '../harness/good-config';

/*
 * What a user, a platform or a file system can get wrong, row by row: the exact exit code, the exact failure type, and what the
 * message must name. Rows 79 and 80 of Airbyte's acceptance checklist are the first two tables. Values of the
 * configuration stand in bad-configuration.test.ts, what Amplitude can get wrong in bad-answers.test.ts.
 */
const EVENTS = catalogOf(['events']);

const folder = mkdtempSync(join(tmpdir(), 'bad-input-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('79: a wrong command line exits with 2, says why in a TRACE, and prints the usage on stderr', () => {
  it.concurrent.each([
    ['no command', [], /No command/],
    ['an unknown command', ['write'], /"write"/],
    ['two commands', ['spec', 'check'], /"check"/],
    ['an unknown flag', ['spec', '--verbose'], /--verbose/],
    ['a flag without its file', ['check', '--config'], /--config/],
    ['check without a configuration', ['check'], /--config/],
    ['discover without a configuration', ['discover'], /--config/],
    ['read without a configuration', ['read'], /--config/],
    ['read without a catalog', ['read', '--config', 'c.json'], /--catalog/],
  ])('%s', async (_name, args, message) => {
    const output = await runConnector(args);
    expectFailure(output, 2, 'system_error', message);
    expect(output.stderr).toContain('Usage:');
  });
});

describe('80: an input file that cannot be used is a system_error that names it, exit code 1', () => {
  const paths: readonly (readonly [string, string, (path: string) => void])[] = [
    ['is missing', 'missing.json', () => undefined],
    ['is a folder', 'folder.json', (path) => mkdirSync(path, { recursive: true })],
    ['is empty', 'empty.json', (path) => writeFileSync(path, '')],
    ['is not JSON', 'broken.json', (path) => writeFileSync(path, `{"api_key": "${SECRET}", oops}`)],
    ['ends in the middle', 'cut.json', (path) => writeFileSync(path, `{"api_key": "${SECRET}`)],
  ];

  describe.each(['config', 'catalog', 'state'] as const)('--%s', (flag) => {
    // An empty state file means "no state"; it is not bad input.
    it.concurrent.each(paths.filter(([, name]) => flag !== 'state' || name !== 'empty.json'))(
      '%s',
      async (_name, file, make) => {
        const path = join(folder, file);
        make(path);
        const contents = { config: good(), catalog: EVENTS, state: [], [flag]: undefined };
        const output = await runConnector(['read', `--${flag}`, path], contents);
        expectFailure(output, 1, 'system_error', new RegExp(file));
      },
    );
  });

  it.concurrent('also for check and discover', async () => {
    for (const command of ['check', 'discover']) {
      const output = await runConnector([command, '--config', join(folder, 'missing.json')]);
      expectFailure(output, 1, 'system_error', /missing\.json/);
      expect(output.connectionStatus).toBeUndefined();
    }
  });

  it.concurrent('a path below a file, and one that is too long', async () => {
    const file = join(folder, 'plain');
    writeFileSync(file, '{}');
    for (const path of [join(file, 'config.json'), join(folder, 'x'.repeat(300))]) {
      expectFailure(
        await runConnector(['check', '--config', path]),
        1,
        'system_error',
        /cannot be read \(E[A-Z]+\)/,
      );
    }
  });
});

describe('a catalog or a state that is wrong is a config_error that says where', () => {
  const [entry] = EVENTS.streams;
  const inputs: readonly (readonly [string, Pick<RunOptions, 'catalog' | 'state'>, RegExp])[] = [
    ['a catalog that is a list', { catalog: [] }, /catalog.*not a JSON object/],
    ['a catalog without streams', { catalog: {} }, /catalog.*"streams"/],
    ['streams that are no list', { catalog: { streams: {} } }, /catalog.*"streams"/],
    ['a stream that is null', { catalog: { streams: [null] } }, /stream 1 is not an object/],
    ['a stream without a name', { catalog: { streams: [{ ...entry, stream: {} }] } }, /stream 1 has no name/],
    [
      'a sync mode that does not exist',
      { catalog: { streams: [{ ...entry, sync_mode: 'INVALID' }] } },
      /sync_mode .*"events" is "INVALID"/,
    ],
    ['a stream that is listed twice', { catalog: { streams: [entry, entry] } }, /"events" is listed twice/],
    ['a state that is a number', { state: '7' }, /neither a list nor an object/],
    ['a state element that is a text', { state: ['events'] }, /element 1 is not an object/],
    [
      'a state element without a stream',
      { state: [{ type: 'STREAM' }] },
      /element 1 has the type STREAM but no "stream"/,
    ],
    [
      'a state element of an unknown type',
      { state: [{ type: 'PARTITION', stream: {} }] },
      /element 1 has an unknown type/,
    ],
    [
      'a stream state that is a text',
      { state: stateOf({ events: 'soon' }) },
      /state of "events" .* is not an object/,
    ],
    [
      'a shared state',
      { state: [{ type: 'GLOBAL', global: { shared_state: { x: 1 }, stream_states: [] } }] },
      /shared_state/,
    ],
    [
      'a cursor that is no hour',
      { state: stateOf({ events: { server_upload_time: 'noon' } }) },
      /stream events cannot be used.*server_upload_time/,
    ],
    [
      'a cursor at an hour that does not exist',
      { state: stateOf({ events: { server_upload_time: '20240230T05' } }) },
      /stream events cannot be used/,
    ],
    [
      'a cursor that is a number',
      { state: stateOf({ events: { server_upload_time: 20240301 } }) },
      /stream events cannot be used/,
    ],
    [
      'a state of another connector',
      { state: stateOf({ events: { updated_at: '2024-03-01' } }) },
      /stream events cannot be used.*"server_upload_time"/,
    ],
  ];

  it.concurrent.each(inputs)('%s', async (_name, files, message) => {
    const output = await runConnector(['read'], { config: good(), catalog: EVENTS, ...files });
    expectFailure(output, 1, 'config_error', message);
  });

  it.concurrent('a daily state that is no date', async () => {
    const state = stateOf({ active_users: { date: '2024-13-01' } });
    const output = await runConnector(['read'], {
      config: good(),
      catalog: catalogOf(['active_users']),
      state,
    });
    expectFailure(output, 1, 'config_error', /stream active_users cannot be used.*"date"/);
    // What cannot be understood is never replaced by a fresh start.
    expect(output.states().map(({ stream }) => stream.stream_state)).toEqual([{ date: '2024-13-01' }]);
  });

  it.concurrent('a stream that does not exist', async () => {
    const catalog = { streams: [{ ...entry, stream: { name: 'funnels' } }] };
    expectFailure(
      await runConnector(['read'], { config: good(), catalog }),
      1,
      'config_error',
      /no stream "funnels".*events/,
    );
  });

  it.concurrent('an empty catalog is no mistake: nothing is read, with a warning', async () => {
    const output = await runConnector(['read'], { config: good(), catalog: { streams: [] } });
    expect([output.exitCode, output.errors]).toEqual([0, []]);
    expect(output.logsOf('WARN').join('\n')).toMatch(/nothing to read/);
  });
});
