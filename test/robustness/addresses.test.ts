import { join } from 'node:path';
import type { AirbyteOutput } from '../harness/airbyte-output';
import { assertSuccess } from '../harness/assert-success';
import { runConnector } from '../harness/connector';
import { catalogOf, configFor } from '../harness/inputs';
import { PUBLIC_TLS, TRUST, withPublicHost } from '../harness/public-host';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';

const CATALOG = catalogOf(['events']);
const FAILING_DNS = join(__dirname, 'programs', 'failing-dns.js');
const CLOUD = { DEPLOYMENT_MODE: 'CLOUD' };
const LINK_LOCAL = 'a link-local or metadata-service address';
const PRIVATE = 'a private network address, which Airbyte Cloud does not allow';

function said(output: AirbyteOutput): string {
  return [output.connectionStatus?.message ?? '', ...output.errors.map(({ message }) => message)].join('\n');
}

describe('in Airbyte Cloud', () => {
  const keys = { api_key: 'a key', secret_key: 'a secret', start_date: '2024-03-01' };

  it.each([
    ['https://127.0.0.1', PRIVATE],
    ['https://10.1.2.3', PRIVATE],
    ['https://172.16.0.1', PRIVATE],
    ['https://192.168.7.7', PRIVATE],
    ['https://169.254.169.254', LINK_LOCAL],
    ['https://100.64.0.1', PRIVATE],
    ['https://0.0.0.0', PRIVATE],
    ['https://0x7f000001', PRIVATE],
    ['https://2130706433', PRIVATE],
    ['https://[::1]', PRIVATE],
    ['https://[::]', PRIVATE],
    ['https://[fe80::1]', LINK_LOCAL],
    ['https://[fd00::1]', PRIVATE],
    ['https://[::ffff:127.0.0.1]', PRIVATE],
    ['https://[::ffff:a00:1]', PRIVATE],
    ['https://[64:ff9b::7f00:1]', PRIVATE],
    ['https://[64:ff9b::10.1.2.3]', PRIVATE],
    ['https://localhost', PRIVATE],
    ['https://api.localhost', PRIVATE],
    // Most resolvers do not know it, the others say what it is.
    ['https://localhost.', 'The host localhost.'],
    // By DNS: the name says nothing, its address does.
    ['https://internal.test', PRIVATE],
    ['http://amplitude.com', 'must use https'],
  ])('base_url %s is refused', async (baseUrl, reason) => {
    const output = await runConnector(['check'], {
      config: { ...keys, base_url: baseUrl },
      env: { ...CLOUD, NODE_OPTIONS: `--require=${FAILING_DNS}` },
    });
    expect(said(output)).toContain(reason);
    expect(output.connectionStatus?.status).toBe('FAILED');
  });

  it.each([
    ['https://127.0.0.1:8443/archive', PRIVATE],
    ['https://[::1]/archive', PRIVATE],
    ['https://169.254.169.254/latest/meta-data/', LINK_LOCAL],
    ['https://localhost/archive', PRIVATE],
    ['https://internal.test/archive', PRIVATE],
    ['http://amplitude.com/archive', 'must use https'],
    ['file:///etc/passwd', 'must be an https URL'],
    ['data:application/zip;base64,UEsFBgAA', 'must be an https URL'],
  ])('a redirect to %s is refused', (to, reason) =>
    withPublicHost('amplitude.com', TWO_DAYS, async ({ simulator, env, keys: known }) => {
      simulator.fault({ match: { path: '/api/2/export' }, action: { kind: 'redirect', to } });
      const output = await runConnector(['read'], {
        config: { ...known, start_date: '2024-03-01', end_date: SECOND_DAY },
        catalog: CATALOG,
        // Past the proxy, so that it is the connector that resolves the name and would connect.
        env: {
          ...env,
          ...CLOUD,
          NO_PROXY: 'internal.test,localhost,127.0.0.1',
          NODE_OPTIONS: `--require=${FAILING_DNS}`,
        },
      });
      expect(output.errors).toMatchObject([{ failure_type: 'config_error' }]);
      expect(said(output)).toContain(reason);
      expect(output.exitCode).toBe(1);
      expect(output.records()).toEqual([]);
    }),
  );

  it('Amplitude itself is reached', () =>
    withPublicHost('amplitude.com', TWO_DAYS, async ({ env, keys: known }) => {
      const output = await runConnector(['check'], { config: known, env: { ...env, ...CLOUD } });
      expect(output.connectionStatus).toEqual({ status: 'SUCCEEDED' });
    }));
});

describe('anywhere', () => {
  const toLinkLocal = { NODE_OPTIONS: `--require=${FAILING_DNS}`, DNS_ADDRESS: '169.254.169.254' };

  it.each([
    ['http://169.254.169.254', '169.254.169.254'],
    ['https://[::ffff:a9fe:a9fe]', '::ffff:a9fe:a9fe'],
    // By DNS: the name says nothing, its address does.
    ['http://metadata.test', '169.254.169.254'],
  ])('base_url %s, which is link-local, is refused', async (baseUrl, address) => {
    const output = await runConnector(['check'], {
      config: { api_key: 'a key', secret_key: 'a secret', base_url: baseUrl },
      env: toLinkLocal,
    });
    expect(said(output)).toContain(`leads to ${address}, ${LINK_LOCAL}`);
    expect(output.connectionStatus?.status).toBe('FAILED');
  });

  it.each(['http://169.254.169.254/latest/meta-data/', 'https://[fe80::1]/', 'http://metadata.test/latest/'])(
    'a redirect to %s, which is link-local, is refused',
    (to) =>
      withSimulator(TWO_DAYS, async (simulator) => {
        simulator.fault({ match: { path: '/api/2/export' }, action: { kind: 'redirect', to } });
        const output = await runConnector(['read'], {
          config: configFor(simulator, { end_date: SECOND_DAY }),
          catalog: CATALOG,
          env: toLinkLocal,
        });
        expect(output.errors).toMatchObject([{ failure_type: 'config_error' }]);
        expect(said(output)).toContain(LINK_LOCAL);
        expect(output.exitCode).toBe(1);
        expect(output.logsOf('WARN').filter((message) => message.includes('Retry'))).toEqual([]);
      }),
  );

  it('a certificate that nobody vouches for is refused, also in a read, and accepted with NODE_EXTRA_CA_CERTS', () =>
    withSimulator({ ...TWO_DAYS, tls: PUBLIC_TLS }, async (simulator) => {
      const options = { config: configFor(simulator, { end_date: SECOND_DAY }), catalog: CATALOG };
      const refused = await runConnector(['read'], options);
      expect(refused.errors).toMatchObject([{ failure_type: 'config_error' }]);
      expect(said(refused)).toContain('TLS certificate was not accepted');
      expect(refused.exitCode).toBe(1);
      expect(simulator.log.entries).toEqual([]);
      assertSuccess(await runConnector(['read'], { ...options, env: TRUST }), CATALOG);
    }));

  it('a certificate for another host is refused', () =>
    withSimulator({ ...TWO_DAYS, tls: PUBLIC_TLS }, async (simulator) => {
      const baseUrl = simulator.baseUrl.replace('127.0.0.1', 'another.test');
      const refused = await runConnector(['check'], {
        config: configFor(simulator, { base_url: baseUrl }),
        env: { ...TRUST, NODE_OPTIONS: `--require=${FAILING_DNS}` },
      });
      expect(refused.connectionStatus?.status).toBe('FAILED');
      expect(said(refused)).toContain('TLS certificate was not accepted');
      expect(simulator.log.entries).toEqual([]);
    }));

  it('the keys follow a redirect neither to another origin nor by the URL that is redirected to', () =>
    withSimulator(TWO_DAYS, (elsewhere) =>
      withSimulator(TWO_DAYS, async (simulator) => {
        const to = `${elsewhere.baseUrl.replace('//', '//user:password@')}/api/2/export?start=20240301T00&end=20240301T23`;
        simulator.fault({ match: { path: '/api/2/export', times: 1 }, action: { kind: 'redirect', to } });
        const output = await runConnector(['read'], {
          config: configFor(simulator, { end_date: SECOND_DAY }),
          catalog: CATALOG,
        });
        // Without keys the other origin answers 401, which says nothing of Amplitude: it is asked again.
        expect(elsewhere.log.entries).toMatchObject([{ authPresent: false, status: 401 }]);
        assertSuccess(output, CATALOG);
      }),
    ));
});
