import { isDeepStrictEqual } from 'node:util';
import type { TrueEvent } from '../../simulator/data-set';
import type { OutputRecord } from '../harness/airbyte-output';
import { expectedData } from '../harness/expected-event';

export interface Comparison {
  /** `uuid`s of the truth that no record has. */
  readonly missing: readonly string[];
  /** Of records that the truth does not have. */
  readonly unknown: readonly string[];
  /** Of records whose fields differ from the truth. */
  readonly changed: readonly string[];
  /** How many records more than one each of these had, with the hour of the event. */
  readonly repeated: readonly { readonly uuid: string; readonly hour: string; readonly times: number }[];
}

export const EXACT: Comparison = { missing: [], unknown: [], changed: [], repeated: [] };

/** Compares the records of `events` with what the export holds, value by value, timestamps included. */
export function compareEvents(records: readonly OutputRecord[], truth: Iterable<TrueEvent>): Comparison {
  const events = new Map([...truth].map((event) => [event.uuid, event]));
  const seen = new Map<string, number>();
  const unknown: string[] = [];
  const changed: string[] = [];
  for (const { data } of records) {
    const uuid = String(data['uuid']);
    const event = events.get(uuid);
    if (event === undefined) unknown.push(uuid);
    else if (!isDeepStrictEqual(data, expectedData(event.line))) changed.push(uuid);
    seen.set(uuid, (seen.get(uuid) ?? 0) + 1);
  }
  return {
    missing: [...events.keys()].filter((uuid) => !seen.has(uuid)),
    unknown,
    changed,
    repeated: [...seen].flatMap(([uuid, times]) =>
      times > 1 && events.has(uuid) ? [{ uuid, hour: events.get(uuid)!.hour, times: times - 1 }] : [],
    ),
  };
}
