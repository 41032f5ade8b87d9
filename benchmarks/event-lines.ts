const CITIES = ['São Paulo', 'Zürich', 'Berlin', 'København', '東京', 'Chicago', 'Łódź', 'Austin', 'Paris'];
const PAGES = ['/pricing', '/checkout/step-2', '/blog/how-to-measure-retention', '/', '/account/settings'];
const TITLES = [
  'Grüße aus dem Café',
  'お買い物ガイド',
  'Weekly report',
  'Прайс-лист 2026',
  'Say \\"hello\\" ✨',
];

/**
 * Event lines of about 1.7 KB with the 55 keys that a live Amplitude export has, a third of them null, some with text
 * outside ASCII. The same seed gives the same bytes.
 */
export function createEventLines(bytes: number, seed = 1): Buffer {
  const random = createRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const digits = (count: number): string =>
    String(Math.floor(random() * 9 * 10 ** (count - 1)) + 10 ** (count - 1));
  const hex = (count: number): string =>
    Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join('');
  const time = (): string => {
    const text = new Date(1_790_000_000_000 + Math.floor(random() * 3_600_000)).toISOString();
    return JSON.stringify(`${text.slice(0, 10)} ${text.slice(11, 23)}000`);
  };
  const createLine = (): string => {
    const uuid = `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
    const sessionId = `17900${digits(8)}`;
    return (
      `{"$insert_id":"${hex(8)}-${hex(4)}-${hex(12)}","$insert_key":null,"$schema":null,"adid":null,` +
      `"amplitude_attribution_ids":null,"amplitude_event_type":null,"amplitude_id":${digits(12)},"app":310022,` +
      `"city":"${pick(CITIES)}","client_event_time":${time()},"client_upload_time":${time()},"country":"Germany",` +
      `"data":{"path":"/2/httpapi","group_first_event":{},"group_ids":{},"user_properties_updated":true},` +
      `"data_type":"event","device_brand":null,"device_carrier":null,"device_family":"Apple iPhone",` +
      `"device_id":"${hex(8)}-${hex(4)}-${hex(4)}R","device_manufacturer":null,"device_model":null,` +
      `"device_type":"Apple iPhone","dma":null,"event_id":${digits(1 + Math.floor(random() * 5))},` +
      `"event_properties":{"[Amplitude] Page Path":"${pick(PAGES)}","title":"${pick(TITLES)}","total":${digits(4)}.5,` +
      `"items":[{"sku":"A-${digits(5)}","quantity":${digits(1)},"price":${digits(2)}.99},{"sku":"B-${digits(6)}",` +
      `"quantity":1,"price":0.0}],"is_first":${random() < 0.5},"coupon":null,` +
      `"referrer":"https://example.com${pick(PAGES)}?utm_source=newsletter&utm_campaign=${hex(6)}"},` +
      `"event_time":${time()},"event_type":"${pick(['Order Paid', 'Page Viewed', 'session_start', '$identify'])}",` +
      `"global_user_properties":{},"group_properties":{},"groups":{},"idfa":null,"ip_address":"203.0.113.${digits(2)}",` +
      `"is_attribution_event":null,"language":"German","library":"amplitude-ts/2.11.1","location_lat":null,` +
      `"location_lng":null,"os_name":"ios","os_version":"17.${digits(1)}","partner_id":null,"paying":null,"plan":{},` +
      `"platform":"iOS","processed_time":${time()},"region":"Bavaria","sample_rate":null,` +
      `"server_received_time":${time()},"server_upload_time":${time()},"session_id":${sessionId},"source_id":null,` +
      `"start_version":null,"user_creation_time":${random() < 0.5 ? 'null' : time()},"user_id":"user-${digits(7)}",` +
      `"user_properties":{"plan":"${pick(['free', 'pro', 'team'])}","visits":${digits(2)},"locale":"de_DE"},` +
      `"uuid":"${uuid}","version_name":"4.${digits(2)}.0"}\n`
    );
  };
  const lines: Buffer[] = [];
  for (let total = 0; total < bytes; total += lines.at(-1)!.length) lines.push(Buffer.from(createLine()));
  return Buffer.concat(lines);
}

/** A small generator of numbers from 0 to 1: a linear congruence modulo 2^32. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
