import fc from 'fast-check';
import { LONGEST_WAIT_MS, RETRIES, retryDelayMs } from '../../src/amplitude/retry';
import { judgeStatus, parseRetryAfter } from '../../src/amplitude/verdicts';
import { assertProtocol } from '../harness/assert-protocol';
import { runConnector, type RunningConnector, startConnector } from '../harness/connector';
import { catalogOf, configFor } from '../harness/inputs';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';

const EVENTS = catalogOf(['events']);

/** Resolves when the run has printed the text so often from now on. */
function printedTimes({ child }: RunningConnector, text: string, times: number): Promise<void> {
  let seen = '';
  return new Promise((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.split(text).length > times) resolve();
    });
  });
}

describe('while Amplitude lets wait', () => {
  it('the state is sent again and again: platforms take nothing else for a sign of life', () =>
    withSimulator(TWO_DAYS, async (simulator) => {
      // The second window never comes.
      simulator.fault({ match: { query: { start: '20240301T06' } }, action: 'stall-before-headers' });
      const run = startConnector(['read'], {
        config: configFor(simulator, { end_date: SECOND_DAY, request_time_range: 6 }),
        catalog: EVENTS,
        env: { AMPLITUDE_HEARTBEAT_SECONDS: '0.2' },
      });
      const safe = '"stream_state":{"server_upload_time":"20240301T05"}},"sourceStats":{"recordCount":';
      await run.printed(safe);
      // Three more of the same, each without a record.
      await printedTimes(run, `${safe}0}`, 3);
      run.child.kill('SIGTERM');
      const output = await run.finished;
      assertProtocol(output, EVENTS);
      expect(output.signal).toBe('SIGTERM');
    }));

  it('a check does not wait for minutes: it fails and says for how long Amplitude asks to wait', () =>
    withSimulator(TWO_DAYS, async (simulator) => {
      simulator.fault({
        match: { path: '/api/3/annotations' },
        action: { kind: 'reply', status: 429, headers: { 'retry-after': '600' }, body: 'slow down' },
      });
      const output = await runConnector(['check'], { config: configFor(simulator) });
      expect(output.exitCode).toBe(0);
      expect(output.ofType('CONNECTION_STATUS').map(({ value }) => value['connectionStatus'])).toEqual([
        {
          status: 'FAILED',
          message: expect.stringMatching(
            /^Amplitude asks to wait 600 s before the next request\..*slow down/,
          ) as unknown,
        },
      ]);
      expect(simulator.log.to('/api/3/annotations')).toHaveLength(1);
    }));

  it('no wait is longer than ten minutes, and a request waits fifty at most, whatever Retry-After says', () => {
    const header = fc.oneof(
      fc.nat().map(String),
      fc.double().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
      fc.string(),
      fc.constantFrom('99999999999999999999', '1e400', 'Infinity', '-1', '0x10', 'NaN', ''),
    );
    fc.assert(
      fc.property(header, fc.integer({ min: 0, max: 3_600_000 }), (retryAfter, baseMs) => {
        const verdict = judgeStatus('GET /', 429, { 'retry-after': retryAfter }, '');
        const waits = Array.from({ length: RETRIES }, (_, index) =>
          retryDelayMs(index + 1, { retryBaseMs: baseMs }, verdict),
        );
        for (const wait of waits) {
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThanOrEqual(LONGEST_WAIT_MS);
        }
        expect(LONGEST_WAIT_MS).toBe(600_000);
        expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThanOrEqual(50 * 60_000);
      }),
      { numRuns: 2_000 },
    );
    expect(parseRetryAfter('120', 0)).toBe(120_000);
  });
});
