import { instantOf } from '../events/time.ts';

/** Reads a time as a file writes it, in milliseconds since 1970 UTC; `undefined` if it is none. */
export type TimeReader = (text: string) => number | undefined;

/** What stands for what in a format; everything else stands for itself. */
const parts: Readonly<Record<string, { readonly field: Field; readonly pattern: string }>> = {
  yyyy: { field: 'year', pattern: '(\\d{4})' },
  MM: { field: 'month', pattern: '(\\d{2})' },
  M: { field: 'month', pattern: '(\\d{1,2})' },
  dd: { field: 'day', pattern: '(\\d{2})' },
  d: { field: 'day', pattern: '(\\d{1,2})' },
  HH: { field: 'hour', pattern: '(\\d{2})' },
  H: { field: 'hour', pattern: '(\\d{1,2})' },
  mm: { field: 'minute', pattern: '(\\d{2})' },
  ss: { field: 'second', pattern: '(\\d{2})' },
  SSS: { field: 'milli', pattern: '(\\d{3})' },
};
type Field = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'milli';

/**
 * The reader of a format: `rfc3339` (with an offset), `unix` (seconds or milliseconds), or a pattern of yyyy, M(M), d(d),
 * H(H), mm, ss and SSS, read on the clocks of `zone`, an IANA name.
 *
 * Where a clock was set back, a local time that came twice means the first; where it was set forward, a local time
 * that never was means the instant as far after the jump as the time is past it. Dates that the calendar does not
 * have (02-30) are none.
 *
 * @throws RangeError if the format names no day, or something twice, or the zone is none
 */
export function timeReader(format: string, zone: string | undefined): TimeReader {
  if (format === 'rfc3339') return (text) => (/^\d+(\.\d+)?$/.test(text) ? undefined : instantOf(text));
  if (format === 'unix') return (text) => (/^\d{1,13}(\.\d+)?$/.test(text) ? instantOf(text) : undefined);
  if (zone === undefined) throw new RangeError(`a time in the format ${format} needs a zone`);
  const { pattern, fields } = patternOf(format);
  const toInstant = zoneReader(zone);
  return (text) => {
    const found = pattern.exec(text.trim());
    if (!found) return undefined;
    const at: Record<Field, number> = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0, milli: 0 };
    for (const [i, field] of fields.entries()) at[field] = Number(found[i + 1]);
    const local = Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second, at.milli);
    const back = new Date(local);
    const isReal =
      back.getUTCMonth() === at.month - 1 &&
      back.getUTCDate() === at.day &&
      back.getUTCHours() === at.hour &&
      back.getUTCMinutes() === at.minute &&
      back.getUTCSeconds() === at.second;
    return isReal ? instantOf(new Date(toInstant(local)).toISOString()) : undefined;
  };
}

function patternOf(format: string): { pattern: RegExp; fields: Field[] } {
  const fields: Field[] = [];
  const source = format.replaceAll(/yyyy|MM?|dd?|HH?|mm|ss|SSS|./gu, (piece) => {
    const part = Object.hasOwn(parts, piece) ? parts[piece] : undefined;
    if (!part) {
      if (/[A-Za-z]/.test(piece) && piece !== 'T')
        throw new RangeError(`"${piece}" of ${format} means nothing`);
      return piece.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    }
    fields.push(part.field);
    return part.pattern;
  });
  if (new Set(fields).size < fields.length) throw new RangeError(`${format} says something twice`);
  for (const needed of ['year', 'month', 'day'] as const)
    if (!fields.includes(needed)) throw new RangeError(`${format} does not say the ${needed}`);
  return { pattern: new RegExp(`^${source}$`), fields };
}

const DAY_MS = 86_400_000;

/** Local time (as if it were UTC) → instant. Days on which no clock is set are looked up once. */
function zoneReader(zone: string): (local: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const offset = (at: number): number => {
    const second = Math.floor(at / 1000) * 1000;
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(second)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second: seconds = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, seconds) - second;
  };
  let [quietDay, quietOffset] = [Number.NaN, 0];
  return (local) => {
    const day = Math.floor(local / DAY_MS);
    if (day === quietDay) return local - quietOffset;
    const [before, after] = [offset(local - DAY_MS), offset(local + DAY_MS)];
    if (before === after) {
      // Both neighbours of the whole day agree as well, or the next look-up would be wrong.
      if (offset((day - 1) * DAY_MS) === before && offset((day + 2) * DAY_MS) === before)
        [quietDay, quietOffset] = [day, before];
      return local - before;
    }
    const first = local - before;
    // The clock of before still ran at that instant, or the local time was left out: then it counts on from before.
    return offset(first) === before || offset(local - after) !== after ? first : local - after;
  };
}
