import type { DayArchive } from './archives';
import type { ContainerRuns } from './container';
import type { Contestant } from './contestants';
import type { Equality } from './equality';
import type { Measurement } from './measure';
import type { StartUp } from './start-up';

/** All rounds of one contestant on one archive. */
export interface ContestantRuns {
  readonly contestant: Contestant;
  readonly runs: readonly Measurement[];
  /** Requests per run. */
  readonly requests: number;
}

export interface SizeResults {
  readonly day: DayArchive;
  readonly contestants: readonly ContestantRuns[];
}

export interface Results {
  readonly date: Date;
  readonly rounds: number;
  /** Smallest first. */
  readonly sizes: readonly SizeResults[];
  /** Of the smallest and the largest size when an image was given, otherwise none. */
  readonly containers: readonly ContainerRuns[];
  readonly startUp: readonly StartUp[];
  readonly startUpRounds: number;
  /** Against Airbyte's connector, when that was there. */
  readonly equality: Equality | undefined;
}

export function findRuns({ contestants }: SizeResults, name: string): ContestantRuns | undefined {
  return contestants.find(({ contestant }) => contestant.name === name);
}

export function walls({ runs }: ContestantRuns): number[] {
  return runs.map(({ wallSeconds }) => wallSeconds);
}
