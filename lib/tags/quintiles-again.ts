import { type Clock, toIso } from '../platform/clock.ts';
import { keys } from '../platform/keys.ts';
import type { Queue } from '../platform/queue.ts';
import type { Table } from '../platform/table.ts';
import { digest } from './features.ts';
import type { QuintileEdition } from './quintiles.ts';
import { askQuintiles, CLOCK } from './quintiles-ask.ts';
import { quintileStore } from './quintiles-store.ts';
import type { Survey } from './survey.ts';

interface AgainDeps {
  readonly table: Table;
  readonly recompute: Queue;
  readonly now: Clock;
}

/** The cuts in force, if they were counted by a survey that was begun up to an instant. */
export async function cutsUntil(until: string, table: Table): Promise<QuintileEdition | undefined> {
  const edition = await quintileStore(table).current();
  return edition && (edition.at ?? '') <= until ? edition : undefined;
}

/** Has the population counted again as of an instant. */
export async function countAgain(asOf: number, by: string, deps: AgainDeps): Promise<void> {
  const id = digest(['quintiles again', asOf, toIso(deps.now())], 16);
  await askQuintiles({ id, asOf, by }, deps);
}

/**
 * Begins anew what is counted for the next cuts, where it is to be ended: nobody would ask again, because the answer is in
 * force and goes to nobody. What the clock had asked for the clock asks for.
 */
export async function beginAgain({ asked, by }: Survey, deps: AgainDeps): Promise<void> {
  if (asked.kind !== 'quintiles' || by === CLOCK) return;
  const current = await quintileStore(deps.table).current();
  if (toIso(asked.asOf) > (current?.asOf ?? '')) await countAgain(asked.asOf, by, deps);
}

/** Removes the editions before the one in force: nothing reads them, and each says how many it had counted. */
export async function removeFormerCuts(table: Table): Promise<void> {
  const current = await quintileStore(table).current();
  if (!current) return;
  const { pk, sk } = keys.quintiles(current.version - 1);
  for await (const row of table.query(pk, { to: sk })) await table.remove({ pk, sk: row.sk });
}
