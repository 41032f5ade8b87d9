import type { AirbyteOutput, OutputMessage } from './airbyte-output';

interface Descriptor {
  readonly name: string;
  readonly namespace?: string | null | undefined;
}

/** A configured catalog (`{streams: [{stream: {name}}]}`) or the streams by themselves. */
export type CheckedCatalog =
  readonly Descriptor[] | { readonly streams: readonly { readonly stream: Descriptor }[] };

export interface ProtocolOptions {
  /** True when the run was killed: the rules hold for what there is, but streams may have no end. */
  readonly cut?: boolean;
}

type Json = Readonly<Record<string, unknown>>;

interface StreamFacts {
  statuses: string[];
  records: number;
  pending: number;
  states: number;
  errors: number;
}

/** Throws with all broken rules when the output of a `read` breaks one. */
export function assertProtocol(
  output: AirbyteOutput,
  catalog: CheckedCatalog,
  options: ProtocolOptions = {},
): void {
  const violations = findViolations(output, catalog, options);
  if (violations.length === 0) return;
  const shown = violations.slice(0, 20).map((violation) => `- ${violation}`);
  throw new Error(`${String(violations.length)} broken protocol rules:\n${shown.join('\n')}`);
}

/**
 * Every rule of a read's output: whole lines, configured streams only, statuses in order with one terminal at the end,
 * records before the state that covers them, exact counts, a state for each stream, an error before INCOMPLETE,
 * config errors after the others, and an exit code that agrees with the outcome.
 */
export function findViolations(
  output: AirbyteOutput,
  catalog: CheckedCatalog,
  options: ProtocolOptions = {},
): string[] {
  const checker = new ProtocolChecker(output, catalog, options.cut === true);
  return checker.check();
}

class ProtocolChecker {
  private readonly violations: string[] = [];
  private readonly facts = new Map<string, StreamFacts>();
  private lastErrorAt = -Infinity;
  private configErrorSeen = false;

  constructor(
    private readonly output: AirbyteOutput,
    catalog: CheckedCatalog,
    private readonly cut: boolean,
  ) {
    const streams = 'streams' in catalog ? catalog.streams.map(({ stream }) => stream) : catalog;
    for (const { name, namespace } of streams) {
      this.facts.set(keyOf(name, namespace ?? undefined), {
        statuses: [],
        records: 0,
        pending: 0,
        states: 0,
        errors: 0,
      });
    }
  }

  check(): string[] {
    this.checkLines();
    for (const message of this.output.messages) this.checkMessage(message);
    for (const [key, facts] of this.facts) if (!this.cut) this.checkEnd(key, facts);
    if (!this.cut) this.checkExit();
    return this.violations;
  }

  private checkLines(): void {
    const { stdout, unparsed } = this.output;
    // Only the last line of a killed run may be cut.
    const broken = this.cut && !stdout.endsWith('\n') ? unparsed.slice(0, -1) : unparsed;
    for (const line of broken) {
      this.report(`a line is no message: ${line.slice(0, 200)}`);
    }
    if (this.cut) return;
    if (stdout !== '' && !stdout.endsWith('\n')) this.report('the last line has no end');
    const lines = stdout.split('\n').length - 1;
    if (lines !== this.output.messages.length + unparsed.length) {
      this.report('Python splits the output into other lines than \\n does');
    }
  }

  private checkMessage({ type, value, index }: OutputMessage): void {
    const at = `message ${String(index)}`;
    if (type === 'RECORD') this.checkRecord(value.record as Json, at);
    else if (type === 'STATE') this.checkState(value.state as Json, at);
    else if (type === 'TRACE') this.checkTrace(value.trace as Json, at);
    else if (type !== 'LOG') this.report(`${at}: ${type} has no place in a read`);
  }

  private checkRecord(record: Json, at: string): void {
    const facts = this.factsOf(record.stream, record.namespace, at);
    if (facts === undefined) return;
    const { data, emitted_at: emittedAt } = record;
    if (typeof data !== 'object' || data === null || Object.keys(data).length === 0) {
      this.report(`${at}: a record without data`);
    }
    if (!Number.isInteger(emittedAt)) this.report(`${at}: emitted_at is no integer`);
    if (!facts.statuses.includes('RUNNING')) this.report(`${at}: a record before RUNNING`);
    this.checkNotEnded(facts, `${at}: a record`);
    facts.records += 1;
    facts.pending += 1;
  }

  private checkState(state: Json, at: string): void {
    if (state.type !== 'STREAM') this.report(`${at}: the state's type is ${String(state.type)}`);
    if ('id' in state || 'partition_id' in state) this.report(`${at}: a reserved key in the state`);
    const stream = state.stream as Json | undefined;
    const descriptor = stream?.stream_descriptor as Json | undefined;
    const facts = this.factsOf(descriptor?.name, descriptor?.namespace, at);
    if (facts === undefined) return;
    const blob = stream?.stream_state;
    if (typeof blob !== 'object' || blob === null || Array.isArray(blob)) {
      this.report(`${at}: stream_state is no object`);
    }
    const count = (state.sourceStats as Json | undefined)?.recordCount;
    if (count !== facts.pending) {
      this.report(
        `${at}: recordCount ${String(count)} but ${String(facts.pending)} records since the last state`,
      );
    }
    if (!facts.statuses.includes('STARTED')) this.report(`${at}: a state before STARTED`);
    this.checkNotEnded(facts, `${at}: a state`);
    facts.pending = 0;
    facts.states += 1;
  }

  private checkTrace(trace: Json, at: string): void {
    if (typeof trace.emitted_at !== 'number') this.report(`${at}: emitted_at is no number`);
    if (trace.type === 'ERROR') this.checkError(trace.error as Json, trace.emitted_at as number, at);
    else if (trace.type === 'STREAM_STATUS') this.checkStatus(trace.stream_status as Json, at);
    else this.report(`${at}: unknown trace ${String(trace.type)}`);
  }

  private checkError(error: Json, emittedAt: number, at: string): void {
    const kind = error.failure_type;
    if (typeof error.message !== 'string' || error.message === '')
      this.report(`${at}: an error without words`);
    if (!['config_error', 'transient_error', 'system_error'].includes(String(kind))) {
      this.report(`${at}: unknown failure_type ${String(kind)}`);
    }
    if (emittedAt < this.lastErrorAt) this.report(`${at}: an error stamped before an earlier one`);
    this.lastErrorAt = emittedAt;
    if (kind === 'config_error') this.configErrorSeen = true;
    else if (this.configErrorSeen) this.report(`${at}: a ${String(kind)} after a config_error`);
    const descriptor = error.stream_descriptor as Json | undefined;
    if (descriptor === undefined) return;
    const facts = this.factsOf(descriptor.name, descriptor.namespace, at);
    if (facts === undefined) return;
    this.checkNotEnded(facts, `${at}: an error`);
    facts.errors += 1;
  }

  private checkStatus(status: Json, at: string): void {
    const descriptor = status.stream_descriptor as Json;
    const facts = this.factsOf(descriptor.name, descriptor.namespace, at);
    if (facts === undefined) return;
    const name = String(status.status);
    this.checkNotEnded(facts, `${at}: ${name}`);
    if ((name === 'STARTED') !== (facts.statuses.length === 0)) {
      this.report(`${at}: ${name} as status ${String(facts.statuses.length + 1)}`);
    }
    if (!['STARTED', 'RUNNING', 'COMPLETE', 'INCOMPLETE'].includes(name))
      this.report(`${at}: status ${name}`);
    const reasons = (status.reasons ?? []) as readonly Json[];
    if (reasons.length > 0 && name !== 'RUNNING') this.report(`${at}: ${name} with reasons`);
    for (const reason of reasons) {
      const reset = (reason.rate_limited as Json | undefined)?.quota_reset;
      if (reason.type !== 'RATE_LIMITED' || !Number.isInteger(reset))
        this.report(`${at}: a malformed reason`);
    }
    facts.statuses.push(name);
  }

  private checkEnd(key: string, facts: StreamFacts): void {
    const end = facts.statuses.at(-1);
    if (end !== 'COMPLETE' && end !== 'INCOMPLETE') this.report(`${key}: no terminal status`);
    if (end === 'COMPLETE' && !facts.statuses.includes('RUNNING'))
      this.report(`${key}: COMPLETE without RUNNING`);
    if (end === 'COMPLETE' && facts.errors > 0) this.report(`${key}: COMPLETE after an error`);
    if (facts.states === 0) this.report(`${key}: no state`);
    if (facts.pending > 0) this.report(`${key}: ${String(facts.pending)} records after the last state`);
  }

  private checkExit(): void {
    const { exitCode } = this.output;
    if (exitCode === null) return;
    const complete = [...this.facts.values()].every((facts) => facts.statuses.at(-1) === 'COMPLETE');
    const clean = complete && this.output.errors.length === 0;
    if (clean !== (exitCode === 0)) {
      this.report(`exit code ${String(exitCode)} although the read ${clean ? 'succeeded' : 'failed'}`);
    }
    if (!complete && this.output.signal === null && this.output.errors.length === 0) {
      this.report('a stream is INCOMPLETE but there is no error');
    }
  }

  private factsOf(name: unknown, namespace: unknown, at: string): StreamFacts | undefined {
    const facts = this.facts.get(keyOf(String(name), namespace as string | undefined));
    if (facts === undefined) this.report(`${at}: the stream ${String(name)} is not in the catalog`);
    return facts;
  }

  private checkNotEnded(facts: StreamFacts, what: string): void {
    const end = facts.statuses.at(-1);
    if (end === 'COMPLETE' || end === 'INCOMPLETE') this.report(`${what} after ${end}`);
  }

  private report(violation: string): void {
    this.violations.push(violation);
  }
}

function keyOf(name: string, namespace: string | undefined): string {
  return namespace === undefined ? name : `${namespace}.${name}`;
}
