import { toIso } from '../platform/clock.ts';
import { ConflictError } from '../platform/errors.ts';
import { readCluster } from '../profile/read.ts';
import type { QueryDeps } from '../query/route.ts';
import type { PrivacyRequest } from './request.ts';
import { requestStore } from './request-store.ts';

/**
 * A request that events carry out, as it stands: done once the profile knows them all, whoever looks first puts it down. Of a
 * person who was erased meanwhile there is nothing left to do.
 */
export async function endIfKnown(it: PrivacyRequest, deps: QueryDeps): Promise<PrivacyRequest> {
  if (it.status !== 'received' || it.events === undefined || !it.of) return it;
  const place = await deps.directory.find(it.of);
  const cluster = place && (await readCluster(deps.profiles, place.cluster));
  if (!cluster) return it;
  const known = new Set([...cluster.graph.restrictions.values()].flat().map(({ event }) => event));
  const rest = it.events.filter((id) => !known.has(id));
  const isJournalled = async () => {
    const ids = new Set((await deps.profiles.events(cluster)).map(({ id }) => id));
    return rest.every((id) => ids.has(id));
  };
  if (rest.length > 0 && !(await isJournalled())) return it;
  const store = requestStore(deps.table);
  const { it: newest, version } = await store.get(it.id);
  const done: PrivacyRequest = { ...newest, status: 'done', doneAt: toIso(deps.now()) };
  try {
    await store.put(done, version);
    return done;
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error; // somebody else looked too
    return newest;
  }
}
