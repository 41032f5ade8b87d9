import { join } from 'node:path';
import type { RunOptions } from './connector';

const SHIFT_CLOCK = join(__dirname, '..', '..', 'integration_tests', 'airbyte_suites', 'shift-clock.js');

/** Options of a run whose clock starts at another time (epoch ms) than the machine's. */
export function clockAt(nowMs: number): Pick<RunOptions, 'launcher' | 'env'> {
  return {
    launcher: [process.execPath, '--require', SHIFT_CLOCK],
    env: { CLOCK_SHIFT_MS: String(nowMs - Date.now()) },
  };
}
