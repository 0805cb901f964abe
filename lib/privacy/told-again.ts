import { z } from 'zod';
import { modelName, populationModel } from '../platform/brand-words.ts';
import { dayName } from '../platform/clock.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import { weekOf } from '../tags/windows.ts';
import { groupDimensions, toldNames } from './told-store.ts';

const row = z.object({ ttl: z.int(), without: z.array(z.string()).default([]) });

/** A week of which nothing is told, as `group-report.ts` reads it. */
const NOTHING = JSON.stringify({ lines: null });

/** Sizes of tags are kept two days, and rows may outlive their time by as much. */
const DAYS = 4;

type Rows = Pick<Table, 'get' | 'put' | 'remove'>;

/**
 * Takes back what was told of weeks in which an erased person had conversions. Such a week is not told until k persons
 * are gone from it, and then anew: whoever kept the first answer would otherwise learn from the difference what one person
 * had done. Doing it again for the same person changes nothing.
 *
 * @param request what tells this erasure from others @param days brand-days
 */
export async function untellWeeks(
  request: string,
  days: readonly number[],
  k: number,
  table: Rows,
): Promise<void> {
  const mondays = new Set(days.map(weekOf));
  for (const monday of mondays)
    for (const by of groupDimensions)
      for (const model of [undefined, ...modelName.options, ...populationModel.options])
        await untell(toldNames.week(dayName(monday), by, model), request, k, table);
}

async function untell(name: string, request: string, k: number, table: Rows): Promise<void> {
  const key = keys.told(name);
  const told = row.optional().parse(await table.get(key));
  if (!told || told.without.includes(request)) return;
  const without = [...told.without, request];
  if (without.length >= k) return table.remove(key);
  await table.put({ ...key, told: NOTHING, ttl: told.ttl, without });
}

/** Removes the sizes of tags as they were told on a brand-day and the days before, once these are over. */
export async function removeSizes(day: number, table: Rows): Promise<void> {
  for (let i = 0; i < DAYS; i++) await table.remove(keys.told(toldNames.tags(day - i)));
}
