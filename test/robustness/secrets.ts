import type { AirbyteOutput } from '../harness/airbyte-output';

export interface Secrets {
  readonly apiKey: string;
  readonly secretKey: string;
}

/** Keys as no sane service makes them: what breaks a search by plain text. The matrix uses them in turn. */
export const UNUSUAL_SECRETS: readonly Secrets[] = [
  { apiKey: '0123456789abcdef0123456789abcdef', secretKey: 'fedcba9876543210fedcba9876543210' },
  { apiKey: 'quote"and\\backslash', secretKey: '\\"\\\\"tab\tnew\nline' },
  { apiKey: 'schlüssel-ключ-鍵', secretKey: '🔑🗝️-hidden' },
  { apiKey: 'a+b/c==', secretKey: 'x/y+z=&?#%41 %2F' },
  { apiKey: 'tkn-7', secretKey: 'tkn-7-and-tkn-7-more' },
  { apiKey: 'q', secretKey: 'z9' },
  { apiKey: 'zyx', secretKey: 'zyxzyx' },
  { apiKey: "<b>&amp;'`", secretKey: '${HOME}$(id);--' },
];

/** A secret of fewer characters is only recognised as a whole token; see src/protocol/redact.ts. */
const SHORT = 4;

/** The forms in which servers and libraries echo a secret. */
function formsOf(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64');
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    base64,
    base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''),
  ];
}

function allForms({ apiKey, secretKey }: Secrets): { form: string; isShort: boolean }[] {
  return [apiKey, secretKey, `${apiKey}:${secretKey}`].flatMap((secret) =>
    [...new Set(formsOf(secret))].map((form) => ({ form, isShort: [...secret].length < SHORT })),
  );
}

/** What a careless server might say: both keys in every form, each in quotation marks. */
export function leakText(secrets: Secrets): string {
  return allForms(secrets)
    .map(({ form }) => `rejected "${form}"`)
    .join(', ');
}

/**
 * The forms of the secrets that a text holds; empty when there are none.
 * @param isPacked Compressed bytes: one to three characters stand in them by chance.
 */
export function findLeaks(text: string, secrets: Secrets, isPacked = false): string[] {
  return allForms(secrets)
    .filter(({ form, isShort }) => (isShort ? !isPacked && asToken(form).test(text) : text.includes(form)))
    .map(({ form }) => form);
}

function asToken(form: string): RegExp {
  const literal = form.replace(
    /[^\p{L}\p{N}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
  return new RegExp(`(?<![\\p{L}\\p{N}_])${literal}(?![\\p{L}\\p{N}_])`, 'u');
}

/** Everything that a run said: messages as they stand and with their texts unescaped. Records and states are data, not messages. */
export function spokenText(output: AirbyteOutput): string {
  const said = output.messages.filter(({ type }) => type !== 'RECORD' && type !== 'STATE');
  const texts = said.flatMap(({ value }) => [JSON.stringify(value), ...stringsIn(value)]);
  return [...texts, ...output.unparsed, output.stderr].join('\n');
}

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}
