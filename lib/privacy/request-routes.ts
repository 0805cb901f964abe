import { z } from 'zod';
import { subjectOf } from '../audit/append.ts';
import { type Event, instant } from '../events/event.ts';
import { isDecision } from '../identity/decisions.ts';
import { findSomebody, type Somebody } from '../identity/find.ts';
import { toIso } from '../platform/clock.ts';
import { ConflictError, RejectedError } from '../platform/errors.ts';
import { reasonOf } from '../query/auth.ts';
import { cursor, limitOf } from '../query/cursor.ts';
import { Accepted, type Answered, answered, type QueryDeps, type Question } from '../query/route.ts';
import { type Correction, correction, correctionsFor } from './rectify.ts';
import {
  dueAt,
  type PrivacyRequest,
  privacyRequest,
  type Right,
  receipt,
  requestId,
  right,
} from './request.ts';
import { endIfKnown } from './request-end.ts';
import { requestStore } from './request-store.ts';
import { restrictionsFor } from './restrict.ts';
import { whoMay } from './roles.ts';

const requestView = z.object({
  ...{ id: z.string(), right, status: privacyRequest.shape.status, reason: z.string() },
  ...{ askedBy: z.string(), askedAt: instant },
  /** Until when it has to be done. */
  dueAt: instant,
  /** Its time is over, and it is not done. */
  overdue: z.boolean(),
  doneAt: instant.optional(),
  receipt: receipt.optional(),
  /** Traits by name, identifiers by kind. */
  corrected: z.array(z.string()).optional(),
});

const view = (it: PrivacyRequest, now: number): z.infer<typeof requestView> => ({
  ...{ id: it.id, right: it.right, status: it.status, reason: it.reason },
  ...{ askedBy: it.asked.name, askedAt: it.asked.at, dueAt: it.dueAt },
  overdue: it.status !== 'done' && Date.parse(it.dueAt) < now,
  ...(it.doneAt !== undefined && { doneAt: it.doneAt }),
  ...(it.receipt && { receipt: it.receipt }),
  ...(it.corrected && { corrected: it.corrected }),
});

const roles = whoMay('personal');

const asking = z.strictObject({
  right,
  kind: z.string(),
  value: z.string(),
  scope: z.string().optional(),
  /** In place of the header X-Reason. */
  reason: z.string().optional(),
  /** Of `rectify`, and of nothing else. */
  correct: correction.optional(),
});

const ask = answered(
  {
    method: 'POST',
    path: '/privacy/requests',
    summary:
      'Carries out a right of a person: `access` (what is kept and why, to read for seven days), `export` (an archive, for seven days), `rectify` (with `correct`), `erase` (with a receipt), `restrict` (kept and not used) until `lift`; asking again while one is open gives a second request, and does no harm',
    body: asking,
    answer: requestView,
    roles,
  },
  async ({ body, caller, record }, deps) => {
    const reason = reasonOf(body.reason) ?? caller.reason;
    if (reason === undefined)
      throw new RejectedError('no_reason', 'say why: `reason`, or the header X-Reason');
    const found = await findSomebody(body, deps);
    const { profile, id: of } = found;
    const now = deps.now();
    const at = toIso(now);
    const subject = subjectOf(profile, deps.protector);
    const { name, key = '' } = caller;
    const events = await eventsFor(body, found, { by: name, why: reason, at }, deps);
    const isDone = events.length === 0 && body.right !== 'erase';
    const it: PrivacyRequest = {
      ...{ id: requestId(at, subject, body.right, key), right: body.right, reason, subject, of },
      status: isDone ? 'done' : 'received',
      asked: { name, key, at },
      dueAt: dueAt(now, deps.brand.privacy.requestDays),
      ...(isDone && { doneAt: at }),
      ...(events.length > 0 && { events: events.filter((it) => !isDecision(it)).map(({ id }) => id) }),
      ...(body.correct && { corrected: namesOf(body.correct, body.kind) }),
    };
    await record('privacy_request', { profiles: [profile], details: { request: it.id, right: it.right } });
    if (events.length > 0) await queueOf(deps).send([JSON.stringify({ events, faults: [] })]);
    await requestStore(deps.table).put(it, 0).catch(unlessThere); // the same key asked the same at the same instant
    await deps.erasures?.send(it.right === 'erase' ? [JSON.stringify({ request: it.id })] : []);
    return new Accepted(view(it, now));
  },
);

/** The events that carry a right out; none where it takes none, or where it is so already. */
async function eventsFor(
  { right: named, correct }: { readonly right: Right; readonly correct?: Correction | undefined },
  found: Somebody,
  told: { readonly by: string; readonly why: string; readonly at: string },
  deps: QueryDeps,
): Promise<Event[]> {
  if ((named === 'rectify') !== (correct !== undefined))
    throw new RejectedError('bad_body', '`rectify` takes `correct`, and nothing else does');
  if (named === 'restrict' || named === 'lift')
    return restrictionsFor(found, named === 'restrict', told.at, deps.protector);
  return correct ? correctionsFor(found, correct, { ...told, proof: proofOf(correct) }, deps) : [];
}

/** What was looked at, as a reason is given: it is kept as long as the person's events. */
const proofOf = ({ proof }: Correction): string => reasonOf(proof) ?? '';

const namesOf = ({ traits, identifier }: Correction, kind: string): string[] => [
  ...Object.keys(traits).sort(),
  ...(identifier ? [kind] : []),
];

function queueOf({ events }: QueryDeps) {
  if (!events) throw new Error('restrictions and corrections need the queue of events');
  return events;
}

function unlessThere(error: unknown): void {
  if (!(error instanceof ConflictError)) throw error;
}

/** A request as it stands: what the profile knows by now is done, and put down as done. */
async function asItStands(
  it: PrivacyRequest,
  { record }: Pick<Question<unknown>, 'record'>,
  deps: QueryDeps,
): Promise<z.infer<typeof requestView>> {
  const ended = await endIfKnown(it, deps);
  if (ended !== it) await record('privacy_request', { details: { request: it.id, status: 'done' } });
  return view(ended, deps.now());
}

const list = answered(
  {
    method: 'GET',
    path: '/privacy/requests',
    summary: 'What was asked in persons’ names, the newest first',
    query: z.strictObject({ limit: limitOf(100, 20), cursor }),
    answer: z.object({ items: z.array(requestView), next: z.string().optional() }),
    roles,
  },
  async ({ query, record }, deps) => {
    const { items, next } = await requestStore(deps.table).list(query.limit, query.cursor);
    const shown = await Promise.all(items.map((it) => asItStands(it, { record }, deps)));
    return { items: shown, ...(next && { next }) };
  },
);

const one = answered(
  {
    method: 'GET',
    path: '/privacy/requests/{id}',
    summary: 'How far a request is, and the receipt of an erasure',
    answer: requestView,
    roles,
  },
  async ({ params, record }, deps) =>
    asItStands((await requestStore(deps.table).get(params.id ?? '')).it, { record }, deps),
);

/** What a person has a right to, asked for by whoever may see them in clear. Archives are read by `archiveRoutes`. */
export const requestRoutes: readonly Answered[] = [ask, list, one];
