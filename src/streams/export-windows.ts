import type { AmplitudeApi } from '../amplitude/client';
import type { ExportArchive } from '../amplitude/archive';
import { DISK_FULL } from '../amplitude/disk-fault';
import { ConnectorFailure } from '../failure';
import type { HourWindow, WindowPlanner } from '../time/windows';

/** A window that Amplitude answered; without an archive it holds no data. */
export interface AnsweredWindow {
  readonly window: HourWindow;
  readonly archive: ExportArchive | undefined;
  /** Time from the first request for the window to its verified archive. */
  readonly seconds: number;
}

/**
 * Answered windows in hour order. The next one downloads while the caller reads this one, so two archives are on disk at
 * most; each is deleted when the caller asks for the next or stops.
 */
export async function* answerWindows(
  api: AmplitudeApi,
  planner: WindowPlanner,
): AsyncGenerator<AnsweredWindow, void, void> {
  const stop = new AbortController();
  const startNext = (): Promise<AnsweredWindow | undefined> => {
    const next = answerNext(api, planner, stop.signal);
    // A failure counts when its turn comes, after the window before it has been read.
    next.catch(() => undefined);
    return next;
  };
  let ahead: Promise<AnsweredWindow | undefined> | undefined = startNext();
  let besideAnother = false;
  try {
    for (;;) {
      const current = await ahead.catch((error: unknown) => {
        // It had to share the disk with the archive before it, which is gone now.
        if (besideAnother && error instanceof ConnectorFailure && error.code === DISK_FULL)
          return startNext();
        throw error;
      });
      ahead = undefined;
      if (current === undefined) return;
      ahead = startNext();
      besideAnother = current.archive !== undefined;
      try {
        yield current;
      } finally {
        await current.archive?.close();
      }
    }
  } finally {
    // The caller stopped early: the archive that is still coming has no reader any more.
    stop.abort();
    const unread = await ahead?.catch(() => undefined);
    await unread?.archive?.close();
  }
}

/** Asks for the next window, in ever smaller ones while Amplitude finds it too large. */
async function answerNext(
  api: AmplitudeApi,
  planner: WindowPlanner,
  stop: AbortSignal,
): Promise<AnsweredWindow | undefined> {
  const sinceMs = Date.now();
  for (;;) {
    const window = planner.next(await api.archiveBudget());
    if (window === undefined) return undefined;
    const answer = await api.export(window, stop);
    if (answer.kind === 'too large') {
      if (!planner.tooLarge(window)) throw answer.failure;
      continue;
    }
    const archive = answer.kind === 'archive' ? answer.archive : undefined;
    planner.answered(window, archive?.bytes ?? 0);
    return { window, archive, seconds: (Date.now() - sinceMs) / 1000 };
  }
}
