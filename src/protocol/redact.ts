const REPLACEMENT = '****';

/** From this length on (code points) a secret is replaced wherever it occurs; a shorter one only as a whole token. */
const LONG_SECRET = 4;

/** What must not stand beside a short secret whose own edge is punctuation: anything but these delimiters. */
const NOT_A_DELIMITER = '[^\\s"\'\\x60()\\[\\]{}<>,;:=&]';
const WORD_CHARACTER = '[\\p{L}\\p{N}_]';

const HTML_ENTITIES: Readonly<Record<string, string>> = {
  '&': 'amp',
  '<': 'lt',
  '>': 'gt',
  '"': 'quot',
  "'": 'apos',
};
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
  '\b': 'b',
  '\f': 'f',
};

/**
 * Makes a function that replaces every secret in a text by `****`.
 *
 * Found in every form that a server, a library or a log echoes: as it is; with any mixture of JSON escapes (also of a JSON
 * text inside a JSON text, and `\uXXXX`), percent-encoding (also twice, and `+` for a space) and HTML entities; and as
 * base64, standard or URL-safe, with or without padding. For basic authentication pass `user:password` as a secret of its own.
 * Secrets that overlap in the text are replaced together, so that none leaves a rest of itself behind.
 *
 * A secret of one to three characters is replaced where it stands as a whole token (`key "a1" is invalid`) and left inside
 * words and numbers: replacing each letter `a` would make every log unreadable and, by the holes, spell the secret out.
 * Our own messages never contain a configured secret, so this matters only for text that the other side sent.
 *
 * For LOG, TRACE and CONNECTION_STATUS texts before they become JSON; records and states are never touched.
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const units = new Map(secrets.flatMap(patternsOf).map((pattern) => [pattern.join(''), pattern]));
  const patterns = [...units.values()].map((pattern) => new LazyPattern(pattern));
  if (patterns.length === 0) return (text) => text;
  return (text) => replaceSpans(text, patterns);
}

/** Units of a pattern that are searched for first. */
const START_UNITS = 4;

/**
 * The pattern of a whole key takes V8 25 ms to compile, and hardly any text holds as much as its start: the whole is
 * compiled for a text that does.
 */
class LazyPattern {
  private readonly start: RegExp;
  private whole: RegExp | undefined;

  /** @param units Sources of regular expressions, one behind the other the pattern. */
  constructor(private readonly units: readonly string[]) {
    this.start = new RegExp(units.slice(0, START_UNITS).join(''), 'u');
  }

  findSpans(text: string): Span[] {
    if (!this.start.test(text)) return [];
    this.whole ??= new RegExp(this.units.join(''), 'gu');
    return findSpans(text, this.whole);
  }
}

interface Span {
  start: number;
  end: number;
}

function replaceSpans(text: string, patterns: readonly LazyPattern[]): string {
  const spans = patterns.flatMap((pattern) => pattern.findSpans(text)).sort((a, b) => a.start - b.start);
  let result = '';
  let position = 0;
  let open: Span | undefined;
  for (const span of spans) {
    if (open !== undefined && span.start <= open.end) {
      open.end = Math.max(open.end, span.end);
      continue;
    }
    if (open !== undefined) {
      result += text.slice(position, open.start) + REPLACEMENT;
      position = open.end;
    }
    open = span;
  }
  if (open === undefined) return text;
  return result + text.slice(position, open.start) + REPLACEMENT + text.slice(open.end);
}

/** Every match, also those that begin inside another one: of `aba` in `ababa` the second must not survive as `ba`. */
function findSpans(text: string, pattern: RegExp): Span[] {
  const spans: Span[] = [];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    spans.push({ start: match.index, end: match.index + match[0].length });
    // By code point: a unicode pattern that starts inside a surrogate pair steps back and would match for ever.
    pattern.lastIndex = match.index + String.fromCodePoint(text.codePointAt(match.index) ?? 0).length;
  }
  return spans;
}

/** Each as its units, which are one behind the other the source of a regular expression. */
function patternsOf(secret: string): string[][] {
  const forms = new Set([secret, secret.trim()].filter((form) => form.trim() !== ''));
  return [...forms].flatMap((form) => {
    const encoded = new Set(
      (['utf8', 'latin1'] as const).map((encoding) => Buffer.from(form, encoding).toString('base64')),
    );
    return [plainPattern(form), ...[...encoded].map(base64Pattern)];
  });
}

function plainPattern(secret: string): string[] {
  // A run of backslashes is one unit: each level of escaping doubles it.
  const units = (secret.match(/\\+|[^\\]/gsu) ?? []).map((unit) =>
    unit.startsWith('\\') ? backslashPattern(unit.length) : characterPattern(unit),
  );
  return [...secret].length < LONG_SECRET ? asToken(units, secret) : units;
}

function base64Pattern(encoded: string): string[] {
  const core = encoded.replace(/=+$/, '');
  const units = [...core].map((character) => {
    if (character === '+') return either(characterPattern('+'), characterPattern('-'));
    if (character === '/') return either(characterPattern('/'), characterPattern('_'));
    return characterPattern(character);
  });
  const padded = [...units, `(?:${characterPattern('=')}){0,2}`];
  return core.length < LONG_SECRET ? asToken(padded, core) : padded;
}

function asToken(units: readonly string[], secret: string): string[] {
  const isWord = (character: string | undefined): boolean =>
    new RegExp(`^${WORD_CHARACTER}$`, 'u').test(character ?? '');
  const characters = [...secret];
  const before = isWord(characters.at(0)) ? WORD_CHARACTER : NOT_A_DELIMITER;
  const after = isWord(characters.at(-1)) ? WORD_CHARACTER : NOT_A_DELIMITER;
  return [`(?<!${before})`, ...units, `(?!${after})`];
}

/** Up to three levels of JSON inside JSON; bounded, because an unbounded run makes the search quadratic. */
function backslashPattern(count: number): string {
  // The escape first: its own backslashes would satisfy the run and leave `u005c` behind.
  return either(
    `(?:\\\\{1,8}u005[cC]){${String(count)}}`,
    `(?:${percentPattern('\\')}){${String(count)}}`,
    `\\\\{${String(count)},${String(count * 8)}}`,
  );
}

function characterPattern(character: string): string {
  const codePoint = character.codePointAt(0) ?? 0;
  const literal = `\\u{${codePoint.toString(16)}}`;
  const isPunctuation = /[!-/:-@[-`{-~]/.test(character);
  const forms = [isPunctuation ? `\\\\{0,8}${literal}` : literal, percentPattern(character)];
  const units = [...Array(character.length).keys()].map((index) => hex(character.charCodeAt(index), 4));
  forms.push(units.map((unit) => `\\\\{1,8}u${unit}`).join(''));
  if (codePoint < 0x100) forms.push(`\\\\{1,8}x${hex(codePoint, 2)}`);
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) forms.push(`\\\\{1,8}${short}`);
  if (character === ' ') forms.push('\\+');
  if (isPunctuation) forms.push(`&#(?:0?${String(codePoint)}|[xX]0{0,2}${hex(codePoint, 2)});`);
  const entity = HTML_ENTITIES[character];
  if (entity !== undefined) forms.push(`&${entity};`);
  return either(...forms);
}

function percentPattern(character: string): string {
  return [...Buffer.from(character, 'utf8')].map((byte) => `%(?:25){0,3}${hex(byte, 2)}`).join('');
}

/** Hexadecimal digits in either case. */
function hex(value: number, digits: number): string {
  return value
    .toString(16)
    .padStart(digits, '0')
    .replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

function either(...forms: readonly string[]): string {
  return `(?:${forms.join('|')})`;
}
