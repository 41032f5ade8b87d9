import { readFileSync } from 'node:fs';
import { FAULT_MATRIX, type MatrixRow } from './fault-matrix-table';
import { PAGE, renderFaultMatrix } from './fault-matrix-page';
import { type Mode, runRow, runTogether } from './fault-matrix-run';
import { Pool } from './pool';
import { HARDER } from './sizes';

/** Rows that share a run in which each fails once. */
const TOGETHER = 16;
/** In the small size the sync after a failure is tried for one row in so many; TEST_HARDER=1 tries it for all. */
const RECOVERY_SHARE = 8;

const outcomes = new Map<string, Promise<string[]>>();

function keyOf(row: MatrixRow, mode: Mode): string {
  return `${row.endpoint}: ${row.fault}, ${mode}`;
}

function groupsOf(rows: readonly MatrixRow[]): MatrixRow[][] {
  const groups: MatrixRow[][] = [];
  for (const endpoint of ['json', 'export', 'storage'] as const) {
    const together = rows.filter((row) => row.endpoint === endpoint && row.alone !== true);
    for (let at = 0; at < together.length; at += TOGETHER) groups.push(together.slice(at, at + TOGETHER));
  }
  return groups;
}

function startAll(): void {
  const pool = new Pool();
  const start = (row: MatrixRow, mode: Mode, work: () => Promise<string[]>): void => {
    const outcome = work();
    // Reported by the row's own test, which may come much later.
    outcome.catch(() => undefined);
    outcomes.set(keyOf(row, mode), outcome);
  };
  groupsOf(FAULT_MATRIX).forEach((group, index) => {
    const run = pool.run(() => runTogether(group, index));
    for (const row of group) start(row, 'once', async () => (await run).get(row) ?? ['did not run']);
  });
  FAULT_MATRIX.forEach((row, index) => {
    const recover = HARDER || index % RECOVERY_SHARE === 0;
    if (row.always !== row.once || row.alone === true)
      start(row, 'always', () => pool.run(() => runRow(row, 'always', index, { recover })));
    if (row.always !== row.once && row.alone === true)
      start(row, 'once', () => pool.run(() => runRow(row, 'once', index)));
  });
}

describe('the fault matrix', () => {
  beforeAll(startAll);

  it('has every endpoint kind with every fault, in at least 120 rows', () => {
    expect(FAULT_MATRIX.length).toBeGreaterThanOrEqual(120);
    expect(new Set(FAULT_MATRIX.map((row) => `${row.endpoint}: ${row.fault}`)).size).toBe(
      FAULT_MATRIX.length,
    );
  });

  it('is what docs/fault-matrix.md shows', () => {
    expect(readFileSync(PAGE, 'utf8')).toBe(renderFaultMatrix());
  });

  it.each(FAULT_MATRIX.map((row) => [row.endpoint, row.fault, row] as const))(
    '%s: %s',
    async (_endpoint, _fault, row) => {
      const modes = (['once', 'always'] as const).filter((mode) => outcomes.has(keyOf(row, mode)));
      expect(modes).not.toEqual([]);
      for (const mode of modes) expect([mode, await outcomes.get(keyOf(row, mode))]).toEqual([mode, []]);
    },
    600_000,
  );
});
