import type { Event } from '../events/event.ts';
import type { Directory } from '../identity/directory.ts';
import { nameOf, pairOf, partition } from '../identity/graph.ts';
import { dayName, toIso } from '../platform/clock.ts';
import { keys } from '../platform/keys.ts';
import type { Key } from '../platform/table.ts';
import type { Cluster } from './cluster.ts';
import { parseEntry, unmarked } from './entries.ts';
import { newCluster } from './fold.ts';
import { putter } from './outbox.ts';
import type { Rules } from './person.ts';
import { isRedirect, type Redirect } from './store.ts';
import { chunks, type UpdateDeps, update } from './update.ts';

export interface JoinDeps extends UpdateDeps {
  /** Where identifiers are pointed anew; without it they find the way by the closed cluster. */
  readonly directory?: Directory;
}

/** A cluster that is not stored yet: its first write is guarded like any other. */
export const unstored = (id: string, events: readonly Event[], rules: Rules): Cluster =>
  newCluster(id, events.map((event) => event.receivedAt).sort()[0] ?? '', rules);

/**
 * The cluster that an id leads to today; undefined where it was claimed and never written. A join that somebody began
 * and did not end is ended on the way: nobody reads a cluster from which events are still on their way elsewhere.
 */
export async function live(
  id: string,
  rules: Rules,
  deps: JoinDeps,
): Promise<Cluster | { readonly unwritten: string }> {
  const it = await deps.profiles.get(id);
  if (!it) return { unwritten: id };
  if (!isRedirect(it)) return it;
  if (it.left) await arrive(id, it, it.left, rules, deps);
  return live(it.joined, rules, deps);
}

/**
 * Makes one cluster of several: the oldest takes in the others. Each is first closed, by a conditional write, so that
 * nobody adds to it any more; then everything it knows is folded into the survivor; then nothing is left of it but
 * the way there. Every step may be repeated, by anybody who comes by. Undefined if nothing is stored yet.
 */
export async function joinClusters(
  clusters: readonly (Cluster | { readonly unwritten: string })[],
  events: readonly Event[],
  rules: Rules,
  deps: JoinDeps,
): Promise<Cluster | undefined> {
  const distinct = new Map(
    clusters
      .map((it) => ('unwritten' in it ? unstored(it.unwritten, events, rules) : it))
      .map((it) => [it.id, it]),
  );
  const [survivor, ...others] = [...distinct.values()].sort(byAge);
  if (!survivor || others.length === 0) return survivor;
  for (const other of others) await deps.profiles.freeze(other, survivor.id, toIso(deps.now()));
  for (const other of others) await live(other.id, rules, deps);
  const joined = await live(survivor.id, rules, deps);
  return 'unwritten' in joined ? survivor : joined;
}

/** What is stored goes before what is not, then the older, then by id: the same for everybody who asks. */
function byAge(a: Cluster, b: Cluster): number {
  const key = (it: Cluster) => `${it.version > 0 ? 0 : 1}${it.createdAt}${it.id}`;
  return key(a) < key(b) ? -1 : 1;
}

/**
 * Brings everything that a closed cluster holds to where it goes, and clears away what was derived from it. Where it
 * goes remembers the arrival until the end (`entry.arrival`): identifiers may lead there, past the closed cluster,
 * before all is done.
 */
async function arrive(
  id: string,
  redirect: Redirect,
  left: Cluster,
  rules: Rules,
  deps: JoinDeps,
): Promise<void> {
  const events = await deps.profiles.events(left);
  for (const part of chunks(events)) {
    const target = await live(redirect.joined, rules, deps);
    await update(
      'unwritten' in target ? unstored(target.unwritten, part, rules) : target,
      { events: part, arriving: left, foreign: namesOutside(left, part) },
      rules,
      { ...deps, finish: undefined },
    );
  }
  await clear(left, redirect.version, events, rules, deps);
  const target = await live(redirect.joined, rules, deps);
  if (!('unwritten' in target))
    await deps.directory?.point(target.graph, target.id, left.graph.identifiers.keys());
  await deps.profiles.leave(id, redirect);
}

/** Identifiers on a cluster's events that it never held: another cluster does. */
const namesOutside = ({ graph }: Cluster, events: readonly Event[]): Set<string> =>
  new Set(
    events.flatMap((event) => event.identifiers.map(nameOf)).filter((name) => !graph.identifiers.has(name)),
  );

/** Takes back every row that was derived from a cluster which is no more. */
async function clear(
  left: Cluster,
  version: number,
  events: readonly Event[],
  { book }: Rules,
  deps: JoinDeps,
): Promise<void> {
  const rows = new Map<string, Key>();
  const add = (key: Key) => rows.set(`${key.pk} ${key.sk}`, key);
  const days = new Set(events.map((event) => dayName(book.calendar.brandDay(Date.parse(event.occurredAt)))));
  for (const [profile, { tags }] of left.shown) {
    for (const tag of tags.keys()) add(keys.member(tag, profile));
    for (const day of days) add(keys.activity(day, profile));
  }
  for (const review of partition(left.graph).reviews) add(keys.review(left.id, pairOf(review)));
  // What was still to be done may name rows of profiles that the last state does not know any more.
  for (const pending of left.outbox.map(unmarked).map(parseEntry)) {
    if (pending.kind === 'tag') add(keys.member(pending.tag, pending.profile));
    if (pending.kind === 'activity') add(keys.activity(dayName(pending.day), pending.profile));
    if (pending.kind === 'review') add(keys.review(left.id, pending.pair));
  }
  const put = putter(version, deps);
  for (const key of rows.values()) await put(key, undefined);
  await deps.conversions?.send([JSON.stringify({ profile: left.id, conversions: 'all' })]);
}
