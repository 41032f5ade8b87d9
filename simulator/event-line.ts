import { HOUR_MS } from './hours';
import { mix, Random } from './random';

/** Where an event stands; together with the seed it decides every byte of the line. */
export interface EventPlace {
  readonly seed: number;
  readonly projectId: number;
  readonly hourMs: number;
  /** From 0 within the hour. */
  readonly index: number;
  readonly count: number;
  /** Rare but legal values: see `oddProperties`. */
  readonly quirks: boolean;
}

const NAMES = [
  'Page Viewed',
  'Order Paid',
  'session_start',
  '[Amplitude] Element Clicked',
  'Video Watched',
] as const;
const PATHS = [
  '/',
  '/pricing',
  '/docs/getting-started',
  '/cart',
  '/account/settings',
  '/blog/release-notes',
] as const;
const PLACES = [
  ['United States', 'California', 'San Francisco', '37.7749', '-122.4194'],
  ['Germany', 'Berlin', 'Berlin', '52.52', '13.405'],
  ['Côte d’Ivoire', 'Abidjan', 'Abidjan', '5.36', '-4.0083'],
  ['Japan', '東京都', '新宿区', '35.6938', '139.7034'],
] as const;
const DEVICES = [
  ['Web', 'Chrome', '126', 'Mac OS X', 'amplitude-ts/2.9.1'],
  ['iOS', 'ios', '17.5.1', 'Apple iPhone', 'amplitude-swift/1.6.0'],
  ['Android', 'android', '14', 'Google Pixel 8', 'amplitude-android/2.39.2'],
] as const;

/** Timestamp as Amplitude writes it: UTC, a space, no zone, and 0, 3 or 6 digits of fraction. */
export function formatTimestamp(micros: number, digits: 0 | 3 | 6): string {
  const text = new Date(Math.floor(micros / 1000)).toISOString();
  const seconds = `${text.slice(0, 10)} ${text.slice(11, 19)}`;
  if (digits === 0) return seconds;
  if (digits === 3) return `${seconds}.${text.slice(20, 23)}`;
  return `${seconds}.${text.slice(20, 23)}${String(micros % 1000).padStart(3, '0')}`;
}

/** Legal JSON that a parse and a stringify in JavaScript, or a reader of lines in Python, would change. */
function oddProperties(random: Random): string {
  let text = '';
  if (random.chance(0.3)) text += `,"ad_metrics.cost":${random.below(900)}.0`;
  if (random.chance(0.25)) text += `,"order_id":${random.digits(19)}`;
  if (random.chance(0.25)) text += ',"discount":0.0';
  if (random.chance(0.05)) text += `,"event_time":"2001-02-03 04:05:06","server_upload_time":"not a time"`;
  if (random.chance(0.02)) text += ',"note":"one\u2028two\u2029three\u0085four"';
  if (random.chance(0.02)) text += ',"escaped":"\\u2028 \\ud83d\\ude00 \\/ \\"\\\\\\" \\t"';
  if (random.chance(0.02)) text += ',"emoji":"🦊 naïve\ufeff"';
  if (random.chance(0.02)) text += `,"ratio":1.10,"exp":1E+2,"minus":-0.0,"tiny":5e-324`;
  if (random.chance(0.02)) text += ',"":"empty key"," spaced [key]":[[],{},[null,true,false]]';
  if (random.chance(0.005)) text += ',"Twice":1,"Twice":2';
  if (random.chance(0.004)) text += ',"beyond_double":1e400,"under":-1E-400';
  return text;
}

function eventProperties(random: Random, quirks: boolean): string {
  const path = random.pick(PATHS);
  return (
    `{"[Amplitude] Page Path":"${path}","total":${random.below(300)}.${random.below(100)}` +
    `,"items":[${random.below(9)},${random.below(9)}],"[Plan] tier":"pro"` +
    `${quirks ? oddProperties(random) : ''}}`
  );
}

function userProperties(random: Random, city: string, quirks: boolean): string {
  const twins =
    quirks && random.chance(0.2) ? `,"City":"${city.toUpperCase()}","country":null,"Country":"XX"` : '';
  return `{"city":"${city}","plan":"pro","initial_utm_medium":"(none)","seats":${random.below(40)},"legacy_account":${random.digits(12)}${twins}}`;
}

/** What may stand in a deprecated or client-sent timestamp: a value, null, or (seen in production) an empty string. */
function looseTimestamp(random: Random, micros: number, quirks: boolean): string {
  const draw = quirks ? random.next() : 1;
  if (draw < 0.02) return 'null';
  if (draw < 0.04) return '""';
  if (draw < 0.07) return `"${formatTimestamp(micros, 3)}"`;
  return `"${formatTimestamp(micros, draw < 0.1 ? 0 : 6)}"`;
}

function uploadMicros(random: Random, place: EventPlace): { micros: number; digits: 0 | 3 | 6 } {
  const hour = place.hourMs * 1000;
  // The two edges of every hour: the first microsecond without a fraction, as Amplitude writes a zero one, and the last.
  if (place.index === 0) return { micros: hour, digits: 0 };
  if (place.index === place.count - 1) return { micros: hour + HOUR_MS * 1000 - 1, digits: 6 };
  return {
    micros: hour + random.below(HOUR_MS) * 1000,
    digits: place.quirks && random.chance(0.05) ? 3 : 6,
  };
}

/** The uuid is unique in a data set: it spells out hour and index, and is otherwise random like a real one. */
function makeUuid(random: Random, place: EventPlace): string {
  const hour = Math.floor(place.hourMs / HOUR_MS)
    .toString(16)
    .padStart(6, '0')
    .slice(-6);
  const index = place.index.toString(16).padStart(7, '0');
  return (
    `${mix(place.seed, place.projectId, hour).toString(16).padStart(8, '0')}-${hour.slice(0, 4)}-4${hour.slice(4)}${index.slice(0, 1)}` +
    `-a${random.hex(3)}-${index.slice(1)}${random.hex(6)}`
  );
}

/**
 * One exported event: the exact text of its line (no line end) with all 55 keys, and its uuid.
 * Written as text, because JSON.stringify could not write `0.0`, 19-digit integers or a key twice.
 */
export function writeEvent(place: EventPlace): { line: string; uuid: string } {
  const { quirks } = place;
  const random = new Random(mix(place.seed, place.projectId, place.hourMs / HOUR_MS, place.index));
  const uuid = makeUuid(random, place);
  const { micros: upload, digits } = uploadMicros(random, place);
  const received = upload - 8000;
  // A few devices were offline: their events are days older than the hour they are exported in, and one clock runs ahead.
  const age = random.chance(0.03) ? random.below(20) * 86_400_000_000 : random.below(50_000_000);
  const clientEvent = quirks && random.chance(0.005) ? upload + 3 * 86_400_000_000 : received - age;
  const clientUpload = received - 240_000;
  const user = random.below(5000);
  const [country, region, city, lat, lng] = random.pick(PLACES);
  const [platform, os, osVersion, family, library] = random.pick(DEVICES);
  const http = random.chance(0.3);
  const insertId = quirks && random.chance(0.1) ? 'null' : `"${uuid.slice(0, 8)}-${random.hex(8)}"`;
  const session =
    http || random.chance(0.05) ? '-1' : String(Math.floor(clientEvent / 1000) - random.below(600_000));
  const schema = quirks && random.chance(0.05) ? random.pick(['12', '"v1"']) : 'null';
  const line =
    `{"$insert_id":${insertId},"$insert_key":null,"$schema":${schema},"adid":null,"amplitude_attribution_ids":` +
    `${quirks && random.chance(0.02) ? '["a1","a2"]' : 'null'},"amplitude_event_type":null,"amplitude_id":${781_200_000_000 + user}` +
    `,"app":${place.projectId},"city":"${city}","client_event_time":${looseTimestamp(random, clientEvent, quirks)}` +
    `,"client_upload_time":${looseTimestamp(random, clientUpload, quirks)},"country":"${country}"` +
    `,"data":{"path":"/2/httpapi","group_first_event":{},"group_ids":{}},"data_type":"event"` +
    `,"device_brand":null,"device_carrier":null,"device_family":"${family}","device_id":"d-${(user * 7919) % 100_003}"` +
    `,"device_manufacturer":null,"device_model":null,"device_type":"${family}","dma":null,"event_id":${random.below(4000)}` +
    `,"event_properties":${eventProperties(random, quirks)},"event_time":"${formatTimestamp(clientEvent, 6)}"` +
    `,"event_type":"${random.pick(NAMES)}","global_user_properties":${random.chance(0.5) ? '{}' : 'null'},"group_properties":{}` +
    `,"groups":${random.chance(0.1) ? '{"org":["acme"]}' : '{}'},"idfa":null,"ip_address":"203.0.113.${random.below(255)}"` +
    `,"is_attribution_event":null,"language":"English","library":"${http ? 'http/2.0' : library}","location_lat":${http ? 'null' : lat}` +
    `,"location_lng":${http ? 'null' : lng},"os_name":"${os}","os_version":"${osVersion}","partner_id":null` +
    `,"paying":${quirks ? random.pick(['null', 'true', 'false', '"(none)"']) : 'null'}` +
    `,"plan":${random.chance(0.1) ? '{"branch":"main","source":"web","version":"7"}' : '{}'},"platform":"${platform}"` +
    `,"processed_time":${looseTimestamp(random, upload + 753_000, quirks)},"region":"${region}"` +
    `,"sample_rate":${quirks ? random.pick(['null', '1', '0.5', '"0.1"']) : 'null'}` +
    `,"server_received_time":"${formatTimestamp(received, 6)}","server_upload_time":"${formatTimestamp(upload, digits)}"` +
    `,"session_id":${session},"source_id":null,"start_version":"3.${random.below(9)}.0"` +
    `,"user_creation_time":${looseTimestamp(random, upload - 9e12, quirks)},"user_id":${http ? 'null' : `"u-${user}"`}` +
    `,"user_properties":${userProperties(random, city, quirks)},"uuid":"${uuid}","version_name":"3.${random.below(9)}.${random.below(20)}"}`;
  return { line, uuid };
}
