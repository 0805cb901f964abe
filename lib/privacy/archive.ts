import { conversionView } from '../attribution/view.ts';
import type { Identifier } from '../events/event.ts';
import { nameOf } from '../identity/graph.ts';
import { toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { readHistory } from '../profile/history.ts';
import { viewOf } from '../profile/person.ts';
import { readCluster, readProfiles } from '../profile/read.ts';
import type { Viewer } from '../query/mask.ts';
import { showEvent, showProfile } from '../query/profile-view.ts';
import type { QueryDeps } from '../query/route.ts';
import { explainTag } from '../tags/explain.ts';

/**
 * Everything that is kept of a person, in clear: who they are, what they are told to be and why, what they did, what it was
 * credited to, what they agreed to. Made when it is asked for, so it is kept nowhere and is never old.
 *
 * @param id any of their identifiers, as it is stored @throws RejectedError 404 if nobody has it any more
 */
export async function archiveOf(id: Identifier, viewer: Viewer, deps: QueryDeps) {
  const rules = await deps.rules();
  const now = deps.now();
  const place = await deps.directory.find(id);
  const cluster = place && (await readCluster(deps.profiles, place.cluster));
  const profiles = cluster ? await readProfiles(deps.profiles, cluster, rules, now) : [];
  const profile = profiles.find(({ names }) => names.includes(nameOf(id)));
  if (!cluster || !profile) throw new RejectedError('not_found', 'nobody has this identifier any more', 404);
  const { person } = profile;
  const view = viewOf(person);
  const history = await readHistory(deps.profiles, cluster.id);
  const events = history?.people.find((it) => it.profile === profile.id)?.events ?? [];
  const conversions: ReturnType<typeof conversionView>[] = [];
  for await (const row of deps.conversions.list(cluster.id))
    if (row.id.startsWith(`${profile.id}.`)) conversions.push(conversionView(row));
  const said = [...(person.consents ?? [])].flatMap(([, statements]) =>
    [...statements].map(([purpose, { granted, since, at, channel, text }]) => ({
      ...{ purpose, granted, since, at, channel, text },
    })),
  );
  return {
    madeAt: toIso(now),
    brand: deps.brand.title,
    profile: showProfile({ cluster, profile }, rules, now, viewer, deps.protector),
    consents: said,
    tags: [...person.tags.keys()].sort().map((tag) => explainTag(rules.book, tag, view, now)),
    events: events.map((event) => showEvent(event, viewer, deps.protector)),
    conversions,
    profileId: profile.id,
  };
}
export type Archive = Awaited<ReturnType<typeof archiveOf>>;
