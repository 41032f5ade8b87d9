import { otherRegion, parseBaseUrl, regionUrl } from '../../../src/amplitude/regions';
import { ConnectorFailure } from '../../../src/failure';

const OWN = { cloud: false };
const CLOUD = { cloud: true };

describe('data regions', () => {
  it("have Amplitude's hosts", () => {
    expect(regionUrl('Standard Server').href).toBe('https://amplitude.com/');
    expect(regionUrl('EU Residency Server').href).toBe('https://analytics.eu.amplitude.com/');
  });

  it('are two', () => {
    expect(otherRegion('Standard Server')).toBe('EU Residency Server');
    expect(otherRegion('EU Residency Server')).toBe('Standard Server');
  });
});

describe('base_url', () => {
  it.each([
    ['https://proxy.example.com', 'https://proxy.example.com/'],
    ['https://proxy.example.com:8443/amplitude/', 'https://proxy.example.com:8443/amplitude/'],
    ['https://proxy.example.com/a?key=1#part', 'https://proxy.example.com/a'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/'],
    ['http://localhost:8080', 'http://localhost:8080/'],
    ['http://172.17.0.1:8080', 'http://172.17.0.1:8080/'],
    ['http://host.docker.internal:80', 'http://host.docker.internal/'],
  ])('%s', (text, href) => {
    expect(parseBaseUrl(text, OWN).href).toBe(href);
  });

  it.each([
    ['amplitude.com', OWN],
    ['https://', OWN],
    ['https://[::1', OWN],
    ['', OWN],
    ['ftp://example.com', OWN],
    ['http://8.8.8.8', OWN],
    ['https://user@example.com', OWN],
    ['https://:secret@example.com', OWN],
    ['http://localhost:8080', CLOUD],
    ['https://localhost:8080', CLOUD],
    ['https://10.0.0.1', CLOUD],
    ['http://example.com', CLOUD],
  ])('%j is refused (%p), and the message names the field but no password', (text, policy) => {
    let thrown: unknown;
    try {
      parseBaseUrl(text, policy);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ConnectorFailure);
    expect((thrown as ConnectorFailure).kind).toBe('config');
    expect((thrown as ConnectorFailure).message).toContain('base_url');
    expect((thrown as ConnectorFailure).message).not.toContain('secret');
  });
});
