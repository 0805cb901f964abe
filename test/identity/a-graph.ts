// Builders for identity's tests: a graph from events of which only identifiers, time and id matter.
import type { Event } from '../../lib/events/event.ts';
import { addEvent, emptyGraph, type Graph, nameOf, partition } from '../../lib/identity/graph.ts';
import { anEvent } from '../profile/a-profile.ts';

/** An event that shows identifiers together, on a day. */
export const aSighting = (days: number, ...ids: string[]): Event => anEvent('page_viewed', days, { ids });

export function graphOf(...events: readonly Event[]): Graph {
  const graph = emptyGraph();
  for (const event of events) addEvent(graph, event);
  return graph;
}

const words = (name: string): string => {
  const [kind = '', scope = '', value = ''] = name.split('\n');
  return scope === 'demo' || /^(e164|rfc5322)$/.test(scope)
    ? `${kind}:${value}`
    : `${kind}@${scope}:${value}`;
};

/** Who is who: the identifiers of each profile, sorted. */
export const profilesIn = (graph: Graph): string[][] =>
  partition(graph)
    .members.map(({ names }) => names.map(words))
    .sort((a, b) => (a.join() < b.join() ? -1 : 1));

export const reviewsIn = (graph: Graph): string[] =>
  partition(graph).reviews.map(({ a, b, reason }) => `${words(a)} ${words(b)} ${reason}`);

export const namesOf = (event: Event): string[] => event.identifiers.map(nameOf);
