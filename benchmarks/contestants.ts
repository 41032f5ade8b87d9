import { join } from 'node:path';
import type { DayArchive } from './archives';
import type { Project } from './project';
import type { PublishedConnector } from './published-connector';

export interface Contestant {
  readonly name: string;
  /** What it is, for the results page. */
  readonly description: string;
  /** A bash command line. */
  readonly command: string;
  readonly env?: Readonly<Record<string, string>>;
  /** In the tables of all sizes; the others only in that of the smallest. */
  readonly everySize: boolean;
  /** Fewer rounds than the others, because one takes long. */
  readonly rounds?: number;
}

export const READ = 'this connector';
export const PIPELINE = 'curl, unzip, gzip';
export const PUBLISHED = 'Airbyte’s connector';

const PROGRAMS = join(__dirname, 'programs');
/** Somebody has to take the messages out of the pipe; the figures hold its CPU time. */
const DISCARD = '| cat > /dev/null';

export function listContestants(
  program: string,
  project: Project,
  day: DayArchive,
  published: PublishedConnector | undefined,
  publishedRounds: number,
): Contestant[] {
  const curl = `curl -sSf -u ${project.keys} '${project.url}'`;
  const save = `${curl} -o "$TMPDIR/day.zip"`;
  const contestants: Contestant[] = [
    {
      name: READ,
      description:
        '`source-amplitude read` of the `events` stream over HTTP, its messages through a pipe to `cat > /dev/null`',
      command: `${program} read --config ${project.configFile} --catalog ${project.catalogFile} ${DISCARD}`,
      everySize: true,
    },
    {
      name: PIPELINE,
      description:
        '`curl -o day.zip … && unzip -p day.zip \\| gzip -dc > /dev/null` (unzip cannot read from a pipe)',
      command: `${save} && unzip -p "$TMPDIR/day.zip" | gzip -dc > /dev/null`,
      everySize: true,
    },
    {
      name: 'inflate only',
      description:
        'Node inflates the members of the file one after the other and drops the text: no HTTP, no CRC of the members, no output',
      command: `${process.execPath} ${join(PROGRAMS, 'inflate-only.js')} ${day.file}`,
      everySize: true,
    },
    {
      name: 'server only',
      description: '`curl > /dev/null`: what the server of the benchmark takes by itself',
      command: `${curl} > /dev/null`,
      everySize: true,
    },
    {
      name: 'parse and stringify',
      description:
        'a plain Node program: `curl` to a file, then each line through `JSON.parse` and `JSON.stringify` to a pipe',
      command: `${save} && ${process.execPath} ${join(PROGRAMS, 'parse-and-stringify.js')} "$TMPDIR/day.zip" ${DISCARD}`,
      everySize: false,
    },
  ];
  if (published) {
    contestants.push({
      name: PUBLISHED,
      description: `\`airbyte-source-amplitude\` ${published.version} from PyPI (${published.python}), its host pointed at the server, to a pipe as above`,
      command: `${published.program} read --config ${project.longStepConfigFile} --catalog ${project.catalogFile} ${DISCARD}`,
      env: published.env(project.simulator.baseUrl),
      everySize: false,
      rounds: publishedRounds,
    });
  }
  return contestants;
}
