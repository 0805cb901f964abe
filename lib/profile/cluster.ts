import { createHash } from 'node:crypto';
import type { TierChange } from '../attribution/tier.ts';
import { byTime, type Event } from '../events/event.ts';
import { type Graph, homeOf, nameOf, type Partition, partition } from '../identity/graph.ts';
import type { Kept } from '../platform/compressed.ts';
import { restrictedSince } from '../privacy/restriction.ts';
import type { Activity } from './activity.ts';
import { copyPerson, emptyPerson, type HeldTag, type Person, type Rules, walk, watch } from './person.ts';

/**
 * The unit that is read and written at once: all profiles whose identities depend on each other. In all but a few
 * cases that is one profile; where strong identifiers met and conflicted it is more. A cluster only grows: it takes
 * in other clusters whole and never gives identifiers away, so who is who inside it can be a function of its graph,
 * decided anew whenever an event arrives late, without moving anything between rows.
 */
export interface Cluster {
  readonly id: string;
  /** The version of the row that was read; 0: there is none yet. */
  readonly version: number;
  /** When we first heard of it. Only for choosing which of two clusters takes in the other. */
  readonly createdAt: string;
  readonly graph: Graph;
  /** How far the sealed part goes: `people` have seen every event up to this instant, and no later one. */
  readonly frontier: string | undefined;
  /** One person a member of `partition(graph)`, in its order, walked to the frontier. */
  readonly people: readonly Person[];
  /** Events that are in no sealed segment yet, in time order. */
  readonly tail: readonly Event[];
  /** How many segments count. A segment with this number or a higher one was written by somebody who then crashed. */
  readonly sequence: number;
  /** The soonest that a sealed event expires, in milliseconds, or sooner; Infinity: none ever does. */
  readonly expires: number;
  /** The digest of the rules that `people` were walked with. */
  readonly book: string;
  /** What follows from the state and may not have been written or sent yet. */
  readonly outbox: readonly string[];
  /** What was last shown of each profile, to tell what changed. */
  readonly shown: ReadonlyMap<string, Shown>;
  /** The entry in the due index: never later than the next change. */
  readonly due: string | undefined;
  /** The state as it was read: one that turns out the same is written as it stands. */
  readonly kept?: Kept;
}

export interface Shown {
  readonly tags: ReadonlyMap<string, HeldTag>;
  readonly activity: Activity | undefined;
  /** Days before the newest that entries of the outbox name: what they have to write. */
  readonly earlier: readonly Activity[];
  /** How they have stood for the credit of their orders. */
  readonly tiers: readonly TierChange[];
}

/** A profile of a cluster, as of now. */
export interface Profile {
  readonly id: string;
  readonly names: readonly string[];
  readonly person: Person;
}

/** A cluster that was claimed and never written. */
export type Unwritten = { readonly unwritten: string };

export const idOf = (it: Cluster | Unwritten): string => ('unwritten' in it ? it.unwritten : it.id);

/** Whether an event is, or would have to be, part of what `people` have seen: events of one instant are never parted. */
export const isFolded = (event: Pick<Event, 'occurredAt'>, frontier: string | undefined): boolean =>
  frontier !== undefined && event.occurredAt <= frontier;

/** Splits events by the profile they belong to, each part in time order. */
export function split(events: readonly Event[], { members, memberAt }: Partition): Event[][] {
  const parts: Event[][] = members.map(() => []);
  for (const event of [...events].sort(byTime)) {
    const member = memberAt(nameOf(homeOf(event)), event.occurredAt);
    if (member === undefined) throw new Error(`event ${event.id} belongs to no profile of its cluster`);
    parts[member]?.push(event);
  }
  return parts;
}

/**
 * The ids of a cluster's profiles. The one that holds the cluster's first identifier has the cluster's own id; another
 * has it with a digest of its strongest identifier appended.
 */
export function profileIds(cluster: string, graph: Graph, { members }: Partition): string[] {
  const [founder] = graph.identifiers.keys();
  return members.map(({ nodes }) =>
    founder !== undefined && nodes.includes(founder)
      ? cluster
      : `${cluster}~${createHash('sha256')
          .update(nodes[0] ?? '')
          .digest('base64url')
          .slice(0, 8)}`,
  );
}

/** Whether an event is a profile's own. */
export function isOwnOf({ id, graph }: Cluster, profile: string): (event: Event) => boolean {
  const division = partition(graph);
  const member = profileIds(id, graph, division).indexOf(profile);
  return (event) => division.memberAt(nameOf(homeOf(event)), event.occurredAt) === member;
}

/** The cluster that a profile's id names. */
export const clusterOf = (profile: string): string => profile.split('~')[0] ?? profile;

/**
 * A cluster's profiles as of an instant: the people of the frontier, walked on through the tail. A cluster whose
 * people were walked with other rules has to be rebuilt from its journal first (`fold.ts`).
 */
export function profilesOf(cluster: Cluster, rules: Rules, now: number): Profile[] {
  const division = partition(cluster.graph);
  const recent = split(
    cluster.tail.filter((event) => !isFolded(event, cluster.frontier)),
    division,
  );
  const ids = profileIds(cluster.id, cluster.graph, division);
  return division.members.map(({ names }, i) => {
    const restricted = restrictedSince(cluster.graph, division.members[i]);
    const person = copyPerson(cluster.people[i] ?? emptyPerson(), restricted);
    walk(person, recent[i] ?? [], rules);
    watch(person, now, rules);
    return { id: ids[i] ?? cluster.id, names, person };
  });
}
