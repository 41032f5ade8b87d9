import type { ArchiveMutation } from './archive-mutations';
import type { FaultAction } from './faults';
import { replies, type Reply } from './reply';

/** A named fault: tests, the control endpoints and chaos use the names. */
export interface FaultPreset {
  readonly action: FaultAction;
  /** Which answers it makes sense for. */
  readonly for: 'any' | 'json' | 'export';
  /**
   * `harmless`: the answer is right, only unusual. `passing`: a client may try again. `final`: the answer says that trying again is of no use.
   */
  readonly nature: 'harmless' | 'passing' | 'final';
}

const HTML =
  '<!DOCTYPE html><html><head><title>Amplitude</title></head><body>We will be back shortly.</body></html>';

function asAction(reply: Reply, headers: Record<string, string> = {}): FaultAction {
  const body = Buffer.isBuffer(reply.body) ? reply.body.toString() : '';
  return { kind: 'reply', status: reply.status, headers: { ...reply.headers, ...headers }, body };
}

function passing(action: FaultAction, which: FaultPreset['for'] = 'any'): FaultPreset {
  return { action, for: which, nature: 'passing' };
}

function harmless(action: FaultAction, which: FaultPreset['for'] = 'any'): FaultPreset {
  return { action, for: which, nature: 'harmless' };
}

function final(action: FaultAction, which: FaultPreset['for'] = 'any'): FaultPreset {
  return { action, for: which, nature: 'final' };
}

function broken(...mutations: ArchiveMutation[]): FaultPreset {
  return passing({ kind: 'archive', mutations }, 'export');
}

function odd(...mutations: ArchiveMutation[]): FaultPreset {
  return harmless({ kind: 'archive', mutations }, 'export');
}

function page(status: number, name: string): FaultAction {
  return {
    kind: 'reply',
    status,
    headers: { 'content-type': 'text/html' },
    body: `<html><body><h1>${status} ${name}</h1></body></html>`,
  };
}

function tooMany(retryAfter?: string): FaultPreset {
  return passing(
    asAction(replies.rateLimit(150), retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
  );
}

/** Every fault that has a name. Others can be given as a FaultAction. */
export const FAULT_PRESETS: Readonly<Record<string, FaultPreset>> = {
  refuse: passing({ kind: 'refuse' }),
  'refuse-200ms': passing({ kind: 'refuse', ms: 200 }),
  'reset-before-headers': passing({ kind: 'reset', at: 'before-headers' }),
  'close-before-headers': passing({ kind: 'reset', at: 'before-headers', gracefully: true }),
  'reset-mid-headers': passing({ kind: 'reset', at: 'mid-headers' }),
  'close-mid-headers': passing({ kind: 'reset', at: 'mid-headers', gracefully: true }),
  'reset-mid-body': passing({ kind: 'reset', at: 'mid-body' }),
  'reset-first-byte': passing({ kind: 'reset', at: 'mid-body', afterBytes: 1 }),
  'stall-before-headers': passing({ kind: 'stall', at: 'before-headers' }),
  'stall-mid-body': passing({ kind: 'stall', at: 'mid-body' }),
  'slow-drip': harmless({ kind: 'drip', bytes: 512, everyMs: 2 }),
  'short-body': passing({ kind: 'short-body' }),
  'short-by-one': passing({ kind: 'short-body', afterBytes: -1 }),
  'chunked-cut': passing({ kind: 'chunked', cut: true }),
  chunked: harmless({ kind: 'chunked' }),
  'gzip-encoding': harmless({ kind: 'gzip-encoding' }),
  'gzip-encoding-cut': passing({ kind: 'gzip-encoding', cut: true }),

  'html-200': passing({ kind: 'reply', status: 200, headers: { 'content-type': 'text/html' }, body: HTML }),
  'html-200-as-zip': passing({
    kind: 'reply',
    status: 200,
    headers: { 'content-type': 'application/zip' },
    body: HTML,
  }),
  'html-200-as-json': passing({
    kind: 'reply',
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: HTML,
  }),
  'empty-200': passing({ kind: 'reply', status: 200 }),
  'no-content-204': passing({ kind: 'reply', status: 204 }),
  'rate-limit-text-200': passing({
    kind: 'reply',
    status: 200,
    headers: { 'content-type': 'text/plain' },
    body: 'Rate limit exceeded',
  }),
  'wrong-content-type': harmless({
    kind: 'relabel',
    headers: { 'content-type': 'application/octet-stream' },
  }),
  'json-cut': passing({ kind: 'json', edit: 'cut' }, 'json'),
  'json-null': passing({ kind: 'json', edit: 'null' }, 'json'),
  'json-array': passing({ kind: 'json', edit: 'array' }, 'json'),
  'json-string': passing({ kind: 'json', edit: 'string' }, 'json'),
  'json-no-wrapper': passing({ kind: 'json', edit: 'no-wrapper' }, 'json'),
  'json-wrong-types': passing({ kind: 'json', edit: 'wrong-types' }, 'json'),

  'redirect-storage': harmless({ kind: 'redirect', to: 'storage' }),
  'redirect-loop': passing({ kind: 'redirect', to: 'loop' }),
  'redirect-metadata-service': final({ kind: 'redirect', to: 'http://169.254.169.254/latest/meta-data/' }),
  'redirect-file': final({ kind: 'redirect', to: 'file:///etc/passwd' }),
  'redirect-nowhere': passing({ kind: 'redirect', to: '' }),

  'bad-request': final(asAction(replies.badChart('Invalid user property gp:plan'))),
  'too-large': final(asAction(replies.tooLarge()), 'export'),
  'too-large-text': final(asAction(replies.tooLargeText()), 'export'),
  'unauthorized-401': final(asAction(replies.noAuth())),
  'wrong-key-403': final(asAction(replies.wrongKey())),
  'no-permission-403': final(asAction(replies.noPermission())),
  'html-403': final(page(403, 'Forbidden')),
  'not-found-404': final(asAction(replies.notFound())),
  'no-raw-files-404': final(asAction(replies.noRawFiles()), 'export'),
  'timeout-408': passing(page(408, 'Request Timeout')),
  'rate-limit-429': tooMany(),
  'concurrency-429': passing(asAction(replies.concurrency(415))),
  'rate-limit-429-seconds': tooMany('1'),
  'rate-limit-429-date': tooMany('@date+2'),
  'rate-limit-429-past-date': tooMany('Thu, 01 Jan 2015 00:00:00 GMT'),
  'rate-limit-429-absurd': tooMany('99999999999999'),
  'rate-limit-429-negative': tooMany('-5'),
  'rate-limit-429-words': tooMany('soon'),
  'rate-limit-429-text': passing({
    kind: 'reply',
    status: 429,
    headers: { 'content-type': 'text/plain' },
    body: 'Too Many Requests',
  }),
  'server-error-500': passing(page(500, 'Internal Server Error')),
  'bad-gateway-502': passing(page(502, 'Bad Gateway')),
  'unavailable-503': passing(page(503, 'Service Unavailable')),
  'gateway-timeout-504': passing(asAction(replies.gatewayTimeout())),

  'archive-truncated': broken({ kind: 'truncate' }),
  'archive-without-end': broken({ kind: 'truncate', keep: 0.999 }),
  'archive-flipped-byte': broken({ kind: 'flip-zip-byte' }),
  'gzip-flipped-byte': broken({ kind: 'flip-gzip-byte' }),
  'gzip-flipped-crc': broken({ kind: 'flip-gzip-byte', at: 1 }),
  'gzip-truncated': broken({ kind: 'truncated-gzip' }),
  'archive-wrong-crc': broken({ kind: 'wrong-crc' }),
  'archive-wrong-size': broken({ kind: 'wrong-size' }),
  'member-garbage': broken({ kind: 'garbage-member' }),
  'member-trailing-garbage': broken({ kind: 'trailing-garbage', text: 'garbage' }),
  'archive-no-members': broken({ kind: 'no-members' }),
  'line-malformed': broken({ kind: 'insert-line', at: 1, text: '{"uuid":"x","event_type":' }),
  'line-not-an-object': broken({ kind: 'insert-line', at: 1, text: '[1,2,3]' }),
  'line-invalid-utf8': broken({
    kind: 'insert-line',
    at: 1,
    base64: Buffer.from('{"uuid":"\xff\xfe"}', 'latin1').toString('base64'),
  }),
  'line-20-mb-cut': broken({ kind: 'insert-line', at: 0, text: `{"uuid":"${'x'.repeat(20 << 20)}` }),

  'member-plain': odd({ kind: 'plain-member' }),
  'member-plain-renamed': odd({ kind: 'plain-member', rename: true }),
  'member-multi-gzip': odd({ kind: 'multi-member-gzip' }),
  'member-zero-padding': odd({ kind: 'trailing-garbage' }),
  'member-empty': odd({ kind: 'empty-member' }),
  'member-empty-gzip': odd({ kind: 'empty-member', gzip: true }),
  'member-foreign': odd({ kind: 'foreign-member' }),
  'names-hostile': odd({ kind: 'hostile-names', add: true }),
  // All events are there, but nothing in these names says of which hour: refusing such an archive is right too.
  'members-hostile': broken({ kind: 'hostile-names' }),
  'members-100000': odd({ kind: 'many-members' }),
  bomb: odd({ kind: 'bomb' }),
  'bomb-one-line': passing({ kind: 'archive', mutations: [{ kind: 'bomb', fill: 'one-line' }] }, 'export'),
  'archive-surrounded': broken({ kind: 'surround', before: '#!/bin/sh\nexit\n', after: '' }),
  'zip-stored': harmless({ kind: 'archive', flavour: { method: 'stored' } }, 'export'),
  'zip-stored-descriptor': harmless(
    { kind: 'archive', flavour: { method: 'stored', dataDescriptor: true } },
    'export',
  ),
  'zip-descriptor': harmless({ kind: 'archive', flavour: { dataDescriptor: true } }, 'export'),
  'zip-zip64': harmless({ kind: 'archive', flavour: { zip64: true } }, 'export'),
  'zip-zip64-descriptor': harmless(
    { kind: 'archive', flavour: { zip64: true, dataDescriptor: true } },
    'export',
  ),
  'zip-comment': harmless(
    { kind: 'archive', flavour: { comment: 'not the end: PK\u0005\u0006 nor this: PK\u0001\u0002' } },
    'export',
  ),
  'zip-directory-entry': harmless({ kind: 'archive', flavour: { directoryEntry: true } }, 'export'),
  'zip-nested-folder': harmless({ kind: 'archive', flavour: { nestedFolder: '2024/01' } }, 'export'),
  'zip-shuffled': harmless({ kind: 'archive', flavour: { order: 'shuffled' } }, 'export'),
};

/** The preset of this name; throws a RangeError when there is none. */
export function presetOf(name: string): FaultPreset {
  const preset = Object.hasOwn(FAULT_PRESETS, name) ? FAULT_PRESETS[name] : undefined;
  if (preset === undefined) throw new RangeError(`no such fault: ${name}`);
  return preset;
}
