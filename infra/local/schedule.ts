// When a schedule ticks: rate(…) and cron(…) as EventBridge Scheduler reads them.
import { DAY, HOUR, MINUTE } from '../../lib/platform/clock.ts';

/** The first tick at or after `from`; undefined if there is none within the year that follows. */
export type Ticks = (from: number) => number | undefined;

const UNITS: Record<string, number> = { minute: MINUTE, hour: HOUR, day: DAY };
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/**
 * Reads an expression.
 *
 * A rate ticks at whole multiples of itself since 1970 UTC. AWS counts from the moment the schedule was made, which
 * may fall anywhere within the rate; a run that starts twice should tick at the same instants.
 *
 * @throws if the expression is none of rate(n minutes|hours|days) and cron(minutes hours days months weekdays years)
 */
export function ticksOf(expression: string, timezone: string): Ticks {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (rate) {
    const every = Number(rate[1]) * UNITS[rate[2]!]!;
    if (every > 0) return (from) => Math.ceil(from / every) * every;
  }
  const cron = /^cron\((.+)\)$/.exec(expression)?.[1]?.trim().split(/\s+/);
  if (cron?.length === 6) return cronTicks(cron, timezone, expression);
  throw new Error(`the local run does not know the schedule ${expression}`);
}

function cronTicks(fields: readonly string[], timezone: string, expression: string): Ticks {
  const [minutes, hours, days, months, weekdays, years] = fields.map((field, i) => {
    const [low, high, names] = [
      [0, 59, []],
      [0, 23, []],
      [1, 31, []],
      [1, 12, MONTHS],
      [1, 7, WEEKDAYS],
      [1970, 2199, []],
    ][i]! as [number, number, string[]];
    return membersOf(field, low, high, names, expression);
  });
  const local = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    weekday: 'short',
  });
  return (from) => {
    let at = Math.ceil(from / MINUTE) * MINUTE;
    for (const end = at + 366 * DAY; at < end; ) {
      const part = Object.fromEntries(local.formatToParts(at).map(({ type, value }) => [type, value]));
      const weekday = WEEKDAYS.indexOf(String(part.weekday).toUpperCase()) + 1;
      const dayFits =
        years!.has(Number(part.year)) &&
        months!.has(Number(part.month)) &&
        days!.has(Number(part.day)) &&
        weekdays!.has(weekday);
      if (dayFits && hours!.has(Number(part.hour))) {
        if (minutes!.has(Number(part.minute))) return at;
        at += MINUTE;
      } else {
        // To the next full local hour: offsets of zones are whole minutes, so hours may begin at :30 or :45 of UTC.
        at += (60 - Number(part.minute)) * MINUTE;
      }
    }
    return undefined;
  };
}

/** The numbers that a field such as `*`, `?`, `5`, `1,15`, `9-17`, `0/15` or `MON-FRI` stands for. */
function membersOf(
  field: string,
  low: number,
  high: number,
  names: readonly string[],
  expression: string,
): ReadonlySet<number> {
  const members = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', step] = part.split('/');
    const number = (text: string) => {
      const named = names.indexOf(text.toUpperCase());
      return named >= 0 ? named + low : Number(text);
    };
    const [from = low, to = step === undefined ? from : high] =
      range === '*' || range === '?' ? [low, high] : range.split('-').map(number);
    const by = step === undefined ? 1 : Number(step);
    if (![from, to, by].every(Number.isInteger) || from < low || to > high || by < 1)
      throw new Error(`the local run does not know the schedule ${expression}: ${part}`);
    for (let i = from; i <= to; i += by) members.add(i);
  }
  return members;
}
