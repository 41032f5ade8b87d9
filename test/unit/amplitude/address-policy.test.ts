import { lookup as resolve, type LookupAddress } from 'node:dns';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { assertUrlAllowed, guardedLookup, isPrivateAddress } from '../../../src/amplitude/address-policy';
import { ConnectorFailure } from '../../../src/failure';
import { runs } from '../../harness/runs';

const CLOUD = { cloud: true };
const OWN = { cloud: false };
const LINK_LOCAL = 'a link-local or metadata-service address';
const WHAT = 'Base URL (base_url)';

function refusal(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (!(error instanceof ConnectorFailure) || error.kind !== 'config') throw error;
    return error.message;
  }
}

describe('private addresses', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.0.0.0',
    '10.255.255.255',
    '100.64.0.1',
    '100.127.255.255',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '::1',
    '::',
    '0:0:0:0:0:0:0:1',
    'fc00::1',
    'fdff:ffff::1',
    'fe80::1',
    'febf::1',
    '::ffff:127.0.0.1',
    '::FFFF:10.1.2.3',
    '::ffff:7f00:1',
    '::ffff:a9fe:a9fe',
    '0:0:0:0:0:ffff:c0a8:0001',
    // As a NAT64 gateway leads to them.
    '64:ff9b::10.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::a9fe:a9fe',
  ])('%s is one', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  it.each([
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.1',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '2606:4700::1',
    'fbff::1',
    'fec0::1',
    '::ffff:8.8.8.8',
    '::ffff:808:808',
    '64:ff9b::8.8.8.8',
    'localhost',
    'amplitude.com',
    '',
  ])('%j is none', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });
});

it('an IPv4 address is judged the same in every form that holds it', () => {
  const bytes = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
  fc.assert(
    fc.property(bytes, ([a, b, c, d]) => {
      const dotted = `${a}.${b}.${c}.${d}`;
      const hex = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
      const expected = isPrivateAddress(dotted);
      for (const form of [`::ffff:${dotted}`, `::ffff:${hex}`, `64:ff9b::${dotted}`, `64:ff9b::${hex}`]) {
        expect([form, isPrivateAddress(form)]).toEqual([form, expected]);
        // As the URL parser writes it.
        const { hostname } = new URL(`https://[${form}]`);
        expect(isPrivateAddress(hostname.slice(1, -1))).toBe(expected);
      }
    }),
    { numRuns: runs(200) },
  );
});

describe('a URL', () => {
  it.each([
    ['https://amplitude.com', undefined, undefined],
    ['https://8.8.8.8', undefined, undefined],
    ['https://[2606:4700::1]:8443/path', undefined, undefined],
    ['https://localhost', undefined, 'private'],
    ['https://api.localhost', undefined, 'private'],
    ['https://127.0.0.1', undefined, 'private'],
    ['https://2130706433', undefined, 'private'],
    ['https://0x7f.1', undefined, 'private'],
    ['https://0177.0.0.1', undefined, 'private'],
    ['https://10.1.2.3', undefined, 'private'],
    // Never, whatever the mode.
    ['https://169.254.169.254', LINK_LOCAL, LINK_LOCAL],
    ['http://169.254.0.1', LINK_LOCAL, 'https'],
    ['https://169.254.255.255', LINK_LOCAL, LINK_LOCAL],
    ['https://0xa9fea9fe', LINK_LOCAL, LINK_LOCAL],
    ['https://[fe80::1]', LINK_LOCAL, LINK_LOCAL],
    ['https://[febf:ffff::1]', LINK_LOCAL, LINK_LOCAL],
    ['https://[::ffff:169.254.169.254]', LINK_LOCAL, LINK_LOCAL],
    ['https://[64:ff9b::a9fe:a9fe]', LINK_LOCAL, LINK_LOCAL],
    ['https://[fd00:ec2::254]', LINK_LOCAL, LINK_LOCAL],
    ['https://[fd20:ce::254]', LINK_LOCAL, LINK_LOCAL],
    ['https://100.100.100.200', LINK_LOCAL, LINK_LOCAL],
    ['https://168.63.129.16', LINK_LOCAL, LINK_LOCAL],
    ['https://169.253.255.255', undefined, undefined],
    ['https://169.255.0.0', undefined, undefined],
    ['https://[fd00:ec2::253]', undefined, 'private'],
    ['https://[::1]', undefined, 'private'],
    ['https://[::ffff:10.0.0.1]', undefined, 'private'],
    ['https://[::ffff:a00:1]', undefined, 'private'],
    ['https://[fd00::1]', undefined, 'private'],
    ['http://localhost:8080', undefined, 'https'],
    ['http://127.0.0.1:8080', undefined, 'https'],
    ['http://192.168.1.5', undefined, 'https'],
    ['http://[::1]:80', undefined, 'https'],
    ['http://[::ffff:127.0.0.1]', undefined, 'https'],
    ['http://8.8.8.8', 'unencrypted', 'https'],
    ['http://[2606:4700::1]', 'unencrypted', 'https'],
    // Names are judged when they are resolved.
    ['http://amplitude.com', undefined, 'https'],
    ['https://internal.example', undefined, undefined],
    ['ftp://amplitude.com', 'https', 'https'],
    ['file:///etc/passwd', 'https', 'https'],
    ['data:text/plain,x', 'https', 'https'],
  ])('%s: own installation %s, cloud %s', (text, own, cloud) => {
    const url = new URL(text);
    for (const [policy, expected] of [
      [OWN, own],
      [CLOUD, cloud],
    ] as const) {
      const message = refusal(() => assertUrlAllowed(url, policy, WHAT));
      if (expected === undefined) expect(message).toBeUndefined();
      else {
        expect(message).toContain(expected);
        expect(message).toContain(WHAT);
      }
    }
  });
});

describe('the lookup of sockets', () => {
  let server: Server;
  let port: number;
  beforeAll(async () => {
    server = createServer((_request, response) => response.end('here'));
    await new Promise<void>((resolveListen) => server.listen(0, '127.0.0.1', resolveListen));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => new Promise((resolveClose) => server.close(resolveClose)));

  type Answer = { error: unknown; addresses: string | LookupAddress[] };
  function look(protocol: 'http:' | 'https:', cloud: boolean, all: boolean): Promise<Answer> {
    return new Promise((done) => {
      guardedLookup(protocol, { cloud })('localhost', { all }, (error, addresses) =>
        done({ error, addresses }),
      );
    });
  }

  it('gives what DNS gives, one address or all, where they are allowed', async () => {
    const known = await new Promise<string[]>((done, fail) =>
      resolve('localhost', { all: true }, (error, found) =>
        error ? fail(error) : done(found.map(({ address }) => address)),
      ),
    );
    const one = await look('http:', false, false);
    expect(one.error).toBeNull();
    expect(known).toContain(one.addresses);
    const every = await look('https:', false, true);
    expect(every.error).toBeNull();
    expect((every.addresses as LookupAddress[]).map(({ address }) => address)).toEqual(known);
  });

  it.each(['http:', 'https:'] as const)(
    'refuses a name of a private address in the cloud (%s)',
    async (scheme) => {
      const { error } = await look(scheme, true, false);
      expect(error).toBeInstanceOf(ConnectorFailure);
      expect((error as ConnectorFailure).kind).toBe('config');
      expect((error as ConnectorFailure).message).toContain('The host localhost leads to a private');
    },
  );

  it('passes on what DNS says of a name that does not exist', async () => {
    const error = await new Promise<NodeJS.ErrnoException | null>((done) => {
      guardedLookup('https:', OWN)('no-such-host.invalid', {}, (failure) => done(failure));
    });
    expect(['ENOTFOUND', 'EAI_AGAIN']).toContain(error?.code);
    expect(error).not.toBeInstanceOf(ConnectorFailure);
  });

  const request = (cloud: boolean): Promise<string> =>
    new Promise((done, fail) => {
      const lookup = guardedLookup('http:', { cloud });
      // No agent: an open connection would be used again without a lookup.
      get({ host: 'localhost', port, family: 4, agent: false, lookup }, (response) => {
        response.setEncoding('utf8').on('data', done);
      }).on('error', fail);
    });

  it('keeps a real socket from being opened', async () => {
    await expect(request(false)).resolves.toBe('here');
    await expect(request(true)).rejects.toThrow('private network address');
  });
});
