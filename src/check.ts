import type { AmplitudeApi } from './amplitude/client';
import { otherRegion, regionUrl } from './amplitude/regions';
import type { Invocation } from './cli';
import type { Config } from './config';
import { connect } from './connect';
import { ConnectorFailure } from './failure';
import { loadConfig, type SourceIo } from './inputs';
import type { Logger } from './protocol/log';
import { connectionStatusMessage } from './protocol/messages';

/** Somebody waits for the answer, so it must come within a minute or so; a sync may wait much longer. */
export const CHECK_LIMITS = { retries: 2, idleTimeoutMs: 15_000, patienceMs: 10_000 };
/** The other region is asked only to say more of a key that was refused. */
const REGION_RETRIES = 0;

/** The API as a configuration reaches it, with fewer retries when they are given. */
type Connect = (config: Config, retries?: number) => AmplitudeApi;

/** Every plan has annotations, they cost nothing of the dashboard budget, and v2 answers where v3 is missing. */
const PROBES = ['/api/3/annotations', '/api/2/annotations'] as const;

export async function check(invocation: Invocation, io: SourceIo, log: Logger): Promise<number> {
  const { writer, signal } = io;
  const observer = {
    signal,
    log,
    rateLimited: () => undefined,
    resumed: () => undefined,
    tally: () => undefined,
  };
  const connectTo: Connect = (config, retries = CHECK_LIMITS.retries) =>
    connect(config, io, { ...CHECK_LIMITS, retries }).for(observer);
  try {
    await checkConnection(loadConfig(invocation, io, log), io.nowMs, connectTo);
    await writer.write(connectionStatusMessage('SUCCEEDED'));
  } catch (error) {
    // Only what the user can mend is a failed check; anything else is an error of this run.
    if (!(error instanceof ConnectorFailure) || error.kind !== 'config') throw error;
    await writer.write(connectionStatusMessage('FAILED', io.redact(error.message)));
  }
  return 0;
}

/**
 * Proves that the configuration can be used, with one small request when all is well.
 * @throws ConnectorFailure: `config` for what the user can mend.
 */
export async function checkConnection(config: Config, nowMs: number, connectTo: Connect): Promise<void> {
  if (config.settings.startMs > nowMs) {
    throw new ConnectorFailure(
      'config',
      'The start date (start_date) lies in the future, so there is nothing to read.',
    );
  }
  try {
    await probe(connectTo(config));
  } catch (error) {
    throw await explain(error, config, connectTo);
  }
}

async function probe(api: AmplitudeApi): Promise<void> {
  const [current, older] = PROBES;
  try {
    await api.getJson({ path: current });
  } catch (error) {
    if (!(error instanceof ConnectorFailure) || error.status !== 404) throw error;
    await api.getJson({ path: older });
  }
}

async function explain(error: unknown, config: Config, connectTo: Connect): Promise<unknown> {
  if (!(error instanceof ConnectorFailure)) return error;
  if (error.code === 'ENOTFOUND' && config.hasOwnBaseUrl) {
    const { hostname } = config.baseUrl;
    return new ConnectorFailure(
      'config',
      `The host ${hostname} of the Base URL (base_url) does not exist.`,
      error.detail,
    );
  }
  if (error.status === 403 && !config.hasOwnBaseUrl && (await isKeyOfOtherRegion(config, connectTo))) {
    const other = otherRegion(config.region);
    return new ConnectorFailure(
      'config',
      `The API key belongs to the other data region: set Data region to "${other}".`,
      error.detail,
    );
  }
  return error;
}

/** A key is known in one region only; in the other it is refused like a wrong one. */
async function isKeyOfOtherRegion(config: Config, connectTo: Connect): Promise<boolean> {
  const region = otherRegion(config.region);
  try {
    await probe(connectTo({ ...config, region, baseUrl: regionUrl(region) }, REGION_RETRIES));
    return true;
  } catch (error) {
    if (error instanceof ConnectorFailure) return false;
    throw error;
  }
}
