import type { ConnectorFailure } from '../failure';
import type { HourWindow } from '../time/windows';
import { downloadExport, type ExportAnswer } from './export-download';
import { JsonClient, type JsonRequest } from './json-client';
import { RequestLimits } from './limits';
import type { ApiObserver } from './observer';
import { announceRetry, RETRIES, retryDelayMs, type RetryPace } from './retry';
import { sleep } from './sleep';
import type { TempSpace } from './temp-space';
import { Transport, type TransportOptions } from './transport';

export interface AmplitudeOptions extends TransportOptions, RetryPace {
  readonly temp: TempSpace;
  /** Whether `baseUrl` is another one than Amplitude's. */
  readonly hasOwnBaseUrl: boolean;
  /** Length of the cost window. */
  readonly costWindowMs: number;
  /** Least time between two exports. */
  readonly paceMs: number;
  /** Attempts after the first; interactive commands use fewer. */
  readonly retries?: number;
}

/** What a stream may ask of Amplitude. */
export interface AmplitudeApi {
  /** @throws ConnectorFailure */
  getJson(request: JsonRequest): Promise<unknown>;
  /** @param stop Ends the request when its answer is no longer wanted. @throws ConnectorFailure */
  export(window: HourWindow, stop?: AbortSignal): Promise<ExportAnswer>;
  /** Waits before the caller's own retry `number` (1-based) of an export, as the API does before its own. */
  backOff(number: number, failure: ConnectorFailure): Promise<void>;
  /** Room on the temporary disk for one archive, in bytes. */
  archiveBudget(): Promise<number>;
}

const STILL_WAITING_MS = 60_000;

/** One project's API: all streams share its connections and limits, each with an observer of its own. */
export class Amplitude {
  private readonly transport: Transport;
  private readonly limits: RequestLimits;

  constructor(private readonly options: AmplitudeOptions) {
    this.transport = new Transport(options);
    this.limits = new RequestLimits(options);
  }

  for(observer: ApiObserver): AmplitudeApi {
    const { temp, hasOwnBaseUrl, retries = RETRIES } = this.options;
    const shared = { ...this.options, transport: this.transport, limits: this.limits, retries };
    const json = new JsonClient(shared, observer);
    return {
      getJson: (request) => reportLongWaits(request.path, observer, () => json.get(request)),
      export: (window, stop) => {
        const stoppable = stop ? stopWith(stop, observer) : observer;
        return reportLongWaits('export', observer, () =>
          downloadExport(window, { ...shared, temp, hasOwnBaseUrl }, stoppable),
        );
      },
      backOff: async (number, failure) => {
        const delayMs = retryDelayMs(number, this.options, {});
        announceRetry(observer, this.limits, 'export', { failure }, number, delayMs);
        await sleep(delayMs, observer.signal);
      },
      archiveBudget: () => temp.archiveBudget(),
    };
  }
}

function stopWith(stop: AbortSignal, observer: ApiObserver): ApiObserver {
  return {
    signal: AbortSignal.any([stop, observer.signal]),
    log: observer.log,
    rateLimited: (untilMs) => observer.rateLimited(untilMs),
    resumed: () => observer.resumed(),
    tally: (name, amount) => observer.tally(name, amount),
  };
}

/** A line every minute, so that a log which stands still is never mistaken for a hang. */
async function reportLongWaits<T>(what: string, observer: ApiObserver, work: () => Promise<T>): Promise<T> {
  const sinceMs = Date.now();
  const timer = setInterval(() => {
    observer.log.info(
      `Still waiting for Amplitude (${what}), ${Math.round((Date.now() - sinceMs) / 1000)} s so far.`,
    );
  }, STILL_WAITING_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
