import type { Event, Identifier } from '../events/event.ts';
import { isDecision } from '../identity/decisions.ts';
import type { Place } from '../identity/directory.ts';
import {
  type Attachment,
  addEvent,
  addGraph,
  emptyGraph,
  type Graph,
  homeOf,
  nameOf,
  type Partition,
} from '../identity/graph.ts';
import { markOf } from '../identity/owners.ts';

/** When the person was erased whom a stored identifier stood for, by the identifier's name; undefined: nobody was. */
export type ErasedAt = (name: string) => string | undefined;

/** What identifiers' places say of it. */
export const erasedIn =
  (places: ReadonlyMap<string, Place>): ErasedAt =>
  (name) =>
    places.get(name)?.erasedAt;

/**
 * What is left of an event after erasures. An event that occurred, or arrived, before its person was erased is nothing
 * any more; on an event of somebody else the erased person's identifiers are not there. What happened afterwards is
 * another matter: whoever comes back is somebody new.
 */
export function withoutErased(event: Event, erasedAt: ErasedAt): Event | undefined {
  const isErased = (id: Identifier): boolean => {
    const at = erasedAt(nameOf(id));
    return at !== undefined && (event.occurredAt <= at || event.receivedAt <= at);
  };
  if (!event.identifiers.some(isErased)) return event;
  if (isDecision(event) || isErased(homeOf(event))) return undefined;
  return { ...event, identifiers: event.identifiers.filter((id) => !isErased(id)) };
}

/** A cluster without one of its profiles. */
export interface Remainder {
  /** Every identifier that goes: the profile's, and whatever only its events ever showed. */
  readonly gone: readonly Identifier[];
  /** The profile's own events. */
  readonly erased: readonly Event[];
  /** Those of everybody else, without the identifiers that are gone. */
  readonly events: readonly Event[];
  readonly graph: Graph;
}

/**
 * Takes a profile out of its cluster, as if none of its events had ever come. Who is who among the others is told anew
 * from their own events and from the decisions that do not name who is gone; of a shared device only the owners who were told
 * by other clusters are known without an event, and stay.
 */
export function without(
  graph: Graph,
  { members, memberOf }: Partition,
  member: number,
  events: readonly Event[],
): Remainder {
  const names = new Set(members[member]?.names);
  const isOwn = (event: Event) => memberOf.get(nameOf(homeOf(event))) === member;
  const left = events.flatMap((event) => {
    if (isOwn(event)) return [];
    const identifiers = event.identifiers.filter((id) => !names.has(nameOf(id)));
    return [identifiers.length === event.identifiers.length ? event : { ...event, identifiers }];
  });
  const rest = emptyGraph();
  const foreign = new Set(
    left.flatMap((event) => event.identifiers.map(nameOf).filter((name) => !graph.identifiers.has(name))),
  );
  for (const event of left) addEvent(rest, event, foreign);
  for (const [key, decision] of graph.decisions) {
    if (names.has(decision.a) || names.has(decision.b)) continue;
    rest.decisions.set(key, decision);
    for (const name of [decision.a, decision.b]) keep(rest, graph, name);
  }
  addGraph(rest, { ...emptyGraph(), attachments: ownersWithout(names, graph, rest) });
  return {
    gone: [...graph.identifiers].filter(([name]) => !rest.identifiers.has(name)).map(([, id]) => id),
    erased: events.filter(isOwn),
    events: left,
    graph: rest,
  };
}

/** Who was seen beside those weak identifiers that stay, but for whom is gone: other clusters said so, and no event here does. */
function ownersWithout(
  names: ReadonlySet<string>,
  { attachments }: Graph,
  rest: Graph,
): Map<string, Attachment> {
  const marks = new Set([...names].map(markOf));
  return new Map(
    [...attachments].flatMap(([name, { owners }]) => {
      const left = owners?.filter(({ by }) => !marks.has(by)) ?? [];
      return left.length > 0 && rest.identifiers.has(name) ? [[name, { owners: left }] as const] : [];
    }),
  );
}

function keep(rest: Graph, graph: Graph, name: string): void {
  const id = graph.identifiers.get(name);
  if (id && !rest.identifiers.has(name)) rest.identifiers.set(name, id);
}
