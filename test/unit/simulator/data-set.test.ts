import { DataSet } from '../../../simulator/data-set';
import { HOUR_MS, requireHour } from '../../../simulator/hours';

const KEYS =
  '$insert_id $insert_key $schema adid amplitude_attribution_ids amplitude_event_type amplitude_id app city client_event_time ' +
  'client_upload_time country data data_type device_brand device_carrier device_family device_id device_manufacturer device_model ' +
  'device_type dma event_id event_properties event_time event_type global_user_properties group_properties groups idfa ip_address ' +
  'is_attribution_event language library location_lat location_lng os_name os_version partner_id paying plan platform processed_time ' +
  'region sample_rate server_received_time server_upload_time session_id source_id start_version user_creation_time user_id ' +
  'user_properties uuid version_name';

function lines(data: DataSet): string[] {
  return Array.from(data.truth(), (event) => event.line);
}

describe('the data set', () => {
  const data = new DataSet({ startHour: '20240229T22', hours: 4, eventsPerHour: 1500, seed: 7 });
  const all = lines(data);

  it('gives every event the 55 documented keys, in 1 to 2 KB', () => {
    expect(all).toHaveLength(6000);
    const keys = new Set(all.map((line) => Object.keys(JSON.parse(line) as object).join(' ')));
    expect([...keys]).toEqual([KEYS]);
    const bytes = all.map((line) => Buffer.byteLength(line));
    expect(Math.min(...bytes)).toBeGreaterThan(1000);
    expect(Math.max(...bytes)).toBeLessThan(2100);
  });

  it('is the same for the same seed and differs for another seed or project', () => {
    const again = { startHour: '20240229T22', hours: 1, eventsPerHour: 3 };
    expect(lines(new DataSet({ ...again, seed: 7 }))).toEqual(lines(new DataSet({ ...again, seed: 7 })));
    expect(lines(new DataSet({ ...again, seed: 8 }))).not.toEqual(lines(new DataSet({ ...again, seed: 7 })));
    expect(lines(new DataSet({ ...again, projectId: 8 }))[0]).not.toEqual(lines(new DataSet(again))[0]);
  });

  it('has unique, well-formed uuids', () => {
    const uuids = Array.from(data.truth(), (event) => event.uuid);
    expect(new Set(uuids).size).toBe(6000);
    for (const uuid of uuids)
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect((JSON.parse(all[0] ?? '') as { uuid: string }).uuid).toBe(uuids[0]);
  });

  it('puts every server_upload_time into its hour, both edges included, in no order', () => {
    const strays = Array.from(data.truth()).filter((event) => {
      const { server_upload_time: text } = JSON.parse(event.line) as { server_upload_time: string };
      const ms = Date.parse(`${text.replace(' ', 'T').slice(0, 23)}Z`);
      return Math.floor(ms / HOUR_MS) * HOUR_MS !== event.hourMs;
    });
    expect(strays).toEqual([]);
    const times = all.map((line) => (JSON.parse(line) as { server_upload_time: string }).server_upload_time);
    expect(times).toContain('2024-02-29 22:00:00');
    expect(times).toContain('2024-03-01 01:59:59.999999');
    expect(times.slice(0, 750)).not.toEqual(times.slice(0, 750).sort());
  });

  it.each([
    ['19-digit integers', /"order_id":[1-9]\d{18}[,}]/],
    ['0.0', /"discount":0\.0[,}]/],
    ['numbers beyond a double', /:1e400[,}]/],
    ['a key twice', /"Twice":1,"Twice":2/],
    ['keys that differ only in case', /"city":"[^"]*",.*"City":"/],
    ['dotted keys', /"ad_metrics\.cost":/],
    ['raw U+2028, U+2029 and U+0085', /one\u2028two\u2029three\u0085four/],
    ['escapes', /\\u2028 \\ud83d\\ude00 \\\//],
    ['session_id -1', /"session_id":-1,/],
    ['$insert_id null', /"\$insert_id":null,/],
    ['a null timestamp', /"processed_time":null/],
    ['an empty timestamp', /"user_creation_time":""/],
    ['no fraction', /"client_event_time":"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"/],
    ['three digits of fraction', /"client_event_time":"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"/],
    ['six digits of fraction', /"client_event_time":"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}"/],
    ['a nested timestamp name', /"event_properties":\{[^}]*"server_upload_time":"not a time"/],
    ['attribution ids as a list', /"amplitude_attribution_ids":\["a1","a2"\]/],
    ['paying as text', /"paying":"\(none\)"/],
  ])('holds %s, but not in every event', (_name, pattern) => {
    const count = all.filter((line) => pattern.test(line)).length;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(6000);
  });

  it('has events that are older than their hour, and some from the future', () => {
    const ages = Array.from(data.truth(), ({ line, hourMs }) => {
      const { event_time: text } = JSON.parse(line) as { event_time: string };
      return hourMs - Date.parse(`${text.replace(' ', 'T').slice(0, 23)}Z`);
    });
    expect(Math.max(...ages)).toBeGreaterThan(10 * 24 * HOUR_MS);
    expect(Math.min(...ages)).toBeLessThan(-24 * HOUR_MS);
  });

  it('leaves the odd values out when told so', () => {
    const plain = lines(
      new DataSet({ startHour: '20240101T00', hours: 1, eventsPerHour: 2000, quirks: false }),
    ).join('\n');
    for (const odd of ['1e400', '\u2028', '"City"', '""', 'processed_time":null'])
      expect(plain).not.toContain(odd);
  });

  it('follows functions for events and parts, and gives a small hour fewer parts', () => {
    const holes = new DataSet({
      startHour: '20240101T00',
      hours: 4,
      eventsPerHour: (hour) => [5, 0, 2, 9][hour] ?? 0,
      partsPerHour: (hour) => hour + 1,
    });
    const hour = (index: number): number => requireHour('20240101T00') + index * HOUR_MS;
    expect([0, 1, 2, 3, 4].map((index) => holes.countOf(hour(index)))).toEqual([5, 0, 2, 9, 0]);
    expect([0, 1, 2, 3].map((index) => holes.partsOf(hour(index)))).toEqual([1, 0, 2, 4]);
    expect(holes.countOf(hour(-1))).toBe(0);
    const byPart = [0, 1, 2, 3].map((part) => Array.from(holes.part(hour(3), part)).length);
    expect(byPart).toEqual([3, 2, 2, 2]);
  });

  it('shows a part when it is available, by default three hours after the hour began', () => {
    const start = requireHour('20240101T00');
    const usual = new DataSet({ startHour: '20240101T00', hours: 2, partsPerHour: 2 });
    expect(usual.visibleParts(start, start + 3 * HOUR_MS - 1)).toEqual([]);
    expect(usual.visibleParts(start, start + 3 * HOUR_MS)).toEqual([0, 1]);
    const late = new DataSet({
      startHour: '20240101T00',
      hours: 2,
      availableAt: (hourMs, part) => hourMs + (part === 0 ? 2 : 6) * HOUR_MS,
    });
    expect(late.visibleParts(start, start + 3 * HOUR_MS)).toEqual([0]);
    expect(
      Array.from(late.truth({ nowMs: start + 6 * HOUR_MS })).map((event) => `${event.hour}#${event.part}`),
    ).toContain('20240101T00#1');
  });

  it('has extra lines in the truth, and refuses them outside of its hours', () => {
    const extraLines = { '20240101T01': ['{"uuid":"mine"}', '{"x":1}'] };
    const events = Array.from(
      new DataSet({ startHour: '20240101T00', hours: 2, eventsPerHour: 0, extraLines }).truth(),
    );
    expect(events.map(({ hour, line, uuid }) => [hour, line, uuid])).toEqual([
      ['20240101T01', '{"uuid":"mine"}', 'mine'],
      ['20240101T01', '{"x":1}', ''],
    ]);
    expect(() => new DataSet({ startHour: '20240101T00', hours: 1, extraLines })).toThrow('20240101T01');
  });

  it('refuses an hour that does not exist', () => {
    for (const startHour of ['20230229T00', '20240101', '20240101T24', '2024010100']) {
      expect(() => new DataSet({ startHour, hours: 1 })).toThrow(RangeError);
    }
  });
});
