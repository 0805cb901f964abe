import { isDeepStrictEqual } from 'node:util';
import type { Event } from '../events/event.ts';
import type { Partition } from '../identity/graph.ts';
import { restrictedSince } from '../privacy/restriction.ts';
import type { Activity } from './activity.ts';
import { type Cluster, isFolded, profileIds, split } from './cluster.ts';
import { entry } from './entries.ts';
import { copyPerson, emptyPerson, type Rules, walk } from './person.ts';

/** So many days that wait to be written stand in the state; beyond, they are taken from the journal when it comes to it. */
export const EARLIER = 40;

/** Notes each day's activity as it grows. */
export const into = (days: Map<string, Activity>, profile: string | undefined) => (activity: Activity) =>
  void days.set(`${profile} ${activity.day}`, activity);

/** The newest day of each profile as it was last shown, and the earlier ones that wait to be written. */
export const shownDays = ({ shown }: Cluster): Map<string, Activity> =>
  new Map(
    [...shown].flatMap(([id, { activity, earlier }]) =>
      [...earlier, ...(activity ? [activity] : [])].map((it) => [`${id} ${it.day}`, it] as const),
    ),
  );

/** The days as they were before: walked again, because an event between known ones can change every later day. */
export function walkedDays(
  cluster: Cluster,
  division: Partition,
  known: readonly Event[],
  anew: boolean,
  rules: Rules,
): Map<string, Activity> {
  const days = new Map<string, Activity>();
  const ids = profileIds(cluster.id, cluster.graph, division);
  const recent = anew ? known : known.filter((event) => !isFolded(event, cluster.frontier));
  for (const [i, part] of split(recent, division).entries()) {
    const kept = anew ? undefined : cluster.people[i];
    const restricted = restrictedSince(cluster.graph, division.members[i]);
    walk(kept ? copyPerson(kept, restricted) : emptyPerson(restricted), part, rules, into(days, ids[i]));
  }
  return days;
}

/** Entries for the days that are not as they were; where events came in order only their own days can be others. */
export function changedDays(
  before: ReadonlyMap<string, Activity>,
  after: ReadonlyMap<string, Activity>,
  inOrder: boolean,
  { book }: Rules,
  fresh: readonly Event[],
): string[] {
  const own = new Set(fresh.map((event) => book.calendar.brandDay(Date.parse(event.occurredAt))));
  return [...new Set([...(inOrder ? [] : before.keys()), ...after.keys()])]
    .filter((key) => !isDeepStrictEqual(before.get(key), after.get(key)))
    .map((key) => key.split(' '))
    .filter(([, day]) => !inOrder || own.has(Number(day)))
    .map(([profile = '', day]) => entry.activity(profile, Number(day)));
}
