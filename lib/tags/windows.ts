import { DAY, HOUR } from '../platform/clock.ts';
import type { Calendar } from './calendar.ts';

/**
 * Whole periods, counted back from the current one, which is 0: an event is inside while `to` ≤ its age < `from`.
 *
 *   hour: by the event's own time, to the millisecond      day: brand-days
 *   week: from Monday, month: from the first, both of brand-days
 *
 * So `within("30d")` is day 30..0, `between("60d", "30d")` day 60..30, `thisWeek()` week 1..0, `lastWeek()` week 2..1.
 */
export interface Window {
  readonly unit: 'hour' | 'day' | 'week' | 'month';
  readonly from: number;
  readonly to: number;
}

/** Brand-days from ≤ day < to, for ever the same: events come in and never leave. */
export interface Dates {
  readonly from: number;
  readonly to: number;
}

export const MAX_DAYS = 1095;
export const MAX_HOURS = 48;
export const MAX_WEEKS = 156;
export const MAX_MONTHS = 36;

export const lastDays = (days: number): Window => ({ unit: 'day', from: days, to: 0 });

/** A window as it is written. */
export function windowText({ unit, from, to }: Window): string {
  if (unit === 'hour' || unit === 'day') {
    const letter = unit === 'day' ? 'd' : 'h';
    return to === 0 ? `.within("${from}${letter}")` : `.between("${from}${letter}", "${to}${letter}")`;
  }
  const name = unit === 'week' ? 'Week' : 'Month';
  if (to === 0) return `.this${name}()`;
  return from === 2 ? `.last${name}()` : `.last${name}s(${from - 1})`;
}

/** The first day of the period `n` periods after that of a day. Days ascend, so do these. */
export function periodAfter(unit: Window['unit'], day: number, n: number): number {
  if (unit === 'week') return weekOf(day) + 7 * n;
  if (unit !== 'month') return day + n;
  const date = new Date(day * DAY);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + n, 1) / DAY;
}

/** The Monday of a day's week. */
export const weekOf = (day: number): number => day - ((((day + 3) % 7) + 7) % 7);

/** The days inside a window on a day: from the first to the one before the second. */
export const daysInside = ({ unit, from, to }: Window, today: number): Dates => ({
  from: periodAfter(unit, today, 1 - from),
  to: periodAfter(unit, today, 1 - to),
});

/** Whether an event is inside at an instant. */
export function isInside(window: Window, at: number, day: number, now: number, today: number): boolean {
  if (window.unit === 'hour') return now >= at + window.to * HOUR && now < at + window.from * HOUR;
  const inside = daysInside(window, today);
  return day >= inside.from && day < inside.to;
}

/** The instants at which an event enters a window and leaves it. */
export function stayOf(window: Window, at: number, calendar: Calendar): [enters: number, leaves: number] {
  const { unit, from, to } = window;
  if (unit === 'hour') return [at + to * HOUR, at + from * HOUR];
  const day = calendar.brandDay(at);
  const start = (n: number) => calendar.startOfDay(periodAfter(unit, day, n));
  return [start(to), start(from)];
}
