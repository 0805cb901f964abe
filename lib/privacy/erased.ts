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
  isStatement,
  nameOf,
  type Partition,
} from '../identity/graph.ts';
import { markOf } from '../identity/owners.ts';
import { nodeAt, nodesOf, spansOf, type Tenured, type Tenures, wasErased } from '../identity/tenure.ts';
import { unwitnessed } from './unwitnessed.ts';

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

/** The same of an identifier that changed hands, where one of its owners was erased and others stay: by the event's own time. */
export function withoutGone(event: Event, { tenures }: Tenured): Event | undefined {
  if (tenures.size === 0 || isStatement(event)) return event;
  const isGone = (id: Identifier): boolean => {
    const known = tenures.get(nameOf(id));
    return known !== undefined && wasErased(known, event);
  };
  if (!event.identifiers.some(isGone)) return event;
  if (isGone(homeOf(event))) return undefined;
  return { ...event, identifiers: event.identifiers.filter((id) => !isGone(id)) };
}

/** A cluster without one of its profiles. */
export interface Remainder {
  /** Every identifier that goes: the profile's, and whatever only its events ever showed. */
  readonly gone: readonly Identifier[];
  /** Identifiers that the profile had for a time, and somebody who stays has or had at another. */
  readonly shared: readonly Identifier[];
  /** The profile's own events. */
  readonly erased: readonly Event[];
  /** Those of everybody else, without the identifiers that are gone. */
  readonly events: readonly Event[];
  readonly graph: Graph;
}

/**
 * Takes a profile out of its cluster, as if none of its events had ever come. Who is who among the others is told anew
 * from their own events and from the decisions that do not name who is gone; of a shared device only the owners who were told
 * by other clusters are known without an event, and stay. An identifier that somebody else had at another time stays theirs.
 *
 * @param at when it is: of what the person had for a time only, what comes late is told by it
 */
export function without(
  graph: Graph,
  { members, memberAt }: Partition,
  member: number,
  events: readonly Event[],
  at: string,
): Remainder {
  const own = new Set(members[member]?.nodes);
  const names = new Set([...graph.identifiers.keys()].filter((name) => isOnlyOf(own, graph, name)));
  const isOwn = (event: Event) => memberAt(nameOf(homeOf(event)), event.occurredAt) === member;
  const left = events.flatMap((event) => {
    if (isOwn(event)) return [];
    const identifiers = event.identifiers.filter(
      (id) => !own.has(nodeAt(graph, nameOf(id), event.occurredAt)),
    );
    return [identifiers.length === event.identifiers.length ? event : { ...event, identifiers }];
  });
  const rest: Graph = { ...emptyGraph(), tenures: tenuresWithout(own, graph, at) };
  const foreign = new Set(
    left.flatMap((event) => event.identifiers.map(nameOf).filter((name) => !graph.identifiers.has(name))),
  );
  for (const event of left) addEvent(rest, event, foreign);
  addGraph(rest, unwitnessed(graph, events, names));
  for (const [key, decision] of graph.decisions) {
    if (names.has(decision.a) || names.has(decision.b)) continue;
    rest.decisions.set(key, decision);
    for (const name of [decision.a, decision.b]) keep(rest, graph, name);
  }
  for (const [name, { runs }] of graph.tenures) if (runs.length === 0) keep(rest, graph, name);
  for (const name of graph.tenures.keys()) if (!rest.identifiers.has(name)) rest.tenures.delete(name);
  const restrictions = new Map([...graph.restrictions].filter(([name]) => rest.identifiers.has(name)));
  addGraph(rest, { ...emptyGraph(), attachments: ownersWithout(names, graph, rest), restrictions });
  return {
    gone: [...graph.identifiers].filter(([name]) => !rest.identifiers.has(name)).map(([, id]) => id),
    shared: [...rest.tenures.keys()]
      .filter((name) => nodesOf(graph, name).some((node) => own.has(node)))
      .flatMap((name) => graph.identifiers.get(name) ?? []),
    erased: events.filter(isOwn),
    events: left,
    graph: rest,
  };
}

const isOnlyOf = (own: ReadonlySet<string>, graph: Graph, name: string): boolean => {
  const nodes = nodesOf(graph, name);
  return nodes.length > 0 && nodes.every((node) => own.has(node));
};

/** When identifiers changed hands, and which of the owners is gone; when they were seen the events of the others tell. */
function tenuresWithout(own: ReadonlySet<string>, graph: Graph, at: string): Map<string, Tenures> {
  return new Map(
    [...graph.tenures].map(([name, it]) => {
      const gone = spansOf(it, ([from]) => own.has(nodeAt(graph, name, from)), at);
      return [name, { ...it, runs: [], gone: [...it.gone, ...gone] }];
    }),
  );
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
