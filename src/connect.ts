import { Amplitude } from './amplitude/client';
import { TempSpace } from './amplitude/temp-space';
import type { Config } from './config';
import { loadUserAgent, type SourceIo } from './inputs';

/**
 * The project's API as a configuration reaches it.
 * @param retries Attempts after the first, when they are to be fewer than usual.
 */
export function connect(config: Config, io: SourceIo, retries?: number): Amplitude {
  const { environment } = io;
  const temp = new TempSpace({ ...io.temp, limitBytes: environment.storageLimitBytes });
  io.onTemp(() => temp.removeSync());
  return new Amplitude({
    ...config,
    ...environment,
    policy: environment,
    temp,
    userAgent: loadUserAgent(),
    redact: io.redact,
    ...(retries !== undefined && { retries }),
  });
}
