import type { Event } from '../events/event.ts';
import { partition } from '../identity/graph.ts';
import { restrictedSince } from '../privacy/restriction.ts';
import { type Cluster, type Profile, profileIds, profilesOf, split } from './cluster.ts';
import { emptyPerson, type Rules, walk, watch } from './person.ts';
import { isRedirect, type ProfileStore } from './store.ts';

/** A cluster as it can be read: whoever only reads follows the way and ends no join. */
export async function readCluster(profiles: ProfileStore, id: string): Promise<Cluster | undefined> {
  const it = await profiles.get(id);
  return it && isRedirect(it) ? readCluster(profiles, it.joined) : it;
}

/**
 * A cluster's profiles as of now, by the rules in force. Where its people were walked with other rules (they were
 * published a moment ago) they are walked anew from the journal, without writing anything.
 */
export async function readProfiles(
  profiles: ProfileStore,
  cluster: Cluster,
  rules: Rules,
  now: number,
): Promise<Profile[]> {
  if (cluster.book === rules.book.digest) return profilesOf(cluster, rules, now);
  return walkAnew(cluster, await profiles.events(cluster), rules, now);
}

function walkAnew(cluster: Cluster, events: readonly Event[], rules: Rules, now: number): Profile[] {
  const division = partition(cluster.graph);
  const parts = split(events, division);
  const ids = profileIds(cluster.id, cluster.graph, division);
  return division.members.map(({ names }, i) => {
    const person = emptyPerson(restrictedSince(cluster.graph, division.members[i]));
    walk(person, parts[i] ?? [], rules);
    watch(person, now, rules);
    return { id: ids[i] ?? cluster.id, names, person };
  });
}
