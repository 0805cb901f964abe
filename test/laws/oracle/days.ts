/** Brand-days from nothing but `Intl`: slow, and right by being plain. */

const DAY = 24 * 60 * 60 * 1000;
const formats = new Map<string, Intl.DateTimeFormat>();
const starts = new Map<string, number>();
const days = new Map<string, Map<number, number>>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
    formats.set(zone, format);
  }
  return format;
}

/** The number of the calendar day that a clock in the zone shows: days since 1970-01-01. */
export function dayOf(at: number, zone: string): number {
  const known = days.get(zone) ?? new Map<number, number>();
  days.set(zone, known);
  const day = known.get(at) ?? shownDay(at, zone);
  known.set(at, day);
  return day;
}

function shownDay(at: number, zone: string): number {
  const part = (type: string) =>
    Number(
      formatOf(zone)
        .formatToParts(at)
        .find((it) => it.type === type)?.value,
    );
  return Date.UTC(part('year'), part('month') - 1, part('day')) / DAY;
}

/** The first instant, ms, at which a clock in the zone shows this day or a later one. */
export function startOfDay(day: number, zone: string): number {
  const key = `${zone} ${day}`;
  let start = starts.get(key);
  if (start === undefined) {
    let before = day * DAY - 2 * DAY;
    start = day * DAY + 2 * DAY;
    while (start - before > 1) {
      const middle = Math.floor((before + start) / 2);
      if (dayOf(middle, zone) >= day) start = middle;
      else before = middle;
    }
    starts.set(key, start);
  }
  return start;
}
