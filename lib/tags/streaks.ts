import type { Slot } from './columns.ts';
import { weekOf } from './windows.ts';

/** Brand-days with an event, ascending: each begins with its day. */
type Buckets = readonly (readonly Slot[])[];

/** The most brand-days in a row. */
export function longestStretch(buckets: Buckets): number {
  let longest = 0;
  let length = 0;
  let before = Number.NaN;
  for (const [bucket] of buckets) {
    const day = Number(bucket);
    length = day === before + 1 ? length + 1 : 1;
    longest = Math.max(longest, length);
    before = day;
  }
  return longest;
}

/** The brand-days in a row that end today, or yesterday while nothing has happened today; else 0. */
export function lastRun(buckets: Buckets, today: number): number {
  let length = 0;
  for (let i = buckets.length - 1; i >= 0; i--) {
    const day = Number(buckets[i]?.[0]);
    const gap = length === 0 ? today - day > 1 : day !== Number(buckets[i + 1]?.[0]) - 1;
    if (gap) break;
    length++;
  }
  return length;
}

/** The number of weeks, from Monday, with at least so many events; a week that a window cuts counts with what is inside. */
export function weeksWith(buckets: Buckets, slot: number, least: number): number {
  const weeks = new Map<number, number>();
  for (const bucket of buckets) {
    const week = weekOf(Number(bucket[0]));
    weeks.set(week, (weeks.get(week) ?? 0) + Number(bucket[slot]));
  }
  let found = 0;
  for (const events of weeks.values()) if (events >= least) found++;
  return found;
}
