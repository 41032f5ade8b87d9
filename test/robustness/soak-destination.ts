import { isDeepStrictEqual } from 'node:util';
import type { TrueEvent } from '../../simulator/data-set';
import type { AirbyteOutput, OutputRecord, OutputState } from '../harness/airbyte-output';
import { findViolations } from '../harness/assert-protocol';
import type { ConfiguredCatalog } from '../harness/inputs';
import { compareEvents } from './event-truth';

const DAILY = ['active_users', 'new_users', 'average_session_length'];

/** What a destination keeps of many syncs: records by primary key, and the states that the next sync starts from. */
export class SoakDestination {
  syncs = 0;
  /** Syncs that ended with another exit code than 0. */
  failed = 0;
  readonly violations: string[] = [];
  /** By stream and date. */
  readonly daily = new Map<string, unknown>();
  readonly #events = new Map<string, OutputRecord>();
  /** Of events that came again with other data. */
  readonly #changed = new Set<string>();
  readonly #states = new Map<string, OutputState>();

  constructor(private readonly catalog: ConfiguredCatalog) {}

  get states(): OutputState[] {
    return [...this.#states.values()];
  }

  take(output: AirbyteOutput): void {
    this.syncs += 1;
    if (output.exitCode !== 0) this.failed += 1;
    const found = findViolations(output, this.catalog);
    this.violations.push(...found.map((violation) => `sync ${String(this.syncs)}: ${violation}`));
    for (const record of output.records('events')) this.#keepEvent(record);
    for (const stream of DAILY) {
      for (const { data } of output.records(stream))
        this.daily.set(`${stream} ${String(data['date'])}`, data);
    }
    for (const state of output.mostRecentState) this.#states.set(state.stream.stream_descriptor.name, state);
  }

  compareEvents(truth: Iterable<TrueEvent>): ReturnType<typeof compareEvents> {
    const compared = compareEvents([...this.#events.values()], truth);
    return { ...compared, changed: [...compared.changed, ...this.#changed] };
  }

  #keepEvent(record: OutputRecord): void {
    const uuid = String(record.data['uuid']);
    const known = this.#events.get(uuid);
    if (known === undefined) this.#events.set(uuid, record);
    else if (!isDeepStrictEqual(known.data, record.data)) this.#changed.add(uuid);
  }
}
