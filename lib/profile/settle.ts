import type { Event } from '../events/event.ts';
import { type Directory, type Place, placeIn } from '../identity/directory.ts';
import { addEvent, emptyGraph, homeOf, nameOf } from '../identity/graph.ts';
import { type Group, groupEvents, showingsOf } from '../identity/groups.ts';
import type { Protector } from '../identity/protect.ts';
import { ConflictError } from '../platform/errors.ts';
import { buryOrphans } from '../privacy/bury.ts';
import { erasedIn, withoutErased } from '../privacy/erased.ts';
import { type Cluster, idOf, type Unwritten } from './cluster.ts';
import { joinClusters, live, unstored } from './join.ts';
import type { Rules } from './person.ts';
import { chunks, type UpdateDeps, update } from './update.ts';

export interface SettleDeps extends UpdateDeps {
  readonly directory: Directory;
  readonly protector: Pick<Protector, 'digest'>;
}

/** How often a write is tried again that somebody else was faster at. */
const ATTEMPTS = 12;

/** The places of all identifiers of some events. */
export async function placesOf(events: readonly Event[], directory: Directory): Promise<Map<string, Place>> {
  const ids = new Map(events.flatMap((event) => event.identifiers).map((id) => [nameOf(id), id]));
  const found = await Promise.all(
    [...ids].map(async ([name, id]) => [name, await directory.find(id)] as const),
  );
  return new Map(found.flatMap(([name, place]) => (place ? [[name, place] as const] : [])));
}

/** What belongs together of some events, and what of it is told to clusters that hold none of it. */
export interface Sorted {
  readonly groups: readonly Group[];
  readonly shown: ReturnType<typeof showingsOf>;
}

/** Sorts events by the clusters that they go to. What is erased goes nowhere. */
export async function groupsOf(events: readonly Event[], rules: Rules, deps: SettleDeps): Promise<Sorted> {
  const places = await placesOf(events, deps.directory);
  const left = events.flatMap((event) => withoutErased(event, erasedIn(places)) ?? []);
  if (left.length < events.length) await buryOrphans(events, places, (id) => live(id, rules, deps), deps);
  const shown = showingsOf(left, places);
  return { groups: groupEvents([...left, ...shown.map(({ showing }) => showing)], places), shown };
}

/**
 * Whether somebody was erased since we last asked where identifiers are. An erasure sends a cluster on its way, as a join
 * does, so who finds no redirect has missed nothing.
 */
async function isOutdated(
  { events, clusters }: Group,
  found: readonly (Cluster | Unwritten)[],
  { directory }: SettleDeps,
): Promise<boolean> {
  const moved = new Set(clusters.filter((id, i) => found[i] && idOf(found[i]) !== id));
  if (moved.size === 0) return false;
  await directory.refresh(
    events.flatMap(({ identifiers }) => identifiers),
    moved,
  );
  const erasedAt = erasedIn(await placesOf(events, directory));
  return events.some((event) => withoutErased(event, erasedAt) !== event);
}

/**
 * Folds a group's events into their cluster and does all that follows from it. When it returns, everything is
 * written; when it throws, doing it again from the start is right.
 */
export async function settle(group: Group, rules: Rules, deps: SettleDeps, attempt = 1): Promise<void> {
  try {
    await settleOnce(group, rules, deps, attempt);
  } catch (error) {
    if (!(error instanceof ConflictError) || attempt === ATTEMPTS) throw error;
    // Somebody was faster, and may have changed what belongs together: end what was begun, read again, decide again.
    for (const id of group.clusters) await live(id, rules, deps);
    await settleAnew(group.events, rules, deps, attempt + 1);
  }
}

async function settleAnew(
  events: readonly Event[],
  rules: Rules,
  deps: SettleDeps,
  attempt: number,
): Promise<void> {
  const { groups } = await groupsOf(events, rules, deps);
  for (const group of groups) await settle(group, rules, deps, attempt);
}

async function settleOnce(group: Group, rules: Rules, deps: SettleDeps, attempt: number): Promise<void> {
  const { events, foreign } = group;
  const clusters = await Promise.all(group.clusters.map((id) => live(id, rules, deps)));
  if (await isOutdated(group, clusters, deps)) {
    if (attempt === ATTEMPTS) throw new ConflictError('somebody was erased meanwhile');
    return settleAnew(events, rules, deps, attempt + 1);
  }
  const target =
    (await joinClusters(clusters, events, rules, deps)) ?? unstored(founderOf(group, deps), events, rules);
  await claimAll(group, target.id, deps);
  let stored = target;
  const finish = async (id: string) => void (await live(id, rules, deps));
  for (const part of chunks(events)) {
    stored = await update(stored, { events: part, foreign }, rules, { ...deps, finish });
  }
  await deps.directory.point(
    stored.graph,
    stored.id,
    new Set(events.flatMap((event) => event.identifiers.map(nameOf))),
  );
}

/** Claims what nobody has. @throws ConflictError if somebody else has got something in the meantime */
async function claimAll(
  { events, unclaimed, foreign }: Group,
  cluster: string,
  { directory }: SettleDeps,
): Promise<void> {
  if (unclaimed.length === 0) return;
  const said = emptyGraph();
  for (const event of events) addEvent(said, event, foreign);
  for (const id of unclaimed) {
    // Owners only once the cluster knows them: what a place names is not told again.
    const { owners: _, ...mine } = placeIn(said, cluster, nameOf(id));
    const place = await directory.claim(id, mine);
    if (place.cluster !== cluster) throw new ConflictError(`somebody else claimed a ${id.kind} first`);
  }
}

/** The id of a cluster that begins with these events: that of the identifier they belong to, so that two who begin it at once begin the same. */
function founderOf({ events }: Group, { protector }: SettleDeps): string {
  const [first] = events;
  if (!first) throw new Error('a group has at least one event');
  return protector.digest(homeOf(first)).slice(0, 16);
}
