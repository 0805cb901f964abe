import { z } from 'zod';
import { type Event, type Identifier, identifier, instant } from '../events/event.ts';
import { DAY } from '../platform/clock.ts';
import { keyOf, verdict } from './decisions.ts';
import { type Edge, type Graph, type Partition, pairOf, statementsOf } from './graph.ts';
import { isStrong } from './kinds.ts';
import { isShared } from './owners.ts';
import { nodeAt } from './tenure.ts';

/** Two identifiers of which something is known together: that they met, or what was decided of them. */
export type Pair = Pick<Edge, 'a' | 'b'>;

/** An event that came so much later than it happened is history that was brought in. */
const BACKFILL_DAYS = 7;

/** How many events of an edge are shown. The first and the newest say most. */
const SHOWN_EVENTS = 10;

const eventOfEdge = z.object({
  id: z.string(),
  type: z.string(),
  occurredAt: instant,
  source: z.object({ channel: z.string(), account: z.string() }),
  is_backfill: z.boolean(),
});

const decisionView = z.object({
  verdict,
  by: z.string(),
  why: z.string(),
  at: instant,
  /** The id under which it was queued. */
  id: z.string(),
});

export const edgeView = z.object({
  /** Names the edge in `POST /identity/undo` and `/identity/preview`. */
  id: z.string(),
  between: z.tuple([identifier, identifier]),
  /** `strong`: two identifiers that each say who it is; `weak`: one of them is only attached. */
  strength: z.enum(['strong', 'weak']),
  /**
   * `joined`: both are one profile's. `review`: they met in conflict, or one too many, and somebody has to look.
   * `apart`: somebody decided so. `shared`: the weak one has too many owners to be anybody's. `elsewhere`: it is attached
   * to another profile. `former`: both were one profile's, until one of them was given up.
   */
  state: z.enum(['joined', 'former', 'review', 'apart', 'shared', 'elsewhere']),
  reason: z.enum(['conflict', 'full', 'idle']).optional(),
  /** When and where they were seen together first. Absent: only decided. */
  firstSeenAt: instant.optional(),
  /** How many events show both. */
  seen: z.int(),
  /** Whether all of them are history that was brought in later. */
  is_backfill: z.boolean(),
  /** The first of them and the newest, oldest first. */
  events: z.array(eventOfEdge),
  decision: decisionView.optional(),
});

export const identityView = z.object({
  profile: z.string(),
  identifiers: z.array(identifier.extend({ strength: z.enum(['strong', 'weak']) })),
  edges: z.array(edgeView),
  /** Other profiles that an edge leads to. */
  others: z.array(z.object({ profile: z.string(), identifiers: z.array(identifier) })),
});

/** All pairs that a graph says something of: edges, attachments that count first, decisions. Each once. */
export function pairsIn({ edges, attachments, decisions }: Graph): Pair[] {
  const all: Pair[] = [...edges.values(), ...decisions.values()];
  for (const [name, { beside, among }] of attachments) {
    if (beside) all.push({ a: beside.owner, b: name });
    if (among && among.leader !== name) all.push({ a: among.leader, b: name });
  }
  return [...new Map(all.map(({ a, b }) => [keyOf({ a, b }), { a, b }])).values()];
}

/**
 * What the two of a pair were called when they met, when something was decided of them, and when one was attached: several
 * times where one of them changed hands.
 */
export function nodesIn(graph: Graph, pair: Pair): (readonly [string, string])[] {
  const { a, b } = pair;
  const { beside, among } = graph.attachments.get(b) ?? {};
  const decision = graph.decisions.get(keyOf(pair));
  const times = [
    ...[...graph.edges.values()].filter((it) => it.a === a && it.b === b),
    ...(decision ? [decision] : []),
    ...(beside?.owner === a ? [beside] : []),
    ...(among?.leader === a ? [among] : []),
  ];
  return times.map(({ at }) => [nodeAt(graph, a, at), nodeAt(graph, b, at)]);
}

/** Whether an event is history: its sender says so, or it came more than a week after it happened. */
export const isBackfill = ({ properties, occurredAt, receivedAt }: Event): boolean =>
  properties.is_backfill === true || Date.parse(receivedAt) - Date.parse(occurredAt) > BACKFILL_DAYS * DAY;

/** The events that say of two identifiers that they belong together, by pair. */
export function eventsByPair(events: readonly Event[]): Map<string, Event[]> {
  const found = new Map<string, Event[]>();
  const add = (a: string, b: string, event: Event) => {
    const known = found.get(keyOf({ a, b }));
    if (known) known.push(event);
    else found.set(keyOf({ a, b }), [event]);
  };
  for (const event of events) {
    const { edges, attachments } = statementsOf(event);
    for (const { a, b } of edges) add(a, b, event);
    for (const [name, { beside, among }] of attachments) {
      const to = beside?.owner ?? among?.leader;
      if (to !== undefined && to !== name) add(to, name, event);
    }
  }
  return found;
}

/** What an edge is, in the partition that its graph makes. */
export function stateOf(graph: Graph, { memberOf, reviews }: Partition, pair: Pair) {
  const decided = graph.decisions.get(keyOf(pair));
  const review = reviews.find((it) => it.a === pair.a && it.b === pair.b);
  const isOfToday = ([a, b]: readonly [string, string]) =>
    a === nodeAt(graph, pair.a) && b === nodeAt(graph, pair.b);
  const joined = nodesIn(graph, pair).filter(
    ([a, b]) => memberOf.has(a) && memberOf.get(a) === memberOf.get(b),
  );
  if (joined.some(isOfToday)) return { state: 'joined' as const, decided };
  if (joined.length > 0) return { state: 'former' as const, decided };
  if (decided?.verdict === 'apart') return { state: 'apart' as const, decided };
  if (review) return { state: 'review' as const, reason: review.reason, decided };
  if (isShared(graph.attachments.get(pair.b)?.owners)) return { state: 'shared' as const, decided };
  return { state: 'elsewhere' as const, decided };
}

/** One edge as somebody may see it, with the events that made it, oldest first. */
export function showEdge(
  graph: Graph,
  division: Partition,
  pair: Pair,
  by: readonly Event[],
  show: (id: Identifier) => Identifier,
): z.infer<typeof edgeView> | undefined {
  const [a, b] = [graph.identifiers.get(pair.a), graph.identifiers.get(pair.b)];
  if (!a || !b) return undefined;
  const { state, reason, decided } = stateOf(graph, division, pair);
  const shown = by.length > SHOWN_EVENTS ? [...by.slice(0, 1), ...by.slice(1 - SHOWN_EVENTS)] : by;
  return {
    id: pairOf(pair),
    between: [show(a), show(b)],
    strength: isStrong(a) && isStrong(b) ? 'strong' : 'weak',
    state,
    ...(reason && { reason }),
    ...(by[0] && { firstSeenAt: by[0].occurredAt }),
    seen: by.length,
    is_backfill: by.length > 0 && by.every(isBackfill),
    events: shown.map((event) => ({
      id: event.id,
      type: event.type,
      occurredAt: event.occurredAt,
      source: event.source,
      is_backfill: isBackfill(event),
    })),
    ...(decided && {
      decision: {
        verdict: decided.verdict,
        by: decided.by,
        why: decided.why,
        at: decided.at,
        id: decided.event,
      },
    }),
  };
}
