import { HOUR_MS, formatHour, parseHour } from './hours';

/** One request as the simulator saw it. Times are real (Date.now()), not those of the simulated clock. */
export interface LoggedRequest {
  /** From 1, in order of arrival. */
  readonly id: number;
  readonly method: string;
  /** Without the path prefix and the query. */
  readonly path: string;
  /** The last value of each parameter. */
  readonly query: Readonly<Record<string, string>>;
  /** With the question mark, as it came. */
  readonly search: string;
  readonly userAgent: string | null;
  /** Whether an Authorization header came with it; its content is never kept. */
  readonly authPresent: boolean;
  readonly startedAtMs: number;
  /** Null while it is being answered. */
  endedAtMs: number | null;
  /** 0 when the connection was cut before a status line was sent, and while there is no answer yet. */
  status: number;
  /** By the documented formula, whether it was charged or not; 0 outside the dashboard endpoints. */
  cost: number;
  /** False for a request that was answered 429, or failed by a fault before it was looked at. */
  charged: boolean;
  /** Bytes of the body that were given to the socket. */
  bytesSent: number;
  /** This one included, over all endpoints. */
  readonly inFlightAtStart: number;
  /** True when the connection closed before the answer was complete, whoever closed it. */
  aborted: boolean;
  /** Name of the fault that was injected, if any. */
  fault: string | null;
}

/** An export request and the hours that it asked for. */
export interface LoggedExport extends LoggedRequest {
  /** `YYYYMMDDTHH`, both inclusive. */
  readonly startHour: string;
  readonly endHour: string;
  readonly hours: number;
}

/** Every request since the start or the last reset, control endpoints excepted. */
export class RequestLog {
  readonly entries: LoggedRequest[] = [];
  #lastId = 0;

  add(entry: Omit<LoggedRequest, 'id'>): LoggedRequest {
    this.#lastId += 1;
    const logged = { id: this.#lastId, ...entry };
    this.entries.push(logged);
    return logged;
  }

  clear(): void {
    this.entries.length = 0;
  }

  /** Requests with this path, in order of arrival. */
  to(path: string): LoggedRequest[] {
    return this.entries.filter((entry) => entry.path === path);
  }

  /** The most requests that were in flight at once, refused ones included. */
  get maxInFlight(): number {
    return this.entries.reduce((most, entry) => Math.max(most, entry.inFlightAtStart), 0);
  }

  /**
   * The highest sum of costs that arrived within any `windowMs`. `asked` counts every request, those that were refused or made to fail
   * included; `charged` only those that Amplitude would book.
   */
  maxCostInWindow(windowMs: number, which: 'asked' | 'charged' = 'asked'): number {
    const costly = this.entries.filter((entry) => entry.cost > 0 && (which === 'asked' || entry.charged));
    let first = 0;
    let sum = 0;
    let most = 0;
    for (const entry of costly) {
      sum += entry.cost;
      for (; ; first += 1) {
        const oldest = costly[first];
        if (oldest === undefined || oldest.startedAtMs > entry.startedAtMs - windowMs) break;
        sum -= oldest.cost;
      }
      most = Math.max(most, sum);
    }
    return most;
  }

  /** Export requests whose hours can be read; malformed ones are left out. */
  exportRequests(): LoggedExport[] {
    return this.to('/api/2/export').flatMap((entry) => {
      const { start = '', end = '' } = entry.query;
      const first = parseHour(start);
      const last = parseHour(end);
      if (first === undefined || last === undefined) return [];
      return [{ ...entry, startHour: start, endHour: end, hours: (last - first) / HOUR_MS + 1 }];
    });
  }

  /** How often each hour was answered in full (200 without a fault, or 404), by `YYYYMMDDTHH`. */
  hoursAnswered(): Map<string, number> {
    const times = new Map<string, number>();
    for (const request of this.exportRequests()) {
      if ((request.status !== 200 && request.status !== 404) || request.fault !== null || request.aborted)
        continue;
      const first = parseHour(request.startHour) ?? 0;
      for (let i = 0; i < request.hours; i += 1) {
        const hour = formatHour(first + i * HOUR_MS);
        times.set(hour, (times.get(hour) ?? 0) + 1);
      }
    }
    return times;
  }
}
