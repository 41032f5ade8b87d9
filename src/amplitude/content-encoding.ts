/** How the body of an answer is encoded as a whole. */
export interface ContentEncoding {
  readonly kind: 'plain' | 'gzip' | 'unknown';
  /** As the answer has it. */
  readonly name: string;
}

/** The one encoding that is decoded, and so the only one that is asked for: axios alone would ask for four. */
export const ACCEPTED_ENCODING = 'gzip';

const KINDS: Readonly<Record<string, ContentEncoding['kind']>> = {
  '': 'plain',
  identity: 'plain',
  gzip: 'gzip',
  'x-gzip': 'gzip',
};

export function encodingOf(headers: Readonly<Record<string, unknown>>): ContentEncoding {
  const header = headers['content-encoding'];
  const name = typeof header === 'string' ? header.trim() : '';
  const kind = Object.entries(KINDS).find(([known]) => known === name.toLowerCase())?.[1];
  return { kind: kind ?? 'unknown', name };
}
