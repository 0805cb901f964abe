import type { TierChange } from '../attribution/tier.ts';
import { heardAll, sinceWhen } from '../consent/consents.ts';
import { usualConsent } from '../consent/purpose.ts';
import { uncounted } from '../consent/uncounted.ts';
import { byTime, type Event } from '../events/event.ts';
import { partition } from '../identity/graph.ts';
import type { ConsentDefaults } from '../platform/brand.ts';
import { toIso } from '../platform/clock.ts';
import { restrictedSince } from '../privacy/restriction.ts';
import { type Cluster, isFolded, profileIds, split } from './cluster.ts';
import { isRedirect, type ProfileStore } from './store.ts';

/** The events of a cluster's profiles, for those who need them one by one. */
export interface History {
  /** The cluster that answers: another than was asked for, if that has been taken in. */
  readonly cluster: string;
  readonly version: number;
  readonly people: readonly {
    readonly profile: string;
    readonly events: readonly Event[];
    /** The ids of those that nobody allowed to be analysed: they are no touches. */
    readonly uncounted: ReadonlySet<string>;
    /** From when on nothing of theirs is used; what they bought before keeps its credits. */
    readonly restricted: string | undefined;
    readonly tiers: readonly TierChange[];
  }[];
}

/**
 * Reads a cluster's events in time order, all that occurred at or after an instant; some older ones may come along.
 *
 * @param since milliseconds; undefined: from the beginning
 * @param consent what the brand presumes of those who have said nothing
 */
export async function readHistory(
  profiles: ProfileStore,
  id: string,
  since?: number,
  consent: ConsentDefaults = usualConsent,
): Promise<History | undefined> {
  const cluster = await profiles.get(id);
  if (!cluster) return undefined;
  if (isRedirect(cluster)) return readHistory(profiles, cluster.joined, since, consent);
  const from = since === undefined ? undefined : toIso(since);
  const isTold = from !== undefined && isToldFrom(cluster, from);
  const journal = await profiles.journal(cluster, isTold ? from : undefined);
  const division = partition(cluster.graph);
  const ids = profileIds(cluster.id, cluster.graph, division);
  const parts = split([...journal.events, ...cluster.tail].sort(byTime), division);
  return {
    cluster: cluster.id,
    version: cluster.version,
    people: parts.map((events, i) => ({
      profile: ids[i] ?? cluster.id,
      events,
      restricted: restrictedSince(cluster.graph, division.members[i]),
      tiers: cluster.shown.get(ids[i] ?? '')?.tiers ?? [],
      uncounted: isTold ? uncountedFrom(from, events, cluster, i, consent) : uncounted(events, consent),
    })),
  };
}

/** The same of events that are complete from an instant on only: what was said before it the state and its tail know. */
function uncountedFrom(
  from: string,
  events: readonly Event[],
  { people, frontier }: Cluster,
  member: number,
  consent: ConsentDefaults,
): ReadonlySet<string> {
  const [earlier, known] = [
    events.filter((event) => event.occurredAt < from && !isFolded(event, frontier)),
    events.filter((event) => event.occurredAt >= from),
  ];
  return uncounted(known, consent, heardAll(people[member]?.consents, earlier));
}

/** Whether the sealed part's consents say how it stood at an instant already: nobody has changed their mind since. */
const isToldFrom = ({ people }: Cluster, from: string): boolean =>
  people.every(({ consents }) => (sinceWhen(consents) ?? '') <= from);
