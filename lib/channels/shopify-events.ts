import { toMinorUnits } from '../events/currency.ts';
import type { Draft } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { type DraftIdentifier, mailAddress, phoneNumber } from '../events/identifiers.ts';
import type { Envelope, Place, Reading } from './channel.ts';
import { campaignOfUrl, type Fields, fieldsOf, textOf } from './context.ts';
import { digestOf } from './digest.ts';
import { isRecord } from './json.ts';
import { present } from './present.ts';

type Shop = Place<{ readonly shop: string }>;

/** What a body can be, told by the fields that only such a body has. */
type Shape =
  | 'order'
  | 'refund'
  | 'checkout'
  | 'customer'
  | 'data_request'
  | 'customer_redact'
  | 'shop_redact';

interface Entry {
  readonly shape: Shape;
  /** What the body must say for the topic to be true: topics are not signed. */
  readonly holds?: (body: Fields) => boolean;
  /** The event; nothing where the body says nothing that a customer did. */
  readonly means: (body: Fields, shop: Shop) => Meaning | undefined;
}

interface Meaning {
  readonly type: string;
  /** What tells it from other events of the topic. All of it is signed, and a retry has the same. */
  readonly key: readonly (string | undefined)[];
  readonly at?: string;
  readonly properties: Record<string, Json>;
  /** The number of the order, where the event has to meet what is said of the order without its buyer. */
  readonly order?: string;
}

/** Items beyond these are counted and not kept: an event has at most 32 KB. */
const PRODUCTS = 50;

/**
 * Topics and what they mean. An order goes through several, often within a second and with one and the same body; the
 * key of each is of what happened, so that a body sent again under another topic adds nothing.
 */
const entries: Readonly<Record<string, Entry>> = {
  'orders/create': {
    shape: 'order',
    means: (body, shop) => order('order_created', body, shop, [], textOf(body, 'created_at')),
  },
  'orders/paid': {
    shape: 'order',
    holds: (body) =>
      ['paid', 'partially_refunded', 'refunded'].includes(textOf(body, 'financial_status') ?? ''),
    means(body, shop) {
      const amount = moneyOf(body, 'total_price', shop);
      const when = textOf(body, 'updated_at', 'processed_at', 'created_at');
      const paid = order('order_paid', body, shop, [String(amount)], when);
      return { ...paid, properties: present({ ...paid.properties, paid_amount: amount }) };
    },
  },
  'orders/fulfilled': shipped('fulfilled', false),
  'orders/partially_fulfilled': shipped('partial', true),
  'orders/cancelled': {
    shape: 'order',
    holds: (body) => textOf(body, 'cancelled_at') !== undefined,
    means(body, shop) {
      const at = textOf(body, 'cancelled_at');
      const cancelled = order('order_cancelled', body, shop, [at], at);
      const reason = textOf(body, 'cancel_reason');
      return { ...cancelled, order: undefined, properties: present({ ...cancelled.properties, reason }) };
    },
  },
  'refunds/create': { shape: 'refund', means: refunded },
  'checkouts/create': {
    shape: 'checkout',
    means: (body, shop) => ({
      type: 'checkout_started',
      key: [textOf(body, 'id', 'token')],
      at: textOf(body, 'created_at'),
      properties: present({
        checkout_id: textOf(body, 'id', 'token'),
        value: moneyOf(body, 'total_price', shop),
        ...orderDetails(body, shop),
      }),
    }),
  },
  'customers/create': {
    shape: 'customer',
    means: (body) => ({
      type: 'member_registered',
      key: [textOf(body, 'id')],
      at: textOf(body, 'created_at'),
      properties: present({ member_id: textOf(body, 'id') }),
    }),
  },
  'customers/data_request': {
    shape: 'data_request',
    means: (body) => erasure(body, 'data_request', textOf(fieldsOf(body, 'data_request'), 'id')),
  },
  'customers/redact': {
    shape: 'customer_redact',
    means: (body) => erasure(body, 'customer_redact', digestOf(body).slice(0, 22)),
  },
  'shop/redact': { shape: 'shop_redact', means: () => undefined },
};

function shipped(status: string, isPartial: boolean): Entry {
  return {
    shape: 'order',
    holds: (body) => textOf(body, 'fulfillment_status') === status,
    means(body, shop) {
      const parcels = recordsOf(body, 'fulfillments');
      const last = parcels.at(-1) ?? {};
      const when = textOf(last, 'created_at') ?? textOf(body, 'updated_at', 'created_at');
      const ids = parcels.map((parcel) => textOf(parcel, 'id') ?? '').filter(Boolean);
      const shipping = order('order_shipped', body, shop, [status, ...ids], when);
      const tracking = textOf(last, 'tracking_number');
      return {
        ...shipping,
        order: undefined,
        properties: {
          ...shipping.properties,
          is_partial: isPartial,
          ...present({ tracking_number: tracking }),
        },
      };
    },
  };
}

function order(
  type: string,
  body: Fields,
  shop: Shop,
  parts: readonly (string | undefined)[],
  at: string | undefined,
) {
  const id = textOf(body, 'id');
  return {
    type,
    key: [id, ...parts],
    at,
    order: id,
    properties: present({
      order_id: id,
      order_name: textOf(body, 'name'),
      total_amount: moneyOf(body, 'total_price', shop),
      ...orderDetails(body, shop),
    }),
  };
}

/** Money that was given back, or is on its way; goods taken back without money are no refund. */
function refunded(body: Fields, shop: Shop): Meaning | undefined {
  const moved = recordsOf(body, 'transactions').filter(
    (it) =>
      textOf(it, 'kind') === 'refund' && ['success', 'pending'].includes(textOf(it, 'status') ?? 'success'),
  );
  const [first] = moved;
  if (!first) return undefined;
  const currency = currencyOf(first, shop);
  const amounts = moved
    .filter((it) => currencyOf(it, shop) === currency)
    .map((it) => toMinorUnits(textOf(it, 'amount') ?? '', currency));
  const known = amounts.filter((amount) => amount !== undefined);
  return {
    type: 'order_refunded',
    key: [textOf(body, 'id')],
    at: textOf(body, 'processed_at', 'created_at'),
    order: textOf(body, 'order_id'),
    properties: present({
      refund_id: textOf(body, 'id'),
      order_id: textOf(body, 'order_id'),
      // An amount that cannot be read is no 0: the event is kept as a fault.
      refund_amount: known.length === amounts.length ? known.reduce((sum, it) => sum + it, 0) : undefined,
      currency,
    }),
  };
}

const erasure = (body: Fields, request: string, id: string | undefined): Meaning => ({
  type: 'data_erasure_requested',
  key: [id],
  properties: present({ request_id: id, request_kind: request, shop: textOf(body, 'shop_domain') }),
});

function orderDetails(body: Fields, shop: Shop): Record<string, Json> {
  const items = recordsOf(body, 'line_items');
  const currency = currencyOf(body, shop);
  const codes = recordsOf(body, 'discount_codes').flatMap((it) => textOf(it, 'code') ?? []);
  return present({
    currency,
    discount_amount: moneyOf(body, 'total_discounts', shop),
    coupon_codes: codes.length > 0 ? codes : undefined,
    product_count: items.length > 0 ? items.length : undefined,
    products:
      items.length > 0
        ? items.slice(0, PRODUCTS).map((it) =>
            present({
              product_id: textOf(it, 'product_id'),
              variant_id: textOf(it, 'variant_id'),
              sku: textOf(it, 'sku'),
              name: textOf(it, 'title', 'name'),
              quantity: it.quantity,
              price: toMinorUnits(textOf(it, 'price') ?? '', currency),
            }),
          )
        : undefined,
  });
}

function currencyOf(body: Fields, { home }: Shop): string {
  const code = textOf(body, 'currency')?.toUpperCase() ?? '';
  return /^[A-Z]{3}$/.test(code) ? code : home.currency;
}

/** Shopify writes money as decimals in text. */
const moneyOf = (body: Fields, name: string, shop: Shop): number | undefined =>
  toMinorUnits(textOf(body, name) ?? '', currencyOf(body, shop));

const recordsOf = (body: Fields, name: string): Fields[] => {
  const list = Object.hasOwn(body, name) ? body[name] : undefined;
  return Array.isArray(list) ? list.filter(isRecord) : [];
};

const has = (body: Fields, ...names: readonly string[]) => names.some((name) => Object.hasOwn(body, name));

function shapeOf(body: Fields): Shape | undefined {
  if (has(body, 'shop_domain')) {
    if (has(body, 'data_request')) return 'data_request';
    return has(body, 'customer') ? 'customer_redact' : 'shop_redact';
  }
  if (has(body, 'order_id') && has(body, 'transactions', 'refund_line_items')) return 'refund';
  if (has(body, 'financial_status')) return 'order';
  if (has(body, 'token') && has(body, 'total_price', 'line_items')) return 'checkout';
  if (has(body, 'total_price', 'line_items', 'order_id', 'title')) return undefined;
  return has(body, 'id') && has(body, 'email', 'phone', 'first_name', 'verified_email', 'state')
    ? 'customer'
    : undefined;
}

/** The topics that a body bears out. */
export function topicsOf(body: Fields): readonly string[] {
  const shape = shapeOf(body);
  return Object.entries(entries).flatMap(([topic, entry]) =>
    entry.shape === shape && (entry.holds?.(body) ?? true) ? [topic] : [],
  );
}

/** Whether the body is what the topic says. Topics that mean nothing here may come with any body. */
export const standsFor = (topic: string, body: Fields): boolean =>
  !Object.hasOwn(entries, topic) || topicsOf(body).includes(topic);

/** What a webhook means. @throws FaultError where the body is not what its topic says */
export function readShopify(body: Json, { topic = '' }: Envelope, shop: Shop): Reading {
  const entry = Object.hasOwn(entries, topic) ? entries[topic] : undefined;
  if (!entry) return { drafts: [], ignored: topic };
  if (!isRecord(body) || !topicsOf(body).includes(topic))
    throw new FaultError('bad_shape', 'the body has not the fields of its topic');
  if (entry.shape === 'shop_redact') return { drafts: [], notices: [shopRedact(body)] };
  const meaning = entry.means(body, shop);
  const identifiers = meaning ? identifiersOf(body, meaning, shop) : [];
  // Most checkouts begin before anybody has said who they are.
  const isNobodys = entry.shape === 'checkout' && identifiers.length === 0;
  if (!meaning || isNobodys) return { drafts: [], ignored: topic };
  return { drafts: [draftOf(topic, body, meaning, identifiers)] };
}

function draftOf(topic: string, body: Fields, meaning: Meaning, identifiers: DraftIdentifier[]): Draft {
  const key = meaning.key.map((part) => part ?? '');
  const { type, at, properties } = meaning;
  const referrer = textOf(body, 'referring_site');
  return {
    type,
    key: key.join('') === '' ? [topic, digestOf(body)] : [topic, ...key],
    at,
    identifiers,
    properties,
    context: { campaign: campaignOfUrl(textOf(body, 'landing_site')), ...(referrer ? { referrer } : {}) },
  };
}

/** An address that the customer never confirmed may be anybody's: Shopify says so on the customer. */
function identifiersOf(body: Fields, { order: number }: Meaning, { settings: { shop }, home }: Shop) {
  const isCustomer = shapeOf(body) === 'customer';
  const customer = isCustomer ? body : fieldsOf(body, 'customer');
  const id = textOf(customer, 'id');
  const phone = phoneNumber(textOf(customer, 'phone') ?? textOf(body, 'phone') ?? '', home.locale);
  const email = mailAddress(textOf(customer, 'email') ?? textOf(body, 'email') ?? '');
  const isUnverified = customer.verified_email === false;
  return [
    ...(id ? [{ kind: 'shopify_customer_id', scope: shop, value: id }] : []),
    ...(phone ? [{ kind: 'phone', value: phone }] : []),
    ...(email ? [{ kind: isUnverified ? 'unverified_email' : 'email', value: email }] : []),
    ...(number ? [{ kind: 'order_id', scope: `shopify:${shop}`, value: number }] : []),
  ];
}

/** The shop has left: what is to be erased is the brand's own, so operators are told. */
const shopRedact = (body: Fields) => ({
  type: 'data_erasure_requested',
  properties: { request_id: `shop:${textOf(body, 'shop_id') ?? ''}`, request_kind: 'shop_redact' },
});
