import type { Event } from '../events/event.ts';
import type { Cluster } from './cluster.ts';
import { type Additions, fold, type Journal } from './fold.ts';
import { type OutboxDeps, perform } from './outbox.ts';
import type { Rules } from './person.ts';

export interface UpdateDeps extends OutboxDeps {
  /** Cluster → the version whose outbox this worker has emptied: what need not be done again with the next batch. */
  readonly done: Map<string, number>;
}

/** How much one write may add, in characters of JSON: far below what a row holds. */
const CHUNK = 128 * 1024;

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
  const { profiles, now } = deps;
  let journal: Journal | undefined;
  let folded = fold(open, additions, rules, now(), journal);
  for (let read = 0; folded.kind === 'journal' && read < 2; read++) {
    journal = await profiles.journal(cluster, folded.from);
    folded = fold(open, additions, rules, now(), journal);
  }
  if (folded.kind === 'journal') throw new Error('the journal was read and is asked for again');
  const next = folded.kind === 'changed' ? folded.cluster : open;
  if (folded.kind === 'changed') {
    if (folded.seal) await profiles.putSegment(open, folded.seal);
    await profiles.put(next);
  }
  if (await perform(next, rules, deps)) remember(deps.done, next);
  return next;
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
