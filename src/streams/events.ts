import type { StreamHost, StreamOutput, StreamState } from '../protocol/output';
import { formatHour, hourFrom, hourOf, parseHour } from '../time/hours';
import { parseDateTime } from '../time/instant';
import { WindowPlanner, type HourWindow } from '../time/windows';
import { describeFuture, firstToRead, readCursor, unusableState } from './cursor';
import { EventReader } from './event-reader';
import { answerWindows, type AnsweredWindow } from './export-windows';
import type { ReadContext, Stream } from './stream';

const NAME = 'events';
const CURSOR = 'server_upload_time';
/** Amplitude: data of 20:00–21:00 is exportable at 23:00, so hour H is complete at H+3 h (Export API docs). */
const HOURS_UNTIL_COMPLETE = 3;

export const events: Stream = {
  name: NAME,
  primaryKey: ['uuid'],
  cursorField: CURSOR,
  parseState: parseEventsState,
  read: readEvents,
};

/** The state `{"server_upload_time":"20240101T20"}`: every hour up to and including this one is complete. */
function parseEventsState(state: StreamState, { log }: Pick<StreamHost, 'log'>): StreamState | undefined {
  if (state[CURSOR] === undefined && typeof state['event_time'] === 'string') {
    log.warn(
      `${NAME}: the saved state is of a connector before 0.2.0, which went by event_time and missed late events; ` +
        'reading from the start date.',
    );
    return undefined;
  }
  const text = readCursor(NAME, CURSOR, state);
  if (text === undefined) return undefined;
  const hour = parseHour(text) ?? hourBeforeInstant(text);
  if (hour === undefined)
    throw unusableState(NAME, `"${CURSOR}" is neither an hour such as 20240101T20 nor a date-time`);
  return { [CURSOR]: formatHour(hour) };
}

/** A date-time is that of the latest event seen, whose own hour may not have been read to its end. */
function hourBeforeInstant(text: string): number | undefined {
  const epochMs = parseDateTime(text);
  return epochMs === undefined ? undefined : hourOf(epochMs) - 1;
}

async function* readEvents(
  context: ReadContext,
  state: StreamState | undefined,
): AsyncGenerator<StreamOutput, void, void> {
  const { settings, host, api } = context;
  const saved = state === undefined ? -Infinity : parseHour(String(state[CURSOR]))!;
  if (saved > hourOf(settings.nowMs)) host.log.warn(describeFuture(formatHour(saved)));
  const range = hoursToRead(context, saved);
  const checkpoint = (hour: number): StreamOutput => ({
    kind: 'checkpoint',
    // While the lookback is read again, the state stays where it was.
    state: { [CURSOR]: formatHour(Math.max(hour, saved)) },
  });
  const planner = new WindowPlanner(range, settings.windowHours);
  const reader = new EventReader(context);
  for await (const answered of answerWindows(api, planner)) {
    const sinceMs = Date.now();
    const before = { ...reader.totals };
    if (answered.archive) yield* reader.readWindow(answered.window, answered.archive, checkpoint);
    yield checkpoint(answered.window.last);
    host.tally('windows', 1);
    host.log.info(
      describeWindow(
        answered,
        reader.totals.records - before.records,
        reader.totals.bytes - before.bytes,
        sinceMs,
      ),
    );
  }
}

function hoursToRead(context: ReadContext, saved: number): HourWindow {
  const { settings } = context;
  const complete = hourOf(settings.nowMs) - HOURS_UNTIL_COMPLETE;
  const end = settings.endMs === undefined ? complete : hourFrom(settings.endMs) - 1;
  return {
    first: firstToRead(context, hourOf(settings.startMs), saved + 1, settings.lookbackHours),
    last: Math.min(complete, end),
  };
}

function describeWindow(
  { window, archive, seconds }: AnsweredWindow,
  records: number,
  bytes: number,
  sinceMs: number,
): string {
  const range = `${formatHour(window.first)}..${formatHour(window.last)}`;
  if (!archive) return `${range}: no data (answered in ${seconds.toFixed(1)} s).`;
  const readSeconds = ((Date.now() - sinceMs) / 1000).toFixed(1);
  return (
    `${range}: ${records} records, ${bytes} bytes of text from an archive of ${archive.bytes} bytes, ` +
    `downloaded in ${seconds.toFixed(1)} s, read in ${readSeconds} s.`
  );
}
