import type { Writable } from 'node:stream';
import { streamKey } from './messages';
import type { StreamProgress } from './read-streams';

const REDRAW_MS = 250;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** A terminal to draw on, usually stderr. */
export type Terminal = Writable & { readonly columns?: number; readonly rows?: number };

export interface ProgressView {
  /** Takes the newest numbers of a stream; drawn with the next redraw. */
  update(progress: StreamProgress): void;
  /** Draws the last numbers and leaves the cursor below them. */
  stop(): void;
}

const STATUS_TEXTS: Readonly<Record<StreamProgress['status'], string>> = {
  running: 'reading',
  waiting: 'waiting',
  complete: 'complete',
  failed: 'failed',
  stopped: 'stopped',
};

/**
 * Draws one line per stream on a terminal and redraws the lines in place, at most four times a second.
 * Only for a terminal: it moves the cursor. It keeps no process alive.
 */
export function createProgressView(terminal: Terminal, now: () => number = Date.now): ProgressView {
  const streams = new Map<string, StreamProgress>();
  let drawnLines = 0;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  // A terminal that has gone must not end the read.
  terminal.on('error', () => {
    isStopped = true;
  });

  const draw = (): void => {
    if (isStopped) return;
    const columns = terminal.columns ?? DEFAULT_COLUMNS;
    // A block taller than the screen cannot be redrawn in place.
    const shown = [...streams.values()].slice(0, (terminal.rows ?? DEFAULT_ROWS) - 1);
    const lines = shown.map((progress) => `\x1b[2K${describe(progress, now()).slice(0, columns - 1)}\n`);
    const back = drawnLines === 0 ? '' : `\x1b[${String(drawnLines)}A`;
    terminal.write(back + lines.join(''));
    drawnLines = lines.length;
  };

  return {
    update(progress) {
      if (isStopped) return;
      streams.set(streamKey(progress), progress);
      timer ??= setTimeout(() => {
        timer = undefined;
        draw();
      }, REDRAW_MS).unref();
    },
    stop() {
      if (isStopped) return;
      clearTimeout(timer);
      if (streams.size > 0) draw();
      isStopped = true;
    },
  };
}

function describe(progress: StreamProgress, nowMs: number): string {
  const { name, status, records, bytes, cursor, waitingUntil } = progress;
  const wait = waitingUntil === undefined ? 0 : Math.max(0, Math.ceil((waitingUntil - nowMs) / 1000));
  const columns = [
    name.padEnd(24),
    (status === 'waiting' ? `waiting ${String(wait)} s` : STATUS_TEXTS[status]).padEnd(14),
    `${records.toLocaleString('en-US')} records`.padStart(20),
    `${(bytes / 1e6).toFixed(1)} MB`.padStart(12),
    cursor === undefined ? '' : `  ${cursor}`,
  ];
  return columns.join(' ').trimEnd();
}
