import type { StreamSettings } from '../../../src/streams/stream';
import { formatHour, parseHour } from '../../../src/time/hours';
import type { HourWindow } from '../../../src/time/windows';
import { archiveAnswer, FakeApi, FakeArchive, type FakeMember, type Given } from './fake-context';

export const hour = (text: string): number => parseHour(text)!;
export const at = (text: string): number => Date.parse(text);

/** One event for each hour, whose uuid says which. */
export const lineOf = (of: number, uuid = formatHour(of)): string => `{"uuid":"${uuid}"}\n`;
export const membersOf = ({ first, last }: HourWindow): FakeMember[] =>
  Array.from({ length: last - first + 1 }, (_, index) => ({
    hour: first + index,
    text: lineOf(first + index),
  }));

/** A project with an event in every hour; remembers its archives. */
export function project(answer?: (window: HourWindow) => ReturnType<typeof archiveAnswer> | undefined): {
  api: FakeApi;
  archives: FakeArchive[];
} {
  const archives: FakeArchive[] = [];
  const api = new FakeApi({
    export: (window) => {
      const special = answer?.(window);
      if (special) return special;
      const archive = new FakeArchive(membersOf(window));
      archives.push(archive);
      return archiveAnswer(archive);
    },
  });
  return { api, archives };
}

/** `20261001T05` for a record, `=20261001T05` for a state. */
export const show = (given: readonly Given[]): string[] =>
  given.map((one) =>
    'state' in one ? `=${String(one.state['server_upload_time'])}` : (one.record as { uuid: string }).uuid,
  );
export const stateOf = (text: string): { server_upload_time: string } => ({ server_upload_time: text });
export const range = (startText: string, endText: string): Partial<StreamSettings> => ({
  startMs: at(startText),
  endMs: at(endText),
});
