import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatHour, HOUR_MS } from '../../simulator/hours';
import type { Simulator } from '../../simulator/simulator';
import { PROGRAM } from './connector';

export { DAY_MS, HOUR_MS } from '../../simulator/hours';

/** Folder of the build under test: it holds `schemas/` and `spec.json`. */
export const BUILD = join(PROGRAM, '..', '..');

/** Every stream that the build has. */
export const STREAMS: readonly string[] = readdirSync(join(BUILD, 'schemas'))
  .map((file) => file.replace(/\.json$/, ''))
  .sort();

export interface StreamSchema {
  readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export function schemaOf(stream: string): StreamSchema {
  return JSON.parse(readFileSync(join(BUILD, 'schemas', `${stream}.json`), 'utf8')) as StreamSchema;
}

/** A configuration that reaches the simulator, from its first hour on. */
export function configFor(
  simulator: Simulator,
  changes: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const { apiKey, secretKey } = simulator.settings.credentials;
  return {
    api_key: apiKey,
    secret_key: secretKey,
    base_url: simulator.baseUrl,
    start_date: instant(simulator.data.startMs),
    ...changes,
  };
}

export interface CatalogOptions {
  readonly mode?: 'full_refresh' | 'incremental';
  readonly namespace?: string;
  /** Column selection: the only properties left in the streams' schemas. */
  readonly fields?: readonly string[];
  readonly destination?: string;
}

export interface ConfiguredCatalog {
  readonly streams: readonly { readonly stream: { readonly name: string; readonly namespace?: string } }[];
}

/** A configured catalog as the platform writes it, for these streams. */
export function catalogOf(names: readonly string[], options: CatalogOptions = {}): ConfiguredCatalog {
  const { mode = 'incremental', namespace, fields, destination = 'append' } = options;
  return {
    streams: names.map((name) => {
      const schema = schemaOf(name);
      const kept = Object.entries(schema.properties).filter(
        ([field]) => fields === undefined || fields.includes(field),
      );
      return {
        stream: {
          name,
          ...(namespace === undefined ? {} : { namespace }),
          json_schema: { ...schema, properties: Object.fromEntries(kept) },
          supported_sync_modes: ['full_refresh', 'incremental'],
        },
        sync_mode: mode,
        destination_sync_mode: destination,
      };
    }),
  };
}

/** The content of a state file: `stateOf({ events: { server_upload_time: '20240101T05' } })`. */
export function stateOf(states: Readonly<Record<string, unknown>>): unknown[] {
  return Object.entries(states).map(([name, stream_state]) => ({
    type: 'STREAM',
    stream: { stream_descriptor: { name }, stream_state },
  }));
}

/** `2024-03-01T00:00:00Z`: the form of dates in a configuration. */
export function instant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** `2024-03-01` */
export function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** `20240301T05`: the hour so many hours after another. */
export function hourAfter(hour: string, hours: number): string {
  return formatHour(hourMs(hour) + hours * HOUR_MS);
}

export function hourMs(hour: string): number {
  return Date.parse(`${hour.slice(0, 4)}-${hour.slice(4, 6)}-${hour.slice(6, 8)}T${hour.slice(9)}:00:00Z`);
}

/** Hours between two, both included. */
export function hoursFrom(first: string, last: string): string[] {
  const count = (hourMs(last) - hourMs(first)) / HOUR_MS + 1;
  return Array.from({ length: count }, (_, index) => hourAfter(first, index));
}

/** `20240301T05`, so many whole hours before this one. */
export function hoursAgo(hours: number): string {
  return formatHour(Math.floor(Date.now() / HOUR_MS) * HOUR_MS - hours * HOUR_MS);
}
