/** First and last hour (since the epoch), both included, as Amplitude's export takes them. */
export interface HourWindow {
  readonly first: number;
  readonly last: number;
}

/** Empty stretches are crossed in windows of up to 30 days; a year of nothing then costs 18 requests. */
const LARGEST_EMPTY_STRETCH = 720;
/** Windows that must succeed before a larger size is tried again; doubled each time that fails. */
const FIRST_PATIENCE = 4;
const LARGEST_PATIENCE = 64;

/**
 * Cuts a range of hours into export windows: each hour is answered exactly once, in order. The size is halved when
 * Amplitude says that a window is too large, remembered, and grown back with growing patience.
 */
export class WindowPlanner {
  private cursor: number;
  private size: number;
  private patience = FIRST_PATIENCE;
  private successes = 0;
  private emptyRun = 0;
  private bytesPerHour = 0;
  /** The present size is a try that no answer has confirmed yet. */
  private untried = false;
  /** Times that a larger size was tried; each can cost a request in vain. */
  private tries = 0;

  /**
   * @param range All hours to read.
   * @param largest Largest window in hours (`request_time_range`).
   */
  constructor(
    private readonly range: HourWindow,
    private readonly largest: number,
  ) {
    this.cursor = range.first;
    this.size = largest;
  }

  /**
   * The next window to ask for, or undefined when every hour was answered.
   * @param budgetBytes Room for one archive; windows that would outgrow it by the last sizes seen are made smaller.
   */
  next(budgetBytes = Infinity): HourWindow | undefined {
    if (this.cursor > this.range.last) return undefined;
    let size = this.size;
    if (this.emptyRun > 1 && this.mayTryLarger())
      size = Math.max(size, Math.min(size * 2 ** (this.emptyRun - 1), LARGEST_EMPTY_STRETCH));
    if (this.bytesPerHour > 0)
      size = Math.min(size, Math.max(1, Math.floor(budgetBytes / this.bytesPerHour)));
    return { first: this.cursor, last: Math.min(this.cursor + size - 1, this.range.last) };
  }

  /** The window was answered. @param bytes Size of its archive, 0 for an empty window. */
  answered(window: HourWindow, bytes: number): void {
    const hours = window.last - window.first + 1;
    this.cursor = window.last + 1;
    if (bytes === 0) {
      this.emptyRun += 1;
      return;
    }
    this.emptyRun = 0;
    this.bytesPerHour = Math.max(bytes / hours, this.bytesPerHour / 2);
    if (hours >= this.size) this.growBack();
  }

  /** Amplitude could not serve the window. @returns false when it cannot be made smaller. */
  tooLarge(window: HourWindow): boolean {
    const hours = window.last - window.first + 1;
    if (hours === 1) return false;
    const wasGrown = this.emptyRun > 1 && hours > this.size;
    this.emptyRun = wasGrown ? 1 : 0;
    if (wasGrown) this.tries += 1;
    else {
      this.size = Math.max(1, Math.floor(hours / 2));
      if (this.untried) this.patience = Math.min(this.patience * 2, LARGEST_PATIENCE);
    }
    this.untried = false;
    this.successes = 0;
    return true;
  }

  private growBack(): void {
    this.successes += 1;
    this.untried = false;
    if (this.size >= this.largest || this.successes < this.patience || !this.mayTryLarger()) return;
    this.tries += 1;
    this.size = Math.min(this.size * 2, this.largest);
    this.successes = 0;
    this.untried = true;
  }

  /**
   * At most one try per largest window of hours answered, however the load varies: 30 days whose every third hour fills a
   * request by itself cost 123 requests in vain without this, and 18 with it.
   */
  private mayTryLarger(): boolean {
    return this.tries * this.largest <= this.cursor - this.range.first;
  }
}
