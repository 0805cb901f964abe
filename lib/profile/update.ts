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
const WORTH_SEALING = 4;

/**
 * One conditional write: folds additions into a cluster's stored state, sealing the tail first if it is full, then
 * writes and sends what follows. @throws ConflictError if the state was not the newest
 */
export async function update(
  cluster: Cluster,
  additions: Additions,
  rules: Rules,
  deps: UpdateDeps,
): Promise<Cluster> {
  const open = deps.done.get(cluster.id) === cluster.version ? { ...cluster, outbox: [] } : cluster;
  const folded = await foldStored(open, additions, rules, deps);
  if (folded.kind === 'changed') {
    if (folded.seal) await deps.profiles.putSegment(open, folded.seal);
    await deps.profiles.put(folded.cluster);
  }
  const next = folded.kind === 'changed' ? folded.cluster : open;
  if (await perform(next, rules, deps)) remember(deps.done, next);
  return next;
}

/**
 * Brings a cluster to now and to the rules in force. No message comes again if the clock's worker crashes, so the
 * cluster stays due until what follows is written, and only then moves on: a read and three writes for a flip. What
 * events left to be done is theirs to do: their message comes again. @throws ConflictError as `update`
 */
export async function updateByClock(cluster: Cluster, rules: Rules, deps: UpdateDeps): Promise<void> {
  const { profiles, now } = deps;
  const folded = await foldStored(cluster, { events: [], byClock: true }, rules, deps);
  const next = folded.kind === 'changed' ? folded.cluster : cluster;
  const owed = next.outbox.filter(isOwedByClock);
  if (folded.kind === 'changed') {
    if (folded.seal) await profiles.putSegment(cluster, folded.seal);
    const isDue = cluster.due !== undefined && Date.parse(cluster.due) <= now();
    await profiles.put(owed.length > 0 && isDue ? { ...next, due: cluster.due } : next);
  }
  if (owed.length === 0) return;
  if (!(await perform({ ...next, outbox: owed }, rules, deps))) return;
  const rest = next.outbox.filter((entry) => !isOwedByClock(entry));
  await profiles.put({ ...next, version: next.version + 1, outbox: rest });
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

function remember(done: Map<string, number>, { id, version }: Cluster): void {
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
