import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Simulator } from '../../simulator/simulator';
import { type ConnectorOutput, runConnector, type RunOptions } from '../harness/connector';
import { catalogOf, configFor, instant } from '../harness/inputs';
import { TWO_DAYS, withSimulator } from '../harness/with-simulator';
import { MeteredRun } from './metered-run';

const HOURS_PER_WINDOW = 6;
const PROGRAMS = join(__dirname, 'programs');

interface Exit {
  readonly title: string;
  /** Happens to every window but the first. */
  readonly fault?: string;
  /** Loaded into the program. */
  readonly preload?: string;
  readonly end: (options: RunOptions) => Promise<Pick<ConnectorOutput, 'exitCode' | 'signal' | 'stderr'>>;
  readonly expected: object;
}

const run = (options: RunOptions): Promise<ConnectorOutput> => runConnector(['read'], options);

/** Stops reading while archives are on disk, then ends the run. */
function stopped(end: (metered: MeteredRun) => void): Exit['end'] {
  return async (options) => {
    const metered = new MeteredRun(['read'], options);
    await metered.take(20_000);
    end(metered);
    await metered.takeAll();
    return metered.end();
  };
}

async function intoFullDisk(options: RunOptions): Promise<ConnectorOutput> {
  const full = openSync('/dev/full', 'w');
  try {
    return await runConnector(['read'], { ...options, ownStdout: full });
  } finally {
    closeSync(full);
  }
}

const EXITS: readonly Exit[] = [
  { title: 'the end of the work', end: run, expected: { exitCode: 0, stderr: '' } },
  { title: 'a key that is refused on the way', fault: 'wrong-key-403', end: run, expected: { exitCode: 1 } },
  { title: 'archives that stay damaged', fault: 'archive-truncated', end: run, expected: { exitCode: 1 } },
  { title: 'a line that is no event', fault: 'line-malformed', end: run, expected: { exitCode: 1 } },
  { title: 'an error that nobody catches', preload: 'late-error.js', end: run, expected: { exitCode: 1 } },
  {
    title: 'SIGTERM',
    end: stopped(({ running }) => running.child.kill('SIGTERM')),
    expected: { signal: 'SIGTERM' },
  },
  {
    title: 'SIGINT',
    end: stopped(({ running }) => running.child.kill('SIGINT')),
    expected: { signal: 'SIGINT' },
  },
  {
    title: 'a reader that closes',
    end: stopped((metered) => metered.close()),
    expected: { exitCode: 1, stderr: '' },
  },
  {
    title: 'an output on a disk that is full',
    end: intoFullDisk,
    expected: { exitCode: 1, stderr: expect.stringContaining('ENOSPC') as unknown },
  },
];

function optionsOf(simulator: Simulator, temp: string, record: string, { preload }: Exit): RunOptions {
  const programs = ['recorded-paths.js', ...(preload === undefined ? [] : [preload])];
  return {
    config: configFor(simulator, {
      end_date: instant(simulator.data.endMs),
      request_time_range: HOURS_PER_WINDOW,
    }),
    catalog: catalogOf(['events']),
    env: {
      TMPDIR: temp,
      PATHS_FILE: record,
      NODE_OPTIONS: programs.map((name) => `--require=${join(PROGRAMS, name)}`).join(' '),
    },
  };
}

describe('no temporary file survives', () => {
  it.each(EXITS.map((exit) => [exit.title, exit] as const))('%s', (_title, exit) =>
    withSimulator({ ...TWO_DAYS, data: { ...TWO_DAYS.data, eventsPerHour: 30 } }, async (simulator) => {
      const { fault } = exit;
      const folder = mkdtempSync(join(tmpdir(), 'temp-files-'));
      const temp = mkdtempSync(join(folder, 'tmp-'));
      const record = join(folder, 'paths');
      if (fault !== undefined) {
        const when = ({ query }: { query: Readonly<Record<string, string>> }): boolean =>
          query['start'] !== TWO_DAYS.data.startHour;
        simulator.fault({ match: { path: '/api/2/export', when }, action: fault });
      }
      try {
        const ended = await exit.end(optionsOf(simulator, temp, record, exit));
        const written = readFileSync(record, 'utf8');
        expect(ended).toMatchObject(exit.expected);
        expect(written).toMatch(/source-amplitude-[^/]+\/1\.zip/);
        expect(readdirSync(temp)).toEqual([]);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }),
  );
});
