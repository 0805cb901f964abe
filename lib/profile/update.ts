import type { Event } from '../events/event.ts';
import type { Cluster } from './cluster.ts';
import { isOwedByClock } from './entries.ts';
import { type Additions, type Folded, fold, type Journal } from './fold.ts';
import { type OutboxDeps, perform } from './outbox.ts';
import type { Rules } from './person.ts';
import { writeUnits } from './store.ts';

export interface UpdateDeps extends OutboxDeps {
  /** Cluster → the version whose outbox this worker has emptied: what need not be done again with the next batch. */
  readonly done: Map<string, number>;
}

/** How much one write may add, in characters of JSON: far below what a row holds. */
const CHUNK = 128 * 1024;

/** Fewer events than this are not worth the write unit of a segment. */
const WORTH_SEALING = 3;

/**
 * One conditional write: folds additions into a cluster's stored state, sealing the tail first if it is full, then
 * writes and sends what follows. What follows from the state before is seen to first, so that the new one need not
 * name it and what was done elsewhere is looked at once and not with each batch. @throws ConflictError if the state was not the newest
 */
export async function update(
  cluster: Cluster,
  additions: Additions,
  rules: Rules,
  deps: UpdateDeps,
): Promise<Cluster> {
  const open = await seenTo(cluster, rules, deps);
  const folded = await foldStored(open, additions, rules, deps);
  if (folded.kind === 'unchanged') return open;
  if (folded.seal) await deps.profiles.putSegment(open, folded.seal);
  await deps.profiles.put(folded.cluster);
  remember(deps.done, folded.cluster, await perform(folded.cluster, rules, deps));
  return folded.cluster;
}

/** The cluster without those entries of its outbox that are done, by this worker before or now. */
async function seenTo(cluster: Cluster, rules: Rules, deps: UpdateDeps): Promise<Cluster> {
  if (deps.done.get(cluster.id) === cluster.version) return { ...cluster, outbox: [] };
  const left = await perform(cluster, rules, deps, true);
  remember(deps.done, cluster, left);
  return { ...cluster, outbox: left };
}

/**
 * Brings a cluster to now and to the rules in force. No message comes again if the clock's worker crashes, so the
 * cluster stays due until what follows is written, and only then moves on: a read and three writes for a flip. What
 * events left to be done is seen to on the way. @throws ConflictError as `update`
 *
 * @returns the cluster as it is now
 */
export async function updateByClock(cluster: Cluster, rules: Rules, deps: UpdateDeps): Promise<Cluster> {
  const { profiles, now } = deps;
  const open = await seenTo(cluster, rules, deps);
  const folded = await foldStored(open, { events: [], byClock: true }, rules, deps);
  if (folded.kind === 'unchanged') return open;
  const { cluster: next, seal } = folded;
  if (seal) await profiles.putSegment(cluster, seal);
  const isDue = cluster.due !== undefined && Date.parse(cluster.due) <= now();
  const owed = next.outbox.some(isOwedByClock);
  await profiles.put(owed && isDue ? { ...next, due: cluster.due } : next);
  if (!owed) return next;
  const left = await perform(next, rules, deps);
  if (!left.some(isOwedByClock)) await profiles.put({ ...next, version: next.version + 1, outbox: left });
  return next;
}

/** Folds, reading the journal if it takes that to tell. */
async function foldStored(
  cluster: Cluster,
  additions: Additions,
  rules: Rules,
  { profiles, now }: UpdateDeps,
): Promise<Exclude<Folded, { kind: 'journal' }>> {
  let journal: Journal | undefined;
  for (let read = 0; read < 3; read++) {
    const folded = fold(cluster, additions, rules, now(), journal);
    if (folded.kind !== 'journal') return cheaper(folded, cluster, additions, rules, now(), journal);
    journal = await profiles.journal(cluster, folded.from);
  }
  throw new Error('the journal was read and is asked for again');
}

/**
 * The fold that costs less to keep. A row that has grown over a kilobyte takes another write unit with every event:
 * where sealing the tail brings it back, and the tail is worth a segment, it is sealed before it is full.
 */
function cheaper(
  folded: Exclude<Folded, { kind: 'journal' }>,
  cluster: Cluster,
  additions: Additions,
  rules: Rules,
  now: number,
  journal: Journal | undefined,
): Exclude<Folded, { kind: 'journal' }> {
  if (folded.kind !== 'changed' || folded.seal || additions.byClock || cluster.tail.length < WORTH_SEALING)
    return folded;
  const units = writeUnits(folded.cluster);
  if (units === 1) return folded;
  const sealed = fold(cluster, { ...additions, seal: true }, rules, now, journal);
  return sealed.kind === 'changed' && writeUnits(sealed.cluster) < units ? sealed : folded;
}

/** Notes that nothing is left of a state's outbox, if so. */
function remember(
  done: Map<string, number>,
  { id, version, outbox }: Cluster,
  left: readonly string[],
): void {
  if (left.length > 0 || outbox.length === 0) return;
  done.delete(id);
  done.set(id, version);
  if (done.size > 50_000) done.delete(done.keys().next().value ?? '');
}

/** Events in pieces that one write can take. */
export function* chunks(events: readonly Event[]): Generator<Event[]> {
  let chunk: Event[] = [];
  let size = 0;
  for (const event of events) {
    const more = JSON.stringify(event).length;
    if (chunk.length > 0 && size + more > CHUNK) {
      yield chunk;
      chunk = [];
      size = 0;
    }
    chunk.push(event);
    size += more;
  }
  if (chunk.length > 0) yield chunk;
}
