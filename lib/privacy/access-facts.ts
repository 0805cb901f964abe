import { consentsOf } from '../consent/of-profile.ts';
import type { Identifier } from '../events/event.ts';
import { nameOf, partition } from '../identity/graph.ts';
import { toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { profileIds, split } from '../profile/cluster.ts';
import { readCluster } from '../profile/read.ts';
import { showIdentifier, type Viewer } from '../query/mask.ts';
import type { QueryDeps } from '../query/route.ts';
import type { Facts } from './access.ts';
import { restrictedSince } from './restriction.ts';

/**
 * What is known of one person, as it stands in the store: no rule is read and nobody is walked.
 *
 * @param id any of their identifiers, as it is stored @throws RejectedError 404 if nobody has it any more
 */
export async function factsOf(
  id: Identifier,
  viewer: Viewer,
  deps: Omit<QueryDeps, 'rules'>,
): Promise<{ readonly profile: string; readonly facts: Facts }> {
  const place = await deps.directory.find(id);
  const cluster = place && (await readCluster(deps.profiles, place.cluster));
  const division = cluster && partition(cluster.graph);
  const member = division?.members.findIndex(({ names }) => names.includes(nameOf(id))) ?? -1;
  if (!cluster || !division || member < 0)
    throw new RejectedError('not_found', 'nobody has this identifier any more', 404);
  const profile = profileIds(cluster.id, cluster.graph, division)[member] ?? cluster.id;
  const { names = [] } = division.members[member] ?? {};
  const own = names.flatMap((name) => cluster.graph.identifiers.get(name) ?? []);
  const facts: Facts = {
    madeAt: toIso(deps.now()),
    brand: deps.brand.title,
    restrictedAt: restrictedSince(cluster.graph, division.members[member]),
    identifiers: own.map((it) => showIdentifier(it, viewer, deps.protector)),
    events: split(await deps.profiles.events(cluster), division)[member] ?? [],
    tags: [...(cluster.shown.get(profile)?.tags ?? [])].map(([tag, { value, since, version }]) => ({
      ...{ tag, value, since: toIso(since), version },
    })),
    consents: [...(consentsOf(cluster, division, member) ?? [])].flatMap(([, said]) =>
      [...said].map(([purpose, { granted, since, at, channel, text }]) => ({
        ...{ purpose, granted, since, at, channel, text },
      })),
    ),
  };
  return { profile, facts };
}
