import { DAY, HOUR } from '../platform/clock.ts';

/**
 * Brand-days in one time zone. A brand-day is numbered by its calendar date: days since 1970-01-01.
 *
 * A brand-day begins at the first instant whose local date is that day or later, and lasts until the next begins.
 * So every instant has one day and days never run backwards, also where the clock is set over midnight; a date that
 * a zone left out (Samoa, 2011-12-30) is a day without length.
 */
export interface Calendar {
  /** IANA name, such as Asia/Shanghai. */
  readonly timezone: string;
  /** The brand-day of an instant in milliseconds since 1970 UTC. */
  brandDay(at: number): number;
  /** The instant at which a brand-day begins. */
  startOfDay(day: number): number;
  /** What the clock on the wall shows at an instant, 0 to 23. */
  hourOf(at: number): number;
}

/** Outside of these years a zone's offset is taken from the nearer end: no zone has rules there. */
const FIRST = Date.UTC(1900, 0, 2);
const LAST = Date.UTC(2200, 0, 1);
const REMEMBERED_DAYS = 20_000;

/** The calendar of a zone. It remembers the days it was asked for: a look-up costs no formatting. */
export function openCalendar(timezone: string): Calendar {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const starts = new Map<number, number>();

  /** Local time minus UTC, in milliseconds. */
  function offset(at: number): number {
    const inRange = Math.min(Math.max(at, FIRST), LAST);
    const second = Math.floor(inRange / 1000) * 1000;
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(second)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second: seconds = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, seconds) - second;
  }

  const localDay = (at: number) => Math.floor((at + offset(at)) / DAY);

  function firstInstant(day: number): number {
    const midnight = day * DAY;
    const guess = midnight - offset(midnight - offset(midnight));
    // Where no clock is set near this midnight the guess is right: it has this offset, and so has the instant before.
    if (guess + offset(guess) === midnight && guess - 1 + offset(guess - 1) === midnight - 1) return guess;
    let before = midnight - 30 * HOUR;
    let after = midnight + 30 * HOUR;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (localDay(middle) >= day) after = middle;
      else before = middle;
    }
    return after;
  }

  function startOfDay(day: number): number {
    let start = starts.get(day);
    if (start === undefined) {
      if (starts.size >= REMEMBERED_DAYS) starts.clear();
      start = firstInstant(day);
      starts.set(day, start);
    }
    return start;
  }

  let near = 0;
  function brandDay(at: number): number {
    let day = Math.floor((at + near) / DAY);
    while (startOfDay(day) > at) day--;
    while (startOfDay(day + 1) <= at) day++;
    near = day * DAY - startOfDay(day);
    return day;
  }

  const hourOf = (at: number) => Math.floor(((((at + offset(at)) % DAY) + DAY) % DAY) / HOUR);

  return { timezone, brandDay, startOfDay, hourOf };
}

/** The day of the week of a brand-day: Monday is 1, Sunday 7. */
export const weekdayOf = (day: number): number => ((((day + 3) % 7) + 7) % 7) + 1;

/** A brand-day as its date, `2026-11-11`. */
export const isoDay = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10);

/** The brand-day of a date, `2026-11-11`. */
export const dayNumber = (date: string): number => Date.parse(`${date}T00:00:00.000Z`) / DAY;
