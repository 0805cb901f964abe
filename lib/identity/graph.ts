import { createHash } from 'node:crypto';
import type { Event, Identifier } from '../events/event.ts';
import { type Decision, decisionOf, isDecision, isNewer, type Verdict } from './decisions.ts';
import { byRank, isStrong } from './kinds.ts';
import { firstOwners, isShared, isShowing, markOf, type Owner, shownBy } from './owners.ts';

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
export const isStatement = (event: Pick<Event, 'type' | 'source'>): boolean =>
  isDecision(event) || isShowing(event);

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
  /** `a` + newline + `b` → what a person decided of the two last. */
  readonly decisions: Map<string, Decision>;
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

export const emptyGraph = (): Graph => ({
  identifiers: new Map(),
  edges: new Map(),
  attachments: new Map(),
  decisions: new Map(),
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
type Witness = Pick<Event, 'type' | 'source' | 'identifiers' | 'properties' | 'occurredAt' | 'id'>;

/**
 * What an event says of identity. `edges`: pairs of its strong identifiers. `attachments`: what its weak
 * identifiers would hold if this event were the first to show them. An `identity_unlinked` names strong identifiers
 * that belong together no more: it is no reason to join them. A decision shows nothing: it is a statement of another kind.
 */
export function statementsOf(event: Witness): {
  edges: Edge[];
  attachments: Map<string, Attachment>;
} {
  if (isDecision(event)) return { edges: [], attachments: new Map() };
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
  for (const decision of other.decisions.values()) addDecision(graph, decision);
}

/** What a pair is called in a graph. */
export const keyOf = ({ a, b }: Pick<Edge, 'a' | 'b'>): string => `${a}\t${b}`;

/** What was decided of a pair, if anything that still holds. */
export const verdictOn = (graph: Graph, pair: Pick<Edge, 'a' | 'b'>): Verdict =>
  graph.decisions.get(keyOf(pair))?.verdict ?? 'open';

/** Whether a statement says anything that a graph does not know. */
export function wouldState(graph: Graph, event: Witness): boolean {
  const decision = isDecision(event) ? decisionOf(event, nameOf) : undefined;
  const known = decision && graph.decisions.get(keyOf(decision));
  if (decision) return !known || isNewer(decision, known);
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
  const key = keyOf(edge);
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

/**
 * Divides a cluster into profiles: a function of the graph alone, taken in event-time order.
 *
 * 1. Edges, earliest first, join the profiles of their two strong identifiers, unless the joined profile would
 *    hold two strong identifiers of one kind and scope, or more than `MAX_STRONG`: then they stay apart and a
 *    review says so. An edge whose pair was decided to be apart is as if nobody had seen it.
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
    if (verdictOn(graph, edge) === 'apart') continue;
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
  if (graph.decisions.size === 0) return { root, reviews };

  for (const { a, b, at, event } of togetherIn(graph, (pair) => !isWeakPair(pair))) {
    const mine = held.get(root(a));
    const theirs = held.get(root(b));
    if (!mine || !theirs || mine === theirs) continue;
    if (mine.size + theirs.size > MAX_STRONG) reviews.push({ a, b, at, event, reason: 'full' });
    else {
      parents.set(root(b), root(a));
      for (const [kind, name] of theirs) mine.set(mine.has(kind) ? `${kind}\n${name}` : kind, name);
    }
  }
  const open = reviews.filter(({ a, b }) => root(a) !== root(b));
  return { root, reviews: [...new Map(open.map((review) => [keyOf(review), review])).values()] };
}

/** Whether the second of a pair, which ranks last, is a weak identifier. */
const isWeakPair = ({ b }: Pick<Edge, 'a' | 'b'>): boolean =>
  !isStrong({ kind: b.slice(0, b.indexOf('\n')) });

/** The pairs that were decided to be together, oldest decision first. */
const togetherIn = (graph: Graph, wanted: (pair: Decision) => boolean): Decision[] =>
  [...graph.decisions.values()]
    .filter((it) => it.verdict === 'together' && graph.identifiers.has(it.a) && wanted(it))
    .sort((x, y) => (isNewer(x, y) ? 1 : -1));

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
