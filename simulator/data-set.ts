import { writeEvent } from './event-line';
import { HOUR_MS, formatHour, requireHour } from './hours';
import { mix } from './random';

export interface DataSetOptions {
  /** Default 1. Equal options give equal bytes. */
  readonly seed?: number | undefined;
  /** Amplitude's number of the project; names the archive's folder. Default 310022. */
  readonly projectId?: number | undefined;
  /** First hour with data, `YYYYMMDDTHH`. */
  readonly startHour: string;
  /** Hours of data from there. Costs nothing until an hour is asked for. */
  readonly hours: number;
  /** Default 20; a function of the hour's index from 0 makes holes and peaks. */
  readonly eventsPerHour?: number | ((hourIndex: number) => number) | undefined;
  /** Default 2. An hour with fewer events than parts has fewer parts. */
  readonly partsPerHour?: number | ((hourIndex: number) => number) | undefined;
  /** Rare but legal values in the events. Default true. */
  readonly quirks?: boolean | undefined;
  /** Lines that stand before the generated ones, in part 0 of their hour; by `YYYYMMDDTHH`. They are part of the truth. */
  readonly extraLines?: Readonly<Record<string, readonly string[]>> | undefined;
  /**
   * When a part can be exported (epoch ms). Default: hour + 3 h, the documented rule. Return later times for files that show up
   * late, earlier ones for an hour that is seen half loaded.
   */
  readonly availableAt?: ((hourMs: number, part: number, parts: number) => number) | undefined;
}

/** One event that the export holds. */
export interface TrueEvent {
  /** `YYYYMMDDTHH` of its server_upload_time. */
  readonly hour: string;
  readonly hourMs: number;
  readonly part: number;
  /** The line's exact text, without a line end. */
  readonly line: string;
  /** Empty for an extra line without one. */
  readonly uuid: string;
}

/** The events of one project, by hour and part. Nothing is stored: each line is computed from the seed and its place. */
export class DataSet {
  readonly projectId: number;
  readonly seed: number;
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
  readonly #options: DataSetOptions;

  constructor(options: DataSetOptions) {
    this.projectId = options.projectId ?? 310_022;
    this.seed = options.seed ?? 1;
    this.startMs = requireHour(options.startHour);
    this.endMs = this.startMs + options.hours * HOUR_MS;
    this.#options = options;
    for (const hour of Object.keys(options.extraLines ?? {})) {
      const ms = requireHour(hour);
      if (ms < this.startMs || ms >= this.endMs)
        throw new RangeError(`extra lines outside of the data set: ${hour}`);
    }
  }

  /** Generated and extra events of the hour; 0 outside the data set. */
  countOf(hourMs: number): number {
    return this.#generated(hourMs) + this.#extra(hourMs).length;
  }

  partsOf(hourMs: number): number {
    const count = this.countOf(hourMs);
    if (count === 0) return 0;
    const wanted = this.#options.partsPerHour ?? 2;
    const parts = typeof wanted === 'function' ? wanted(this.#indexOf(hourMs)) : wanted;
    return Math.max(1, Math.min(parts, this.#generated(hourMs)));
  }

  availableAt(hourMs: number, part: number): number {
    const rule = this.#options.availableAt;
    return rule === undefined ? hourMs + 3 * HOUR_MS : rule(hourMs, part, this.partsOf(hourMs));
  }

  /** The parts of the hour that can be exported at an instant. */
  visibleParts(hourMs: number, nowMs: number): number[] {
    const parts = Array.from({ length: this.partsOf(hourMs) }, (_, part) => part);
    return parts.filter((part) => this.availableAt(hourMs, part) <= nowMs);
  }

  /** The events of one part in file order, which is not the order of their times. */
  *part(hourMs: number, part: number): Generator<TrueEvent, void, void> {
    const hour = formatHour(hourMs);
    if (part === 0) {
      for (const line of this.#extra(hourMs)) {
        yield { hour, hourMs, part, line, uuid: /"uuid" *: *"([^"]*)"/.exec(line)?.[1] ?? '' };
      }
    }
    const count = this.#generated(hourMs);
    const { projectId, seed } = this;
    const quirks = this.#options.quirks ?? true;
    for (let index = part; index < count; index += this.partsOf(hourMs)) {
      yield { hour, hourMs, part, ...writeEvent({ seed, projectId, hourMs, index, count, quirks }) };
    }
  }

  /** Everything from one hour to another, both inclusive, by default the whole set; with `nowMs` only what is visible then. */
  *truth(range: { startMs?: number; endMs?: number; nowMs?: number } = {}): Generator<TrueEvent, void, void> {
    const first = Math.max(range.startMs ?? this.startMs, this.startMs);
    const last = Math.min(range.endMs ?? this.endMs - HOUR_MS, this.endMs - HOUR_MS);
    for (let hourMs = first; hourMs <= last; hourMs += HOUR_MS) {
      for (const part of this.visibleParts(hourMs, range.nowMs ?? Infinity)) yield* this.part(hourMs, part);
    }
  }

  /** A number that differs between hours and parts, for choices that must be the same in every run. */
  chooser(hourMs: number, part: number): number {
    return mix(this.seed, hourMs / HOUR_MS, part, 'layout');
  }

  #indexOf(hourMs: number): number {
    return Math.round((hourMs - this.startMs) / HOUR_MS);
  }

  #extra(hourMs: number): readonly string[] {
    return this.#options.extraLines?.[formatHour(hourMs)] ?? [];
  }

  #generated(hourMs: number): number {
    if (hourMs < this.startMs || hourMs >= this.endMs) return 0;
    const events = this.#options.eventsPerHour ?? 20;
    return Math.max(0, Math.floor(typeof events === 'function' ? events(this.#indexOf(hourMs)) : events));
  }
}
