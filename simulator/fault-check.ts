import type { ArchiveMutation } from './archive-mutations';
import type { FaultAction, FaultMatch } from './faults';

// Written as records, so that the compiler asks for a kind that is added to the types.
const ACTIONS: Readonly<Record<FaultAction['kind'], true>> = {
  refuse: true,
  reset: true,
  stall: true,
  drip: true,
  'short-body': true,
  chunked: true,
  'gzip-encoding': true,
  reply: true,
  relabel: true,
  redirect: true,
  json: true,
  archive: true,
};

const MUTATIONS: Readonly<Record<ArchiveMutation['kind'], true>> = {
  truncate: true,
  'flip-zip-byte': true,
  'flip-gzip-byte': true,
  'wrong-crc': true,
  'wrong-size': true,
  'plain-member': true,
  'garbage-member': true,
  'multi-member-gzip': true,
  'trailing-garbage': true,
  'truncated-gzip': true,
  'empty-member': true,
  'hostile-names': true,
  'foreign-member': true,
  'many-members': true,
  bomb: true,
  'insert-line': true,
  'no-members': true,
  surround: true,
};

const MATCHES: Readonly<Record<keyof FaultMatch, true>> = {
  path: true,
  query: true,
  minHours: true,
  maxHours: true,
  when: true,
  nth: true,
  times: true,
};

function requireKnown(name: unknown, known: object, what: string): void {
  if (typeof name !== 'string' || !Object.hasOwn(known, name))
    throw new RangeError(`no such ${what}: ${String(name)}`);
}

/**
 * Throws a RangeError when an action, a mutation or a condition is not of these. The control endpoint takes them from other
 * languages, which no compiler checks; an unknown one would change nothing and yet count as injected, or hit every request.
 */
export function checkFault(match: FaultMatch, action: FaultAction): void {
  for (const name of Object.keys(match)) requireKnown(name, MATCHES, 'condition of a fault');
  requireKnown(action.kind, ACTIONS, 'kind of fault');
  if (action.kind === 'archive')
    for (const { kind } of action.mutations ?? []) requireKnown(kind, MUTATIONS, 'mutation of an archive');
  if (action.kind === 'redirect' && action.then !== undefined) checkFault({}, action.then);
}
