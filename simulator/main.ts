import { HELP, readCommandLine } from './command-line';
import { Simulator } from './simulator';

async function main(args: readonly string[]): Promise<void> {
  const { help, options, faults } = readCommandLine(args);
  if (help) {
    process.stdout.write(HELP);
    return;
  }
  const simulator = await Simulator.start(options);
  for (const action of faults) simulator.fault({ action });
  process.stdout.write(`${simulator.baseUrl}\n`);
  const stop = (): void => {
    simulator.close().catch(fail);
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

main(process.argv.slice(2)).catch(fail);
