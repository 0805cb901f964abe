import { createHash } from 'node:crypto';
import type { Event, Identifier } from '../events/event.ts';
import { byRank, isStrong } from './kinds.ts';

/** When something was first seen, by event time; the event's id breaks ties. */
export interface Sighting {
  readonly at: string;
  readonly event: string;
}

/** Two strong identifiers on one event: a reason to join their profiles. `a` ranks before `b`. */
export interface Edge extends Sighting {
  readonly a: string;
  readonly b: string;
}

/** A weak identifier's registers. Each is the minimum over all events, so it knows no order of arrival. */
export interface Attachment {
  /** The first event that shows it beside a strong identifier, and that event's first strong identifier. */
  readonly beside?: Sighting & { readonly owner: string };
  /** The first event without a strong identifier that shows it, and that event's first weak identifier. */
  readonly among?: Sighting & { readonly leader: string };
}

/**
 * Everything that is known of how a cluster's identifiers hang together. A graph only grows: merging two graphs,
 * or one twice, is a union of edges and a minimum of registers.
 */
export interface Graph {
  /** name → identifier, in the order in which this cluster came to know them. */
  readonly identifiers: Map<string, Identifier>;
  /** `a` + newline + `b` → the first event that showed both. */
  readonly edges: Map<string, Edge>;
  readonly attachments: Map<string, Attachment>;
}

/** One profile of a cluster. */
export interface Member {
  /** Names of its identifiers, strongest first. */
  readonly names: readonly string[];
}

/** Two strong identifiers that met and were not joined: somebody has to look. */
export interface Review extends Edge {
  readonly reason: 'conflict' | 'full';
}

/** A pair's name: a digest, so that no identifier stands in a key. */
export const pairOf = ({ a, b }: Pick<Edge, 'a' | 'b'>): string =>
  createHash('sha256').update(`${a}\t${b}`).digest('base64url').slice(0, 16);

export interface Partition {
  readonly members: readonly Member[];
  /** Identifier's name → index of its profile in `members`. */
  readonly memberOf: ReadonlyMap<string, number>;
  readonly reviews: readonly Review[];
}

/** How many strong identifiers one profile may hold: beyond it something is wrong with the source, not with the person. */
export const MAX_STRONG = 64;

/** An identifier's name: unique, and in no need of parsing. */
export const nameOf = (id: Identifier): string => `${id.kind}\n${id.scope}\n${id.value}`;

export const emptyGraph = (): Graph => ({ identifiers: new Map(), edges: new Map(), attachments: new Map() });

export const isBefore = (a: Sighting, b: Sighting): boolean =>
  a.at < b.at || (a.at === b.at && a.event < b.event);

/** An event's identifiers, strongest first; the first one decides where the event belongs. */
export const ranked = (event: Pick<Event, 'identifiers'>): Identifier[] => {
  const names = new Map(event.identifiers.map((id) => [nameOf(id), id]));
  return [...names.values()].sort(byRank);
};

/** The identifier whose profile an event belongs to: its first strong one, else its first weak one. */
export const homeOf = (event: Pick<Event, 'identifiers'>): Identifier => {
  const [first] = ranked(event);
  if (!first) throw new Error('an event has at least one identifier');
  return first;
};

/** What of an event identity is made of. */
type Witness = Pick<Event, 'type' | 'identifiers' | 'occurredAt' | 'id'>;

/**
 * What an event says of identity. `edges`: pairs of its strong identifiers. `attachments`: what its weak
 * identifiers would hold if this event were the first to show them. An `identity_unlinked` names strong identifiers
 * that belong together no more: it is no reason to join them.
 */
export function statementsOf(event: Witness): {
  edges: Edge[];
  attachments: Map<string, Attachment>;
} {
  const seen: Sighting = { at: event.occurredAt, event: event.id };
  const ids = ranked(event);
  const strong = ids.filter(isStrong).map(nameOf);
  const weak = ids.filter((id) => !isStrong(id)).map(nameOf);
  const joined = event.type === 'identity_unlinked' ? [] : strong;
  const edges = joined.flatMap((a, i) => joined.slice(i + 1).map((b) => ({ ...seen, a, b })));
  const owner = strong[0];
  const leader = weak[0];
  const attachments = new Map(
    weak.map((name): [string, Attachment] => [
      name,
      owner === undefined ? { among: { ...seen, leader: leader ?? name } } : { beside: { ...seen, owner } },
    ]),
  );
  return { edges, attachments };
}

/** Whether a statement about a weak identifier would change its registers. */
export const wouldChange = (known: Attachment | undefined, said: Attachment): boolean =>
  (said.beside !== undefined && (!known?.beside || isBefore(said.beside, known.beside))) ||
  (said.among !== undefined && (!known?.among || isBefore(said.among, known.among)));

const earlier = <T extends Sighting>(a: T | undefined, b: T | undefined): T | undefined =>
  !a ? b : !b || isBefore(a, b) ? a : b;

/** Adds what an event says; `foreign` names weak identifiers that another cluster holds and that this event does not move. */
export function addEvent(graph: Graph, event: Witness, foreign: ReadonlySet<string> = new Set()): void {
  for (const id of event.identifiers) {
    const name = nameOf(id);
    if (!foreign.has(name) && !graph.identifiers.has(name)) graph.identifiers.set(name, id);
  }
  const { edges, attachments } = statementsOf(event);
  for (const edge of edges) addEdge(graph, edge);
  for (const [name, said] of attachments) if (!foreign.has(name)) addAttachment(graph, name, said);
}

/** Adds everything that another graph knows: a union, so adding it twice is adding it once. */
export function addGraph(graph: Graph, other: Graph): void {
  for (const [name, id] of other.identifiers)
    if (!graph.identifiers.has(name)) graph.identifiers.set(name, id);
  for (const edge of other.edges.values()) addEdge(graph, edge);
  for (const [name, said] of other.attachments) addAttachment(graph, name, said);
}

function addEdge(graph: Graph, edge: Edge): void {
  const key = `${edge.a}\t${edge.b}`;
  const known = graph.edges.get(key);
  if (!known || isBefore(edge, known)) graph.edges.set(key, edge);
}

function addAttachment(graph: Graph, name: string, said: Attachment): void {
  const known = graph.attachments.get(name);
  graph.attachments.set(name, {
    beside: earlier(known?.beside, said.beside),
    among: earlier(known?.among, said.among),
  });
}

/**
 * Divides a cluster into profiles: a function of the graph alone, taken in event-time order.
 *
 * 1. Edges, earliest first, join the profiles of their two strong identifiers, unless the joined profile would
 *    hold two strong identifiers of one kind and scope, or more than `MAX_STRONG`: then they stay apart and a
 *    review says so.
 * 2. A weak identifier belongs with the leader of the first event that showed it without a strong one; identifiers
 *    with the same leader (followed to the end) are a group.
 * 3. A group belongs to the profile beside which any of its identifiers was first seen, else it is a profile itself.
 */
export function partition(graph: Graph): Partition {
  const { root, reviews } = joinStrong(graph);

  const leaderOf = (name: string): string => {
    const leader = graph.attachments.get(name)?.among?.leader ?? name;
    return leader === name ? name : leaderOf(leader); // ranks fall strictly along leaders: this ends
  };
  const firstOwner = new Map<string, Sighting & { readonly owner: string }>();
  for (const [name, { beside }] of graph.attachments) {
    const group = leaderOf(name);
    const first = earlier(firstOwner.get(group), beside);
    if (first) firstOwner.set(group, first);
  }

  const placeOf = (id: Identifier, name: string): string => {
    if (isStrong(id)) return root(name);
    const group = leaderOf(name);
    const owner = firstOwner.get(group);
    return owner ? root(owner.owner) : group;
  };
  const places = Map.groupBy(
    [...graph.identifiers].sort(([, a], [, b]) => byRank(a, b)),
    ([name, id]) => placeOf(id, name),
  );
  const members = [...places.values()].map((list) => ({ names: list.map(([name]) => name) }));
  const memberOf = new Map(members.flatMap(({ names }, i) => names.map((name) => [name, i])));
  return { members, memberOf, reviews };
}

/** Union–find over the strong identifiers, refusing what conflicts. */
function joinStrong(graph: Graph): { root: (name: string) => string; reviews: Review[] } {
  const parents = new Map<string, string>();
  const held = new Map<string, Map<string, string>>(); // root → `kind scope` → name
  for (const [name, id] of graph.identifiers) {
    if (isStrong(id)) held.set(name, new Map([[slot(id), name]]));
  }
  const root = (name: string): string => {
    const parent = parents.get(name);
    return parent === undefined ? name : root(parent);
  };

  const reviews: Review[] = [];
  for (const edge of [...graph.edges.values()].sort(byEdge(graph))) {
    const a = root(edge.a);
    const b = root(edge.b);
    const mine = held.get(a);
    const theirs = held.get(b);
    if (a === b || !mine || !theirs) continue;
    if ([...theirs.keys()].some((kind) => mine.has(kind))) reviews.push({ ...edge, reason: 'conflict' });
    else if (mine.size + theirs.size > MAX_STRONG) reviews.push({ ...edge, reason: 'full' });
    else {
      parents.set(b, a);
      for (const [kind, name] of theirs) mine.set(kind, name);
    }
  }
  return { root, reviews };
}

const slot = (id: Identifier) => `${id.kind}\n${id.scope}`;

/** By event, then by the rank of the pair within the event. */
function byEdge(graph: Graph): (a: Edge, b: Edge) => number {
  const rank = (a: string, b: string): number => {
    const x = graph.identifiers.get(a);
    const y = graph.identifiers.get(b);
    return x && y ? byRank(x, y) : 0;
  };
  return (x, y) => {
    if (x.at !== y.at) return x.at < y.at ? -1 : 1;
    if (x.event !== y.event) return x.event < y.event ? -1 : 1;
    return rank(x.a, y.a) || rank(x.b, y.b);
  };
}
