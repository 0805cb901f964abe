import { conversionsIn, entriesOf } from '../attribution/conversion.ts';
import { personOf, rowsOf } from '../attribution/person.ts';
import { uncounted } from '../consent/uncounted.ts';
import type { Event } from '../events/event.ts';
import { dayName, toIso } from '../platform/clock.ts';
import { restrictedSince } from '../privacy/restriction.ts';
import { STAGE } from '../profile/activity.ts';
import { type Cluster, profileIds, split } from '../profile/cluster.ts';
import { emptyPerson, type Person, type Rules, walk, watch } from '../profile/person.ts';
import { addEvent, addGraph, emptyGraph, type Graph, type Partition, partition } from './graph.ts';

/** A profile as it is, or would be. */
export interface Portrait {
  readonly profile: string;
  /** Names of its identifiers. */
  readonly names: readonly string[];
  readonly stage: string | null;
  /** Tag → value and since when. */
  readonly tags: Readonly<Record<string, { readonly value: string | true; readonly since: string }>>;
  readonly events: number;
  readonly conversions: readonly Converted[];
}

export interface Converted {
  readonly goal: string;
  readonly at: string;
  /** The id of the conversion's own event. */
  readonly event: string;
  readonly value: number;
  readonly currency: string;
  /** Model → shares of its touches in ppm, in the order of the path; a touch by its event, `null`: nobody. */
  readonly credits: Readonly<
    Record<
      string,
      readonly { readonly event: string | null; readonly channel: string | null; readonly ppm: number }[]
    >
  >;
}

/** Some clusters as one, and all their events. */
export interface Matter {
  readonly id: string;
  readonly graph: Graph;
  readonly events: readonly Event[];
}

/** What clusters know together. The first one's id is that of what they would become. */
export function matterOf(
  parts: readonly { readonly cluster: Cluster; readonly events: readonly Event[] }[],
): Matter {
  const graph = emptyGraph();
  for (const { cluster } of parts) addGraph(graph, cluster.graph);
  const events = parts.flatMap((part) => part.events);
  return { id: parts[0]?.cluster.id ?? '', graph, events };
}

/** The same with decisions, as the fold would take them in. */
export function decidedWith(matter: Matter, decisions: readonly Event[]): Matter {
  const graph = emptyGraph();
  addGraph(graph, matter.graph);
  for (const decision of decisions) addEvent(graph, decision);
  return { ...matter, graph };
}

/** The profiles of a matter, each walked through its own events: what `fold` does when it rebuilds. */
export function portraits({ id, graph, events }: Matter, rules: Rules, now: number): Portrait[] {
  const division: Partition = partition(graph);
  const ids = profileIds(id, graph, division);
  return split(events, division).flatMap((own, i): Portrait[] => {
    if (own.length === 0) return [];
    const restricted = restrictedSince(graph, division.members[i]);
    const person = emptyPerson(restricted);
    walk(person, own, rules);
    watch(person, now, rules);
    const profile = ids[i] ?? id;
    const stage = person.tags.get(STAGE)?.value;
    const tags = [...person.tags].sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      {
        profile,
        names: division.members[i]?.names ?? [],
        stage: typeof stage === 'string' ? stage : null,
        tags: Object.fromEntries(
          tags.map(([tag, { value, since }]) => [tag, { value, since: toIso(since) }]),
        ),
        events: own.length,
        conversions: convertedBy(profile, own, person, rules),
      },
    ];
  });
}

function convertedBy(
  profile: string,
  events: readonly Event[],
  { tiers, restricted }: Person,
  { brand, book }: Rules,
): Converted[] {
  if (conversionsIn(entriesOf(events, brand)).length === 0) return [];
  const dayOf = (at: string) => dayName(book.calendar.brandDay(Date.parse(at)));
  const said = { uncounted: uncounted(events, brand.consent), restricted, tiers };
  const person = personOf(profile, events, brand, said);
  return rowsOf(person, 'all', brand, dayOf).map(({ conversion, path, credits }) => ({
    goal: conversion.goal,
    at: conversion.at,
    event: conversion.eventId,
    value: conversion.value,
    currency: conversion.currency,
    credits: Object.fromEntries(
      Object.entries(credits).map(([model, shares]) => [
        model,
        (shares ?? []).map(({ touch, ppm }) => {
          const seen = touch === null ? undefined : path.touches[touch];
          return { event: seen?.eventId ?? null, channel: seen?.channel ?? null, ppm };
        }),
      ]),
    ),
  }));
}

/** Those of each side that the other does not have just so: who is not concerned is not shown. */
export function difference(
  before: readonly Portrait[],
  after: readonly Portrait[],
): { before: Portrait[]; after: Portrait[] } {
  const text = ({ profile: _, ...it }: Portrait) => JSON.stringify({ ...it, names: [...it.names].sort() });
  const [was, is] = [new Set(before.map(text)), new Set(after.map(text))];
  return {
    before: before.filter((it) => !is.has(text(it))),
    after: after.filter((it) => !was.has(text(it))),
  };
}

/** Tags that not the same people would hold, and conversions that would not be credited as they are. */
export function consequences({ before, after }: { before: readonly Portrait[]; after: readonly Portrait[] }) {
  const holders = (of: readonly Portrait[], tag: string) =>
    of
      .flatMap(({ tags }) => tags[tag] ?? [])
      .map((held) => JSON.stringify(held))
      .sort()
      .join();
  const tags = new Set([...before, ...after].flatMap((it) => Object.keys(it.tags)));
  const credited = (of: readonly Portrait[]) =>
    new Map(of.flatMap((it) => it.conversions).map((it) => [`${it.goal} ${it.event}`, JSON.stringify(it)]));
  const [was, is] = [credited(before), credited(after)];
  const conversions = new Set([...was.keys(), ...is.keys()]);
  const stages = (of: readonly Portrait[]) =>
    of
      .map(({ stage }) => stage)
      .sort()
      .join();
  return {
    tags: [...tags].filter((tag) => holders(before, tag) !== holders(after, tag)).sort(),
    stage: stages(before) !== stages(after),
    /** By the events that made them. */
    conversions: [...conversions]
      .filter((key) => was.get(key) !== is.get(key))
      .map((key) => key.split(' ')[1] ?? '')
      .sort(),
  };
}
