import type { Event } from '../events/event.ts';
import type { Directory } from '../identity/directory.ts';
import { type Graph, nameOf, partition } from '../identity/graph.ts';
import { toIso } from '../platform/clock.ts';
import { ConflictError } from '../platform/errors.ts';
import { bury } from '../privacy/bury.ts';
import { derivedRows } from '../privacy/derived.ts';
import { without } from '../privacy/erased.ts';
import { type Cluster, idOf, type Unwritten } from './cluster.ts';
import { arrivalsIn } from './entries.ts';
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
export const unstored = (id: string, events: readonly Pick<Event, 'receivedAt'>[], rules: Rules): Cluster =>
  newCluster(id, events.map((event) => event.receivedAt).sort()[0] ?? '', rules);

/**
 * The cluster that an id leads to today; undefined where it was claimed and never written. A join that somebody began
 * and did not end is ended on the way: nobody reads a cluster from which events are still on their way elsewhere.
 */
export async function live(
  id: string,
  rules: Rules,
  deps: JoinDeps,
  way: readonly string[] = [],
): Promise<Cluster | Unwritten> {
  if (way.includes(id)) throw new Error('the ways of clusters that were joined go in a circle');
  const it = await deps.profiles.get(id);
  if (!it) return { unwritten: id };
  if (!isRedirect(it)) return it;
  const soFar = [...way, id];
  if (it.left) await arrive(id, it, it.left, rules, deps, soFar);
  return live(it.joined, rules, deps, soFar);
}

/**
 * The cluster that an id leads to, after all that it was taking in has arrived. Whoever closes it without somebody needs
 * that: what arrived afterwards would bring them back.
 */
export async function whole(id: string, rules: Rules, deps: JoinDeps): ReturnType<typeof live> {
  const it = await live(id, rules, deps);
  const arriving = 'unwritten' in it ? [] : arrivalsIn(it.outbox);
  for (const other of arriving) await live(other, rules, deps);
  return arriving.length > 0 ? live(id, rules, deps) : it;
}

/**
 * Makes one cluster of several: the oldest takes in the others. Each is first closed, by a conditional write, so that
 * nobody adds to it any more; then everything it knows is folded into the survivor; then nothing is left of it but
 * the way there. Every step may be repeated, by anybody who comes by. Undefined if nothing is stored yet.
 *
 * @throws ConflictError if the oldest has gone elsewhere meanwhile
 */
export async function joinClusters(
  clusters: readonly (Cluster | Unwritten)[],
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
  if ('unwritten' in joined && joined.unwritten === survivor.id) return survivor;
  if ('unwritten' in joined || joined.id !== survivor.id)
    throw new ConflictError('who was to take in the others has gone on'); // into another cluster, or without somebody
  return joined;
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
  way: readonly string[],
): Promise<void> {
  const all = await deps.profiles.events(left);
  const { graph, events } = await comingAlong(redirect, left, all, deps);
  const parts = events.length > 0 ? chunks(events) : graph.identifiers.size > 0 ? [[]] : []; // without events its decisions still have to arrive
  for (const part of parts) {
    const target = await live(redirect.joined, rules, deps, way);
    if (idOf(target) !== redirect.joined && (await isEnded(id, deps))) return;
    await update(
      'unwritten' in target ? unstored(target.unwritten, [{ receivedAt: left.createdAt }], rules) : target,
      { events: part, arriving: { id, graph, outbox: left.outbox }, foreign: namesOutside(graph, part) },
      rules,
      { ...deps, finish: undefined },
    );
  }
  await clear(left, redirect.version, all, rules, deps);
  const target = await live(redirect.joined, rules, deps, way);
  if (!('unwritten' in target))
    await deps.directory?.point(target.graph, target.id, graph.identifiers.keys());
  await deps.profiles.leave(id, redirect);
}

/**
 * Whether somebody else has ended an arrival. Where it went may have gone on without somebody since, and did so only when all
 * had arrived: what we hold would bring them back.
 */
async function isEnded(id: string, { profiles }: JoinDeps): Promise<boolean> {
  const it = await profiles.get(id);
  return !it || !isRedirect(it) || !it.left;
}

/** All of a cluster, or all but somebody: then first everybody who comes later has to know. */
async function comingAlong(
  { erasing, joined }: Redirect,
  { graph }: Cluster,
  events: readonly Event[],
  { table }: JoinDeps,
): Promise<{ readonly graph: Graph; readonly events: readonly Event[] }> {
  const [first] = erasing?.of ?? [];
  if (!erasing || !first) return { graph, events };
  await bury(
    erasing.of.filter(({ shared }) => !shared),
    erasing.at,
    joined,
    table,
  );
  const division = partition(graph);
  return without(graph, division, division.memberAt(nameOf(first)) ?? -1, events, erasing.at);
}

/** Identifiers on a cluster's events that it never held: another cluster does. */
const namesOutside = ({ identifiers }: Graph, events: readonly Event[]): Set<string> =>
  new Set(events.flatMap((event) => event.identifiers.map(nameOf)).filter((name) => !identifiers.has(name)));

/** Takes back every row that was derived from a cluster which is no more. */
async function clear(
  left: Cluster,
  version: number,
  events: readonly Event[],
  rules: Rules,
  deps: JoinDeps,
): Promise<void> {
  const { tags, days, reviews } = derivedRows(left, events, rules);
  const put = putter(version, deps);
  for (const key of [...tags, ...days, ...reviews]) await put(key, undefined);
  await deps.conversions?.send([JSON.stringify({ profile: left.id, conversions: 'all' })]);
}
