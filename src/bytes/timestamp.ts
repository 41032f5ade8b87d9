/** Amplitude's form, with the variants that the export has been seen or documented to hold: a `T`, a zone. */
const FORM = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:Z|([+-])(\d{2}):(\d{2}))?$/;

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Rewrites one Amplitude timestamp (`2023-08-25 11:05:08.013000`, UTC unless it names a zone) to what Python's
 * `datetime.isoformat()` gives for the same instant in UTC: `2023-08-25T11:05:08.013000+00:00`. Six digits of
 * fraction when it is not zero, none when it is; further digits are cut off.
 *
 * @returns undefined when the text is no date-time of the years 1 to 9999
 */
export function rewriteTimestamp(text: string): string | undefined {
  const parts = FORM.exec(text);
  if (parts === null) return undefined;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const [hour, minute, second] = [Number(parts[4]), Number(parts[5]), Number(parts[6])];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;

  const offset = zoneMinutes(parts[8], parts[9], parts[10]);
  if (offset === undefined) return undefined;
  let seconds = text.slice(0, 10) + 'T' + text.slice(11, 19);
  if (offset !== 0) {
    const moment = new Date(0);
    // Date.UTC would read the years 0 to 99 as 1900 to 1999.
    moment.setUTCFullYear(year, month - 1, day);
    moment.setUTCHours(hour, minute - offset, second);
    if (moment.getUTCFullYear() < 1 || moment.getUTCFullYear() > 9999) return undefined;
    seconds = moment.toISOString().slice(0, 19);
  }
  const fraction = (parts[7] ?? '').slice(0, 6).padEnd(6, '0');
  return seconds + (fraction === '000000' ? '' : '.' + fraction) + '+00:00';
}

function daysInMonth(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && isLeap ? 29 : DAYS_IN_MONTH[month - 1]!;
}

function zoneMinutes(sign: string | undefined, hours = '0', minutes = '0'): number | undefined {
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}
