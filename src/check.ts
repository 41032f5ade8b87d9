import type { AmplitudeApi } from './amplitude/client';
import { otherRegion, regionUrl } from './amplitude/regions';
import type { Invocation } from './cli';
import type { Config } from './config';
import { connect } from './connect';
import { ConnectorFailure } from './failure';
import { loadConfig, type SourceIo } from './inputs';
import type { Logger } from './protocol/log';
import { connectionStatusMessage } from './protocol/messages';

/** Interactive commands must answer within a minute; a sync may wait much longer. */
const CHECK_RETRIES = 2;
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
  const connectTo = (config: Config): AmplitudeApi => connect(config, io, CHECK_RETRIES).for(observer);
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
 * @param connectTo The API as a configuration reaches it.
 * @throws ConnectorFailure: `config` for what the user can mend.
 */
export async function checkConnection(
  config: Config,
  nowMs: number,
  connectTo: (config: Config) => AmplitudeApi,
): Promise<void> {
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

async function explain(
  error: unknown,
  config: Config,
  connectTo: (config: Config) => AmplitudeApi,
): Promise<unknown> {
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
async function isKeyOfOtherRegion(
  config: Config,
  connectTo: (config: Config) => AmplitudeApi,
): Promise<boolean> {
  const region = otherRegion(config.region);
  try {
    await probe(connectTo({ ...config, region, baseUrl: regionUrl(region) }));
    return true;
  } catch (error) {
    if (error instanceof ConnectorFailure) return false;
    throw error;
  }
}
