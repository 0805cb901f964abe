import { z } from 'zod';
import type { Event, Identifier } from '../events/event.ts';
import { toIso } from '../platform/clock.ts';
import { whoMay } from '../privacy/roles.ts';
import { reasonOf } from '../query/auth.ts';
import { showIdentifier } from '../query/mask.ts';
import { reviews } from '../query/reviews.ts';
import { Accepted, type Answered, type Question as Asked, answered, type QueryDeps } from '../query/route.ts';
import { askJoin, askReview, askUndo, decisionEvents, joinAsked, type Question, undoAsked } from './ask.ts';
import { keyOf, verdict } from './decisions.ts';
import { findSomebody } from './find.ts';
import { nameOf, pairOf } from './graph.ts';
import { isStrong } from './kinds.ts';
import { releaseRoute } from './release.ts';
import { eventsByPair, identityView, nodesIn, pairsIn, showEdge } from './view.ts';

const why = z.string().min(4).max(200);

const queued = z.object({
  status: z.literal('queued'),
  /** They hold as soon as `GET /profiles/…/identity` shows them: a second or two. */
  decisions: z.array(
    z.object({ id: z.string(), edge: z.string(), verdict: verdict.or(z.literal('released')) }),
  ),
});

const deciders = whoMay('identifiers');

const viewIdentity = answered(
  {
    method: 'GET',
    path: '/profiles/{kind}/{value}/identity',
    summary: 'Why a profile is one: its identifiers, what holds them together, and the events that say so',
    query: z.strictObject({ scope: z.string().optional() }),
    answer: identityView,
  },
  async ({ params: { kind = '', value = '' }, query: { scope }, caller, saw }, deps) => {
    const { cluster, division, ids, profile, names, id } = await findSomebody({ kind, value, scope }, deps);
    saw(profile);
    const show = (id: Identifier) => showIdentifier(id, caller, deps.protector);
    const { graph } = cluster;
    const own = division.members[division.memberAt(nameOf(id)) ?? -1]?.nodes ?? [];
    const pairs = pairsIn(graph).filter((pair) =>
      nodesIn(graph, pair)
        .flat()
        .some((it) => own.includes(it)),
    );
    const seen = eventsByPair(await deps.profiles.events(cluster));
    const led = new Set(
      pairs.flatMap((pair) =>
        nodesIn(graph, pair).flatMap((nodes) => nodes.flatMap((it) => division.memberOf.get(it) ?? [])),
      ),
    );
    const named = (all: readonly string[]) => all.flatMap((name) => graph.identifiers.get(name) ?? []);
    return {
      profile,
      identifiers: named(names).map((id) => ({ ...show(id), strength: strengthOf(id) })),
      edges: pairs.flatMap(
        (pair) => showEdge(graph, division, pair, seen.get(keyOf(pair)) ?? [], show) ?? [],
      ),
      others: [...led]
        .filter((member) => ids[member] !== profile)
        .map((member) => ({
          profile: ids[member] ?? cluster.id,
          identifiers: named(division.members[member]?.names ?? []).map(show),
        })),
    };
  },
);

const join = answered(
  {
    method: 'POST',
    path: '/identity/join',
    summary: 'Joins two profiles by a decision, or takes back that they were set apart; it can be undone',
    body: joinAsked.extend({ why }),
    answer: queued,
    roles: deciders,
  },
  async (asked, deps) => decide(await askJoin(asked.body, deps), asked, deps),
);

const undo = answered(
  {
    method: 'POST',
    path: '/identity/undo',
    summary: 'Undoes edges: each side is rebuilt from the events that are its own; it can be joined again',
    body: undoAsked.extend({ why }),
    answer: queued,
    roles: deciders,
  },
  async (asked, deps) => decide(await askUndo(asked.body, deps), asked, deps),
);

const review = answered(
  {
    method: 'POST',
    path: '/reviews/{id}',
    summary:
      'Decides a conflict: `accept` joins the two in spite of it, `refuse` says that they are two people',
    body: z.strictObject({ verdict: z.enum(['accept', 'refuse']), why }),
    answer: queued,
    roles: deciders,
  },
  async (asked, deps) =>
    decide(await askReview(asked.params.id ?? '', asked.body.verdict, deps), asked, deps),
);

/** Writes in the log who decides and why, then queues it: like any event it is not lost, and twice is once. */
async function decide(
  question: Question,
  { caller, record, body }: Pick<Asked<unknown, { readonly why: string }>, 'caller' | 'record' | 'body'>,
  deps: QueryDeps,
) {
  if (!deps.events) throw new Error('decisions need the queue of events');
  const why = reasonOf(body.why) ?? '';
  const events: Event[] = decisionEvents(question, caller.name, why, toIso(deps.now()), deps);
  const { released } = question;
  const said = [...question.decided, ...(released ? [{ ...released, verdict: 'released' as const }] : [])];
  for (const [i, { id }] of events.entries()) {
    const verdict = said[i]?.verdict ?? 'open';
    const details = { decision: id, verdict, ...(verdict === 'released' && { why }) };
    await record('identity_decided', { profiles: question.profiles, details });
  }
  await deps.events.send([JSON.stringify({ events, faults: [] })]);
  const decisions = said.map(({ pair, verdict }, i) => ({
    id: events[i]?.id ?? '',
    edge: pairOf(pair),
    verdict,
  }));
  return new Accepted({ status: 'queued', decisions });
}

const strengthOf = (id: Identifier) => (isStrong(id) ? 'strong' : 'weak');

/** Who is who: looked at and decided. What a decision would change is told by `previewRoutes`. */
export const identityRoutes: readonly Answered[] = [viewIdentity, reviews, join, undo, review, releaseRoute];
