import { ConnectorFailure } from '../failure';
import { type AddressPolicy, assertUrlAllowed } from './address-policy';

export type Region = 'Standard Server' | 'EU Residency Server';

/** Amplitude's hosts by data region, as its API reference gives them. */
const HOSTS: Readonly<Record<Region, string>> = {
  'Standard Server': 'https://amplitude.com',
  'EU Residency Server': 'https://analytics.eu.amplitude.com',
};

export function regionUrl(region: Region): URL {
  return new URL(HOSTS[region]);
}

export function otherRegion(region: Region): Region {
  return region === 'Standard Server' ? 'EU Residency Server' : 'Standard Server';
}

/** The URL of a `base_url` setting. @throws ConnectorFailure (config) that names the field. */
export function parseBaseUrl(text: string, policy: AddressPolicy): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new ConnectorFailure(
      'config',
      'Base URL (base_url) is not a URL. Give one such as https://amplitude.com, or leave it out.',
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConnectorFailure('config', 'Base URL (base_url) must not contain a user name or password.');
  }
  assertUrlAllowed(url, policy, 'Base URL (base_url)');
  url.search = '';
  url.hash = '';
  return url;
}
