import { parseArgs } from 'node:util';
import { presetOf } from './fault-presets';
import { HOUR_MS, floorHour, formatHour, parseHour } from './hours';
import type { SimulatorOptions } from './simulator';
import { DEFAULT_SETTINGS, type SettingsPatch } from './settings';

export const HELP = `Usage: npx ts-node simulator/main.ts [options]

A stand-in for Amplitude's read APIs. Prints its base URL on one line and runs until it is interrupted.

  --port N                 default 0: any free port
  --host H                 default 127.0.0.1; 0.0.0.0 lets containers in
  --path-prefix P          every path below P, such as /eu
  --api-key K, --secret-key S
                           default ${DEFAULT_SETTINGS.credentials.apiKey} / ${DEFAULT_SETTINGS.credentials.secretKey}
  --start YYYYMMDDTHH      first hour with data; default: --days before now
  --days N                 days of data, default 3
  --events-per-hour N      default 20
  --parts-per-hour N       default 2
  --seed N, --project-id N
  --now TIME               ISO 8601, the time at which the simulated clock stands; default: the real time
  --settings JSON          any setting of settings.ts, such as '{"quirks":{"countryProperty":false}}'
  --fault NAME             a fault for every request (repeatable); POST /_control/fault is finer
  --help

While it runs: GET /_control/requests, /_control/truth?start=&end=, /_control/faults, /_control/storage, /_control/daily, /_control/now;
POST /_control/now {"ms":…}, /_control/fault {"match":{…},"action":"name"|{…}}, /_control/chaos {"seed":1,"rate":0.1},
/_control/settings {…}, /_control/reset.
`;

function wholeNumber(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`--${name} has to be a whole number: ${text}`);
  return value;
}

export interface CommandLine {
  readonly help: boolean;
  readonly options: SimulatorOptions;
  /** Names of faults that hit every request. */
  readonly faults: readonly string[];
}

/** Reads the arguments; throws an error with one line for the user when they are wrong. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: text,
      host: text,
      'path-prefix': text,
      'api-key': text,
      'secret-key': text,
      start: text,
      days: text,
      'events-per-hour': text,
      'parts-per-hour': text,
      seed: text,
      'project-id': text,
      now: text,
      settings: text,
      fault: { type: 'string', multiple: true },
      help: { type: 'boolean' },
    },
  });
  const now = values.now === undefined ? undefined : Date.parse(values.now);
  if (Number.isNaN(now)) throw new RangeError(`--now is not a time: ${values.now}`);
  const faults = values.fault ?? [];
  // Before anything listens: a wrong name must end the program.
  faults.forEach(presetOf);
  const days = wholeNumber(values.days, 'days') ?? 3;
  const start = values.start ?? formatHour(floorHour(now ?? Date.now()) - days * 24 * HOUR_MS);
  if (parseHour(start) === undefined) throw new RangeError(`--start is not YYYYMMDDTHH: ${start}`);
  const options: SimulatorOptions = {
    data: {
      startHour: start,
      hours: days * 24,
      eventsPerHour: wholeNumber(values['events-per-hour'], 'events-per-hour'),
      partsPerHour: wholeNumber(values['parts-per-hour'], 'parts-per-hour'),
      seed: wholeNumber(values.seed, 'seed'),
      projectId: wholeNumber(values['project-id'], 'project-id'),
    },
    ...(now === undefined ? {} : { now }),
    ...(values.host === undefined ? {} : { host: values.host }),
    port: wholeNumber(values.port, 'port') ?? 0,
    ...(values['path-prefix'] === undefined ? {} : { pathPrefix: values['path-prefix'] }),
    settings: {
      ...(JSON.parse(values.settings ?? '{}') as SettingsPatch),
      credentials: {
        apiKey: values['api-key'] ?? DEFAULT_SETTINGS.credentials.apiKey,
        secretKey: values['secret-key'] ?? DEFAULT_SETTINGS.credentials.secretKey,
      },
    },
  };
  return { help: values.help === true, options, faults };
}
