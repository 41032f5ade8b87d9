import type { AmplitudeApi } from '../../src/amplitude/client';
import { CHECK_LIMITS, checkConnection } from '../../src/check';
import { parseConfig, type Config } from '../../src/config';
import { readEnvironment } from '../../src/environment';
import { ConnectorFailure } from '../../src/failure';
import { loadSpec } from '../../src/inputs';
import { FakeApi, httpFailure } from './streams/fake-context';

const NOW = Date.parse('2026-10-04T12:34:56Z');
const configOf = (changes: object = {}): Config =>
  parseConfig(
    { api_key: 'key', secret_key: 'secret', ...changes },
    loadSpec().connectionSpecification,
    readEnvironment({}),
    NOW,
  );

/** What is asked of which host, and the answers by `host path`; what has no answer is refused like a wrong key. */
function hosts(answers: Readonly<Record<string, unknown>>): {
  asked: string[];
  connectTo: (config: Config) => AmplitudeApi;
} {
  const asked: string[] = [];
  const connectTo = ({ baseUrl }: Config): AmplitudeApi =>
    new FakeApi({
      json: ({ path }) => {
        const request = `${baseUrl.host} ${path}`;
        asked.push(request);
        const answer =
          answers[request] ?? httpFailure(403, 'Amplitude refused access (HTTP 403: Invalid API Key).');
        if (answer instanceof Error) throw answer;
        return answer;
      },
    });
  return { asked, connectTo };
}

const check = async (
  config: Config,
  connectTo: (config: Config, retries?: number) => AmplitudeApi,
): Promise<unknown> => {
  try {
    await checkConnection(config, NOW, connectTo);
    return undefined;
  } catch (error) {
    return error;
  }
};

it('ends within a minute or so, whatever the other side does', () => {
  const { retries, idleTimeoutMs, patienceMs } = CHECK_LIMITS;
  expect((retries + 1) * idleTimeoutMs + retries * patienceMs).toBeLessThanOrEqual(70_000);
});

it('tries the other region once', async () => {
  const retries: unknown[] = [];
  const { connectTo } = hosts({});
  await check(configOf(), (config, given) => {
    retries.push(given);
    return connectTo(config);
  });
  expect(retries).toEqual([undefined, 0]);
});

const V3 = '/api/3/annotations';
const V2 = '/api/2/annotations';
const LIST = { data: [] };

it('passes with one small request to the annotations', async () => {
  const { asked, connectTo } = hosts({ [`amplitude.com ${V3}`]: LIST });
  expect(await check(configOf(), connectTo)).toBeUndefined();
  expect(asked).toEqual([`amplitude.com ${V3}`]);
});

it('asks the older endpoint where the newer one is missing', async () => {
  const { asked, connectTo } = hosts({
    [`amplitude.com ${V3}`]: httpFailure(404, 'not found'),
    [`amplitude.com ${V2}`]: LIST,
  });
  expect(await check(configOf(), connectTo)).toBeUndefined();
  expect(asked).toEqual([`amplitude.com ${V3}`, `amplitude.com ${V2}`]);
});

it('fails with the failure of the older endpoint when both are missing', async () => {
  const { connectTo } = hosts({
    [`amplitude.com ${V3}`]: httpFailure(404, 'first'),
    [`amplitude.com ${V2}`]: httpFailure(404, 'second'),
  });
  expect(await check(configOf(), connectTo)).toMatchObject({ kind: 'config', message: 'second' });
});

describe('a key that is refused', () => {
  it('is told to be of the other region where it is known there', async () => {
    const { asked, connectTo } = hosts({ [`analytics.eu.amplitude.com ${V3}`]: LIST });
    const failure = await check(configOf(), connectTo);
    expect(failure).toMatchObject({
      kind: 'config',
      message: expect.stringContaining('"EU Residency Server"'),
    });
    expect(asked).toEqual([`amplitude.com ${V3}`, `analytics.eu.amplitude.com ${V3}`]);
    const european = hosts({ [`amplitude.com ${V3}`]: LIST });
    expect(await check(configOf({ data_region: 'EU Residency Server' }), european.connectTo)).toMatchObject({
      message: expect.stringContaining('"Standard Server"'),
    });
  });

  it.each<[string, unknown]>([
    ['refused there too', undefined],
    ['limited there', httpFailure(429, 'limited')],
    ['not reached there', new ConnectorFailure('transient', 'no route', undefined, { code: 'ENETUNREACH' })],
  ])('is told to be wrong when it is %s', async (_what, answer) => {
    const { connectTo } = hosts(answer === undefined ? {} : { [`analytics.eu.amplitude.com ${V3}`]: answer });
    expect(await check(configOf(), connectTo)).toMatchObject({
      kind: 'config',
      status: 403,
      message: expect.stringContaining('Invalid API Key'),
    });
  });

  it('is never sent to Amplitude’s other host when the user chose a host', async () => {
    const { asked, connectTo } = hosts({});
    const failure = await check(configOf({ base_url: 'https://proxy.example.com' }), connectTo);
    expect(failure).toMatchObject({ status: 403 });
    expect(asked).toEqual([`proxy.example.com ${V3}`]);
  });
});

describe('a host that cannot be reached', () => {
  const notFound = new ConnectorFailure('transient', 'could not be reached', 'detail', { code: 'ENOTFOUND' });

  it('is the user’s to mend when the name in base_url does not exist', async () => {
    const { connectTo } = hosts({ [`nowhere.example.com ${V3}`]: notFound });
    expect(await check(configOf({ base_url: 'https://nowhere.example.com' }), connectTo)).toMatchObject({
      kind: 'config',
      message: expect.stringMatching(/nowhere\.example\.com.*\(base_url\)/),
    });
  });

  it('is nobody’s fault when it is Amplitude’s', async () => {
    const { connectTo } = hosts({ [`amplitude.com ${V3}`]: notFound });
    expect(await check(configOf(), connectTo)).toBe(notFound);
  });
});

it.each([400, 401, 408, 429, 500])('passes a %d on as it is', async (status) => {
  const failure = httpFailure(status, 'words');
  const { asked, connectTo } = hosts({ [`amplitude.com ${V3}`]: failure });
  expect(await check(configOf(), connectTo)).toBe(failure);
  expect(asked).toHaveLength(1);
});

it('passes on what is no failure of the request, also from the other region', async () => {
  const bug = new TypeError('a bug');
  expect(await check(configOf(), hosts({ [`amplitude.com ${V3}`]: bug }).connectTo)).toBe(bug);
  expect(await check(configOf(), hosts({ [`analytics.eu.amplitude.com ${V3}`]: bug }).connectTo)).toBe(bug);
});

it('refuses a start in the future without a request', async () => {
  const { asked, connectTo } = hosts({ [`amplitude.com ${V3}`]: LIST });
  const failure = await check(configOf({ start_date: '2030-01-01' }), connectTo);
  expect(failure).toMatchObject({ kind: 'config', message: expect.stringContaining('start_date') });
  expect(asked).toEqual([]);
  expect(await check(configOf({ start_date: '2026-10-04T12:34:56Z' }), connectTo)).toBeUndefined();
});
