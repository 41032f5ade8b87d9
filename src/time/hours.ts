/** UTC hours as whole numbers since the epoch: hour arithmetic needs no calendar. */
export const HOUR_MS = 3_600_000;

const COMPACT = /^(\d{4})(\d{2})(\d{2})T(\d{2})$/;

export function hourOf(epochMs: number): number {
  return Math.floor(epochMs / HOUR_MS);
}

/** The first hour that starts at or after the instant. */
export function hourFrom(epochMs: number): number {
  return Math.ceil(epochMs / HOUR_MS);
}

/** `20240101T20`: the form of Amplitude's export parameters and of the `events` state. */
export function formatHour(hour: number): string {
  const iso = new Date(hour * HOUR_MS).toISOString();
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 10)}T${iso.slice(11, 13)}`;
}

/** The hour of `20240101T20`, or undefined when the text is not one (impossible dates included). */
export function parseHour(text: string): number | undefined {
  const match = COMPACT.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour] = match;
  const epochMs = Date.parse(`${year}-${month}-${day}T${hour}:00:00Z`);
  if (Number.isNaN(epochMs)) return undefined;
  const parsed = hourOf(epochMs);
  // Date.parse rolls 2024-02-30 and hour 24 over into the next day.
  return formatHour(parsed) === text ? parsed : undefined;
}
