import type { MalformedLine } from './malformed-line';

/** Where reading stands in a member, and what was wrong with its lines. */
export class MemberProgress {
  /** Number of the line that comes next, from 1. */
  private line = 1;
  private offset = 0;
  malformed: MalformedLine | undefined;
  malformedCount = 0;
  private readonly stopsAtMalformed: boolean;

  constructor(onMalformedLine: 'fail' | 'skip') {
    this.stopsAtMalformed = onMalformedLine === 'fail';
  }

  startMember(): void {
    this.line = 1;
    this.offset = 0;
    this.malformed = undefined;
    this.malformedCount = 0;
  }

  get isStopped(): boolean {
    return this.stopsAtMalformed && this.malformed !== undefined;
  }

  /** To be called before `passLines` moves past the line. */
  reportLine(reason: string): void {
    this.malformed ??= { line: this.line, offset: this.offset, reason };
    this.malformedCount++;
  }

  passLines(count: number, bytes: number): void {
    this.line += count;
    this.offset += bytes;
  }
}
