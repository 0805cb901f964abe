import { z } from 'zod';
import type { Event, Identifier } from '../events/event.ts';
import type { Directory } from '../identity/directory.ts';
import { isStrong } from '../identity/kinds.ts';
import type { Protector } from '../identity/protect.ts';
import { bothKnown, noTenures, type Tenured } from '../identity/tenure.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import type { Cluster, Unwritten } from '../profile/cluster.ts';
import { readCluster } from '../profile/read.ts';
import { placesOf } from '../profile/settle.ts';
import { isRedirect, type ProfileStore } from '../profile/store.ts';
import { buryOrphans } from './bury.ts';
import { erasedIn, withoutErased, withoutGone } from './erased.ts';

export interface LeftDeps {
  readonly table: Table;
  readonly protector: Protector;
  /** It remembers places: one that is older than an erasure does not know of it. */
  readonly directory: Directory;
  readonly profiles: ProfileStore;
  /** When identifiers changed hands, by cluster: asked once for each. */
  readonly tenures: Map<string, Promise<Tenured['tenures']>>;
}

export interface Left {
  readonly event: Event;
  /** As it would be stored. */
  readonly stored: Event;
  /** The same event if nobody of it was erased; none if nothing is left. */
  readonly left: Event | undefined;
}

/**
 * What would be left of events that have not come yet, by the laws that they would meet. What was claimed for one that is
 * erased leads to nobody from then on, as if it had come.
 *
 * @throws Error where a join is under way: nobody knows then what its clusters hold
 */
export async function leftOf(events: readonly Event[], deps: LeftDeps): Promise<Left[]> {
  const all = await Promise.all(events.map((event) => asStored(event, deps)));
  const places = await placesOf(all, deps.directory);
  const erasedAt = erasedIn(places);
  await buryOrphans(all, places, (id) => arrived(id, deps), deps);
  return Promise.all(
    all.map(async (stored, i): Promise<Left> => {
      const event = events[i] ?? stored;
      const first = withoutErased(stored, erasedAt);
      const last = first && withoutGone(first, await tenured(first.identifiers, deps));
      if (!last) return { event, stored, left: undefined };
      const isLeft = (_: Identifier, at: number) =>
        last.identifiers.some((it) => it === stored.identifiers[at]);
      const left = last === stored ? event : { ...event, identifiers: event.identifiers.filter(isLeft) };
      return { event, stored, left };
    }),
  );
}

/** Where a cluster's id leads. Who only reads ends no join. */
async function arrived(id: string, deps: LeftDeps): Promise<Cluster | Unwritten> {
  const it = await deps.profiles.get(id);
  if (!it) return { unwritten: id };
  if (!isRedirect(it)) return it;
  if (it.left) throw new Error('a cluster has not arrived yet where it goes');
  return arrived(it.joined, deps);
}

const firstSeen = z.object({ at: z.string() });

/** An event with its identifiers as they are stored, and the time at which it was first seen if its sender gave none. */
async function asStored(event: Event, { protector, table }: LeftDeps): Promise<Event> {
  const identifiers = event.identifiers.map((id) => ({ ...protector.protect(id) }));
  if (event.context.timeSource === 'sender') return { ...event, identifiers };
  const row = await table.get(keys.firstSeen(event.id));
  return { ...event, identifiers, occurredAt: row ? firstSeen.parse(row).at : event.occurredAt };
}

/** When some identifiers changed hands, as the clusters know that they are in. Weak ones never do. */
async function tenured(ids: readonly Identifier[], deps: LeftDeps): Promise<Tenured> {
  const tenures = new Map<string, Parameters<typeof bothKnown>[0]>();
  const found = await Promise.all(ids.filter(isStrong).map((id) => deps.directory.find(id)));
  for (const cluster of new Set(found.flatMap((it) => it?.cluster ?? []))) {
    for (const [name, known] of await tenuresIn(cluster, deps))
      tenures.set(name, bothKnown(tenures.get(name) ?? noTenures, known));
  }
  return { tenures };
}

function tenuresIn(cluster: string, { profiles, tenures }: LeftDeps): Promise<Tenured['tenures']> {
  const known = tenures.get(cluster);
  if (known) return known;
  const read = readCluster(profiles, cluster).then((it) => it?.graph.tenures ?? noTenuresAtAll);
  tenures.set(cluster, read);
  return read;
}

const noTenuresAtAll: Tenured['tenures'] = new Map();
