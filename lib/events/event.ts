import { z } from 'zod';

/** RFC 3339 UTC with milliseconds: one form only, so that string order is time order. */
export const instant = z.iso.datetime({ precision: 3 });

/** snake_case, at most 64: a standard type or a custom event. */
export const eventType = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,63}$/, 'event types are snake_case, at most 64 characters');

export const identifier = z.strictObject({
  kind: z.string().regex(/^[a-z][a-z0-9_]{0,39}$/),
  /** Within what the value is unique: an appid, a shop, `e164`. `#` would break a key. */
  scope: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[^#\s]+$/),
  value: z.string().min(1).max(256),
});
export type Identifier = z.infer<typeof identifier>;

/** What an event says about its way here. */
export const eventContext = z.strictObject({
  campaign: z
    .strictObject({
      channel: z.string().max(128).optional(),
      source: z.string().max(256).optional(),
      medium: z.string().max(256).optional(),
      name: z.string().max(256).optional(),
      term: z.string().max(256).optional(),
      content: z.string().max(256).optional(),
    })
    .optional(),
  page: z
    .strictObject({
      url: z.string().max(2048).optional(),
      path: z.string().max(1024).optional(),
      title: z.string().max(512).optional(),
    })
    .optional(),
  referrer: z.string().max(2048).optional(),
  device: z
    .strictObject({
      os: z.string().max(64).optional(),
      model: z.string().max(128).optional(),
      type: z.string().max(64).optional(),
    })
    .optional(),
  locale: z.string().max(35).optional(),
  session: z.string().max(128).optional(),
  /** `received`: the sender gave no time that can be used, `occurredAt` is when we first received it. */
  timeSource: z.enum(['sender', 'received']),
  verified: z.enum(['signed', 'sender_only', 'client']),
});
export type EventContext = z.infer<typeof eventContext>;

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

export const source = z.strictObject({
  channel: z.string().min(1).max(64),
  account: z.string().min(1).max(128),
});
export type Source = z.infer<typeof source>;

/**
 * One thing that a customer did, in one form for all channels (design §3).
 *
 * `traits` are what the event says of the customer (Segment's `identify`, a CRM row): last writer wins by
 * (occurredAt, id). A trait set to `null` is taken away. `traitsOnce` are said only where the customer has no such trait
 * at that time: the first writer wins, and any later writer of `traits` over it.
 */
export const event = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_-]{16}$/),
  type: eventType,
  occurredAt: instant,
  receivedAt: instant,
  source,
  identifiers: z.array(identifier).min(1).max(20),
  properties: z.record(z.string().max(128), z.json()),
  traits: z.record(z.string().max(128), z.json()).optional(),
  traitsOnce: z.record(z.string().max(128), z.json()).optional(),
  context: eventContext,
});
export type Event = z.infer<typeof event>;

/** What could not become an event, kept whole with the reason until somebody fixes it. */
export const fault = z.strictObject({
  /** Stable: the same fault delivered again is the same row. */
  id: z.string().regex(/^[A-Za-z0-9_-]{16}$/),
  reason: z.string().max(64),
  message: z.string().max(2000),
  receivedAt: instant,
  source,
  /** What is decoded again on replay, as the channel's adapter gave it. */
  body: z.json(),
});
export type Fault = z.infer<typeof fault>;

/** How many of each name. */
const counts = z.record(z.string().min(1).max(64), z.int().positive());

/** What a request was beside its events and faults. It is counted for whoever watches what arrives, and nothing else. */
export const tally = z.strictObject({
  source,
  at: instant,
  /** Why the request was refused; then it brought nothing else. */
  refused: z.string().min(1).max(64).optional(),
  /** Messages that the channel has no use for, by the vendor's name. */
  ignored: counts.optional(),
  /** What concerns the brand and no customer, by type. */
  notices: counts.optional(),
});
export type Tally = z.infer<typeof tally>;

const sha256 = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** A signature that does not cover the body may be used with one body only: digests of both. */
export const signedOnce = z.strictObject({ query: sha256, body: sha256 });
export type SignedOnce = z.infer<typeof signedOnce>;

/** A message of the `events` queue: what one request became, or a part of it. */
export const eventsMessage = z.strictObject({
  events: z.array(event),
  faults: z.array(fault),
  tally: tally.optional(),
  nonce: signedOnce.optional(),
});
export type EventsMessage = z.infer<typeof eventsMessage>;

/** Order of events everywhere: by time, then by id, never by arrival. */
export const byTime = (a: Pick<Event, 'occurredAt' | 'id'>, b: Pick<Event, 'occurredAt' | 'id'>): number =>
  a.occurredAt < b.occurredAt ? -1 : a.occurredAt > b.occurredAt ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
