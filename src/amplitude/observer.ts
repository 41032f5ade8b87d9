/** What a caller of the API wants to hear of its requests while they run. */
export interface ApiObserver {
  readonly signal: AbortSignal;
  readonly log: { info(message: string): void; warn(message: string): void; debug(message: string): void };
  /** A rate limit holds the request back until `untilMs` (epoch). */
  rateLimited(untilMs: number): void;
  /** The request goes on. */
  resumed(): void;
  /** Adds to a count of the run summary. */
  tally(name: string, amount: number): void;
}
