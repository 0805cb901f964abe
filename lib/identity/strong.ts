import type { Identifier } from '../events/event.ts';
import { type Decision, isNewer, keyOf, verdictOn } from './decisions.ts';
import type { Edge, Graph, Review } from './graph.ts';
import { byRank, isStrong } from './kinds.ts';
import { nodeAt, nodesOf, successions } from './tenure.ts';

/** How many strong identifiers one profile may hold: beyond it something is wrong with the source, not with the person. */
export const MAX_STRONG = 64;

/** A review, and the two that stayed apart as the graph calls them. */
interface Open extends Review {
  readonly between: readonly [string, string];
}

/** A phone that somebody was seen with after it had lain idle, whom its former owner was not seen with. */
interface Parted {
  readonly node: string;
  readonly former: string;
  /** The pairs of the event that parted them, and what the phone's other was called. */
  readonly met: ReadonlyMap<string, string>;
}

/**
 * Joins strong identifiers that met, refusing what conflicts, then those that were decided to be together.
 *
 * @returns what an identifier's profile is called after, and what stayed apart
 */
export function joinStrong(graph: Graph): { root: (node: string) => string; reviews: Review[] } {
  const { root, refusal, unite } = unions(graph);
  const edges = [...graph.edges.values()].filter((edge) => verdictOn(graph, edge) !== 'apart');
  edges.sort(byEdge(graph));
  const open: Open[] = [];
  const resume = graph.tenures.size > 0 ? resumed(graph, edges, root, unite) : undefined;
  for (const edge of edges) {
    const between = nodesAt(graph, edge);
    for (const idle of resume?.of(between) ?? []) open.push({ ...edge, reason: 'idle', between: idle });
    const reason = refusal(...between);
    if (reason === undefined) unite(...between);
    else if (reason !== 'one') open.push({ ...edge, reason, between });
  }
  for (const decision of togetherIn(graph, (pair) => !isWeakPair(pair))) {
    const { a, b, at, event } = decision;
    const parted = resume?.parted.filter(({ met }) => met.has(keyOf(decision))) ?? [];
    const pairs = parted.flatMap(({ node, former, met }): Open['between'][] => [
      [former, node],
      [met.get(keyOf(decision)) ?? node, node],
    ]);
    for (const between of parted.length > 0 ? pairs : [nodesAt(graph, decision)])
      if (refusal(...between, false) === 'full') open.push({ a, b, at, event, reason: 'full', between });
      else unite(...between);
  }
  const left = open.filter(({ between: [a, b] }) => root(a) !== root(b));
  left.sort((x, y) => Number(x.reason === 'idle') - Number(y.reason === 'idle')); // of a pair's it says most
  const reviews = new Map(left.map(({ between: _, ...review }) => [keyOf(review), review]));
  return { root, reviews: [...reviews.values()] };
}

const nodesAt = (graph: Graph, { a, b, at }: Pick<Edge, 'a' | 'b' | 'at'>): [string, string] => [
  nodeAt(graph, a, at),
  nodeAt(graph, b, at),
];

/** Union–find over the strong identifiers, and what each union holds: by kind and scope, a name. */
function unions(graph: Graph) {
  const parents = new Map<string, string>();
  const held = new Map<string, Map<string, string>>();
  for (const [name, id] of graph.identifiers) {
    if (!isStrong(id)) continue;
    for (const node of nodesOf(graph, name)) held.set(node, new Map([[slot(id), name]]));
  }
  const root = (node: string): string => {
    const parent = parents.get(node);
    return parent === undefined ? node : root(parent);
  };
  /** Why two are not to be joined; `one`: they are one, or one of them was never seen. */
  const refusal = (a: string, b: string, conflicts = true): Review['reason'] | 'one' | undefined => {
    const [mine, theirs] = [held.get(root(a)), held.get(root(b))];
    if (!mine || !theirs || mine === theirs) return 'one';
    if (conflicts && [...theirs].some(([kind, name]) => (mine.get(kind) ?? name) !== name)) return 'conflict';
    return mine.size + theirs.size > MAX_STRONG ? 'full' : undefined;
  };
  const unite = (a: string, b: string): void => {
    const [mine, theirs] = [held.get(root(a)), held.get(root(b))];
    if (!mine || !theirs || mine === theirs) return;
    parents.set(root(b), root(a));
    for (const [kind, name] of theirs)
      mine.set((mine.get(kind) ?? name) === name ? kind : `${kind}\n${name}`, name);
  };
  return { root, refusal, unite };
}

/**
 * Phones that were seen again after they had lain idle. One that nobody else was seen with since goes on with who had it,
 * and so does one whose owner is who it is first seen with again. Else whoever that is has it from then on.
 */
function resumed(
  graph: Graph,
  edges: readonly Edge[],
  root: (node: string) => string,
  unite: (a: string, b: string) => void,
) {
  const formers = new Map(
    [...graph.tenures.keys()].flatMap((name) => successions(graph, name)).map((it) => [it.node, it.former]),
  );
  const first = new Map<string, { readonly event: string; readonly met: Map<string, string> }>();
  for (const edge of formers.size > 0 ? edges : []) {
    const [a, b] = nodesAt(graph, edge);
    for (const [node, other] of [
      [a, b],
      [b, a],
    ] as const) {
      if (!formers.has(node)) continue;
      const known = first.get(node) ?? { event: edge.event, met: new Map() };
      if (known.event === edge.event) known.met.set(keyOf(edge), other);
      first.set(node, known);
    }
  }
  for (const [node, former] of formers) if (!first.has(node)) unite(former, node);
  const parted: Parted[] = [];
  const asked = new Set<string>();
  const of = (between: readonly string[]): Open['between'][] =>
    between.flatMap((node) => {
      const former = formers.get(node);
      const met = first.get(node)?.met;
      if (former === undefined || !met || asked.has(node)) return [];
      asked.add(node);
      if ([...met.values()].some((other) => root(other) === root(former))) {
        unite(former, node);
        return [];
      }
      parted.push({ node, former, met });
      return [[former, node] as const];
    });
  return { of, parted };
}

/** Whether the second of a pair, which ranks last, is a weak identifier. */
export const isWeakPair = ({ b }: Pick<Edge, 'a' | 'b'>): boolean =>
  !isStrong({ kind: b.slice(0, b.indexOf('\n')) });

/** The pairs that were decided to be together, oldest decision first. */
export const togetherIn = (graph: Graph, wanted: (pair: Decision) => boolean): Decision[] =>
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
