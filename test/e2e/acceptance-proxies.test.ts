import { assertSuccess } from '../harness/assert-success';
import { runConnector } from '../harness/connector';
import { findEventErrors } from '../harness/event-comparison';
import { catalogOf, configFor } from '../harness/inputs';
import { startProxy } from '../harness/proxy';
import { PUBLIC_TLS, TRUST, withPublicHost } from '../harness/public-host';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';

const EVENTS = catalogOf(['events']);

describe('92: proxies', () => {
  it('a plain request goes through HTTP_PROXY, and past it for a host of NO_PROXY', async () => {
    const proxy = await startProxy();
    try {
      await withSimulator(TWO_DAYS, async (simulator) => {
        const options = { config: configFor(simulator, { end_date: SECOND_DAY }), catalog: EVENTS };
        const through = await runConnector(['read'], { ...options, env: { HTTP_PROXY: proxy.url } });
        assertSuccess(through, EVENTS);
        expect(findEventErrors(through, simulator.truth())).toEqual([]);
        expect(proxy.seen).toHaveLength(2);
        for (const seen of proxy.seen)
          expect(seen).toMatch(new RegExp(`^GET ${simulator.baseUrl}/api/2/export\\?`));
        const past = await runConnector(['read'], {
          ...options,
          env: { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' },
        });
        assertSuccess(past, EVENTS);
        expect(proxy.seen).toHaveLength(2);
      });
    } finally {
      await proxy.close();
    }
  });

  it('Amplitude’s own host is reached through a tunnel, with a certificate of one’s own, and the proxy’s password is not printed', async () => {
    await withPublicHost('amplitude.com', TWO_DAYS, async ({ simulator, proxy, env, keys }) => {
      const config = { ...keys, start_date: '2024-03-01', end_date: SECOND_DAY };
      const url = proxy.url.replace('//', '//user:proxy-password-77@');
      const output = await runConnector(['read', '--debug'], {
        config,
        catalog: EVENTS,
        env: { ...env, HTTPS_PROXY: url },
      });
      assertSuccess(output, EVENTS);
      expect(findEventErrors(output, simulator.truth())).toEqual([]);
      expect(new Set(proxy.seen)).toEqual(new Set(['CONNECT amplitude.com:443']));
      expect(proxy.authorizations[0]).toBe(
        `Basic ${Buffer.from('user:proxy-password-77').toString('base64')}`,
      );
      expect(output.stdout).not.toContain('proxy-password-77');
    });
  });

  it('an https request goes through HTTPS_PROXY, past it for a host of NO_PROXY, and is verified in the tunnel', async () => {
    await withSimulator({ ...TWO_DAYS, tls: PUBLIC_TLS }, async (simulator) => {
      const target = `127.0.0.1:${String(simulator.port)}`;
      const proxy = await startProxy({ [target]: simulator.port });
      try {
        const ways = [
          { through: true, env: { HTTPS_PROXY: proxy.url } },
          { through: true, env: { https_proxy: proxy.url } },
          // A proxy for plain http is none for https.
          { through: false, env: { HTTP_PROXY: proxy.url } },
          { through: false, env: { HTTPS_PROXY: proxy.url, NO_PROXY: '127.0.0.1' } },
          { through: false, env: { HTTPS_PROXY: proxy.url, no_proxy: 'example.com,127.0.0.1' } },
        ];
        for (const { through, env } of ways) {
          const before = proxy.seen.length;
          const config = configFor(simulator);
          const output = await runConnector(['check'], { config, env: { ...env, ...TRUST } });
          expect([env, output.connectionStatus]).toEqual([env, { status: 'SUCCEEDED' }]);
          const seen = proxy.seen.slice(before);
          expect([env, seen]).toEqual([env, through ? [`CONNECT ${target}`] : []]);
        }
        const requests = simulator.log.entries.length;
        const refused = await runConnector(['check'], {
          config: configFor(simulator),
          env: { HTTPS_PROXY: proxy.url },
        });
        const message = expect.stringContaining('NODE_EXTRA_CA_CERTS') as string;
        expect(refused.connectionStatus).toEqual({ status: 'FAILED', message });
        // The tunnel was made, and nothing was sent through it.
        expect(proxy.seen.at(-1)).toBe(`CONNECT ${target}`);
        expect(simulator.log.entries).toHaveLength(requests);
      } finally {
        await proxy.close();
      }
    });
  });

  it.each([
    ['Standard Server', 'amplitude.com', 'EU Residency Server', 'analytics.eu.amplitude.com'],
    ['EU Residency Server', 'analytics.eu.amplitude.com', 'Standard Server', 'amplitude.com'],
  ])('check tells that a key used for %s (%s) is of %s (%s)', async (region, host, other, otherHost) => {
    const strangers = {
      ...TWO_DAYS,
      tls: PUBLIC_TLS,
      settings: { credentials: { apiKey: 'another', secretKey: 'project' } },
    };
    await withSimulator({ ...TWO_DAYS, tls: PUBLIC_TLS }, (home) =>
      withSimulator(strangers, async (wrong) => {
        const proxy = await startProxy({ [`${otherHost}:443`]: home.port, [`${host}:443`]: wrong.port });
        try {
          const { apiKey, secretKey } = home.settings.credentials;
          const config = { api_key: apiKey, secret_key: secretKey, data_region: region };
          const env = { HTTPS_PROXY: proxy.url, ...TRUST };
          const output = await runConnector(['check'], { config, env });
          const message = expect.stringContaining(`set Data region to "${other}"`) as string;
          expect(output.connectionStatus).toEqual({ status: 'FAILED', message });
          const mended = await runConnector(['check'], { config: { ...config, data_region: other }, env });
          expect(mended.connectionStatus).toEqual({ status: 'SUCCEEDED' });
        } finally {
          await proxy.close();
        }
      }),
    );
  });

  it('a certificate that is not trusted is the user’s to mend, and the message says how', async () => {
    await withSimulator({ ...TWO_DAYS, tls: PUBLIC_TLS }, async (simulator) => {
      const output = await runConnector(['check'], { config: configFor(simulator) });
      const message = expect.stringContaining('NODE_EXTRA_CA_CERTS') as string;
      expect(output.connectionStatus).toEqual({ status: 'FAILED', message });
    });
  });
});
