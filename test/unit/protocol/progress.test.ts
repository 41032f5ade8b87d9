import { Writable } from 'node:stream';
import { createProgressView, type Terminal } from '../../../src/protocol/progress';
import type { StreamProgress } from '../../../src/protocol/read-streams';

class FakeTerminal extends Writable {
  readonly columns = 100;
  readonly rows = 4;
  readonly draws: string[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.draws.push(chunk.toString());
    callback();
  }

  /** What is on the screen after all draws. */
  get screen(): string[] {
    const lines: string[] = [];
    let row = 0;
    for (const draw of this.draws) {
      const [, up = '0', rest = ''] = /^(?:\x1b\[(\d+)A)?([^]*)$/.exec(draw) ?? [];
      row -= Number(up);
      for (const line of rest.split('\n').slice(0, -1)) {
        lines[row] = line.replace('\x1b[2K', '');
        row += 1;
      }
    }
    return lines;
  }
}

const progress = (name: string, rest: Partial<StreamProgress> = {}): StreamProgress => ({
  name,
  status: 'running',
  records: 0,
  bytes: 0,
  cursor: undefined,
  waitingUntil: undefined,
  ...rest,
});

describe('createProgressView', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  test('draws one line per stream, in place', () => {
    const terminal = new FakeTerminal();
    const view = createProgressView(terminal, () => 1_000_000);
    view.update(progress('events'));
    view.update(progress('cohorts', { status: 'waiting', waitingUntil: 1_012_500 }));
    jest.advanceTimersByTime(250);
    view.update(progress('events', { records: 1234567, bytes: 7_654_321, cursor: '20260101T05' }));
    view.update(progress('cohorts', { status: 'complete', records: 3 }));
    view.stop();
    expect(terminal.draws).toHaveLength(2);
    expect(terminal.draws[0]).toContain('waiting 13 s');
    expect(terminal.screen.map((line) => line.split(/\s{2,}/))).toEqual([
      ['events', 'reading', '1,234,567 records', '7.7 MB', '20260101T05'],
      ['cohorts', 'complete', '3 records', '0.0 MB'],
    ]);
  });

  test('draws at most four times a second, however many updates come', () => {
    const terminal = new FakeTerminal();
    const view = createProgressView(terminal);
    for (let ms = 0; ms < 1000; ms += 1) {
      view.update(progress('events', { records: ms }));
      jest.advanceTimersByTime(1);
    }
    expect(terminal.draws.length).toBeLessThanOrEqual(4);
    view.stop();
    expect(terminal.screen[0]).toContain('999 records');
  });

  test('never draws wider or taller than the terminal', () => {
    const terminal = new FakeTerminal();
    const view = createProgressView(terminal);
    for (let index = 0; index < 10; index += 1)
      view.update(progress(`stream ${String(index)} ${'x'.repeat(200)}`));
    view.stop();
    expect(terminal.screen).toHaveLength(3);
    for (const line of terminal.screen) expect(line.length).toBeLessThan(100);
  });

  test('leaves no timer, draws nothing after its end, and nothing at all without streams', () => {
    const terminal = new FakeTerminal();
    const empty = createProgressView(terminal);
    empty.stop();
    expect(terminal.draws).toEqual([]);
    const view = createProgressView(terminal);
    view.update(progress('events'));
    view.stop();
    view.update(progress('events'));
    view.stop();
    expect(jest.getTimerCount()).toBe(0);
    expect(terminal.draws).toHaveLength(1);
  });

  test('a terminal that has gone does not matter', async () => {
    const terminal: Terminal = new FakeTerminal();
    const view = createProgressView(terminal);
    view.update(progress('events'));
    terminal.destroy(new Error('EIO'));
    await new Promise((resolve) => terminal.once('close', resolve));
    view.stop();
    expect(terminal.errored?.message).toBe('EIO');
  });
});
