import { lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { ConnectorFailure } from '../failure';

/**
 * Where requests may go. In Airbyte's cloud a `base_url` must not reach into the platform's own network; anywhere,
 * keys must not cross a public network in the clear, and link-local addresses are out of reach.
 */
export interface AddressPolicy {
  readonly cloud: boolean;
}

type Network = readonly [address: string, prefix: number];

function listOf(ipv4: readonly Network[], ipv6: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ipv4) {
    list.addSubnet(network, prefix, 'ipv4');
    // The same network as a NAT64 gateway leads to it (RFC 6052).
    list.addSubnet(`64:ff9b::${network}`, 96 + prefix, 'ipv6');
  }
  for (const [network, prefix] of ipv6) list.addSubnet(network, prefix, 'ipv6');
  return list;
}

const PRIVATE = listOf(
  [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ],
  [
    ['::', 128],
    ['::1', 128],
    ['fc00::', 7],
    ['fe80::', 10],
  ],
);

/** Metadata services answer here with the credentials of the machine that asks; some clouds put them outside link-local. */
const MACHINE_OWN = listOf(
  [
    ['169.254.0.0', 16],
    ['100.100.100.200', 32],
    ['168.63.129.16', 32],
  ],
  [
    ['fe80::', 10],
    ['fd00:ec2::254', 128],
    ['fd20:ce::254', 128],
  ],
);

function isIn(list: BlockList, address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return list.check(mapped, 'ipv4');
  return list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** Loopback, link-local and private ranges, also when an IPv4 address is written as an IPv6 one. */
export function isPrivateAddress(address: string): boolean {
  return isIn(PRIVATE, address);
}

/** The parts of the policy that need no DNS; host names are judged when they are resolved. */
export function assertUrlAllowed(url: URL, policy: AddressPolicy, what: string): void {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new ConnectorFailure('config', `${what} must be an https URL.`);
  }
  if (policy.cloud && url.protocol === 'http:') {
    throw new ConnectorFailure('config', `${what} must use https in Airbyte Cloud.`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const local = host === 'localhost' || host.endsWith('.localhost');
  if (local || isIP(host) !== 0) assertAddressAllowed(local ? '127.0.0.1' : host, url.protocol, policy, what);
}

function assertAddressAllowed(address: string, protocol: string, policy: AddressPolicy, what: string): void {
  if (isIn(MACHINE_OWN, address)) {
    throw new ConnectorFailure(
      'config',
      `${what} leads to ${address}, a link-local or metadata-service address. Such addresses hand out the ` +
        "machine's own credentials, so they are never contacted.",
    );
  }
  const isPrivate = isPrivateAddress(address);
  if (policy.cloud && isPrivate) {
    throw new ConnectorFailure(
      'config',
      `${what} leads to a private network address, which Airbyte Cloud does not allow.`,
    );
  }
  if (protocol === 'http:' && !isPrivate) {
    throw new ConnectorFailure(
      'config',
      `${what} uses plain http to a public address, which would send the keys unencrypted. Use https.`,
    );
  }
}

/** A DNS lookup for sockets that refuses addresses which the policy forbids, so that a name cannot hide one. */
export function guardedLookup(protocol: 'http:' | 'https:', policy: AddressPolicy): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      try {
        for (const { address } of addresses)
          assertAddressAllowed(address, protocol, policy, `The host ${hostname}`);
      } catch (refusal) {
        return callback(refusal as NodeJS.ErrnoException, '', 0);
      }
      const [first] = addresses;
      if (options.all || !first) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}
