import fc from 'fast-check';
import type { Event, Identifier } from '../../../lib/events/event.ts';
import { type Brand, type BrandInput, brand } from '../../../lib/platform/brand.ts';
import { type Dice, dice } from '../world/random.ts';
import { dayOf, startOfDay } from './days.ts';
import { family, rulesOf } from './family.ts';

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

/** Zones in which windows end: without daylight saving, UTC, and with its clock set back on 2026-11-01. */
export const zones = ['Asia/Shanghai', 'UTC', 'America/New_York'] as const;

/** Noon in Shanghai of a day ten days after New York set its clocks back. */
export const NOW = Date.UTC(2026, 10, 11, 4);

const saidAs = { property: 'customer_tier', vip: ['vip'], silent: ['silent'] };
/** Who is a VIP, who has fallen silent: by a value, by tags that windows end, by two that may hold at once. */
const standing = { vip: ['tier=gold', 'spender'], silent: ['dormant', 'hot'] };

/** A brand with the family's rules. */
export const aBrand = (timezone: string, changes: Partial<BrandInput> = {}): Brand =>
  brand.parse({
    name: 'laws',
    title: { zh: '律', en: 'Laws' },
    timezone,
    locale: 'zh-CN',
    currency: 'CNY',
    channels: {},
    rules: rulesOf(family),
    attribution: { composite: { tier: { ...saidAs, tags: standing } } },
    ...changes,
  });

/**
 * Few instants, each one where something ends or begins for a reader at `now`: window ends and the milliseconds
 * before them, hours windows to the millisecond, visits of one session and of two.
 */
export function instantsAround(now: number, zone: string): number[] {
  const today = dayOf(now, zone);
  const midnight = (daysAgo: number) => startOfDay(today - daysAgo, zone);
  return [
    midnight(90),
    midnight(89),
    midnight(30) - 1,
    midnight(30),
    midnight(29),
    midnight(29) - 1,
    midnight(7),
    midnight(6),
    midnight(6) + 20 * 60_000,
    now - 30 * DAY,
    now - 36 * HOUR,
    now - 36 * HOUR + 1,
    now - 2 * HOUR,
    midnight(0) - 1,
    midnight(0),
  ].filter((at) => at <= now);
}

const id = (kind: string, scope: string, value: string): Identifier => ({ kind, scope, value });

/** So few that joins, conflicts, shared devices and groups of weak identifiers all occur in a dozen events. */
const identifiers: Identifier[] = [
  id('member_id', 'laws', 'm1'),
  id('member_id', 'laws', 'm2'),
  id('wechat_unionid', 'laws', 'u1'),
  id('wechat_unionid', 'laws', 'u2'),
  id('phone', 'e164', '+8613800000001'),
  id('phone', 'e164', '+8613800000002'),
  id('customer_id', 'shop-a', 'c1'),
  id('customer_id', 'shop-b', 'c1'),
  id('wechat_openid', 'wx1', 'o1'),
  id('wechat_openid', 'wx1', 'o2'),
  id('wechat_openid', 'wx2', 'o1'),
  id('anonymous_id', 'laws', 'a1'),
  id('anonymous_id', 'laws', 'a2'),
  id('device_id', 'laws', 'd1'),
  id('loyalty_card', 'laws', 'k1'),
];
const weak = identifiers.filter(({ kind }) =>
  /^(wechat_openid|anonymous_id|device_id|loyalty_card)$/.test(kind),
);
/** Some people are seen more often than others, so that they have a history. */
const regulars = identifiers.filter(({ value }) => /^(m1|m2|u1|o1|a1|.*01)$/.test(value));

const some = (of: readonly Identifier[]) =>
  fc.uniqueArray(fc.constantFrom(...of), { minLength: 1, maxLength: 3, size: 'max' });
/** Histories of three sorts: few people with much to tell, everybody, mostly devices and browsers. */
const casts = [
  some(regulars),
  some(identifiers),
  fc.oneof({ weight: 2, arbitrary: some(weak) }, { weight: 1, arbitrary: some(identifiers) }),
];

/** What an order or refund is worth follows from its number: the same one twice says the same. */
const orders = { 'order-1': 9_999, 'order-2': 10_000, 'order-3': 25_001 };
const refunds = { 'refund-1': 3_333, 'refund-2': 9_999 };
const namesOf = <Name extends string>(of: Record<Name, number>): Name[] => {
  const names: Name[] = [];
  for (const name in of) names.push(name);
  return names;
};

type Said = Pick<Event, 'type' | 'properties' | 'traits' | 'traitsOnce'> & {
  context?: Partial<Event['context']>;
};

const orderPaid = fc.constantFrom(...namesOf(orders)).map(
  (order_id): Said => ({
    type: 'order_paid',
    properties: { order_id, paid_amount: orders[order_id], currency: 'CNY' },
  }),
);
const orderRefunded = fc.tuple(fc.constantFrom(...namesOf(refunds)), fc.constantFrom(...namesOf(orders))).map(
  ([refund_id, order_id]): Said => ({
    type: 'order_refunded',
    properties: { refund_id, order_id, refund_amount: refunds[refund_id], currency: 'CNY' },
  }),
);
const url = 'https://shop.example/p/1';
const pageViewed = fc
  .record({
    campaign: fc.option(
      fc.record({
        channel: fc.constantFrom('wecom', 'douyin', 'mini-program'),
        name: fc.constantFrom('11.11', 'vip'),
      }),
      { nil: undefined },
    ),
    referrer: fc.constantFrom(undefined, 'https://www.xiaohongshu.com/x', url),
    session: fc.constantFrom(undefined, undefined, 's1', 's2'),
  })
  .map(
    ({ campaign, referrer, session }): Said => ({
      type: 'page_viewed',
      properties: { url },
      context: { ...defined({ campaign, referrer, session }), page: { url } },
    }),
  );
const traits = fc.record(
  { city: fc.constantFrom('Shanghai', 'Beijing', null), level: fc.constantFrom(1, 2, null) },
  { requiredKeys: [] },
);
const memberRegistered = traits.map(
  (said): Said => ({ type: 'member_registered', properties: { member_id: 'm' }, traits: said }),
);
const identityLinked = traits.map(
  (said): Said => ({ type: 'identity_linked', properties: { link_source: 'crm' }, traits: said }),
);
const profileUpdated = traits.map(
  (said): Said => ({ type: 'profile_updated', properties: {}, traitsOnce: said }),
);
const identityUnlinked = fc.constant<Said>({
  type: 'identity_unlinked',
  properties: { unlink_source: 'crm' },
});

/** Any event of the law tests, at one of the instants, of one of the people. */
const anEvent = (instants: readonly number[], ids: fc.Arbitrary<Identifier[]>): fc.Arbitrary<Event> =>
  fc
    .record({
      number: fc.integer({ min: 0, max: 36 ** 6 }),
      at: fc.constantFrom(...instants),
      ids,
      said: fc.oneof(
        { weight: 3, arbitrary: orderPaid },
        { weight: 2, arbitrary: orderRefunded },
        { weight: 6, arbitrary: pageViewed },
        { weight: 1, arbitrary: memberRegistered },
        { weight: 2, arbitrary: identityLinked },
        { weight: 1, arbitrary: profileUpdated },
        { weight: 1, arbitrary: identityUnlinked },
      ),
    })
    .map(({ number, at, ids, said }) => ({
      id: number.toString(36).padStart(16, '0'),
      type: said.type,
      occurredAt: new Date(at).toISOString(),
      receivedAt: new Date(at).toISOString(),
      source: { channel: 'generic', account: 'pos' },
      identifiers: ids,
      properties: said.properties,
      ...defined({ traits: said.traits, traitsOnce: said.traitsOnce }),
      context: { ...said.context, timeSource: 'sender', verified: 'signed' },
    }));

/** A history and a way in which it was delivered. */
export interface History {
  /** Each event once. */
  readonly events: readonly Event[];
  /** Every event one to five times, in any order, in batches of any size. */
  readonly deliveries: readonly (readonly Event[])[];
  /** For whatever else is left to chance. */
  readonly seed: number;
}

/** Up to sixteen events of a few people, and how they came. */
export function aHistory(
  zone: string,
  { now = NOW, most = 16, least = 1 }: { now?: number; most?: number; least?: number } = {},
): fc.Arbitrary<History> {
  const instants = instantsAround(now, zone);
  const eventsOf = (ids: fc.Arbitrary<Identifier[]>) =>
    fc.uniqueArray(anEvent(instants, ids), {
      minLength: least,
      maxLength: most,
      size: 'max', // as often long as short
      selector: (event) => event.id,
    });
  return fc
    .record({ events: fc.oneof(...casts.map(eventsOf)), seed: fc.nat() })
    .map(({ events, seed }) => ({ events, seed, deliveries: deliver(events, dice(seed)) }));
}

/** Every event one to five times, in any order, in batches of any size. */
export function deliver(events: readonly Event[], thrown: Dice): Event[][] {
  const copies = events.flatMap((event) => Array.from({ length: 1 + thrown.below(5) }, () => event));
  const batches: Event[][] = [];
  while (copies.length > 0) {
    const size = Math.min(copies.length, 1 + thrown.below(6));
    batches.push(Array.from({ length: size }, () => thrown.take(copies)));
  }
  return batches;
}

/** Leaves out what is undefined, which no queue can carry. */
function defined<T extends object>(fields: T): Partial<T> {
  const kept: Partial<T> = { ...fields };
  for (const name in kept) if (kept[name] === undefined) delete kept[name];
  return kept;
}
