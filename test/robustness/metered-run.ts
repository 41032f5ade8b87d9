import type { Readable } from 'node:stream';
import { AirbyteOutput } from '../harness/airbyte-output';
import {
  type ConnectorOutput,
  type RunningConnector,
  type RunOptions,
  startConnector,
} from '../harness/connector';

/** A stream that is asked for more than its high-water mark raises it, and then reads ahead. */
const MOST_AT_ONCE = 16 * 1024;

/** A run whose output is taken by the byte, as by a destination that decides itself how much it reads and when. */
export class MeteredRun {
  readonly running: RunningConnector;
  readonly #stdout: Readable;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(args: readonly string[], options: RunOptions) {
    this.running = startConnector(args, { ...options, ownStdout: true });
    this.#stdout = this.running.child.stdout;
    // Without any listener Node throws away what is still unread when the program ends.
    this.#stdout.on('readable', () => undefined);
  }

  /** Bytes taken so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes output until so many bytes were taken in all; false when it ended before. Nothing is read meanwhile or afterwards. */
  async take(total: number): Promise<boolean> {
    while (this.#bytes < total) {
      // Never more than asked for: what is not taken stays in the pipe and holds the program back.
      const chunk = this.#stdout.read(
        Math.min(total - this.#bytes, this.#stdout.readableLength || 1, MOST_AT_ONCE),
      ) as Buffer | null;
      if (chunk !== null) {
        this.#chunks.push(chunk);
        this.#bytes += chunk.length;
      } else if (this.#stdout.readableEnded || this.#stdout.destroyed) {
        return false;
      } else {
        await this.#more();
      }
    }
    return true;
  }

  /** Takes everything to the end. */
  async takeAll(): Promise<void> {
    await this.take(Infinity);
  }

  /** Stops reading for good, as a destination that has failed. */
  close(): void {
    this.#stdout.destroy();
  }

  /** The end of the program, with what was taken of its output. */
  async end(): Promise<AirbyteOutput & { readonly leftInTemp: readonly string[] }> {
    const finished: ConnectorOutput = await this.running.finished;
    const text = Buffer.concat(this.#chunks).toString('utf8');
    const output = new AirbyteOutput(text, finished.stderr, finished.exitCode, finished.signal);
    return Object.assign(output, { leftInTemp: finished.leftInTemp });
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        for (const event of ['readable', 'end', 'close']) this.#stdout.off(event, settle);
        this.#stdout.off('error', settle);
        if (error instanceof Error) reject(error);
        else resolve();
      };
      for (const event of ['readable', 'end', 'close']) this.#stdout.once(event, settle);
      this.#stdout.once('error', settle);
    });
  }
}

/** The lines of a cut output that are whole: a reader of lines never sees the rest. */
export function wholeLines(output: AirbyteOutput): AirbyteOutput {
  const end = output.stdout.lastIndexOf('\n') + 1;
  return new AirbyteOutput(output.stdout.slice(0, end), output.stderr, output.exitCode, output.signal);
}
