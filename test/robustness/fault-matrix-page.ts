import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Endpoint, FAULT_MATRIX, type MatrixRow, type Outcome } from './fault-matrix-table';

export const PAGE = join(__dirname, '..', '..', 'docs', 'fault-matrix.md');

const TITLES: Readonly<Record<Endpoint, string>> = {
  json: 'Small JSON answers',
  export: 'The export',
  storage: 'The export behind a redirect to a storage',
};

const INTRODUCTION = `# Fault matrix

What the connector does under each fault, at each kind of endpoint. This page is written from the table that the test
\`test/robustness/fault-matrix.test.ts\` runs (\`npx ts-node test/robustness/fault-matrix-page.ts\`), and the test fails when the page is not current.

For every row the test reads three windows (small JSON: slices of 15 days; export: 2 hours each) from the simulator with the built program and makes the
second one fail, once (**passes**) or at every request (**stays**). It checks the number of retries, the failure type, the message, the exit code (0 when
nothing is said to fail, 1 otherwise), the messages' order, the state, and that the records are exactly those of the hours or days that the state says, each
once; only of the window in progress there may be more. After a failure the next sync, from that state, makes the records complete. In every run the keys are
unusual texts (quotes, backslashes, other scripts, \`+/=\`, parts of each other, one to three characters), refusals quote them in every form, and none may
show in the output, in a temporary file, or in \`/proc/<pid>/cmdline\` and \`environ\`; and no temporary file may be left.

**Retries.** At most 5 after the first attempt. Retry n waits 5 s × 2^(n−1) (±20 %), or as long as Retry-After says if that is longer, at most 600 s; after a
429 without Retry-After at least 60 s. So a request waits no more than 50 minutes in all, and about 155 s when Amplitude asks for nothing. While an export is limited, no other export is sent.

**State.** After a failure the state is that of the last hour or day before the failing window, so the next sync reads the window again.
`;

/** The page as it should stand in docs/. */
export function renderFaultMatrix(): string {
  const sections = (['json', 'export', 'storage'] as const).map((endpoint) => {
    const rows = FAULT_MATRIX.filter((row) => row.endpoint === endpoint);
    return `## ${TITLES[endpoint]} (${String(rows.length)} rows)\n\n${renderTable(rows)}\n`;
  });
  return `${INTRODUCTION}\n${sections.join('\n')}`;
}

function renderTable(rows: readonly MatrixRow[]): string {
  const header = ['Fault', 'Passes', 'Stays', 'Failure type', 'The user is told'];
  const cells = rows.map(({ fault, once, always }) => {
    const { type, message = '' } = always.failure ?? {};
    return [
      fault,
      describe(once),
      describe(always),
      type === undefined ? 'none' : `${type}_error`,
      message === '' ? '' : `… ${message} …`,
    ];
  });
  const all = [header, ...cells].map((row) => row.map(escapeCell));
  const widths = header.map((_, column) => Math.max(...all.map((row) => [...(row[column] ?? '')].length)));
  const [head, ...body] = all.map(
    (row) => `| ${row.map((cell, column) => pad(cell, widths[column]!)).join(' | ')} |`,
  );
  return [head, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body].join('\n');
}

function describe({ retries, requests, failure, window, waits }: Outcome): string {
  if (waits !== undefined) return `waits ${String(waits)} s, then tries again`;
  const count =
    typeof retries === 'number' ? String(retries) : `${String(retries[0])} to ${String(retries[1])}`;
  const tries = count === '0' ? 'no retry' : count === '1' ? '1 retry' : `${count} retries`;
  const halved = requests !== undefined && requests !== Number(retries) + 1 ? ', smaller window' : '';
  const end = failure !== undefined ? 'fails' : window === 'empty' ? 'no data, goes on' : 'exact';
  return `${tries}${halved}, ${end}`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(width - [...text].length);
}

if (require.main === module) writeFileSync(PAGE, renderFaultMatrix());
