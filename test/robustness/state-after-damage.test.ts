import type { FaultAction } from '../../simulator/faults';
import type { Simulator } from '../../simulator/simulator';
import { assertProtocol } from '../harness/assert-protocol';
import { type ConnectorOutput, runConnector } from '../harness/connector';
import { catalogOf, configFor, hourAfter } from '../harness/inputs';
import { TWO_DAYS, withSimulator } from '../harness/with-simulator';
import { sized } from './sizes';

const EVENTS = catalogOf(['events']);

describe('a state is written only for what left complete and verified', () => {
  const HOURS = 6;
  const first = TWO_DAYS.data.startHour;
  const second = hourAfter(first, HOURS);
  const PARTS = 2;

  /** Reads two windows of six hours; the second one has damage in its n-th hour, in every copy. */
  async function readDamaged(simulator: Simulator, hour: number, damage: (member: number) => FaultAction) {
    const lastHour = hourAfter(second, HOURS - 1);
    // When a member turns out to be damaged, the export is asked for again from its hour on.
    for (const start of new Set([0, hour])) {
      const query = { start: hourAfter(second, start), end: lastHour };
      const member = (hour - start) * PARTS + (PARTS - 1);
      simulator.fault({ match: { path: '/api/2/export', query }, action: damage(member) });
    }
    return runConnector(['read'], {
      config: configFor(simulator, {
        start_date: '2024-03-01T00:00:00Z',
        end_date: '2024-03-01T12:00:00Z',
        request_time_range: HOURS,
      }),
      catalog: EVENTS,
    });
  }

  /** Hours that a state covers although an event of them had not left before it. */
  function uncovered(output: ConnectorOutput, simulator: Simulator): string[] {
    const given = new Set<unknown>();
    return output.messages.flatMap(({ type, value }) => {
      if (type === 'RECORD') given.add((value['record'] as { data: { uuid: string } }).data.uuid);
      if (type !== 'STATE') return [];
      const { stream } = value['state'] as { stream: { stream_state: { server_upload_time: string } } };
      const endHour = stream.stream_state.server_upload_time;
      return [...simulator.truth({ endHour })].filter(({ uuid }) => !given.has(uuid)).map(({ hour }) => hour);
    });
  }

  const damages: readonly (readonly [string, boolean, (member: number) => FaultAction, RegExp])[] = [
    [
      'gzip that breaks in the middle',
      true,
      (member) => ({ kind: 'archive', mutations: [{ kind: 'flip-gzip-byte', member }] }),
      /archive is damaged/,
    ],
    [
      'gzip whose own checksum is wrong',
      true,
      (member) => ({ kind: 'archive', mutations: [{ kind: 'flip-gzip-byte', member, at: 1 }] }),
      /archive is damaged/,
    ],
    [
      'gzip that ends too early',
      true,
      (member) => ({ kind: 'archive', mutations: [{ kind: 'truncated-gzip', member }] }),
      /archive is damaged/,
    ],
    [
      'a line that is no event',
      true,
      (member) => ({
        kind: 'archive',
        mutations: [{ kind: 'insert-line', member, at: 1, text: '{"uuid":' }],
      }),
      /is not one JSON object/,
    ],
    [
      'a byte that the archive’s checksum finds',
      false,
      (member) => ({ kind: 'archive', mutations: [{ kind: 'flip-zip-byte', member }] }),
      /could not be used/,
    ],
    [
      'a wrong checksum in the archive',
      false,
      (member) => ({ kind: 'archive', mutations: [{ kind: 'wrong-crc', member }] }),
      /could not be used/,
    ],
  ];
  const rows = damages.flatMap(([name, isSeenLate, damage, message], index) =>
    Array.from({ length: HOURS }, (_, hour) => [name, hour, isSeenLate, damage, message] as const).filter(
      ([, hour]) => sized(hour === 0 || hour === HOURS - 1 || hour === 1 + (index % 4), true),
    ),
  );

  it.concurrent.each(rows)('%s, in hour %i of the window', (_name, hour, isSeenLate, damage, message) =>
    withSimulator(TWO_DAYS, async (simulator) => {
      const output = await readDamaged(simulator, hour, damage);
      assertProtocol(output, EVENTS);
      expect(output.errors.map((error) => error.message)).toEqual([expect.stringMatching(message)]);
      const bad = hourAfter(second, hour);
      const safe = isSeenLate ? hourAfter(bad, -1) : hourAfter(second, -1);
      expect(output.states().at(-1)?.stream.stream_state).toEqual({ server_upload_time: safe });
      expect(uncovered(output, simulator)).toEqual([]);
      // Of the bad hour itself the part before the damage may have left, of later ones nothing.
      const early = new Set(
        [...simulator.truth({ startHour: hourAfter(isSeenLate ? bad : safe, 1) })].map(({ uuid }) => uuid),
      );
      expect(output.records().filter(({ data }) => early.has(String(data['uuid'])))).toEqual([]);
    }),
  );
});
