import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AirbyteOutput } from '../harness/airbyte-output';
import { startConnector } from '../harness/connector';
import { catalogOf, configFor, STREAMS } from '../harness/inputs';
import { peakMemoryMb, untilAtRest } from '../harness/process-state';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';

/* Section 7.9 of Airbyte's acceptance checklist, the part about a reader of stdout that leaves, waits or stops. */
const EVENTS = catalogOf(['events']);

it('81: a reader that leaves after one line ends the program quietly, with a failure', async () => {
  await withSimulator(TWO_DAYS, async (simulator) => {
    const run = startConnector(['read'], {
      config: configFor(simulator, { end_date: SECOND_DAY }),
      catalog: EVENTS,
      ownStdout: true,
    });
    await once(run.child.stdout, 'data');
    run.child.stdout.destroy();
    const output = await run.finished;
    expect([output.exitCode, output.signal, output.stderr]).toEqual([1, null, '']);
    expect(output.leftInTemp).toEqual([]);
  });
});

it('83: output that does not fit into a full pipe just before the end arrives whole', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipe-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  // Opened for both first, because a pipe with one side only keeps its opener waiting.
  const [both, reader, writer] = [openSync(path, 'r+'), openSync(path, 'r'), openSync(path, 'w')];
  closeSync(both);
  rmSync(folder, { recursive: true });
  // A pipe of Linux takes 64 KiB: now almost none of the catalog's 18 KB fits, so the program has to wait to end.
  writeSync(writer, `${' '.repeat(65_000)}\n`);
  const config = { api_key: 'a', secret_key: 's' };
  const run = startConnector(['discover'], { config, ownStdout: writer });
  closeSync(writer);
  await untilAtRest(run.pid);
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream('', { fd: reader })) chunks.push(chunk as Buffer);
  const { exitCode, stderr } = await run.finished;
  const output = new AirbyteOutput(Buffer.concat(chunks).toString().trimStart(), stderr, exitCode);
  expect([exitCode, stderr, output.unparsed]).toEqual([0, '', []]);
  expect(output.stdout.length).toBeGreaterThan(10_000);
  expect(output.stdout.endsWith('\n')).toBe(true);
  expect(output.catalog?.streams).toHaveLength(STREAMS.length);
});

it('84: a reader that stops leaves memory flat: the program waits instead of collecting its output', async () => {
  // About 240 MB of output in one hour: events of 8 KB, made of few bytes so that the simulator has little work.
  const count = 30_000;
  const filler = 'lorem ipsum '.repeat(650);
  const lines = Array.from(
    { length: count },
    (_, index) =>
      `{"uuid":"${String(index)}","server_upload_time":"2024-03-01 00:00:00.000001","event_properties":{"text":"${filler}"}}`,
  );
  const extraLines = { '20240301T00': lines };
  const data = { startHour: '20240301T00', hours: 1, eventsPerHour: 0, partsPerHour: 1, extraLines };
  await withSimulator({ data, now: TWO_DAYS.now, settings: { gzipLevel: 1 } }, async (simulator) => {
    const config = configFor(simulator, { end_date: '2024-03-01' });
    const run = startConnector(['read'], { config, catalog: EVENTS, ownStdout: true });
    await once(run.child.stdout, 'readable');
    await untilAtRest(run.pid);
    const stalled = peakMemoryMb(run.pid);
    let bytes = 0;
    let peak = stalled;
    let rest = '';
    const uuids = new Set<string>();
    for await (const chunk of run.child.stdout) {
      bytes += (chunk as Buffer).length;
      if (run.child.exitCode === null && bytes < 200e6) peak = Math.max(peak, peakMemoryMb(run.pid));
      // A uuid may be cut in two by the chunks.
      const text = rest + (chunk as Buffer).toString('latin1');
      for (const [, uuid = ''] of text.matchAll(/"uuid":"([^"]+)"/g)) uuids.add(uuid);
      rest = text.slice(-40);
    }
    const { exitCode } = await run.finished;
    expect(exitCode).toBe(0);
    expect(bytes).toBeGreaterThan(230e6);
    expect(uuids.size).toBe(count);
    // Measured: 80 and 90 MB, of which a read of nothing takes 70. A program that kept its output would take over 300.
    expect(stalled).toBeLessThan(180);
    expect(peak).toBeLessThan(180);
  });
}, 120_000);
