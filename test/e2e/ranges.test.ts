import { assertSuccess } from '../harness/assert-success';
import { runConnector } from '../harness/connector';
import { catalogOf, configFor, HOUR_MS, hourAfter, stateOf } from '../harness/inputs';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';

const EVENTS = catalogOf(['events']);

describe('where reading begins and ends', () => {
  const rangeOf = async (config: Record<string, unknown>, state?: unknown): Promise<(string | undefined)[]> =>
    withSimulator(TWO_DAYS, async (simulator) => {
      const output = await runConnector(['read'], {
        config: configFor(simulator, config),
        catalog: EVENTS,
        state,
      });
      assertSuccess(output, EVENTS);
      const asked = simulator.log.exportRequests();
      return [asked.at(0)?.startHour, asked.at(-1)?.endHour];
    });

  it.concurrent.each([
    ['a date as the end includes that day', { end_date: '2024-03-01' }, ['20240301T00', '20240301T23']],
    [
      'a date-time as the end is exclusive',
      { end_date: '2024-03-01T07:00:00Z' },
      ['20240301T00', '20240301T06'],
    ],
    [
      'an hour that the end cuts is read whole',
      { end_date: '2024-03-01T07:30:00Z' },
      ['20240301T00', '20240301T07'],
    ],
    ['an offset counts', { end_date: '2024-03-01T09:00:00+02:00' }, ['20240301T00', '20240301T06']],
    [
      'an hour that the start cuts is read whole',
      { start_date: '2024-03-01T05:59:59Z', end_date: '2024-03-01' },
      ['20240301T05', '20240301T23'],
    ],
    [
      'a date as the start',
      { start_date: '2024-03-02', end_date: '2024-03-02' },
      ['20240302T00', '20240302T23'],
    ],
  ])('%s', async (_name, config, range) => {
    expect(await rangeOf(config)).toEqual(range);
  });

  it.concurrent('a duration counts back from now, at either end', async () => {
    const nowMs = Date.now();
    const hoursBack = (hours: number): string[] =>
      [nowMs, nowMs + HOUR_MS].map((ms) =>
        new Date(ms - hours * HOUR_MS).toISOString().slice(0, 13).replaceAll('-', ''),
      );
    const [first, last] = await rangeOf({ start_date: 'P2D', end_date: 'PT24H' });
    expect(hoursBack(48)).toContain(first);
    expect(hoursBack(24)).toContain(last);
  });

  it.concurrent.each([
    ['raised above the state, the start date wins', '2024-03-02T06:00:00Z', ['20240302T06', '20240302T23']],
    ['below the state, the state wins', '2024-03-01', ['20240301T10', '20240302T23']],
    ['within the lookback, the start date wins', '2024-03-01T12:00:00Z', ['20240301T12', '20240302T23']],
  ])('%s', async (_name, start, range) => {
    const state = stateOf({ events: { server_upload_time: '20240301T12' } });
    expect(await rangeOf({ start_date: start, end_date: SECOND_DAY }, state)).toEqual(range);
  });

  it.concurrent('a state at the end leaves only the lookback', async () => {
    const state = stateOf({ events: { server_upload_time: '20240302T23' } });
    expect(await rangeOf({ end_date: SECOND_DAY }, state)).toEqual([
      hourAfter('20240302T23', -2),
      '20240302T23',
    ]);
  });

  it.concurrent('a start in the future reads nothing, warns and succeeds', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const catalog = catalogOf(['events', 'active_users']);
      const output = await runConnector(['read'], {
        config: configFor(simulator, { start_date: '2999-01-01' }),
        catalog,
      });
      assertSuccess(output, catalog);
      expect(output.records()).toEqual([]);
      expect(simulator.log.entries).toEqual([]);
      expect(output.logsOf('WARN').join('\n')).toMatch(/start_date.*future/);
    });
  });
});
