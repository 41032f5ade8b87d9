import { FAULT_PRESETS, presetOf } from '../../../simulator/fault-presets';
import { Simulator } from '../../../simulator/simulator';
import { readStrictly } from './strict-reader';

const EXPORT = '/api/2/export?start=20240101T00&end=20240101T05';
const JSON_PATHS = ['/api/3/annotations', '/api/3/cohorts?includeSyncInfo=true'];
/** Tested on their own: they last until the client leaves, or take long to read. */
const APART = ['stall-before-headers', 'stall-mid-body', 'bomb', 'bomb-one-line', 'members-100000'];

let simulator: Simulator;

beforeAll(async () => {
  simulator = await Simulator.start({
    data: { startHour: '20240101T00', hours: 6, eventsPerHour: 4, partsPerHour: 2 },
    now: Date.UTC(2024, 0, 2),
  });
});

afterAll(() => simulator.close());

beforeEach(async () => {
  await simulator.idle();
  simulator.reset();
});

const names = Object.keys(FAULT_PRESETS).filter((name) => !APART.includes(name));

describe('every named fault', () => {
  it('there are at least 80', () => {
    expect(Object.keys(FAULT_PRESETS).length).toBeGreaterThanOrEqual(80);
  });

  it.each(names.filter((name) => presetOf(name).for !== 'json'))(
    '%s on an export: wrong once, or right all the same',
    async (name) => {
      const fault = simulator.fault({ match: { path: '/api/2/export', times: 1 }, action: name });
      const verdict = await readStrictly(simulator, EXPORT);
      expect(verdict).toMatchObject({ exact: presetOf(name).nature === 'harmless' });
      expect(fault.hits).toBe(1);
      await simulator.idle();
      expect(simulator.log.entries[0]?.fault).toBe(name);
      // A refused port opens again after 200 ms: until then connections fail, and nothing else may.
      let second = await readStrictly(simulator, EXPORT);
      while (!second.exact && second.why === 'ECONNREFUSED') second = await readStrictly(simulator, EXPORT);
      expect(second).toEqual({ exact: true });
    },
  );

  it.each(names.filter((name) => presetOf(name).for !== 'export'))(
    '%s on JSON: wrong once, or right all the same',
    async (name) => {
      for (const path of JSON_PATHS) {
        simulator.reset();
        simulator.fault({ match: { times: 1 }, action: name });
        expect(await readStrictly(simulator, path)).toMatchObject({
          exact: presetOf(name).nature === 'harmless',
        });
        let second = await readStrictly(simulator, path);
        while (!second.exact && second.why === 'ECONNREFUSED') second = await readStrictly(simulator, path);
        expect(second).toEqual({ exact: true });
        await simulator.idle();
      }
    },
  );

  it.each(['stall-before-headers', 'stall-mid-body'])('%s lasts until the client leaves', async (name) => {
    simulator.fault({ match: { times: 1 }, action: name });
    const leave = new AbortController();
    const reading = readStrictly(simulator, EXPORT, leave.signal);
    while (simulator.log.entries[0]?.fault !== name) await new Promise(setImmediate);
    expect(simulator.log.entries[0].endedAtMs).toBeNull();
    leave.abort();
    expect(await reading).toMatchObject({ exact: false });
    await simulator.idle();
    expect(simulator.log.entries[0]).toMatchObject({
      aborted: true,
      endedAtMs: expect.any(Number) as number,
    });
  });

  it('refuses names that do not exist', () => {
    expect(() => simulator.fault({ action: 'no-such-fault' })).toThrow(RangeError);
    expect(() => presetOf('constructor')).toThrow(RangeError);
  });
});
