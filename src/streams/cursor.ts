import { ConnectorFailure } from '../failure';
import type { StreamState } from '../protocol/output';
import type { ReadContext } from './stream';

/**
 * The cursor text out of a stream's state: `{"<field>": "…"}`, or the `slices` that Airbyte's Python connectors write
 * when they read concurrently. Of slices only the lowest counts: what lies behind a gap is read again.
 * @returns undefined when the state holds no cursor at all (empty, or a full-refresh sentinel).
 * @throws ConnectorFailure (config) when there is something, but no cursor in it.
 */
export function readCursor(stream: string, field: string, state: StreamState): string | undefined {
  const keys = Object.keys(state).filter((key) => !key.startsWith('__ab_'));
  if (keys.length === 0) return undefined;
  const value = state[field] ?? readSlices(state['slices'], field) ?? readLegacy(state['legacy'], field);
  if (typeof value === 'string' && value !== '') return value;
  throw unusableState(stream, `it has no text under ${JSON.stringify(field)}`);
}

export function unusableState(stream: string, why: string): ConnectorFailure {
  return new ConnectorFailure(
    'config',
    `The saved state of stream ${stream} cannot be used: ${why}. Correct it, or reset the stream to read it from the start date.`,
  );
}

/**
 * Where reading begins, in hours or days.
 * @param start The first of the start date.
 * @param resume The first that the saved state leaves to read, -Infinity without a state.
 * @param lookback How many are read again before that.
 */
export function firstToRead(
  { settings, isFullRefresh }: ReadContext,
  start: number,
  resume: number,
  lookback: number,
): number {
  const first = isFullRefresh ? resume : resume - lookback;
  // A duration moves on with the clock: a connection that stood still for longer must not jump over what it missed.
  if (settings.startIsRelative && first > -Infinity) return first;
  // A start date that was moved behind the state counts: the user does not want what lies before it.
  return Math.max(start, first);
}

/** What to tell of a state that lies ahead of the clock: it is believed, but somebody should know why nothing comes. */
export function describeFuture(cursor: string): string {
  return `The saved state (${cursor}) lies in the future: nothing is read until then. Check the state, or the clock.`;
}

interface Slice {
  readonly start?: unknown;
  readonly end?: unknown;
  readonly most_recent_cursor_value?: unknown;
}

function readSlices(slices: unknown, field: string): unknown {
  if (!Array.isArray(slices) || slices.length === 0) return undefined;
  const [lowest] = (slices as Slice[]).toSorted((a, b) => (String(a?.start) < String(b?.start) ? -1 : 1));
  return (
    lowest?.most_recent_cursor_value ??
    lowest?.end ??
    (lowest as Record<string, unknown> | undefined)?.[field]
  );
}

function readLegacy(legacy: unknown, field: string): unknown {
  return typeof legacy === 'object' && legacy !== null
    ? (legacy as Record<string, unknown>)[field]
    : undefined;
}
