import { toMinorUnits } from '../events/currency.ts';
import type { Json } from '../events/event.ts';
import { standardType } from '../events/standard.ts';
import { isRecord } from './json.ts';

/** How one of Segment's named events is read. */
export interface NamedEvent {
  readonly type: string;
  /** Property ← the names in Segment's specification, the first that is there. */
  readonly rename?: Readonly<Record<string, readonly string[]>>;
  /** Property ← the message's own id, where the specification has no such thing. */
  readonly own?: readonly string[];
  readonly otherwise?: Readonly<Record<string, Json>>;
}

const product = { product_id: ['sku', 'id'] };
const messageId = { message_id: ['email_id', 'campaign_id', 'conversation_id'] };

/** By name in lower case, words apart by one blank (Segment's e-commerce, email and live-chat specifications, V2). */
const named: Readonly<Record<string, NamedEvent>> = {
  'product viewed': { type: 'product_viewed', rename: product },
  'product added': { type: 'product_added', rename: product, otherwise: { quantity: 1 } },
  'checkout started': {
    type: 'checkout_started',
    rename: { checkout_id: ['order_id', 'cart_id'], value: ['total', 'revenue'] },
    own: ['checkout_id'],
  },
  'order created': { type: 'order_created' },
  'order completed': { type: 'order_paid', rename: { paid_amount: ['total', 'revenue', 'value'] } },
  'order refunded': {
    type: 'order_refunded',
    rename: { refund_amount: ['total', 'revenue', 'value'] },
    own: ['refund_id'],
  },
  'order cancelled': { type: 'order_cancelled' },
  'coupon applied': {
    type: 'coupon_redeemed',
    rename: { coupon_code: ['coupon_id', 'coupon', 'coupon_name'] },
  },
  'coupon removed': {
    type: 'coupon_voided',
    rename: { coupon_code: ['coupon_id', 'coupon', 'coupon_name'] },
    otherwise: { reason: 'removed' },
  },
  'signed up': { type: 'member_registered' },
  'live chat conversation started': { type: 'conversation_started' },
  'live chat message received': {
    type: 'message_received',
    rename: messageId,
    own: ['message_id'],
    otherwise: { message_type: 'text' },
  },
  'live chat message sent': {
    type: 'message_sent',
    rename: messageId,
    own: ['message_id'],
    otherwise: { template_id: 'live_chat' },
  },
  'email delivered': { type: 'message_delivered', rename: messageId, own: ['message_id'] },
  'email bounced': {
    type: 'message_failed',
    rename: messageId,
    own: ['message_id'],
    otherwise: { reason: 'bounced' },
  },
  'email opened': { type: 'message_read', rename: messageId, own: ['message_id'] },
  'email link clicked': {
    type: 'message_link_clicked',
    rename: { ...messageId, url: ['link_url'] },
    own: ['message_id'],
  },
};

const byType = new Map(Object.values(named).map((it) => [it.type, it]));

/** The name in snake_case: `Video Played`, `videoPlayed` and `video-played` are `video_played`. */
export const snakeCase = (name: string): string =>
  name
    .trim()
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^\p{L}\p{N}]+/gu, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase();

/** So much of a name is looked at: a type has at most 64 characters, so that what is longer is none. */
const NAME_CHARACTERS = 1024;

/** What a `track` call's name means: a standard type by either of its names, else a custom event. */
export function eventNamed(name: string): NamedEvent {
  const type = snakeCase(name.slice(0, NAME_CHARACTERS));
  const words = type.replaceAll('_', ' ');
  if (Object.hasOwn(named, words)) return named[words]!;
  return byType.get(type) ?? { type };
}

/** Money that Segment writes in whole units, and what it is called here. */
const money: Readonly<Record<string, string>> = {
  revenue: 'revenue_amount',
  total: 'total_amount',
  subtotal: 'subtotal_amount',
  shipping: 'shipping_amount',
  tax: 'tax_amount',
  discount: 'discount_amount',
};

const isCommerce = (type: string) => /^(product|order|checkout|coupon|cart|payment|promotion)_/.test(type);

/**
 * The properties of a `track` call in our words. In commerce events, money comes in whole units (`39.9`) and leaves
 * as minor units (3990); what is already called `…_amount` is in minor units by its name. The protocol leaves the
 * currency open: then it is the brand's.
 */
export function propertiesOf(
  event: NamedEvent,
  given: Readonly<Record<string, Json>>,
  ownId: string,
  brandCurrency: string,
): Record<string, Json> {
  const properties: Record<string, Json> = { ...given };
  const required = standardType(event.type)?.required ?? {};
  if (isCommerce(event.type)) toMinor(event, properties, brandCurrency, required);
  for (const [property, names] of Object.entries(event.rename ?? {})) {
    const from = names.find((name) => properties[name] !== undefined && properties[name] !== null);
    if (from !== undefined) properties[property] ??= properties[from]!;
  }
  for (const property of event.own ?? []) properties[property] ??= ownId;
  for (const [property, value] of Object.entries(event.otherwise ?? {})) properties[property] ??= value;
  return properties;
}

function toMinor(
  event: NamedEvent,
  properties: Record<string, Json>,
  brandCurrency: string,
  required: Readonly<Record<string, unknown>>,
): void {
  const given = properties.currency;
  const currency =
    typeof given === 'string' && /^[A-Za-z]{3}$/.test(given) ? given.toUpperCase() : brandCurrency;
  const minor = (value: Json | undefined) =>
    typeof value === 'number' || typeof value === 'string' ? toMinorUnits(value, currency) : undefined;
  let has = false;
  for (const [property, names] of Object.entries(event.rename ?? {})) {
    if (required[property] !== 'money' || !names.includes('total')) continue;
    // `value` itself is in whole units in Segment's specification, as `total` is.
    const from = [...(property === 'value' ? ['value'] : []), ...names].find(
      (name) => minor(properties[name]) !== undefined,
    );
    if (from !== undefined && (property === 'value' || properties[property] === undefined))
      properties[property] = minor(properties[from])!;
    has ||= properties[property] !== undefined;
  }
  for (const [name, ours] of Object.entries(money)) {
    const amount = minor(properties[name]);
    if (amount === undefined) continue;
    delete properties[name];
    properties[ours] ??= Math.abs(amount);
    has = true;
  }
  for (const name of ['price', ...(required.value === 'money' ? [] : ['value'])]) {
    const amount = minor(properties[name]);
    if (amount === undefined) continue;
    properties[name] = amount;
    has = true;
  }
  if (Array.isArray(properties.products))
    properties.products = properties.products.map((item) => {
      const price = isRecord(item) ? minor(item.price) : undefined;
      has ||= price !== undefined;
      return isRecord(item) && price !== undefined ? { ...item, price } : item;
    });
  if (has && (given === undefined || given === null)) properties.currency = currency;
}
