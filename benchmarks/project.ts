import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Simulator } from '../simulator/simulator';
import { END_HOUR, START_HOUR, type DayArchive } from './archives';

/**
 * Airbyte's connector asks from its start date to now in steps of at most this; one step is one request. It starts an hour
 * before the data, because it drops an event of its very first second when that has no fraction.
 */
const LONGEST_STEP_HOURS = 8760;
const LONGEST_STEP = ['20231231T23', '20241230T22'] as const;

/** A simulated project that serves one ready archive, and the input files of connectors that read it. */
export interface Project {
  readonly simulator: Simulator;
  readonly url: string;
  /** `user:password`. */
  readonly keys: string;
  readonly configFile: string;
  /** For Airbyte's connector, which has no end date: one step of a year, for which the same archive is served. */
  readonly longStepConfigFile: string;
  /** The keys only, as most users have it. */
  readonly plainConfigFile: string;
  readonly catalogFile: string;
}

/** @param folder For the input files. */
export async function serveDay(day: DayArchive, folder: string): Promise<Project> {
  const simulator = await Simulator.start({ data: { startHour: START_HOUR, hours: 24, eventsPerHour: 0 } });
  await simulator.addReadyArchive(START_HOUR, END_HOUR, day.file);
  await simulator.addReadyArchive(...LONGEST_STEP, day.file);
  const { apiKey, secretKey } = simulator.settings.credentials;
  const config = { api_key: apiKey, secret_key: secretKey, base_url: simulator.baseUrl };
  const write = (name: string, content: object): string => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(content));
    return path;
  };
  const stream = { name: 'events', json_schema: {}, supported_sync_modes: ['full_refresh', 'incremental'] };
  const syncModes = { sync_mode: 'incremental', destination_sync_mode: 'append' };
  return {
    simulator,
    url: `${simulator.baseUrl}/api/2/export?start=${START_HOUR}&end=${END_HOUR}`,
    keys: `${apiKey}:${secretKey}`,
    configFile: write('config.json', {
      ...config,
      start_date: '2024-01-01T00:00:00Z',
      end_date: '2024-01-01',
    }),
    longStepConfigFile: write('config-long-step.json', {
      ...config,
      start_date: '2023-12-31T23:00:00Z',
      request_time_range: LONGEST_STEP_HOURS,
    }),
    plainConfigFile: write('config-plain.json', { api_key: apiKey, secret_key: secretKey }),
    catalogFile: write('catalog.json', { streams: [{ stream, ...syncModes }] }),
  };
}
