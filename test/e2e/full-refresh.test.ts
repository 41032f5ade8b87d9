import { assertProtocol } from '../harness/assert-protocol';
import { assertSuccess } from '../harness/assert-success';
import { runConnector } from '../harness/connector';
import { catalogOf, configFor } from '../harness/inputs';
import { withSimulator } from '../harness/with-simulator';

/** Two slices of each daily stream, and two windows of events. */
const SIXTEEN_DAYS = {
  data: { startHour: '20240220T00', hours: 16 * 24, eventsPerHour: 1 },
  now: Date.UTC(2024, 2, 10),
} as const;
const DAYS = [
  ...Array.from({ length: 10 }, (_, at) => `2024-02-${20 + at}`),
  ...Array.from({ length: 6 }, (_, at) => `2024-03-0${at + 1}`),
];

/** What an attempt that fails behind 1 March and the attempt after it deliver together, each key as often as it came. */
async function readInTwoAttempts(
  stream: string,
  mode: 'full_refresh' | 'incremental',
): Promise<{ keys: unknown[]; truth: readonly unknown[] }> {
  return withSimulator(SIXTEEN_DAYS, async (simulator) => {
    const catalog = catalogOf([stream], { mode });
    const config = configFor(simulator, { end_date: '2024-03-06' });
    const fault = simulator.fault({
      match: { when: ({ query }) => (query['end'] ?? '').slice(0, 8) > '20240305' },
      action: 'bad-request',
    });
    const failed = await runConnector(['read'], { config, catalog });
    assertProtocol(failed, catalog);
    expect([failed.exitCode, fault.hits > 0]).toEqual([1, true]);
    fault.remove();
    const whole = await runConnector(['read'], { config, catalog, state: failed.mostRecentState });
    assertSuccess(whole, catalog);
    const key = stream === 'events' ? 'uuid' : 'date';
    return {
      keys: [failed, whole].flatMap((output) => output.records(stream).map(({ data }) => data[key])).sort(),
      truth: stream === 'events' ? Array.from(simulator.truth(), ({ uuid }) => uuid).sort() : DAYS,
    };
  });
}

describe('a full refresh that is tried again from its last state', () => {
  it.concurrent.each(['events', 'active_users', 'new_users', 'average_session_length'])(
    'gives each row of %s once',
    async (stream) => {
      const { keys, truth } = await readInTwoAttempts(stream, 'full_refresh');
      expect(keys).toEqual(truth);
    },
  );

  it.concurrent.each([
    ['events', 3],
    ['active_users', 1],
  ])('unlike an incremental sync, whose lookback gives the last rows of %s again', async (stream, again) => {
    const { keys, truth } = await readInTwoAttempts(stream, 'incremental');
    expect(new Set(keys)).toEqual(new Set(truth));
    expect(keys).toHaveLength(truth.length + again);
  });
});
