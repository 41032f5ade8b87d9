import { setImmediate as nextTurn } from 'node:timers/promises';
import { Writable } from 'node:stream';
import { logMessage } from '../../../src/protocol/messages';
import { MessageWriter, OutputClosed } from '../../../src/protocol/writer';
import { MemorySink } from '../../harness/memory-sink';

const BIG = 64 * 1024;
/** Beyond what is copied. */
const HUGE = 5 * 1024 * 1024;

function linesOfBytes(size: number, fill: string): Buffer {
  const bytes = Buffer.alloc(size, fill);
  bytes[size - 1] = 0x0a;
  return bytes;
}

/** Resolves to true when the promise settles within the turns that a write needs. */
async function settlesSoon(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  return settled;
}

class FailingSink extends Writable {
  constructor(
    private readonly code: string,
    private readonly failAfter = 0,
  ) {
    super();
  }
  private taken = 0;

  override _write(_chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error) => void): void {
    this.taken += 1;
    if (this.taken <= this.failAfter) callback();
    else callback(Object.assign(new Error(`write ${this.code}`), { code: this.code }));
  }
}

describe('MessageWriter', () => {
  test('writes one line per message, objects and texts alike', async () => {
    const sink = new MemorySink();
    const writer = new MessageWriter(sink);
    await writer.write(logMessage('INFO', 'a\u2028b'));
    await writer.write('{"type":"X"}');
    await writer.flush();
    expect(sink.text).toBe('{"type":"LOG","log":{"level":"INFO","message":"a\\u2028b"}}\n{"type":"X"}\n');
  });

  test('many small messages become few writes', async () => {
    const sink = new MemorySink();
    const writer = new MessageWriter(sink);
    for (let index = 0; index < 10_000; index += 1) await writer.write(`{"index":${String(index)}}`);
    await writer.flush();
    expect(sink.text.split('\n')).toHaveLength(10_001);
    expect(sink.writes).toBeLessThan(10);
  });

  test('a small message leaves without being asked for when the program is idle', async () => {
    const sink = new MemorySink();
    new MessageWriter(sink).send('{}');
    expect(sink.text).toBe('');
    await nextTurn();
    await nextTurn();
    expect(sink.text).toBe('{}\n');
  });

  test('a message larger than a block is written whole', async () => {
    const sink = new MemorySink();
    const writer = new MessageWriter(sink);
    const message = JSON.stringify({ long: 'é'.repeat(1_000_000) });
    writer.send('{"before":1}');
    writer.send(message);
    writer.send('{"after":1}');
    await writer.flush();
    expect(sink.text).toBe(`{"before":1}\n${message}\n{"after":1}\n`);
  });

  test('returns the bytes taken', () => {
    const writer = new MessageWriter(new MemorySink());
    expect(writer.send('{"é":1}')).toBe(9);
  });

  test('keeps the order of calls among messages and batches of any size', async () => {
    const sink = new MemorySink();
    const writer = new MessageWriter(sink);
    const waits = [
      writer.write('1'),
      writer.writeLines(Buffer.from('2\n3\n')),
      writer.writeLines(linesOfBytes(BIG, '4')),
      writer.write('5'),
      writer.writeLines(linesOfBytes(BIG, '6')),
      writer.writeLines(Buffer.from('7\n')),
    ];
    writer.send('8');
    await Promise.all(waits);
    await writer.flush();
    expect(sink.text.split('\n').map((line) => line.slice(0, 1))).toEqual([
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
      '8',
      '',
    ]);
  });

  test('a batch is copied: the next one may be made in its buffer while it is written, the one after that not', async () => {
    const sink = new MemorySink();
    const writer = new MessageWriter(sink);
    const bytes = linesOfBytes(BIG, 'a');
    sink.stall();
    await writer.writeLines(bytes);
    bytes.fill('b', 0, BIG - 1);
    const second = writer.writeLines(bytes);
    bytes.fill('c', 0, BIG - 1);
    expect(await settlesSoon(second)).toBe(false);
    sink.release();
    await second;
    await writer.writeLines(bytes);
    await writer.flush();
    expect(sink.text).toBe(['a', 'b', 'c'].map((letter) => `${letter.repeat(BIG - 1)}\n`).join(''));
  });

  test('a batch beyond 4 MiB is not copied, and its buffer may be used again when the promise is settled', async () => {
    const chunks: Uint8Array[] = [];
    const sink = new (class extends MemorySink {
      override _write(chunk: Buffer, encoding: BufferEncoding, callback: () => void): void {
        chunks.push(chunk);
        super._write(chunk, encoding, callback);
      }
    })();
    const writer = new MessageWriter(sink);
    const bytes = linesOfBytes(HUGE, 'a');
    sink.stall();
    const written = writer.writeLines(bytes);
    expect(chunks[0]?.buffer).toBe(bytes.buffer);
    expect(await settlesSoon(written)).toBe(false);
    sink.release();
    await written;
    bytes.fill('b');
    expect(sink.text).toBe(`${'a'.repeat(HUGE - 1)}\n`);
  });

  test('a small batch is copied: its buffer may be used again at once', async () => {
    const sink = new MemorySink();
    const writer = new MessageWriter(sink);
    const bytes = Buffer.from('abc\n');
    await writer.writeLines(bytes);
    bytes.fill('x');
    await writer.flush();
    expect(sink.text).toBe('abc\n');
  });

  test('a message taken while an earlier one is still in flight does not touch it', async () => {
    const sink = new MemorySink();
    const writer = new MessageWriter(sink);
    sink.stall();
    for (const message of ['1', '2', '3']) {
      writer.send(message);
      await nextTurn();
      await nextTurn();
    }
    sink.release();
    await writer.flush();
    expect(sink.text).toBe('1\n2\n3\n');
  });

  test('an empty batch is nothing', async () => {
    const sink = new MemorySink();
    const writer = new MessageWriter(sink);
    await writer.writeLines(new Uint8Array(0));
    await writer.flush();
    expect(sink.writes).toBe(0);
  });

  test('a batch that does not end with a line end is refused', async () => {
    const sink = new MemorySink();
    const writer = new MessageWriter(sink);
    expect(() => writer.writeLines(Buffer.from('{}'))).toThrow('line end');
    await writer.flush();
    expect(sink.text).toBe('');
  });

  test('writes wait for a slow reader, and little is queued meanwhile', async () => {
    const sink = new MemorySink();
    const writer = new MessageWriter(sink);
    sink.stall();
    let taken = 0;
    const writing = (async () => {
      for (; taken < 100_000; taken += 1) await writer.write('x'.repeat(99));
    })();
    expect(await settlesSoon(writing)).toBe(false);
    expect(taken).toBeLessThan(10_000);
    sink.release();
    await writing;
    await writer.flush();
    expect(sink.text.length).toBe(100 * 100_000);
    expect(sink.mostQueued).toBeLessThan(1024 * 1024);
  });

  test('flush resolves when everything has left', async () => {
    const sink = new MemorySink();
    const writer = new MessageWriter(sink);
    sink.stall();
    writer.send('1');
    const flushed = writer.flush();
    expect(await settlesSoon(flushed)).toBe(false);
    sink.release();
    await flushed;
    expect(sink.text).toBe('1\n');
  });

  describe.each(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED'])('when the reader has gone (%s)', (code) => {
    test('every wait rejects with OutputClosed, the signal is aborted, and nothing is thrown elsewhere', async () => {
      const writer = new MessageWriter(new FailingSink(code, 1));
      await writer.writeLines(linesOfBytes(BIG, 'a'));
      const waits = await Promise.allSettled([
        writer.writeLines(linesOfBytes(BIG, 'b')),
        writer.writeLines(linesOfBytes(BIG, 'c')),
        writer.flush(),
      ]);
      expect(waits.map((wait) => wait.status === 'rejected' && (wait.reason as unknown))).toEqual([
        expect.any(OutputClosed),
        expect.any(OutputClosed),
        expect.any(OutputClosed),
      ]);
      expect(writer.signal.aborted).toBe(true);
      expect(writer.signal.reason).toBe(writer.failure);
      expect(writer.failure).toMatchObject({ code: 'OUTPUT_CLOSED' });
      writer.send('{}');
      await nextTurn();
      await expect(writer.write('{}')).rejects.toBe(writer.failure);
      await expect(writer.writeLines(linesOfBytes(10, 'x'))).rejects.toBe(writer.failure);
      await expect(writer.flush()).rejects.toBe(writer.failure);
    });
  });

  test('a destroyed stream counts as closed, also for a write under way', async () => {
    const sink = new MemorySink();
    const writer = new MessageWriter(sink);
    sink.stall();
    await writer.writeLines(linesOfBytes(BIG, 'a'));
    const written = writer.writeLines(linesOfBytes(BIG, 'b'));
    sink.destroy();
    await expect(written).rejects.toThrow(OutputClosed);
  });

  test('another error is kept as it is', async () => {
    const writer = new MessageWriter(new FailingSink('ENOSPC'));
    void writer.writeLines(linesOfBytes(BIG, 'a'));
    await expect(writer.flush()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(writer.failure).not.toBeInstanceOf(OutputClosed);
  });
});
