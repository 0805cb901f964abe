// Builders for customers' tests: only what matters to a case is said, the rest defaults.
import { type Event, event, type Identifier } from '../../lib/events/event.ts';
import { type Brand, type BrandInput, brand } from '../../lib/platform/brand.ts';
import { DAY } from '../../lib/platform/clock.ts';
import type { Rules } from '../../lib/profile/person.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';

/** Noon in Shanghai, on the first of May 2026. */
export const START = Date.parse('2026-05-01T04:00:00.000Z');

/** The instant so many days (fractions too) after the start. */
export const day = (days: number): string => new Date(Math.round(START + days * DAY)).toISOString();

export const buyer = { tag: 'buyer', when: 'events("order_paid").any()' };
export const active = { tag: 'active', when: 'events("page_viewed").within("7d").any()' };
export const stage = {
  tag: 'stage',
  values: { loyal: 'events("order_paid").count() >= 3', fresh: 'events("order_paid").any()' },
};

export const aBrand = (more: Partial<BrandInput> = {}): Brand =>
  brand.parse({
    name: 'demo',
    title: { zh: '演示', en: 'Demo' },
    timezone: 'Asia/Shanghai',
    locale: 'zh-CN',
    currency: 'CNY',
    channels: {},
    rules: [buyer, active, stage],
    ...more,
  });

/** The rules of a brand's file, at version 1. */
export const rulesOf = (of: Brand = aBrand()): Rules => ({
  brand: of,
  book: compileRules(
    of.rules.map((rule) => ({ ...rule, version: 1 })),
    of,
  ),
});

/** An identifier as `kind:value` or `kind@scope:value`; phones and mail have the scope of their kind. */
export function anId(text: string): Identifier {
  const [, kind = '', scope, value = ''] = /^(\w+)(?:@([^:]+))?:(.+)$/.exec(text) ?? [];
  const usual = kind.endsWith('phone') ? 'e164' : kind.endsWith('email') ? 'rfc5322' : 'demo';
  return { kind, scope: scope ?? usual, value };
}

type EventParts = Omit<Partial<Event>, 'context' | 'source' | 'identifiers'> & {
  readonly ids?: readonly string[];
  readonly channel?: string;
  readonly context?: Partial<Event['context']>;
};

let count = 0;

/** An event so many days after the start; its id is a word, padded. */
export function anEvent(type: string, days: number, parts: EventParts = {}): Event {
  const { ids = ['member_id:m1'], channel = 'generic', context, id, ...more } = parts;
  return event.parse({
    id: (id ?? `event${++count}`).padEnd(16, '_'),
    type,
    occurredAt: day(days),
    receivedAt: day(days),
    source: { channel, account: 'shop' },
    identifiers: ids.map(anId),
    properties: {},
    ...more,
    context: { timeSource: 'sender', verified: 'signed', ...context },
  });
}

export const aVisit = (days: number, parts: EventParts = {}): Event => anEvent('page_viewed', days, parts);

/** An order; its amount is in fen. */
export const anOrder = (days: number, orderId: string, amount: number, parts: EventParts = {}): Event =>
  anEvent('order_paid', days, {
    ...parts,
    properties: { order_id: orderId, paid_amount: amount, currency: 'CNY', ...parts.properties },
  });

export const aRefund = (days: number, orderId: string, amount: number, parts: EventParts = {}): Event =>
  anEvent('order_refunded', days, {
    ...parts,
    properties: { order_id: orderId, refund_id: `r-${orderId}`, refund_amount: amount, currency: 'CNY' },
  });

/** The same numbers in the same order for a seed: a test that fails fails again. */
export function dice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

export function shuffled<T>(list: readonly T[], seed: number): T[] {
  const roll = dice(seed);
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = roll(i + 1);
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}
