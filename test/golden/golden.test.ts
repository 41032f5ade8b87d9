import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertSuccess } from '../harness/assert-success';
import { runConnector, type ConnectorOutput } from '../harness/connector';
import { catalogOf, configFor, stateOf, STREAMS } from '../harness/inputs';
import { TWO_DAYS, withSimulator } from '../harness/with-simulator';

/*
 * Whole outputs, compared with files beside this one. After a wanted change of the output write them anew by
 *
 *     npm run build && UPDATE_GOLDEN=1 npx jest test/golden
 *
 * and read the difference before it is committed: each changed line is one that a user sees.
 */
const UPDATE = process.env['UPDATE_GOLDEN'] === '1';

/** Times, also those that a busy machine loses, and sizes of archives, which depend on its zlib. */
function mask(text: string): string {
  return text
    .replace(/"(emitted_at|quota_reset)":\d+/g, '"$1":0')
    .replace(/\b\d+\.\d s\b/g, '0.0 s')
    .replace(/ seconds held back \d+,/g, '')
    .replace(/an archive of \d+ bytes/g, 'an archive of 0 bytes');
}

/** Streams are read side by side, so their messages are put together; what belongs to none stays first. */
function orderByStream({ messages, stdout }: ConnectorOutput): string {
  const lines = stdout.trimEnd().split('\n');
  const place = (line: string): number =>
    1 +
    STREAMS.findIndex((stream) =>
      new RegExp(`"(stream|name)":"${stream}"|"message":"(Summary of )?${stream}:`).test(line),
    );
  expect(lines).toHaveLength(messages.length);
  return lines
    .map((line, index) => ({ line, index, place: place(line) }))
    .sort((a, b) => a.place - b.place || a.index - b.index)
    .map(({ line }) => `${line}\n`)
    .join('');
}

function expectGolden(name: string, text: string): void {
  const path = join(__dirname, name);
  if (UPDATE) writeFileSync(path, text);
  if (!existsSync(path)) throw new Error(`${name} is missing; write it with UPDATE_GOLDEN=1`);
  expect(text).toBe(readFileSync(path, 'utf8'));
}

it('read of every stream, from a state', async () => {
  const data = { ...TWO_DAYS.data, eventsPerHour: 2, partsPerHour: 1 };
  await withSimulator({ ...TWO_DAYS, data }, async (simulator) => {
    const config = configFor(simulator, { end_date: '2024-03-01T05:00:00Z' });
    const state = stateOf({ events: { server_upload_time: '20240301T03' } });
    const output = await runConnector(['read'], { config, catalog: catalogOf(STREAMS), state });
    assertSuccess(output, catalogOf(STREAMS));
    expectGolden('read.jsonl', mask(orderByStream(output)));
  });
});

it('read of a stream that the plan does not include', async () => {
  await withSimulator(
    { ...TWO_DAYS, settings: { quirks: { denied: ['/api/3/cohorts'] } } },
    async (simulator) => {
      const output = await runConnector(['read'], {
        config: configFor(simulator),
        catalog: catalogOf(['cohorts']),
      });
      expect([output.exitCode, output.stderr]).toEqual([1, '']);
      expectGolden('failed-read.jsonl', mask(output.stdout));
    },
  );
});

it('check with a wrong key', async () => {
  await withSimulator(TWO_DAYS, async (simulator) => {
    const output = await runConnector(['check'], {
      config: configFor(simulator, { secret_key: 'wrong-key' }),
    });
    expectGolden('failed-check.jsonl', mask(output.stdout));
  });
});

it('a wrong command line', async () => {
  const output = await runConnector(['reed']);
  expectGolden('usage.txt', output.stderr);
});
