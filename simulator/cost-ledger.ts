import { DAY_MS, parseDay } from './hours';

export interface CostLimits {
  /** Cost that one window allows. Documented: 1,000. */
  readonly perWindow: number;
  /** Documented: 108,000. */
  readonly perHour: number;
  /** Length of the cost window; the "hour" is always 12 of them. Documented: 300,000. */
  readonly windowMs: number;
  /** `window`: cost within the last windowMs (current documentation). `in-flight`: cost of running requests (older documentation, real 429 texts). */
  readonly mode: 'window' | 'in-flight';
  /** Whether the first day counts: the documentation's examples say yes, one recorded 429 says no. */
  readonly days: 'inclusive' | 'exclusive';
}

export const DOCUMENTED_LIMITS: CostLimits = {
  perWindow: 1000,
  perHour: 108_000,
  windowMs: 300_000,
  mode: 'window',
  days: 'inclusive',
};

/** Number of conditions in one segment definition; what cannot be read counts as none. */
function conditionsIn(segment: string): number {
  try {
    const parsed: unknown = JSON.parse(segment);
    return Array.isArray(parsed) ? parsed.length : 0;
  } catch (error) {
    if (error instanceof SyntaxError) return 0;
    throw error;
  }
}

/** Cost of a dashboard request: days × conditions × type (reference: amplitude-api.md section 2.3); 0 for other endpoints. */
export function costOf(path: string, query: URLSearchParams, days: CostLimits['days']): number {
  if (path === '/api/2/events/list') return 1;
  const type = path === '/api/2/users' ? 1 : path.startsWith('/api/2/sessions/') ? 4 : 0;
  if (type === 0) return 0;
  const start = parseDay(query.get('start') ?? '');
  const end = parseDay(query.get('end') ?? '');
  if (start === undefined || end === undefined || end < start) return 0;
  const dayCount = (end - start) / DAY_MS + (days === 'inclusive' ? 1 : 0);
  const segments = query.getAll('s');
  const inside = segments.reduce((sum, segment) => sum + conditionsIn(segment), 0);
  const conditions = Math.max(1, segments.length) + inside + 4 * query.getAll('g').length;
  return dayCount * conditions * type;
}

interface Booking {
  readonly atMs: number;
  readonly cost: number;
}

/** Books costs and says when a request is over budget. */
export class CostLedger {
  readonly #bookings: Booking[] = [];
  #running = 0;

  constructor(readonly limits: CostLimits) {}

  /** True and booked, or false and not booked. `release` has to be called when a booked request ends. */
  tryBook(cost: number, nowMs: number): boolean {
    const { perWindow, perHour, windowMs, mode } = this.limits;
    const hourMs = windowMs * 12;
    while (this.#bookings[0] !== undefined && this.#bookings[0].atMs <= nowMs - hourMs)
      this.#bookings.shift();
    const spentSince = (fromMs: number): number =>
      this.#bookings.reduce((sum, booking) => (booking.atMs > fromMs ? sum + booking.cost : sum), 0);
    const spent = mode === 'window' ? spentSince(nowMs - windowMs) : this.#running;
    if (spent + cost > perWindow || spentSince(nowMs - hourMs) + cost > perHour) return false;
    this.#bookings.push({ atMs: nowMs, cost });
    this.#running += cost;
    return true;
  }

  release(cost: number): void {
    this.#running -= cost;
  }
}
