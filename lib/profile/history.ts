import { byTime, type Event } from '../events/event.ts';
import { partition } from '../identity/graph.ts';
import { toIso } from '../platform/clock.ts';
import { profileIds, split } from './cluster.ts';
import { isRedirect, type ProfileStore } from './store.ts';

/** The events of a cluster's profiles, for those who need them one by one. */
export interface History {
  /** The cluster that answers: another than was asked for, if that has been taken in. */
  readonly cluster: string;
  readonly version: number;
  readonly people: readonly { readonly profile: string; readonly events: readonly Event[] }[];
}

/**
 * Reads a cluster's events in time order, all that occurred at or after an instant; some older ones may come along.
 *
 * @param since milliseconds; undefined: from the beginning
 */
export async function readHistory(
  profiles: ProfileStore,
  id: string,
  since?: number,
): Promise<History | undefined> {
  const cluster = await profiles.get(id);
  if (!cluster) return undefined;
  if (isRedirect(cluster)) return readHistory(profiles, cluster.joined, since);
  const journal = await profiles.journal(cluster, since === undefined ? undefined : toIso(since));
  const division = partition(cluster.graph);
  const ids = profileIds(cluster.id, cluster.graph, division);
  const parts = split([...journal.events, ...cluster.tail].sort(byTime), division);
  return {
    cluster: cluster.id,
    version: cluster.version,
    people: parts.map((events, i) => ({ profile: ids[i] ?? cluster.id, events })),
  };
}
