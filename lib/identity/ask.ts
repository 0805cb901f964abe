import { z } from 'zod';
import type { Event, Identifier } from '../events/event.ts';
import { RejectedError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Cluster } from '../profile/cluster.ts';
import { readCluster } from '../profile/read.ts';
import type { QueryDeps } from '../query/route.ts';
import { canBeTogether, decisionEvent, keyOf, type Verdict, verdictOn } from './decisions.ts';
import { findSomebody } from './find.ts';
import { type Graph, nameOf, pairOf, partition, type Review, ranked } from './graph.ts';
import { nodeAt, releaseEvent, successions, tenureAt } from './tenure.ts';
import { type Pair, pairsIn } from './view.ts';

/** Somebody, by one of their identifiers. */
export const wanted = z.strictObject({
  kind: z.string().min(1).max(40),
  value: z.string().min(1).max(256),
  scope: z.string().max(128).optional(),
});

/** Two that are one. */
export const joinAsked = z.strictObject({ a: wanted, b: wanted });

/** Edges of somebody, by the ids that `GET /profiles/…/identity` gives them. */
export const undoAsked = z.strictObject({
  profile: wanted,
  edges: z.array(z.string().max(40)).min(1).max(20),
});

/** What is asked for, ready to be sent or looked at: who is concerned, and what is decided of which pairs. */
export interface Question {
  readonly found: readonly { readonly cluster: Cluster }[];
  /** Ids of the profiles that were asked about. */
  readonly profiles: readonly string[];
  readonly decided: readonly {
    readonly pair: Pair;
    readonly ids: readonly [Identifier, Identifier];
    readonly verdict: Verdict;
  }[];
  /** A phone that had lain idle, and is taken to have been given up before it was seen again. */
  readonly released?: { readonly pair: Pair; readonly id: Identifier; readonly since: string };
}

/**
 * A join of two profiles by one identifier of each. Where somebody had decided that the two are apart that is taken
 * back, and they are as their events say; else they are decided to be together.
 *
 * @throws RejectedError 400 for one identifier twice or two weak ones, 404, 409 if they are one profile already
 */
export async function askJoin({ a, b }: z.infer<typeof joinAsked>, deps: QueryDeps): Promise<Question> {
  const found = [await findSomebody(a, deps), await findSomebody(b, deps)] as const;
  const ids = ranked({ identifiers: found.map(({ id }) => id) });
  const [first, second] = ids;
  if (!first || !second) throw new RejectedError('one_identifier', 'name two different identifiers');
  if (!canBeTogether(ids))
    throw new RejectedError(
      'two_weak',
      'one of the two has to say who it is: a member id, a verified phone, a unionid',
    );
  if (found[0].profile === found[1].profile)
    throw new RejectedError('joined', 'the two are one profile already', 409);
  const pair = { a: nameOf(first), b: nameOf(second) };
  const graph = found[0].cluster.graph;
  const wasApart =
    verdictOn(graph, pair) === 'apart' && pairsIn(graph).some((it) => keyOf(it) === keyOf(pair));
  return {
    found,
    profiles: found.map(({ profile }) => profile),
    decided: [{ pair, ids: [first, second], verdict: wasApart ? 'open' : 'together' }],
  };
}

/**
 * An undo of edges. What a person had joined is as the events say again; what events joined is apart from now on,
 * whatever shows the two together later.
 *
 * @throws RejectedError 404 if somebody or an edge of theirs is not known
 */
export async function askUndo(
  { profile, edges }: z.infer<typeof undoAsked>,
  deps: QueryDeps,
): Promise<Question> {
  const found = await findSomebody(profile, deps);
  const { graph } = found.cluster;
  const known = new Map(pairsIn(graph).map((pair) => [pairOf(pair), pair]));
  return {
    found: [found],
    profiles: [found.profile],
    decided: edges.map((edge) => {
      const pair = known.get(edge);
      if (!pair)
        throw new RejectedError('no_edge', 'this profile has no such edge; its identity lists them', 404);
      return decided(found.cluster, pair, verdictOn(graph, pair) === 'together' ? 'open' : 'apart');
    }),
  };
}

/**
 * The answer to a review, by the id that `GET /reviews` gives it. That a phone which had lain idle is somebody else's now is
 * no word on a pair: it was given up when the new tenure began.
 *
 * @throws RejectedError 404 if there is none any more
 */
export async function askReview(id: string, answer: 'accept' | 'refuse', deps: QueryDeps): Promise<Question> {
  const [at = '', pairId = ''] = id.split('.');
  const row = await deps.table.get(keys.review(at, pairId));
  const cluster = row && row.gone !== true ? await readCluster(deps.profiles, at) : undefined;
  const review = cluster && partition(cluster.graph).reviews.find((it) => pairOf(it) === pairId);
  if (!cluster || !review)
    throw new RejectedError('no_review', 'there is no such review any more: list them again', 404);
  const { a, b } = review;
  const of = { found: [{ cluster }], profiles: [cluster.id] };
  const { graph } = cluster;
  const released = answer === 'refuse' ? givenUp(graph, review) : undefined;
  if (released) return { ...of, decided: [], released };
  return {
    ...of,
    decided: [decided(cluster, { a, b }, answer === 'accept' ? 'together' : 'apart')],
  };
}

/** The phone of a review that had lain idle, and when it was seen again; undefined: it is a review of another kind. */
function givenUp(graph: Graph, { a, b, at, reason }: Review): Question['released'] {
  const name = [a, b].find((it) => successions(graph, it).some(({ node }) => node === nodeAt(graph, it, at)));
  if (reason !== 'idle' || name === undefined) return undefined;
  const [id, since] = [graph.identifiers.get(name), tenureAt(graph, name, at)];
  return id && since !== undefined ? { pair: { a, b }, id, since } : undefined;
}

function decided({ graph }: Cluster, pair: Pair, verdict: Verdict): Question['decided'][number] {
  const [a, b] = [graph.identifiers.get(pair.a), graph.identifiers.get(pair.b)];
  if (!a || !b) throw new Error('a graph knows the identifiers of its pairs');
  return { pair, ids: [a, b], verdict };
}

/** The events of decisions, as channels would send them: identifiers in clear. */
export const decisionEvents = (
  { decided: all, released }: Question,
  by: string,
  why: string,
  at: string,
  { protector }: QueryDeps,
): Event[] => [
  ...all.map(({ ids: [a, b], verdict }) =>
    decisionEvent([protector.reveal(a), protector.reveal(b)], { verdict, by, why }, at),
  ),
  ...(released
    ? [releaseEvent(protector.reveal(released.id), { since: released.since, released: true }, at)]
    : []),
];
