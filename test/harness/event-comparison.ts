import type { TrueEvent } from '../../simulator/data-set';
import type { AirbyteOutput } from './airbyte-output';
import { dataOf, expectedEvent } from './expected-event';
import { entryOf, findDifference } from './lossless-json';

/** Lines of stdout that are RECORDs of a stream, as they were printed. */
export function recordLines(output: AirbyteOutput, stream: string): string[] {
  const start = `{"type":"RECORD","record":{"stream":${JSON.stringify(stream)}`;
  return output.stdout.split('\n').filter((line) => line.startsWith(start));
}

/**
 * What is wrong with the events of a read: events that are missing, too many or out of hour order, and events whose data
 * are not those of the archive's line to the last digit. Empty when the read was exact.
 */
export function findEventErrors(output: AirbyteOutput, truth: Iterable<TrueEvent>): string[] {
  const expected = new Map([...truth].map((event) => [event.uuid, event]));
  const seen = new Set<string>();
  const errors: string[] = [];
  let latestHour = '';
  for (const line of recordLines(output, 'events')) {
    const data = dataOf(line);
    const uuid = entryOf(data, 'uuid');
    const id = uuid.kind === 'string' ? uuid.value : JSON.stringify(uuid);
    const event = expected.get(id);
    if (event === undefined) {
      errors.push(`${id} is not in the archives`);
      continue;
    }
    if (seen.has(id)) errors.push(`${id} came twice`);
    seen.add(id);
    if (event.hour < latestHour) errors.push(`${id} of ${event.hour} came after ${latestHour}`);
    latestHour = event.hour;
    const difference = findDifference(expectedEvent(event.line), data);
    if (difference !== undefined) errors.push(`${id} ${difference}`);
  }
  for (const id of expected.keys()) if (!seen.has(id)) errors.push(`${id} is missing`);
  return errors;
}
