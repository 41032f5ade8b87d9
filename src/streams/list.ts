import type { JsonRequest } from '../amplitude/json-client';
import { listUnder } from './json-shape';
import type { ReadContext, Stream } from './stream';

export interface ListEndpoint {
  readonly name: string;
  readonly primaryKey: readonly string[];
  readonly request: JsonRequest;
  /** The key of the answer that holds the list. */
  readonly key: string;
}

/** A plain stream: one request whose answer holds every record under a key. */
export function listStream({ name, primaryKey, request, key }: ListEndpoint): Stream {
  return {
    name,
    primaryKey,
    async *read(context: ReadContext) {
      const answer = await context.api.getJson(request);
      yield { kind: 'records', records: listUnder(answer, key, request.path) };
    },
  };
}
