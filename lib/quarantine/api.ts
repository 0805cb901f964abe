import { z } from 'zod';
import { appendAudit } from '../audit/append.ts';
import type { What } from '../audit/entry.ts';
import { chunks } from '../capture/chunks.ts';
import { sendHints } from '../capture/hints.ts';
import { accountsOf, homeOf } from '../channels/accounts.ts';
import type { Outcome } from '../channels/channel.ts';
import { channelNamed } from '../channels/registry.ts';
import type { Fault } from '../events/event.ts';
import type { Brand } from '../platform/brand.ts';
import type { Role } from '../platform/brand-words.ts';
import { type Clock, toIso } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpReply, type HttpRequest, json, parsed } from '../platform/http.ts';
import type { Queue } from '../platform/queue.ts';
import { MESSAGE_BYTES } from '../platform/sqs.ts';
import type { Table } from '../platform/table.ts';
import { type Kept, quarantineStore } from './store.ts';

export interface QuarantineDeps {
  readonly brand: Brand;
  readonly table: Table;
  readonly queue: Queue;
  /** Where questions go that a vendor refused; brands that ask nobody have none. */
  readonly hints?: Queue | undefined;
  readonly now: Clock;
  /** Who asks, by the API key. @throws RejectedError 401 */
  readonly authorize: (
    headers: HttpRequest['headers'],
    table: Table,
  ) => Promise<{
    readonly role: Role;
    readonly name?: string;
    readonly key?: string;
    readonly reason?: string | undefined;
  }>;
}

const page = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(64).optional(),
  /** With the bodies as they came, which may be personal: not for operators. */
  body: z.enum(['true', 'false']).default('false'),
});

/** `GET /quarantine` and `POST /quarantine/{id}/replay`. */
export async function quarantineApi(request: HttpRequest, deps: QuarantineDeps): Promise<HttpReply> {
  const { role, name: who = role, key, reason } = await deps.authorize(request.headers, deps.table);
  const on = `${request.method} /quarantine`;
  const record = (what: What, details: Record<string, string | number>) =>
    appendAudit(deps, { ...{ what, who, role, key, on, reason }, details });
  const store = quarantineStore(deps.table, deps.brand);
  const id = request.params.id;
  if (id !== undefined) {
    if (request.method !== 'POST') throw new RejectedError('bad_method', 'a fault is replayed by POST', 405);
    const kept = await store.get(id);
    await record('quarantine_replayed', { id });
    return replay(kept, deps);
  }
  const { limit, cursor, body } = parsed(page, request.query);
  if (body === 'true' && (role === 'operator' || reason === undefined))
    throw new RejectedError(
      'forbidden',
      'bodies may be personal: ask with the key of an admin, and say why by the header X-Reason',
      403,
    );
  const { items, next } = await store.list(deps.now(), limit, cursor);
  if (body === 'true') await record('quarantine_read', { bodies: items.length });
  return json(200, { items: items.map((kept) => shown(kept, body === 'true')), next });
}

const shown = (
  { id, fault: { reason, message, receivedAt, source, body }, replayedAt }: Kept,
  withBody: boolean,
) => ({
  id,
  reason,
  message,
  receivedAt,
  source,
  replayedAt,
  ...(withBody ? { body } : {}),
});

/**
 * Decodes a fault again, by the code and the settings of today, and queues what comes of it. The events have the ids
 * that they would have had at first, so replaying twice is replaying once. What still is a fault stays as it is.
 */
async function replay({ id, fault }: Kept, deps: QuarantineDeps): Promise<HttpReply> {
  const store = quarantineStore(deps.table, deps.brand);
  const queued = queuedBody.safeParse(fault.body);
  const outcome = queued.success ? undefined : decodedAgain(fault, deps.brand);
  const bodies = queued.success ? [queued.data.queued] : chunks(outcome?.events ?? [], [], MESSAGE_BYTES);
  if (outcome && outcome.hints.length > 0) await sendHints(outcome.hints, fault.source, deps.hints);
  if (bodies.length > 0) await deps.queue.send(bodies);
  const [still] = outcome?.faults ?? [];
  if (still) throw new RejectedError(still.reason, `it still is no event: ${still.message}`, 422);
  await store.markReplayed(id, toIso(deps.now()));
  return json(200, { id, replayed: true, events: outcome?.events.map((event) => event.id) ?? [] });
}

/** What `unreadable` keeps: a message of the queue as it was. */
const queuedBody = z.strictObject({ queued: z.string() });

function decodedAgain(fault: Fault, brand: Brand): Outcome {
  const { channel: name, account } = fault.source;
  const channel = channelNamed(name);
  const settings = accountsOf(brand, name)[account];
  if (!channel || settings === undefined)
    throw new RejectedError(
      'unknown_account',
      `the brand has no account ${account} on ${name} any more`,
      422,
    );
  return channel.replay(fault, { id: account, settings, home: homeOf(brand) });
}
