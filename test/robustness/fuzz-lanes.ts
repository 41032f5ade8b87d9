import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Simulator } from '../../simulator/simulator';
import { AirbyteOutput } from '../harness/airbyte-output';
import { startConnector } from '../harness/connector';
import { BUILD } from '../harness/inputs';
import { startSimulator, TWO_DAYS } from '../harness/with-simulator';
import { type FileContent, type FileName, type FuzzInput, ORIGIN, SECRETS } from './fuzz-inputs';

const RUN_MANY = join(__dirname, 'programs', 'run-many.js');
const ONLY_PORT = join(__dirname, 'programs', 'only-port.js');

/** Far more than any input takes on a slow machine: what is not done by then hangs. */
const LIMIT_MS = 120_000;

/** A start date of the year 1 asks for 18 million hours: after so many requests the project refuses, and the read ends. */
const MOST_REQUESTS = 30;

const ENVIRONMENT = {
  AMPLITUDE_RETRY_BASE_SECONDS: '0.001',
  AMPLITUDE_PACE_SECONDS: '0.001',
  AMPLITUDE_COST_WINDOW_SECONDS: '0.02',
};

export type LaneKind = 'within one process' | 'a process each';

/** Runs inputs one after the other, against a simulator of its own and nothing else. */
export class Lane {
  /** Names that a run left in its temporary folder, or text that came by no run's stdout. */
  readonly strays: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  #requests = 0;
  #child: ChildProcess | undefined;
  #runs = 0;

  private constructor(
    readonly kind: LaneKind,
    private readonly simulator: Simulator,
  ) {
    mkdirSync(this.#temp);
    const refusing = (): boolean => {
      this.#requests += 1;
      return this.#requests > MOST_REQUESTS;
    };
    simulator.fault({ match: { when: refusing }, action: 'no-permission-403' });
  }

  static async start(kind: LaneKind): Promise<Lane> {
    const simulator = await startSimulator({
      ...TWO_DAYS,
      settings: { credentials: SECRETS, cost: { perWindow: 1e9, perHour: 1e9 } },
    });
    return new Lane(kind, simulator);
  }

  async run(input: FuzzInput): Promise<AirbyteOutput> {
    this.#requests = 0;
    this.#runs += 1;
    const folder = join(this.#folder, String(this.#runs));
    mkdirSync(folder);
    for (const [name, content] of Object.entries(input.files)) this.#write(join(folder, name), content);
    const args = input.args.map((arg) =>
      arg.replace(/\{(config|catalog|state)\}/g, (_all, name: FileName) => join(folder, name)),
    );
    const output = await (this.kind === 'a process each' ? this.#start(args) : this.#ask(args));
    rmSync(folder, { recursive: true });
    for (const left of readdirSync(this.#temp)) {
      this.strays.push(left);
      rmSync(join(this.#temp, left), { recursive: true });
    }
    return output;
  }

  async close(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.simulator.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #temp(): string {
    return join(this.#folder, 'tmp');
  }

  get #env(): Record<string, string> {
    return { ...ENVIRONMENT, ONLY_PORT: String(this.simulator.port), TMPDIR: this.#temp };
  }

  #write(path: string, content: FileContent): void {
    if (content === 'folder') mkdirSync(path);
    else if (content !== undefined)
      writeFileSync(
        path,
        Buffer.from(content.toString('latin1').replaceAll(ORIGIN, this.simulator.baseUrl), 'latin1'),
      );
  }

  async #start(args: readonly string[]): Promise<AirbyteOutput> {
    const run = startConnector(args, { env: { ...this.#env, NODE_OPTIONS: `--require=${ONLY_PORT}` } });
    const timer = setTimeout(() => run.child.kill('SIGKILL'), LIMIT_MS);
    const output = await run.finished;
    clearTimeout(timer);
    return output;
  }

  #ask(args: readonly string[]): Promise<AirbyteOutput> {
    const child = (this.#child ??= this.#fork());
    const id = this.#runs;
    return new Promise((resolve) => {
      const settle = (output: AirbyteOutput): void => {
        clearTimeout(timer);
        child.off('message', hear);
        child.off('exit', leave);
        resolve(output);
      };
      const hear = (message: unknown): void => {
        const answer = message as { id: number; stdout: string; stderr: string; exitCode: number };
        if (answer.id === id) settle(new AirbyteOutput(answer.stdout, answer.stderr, answer.exitCode));
      };
      const leave = (code: number | null, signal: string | null): void => {
        this.#child = undefined;
        settle(new AirbyteOutput('', 'the process was ended by the run', code, signal ?? 'exit'));
      };
      const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
      child.on('message', hear);
      child.on('exit', leave);
      child.send({ id, args, env: this.#env });
    });
  }

  #fork(): ChildProcess {
    const child = fork(RUN_MANY, [join(BUILD, 'dist', 'main.js')], {
      env: { ...this.#env, PATH: process.env['PATH'] },
      execArgv: ['--require', ONLY_PORT],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    // Nothing of a run comes this way.
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => this.strays.push(chunk.toString('utf8')));
    return child;
  }
}
