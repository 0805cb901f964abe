import { createHash } from 'node:crypto';
import { z } from 'zod';
import { byTime, type Event, instant, type Json } from '../events/event.ts';
import type { CompositeSettings, ConversionRule } from '../platform/brand.ts';
import type { CustomerTier } from './composite.ts';
import { type Terms, touchOf } from './touch.ts';
import { longestLookBackMs } from './window.ts';

/** What is odd about a conversion, for whoever reads it. */
export const flag = z.enum([
  /** Later events of the same key said another amount; the newest holds. */
  'corrected',
  /** The brand's rule names a value and no event had one in whole minor units: it is worth 0. */
  'no_value',
  /** More was refunded than was paid: refunds count up to the value, in time order. */
  'over_refunded',
  /** A refund in another currency, or of no positive amount in minor units, was left out. */
  'bad_refund',
]);

export const refund = z.strictObject({
  id: z.string(),
  eventId: z.string(),
  at: instant,
  /** What of it counts, in minor units: positive, and never more than was left to refund. */
  amount: z.int(),
});
export type Refund = z.infer<typeof refund>;

/** The valued event, as all events of its key together tell it. */
export const conversion = z.strictObject({
  key: z.string(),
  goal: z.string(),
  /** What the sender calls it: the order number. */
  reference: z.string(),
  /** The earliest of its events: the conversion is as old as that. */
  eventId: z.string(),
  at: instant,
  /** When later events told of it again, each time once. */
  repeatedAt: z.array(instant),
  /** Minor units, before refunds. */
  value: z.int(),
  currency: z.string(),
  /** How the customer stood, as the earliest of its events says that says anything; else by their tags then. */
  tier: z.enum(['vip', 'silent']).optional(),
  refunds: z.array(refund),
  /** Sum of `refunds`. */
  refunded: z.int(),
  flags: z.array(flag),
  /** The earliest of its events and of its refunds. Nothing older has to be read to tell it again. */
  firstAt: instant,
});
export type Conversion = z.infer<typeof conversion>;

/** The name of a conversion within its profile: 96 bits of a digest, so that an order number is in no key. */
export const conversionKey = (goal: string, keyValue: string): string =>
  createHash('sha256')
    .update(JSON.stringify([goal, keyValue]))
    .digest('base64url')
    .slice(0, 16);

/** One event's word on a conversion or on a refund. */
interface Claim {
  readonly id: string;
  readonly occurredAt: string;
  readonly amount: number | undefined;
  readonly currency: string | undefined;
  readonly tier?: CustomerTier | undefined;
}

/** How the customer stood at an instant, for conversions whose events do not say it. */
export type Stood = (at: string) => CustomerTier;

const nobodyKnows: Stood = () => 'other';

/** Everything that events say of one key. Without a claim it is a refund that waits for its order. */
export interface Entry {
  readonly key: string;
  readonly goal: string;
  readonly reference: string;
  readonly claims: Claim[];
  /** By refund id. */
  readonly refunds: Map<string, Claim[]>;
  firstAt: string;
}

interface Mention {
  readonly rule: ConversionRule;
  readonly reference: string;
  readonly key: string;
  /** Set when the event takes the conversion back. */
  readonly refundId?: string;
  readonly claim: Claim;
}

/** What an event says of conversions: one mention per rule that names its type. */
function mentionsOf(event: Event, terms: Terms): Mention[] {
  return terms.conversions.flatMap((rule): Mention[] => {
    const { properties, id, occurredAt } = event;
    const currency = name(properties[rule.currency]);
    if (event.type === rule.event) {
      const reference = name(properties[rule.key]) ?? id;
      const amount = rule.value === undefined ? 0 : money(properties[rule.value]);
      const tier = tierOf(properties, terms.attribution.composite);
      const claim = { id, occurredAt, amount, currency: currency ?? terms.currency, tier };
      return [{ rule, reference, key: conversionKey(rule.goal, reference), claim }];
    }
    const reference = rule.refund && name(properties[rule.refund.key]);
    if (event.type !== rule.refund?.event || reference === undefined) return [];
    const claim = { id, occurredAt, amount: money(properties[rule.refund.value]), currency };
    const refundId = name(properties[rule.refund.id]) ?? id;
    return [{ rule, reference, key: conversionKey(rule.goal, reference), refundId, claim }];
  });
}

/** Everything that one person's events say of conversions, by key. The order of the events does not matter. */
export function entriesOf(events: readonly Event[], terms: Terms): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const event of events) {
    for (const { rule, reference, key, refundId, claim } of mentionsOf(event, terms)) {
      let entry = entries.get(key);
      if (!entry) {
        const firstAt = event.occurredAt;
        entry = { key, goal: rule.goal, reference, claims: [], refunds: new Map(), firstAt };
        entries.set(key, entry);
      }
      if (event.occurredAt < entry.firstAt) entry.firstAt = event.occurredAt;
      if (refundId === undefined) entry.claims.push(claim);
      else entry.refunds.set(refundId, [...(entry.refunds.get(refundId) ?? []), claim]);
    }
  }
  return entries;
}

/**
 * The conversion that an entry amounts to; none while only refunds are known.
 *
 * - The same key twice is one conversion. Its time is the earliest event's by (time, id), so that a repeated
 *   message moves nothing; its value is the newest event's that has one, as with traits: a sender who says another
 *   amount later corrects the first (flag `corrected`). The same holds for a refund id.
 * - Refunds count in time order up to the value; what exceeds it is left out (flag `over_refunded`).
 */
export function conversionOf(entry: Entry, stood: Stood = nobodyKnows): Conversion | undefined {
  const claims = [...entry.claims].sort(byTime);
  const first = claims[0];
  if (!first) return undefined;
  const valued = claims.filter((claim) => claim.amount !== undefined);
  const newest = valued.at(-1);
  const value = newest?.amount ?? 0;
  const currency = (newest ?? first).currency ?? '';
  const flags = new Set<z.infer<typeof flag>>();
  if (!newest) flags.add('no_value');
  if (valued.some((claim) => claim.amount !== value || claim.currency !== currency)) flags.add('corrected');

  const refunds: Refund[] = [];
  let left = Math.max(value, 0);
  for (const { id, event, amount, currency: paid } of refundsOf(entry)) {
    if (amount === undefined || amount <= 0 || (paid !== undefined && paid !== currency))
      flags.add('bad_refund');
    else {
      if (amount > left) flags.add('over_refunded');
      const counted = Math.min(amount, left);
      left -= counted;
      refunds.push({ id, eventId: event.id, at: event.occurredAt, amount: counted });
    }
  }
  const { key, goal, reference, firstAt } = entry;
  const tier = claims.find((claim) => claim.tier !== undefined)?.tier ?? stood(first.occurredAt);
  return {
    key,
    goal,
    reference,
    eventId: first.id,
    at: first.occurredAt,
    repeatedAt: [...new Set(claims.map((claim) => claim.occurredAt))].slice(1),
    value,
    currency,
    ...(tier !== 'other' && { tier }),
    refunds,
    refunded: Math.max(value, 0) - left,
    flags: [...flags].sort(),
    firstAt,
  };
}

/** Each refund once, in time order: when from its earliest event, how much from the newest that says so. */
function refundsOf(entry: Entry) {
  const refunds = [...entry.refunds].map(([id, claims]) => {
    const sorted = [...claims].sort(byTime);
    const newest = sorted.findLast((claim) => claim.amount !== undefined);
    return { id, event: sorted[0]!, amount: newest?.amount, currency: newest?.currency };
  });
  return refunds.sort((a, b) => byTime(a.event, b.event) || (a.id < b.id ? -1 : 1));
}

/** The conversions of one person, in order of (time, id). The order of the events does not matter. */
export const conversionsOf = (events: readonly Event[], terms: Terms): Conversion[] =>
  conversionsIn(entriesOf(events, terms));

/** The conversions that entries amount to, in order of (time, id). */
export const conversionsIn = (entries: ReadonlyMap<string, Entry>, stood?: Stood): Conversion[] =>
  [...entries.values()].flatMap((entry) => conversionOf(entry, stood) ?? []).sort(byAge);

/** Those at an instant or up to `reach` ms after it, of one goal or of all. */
export function conversionsAfter(
  conversions: readonly Conversion[],
  goal: string | undefined,
  at: string,
  reach: number,
): Conversion[] {
  const from = Date.parse(at);
  return conversions.filter((it) => {
    const later = Date.parse(it.at) - from;
    return later >= 0 && later <= reach && (goal === undefined || it.goal === goal);
  });
}

const byAge = (a: Conversion, b: Conversion): number =>
  byTime({ occurredAt: a.at, id: a.eventId }, { occurredAt: b.at, id: b.eventId }) ||
  (a.key < b.key ? -1 : 1);

/**
 * The keys of the conversions whose credits may change when `event` is added; sometimes one too many, never one
 * too few.
 *
 * - a conversion: itself, and those of the same goal after it whose look-back reaches it, because their journey
 *   now starts later; if it was known by a later event already, also those after that event
 * - a refund: the conversion that it takes back
 * - a touch: every conversion after it whose look-back reaches it
 *
 * @param events with or without `event`; must hold every event at or after its time that may be a conversion
 */
export function affectedConversions(event: Event, events: readonly Event[], terms: Terms): string[] {
  const keys = new Set<string>();
  const mentions = mentionsOf(event, terms);
  const isTouch = touchOf(event, terms) !== undefined;
  if (mentions.length === 0 && !isTouch) return [];
  const reach = longestLookBackMs(terms.attribution);
  const entries = entriesOf(events, terms);
  const known = conversionsIn(entries);
  const after = (at: string, goal?: string) => {
    for (const { key } of conversionsAfter(known, goal, at, reach)) keys.add(key);
  };
  if (isTouch) after(event.occurredAt);
  for (const { key, rule, refundId } of mentions) {
    keys.add(key);
    if (refundId !== undefined || terms.attribution.journey !== 'reset') continue;
    after(event.occurredAt, rule.goal);
    for (const claim of entries.get(key)?.claims ?? []) after(claim.occurredAt, rule.goal);
  }
  return [...keys].sort();
}

/** How the customer stood as an event says it; undefined if it says nothing. */
function tierOf(properties: Event['properties'], { tier }: CompositeSettings): CustomerTier | undefined {
  const said = name(properties[tier.property]);
  if (said === undefined) return undefined;
  return tier.vip.includes(said) ? 'vip' : tier.silent.includes(said) ? 'silent' : 'other';
}

const money = (value: Json | undefined): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;

/** Ids are strings; a sender that sends a number means its digits. */
const name = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;
