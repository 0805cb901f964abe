import { type Partition, partition } from '../identity/graph.ts';
import type { ConsentDefaults } from '../platform/brand.ts';
import { restrictedSince } from '../privacy/restriction.ts';
import { type Cluster, clusterOf, isFolded, profileIds, split } from '../profile/cluster.ts';
import { readCluster } from '../profile/read.ts';
import type { ProfileStore } from '../profile/store.ts';
import { allows, type Consents, heardAll } from './consents.ts';

/** What a profile has said until now: the sealed part knows what its events said, the tail's are heard on top. */
export function consentsOf(cluster: Cluster, division: Partition, member: number): Consents | undefined {
  const recent = cluster.tail.filter((event) => !isFolded(event, cluster.frontier));
  return heardAll(cluster.people[member]?.consents, split(recent, division)[member] ?? []);
}

/** Whether a profile allows a purpose now; one that is no more, or is restricted, allows nothing. */
export async function isAllowedBy(
  profile: string,
  purpose: string,
  defaults: ConsentDefaults,
  profiles: ProfileStore,
): Promise<boolean> {
  const cluster = await readCluster(profiles, clusterOf(profile));
  if (!cluster) return false;
  const division = partition(cluster.graph);
  const member = profileIds(cluster.id, cluster.graph, division).indexOf(profile);
  if (restrictedSince(cluster.graph, division.members[member]) !== undefined) return false;
  return member >= 0 && allows(consentsOf(cluster, division, member), purpose, defaults);
}
