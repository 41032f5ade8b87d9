import { parseArgs } from 'node:util';
import { HOUR_MS, floorHour, formatHour } from './hours';
import { Simulator } from './simulator';
import { DEFAULT_SETTINGS, type SettingsPatch } from './settings';

const HELP = `Usage: npx ts-node simulator/main.ts [options]

A stand-in for Amplitude's read APIs. Prints its base URL on one line and runs until it is interrupted.

  --port N                 default 0: any free port
  --host H                 default 127.0.0.1; 0.0.0.0 lets containers in
  --path-prefix P          every path below P, such as /eu
  --region R               standard (default) or eu
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

async function main(args: readonly string[]): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: text,
      host: text,
      'path-prefix': text,
      region: text,
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
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const now = values.now === undefined ? undefined : Date.parse(values.now);
  if (Number.isNaN(now)) throw new RangeError(`--now is not a time: ${values.now}`);
  if (values.region !== undefined && values.region !== 'standard' && values.region !== 'eu') {
    throw new RangeError(`--region has to be standard or eu: ${values.region}`);
  }
  const days = wholeNumber(values.days, 'days') ?? 3;
  const simulator = await Simulator.start({
    data: {
      startHour: values.start ?? formatHour(floorHour(now ?? Date.now()) - days * 24 * HOUR_MS),
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
    region: values.region ?? 'standard',
    settings: {
      ...(JSON.parse(values.settings ?? '{}') as SettingsPatch),
      credentials: {
        apiKey: values['api-key'] ?? DEFAULT_SETTINGS.credentials.apiKey,
        secretKey: values['secret-key'] ?? DEFAULT_SETTINGS.credentials.secretKey,
      },
    },
  });
  for (const name of values.fault ?? []) simulator.fault({ action: name });
  process.stdout.write(`${simulator.baseUrl}\n`);
  const stop = (): void => {
    simulator.close().catch(fail);
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

main(process.argv.slice(2)).catch(fail);
