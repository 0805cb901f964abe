// Builders for attribution's tests: only what matters to a case is said, the rest defaults.

import type { Touch } from '../../lib/attribution/touch.ts';
import { type Event, event } from '../../lib/events/event.ts';
import {
  type AttributionSettings,
  attributionSettings,
  type Brand,
  brand,
} from '../../lib/platform/brand.ts';
import { DAY } from '../../lib/platform/clock.ts';

export const START = Date.parse('2026-11-01T00:00:00.000Z');

/** The instant so many days (fractions too) after the start. */
export const day = (days: number): string => new Date(Math.round(START + days * DAY)).toISOString();

let count = 0;
const nextId = () => `event${String(++count).padStart(11, '0')}`;

export const settings = (more: Partial<AttributionSettings> = {}): AttributionSettings => ({
  ...attributionSettings.parse({}),
  ...more,
});

export function aBrand(more: Partial<Brand> = {}): Brand {
  return {
    ...brand.parse({
      name: 'demo',
      title: { zh: '示例', en: 'Demo' },
      timezone: 'Asia/Shanghai',
      locale: 'zh-CN',
      currency: 'CNY',
      channels: {},
    }),
    ...more,
  };
}

type EventParts = Omit<Partial<Event>, 'context' | 'source'> & {
  context?: Partial<Event['context']>;
  channel?: string;
};

export function anEvent(
  type: string,
  occurredAt: string,
  { context, channel, ...more }: EventParts = {},
): Event {
  return event.parse({
    id: nextId(),
    type,
    occurredAt,
    receivedAt: occurredAt,
    source: { channel: channel ?? 'generic', account: 'pos' },
    identifiers: [{ kind: 'member_id', scope: 'brand', value: 'm1' }],
    properties: {},
    ...more,
    context: { timeSource: 'sender', verified: 'signed', ...context },
  });
}

export const aVisit = (at: string, channel: string, more: EventParts = {}): Event =>
  anEvent('page_viewed', at, { ...more, context: { campaign: { channel }, ...more.context } });

export const anOrder = (at: string, orderId: string, amount: number, more: EventParts = {}): Event =>
  anEvent('order_paid', at, {
    ...more,
    properties: { order_id: orderId, paid_amount: amount, currency: 'CNY', ...more.properties },
  });

export const aRefund = (
  at: string,
  orderId: string,
  refundId: string,
  amount: number,
  more: EventParts = {},
) =>
  anEvent('order_refunded', at, {
    ...more,
    properties: {
      order_id: orderId,
      refund_id: refundId,
      refund_amount: amount,
      currency: 'CNY',
      ...more.properties,
    },
  });

export const aTouch = (at: string, channel: string, more: Partial<Touch> = {}): Touch => ({
  eventId: nextId(),
  type: 'page_viewed',
  at,
  channel,
  role: 'latent',
  opportunity: false,
  ...more,
});

export const sum = (numbers: Iterable<number>): number => {
  let total = 0;
  for (const it of numbers) total += it;
  return total;
};
