/**
 * JSON without loss: numbers keep their text, objects their order and repeated keys. Strings are decoded, because
 * `"é"` and `"\u00e9"` are one value.
 */
export type LosslessJson =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'array'; readonly items: readonly LosslessJson[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, LosslessJson])[] };

/** Throws a SyntaxError on anything but one JSON value. */
export function parseLossless(text: string): LosslessJson {
  return new Parser(text).parse();
}

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  parse(): LosslessJson {
    const value = this.value();
    this.space();
    if (this.at !== this.text.length) throw this.unexpected();
    return value;
  }

  private value(): LosslessJson {
    this.space();
    const start = this.text[this.at];
    if (start === '{') return { kind: 'object', entries: this.list('{', '}', () => this.entry()) };
    if (start === '[') return { kind: 'array', items: this.list('[', ']', () => this.value()) };
    if (start === '"') return { kind: 'string', value: this.string() };
    const literal = this.match(/null|true|false/y);
    if (literal === 'null') return { kind: 'null' };
    if (literal !== undefined) return { kind: 'boolean', value: literal === 'true' };
    const number = this.match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    if (number === undefined) throw this.unexpected();
    return { kind: 'number', text: number };
  }

  private list<Item>(open: string, close: string, item: () => Item): Item[] {
    this.expect(open);
    const items: Item[] = [];
    this.space();
    if (this.text[this.at] === close) {
      this.at += 1;
      return items;
    }
    for (;;) {
      items.push(item());
      this.space();
      if (this.text[this.at] === close) break;
      this.expect(',');
    }
    this.at += 1;
    return items;
  }

  private entry(): readonly [string, LosslessJson] {
    this.space();
    const key = this.string();
    this.space();
    this.expect(':');
    return [key, this.value()];
  }

  private string(): string {
    const token = this.match(/"(?:[^"\\]|\\.)*"/y);
    if (token === undefined) throw this.unexpected();
    return JSON.parse(token) as string;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private space(): void {
    this.match(/[ \t\r\n]*/y);
  }

  private expect(character: string): void {
    if (this.text[this.at] !== character) throw this.unexpected();
    this.at += 1;
  }

  private unexpected(): SyntaxError {
    return new SyntaxError(
      `unexpected text at ${String(this.at)}: ${this.text.slice(this.at, this.at + 20)}`,
    );
  }
}

/** The first entry of a key. Throws when the value is no object or has no such key. */
export function entryOf(json: LosslessJson, key: string): LosslessJson {
  const found = json.kind === 'object' ? json.entries.find(([name]) => name === key) : undefined;
  if (found === undefined) throw new RangeError(`there is no ${key}`);
  return found[1];
}

/** Where two values differ first and how, or undefined when they are equal to the last digit. */
export function findDifference(expected: LosslessJson, actual: LosslessJson, path = '$'): string | undefined {
  if (expected.kind === 'object' && actual.kind === 'object') {
    const keys = expected.entries.map(([key]) => key);
    const others = actual.entries.map(([key]) => key);
    if (keys.length !== others.length || keys.some((key, index) => key !== others[index])) {
      return `${path}: keys ${JSON.stringify(keys)} became ${JSON.stringify(others)}`;
    }
    return first(expected.entries.length, (index) =>
      findDifference(expected.entries[index]![1], actual.entries[index]![1], `${path}.${keys[index] ?? ''}`),
    );
  }
  if (expected.kind === 'array' && actual.kind === 'array') {
    if (expected.items.length !== actual.items.length) return `${path}: another length`;
    return first(expected.items.length, (index) =>
      findDifference(expected.items[index]!, actual.items[index]!, `${path}[${String(index)}]`),
    );
  }
  const [before, after] = [JSON.stringify(expected), JSON.stringify(actual)];
  return before === after ? undefined : `${path}: ${before} became ${after}`;
}

function first(count: number, find: (index: number) => string | undefined): string | undefined {
  for (let index = 0; index < count; index += 1) {
    const found = find(index);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The value as Python's validators see it, for schema checks in JavaScript: a number that is written with a point or an
 * exponent is a float to them even when it is whole, so it is made a fraction here.
 */
export function toStrictPlain(json: LosslessJson): unknown {
  switch (json.kind) {
    case 'null':
      return null;
    case 'number': {
      const value = Number(json.text);
      return /^-?\d+$/.test(json.text) || !Number.isInteger(value)
        ? value
        : Math.trunc(value % 2 ** 40) + 0.5;
    }
    case 'array':
      return json.items.map(toStrictPlain);
    case 'object':
      return Object.fromEntries(json.entries.map(([key, value]) => [key, toStrictPlain(value)]));
    default:
      return json.value;
  }
}
