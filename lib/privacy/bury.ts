import type { Event, Identifier } from '../events/event.ts';
import { type Place, tombstone } from '../identity/directory.ts';
import { homeOf, nameOf } from '../identity/graph.ts';
import type { Protector } from '../identity/protect.ts';
import { toIso } from '../platform/clock.ts';
import { ConflictError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import { type Cluster, idOf, type Unwritten } from '../profile/cluster.ts';
import { erasedIn, withoutErased } from './erased.ts';

/** What stands for an identifier in the table: its kind, its scope and the keyed digest of its value. */
export type Digested = Pick<Identifier, 'kind' | 'scope'> & { readonly digest: string };

/**
 * Makes tombstones of identifiers' rows: a keyed digest, when it was, and where whoever comes back will be. One that
 * stands already, or belongs to a later erasure, stays as it is.
 */
export async function bury(
  ids: readonly Digested[],
  erasedAt: string,
  cluster: string,
  table: Pick<Table, 'put'>,
): Promise<void> {
  for (const { kind, scope, digest } of ids) {
    const row = { ...keys.identifier(kind, scope, digest), cluster, erasedAt, ...tombstone(erasedAt) };
    const isNew = await put(table, row, { kind: 'unversioned' });
    if (!isNew) await put(table, row, { kind: 'newer' });
  }
}

type Live = (cluster: string) => Promise<Cluster | Unwritten>;

/** Before anything happened: whoever is buried so is nobody, and no event of theirs is out. */
export const NEVER = toIso(0);

/**
 * Marks what was claimed for an event that is erased now, and that no other event has shown yet: it leads to nobody.
 *
 * @param live where a cluster's id leads; ends what was begun on the way, so that all who stay have arrived
 */
export async function buryOrphans(
  events: readonly Event[],
  places: ReadonlyMap<string, Place>,
  live: Live,
  { table, protector }: { readonly table: Table; readonly protector: Pick<Protector, 'digest'> },
): Promise<void> {
  for (const event of events) {
    const home = places.get(nameOf(homeOf(event)));
    if (!home?.erasedAt || withoutErased(event, erasedIn(places))) continue;
    const there = await live(home.cluster);
    for (const id of event.identifiers) {
      const place = places.get(nameOf(id));
      if (!place || place.erasedAt !== undefined) continue;
      const own = await live(place.cluster);
      const isKnown = 'graph' in own && own.graph.identifiers.has(nameOf(id));
      if (isKnown || idOf(own) !== idOf(there)) continue;
      await bury([{ ...id, digest: protector.digest(id) }], NEVER, idOf(own), table);
    }
  }
}

async function put(table: Pick<Table, 'put'>, ...args: Parameters<Table['put']>): Promise<boolean> {
  try {
    await table.put(...args);
    return true;
  } catch (error) {
    if (error instanceof ConflictError) return false;
    throw error;
  }
}
