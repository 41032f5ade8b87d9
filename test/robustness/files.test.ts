import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { HOSTILE_NAMES } from '../../simulator/archive-mutations';
import { assertSuccess } from '../harness/assert-success';
import { startConnector } from '../harness/connector';
import { catalogOf, configFor } from '../harness/inputs';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';
import { compareEvents, EXACT } from './event-truth';

const CATALOG = catalogOf(['events']);
const RECORDER = join(__dirname, 'programs', 'recorded-paths.js');
const OWN_FILE = /^source-amplitude-[0-9a-f]+-\d+-\w+(\/\d+\.zip)?$/;

describe('files', () => {
  it.each(['names-hostile', 'members-hostile'])('never have names out of an archive (%s)', (fault) =>
    withSimulator(TWO_DAYS, async (simulator) => {
      simulator.fault({ match: { path: '/api/2/export' }, action: fault });
      const folder = mkdtempSync(join(tmpdir(), 'files-'));
      const record = join(folder, 'paths');
      const run = startConnector(['read'], {
        config: configFor(simulator, { end_date: SECOND_DAY }),
        catalog: CATALOG,
        env: { TMPDIR: folder, PATHS_FILE: record, NODE_OPTIONS: `--require=${RECORDER}` },
      });
      const output = await run.finished;
      const paths = readFileSync(record, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as string);
      rmSync(folder, { recursive: true });
      assertSuccess(output, CATALOG);
      expect(compareEvents(output.records(), simulator.truth())).toEqual(EXACT);
      const below = paths
        .filter((path) => path.startsWith(`${folder}/source-`))
        .map((path) => relative(folder, path));
      expect(
        below.filter((path) => !OWN_FILE.test(path) && !/^source-amplitude-[0-9a-f]+-\d+-$/.test(path)),
      ).toEqual([]);
      expect(below.filter((path) => path.endsWith('.zip')).length).toBeGreaterThan(0);
      // What an archive's names would have led to; long ones and the empty one would show as files of another form.
      const marks = HOSTILE_NAMES.map((name) => name.split(/[/\\]/).at(-1)!.slice(0, 20)).filter(
        (mark) => mark !== '',
      );
      expect(paths.filter((path) => marks.some((mark) => path.includes(mark)))).toEqual([]);
    }),
  );

  it('wait in a folder of mode 0700, as files of mode 0600, and are gone afterwards', () =>
    withSimulator(TWO_DAYS, async (simulator) => {
      const folder = mkdtempSync(join(tmpdir(), 'files-'));
      const modes = new Set<string>();
      const run = startConnector(['read'], {
        config: configFor(simulator, { end_date: SECOND_DAY, request_time_range: 2 }),
        catalog: CATALOG,
        env: { TMPDIR: folder },
      });
      run.child.stdout.on('data', () => {
        for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
          const { mode } = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false }) ?? {};
          if (mode !== undefined)
            modes.add(`${entry.isDirectory() ? 'folder' : 'file'} ${(mode & 0o777).toString(8)}`);
        }
      });
      assertSuccess(await run.finished, CATALOG);
      expect(readdirSync(folder)).toEqual([]);
      rmSync(folder, { recursive: true });
      expect([...modes].sort()).toEqual(['file 600', 'folder 700']);
    }));
});
