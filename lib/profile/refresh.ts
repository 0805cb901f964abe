import { toIso } from '../platform/clock.ts';
import { ConflictError } from '../platform/errors.ts';
import { partitions } from '../platform/keys.ts';
import type { Item } from '../platform/table.ts';
import type { Cluster } from './cluster.ts';
import { live } from './join.ts';
import type { Rules } from './person.ts';
import { isRedirect } from './store.ts';
import { type UpdateDeps, updateByClock } from './update.ts';

/** How many due profiles are taken from a shard at a time. */
const PAGE = 100;
const ATTEMPTS = 5;
const CONCURRENCY = 8;

/**
 * Re-evaluates every profile that is due: nobody else is looked at. Due entries may be early, so a profile may come
 * up, have not changed and be entered anew for later.
 *
 * @param rules asked for each page: where many are due, newer ones may come into force meanwhile
 * @returns how many were looked at
 */
export async function refreshDue(rules: () => Promise<Rules>, deps: UpdateDeps): Promise<number> {
  const until = toIso(deps.now());
  const counts = await Promise.all(
    partitions.due().map(async (shard) => {
      const seen = new Set<string>();
      for (;;) {
        const due = await deps.table.due(shard, until, PAGE);
        const fresh = due.map(({ key }) => key.pk.slice(2)).filter((id) => !seen.has(id));
        if (fresh.length === 0) return seen.size; // the index lags behind what was just written: not again
        for (const id of fresh) seen.add(id);
        await refreshAll(fresh, await rules(), deps);
      }
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * Re-evaluates profiles, several at a time. @returns of how many of them the tags are others now
 *
 * @param found of some, what was just read of them: they need not be read again
 */
export async function refreshAll(
  ids: readonly string[],
  rules: Rules,
  deps: UpdateDeps,
  found?: ReadonlyMap<string, Item>,
): Promise<number> {
  const work = ids.values();
  let changed = 0;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (const id of work) if (await refresh(id, found?.get(id), rules, deps)) changed++;
    }),
  );
  return changed;
}

/**
 * Brings a profile to now and to the rules in force, and writes what follows if anything changed.
 *
 * @returns whether its tags are others now
 */
async function refresh(
  id: string,
  found: Item | undefined,
  rules: Rules,
  deps: UpdateDeps,
): Promise<boolean> {
  const finish = async (other: string) => void (await live(other, rules, deps));
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const known = found && attempt === 0 ? deps.profiles.read(found) : undefined;
      const cluster = known && !isRedirect(known) ? known : await live(id, rules, deps); // ends a join that was begun and left
      if ('unwritten' in cluster) return false;
      const next = await updateByClock(cluster, rules, { ...deps, finish });
      return !holdSame(next, cluster);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error; // somebody wrote it: it may still be due
    }
  }
  throw new Error('a profile is written by too many at once: it stays due');
}

/** Whether a cluster's profiles hold the same tags with the same values. */
function holdSame(a: Cluster, b: Cluster): boolean {
  if (a.shown.size !== b.shown.size) return false;
  for (const [profile, { tags }] of a.shown) {
    const others = b.shown.get(profile)?.tags;
    if (others?.size !== tags.size) return false;
    for (const [tag, { value }] of tags) if (others.get(tag)?.value !== value) return false;
  }
  return true;
}
