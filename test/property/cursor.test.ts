import fc from 'fast-check';
import { ConnectorFailure } from '../../src/failure';
import type { StreamState } from '../../src/protocol/output';
import { streams } from '../../src/streams';
import { activeUsers } from '../../src/streams/active-users';
import { readCursor } from '../../src/streams/cursor';
import { events } from '../../src/streams/events';
import { dayOf, formatDay, parseDay } from '../../src/time/days';
import { formatHour, parseHour } from '../../src/time/hours';
import { PROPERTY_TIMEOUT_MS, runs } from '../harness/runs';
import {
  archiveAnswer,
  EMPTY,
  FakeApi,
  FakeArchive,
  FakeHost,
  httpFailure,
  readAll,
  tooLarge,
} from '../unit/streams/fake-context';

jest.setTimeout(PROPERTY_TIMEOUT_MS);

const HOUR_MS = 3_600_000;
const resumable = streams.filter(({ parseState }) => parseState !== undefined);

const times = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10)),
  fc.integer({ min: -700_000, max: 70_000_000 }).map(formatHour),
  fc.stringMatching(/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{6})?([+-]\d{2}:\d{2})?$/),
);
const states = fc.oneof(
  fc.dictionary(
    fc.constantFrom('server_upload_time', 'date', 'event_time', 'slices', 'legacy', 'x'),
    fc.jsonValue(),
  ),
  fc.record(
    {
      server_upload_time: times,
      date: times,
      state_type: fc.constant('date-range'),
      slices: fc.array(
        fc.record({ start: times, end: times, most_recent_cursor_value: times }, { requiredKeys: [] }),
      ),
      legacy: fc.record({ server_upload_time: times, date: times }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  ),
) as fc.Arbitrary<StreamState>;

it('any state is understood, or refused with the name of its stream; what is understood stays the same', () => {
  fc.assert(
    fc.property(fc.constantFrom(...resumable), states, (stream, state) => {
      const host = new FakeHost();
      let parsed: StreamState | undefined;
      try {
        parsed = stream.parseState!(state, host);
      } catch (error) {
        expect(error).toBeInstanceOf(ConnectorFailure);
        expect(error).toMatchObject({ kind: 'config', message: expect.stringContaining(stream.name) });
        return;
      }
      if (parsed === undefined) return;
      const text = String(parsed[stream.cursorField!]);
      expect(parsed).toEqual({ [stream.cursorField!]: text });
      expect(stream.name === 'events' ? parseHour(text) : parseDay(text)).toBeDefined();
      expect(stream.parseState!(parsed, host)).toEqual(parsed);
    }),
    { numRuns: runs(500) },
  );
});

it('of slices the lowest counts, in whatever order they stand', () => {
  const slices = fc.uniqueArray(fc.integer({ min: 0, max: 9_999_999 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(slices, fc.nat(), (starts, seed) => {
      const hours = [...starts].sort((a, b) => a - b);
      const all = hours.map((hour) => ({
        start: formatHour(hour),
        most_recent_cursor_value: formatHour(hour + 1),
      }));
      const shuffled = all
        .map((slice, index) => ({ slice, key: ((index + 1) * (seed + 7919)) % 104_729 }))
        .sort((a, b) => a.key - b.key)
        .map(({ slice }) => slice);
      expect(readCursor('s', 'c', { slices: shuffled })).toBe(formatHour(hours[0]! + 1));
    }),
    { numRuns: runs(200) },
  );
});

type Answer = 'data' | 'empty' | 'too large' | 'failure';
const script = fc.array(
  fc.oneof(
    { arbitrary: fc.constant<Answer>('data'), weight: 6 },
    { arbitrary: fc.constant<Answer>('empty'), weight: 3 },
    { arbitrary: fc.constant<Answer>('too large'), weight: 3 },
    { arbitrary: fc.constant<Answer>('failure'), weight: 1 },
  ),
  { minLength: 1, maxLength: 25 },
);

it('events: however Amplitude answers, a run and those after it give every hour, and no state is ahead of its hours', async () => {
  const start = parseHour('20240228T20')!;
  const cases = fc.record({
    hours: fc.integer({ min: 1, max: 120 }),
    windowHours: fc.integer({ min: 1, max: 40 }),
    lookbackHours: fc.integer({ min: 0, max: 8 }),
    /** One list of answers for each run; the last run finds Amplitude well. */
    scripts: fc.array(script, { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ hours, windowHours, lookbackHours, scripts }) => {
      const settings = {
        startMs: start * HOUR_MS,
        endMs: (start + hours) * HOUR_MS,
        nowMs: (start + hours + 50) * HOUR_MS,
        windowHours,
        lookbackHours,
      };
      const withData = new Set<number>();
      const given = new Set<number>();
      const known = new Map<number, boolean>();
      let state: StreamState | undefined;
      for (const answers of [...scripts, []]) {
        const archives: FakeArchive[] = [];
        const api = new FakeApi({
          export: ({ first, last }) => {
            const answer = answers[api.exports.length - 1] ?? 'data';
            if (answer === 'failure') throw httpFailure(429, 'limited');
            if (answer === 'too large') return tooLarge();
            const range = Array.from({ length: last - first + 1 }, (_, index) => first + index);
            // An hour once said to be empty stays so.
            for (const hour of range) if (!known.has(hour)) known.set(hour, answer === 'data');
            const members = range.filter((hour) => known.get(hour));
            members.forEach((hour) => withData.add(hour));
            if (members.length === 0) return EMPTY;
            archives.push(
              new FakeArchive(members.map((hour) => ({ hour, text: `{"uuid":"${formatHour(hour)}"}\n` }))),
            );
            return archiveAnswer(archives.at(-1)!);
          },
        });
        const outcome = await readAll(events, api, { settings, ...(state && { state }) });
        const first = state === undefined ? start : parseHour(String(state['server_upload_time']))! + 1;
        let covered = first - 1;
        for (const one of outcome.given) {
          if ('record' in one) {
            given.add(parseHour((one.record as { uuid: string }).uuid)!);
            continue;
          }
          const hour = parseHour(String(one.state['server_upload_time']))!;
          expect(hour).toBeGreaterThanOrEqual(covered);
          for (let at = covered + 1; at <= hour; at += 1) {
            expect([formatHour(at), known.get(at) === false || given.has(at)]).toEqual([
              formatHour(at),
              true,
            ]);
          }
          covered = hour;
          state = one.state;
        }
        expect(archives.every(({ closed }) => closed === 1)).toBe(true);
        if (answers.length === 0) expect(outcome.error).toBeUndefined();
      }
      expect(state).toEqual({ server_upload_time: formatHour(start + hours - 1) });
      expect([...given].sort()).toEqual([...withData].sort());
    }),
    { numRuns: runs(60) },
  );
});

it('daily streams: states go forward only, never past yesterday, and never past a recent day that was not given', async () => {
  const cases = fc.record({
    startDay: fc.integer({ min: dayOf(Date.UTC(2023, 11, 1)), max: dayOf(Date.UTC(2024, 2, 10)) }),
    length: fc.integer({ min: 0, max: 100 }),
    hourOfDay: fc.nat(23),
    zone: fc.constantFrom('UTC', 'America/Los_Angeles', 'Pacific/Kiritimati'),
    lookbackHours: fc.nat(168),
    savedAfter: fc.option(fc.integer({ min: -5, max: 110 }), { nil: undefined }),
    failsAt: fc.option(fc.nat(4), { nil: undefined }),
    incomplete: fc.array(fc.boolean(), { maxLength: 5 }),
    /** By slice: how many days an answer lacks at its end, in its days and in its values. */
    lacks: fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { maxLength: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async (one) => {
      const nowMs = (one.startDay + one.length) * 24 * HOUR_MS + one.hourOfDay * HOUR_MS;
      const today = parseDay(new Date(nowMs).toLocaleDateString('sv-SE', { timeZone: one.zone }))!;
      const saved = one.savedAfter === undefined ? undefined : one.startDay + one.savedAfter;
      const missing = new Set<number>();
      const api: FakeApi = new FakeApi({
        json: ({ params }): unknown => {
          const index = api.requests.length - 1;
          if (index === one.failsAt) throw httpFailure(429, 'limited');
          const [first, last] = [params!['start'], params!['end']].map((text) =>
            parseDay(text!.replace(/(....)(..)(..)/, '$1-$2-$3'))!,
          );
          const days = Array.from({ length: last! - first! + 1 }, (_, at) => formatDay(first! + at));
          const [listed, values] = (one.lacks[index] ?? [0, 0]).map((lack) =>
            Math.max(0, days.length - lack),
          );
          for (let at = Math.min(listed!, values!); at < days.length; at += 1) missing.add(first! + at);
          return {
            realtimeDataMissing: one.incomplete[index] === true,
            data: {
              xValues: days.slice(0, listed),
              series: [days.slice(0, values).map(() => 1)],
              seriesLabels: ['DE'],
            },
          };
        },
      });
      const { given } = await readAll(activeUsers, api, {
        settings: {
          startMs: one.startDay * 24 * HOUR_MS,
          nowMs,
          projectTimeZone: one.zone,
          lookbackHours: one.lookbackHours,
        },
        ...(saved !== undefined && { state: { date: formatDay(saved) } }),
      });
      const awaited = [...missing].filter((day) => day >= today - 60);
      const passed = [...missing].filter((day) => day < today - 60);
      let state = saved ?? -Infinity;
      let lastGiven = -Infinity;
      const recorded: number[] = [];
      for (const output of given) {
        if ('record' in output) {
          lastGiven = parseDay((output.record as { date: string }).date)!;
          recorded.push(lastGiven);
          continue;
        }
        const day = parseDay(String(output.state['date']))!;
        expect(day).toBeGreaterThanOrEqual(state);
        expect(day).toBeLessThanOrEqual(Math.max(today - 1, saved ?? -Infinity));
        expect(day).toBeLessThanOrEqual(Math.max(lastGiven, ...passed, saved ?? -Infinity, one.startDay - 1));
        expect(day).toBeLessThan(Math.max(Math.min(...awaited), (saved ?? -Infinity) + 1));
        state = day;
      }
      // Each day once, in order, none left out but those that Amplitude lacked.
      const days = [...recorded, ...missing].sort((a, b) => a - b);
      expect(recorded).toEqual(days.filter((day) => !missing.has(day)));
      expect(days).toEqual(days.map((_, at) => days[0]! + at));
      if (one.failsAt === undefined && days.length > 0) expect(days.at(-1)).toBe(today);
      if (days.length > 0) {
        const resume =
          saved === undefined ? -Infinity : saved + 1 - Math.max(1, Math.ceil(one.lookbackHours / 24));
        expect(days[0]).toBe(Math.max(one.startDay, resume));
      }
    }),
    { numRuns: runs(150) },
  );
});
