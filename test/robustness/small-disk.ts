import { execFileSync } from 'node:child_process';

/** How a run is kept from writing more than so much to its temporary folder. */
export interface SmallDisk {
  /** `tmpfs`: a disk of its own that is full. `ulimit`: no file may be larger, where mounting is not allowed. */
  readonly kind: 'tmpfs' | 'ulimit';
  /** Put before the program; what is left in the folder when it has ended is listed on standard error. */
  readonly launcher: readonly string[];
}

const LIST_AND_EXIT = 'code=$?; ls -A "$0" >&2; exit $code';

function mountedBy(
  flags: readonly string[],
  folder: string,
  kibibytes: number,
  command: string,
): readonly string[] {
  const mount = `mount -t tmpfs -o size=${String(kibibytes)}k tmpfs "$0"`;
  return ['unshare', ...flags, 'sh', '-c', `${mount} || exit 99; ${command}`, folder];
}

function succeeds([program = '', ...args]: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    // Not allowed here, or no such program: the next way is tried.
    return false;
  }
}

/** @param folder The run's TMPDIR; what is mounted there is seen by the run alone. */
export function smallDisk(folder: string, kibibytes: number): SmallDisk {
  for (const flags of [['--mount'], ['--mount', '--user', '--map-root-user']]) {
    if (!succeeds(mountedBy(flags, folder, kibibytes, 'true'))) continue;
    return { kind: 'tmpfs', launcher: mountedBy(flags, folder, kibibytes, `"$@"; ${LIST_AND_EXIT}`) };
  }
  // A POSIX shell counts in units of 512 bytes: half of the disk, which is the room for one of two archives.
  const script = `ulimit -f ${String(kibibytes)} || exit 99; "$@"; ${LIST_AND_EXIT}`;
  return { kind: 'ulimit', launcher: ['sh', '-c', script, folder] };
}
