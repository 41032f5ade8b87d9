import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ConnectorOutput,
  type RunningConnector,
  type RunOptions,
  startConnector,
} from '../harness/connector';

const CHUNK_BYTES = 64 * 1024;

/**
 * A run whose standard output is a real pipe, as in a container, with a reader that takes as much as it is told and keeps the
 * rest in the pipe. (A child's stdout in Node is a pair of sockets, and reads ahead.)
 */
export class PipedRun {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  private constructor(
    readonly running: RunningConnector,
    private readonly reader: FileHandle,
  ) {}

  static async start(args: readonly string[], options: RunOptions): Promise<PipedRun> {
    const folder = mkdtempSync(join(tmpdir(), 'piped-run-'));
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    // Each end waits for the other.
    const [reader, writer] = await Promise.all([open(path, 'r'), open(path, 'w')]);
    rmSync(folder, { recursive: true });
    const running = startConnector(args, { ...options, ownStdout: writer.fd });
    await writer.close();
    return new PipedRun(running, reader);
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  /** Takes output until so many bytes were taken in all; false when it ended before. */
  async take(total: number): Promise<boolean> {
    while (this.#bytes < total) {
      const buffer = Buffer.allocUnsafe(Math.min(total - this.#bytes, CHUNK_BYTES));
      const { bytesRead } = await this.reader.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return false;
      this.#chunks.push(buffer.subarray(0, bytesRead));
      this.#bytes += bytesRead;
    }
    return true;
  }

  /** Closes the pipe, read to its end or not, and waits for the end of the program. */
  async close(): Promise<ConnectorOutput> {
    await this.reader.close();
    return this.running.finished;
  }

  /** For a test that failed: nothing of the run stays. */
  async kill(): Promise<void> {
    this.running.child.kill('SIGKILL');
    await this.reader.close();
  }
}
