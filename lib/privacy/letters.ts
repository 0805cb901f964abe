import { z } from 'zod';
import { conversionsMessage } from '../attribution/restate.ts';
import { hintMessage } from '../channels/hint.ts';
import { eventsMessage, type Fault, type Identifier } from '../events/event.ts';
import type { Directory } from '../identity/directory.ts';
import { nameOf } from '../identity/graph.ts';
import { toIso } from '../platform/clock.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import { isNamed } from '../quarantine/remove.ts';
import { NEVER } from './bury.ts';
import { type LeftDeps, leftOf } from './left.ts';
import type { Personal } from './queues.ts';

/** An erasure that is to be proven. */
export interface Waiting {
  readonly request: string;
  readonly at: string;
  /** The cluster that was closed for it. */
  readonly cluster: string;
  /** Names of the person's identifiers, as they are stored. */
  readonly names: ReadonlySet<string>;
  /** What they look like in what a vendor wrote; undefined if all are too short to tell. */
  readonly named: RegExp | undefined;
}

/** What is left of a dead letter without those who were erased. */
export interface Judged {
  /** None: nothing is left. */
  readonly body: string | undefined;
  /** What was taken out for which of the erasures that are to be proven: a piece of the message, or an event by its id. */
  readonly taken: readonly Taken[];
}
export interface Taken {
  readonly request: string;
  readonly event?: string;
}

export interface JudgeDeps extends LeftDeps {
  readonly table: Table;
  readonly directory: Directory;
  readonly waiting: readonly Waiting[];
}

/** Undefined: the body stays as it is. */
type Judge = (body: string, deps: JudgeDeps) => Promise<Judged | undefined>;

/** How a dead letter is judged, by what its queue carries (`queues.ts`). */
export const judges = {
  events: judgeEvents,
  hints: judgeHint,
  conversions: judgeConversions,
  places: judgePlace,
} satisfies Record<Personal, Judge>;

/** A message of the `events` queue without what is erased. Its faults go whole if they name somebody, as in quarantine. */
async function judgeEvents(body: string, deps: JudgeDeps): Promise<Judged | undefined> {
  const content = parsed(eventsMessage, body);
  if (!content) return judgeUnread(body, deps);
  const left = await leftOf(content.events, deps);
  const events = left.flatMap(({ left: it }) => it ?? []);
  const faults = content.faults.filter((it) => namers(it, deps).length === 0);
  const changed = left.filter(({ event, left: it }) => it !== event);
  if (changed.length === 0 && faults.length === content.faults.length) return undefined;
  const taken = [
    ...changed.flatMap(({ event, stored }) =>
      askers(stored.identifiers, deps)
        .filter(({ at }) => stored.occurredAt <= at || stored.receivedAt <= at)
        .map(({ request }): Taken => ({ request, event: event.id })),
    ),
    ...content.faults.flatMap((it) => namers(it, deps)).map(({ request }): Taken => ({ request })),
  ];
  const isEmpty = events.length + faults.length === 0 && !content.tally;
  return { taken, body: isEmpty ? undefined : JSON.stringify({ ...content, events, faults }) };
}

/** Whom a fault names that came before they were erased. */
const namers = ({ body, receivedAt }: Fault, { waiting }: JudgeDeps): Waiting[] =>
  waiting.filter(({ named, at }) => named && receivedAt <= at && isNamed(JSON.stringify(body), named));

const askers = (ids: readonly Identifier[], { waiting }: JudgeDeps): Waiting[] =>
  waiting.filter(({ names }) => ids.some((id) => names.has(nameOf(id))));

/** What a vendor is asked about that may be somebody's, and the kind of identifier that it is. */
const asked: Readonly<Record<string, string>> = {
  external_userid: 'wecom_external_userid',
  orderId: 'order_id',
  shop_order_id: 'order_id',
};

/** A question about whoever was erased since is asked no more: the answer would be collected anew. */
async function judgeHint(body: string, deps: JudgeDeps): Promise<Judged | undefined> {
  const message = parsed(hintMessage, body);
  if (!message) return judgeUnread(body, deps);
  const { of, at } = message.hint;
  const said = JSON.stringify(of);
  const ids: Identifier[] = [];
  for (const [name, value] of Object.entries(of)) {
    const kind = asked[name];
    for (const scope of kind === undefined ? [] : await deps.directory.scopes(kind))
      ids.push({ kind: kind ?? '', scope, value });
  }
  const places = await Promise.all(ids.map((id) => deps.directory.find(id)));
  const isOld = (erasedAt: string) => (at === undefined ? erasedAt !== NEVER : toIso(at) <= erasedAt);
  const isErased = places.some((it) => it?.erasedAt !== undefined && isOld(it.erasedAt));
  const by = [...deps.waiting.filter(({ named }) => named?.test(said)), ...askers(ids, deps)];
  const waiting = new Set(by.filter((it) => isOld(it.at)).map(({ request }) => request));
  if (!isErased && waiting.size === 0) return undefined;
  return { body: undefined, taken: [...waiting].map((request) => ({ request })) };
}

/**
 * A cluster that was closed is asked for whole. It means the same to who tells conversions, who finds that it is closed,
 * and the number of an order stands there no more.
 */
async function judgeConversions(body: string, deps: JudgeDeps): Promise<Judged | undefined> {
  const message = parsed(conversionsMessage, body);
  if (!message) return judgePlace(body, deps);
  const { profile, conversions } = message;
  if (conversions === 'all') return undefined;
  if ((await deps.table.get(keys.profile(profile)))?.joined === undefined) return undefined;
  const taken = deps.waiting.filter(({ cluster }) => cluster === profile);
  return {
    body: JSON.stringify({ profile, conversions: 'all' } satisfies z.infer<typeof conversionsMessage>),
    taken: taken.map(({ request }) => ({ request })),
  };
}

/** Recomputations, surveys, counts of models, other settings: flat, with the key of a row where they go on. */
const walk = z.record(z.string(), z.union([z.string(), z.number()]));

/** Where a walk over all rows was to go on at a row that is no more, it begins anew: whatever it does, it may do twice. */
async function judgePlace(body: string, deps: JudgeDeps): Promise<Judged | undefined> {
  const message = parsed(walk, body);
  if (!message) return judgeUnread(body, deps);
  const { after, ...rest } = message;
  const [pk, sk] = `${after ?? ''}`.split('\n');
  if (!pk || !sk || (await deps.table.get({ pk, sk }))) return undefined;
  return { body: JSON.stringify(rest), taken: [] };
}

/** What is no message of the queue: kept or removed whole. */
async function judgeUnread(body: string, { waiting }: JudgeDeps): Promise<Judged | undefined> {
  const text = parsed(z.json(), body) === undefined ? JSON.stringify(body) : body;
  const by = waiting.filter(({ named }) => named && (named.test(body) || isNamed(text, named)));
  if (by.length === 0) return undefined;
  return { body: undefined, taken: by.map(({ request }) => ({ request })) };
}

function parsed<T>(schema: z.ZodType<T>, body: string): T | undefined {
  try {
    return schema.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
}
