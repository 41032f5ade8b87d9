import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { median, medianRatio } from './statistics';

export interface StartUp {
  readonly name: string;
  readonly wallSeconds: number;
  /** Wall time, in those of `node -e 0`. */
  readonly ratio: number;
}

/** From the start of the process to its end. */
export async function measureStartUp(
  program: string,
  configFile: string,
  rounds: number,
): Promise<StartUp[]> {
  const commands = [
    { name: '`node -e 0`', args: [process.execPath, '-e', '0'], walls: [] as number[] },
    { name: '`spec`', args: [program, 'spec'], walls: [] as number[] },
    { name: '`discover`', args: [program, 'discover', '--config', configFile], walls: [] as number[] },
  ];
  for (let round = 0; round <= rounds; round += 1) {
    for (const { args, walls } of commands) {
      const seconds = await time(args);
      // The first round finds the files not yet in memory.
      if (round > 0) walls.push(seconds);
    }
  }
  const bare = commands[0]!.walls;
  return commands.map(({ name, walls }) => {
    return { name, wallSeconds: median(walls), ratio: medianRatio(walls, bare) };
  });
}

function time([program, ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const since = performance.now();
    const child = spawn(program!, args, {
      stdio: 'ignore',
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve((performance.now() - since) / 1000);
      else reject(new Error(`${program} ${args[0]} ended with ${code}`));
    });
  });
}
