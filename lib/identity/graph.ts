import { createHash } from 'node:crypto';
import type { Event, Identifier } from '../events/event.ts';
import { bothHeard, isRestriction, type Restriction, restrictionOf } from '../privacy/restriction.ts';
import { type Decision, decisionOf, isDecision, isNewer, keyOf, verdictOn } from './decisions.ts';
import { byRank, isStrong } from './kinds.ts';
import { firstOwners, isShared, isShowing, markOf, type Owner, shownBy } from './owners.ts';
import { isWeakPair, joinStrong, togetherIn } from './strong.ts';
import {
  bothKnown,
  edgeKey,
  isRelease,
  nodeAt,
  nodesOf,
  noTenures,
  releasedBy,
  releaseOf,
  saysNew,
  startsIn,
  type Tenures,
} from './tenure.ts';

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
  /** All beside whom it was seen, where that is somebody else than the owner of `beside`. */
  readonly owners?: readonly Owner[];
}

/** Whether an event is a statement of Siyu's own: it changes the graph, and nobody did it. */
export const isStatement = (event: Omit<Witness, 'occurredAt' | 'id'>): boolean =>
  isDecision(event) || isShowing(event) || isRestriction(event) || isRelease(event);

/**
 * Everything that is known of how a cluster's identifiers hang together. A graph only grows: merging two graphs,
 * or one twice, is a union of edges and a minimum of registers.
 */
export interface Graph {
  /** name → identifier, in the order in which this cluster came to know them. */
  readonly identifiers: Map<string, Identifier>;
  /** `a` + tab + `b`, as they were called then (`nodeAt`) → the first event that showed both. */
  readonly edges: Map<string, Edge>;
  readonly attachments: Map<string, Attachment>;
  /** `a` + newline + `b` → what a person decided of the two last. */
  readonly decisions: Map<string, Decision>;
  /** name → what was said of using its person's data. */
  readonly restrictions: Map<string, readonly Restriction[]>;
  /** name → when it changed hands. Of nearly all identifiers there is nothing. */
  readonly tenures: Map<string, Tenures>;
}

/** One profile of a cluster. */
export interface Member {
  /** Names of its identifiers, strongest first: those that are its own today. */
  readonly names: readonly string[];
  /** What all that were ever its own are called in the graph (`nodeAt`). */
  readonly nodes: readonly string[];
}

/** Two strong identifiers that met and were not joined: somebody has to look. */
export interface Review extends Edge {
  readonly reason: 'conflict' | 'full' | 'idle';
}

/** A pair's name: a digest, so that no identifier stands in a key. */
export const pairOf = ({ a, b }: Pick<Edge, 'a' | 'b'>): string =>
  createHash('sha256').update(`${a}\t${b}`).digest('base64url').slice(0, 16);

export interface Partition {
  readonly members: readonly Member[];
  /** What an identifier is called (`nodeAt`) → index of its profile in `members`. */
  readonly memberOf: ReadonlyMap<string, number>;
  /** Whose an identifier was at an instant, without one: is today; undefined: nobody's. */
  readonly memberAt: (name: string, at?: string) => number | undefined;
  readonly reviews: readonly Review[];
}

/** An identifier's name: unique, and in no need of parsing. */
export const nameOf = (id: Identifier): string => `${id.kind}\n${id.scope}\n${id.value}`;

export const emptyGraph = (): Graph => ({
  identifiers: new Map(),
  edges: new Map(),
  attachments: new Map(),
  decisions: new Map(),
  restrictions: new Map(),
  tenures: new Map(),
});

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
type Witness = Pick<
  Event,
  'type' | 'source' | 'identifiers' | 'properties' | 'context' | 'occurredAt' | 'id'
>;

/**
 * What an event says of identity. `edges`: pairs of its strong identifiers. `attachments`: what its weak
 * identifiers would hold if this event were the first to show them. An `identity_unlinked` names strong identifiers
 * that belong together no more: it is no reason to join them. A decision shows nothing: it is a statement of another kind.
 */
export function statementsOf(event: Witness): {
  edges: Edge[];
  attachments: Map<string, Attachment>;
} {
  if (isDecision(event) || isRestriction(event) || isRelease(event))
    return { edges: [], attachments: new Map() };
  if (isShowing(event)) {
    const told = event.identifiers.map((id): [string, Attachment] => [
      nameOf(id),
      { owners: [shownBy(event)] },
    ]);
    return { edges: [], attachments: new Map(told) };
  }
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

const earlier = <T extends Sighting>(a: T | undefined, b: T | undefined): T | undefined =>
  !a ? b : !b || isBefore(a, b) ? a : b;

/** Adds what an event says; `foreign` names weak identifiers that another cluster holds and that this event does not move. */
export function addEvent(graph: Graph, event: Witness, foreign: ReadonlySet<string> = new Set()): void {
  for (const id of event.identifiers) {
    const name = nameOf(id);
    if (!foreign.has(name) && !graph.identifiers.has(name)) graph.identifiers.set(name, id);
  }
  if (isDecision(event)) addDecision(graph, decisionOf(event, nameOf));
  if (isRestriction(event)) addRestrictions(graph, nameOf(homeOf(event)), [restrictionOf(event)]);
  if (isRelease(event)) {
    const said = { ...noTenures, releases: [releaseOf(event)] };
    for (const id of releasedBy(event)) addTenures(graph, nameOf(id), said);
  }
  addSightings(graph, event);
  const { attachments } = statementsOf(event);
  for (const [name, said] of attachments) if (!foreign.has(name)) addAttachment(graph, name, said);
}

/** Adds where an event shows identifiers together, and when it shows those that change hands. */
export function addSightings(graph: Graph, event: Witness): void {
  if (graph.tenures.size > 0 && !isStatement(event))
    for (const id of event.identifiers) addSighting(graph, nameOf(id), event.occurredAt);
  for (const edge of statementsOf(event).edges) addEdge(graph, edge);
}

function addSighting(graph: Graph, name: string, at: string): void {
  if (graph.tenures.has(name)) addTenures(graph, name, { ...noTenures, runs: [[at, at]] });
}

/** Adds when an identifier changed hands, and calls it in its edges as it was called then. */
function addTenures(graph: Graph, name: string, said: Tenures): void {
  const before = graph.tenures.get(name) ?? noTenures;
  const after = bothKnown(before, said);
  graph.tenures.set(name, after);
  if (said.idleDays === undefined && startsIn(before).join() === startsIn(after).join()) return;
  const own = [...graph.edges].filter(([, { a, b }]) => a === name || b === name);
  for (const [key] of own) graph.edges.delete(key);
  for (const [, edge] of own) addEdge(graph, edge);
}

/** Adds everything that another graph knows: a union, so adding it twice is adding it once. */
export function addGraph(graph: Graph, other: Graph): void {
  for (const [name, id] of other.identifiers)
    if (!graph.identifiers.has(name)) graph.identifiers.set(name, id);
  for (const [name, said] of other.tenures) addTenures(graph, name, said);
  for (const edge of other.edges.values()) addEdge(graph, edge);
  for (const [name, said] of other.attachments) addAttachment(graph, name, said);
  for (const decision of other.decisions.values()) addDecision(graph, decision);
  for (const [name, said] of other.restrictions) addRestrictions(graph, name, said);
}

const addRestrictions = ({ restrictions }: Graph, name: string, said: readonly Restriction[]): void =>
  void restrictions.set(name, bothHeard(restrictions.get(name), said));

/** Whether a statement says anything that a graph does not know. */
export function wouldState(graph: Graph, event: Witness): boolean {
  const decision = isDecision(event) ? decisionOf(event, nameOf) : undefined;
  const known = decision && graph.decisions.get(keyOf(decision));
  if (decision) return !known || isNewer(decision, known);
  if (isRestriction(event))
    return !graph.restrictions.get(nameOf(homeOf(event)))?.some((it) => it.event === event.id);
  if (isRelease(event))
    return releasedBy(event).some((id) => saysNew(graph.tenures.get(nameOf(id)), releaseOf(event)));
  return [...statementsOf(event).attachments].some(([name, said]) => {
    const before = ownersOf(graph.attachments.get(name));
    return JSON.stringify(before) !== JSON.stringify(firstOwners(before, ownersOf(said)));
  });
}

function addDecision(graph: Graph, decision: Decision | undefined): void {
  const known = decision && graph.decisions.get(keyOf(decision));
  if (decision && (!known || isNewer(decision, known))) graph.decisions.set(keyOf(decision), decision);
}

function addEdge(graph: Graph, edge: Edge): void {
  const { a, b, at } = edge;
  for (const name of [a, b]) addSighting(graph, name, at);
  const key = edgeKey(graph, edge);
  const known = graph.edges.get(key);
  if (!known || isBefore(edge, known)) graph.edges.set(key, edge);
}

function addAttachment(graph: Graph, name: string, said: Attachment): void {
  const known = graph.attachments.get(name);
  const beside = earlier(known?.beside, said.beside);
  const among = earlier(known?.among, said.among);
  const owners = firstOwners(ownersOf(known), ownersOf(said));
  const [only] = owners;
  const isAlone = owners.length === 0 || (owners.length === 1 && beside && markOf(beside.owner) === only?.by);
  graph.attachments.set(name, { beside, among, ...(!isAlone && { owners }) });
}

/** All beside whom a weak identifier was seen. */
export const ownersOf = (known: Attachment | undefined): readonly Owner[] =>
  known?.owners ?? (known?.beside ? [{ by: markOf(known.beside.owner), at: known.beside.at }] : []);

/** Follows phones no longer than so many days in which they were not seen; `undefined`: always. Answers whether that changes anything. */
export function followFor(graph: Graph, idleDays: number | undefined): boolean {
  let isOther = false;
  for (const [name, { kind }] of graph.identifiers) {
    if (kind !== 'phone') continue;
    const known = graph.tenures.get(name);
    if (known?.idleDays === idleDays) continue;
    isOther = true;
    const { idleDays: _, ...rest } = known ?? noTenures;
    graph.tenures.set(name, rest);
    addTenures(graph, name, { ...noTenures, ...(idleDays !== undefined && { idleDays }) });
    if (idleDays === undefined && rest.releases.length + rest.gone.length === 0) graph.tenures.delete(name);
  }
  return isOther;
}

/**
 * Divides a cluster into profiles: a function of the graph alone, taken in event-time order.
 *
 * 1. Edges, earliest first, join the profiles of their two strong identifiers, unless the joined profile would
 *    hold two strong identifiers of one kind and scope, or more than `MAX_STRONG`: then they stay apart and a
 *    review says so. An edge whose pair was decided to be apart is as if nobody had seen it. An identifier that changed
 *    hands is another in each tenure (`tenure.ts`); of one profile it is the same, and conflicts with nothing.
 * 2. Pairs that were decided to be together are joined after that, oldest decision first, whatever conflicts: so a
 *    decision unites two profiles as they are, and takes nothing from a third. Only `MAX_STRONG` holds here too.
 * 3. A weak identifier belongs with the leader of the first event that showed it without a strong one; identifiers
 *    with the same leader (followed to the end) are a group.
 * 4. A group belongs to the profile beside which any of its identifiers was first seen, else it is a profile itself.
 *
 * In 3 and 4 an identifier that is shared (`isShared`) leads and follows nobody, and a pair that was decided to be apart does not count: the weak identifier is then nobody's. One that was
 * decided to be together with a strong one takes its group there, the newest such decision first.
 */
export function partition(graph: Graph): Partition {
  const { root, reviews } = joinStrong(graph);

  const shared = new Set(
    [...graph.attachments].flatMap(([name, { owners }]) => (isShared(owners) ? name : [])),
  );
  const leaderOf = (name: string): string => {
    const leader = graph.attachments.get(name)?.among?.leader ?? name;
    if (
      leader === name ||
      shared.has(name) ||
      shared.has(leader) ||
      verdictOn(graph, { a: leader, b: name }) === 'apart'
    )
      return name;
    return leaderOf(leader); // ranks fall strictly along leaders: this ends
  };
  const firstOwner = new Map<string, Sighting & { readonly owner: string }>();
  for (const [name, { beside }] of graph.attachments) {
    const group = leaderOf(name);
    const counts = beside && !shared.has(name) && verdictOn(graph, { a: beside.owner, b: name }) !== 'apart';
    const first = earlier(firstOwner.get(group), counts ? beside : undefined);
    if (first) firstOwner.set(group, first);
  }
  for (const { a: owner, b, at, event } of togetherIn(graph, isWeakPair))
    firstOwner.set(leaderOf(b), { at, event, owner });

  const placeOf = (id: Identifier, node: string): string => {
    if (isStrong(id)) return root(node);
    const group = leaderOf(node);
    const first = firstOwner.get(group);
    return first ? root(nodeAt(graph, first.owner, first.at)) : group;
  };
  const all = [...graph.identifiers].sort(([, a], [, b]) => byRank(a, b));
  const nodes = all.flatMap(([name, id]) => nodesOf(graph, name).map((node) => ({ name, id, node })));
  const places = Map.groupBy(nodes, ({ id, node }) => placeOf(id, node));
  const members = [...places.values()].map((list) => ({
    names: list.flatMap(({ name, node }) => (node === nodeAt(graph, name) ? name : [])),
    nodes: list.map(({ node }) => node),
  }));
  const memberOf = new Map(members.flatMap((member, i) => member.nodes.map((node) => [node, i])));
  return { members, memberOf, memberAt: (name, at) => memberOf.get(nodeAt(graph, name, at)), reviews };
}
