import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process counts as at rest when it slept and used no processor time in so many looks in a row. */
const LOOKS_AT_REST = 8;
const BETWEEN_LOOKS_MS = 60;

/** Largest resident memory so far, in MB. Linux only. */
export function peakMemoryMb(pid: number): number {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1];
  if (peak === undefined) throw new Error('the kernel does not tell the peak memory of this process');
  return Number(peak) / 1024;
}

/** Resolves when the process has nothing left to do but wait: for its reader, its server or its end. Linux only. */
export async function untilAtRest(pid: number): Promise<void> {
  let last = readStat(pid);
  for (let looks = 0; looks < LOOKS_AT_REST;) {
    await sleep(BETWEEN_LOOKS_MS);
    const now = readStat(pid);
    // On a busy machine a process that wants to run may get no time: only one that sleeps is at rest.
    looks = now.state === 'S' && now.ticks === last.ticks ? looks + 1 : 0;
    last = now;
  }
}

/** Scheduling state, and user and system time in ticks of 10 ms. */
function readStat(pid: number): { state: string; ticks: number } {
  const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  // The name in the second field may hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', ticks: Number(fields[11]) + Number(fields[12]) };
}
