import { z } from 'zod';
import { subjectOf } from '../audit/append.ts';
import { instant } from '../events/event.ts';
import { findSomebody } from '../identity/find.ts';
import { toIso } from '../platform/clock.ts';
import { ConflictError, RejectedError } from '../platform/errors.ts';
import { reasonOf } from '../query/auth.ts';
import { cursor, limitOf } from '../query/cursor.ts';
import { Accepted, type Answered, answered } from '../query/route.ts';
import { dueAt, type PrivacyRequest, privacyRequest, receipt, requestId, right } from './request.ts';
import { requestStore } from './request-store.ts';
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
});

const view = (it: PrivacyRequest, now: number): z.infer<typeof requestView> => ({
  ...{ id: it.id, right: it.right, status: it.status, reason: it.reason },
  ...{ askedBy: it.asked.name, askedAt: it.asked.at, dueAt: it.dueAt },
  overdue: it.status !== 'done' && Date.parse(it.dueAt) < now,
  ...(it.doneAt !== undefined && { doneAt: it.doneAt }),
  ...(it.receipt && { receipt: it.receipt }),
});

const roles = whoMay('personal');

const ask = answered(
  {
    method: 'POST',
    path: '/privacy/requests',
    summary:
      'Carries out a right of a person: `export` (an archive to read for seven days) or `erase` (with a receipt); asking again while one is open gives a second request, and does no harm',
    body: z.strictObject({
      right,
      kind: z.string(),
      value: z.string(),
      scope: z.string().optional(),
      /** In place of the header X-Reason. */
      reason: z.string().optional(),
    }),
    answer: requestView,
    roles,
  },
  async ({ body, caller, record }, deps) => {
    const reason = reasonOf(body.reason) ?? caller.reason;
    if (reason === undefined)
      throw new RejectedError('no_reason', 'say why: `reason`, or the header X-Reason');
    const { profile, id: of } = await findSomebody(body, deps);
    const now = deps.now();
    const at = toIso(now);
    const subject = subjectOf(profile, deps.protector);
    const { name, key = '' } = caller;
    const it: PrivacyRequest = {
      ...{ id: requestId(at, subject, body.right, key), right: body.right, reason, subject, of },
      status: body.right === 'export' ? 'done' : 'received',
      asked: { name, key, at },
      dueAt: dueAt(now, deps.brand.privacy.requestDays),
      ...(body.right === 'export' && { doneAt: at }),
    };
    await record('privacy_request', { profiles: [profile], details: { request: it.id, right: it.right } });
    await requestStore(deps.table).put(it, 0).catch(unlessThere); // the same key asked the same at the same instant
    await deps.erasures?.send(it.right === 'erase' ? [JSON.stringify({ request: it.id })] : []);
    return new Accepted(view(it, now));
  },
);

function unlessThere(error: unknown): void {
  if (!(error instanceof ConflictError)) throw error;
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
  async ({ query }, deps) => {
    const { items, next } = await requestStore(deps.table).list(query.limit, query.cursor);
    return { items: items.map((it) => view(it, deps.now())), ...(next && { next }) };
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
  async ({ params }, deps) => view((await requestStore(deps.table).get(params.id ?? '')).it, deps.now()),
);

/** What a person has a right to, asked for by whoever may see them in clear. Archives are read by `archiveRoutes`. */
export const requestRoutes: readonly Answered[] = [ask, list, one];
