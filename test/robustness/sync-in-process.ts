import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as EnvironmentModule from '../../src/environment';
import type { SourceIo } from '../../src/inputs';
import type * as MessagesModule from '../../src/protocol/messages';
import type * as RedactModule from '../../src/protocol/redact';
import type * as RenderModule from '../../src/protocol/render-failure';
import type * as WriterModule from '../../src/protocol/writer';
import type * as SourceModule from '../../src/source';
import { AirbyteOutput } from '../harness/airbyte-output';
import { BUILD } from '../harness/inputs';
import { MemorySink } from '../harness/memory-sink';

export interface SyncInputs {
  readonly config: unknown;
  readonly catalog: unknown;
  readonly state: unknown;
  readonly env: Readonly<Record<string, string>>;
  /** What the connector takes for the time of its start. */
  readonly nowMs: number;
}

const load = createRequire(__filename);

/** By secrets: its patterns take as long to compile as all else in a small sync. */
const redactors = new Map<string, (text: string) => string>();

function built<Module>(path: string): Module {
  return load(join(BUILD, 'dist', path)) as Module;
}

/**
 * One `read` of the built program within this process: everything but its main.ts, without the start of a process, which takes
 * longer than a small sync, and at a time of its own. For suites of thousands of syncs.
 */
export async function syncInProcess(inputs: SyncInputs): Promise<AirbyteOutput> {
  const { runCommand } = built<typeof SourceModule>('source.js');
  const { MessageWriter } = built<typeof WriterModule>('protocol/writer.js');
  const { readEnvironment } = built<typeof EnvironmentModule>('environment.js');
  const { createRedactor } = built<typeof RedactModule>('protocol/redact.js');
  const { renderFailure } = built<typeof RenderModule>('protocol/render-failure.js');
  const { errorTraceMessage } = built<typeof MessagesModule>('protocol/messages.js');
  const sink = new MemorySink();
  const writer = new MessageWriter(sink);
  const files: Readonly<Record<string, unknown>> = { ...inputs };
  let redact = createRedactor([]);
  let removeTemp = (): void => undefined;
  const io: SourceIo = {
    writer,
    environment: readEnvironment(inputs.env),
    signal: new AbortController().signal,
    nowMs: inputs.nowMs,
    readFile: (name) => JSON.stringify(files[name]),
    hide: (secrets) => {
      const key = JSON.stringify(secrets);
      redact = redactors.get(key) ?? createRedactor(secrets);
      redactors.set(key, redact);
    },
    redact: (text) => redact(text),
    temp: { parent: inputs.env['TMPDIR'] ?? '', pid: process.pid, isAlive: () => true },
    onTemp: (remove) => (removeTemp = remove),
    terminal: undefined,
  };
  const invocation = {
    command: 'read',
    config: 'config',
    catalog: 'catalog',
    state: 'state',
    debug: false,
  } as const;
  let exitCode = 1;
  try {
    exitCode = await runCommand(invocation, io);
  } catch (error) {
    writer.send(errorTraceMessage(renderFailure(error, redact), Date.now()));
  }
  await writer.flush();
  removeTemp();
  return new AirbyteOutput(sink.text, '', exitCode);
}
