import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Simulator, SimulatorOptions } from '../../simulator/simulator';
import { startProxy, type Proxy } from './proxy';
import { withSimulator } from './with-simulator';

const FOLDER = join(__dirname, '..', 'fixtures', 'tls');

/** Key and certificate for Amplitude's public hosts; see test/fixtures/tls/README.md. */
export const PUBLIC_TLS = {
  key: readFileSync(join(FOLDER, 'key.pem'), 'utf8'),
  cert: readFileSync(join(FOLDER, 'certificate.pem'), 'utf8'),
};

/** Makes the program trust that certificate. */
export const TRUST = { NODE_EXTRA_CA_CERTS: join(FOLDER, 'certificate.pem') };

/** A simulator that a configuration without `base_url` reaches: it stands behind a proxy under a host of Amplitude's. */
export interface PublicHost {
  readonly simulator: Simulator;
  readonly proxy: Proxy;
  /** For the program's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** `api_key` and `secret_key` as the simulator knows them. */
  readonly keys: { readonly api_key: string; readonly secret_key: string };
}

/** @param host `amplitude.com` or `analytics.eu.amplitude.com`; the other one cannot be reached. */
export function withPublicHost<Result>(
  host: string,
  options: SimulatorOptions,
  body: (publicHost: PublicHost) => Promise<Result>,
): Promise<Result> {
  return withSimulator({ ...options, tls: PUBLIC_TLS }, async (simulator) => {
    const proxy = await startProxy({ [`${host}:443`]: simulator.port });
    const { apiKey, secretKey } = simulator.settings.credentials;
    const keys = { api_key: apiKey, secret_key: secretKey };
    try {
      return await body({ simulator, proxy, env: { HTTPS_PROXY: proxy.url, ...TRUST }, keys });
    } finally {
      await proxy.close();
    }
  });
}
