import type { ArchiveMutation } from './archive-mutations';
import { checkFault } from './fault-check';
import { HOUR_MS, parseHour } from './hours';
import { mix } from './random';
import type { ZipFlavour } from './zip-writer';

const EXPORT_PATH = '/api/2/export';

/** What a fault can look at. */
export interface FaultRequest {
  readonly method: string;
  /** Without the path prefix. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** How often exactly this path and query were asked before, from 0. */
  readonly attempt: number;
  /** Hours of an export request's window; 0 for others and for windows that cannot be read. */
  readonly hours: number;
}

export interface FaultMatch {
  /** Exact path (without the prefix), or one with a `*` at its end. Default: every path. */
  readonly path?: string;
  /** Parameters that must have these values. */
  readonly query?: Readonly<Record<string, string>>;
  /** Only export windows of at least / at most so many hours. */
  readonly minHours?: number;
  readonly maxHours?: number;
  readonly when?: (request: FaultRequest) => boolean;
  /** Starts with the nth request that fits, from 1; without `times` it hits that one only. */
  readonly nth?: number;
  /** Hits at most so many requests. Without `nth` and `times` it hits every request that fits. */
  readonly times?: number;
}

/** `afterBytes` counts bytes of the body, a negative one from its end; by default half of it. */
export type FaultAction =
  /** Cuts the connection and refuses new ones for so long (default 0: only this connection is cut, at once). */
  | { readonly kind: 'refuse'; readonly ms?: number }
  /** TCP reset (or, `gracefully`, a FIN). `mid-headers` sends half a status line first. */
  | {
      readonly kind: 'reset';
      readonly at: 'before-headers' | 'mid-headers' | 'mid-body';
      readonly afterBytes?: number;
      readonly gracefully?: boolean;
    }
  /** Goes silent for so long (default: until the client leaves), then goes on as usual. */
  | {
      readonly kind: 'stall';
      readonly at: 'before-headers' | 'mid-body';
      readonly afterBytes?: number;
      readonly ms?: number;
    }
  /** The body arrives in portions of so many bytes. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly everyMs: number }
  /** Content-Length of the whole, but the connection is closed in good order after fewer bytes. */
  | { readonly kind: 'short-body'; readonly afterBytes?: number }
  /** Chunked instead of Content-Length; `cut` closes before the last chunk. */
  | { readonly kind: 'chunked'; readonly cut?: boolean; readonly afterBytes?: number }
  /** Content-Encoding: gzip over the whole body; `cut` ends it early under a matching Content-Length. */
  | { readonly kind: 'gzip-encoding'; readonly cut?: boolean }
  /** Answers this instead. A header `@date+2` becomes the HTTP date two seconds after the answer. */
  | {
      readonly kind: 'reply';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly bodyBase64?: string;
    }
  /** The right answer under other headers or another status. */
  | {
      readonly kind: 'relabel';
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /**
   * `storage`: to a one-time URL of the storage server that has the right answer, or (`then`) what becomes of it there. `loop`: to
   * the same URL. Otherwise a URL.
   */
  | {
      readonly kind: 'redirect';
      readonly to: string;
      readonly status?: 301 | 302 | 303 | 307 | 308;
      readonly then?: FaultAction;
    }
  /** A JSON answer that is damaged. */
  | {
      readonly kind: 'json';
      readonly edit: 'cut' | 'no-wrapper' | 'null' | 'array' | 'string' | 'wrong-types';
    }
  /** An archive that is damaged, or unusual but right. */
  | {
      readonly kind: 'archive';
      readonly mutations?: readonly ArchiveMutation[];
      readonly flavour?: Partial<ZipFlavour>;
    };

/** A registered fault. */
export interface FaultHandle {
  /** Requests hit so far. */
  readonly hits: number;
  remove(): void;
}

/** Random faults, the same for the same seed whatever the order in which requests arrive. */
export interface ChaosOptions {
  readonly seed: number;
  /** Share of requests that fail, 0 to 1; a function makes some fail more often than others. */
  readonly rate: number | ((request: FaultRequest) => number);
  /** Names and actions to draw from; `for` keeps one to the answers that it can change. Default: any. */
  readonly actions: readonly (ChosenFault & { readonly for?: 'any' | 'json' | 'export' })[];
  readonly match?: FaultMatch;
  /** Never fails one path and query more often than this in a row. Default 3. */
  readonly maxConsecutive?: number;
}

export interface ChosenFault {
  readonly name: string;
  readonly action: FaultAction;
}

interface Registered extends ChosenFault {
  readonly match: FaultMatch;
  seen: number;
  hits: number;
}

function fits(match: FaultMatch, request: FaultRequest): boolean {
  const { path, query, minHours, maxHours, when } = match;
  if (path !== undefined) {
    const same = path.endsWith('*') ? request.path.startsWith(path.slice(0, -1)) : request.path === path;
    if (!same) return false;
  }
  if (query !== undefined && Object.entries(query).some(([key, value]) => request.query[key] !== value))
    return false;
  if (minHours !== undefined && request.hours < minHours) return false;
  if (maxHours !== undefined && (request.hours === 0 || request.hours > maxHours)) return false;
  return when === undefined || when(request);
}

/** Hours of an export window, 0 when it has none that can be read. */
export function windowHours(query: Readonly<Record<string, string>>): number {
  const start = parseHour(query.start ?? '');
  const end = parseHour(query.end ?? '');
  return start === undefined || end === undefined ? 0 : Math.max(0, (end - start) / HOUR_MS + 1);
}

/** Decides which request is made to fail, and how. */
export class FaultList {
  /** Faults injected since the start or the last clear, chaos included. */
  injected = 0;
  /** How often each was injected, by name. */
  readonly byName = new Map<string, number>();
  #registered: Registered[] = [];
  #chaos: ChaosOptions | undefined;
  readonly #inARow = new Map<string, number>();
  readonly #asked = new Map<string, number>();

  /** Throws a RangeError on what is no fault. */
  add(name: string, match: FaultMatch, action: FaultAction): FaultHandle {
    checkFault(match, action);
    const fault: Registered = { name, match, action, seen: 0, hits: 0 };
    this.#registered.push(fault);
    return {
      get hits() {
        return fault.hits;
      },
      remove: () => {
        this.#registered = this.#registered.filter((one) => one !== fault);
      },
    };
  }

  setChaos(chaos: ChaosOptions | undefined): void {
    this.#chaos = chaos;
  }

  clear(): void {
    this.#registered = [];
    this.#chaos = undefined;
    this.#inARow.clear();
    this.#asked.clear();
    this.byName.clear();
    this.injected = 0;
  }

  /** The fault for this request: the first registered one that fits and is not used up, otherwise what chaos draws. */
  choose(seen: Omit<FaultRequest, 'attempt' | 'hours'>): ChosenFault | undefined {
    const key = `${seen.path}?${new URLSearchParams(seen.query).toString()}`;
    const attempt = this.#asked.get(key) ?? 0;
    this.#asked.set(key, attempt + 1);
    const request = { ...seen, attempt, hours: windowHours(seen.query) };
    const chosen = this.#registeredFor(request) ?? this.#drawn(request, key);
    if (chosen !== undefined) {
      this.injected += 1;
      this.byName.set(chosen.name, (this.byName.get(chosen.name) ?? 0) + 1);
    }
    return chosen;
  }

  #registeredFor(request: FaultRequest): ChosenFault | undefined {
    let chosen: Registered | undefined;
    for (const fault of this.#registered) {
      if (!fits(fault.match, request)) continue;
      // Every fault counts what it could have hit, also when an earlier one in the list takes the request.
      fault.seen += 1;
      const first = fault.match.nth ?? 1;
      const times = fault.match.times ?? (fault.match.nth === undefined ? Infinity : 1);
      if (chosen === undefined && fault.seen >= first && fault.hits < times) chosen = fault;
    }
    if (chosen !== undefined) chosen.hits += 1;
    return chosen;
  }

  #drawn(request: FaultRequest, key: string): ChosenFault | undefined {
    const chaos = this.#chaos;
    if (chaos === undefined || !fits(chaos.match ?? {}, request)) return undefined;
    const inARow = this.#inARow.get(key) ?? 0;
    const draw = mix(chaos.seed, key, request.attempt, 'hit') / 2 ** 32;
    const rate = typeof chaos.rate === 'function' ? chaos.rate(request) : chaos.rate;
    if (draw >= rate || inARow >= (chaos.maxConsecutive ?? 3)) {
      this.#inARow.delete(key);
      return undefined;
    }
    const kind = request.path === EXPORT_PATH ? 'export' : 'json';
    const actions = chaos.actions.filter((one) => [undefined, 'any', kind].includes(one.for));
    if (actions.length === 0) return undefined;
    this.#inARow.set(key, inARow + 1);
    return actions[mix(chaos.seed, key, request.attempt, 'which') % actions.length];
  }
}
