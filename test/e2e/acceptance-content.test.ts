import type { FaultAction } from '../../simulator/faults';
import { assertProtocol } from '../harness/assert-protocol';
import { assertSuccess } from '../harness/assert-success';
import { splitLines } from '../harness/airbyte-output';
import { runConnector, type ConnectorOutput } from '../harness/connector';
import { findEventErrors } from '../harness/event-comparison';
import { catalogOf, configFor, stateOf, STREAMS } from '../harness/inputs';
import { SECOND_DAY, TWO_DAYS, withSimulator } from '../harness/with-simulator';

/*
 * Section 7.9 of Airbyte's acceptance checklist, the part about what is read and printed. The others are in
 * acceptance-process.test.ts and acceptance-pipes.test.ts; 79 and 80 are rows of bad-input.test.ts. A test's name starts with the number of its check.
 */
const EVENTS = catalogOf(['events']);
const FULL_REFRESH_ONLY = ['annotations', 'cohorts', 'events_list'];

describe('76: no secret is printed', () => {
  const apiKey = 'key&with+signs/=%41';
  const secretKey = 'p"ä\\ss wörd-0123456789';
  /** Every form in which a server, a proxy page or a log would echo a secret. */
  const formsOf = (secret: string): string[] => [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    new URLSearchParams({ '': secret }).toString().slice(1),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
  ];
  const pair = Buffer.from(`${apiKey}:${secretKey}`).toString('base64');
  const forms = [...formsOf(apiKey), ...formsOf(secretKey), pair];
  const body = `Unknown key. ${forms.join(' | ')}`;

  it.concurrent.each([
    ['check', 400, 'text/plain'],
    ['read', 400, 'text/plain'],
    ['read', 403, 'application/json'],
    ['read', 500, 'text/plain'],
    ['read', 404, 'text/plain'],
  ])('%s, when the server echoes them in every form (HTTP %i, %s)', async (command, status, type) => {
    const settings = { credentials: { apiKey, secretKey } };
    await withSimulator({ ...TWO_DAYS, settings }, async (simulator) => {
      const text = type === 'application/json' ? JSON.stringify({ error: { message: body } }) : body;
      simulator.fault({ action: { kind: 'reply', status, headers: { 'content-type': type }, body: text } });
      const catalog = catalogOf(STREAMS);
      const files = command === 'read' ? { catalog } : {};
      const output = await runConnector([command, '--debug'], { config: configFor(simulator), ...files });
      const said = [
        ...output.errors.map(({ message }) => message),
        output.connectionStatus?.message ?? '',
      ].join('\n');
      expect(said).toContain('****');
      // As printed, and as a reader of the JSON sees it.
      const seen = [
        output.stdout,
        output.stderr,
        ...output.messages.map(({ value }) => deepText(value)),
      ].join('\n');
      expect(forms.filter((form) => seen.includes(form))).toEqual([]);
      expect(output.records()).toEqual([]);
    });
  });

  it.concurrent('a good run prints none either', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const { apiKey: key, secretKey: secret } = simulator.settings.credentials;
      const output = await runConnector(['read', '--debug'], {
        config: configFor(simulator, { end_date: SECOND_DAY }),
        catalog: EVENTS,
      });
      assertSuccess(output, EVENTS);
      const printed = output.stdout + output.stderr;
      for (const form of [key, secret, Buffer.from(`${key}:${secret}`).toString('base64')])
        expect(printed).not.toContain(form);
    });
  });

  function deepText(value: unknown): string {
    if (typeof value === 'string') return value;
    return typeof value === 'object' && value !== null ? Object.values(value).map(deepText).join('\n') : '';
  }
});

describe('85: a column selection', () => {
  it.concurrent.each([
    ['events', ['uuid', 'server_upload_time', 'event_type', 'user_properties'], []],
    ['events', ['event_type'], ['uuid', 'server_upload_time']],
    ['cohorts', ['name'], ['id']],
    ['active_users', ['statistics'], ['date']],
  ])('of %s gives only the chosen fields %j (and its keys %j)', async (stream, fields, keys) => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const catalog = catalogOf([stream], { fields });
      const output = await runConnector(['read'], {
        config: configFor(simulator, { end_date: SECOND_DAY }),
        catalog,
      });
      assertSuccess(output, catalog);
      expect(output.records(stream).length).toBeGreaterThan(0);
      const given = new Set(output.records(stream).flatMap(({ data }) => Object.keys(data)));
      expect([...given].sort()).toEqual([...fields, ...keys].sort());
    });
  });
});

it.concurrent('86: incremental on streams that only know full refresh reads them in full', async () => {
  await withSimulator(TWO_DAYS, async (simulator) => {
    const catalog = catalogOf(FULL_REFRESH_ONLY, { mode: 'incremental', destination: 'overwrite' });
    const first = await runConnector(['read'], { config: configFor(simulator), catalog });
    assertSuccess(first, catalog);
    const second = await runConnector(['read'], {
      config: configFor(simulator),
      catalog,
      state: first.mostRecentState,
    });
    assertSuccess(second, catalog);
    for (const stream of FULL_REFRESH_ONLY) {
      expect(second.records(stream).length).toBeGreaterThan(0);
      expect(second.records(stream)).toHaveLength(first.records(stream).length);
      expect(first.states(stream).map((state) => state.stream.stream_state)).toEqual([
        { __ab_no_cursor_state_message: true },
      ]);
    }
  });
});

describe('87: a state that says nothing', () => {
  const everything = [...STREAMS.entries()].length;
  it.concurrent.each([
    ['null', null],
    ['an empty object', {}],
    ['the sentinel of a stream without cursor', { __ab_no_cursor_state_message: true }],
    ['the sentinel of a finished full refresh', { __ab_full_refresh_sync_complete: true }],
  ])('%s starts every stream from the start', async (_name, state) => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const catalog = catalogOf(STREAMS);
      const config = configFor(simulator, { end_date: SECOND_DAY });
      const output = await runConnector(['read'], {
        config,
        catalog,
        state: stateOf(Object.fromEntries(STREAMS.map((name) => [name, state]))),
      });
      assertSuccess(output, catalog);
      expect(findEventErrors(output, simulator.truth())).toEqual([]);
      expect(output.records('active_users')).toHaveLength(2);
      expect(output.mostRecentState).toHaveLength(everything);
    });
  });

  it.concurrent('a state of a stream that is not in the catalog is of no interest', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const config = configFor(simulator, { end_date: SECOND_DAY });
      const state = stateOf({
        gone: { cursor: 5 },
        events: { server_upload_time: '20240302T20' },
        active_users: { date: 7 },
      });
      const output = await runConnector(['read'], { config, catalog: EVENTS, state });
      assertSuccess(output, EVENTS);
      expect(findEventErrors(output, simulator.truth({ startHour: '20240302T18' }))).toEqual([]);
    });
  });
});

it.concurrent(
  '88: a stream that fails is INCOMPLETE with its own error, the others are COMPLETE, and the exit code is 1',
  async () => {
    const settings = { quirks: { denied: ['/api/3/cohorts'] } };
    await withSimulator({ ...TWO_DAYS, settings }, async (simulator) => {
      const catalog = {
        streams: [
          ...catalogOf(STREAMS).streams,
          { ...catalogOf(['events']).streams[0]!, stream: { name: 'vanished' } },
        ],
      };
      const output = await runConnector(['read'], {
        config: configFor(simulator, { end_date: SECOND_DAY }),
        catalog,
      });
      assertProtocol(output, catalog);
      expect(output.exitCode).toBe(1);
      const failed = output.errors.map(({ stream_descriptor: of, failure_type: type }) => [of?.name, type]);
      expect(failed.sort()).toEqual([
        ['cohorts', 'config_error'],
        ['vanished', 'config_error'],
      ]);
      for (const stream of STREAMS) {
        expect([stream, output.statusNames(stream).at(-1)]).toEqual([
          stream,
          stream === 'cohorts' ? 'INCOMPLETE' : 'COMPLETE',
        ]);
      }
      expect(findEventErrors(output, simulator.truth())).toEqual([]);
    });
  },
);

describe('89, 90: what JavaScript and Python would break', () => {
  const line =
    '{"uuid":"odd","server_upload_time":"2024-03-01 00:00:00.000001","event_properties":{"text":"a\u2028b\u2029c\u0085d","id":9223372036854775807,"ratio":0.0}}';
  const data = {
    startHour: '20240301T00',
    hours: 1,
    eventsPerHour: 0,
    extraLines: { '20240301T00': [line] },
  };

  it.concurrent('89: U+2028, U+2029 and U+0085 do not cut a line for Python’s splitlines', async () => {
    await withSimulator({ ...TWO_DAYS, data }, async (simulator) => {
      const output = await runConnector(['read'], {
        config: configFor(simulator, { end_date: SECOND_DAY }),
        catalog: EVENTS,
      });
      assertSuccess(output, EVENTS);
      expect(splitLines(output.stdout)).toEqual(output.stdout.trimEnd().split('\n'));
      expect(output.records()[0]?.data['event_properties']).toMatchObject({ text: 'a\u2028b\u2029c\u0085d' });
    });
  });

  it.concurrent('89: nor do they in the records of a JSON answer, in a log or in an error', async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const name = 'a\u2028b\u2029c\u0085d';
      const reply = (status: number, body: object): FaultAction => ({
        kind: 'reply',
        status,
        headers: {},
        body: JSON.stringify(body),
      });
      simulator.fault({
        match: { path: '/api/3/cohorts' },
        action: reply(200, { cohorts: [{ id: 'c', name }] }),
      });
      simulator.fault({
        match: { path: '/api/2/events/list' },
        action: reply(400, { error: { message: name } }),
      });
      const output = await runConnector(['read'], {
        config: configFor(simulator),
        catalog: catalogOf(['cohorts', 'events_list']),
      });
      expect(splitLines(output.stdout)).toEqual(output.stdout.trimEnd().split('\n'));
      expect(output.records('cohorts').map(({ data }) => data['name'])).toEqual([name]);
      expect(output.errors.map(({ message }) => message)).toEqual([expect.stringContaining(name)]);
    });
  });

  it.concurrent('90: an integer beyond 2^53 keeps every digit, and 0.0 its point', async () => {
    await withSimulator({ ...TWO_DAYS, data }, async (simulator) => {
      const output = await runConnector(['read'], {
        config: configFor(simulator, { end_date: SECOND_DAY }),
        catalog: EVENTS,
      });
      expect(output.stdout).toContain('"id":9223372036854775807,"ratio":0.0}');
    });
  });
});

it.concurrent(
  '91: LOG_LEVEL=debug and --debug add LOG messages of level DEBUG and change nothing else',
  async () => {
    await withSimulator(TWO_DAYS, async (simulator) => {
      const options = { config: configFor(simulator, { end_date: SECOND_DAY }), catalog: EVENTS };
      const masked = ({ messages }: ConnectorOutput): string[] =>
        messages
          .filter(({ value }) => (value['log'] as { level: string } | undefined)?.level !== 'DEBUG')
          .map(({ value }) =>
            JSON.stringify(value)
              .replace(/"emitted_at":\d+/g, '')
              .replace(/\d+\.\d s\b/g, ''),
          );
      const plain = await runConnector(['read'], options);
      const byVariable = await runConnector(['read'], { ...options, env: { LOG_LEVEL: 'DEBUG' } });
      const byFlag = await runConnector(['read', '--debug'], options);
      assertSuccess(byVariable, EVENTS);
      expect(plain.logsOf('DEBUG')).toEqual([]);
      expect(masked(byVariable)).toEqual(masked(plain));
      expect(masked(byFlag)).toEqual(masked(plain));
    });
  },
);
