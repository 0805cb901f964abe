import { END, keys } from './keys.ts';
import type { Table } from './table.ts';

/** The names of sums of people that are under way, or kept for a while. */
export async function sumsOf(kind: 'survey' | 'model', table: Pick<Table, 'query'>): Promise<string[]> {
  const { pk, sk: from } = keys.sum(kind, '');
  const names: string[] = [];
  for await (const { sk } of table.query(pk, { from, to: `${from}${END}` }))
    names.push(sk.slice(from.length));
  return names;
}

/** Removes the rows of a partition. @param but the sort key of one that stays */
export async function removeRows(
  pk: string,
  table: Pick<Table, 'query' | 'remove'>,
  but?: string,
): Promise<void> {
  for await (const { sk } of table.query(pk)) if (sk !== but) await table.remove({ pk, sk });
}
