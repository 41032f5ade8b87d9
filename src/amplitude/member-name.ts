import { parseHour } from '../time/hours';

/** `<project>/<project>_<YYYY-MM-DD>_<H>#<part>.json.gz`, the hour without a leading zero (observed, amplitude.com). */
const MEMBER = /_(\d{4})-(\d{2})-(\d{2})_(\d{1,2})#(\d+)\.json(?:\.gz)?$/;

/** The hour (since the epoch) and part that a member's name tells; no hour when the name has another form. */
export function parseMemberHour(name: string): { hour: number | undefined; part: number } {
  const match = MEMBER.exec(name);
  if (!match) return { hour: undefined, part: 0 };
  const [, year, month, day, hour = '', part] = match;
  return { hour: parseHour(`${year}${month}${day}T${hour.padStart(2, '0')}`), part: Number(part) };
}
