import { keys } from '../platform/keys.ts';
import type { Table, Value } from '../platform/table.ts';
import { type Calendar, dayNumber } from '../tags/calendar.ts';
import { type AccountArrivals, type Arrival, additionsOf, arrivalsIn, bounded, named } from './counts.ts';

/** How long a brand-day's counts are kept. */
export const ARRIVAL_DAYS = 35;

/** So many columns one write may have: DynamoDB takes expressions of 4 KB. A batch of an ordinary brand has a dozen. */
const COLUMNS = 100;

/**
 * How much of what arrived, by brand-day and account: one row a day, written once with each batch of messages.
 *
 * These are counts for the eye. A message that is delivered again, and a write whose reply was lost, count again; the
 * last event is that of the batch written last. What is exact is in the profiles and in quarantine.
 */
export function arrivalStore(table: Pick<Table, 'add' | 'get'>, calendar: Calendar) {
  return {
    /** Counts what a batch brought. */
    async add(arrivals: readonly Arrival[]): Promise<void> {
      for (const { day, columns } of additionsOf(arrivals, calendar)) {
        const ttl = Math.floor(calendar.startOfDay(dayNumber(day) + 1 + ARRIVAL_DAYS) / 1000);
        const key = keys.arrivals(day);
        // The row is looked at only where names come that a sender chose, which is seldom.
        const row = named(columns.keys()).length > 0 ? await table.get(key) : undefined;
        const all = [...bounded(columns, row)];
        for (let i = 0; i < all.length; i += COLUMNS) {
          const increments: Record<string, number> = {};
          const set: Record<string, Value> = { ttl };
          for (const [name, value] of all.slice(i, i + COLUMNS)) {
            if (typeof value === 'number') increments[name] = value;
            else set[name] = value;
          }
          await table.add(key, increments, set);
        }
      }
    },

    /** What arrived on a brand-day, `YYYY-MM-DD`, by account. */
    async get(day: string): Promise<AccountArrivals[]> {
      const row = await table.get(keys.arrivals(day));
      return row ? arrivalsIn(row) : [];
    },
  };
}
