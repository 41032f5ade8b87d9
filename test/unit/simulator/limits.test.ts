import { Agent } from 'node:http';
import { CostLedger, DOCUMENTED_LIMITS, costOf } from '../../../simulator/cost-ledger';
import { RequestLog, type LoggedRequest } from '../../../simulator/request-log';
import type { Simulator } from '../../../simulator/simulator';
import type { SettingsPatch } from '../../../simulator/settings';
import { get, getJson } from './client';
import { open } from './opened';

function start(settings: SettingsPatch = {}): Promise<Simulator> {
  const data = { startHour: '20240101T00', hours: 24, eventsPerHour: 2 };
  return open({ data, now: Date.UTC(2025, 0, 1), settings });
}

function users(first: number, last: number, extra = ''): string {
  const day = (index: number): string =>
    new Date(Date.UTC(2024, 0, 1 + index)).toISOString().slice(0, 10).replaceAll('-', '');
  return `/api/2/users?start=${day(first)}&end=${day(last)}${extra}`;
}

async function statusesOf(simulator: Simulator, paths: string[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const path of paths) statuses.push((await get(simulator, path)).status);
  return statuses;
}

describe('the cost formula', () => {
  it.each([
    ['users, 30 days', '/api/2/users', 'start=20240101&end=20240130', 30],
    ['users, 30 days, grouped', '/api/2/users', 'start=20240101&end=20240130&g=country', 150],
    ['users, 365 days, grouped', '/api/2/users', 'start=20230101&end=20231231&g=country', 1825],
    ['users, one segment with two conditions', '/api/2/users', 'start=20240101&end=20240110&s=[{},{}]', 30],
    ['users, a segment that is no JSON', '/api/2/users', 'start=20240101&end=20240110&s=[', 10],
    ['sessions, 30 days', '/api/2/sessions/average', 'start=20240101&end=20240130', 120],
    ['sessions, 365 days', '/api/2/sessions/average', 'start=20230101&end=20231231', 1460],
    ['events list', '/api/2/events/list', '', 1],
    ['annotations', '/api/3/annotations', '', 0],
    ['export', '/api/2/export', 'start=20240101T00&end=20240101T23', 0],
    ['days that cannot be read', '/api/2/users', 'start=x&end=y', 0],
  ])('%s', (_name, path, query, cost) => {
    expect(costOf(path, new URLSearchParams(query), 'inclusive')).toBe(cost);
  });

  it('can count days as end minus start, as one recorded 429 did', () => {
    expect(
      costOf('/api/2/users', new URLSearchParams('start=20240101&end=20240324&g=country'), 'exclusive'),
    ).toBe(415);
  });
});

describe('the budget', () => {
  it('allows 1,000 per window and answers the recorded 429 above it, which is not charged', async () => {
    const simulator = await start();
    expect(await statusesOf(simulator, [users(0, 179, '&g=country'), users(0, 99)])).toEqual([200, 200]);
    const { status, body } = await getJson(simulator, '/api/2/events/list');
    expect(status).toBe(429);
    expect(body).toEqual({
      error: {
        http_code: 429,
        type: 'unspecified',
        message: 'Unspecified Error',
        metadata: { details: 'Too Many Requests: Exceeded rate limit with query of cost 1' },
      },
    });
    expect(simulator.log.entries.map((entry) => [entry.cost, entry.charged])).toEqual([
      [900, true],
      [100, true],
      [1, false],
    ]);
    expect((await get(simulator, '/api/3/annotations')).status).toBe(200);
    expect(simulator.log.maxCostInWindow(300_000)).toBe(1001);
    expect(simulator.log.maxCostInWindow(300_000, 'charged')).toBe(1000);
  });

  it('never allows a request that costs more than the whole budget', async () => {
    const simulator = await start({ cost: { windowMs: 1 } });
    expect(await statusesOf(simulator, [users(0, 364, '&g=country'), users(0, 364, '&g=country')])).toEqual([
      429, 429,
    ]);
  });

  it('forgets costs after the window, and keeps them for twelve windows against the hourly limit', () => {
    const ledger = new CostLedger({ ...DOCUMENTED_LIMITS, windowMs: 100, perWindow: 1000, perHour: 2500 });
    const booked = [0, 99, 100, 200, 1199, 1200].map((nowMs) => ledger.tryBook(1000, nowMs));
    // At 200 the window is empty again but 2,000 of 2,500 are spent in the hour, until the first booking leaves it at 1,200.
    expect(booked).toEqual([true, false, true, false, false, true]);
    expect(ledger.tryBook(500, 1200)).toBe(false);
  });

  it('can limit the cost in flight instead, in the words of the concurrency answer', async () => {
    const simulator = await start({ cost: { mode: 'in-flight' } });
    simulator.fault({ match: { path: '/api/2/users', times: 1 }, action: { kind: 'stall', at: 'mid-body' } });
    const leave = new AbortController();
    const slow = get(simulator, users(0, 179, '&g=country'), { signal: leave.signal });
    while (simulator.log.entries[0]?.charged !== true) await new Promise(setImmediate);
    const refused = await getJson(simulator, users(0, 100));
    expect(refused.status).toBe(429);
    expect(JSON.stringify(refused.body)).toContain('Exceeded concurrent limit with query of cost 101');
    leave.abort();
    await slow;
    await simulator.idle();
    expect((await get(simulator, users(0, 100))).status).toBe(200);
  });
});

describe('requests in flight', () => {
  it('answers the sixth with 429, whatever the endpoints are, and lets the next in when one has ended', async () => {
    const simulator = await start();
    simulator.fault({ match: { times: 5 }, action: { kind: 'stall', at: 'mid-body' } });
    const leave = new AbortController();
    const paths = [
      '/api/2/annotations',
      '/api/3/cohorts',
      '/api/2/export?start=20240101T00&end=20240101T01',
      users(0, 1),
      users(1, 2),
    ];
    const slow = paths.map((path) => get(simulator, path, { signal: leave.signal }));
    while (simulator.log.entries.length < 5) await new Promise(setImmediate);
    const sixth = await getJson(simulator, '/api/3/annotations');
    expect(sixth.status).toBe(429);
    expect(JSON.stringify(sixth.body)).toContain('Exceeded concurrent limit with query of cost 0');
    expect(simulator.log.maxInFlight).toBe(6);
    leave.abort();
    await Promise.all(slow);
    await simulator.idle();
    expect((await get(simulator, '/api/3/annotations')).status).toBe(200);
    expect(simulator.log.entries.at(-1)?.inFlightAtStart).toBe(1);
  });

  it('counts one at a time on a connection that is used again', async () => {
    const simulator = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 20; i += 1)
      expect((await get(simulator, '/api/3/annotations', { agent })).status).toBe(200);
    agent.destroy();
    expect(simulator.log.maxInFlight).toBe(1);
  });
});

describe('the request log', () => {
  it('says what was asked and answered, and nothing of the credentials', async () => {
    const simulator = await start();
    const { apiKey, secretKey } = simulator.settings.credentials;
    const { body } = await get(simulator, '/api/2/export?start=20240101T02&end=20240101T04', {
      headers: { 'user-agent': 'tester/1' },
    });
    await get(simulator, '/api/2/annotations', { authorization: null });
    await simulator.idle();
    const [first, second] = simulator.log.entries;
    expect(first).toMatchObject({
      id: 1,
      method: 'GET',
      path: '/api/2/export',
      query: { start: '20240101T02', end: '20240101T04' },
      userAgent: 'tester/1',
      authPresent: true,
      status: 200,
      bytesSent: body.length,
      inFlightAtStart: 1,
      aborted: false,
      fault: null,
    });
    expect(first?.endedAtMs).toBeGreaterThanOrEqual(first?.startedAtMs ?? Infinity);
    expect(second).toMatchObject({ id: 2, status: 401, authPresent: false });
    const text = JSON.stringify(simulator.log.entries);
    for (const secret of [apiKey, secretKey, Buffer.from(`${apiKey}:${secretKey}`).toString('base64')]) {
      expect(text).not.toContain(secret);
    }
    expect(simulator.log.exportRequests()).toMatchObject([
      { startHour: '20240101T02', endHour: '20240101T04', hours: 3 },
    ]);
  });

  it('counts the hours that were answered in full', async () => {
    const simulator = await start();
    simulator.fault({ match: { path: '/api/2/export', nth: 2 }, action: 'reset-mid-body' });
    await get(simulator, '/api/2/export?start=20240101T02&end=20240101T03');
    await get(simulator, '/api/2/export?start=20240101T02&end=20240101T09');
    await get(simulator, '/api/2/export?start=20240101T03&end=20240101T03');
    await get(simulator, '/api/2/export?start=20250101T03&end=20250101T03');
    await simulator.idle();
    expect(Object.fromEntries(simulator.log.hoursAnswered())).toEqual({
      '20240101T02': 1,
      '20240101T03': 2,
      '20250101T03': 1,
    });
  });

  it('finds the costliest window, with the window open at its old end', () => {
    const log = new RequestLog();
    const entry = (startedAtMs: number, cost: number, charged: boolean): Omit<LoggedRequest, 'id'> => ({
      ...{ method: 'GET', path: '/api/2/users', query: {}, search: '', userAgent: null, authPresent: true },
      ...{
        endedAtMs: startedAtMs,
        status: 200,
        bytesSent: 0,
        inFlightAtStart: 1,
        aborted: false,
        fault: null,
      },
      ...{ startedAtMs, cost, charged },
    });
    for (const one of [
      entry(0, 400, true),
      entry(50, 300, false),
      entry(99, 200, true),
      entry(100, 150, true),
    ])
      log.add(one);
    expect(log.maxCostInWindow(100)).toBe(900);
    expect(log.maxCostInWindow(101)).toBe(1050);
    expect(log.maxCostInWindow(101, 'charged')).toBe(750);
    expect(log.maxCostInWindow(1)).toBe(400);
  });
});
