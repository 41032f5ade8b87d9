import { Amplitude, type AmplitudeOptions } from './amplitude/client';
import { TempSpace } from './amplitude/temp-space';
import type { Config } from './config';
import { loadUserAgent, type SourceIo } from './inputs';

/**
 * The project's API as a configuration reaches it.
 * @param limits When they are to be tighter than usual.
 */
export function connect(
  config: Config,
  io: SourceIo,
  limits: Partial<Pick<AmplitudeOptions, 'retries' | 'idleTimeoutMs' | 'patienceMs'>> = {},
): Amplitude {
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
    ...limits,
    idleTimeoutMs: Math.min(environment.idleTimeoutMs, limits.idleTimeoutMs ?? Infinity),
  });
}
