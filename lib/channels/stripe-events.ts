import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { fieldsOf, textOf } from './context.ts';
import { isRecord } from './json.ts';
import { present } from './present.ts';

type Fields = Record<string, Json>;

/** What a Stripe event is about: the object as it is now, and those of its fields that were different before. */
export interface StripeChange {
  readonly object: Fields;
  readonly previous: Fields;
}

/** The one event that a Stripe event stands for. */
export interface StripeMeaning {
  readonly type: string;
  readonly properties: Record<string, Json>;
  /** What tells it from others where two Stripe events say the same; Stripe's id of the event unless said. */
  readonly key?: readonly string[];
}

/** Which of Stripe's objects says that an order is paid: for one payment Stripe sends an event of each. */
export type PaidBy = 'checkout' | 'payment_intent';

interface Entry {
  /** The setting under which the event counts; under any unless said. */
  readonly paidBy?: PaidBy;
  /** Nothing: the event is known and says nothing that a customer did. */
  readonly means: (change: StripeChange) => StripeMeaning | undefined;
}

/** Currencies without minor units in ISO 4217 whose amounts Stripe gives in hundredths all the same. */
const HUNDREDTHS = new Set(['isk', 'ugx']);

/** Stripe's amount in minor units of ISO 4217. @throws FaultError where that is no whole number */
function minor(amount: Json | undefined, currency: string | undefined): Json | undefined {
  if (typeof amount !== 'number' || !HUNDREDTHS.has(currency?.toLowerCase() ?? '')) return amount;
  if (amount % 100 !== 0)
    throw new FaultError('bad_property', 'an amount of a currency without minor units has a fraction');
  return amount / 100;
}

/**
 * The brand's number of an order. The session has it as `client_reference_id`; a payment intent, its charge and its
 * refunds have it only if it was put into the payment intent's metadata; else the payment intent's own id stands for it.
 */
export const orderOf = (object: Fields): string | undefined =>
  textOf(object, 'client_reference_id') ??
  textOf(fieldsOf(object, 'metadata'), 'order_id') ??
  paymentOf(object);

/** What payment, charge and refund of one order have in common. */
export const paymentOf = (object: Fields): string | undefined =>
  textOf(object, 'payment_intent') ?? textOf(object, 'charge') ?? textOf(object, 'id');

function paid(object: Fields, amount: string): StripeMeaning {
  const currency = textOf(object, 'currency');
  return {
    type: 'order_paid',
    properties: present({
      order_id: orderOf(object),
      paid_amount: minor(object[amount], currency),
      currency,
      payment_id: paymentOf(object),
    }),
  };
}

/** A session ends unpaid where the bank takes its time; one that only keeps a card for later is no order. */
function sessionCompleted({ object }: StripeChange): StripeMeaning | undefined {
  if (textOf(object, 'mode') === 'setup') return undefined;
  if (textOf(object, 'payment_status') !== 'unpaid') return paid(object, 'amount_total');
  return { type: 'order_created', properties: present({ order_id: orderOf(object) }) };
}

/**
 * `amount_refunded` is all that was ever refunded of the charge: this refund is what it grew by. Newer versions of the
 * API name no refund here; then charge and sum stand for it.
 */
function chargeRefunded({ object, previous }: StripeChange): StripeMeaning | undefined {
  const total = object.amount_refunded;
  const before = previous.amount_refunded ?? 0;
  const amount = typeof total === 'number' && typeof before === 'number' ? total - before : undefined;
  if (amount === 0) return undefined;
  const currency = textOf(object, 'currency');
  const refunds = fieldsOf(object, 'refunds').data;
  const [newest] = Array.isArray(refunds) ? refunds : [];
  const named = isRecord(newest) ? textOf(newest, 'id') : undefined;
  const summed = [textOf(object, 'id'), textOf(object, 'amount_refunded')];
  return {
    type: 'order_refunded',
    properties: present({
      refund_id: named ?? (summed.includes(undefined) ? undefined : summed.join(':')),
      order_id: orderOf(object),
      refund_amount: minor(amount, currency),
      currency,
      is_full: object.refunded,
      payment_id: paymentOf(object),
    }),
  };
}

const refund = (type: string, object: Fields, rest: Record<string, Json>): StripeMeaning => ({
  type,
  key: [type, textOf(object, 'id') ?? ''],
  properties: present({
    refund_id: textOf(object, 'id'),
    order_id: orderOf(object),
    payment_id: paymentOf(object),
    ...rest,
  }),
});

/** A refund that waits (for the bank, for the customer's account) is asked for; one that is done is in its charge. */
const refundCreated: Entry = {
  means: ({ object }) =>
    ['pending', 'requires_action'].includes(textOf(object, 'status') ?? '')
      ? refund('refund_requested', object, {})
      : undefined,
};

/** Stripe has three names for a refund that came back; the refund's own id makes one event of them. */
const refundClosed: Entry = {
  means({ object }) {
    const status = textOf(object, 'status') ?? '';
    if (status !== 'failed' && status !== 'canceled') return undefined;
    return refund('refund_closed', object, { reason: textOf(object, 'failure_reason') ?? status });
  },
};

/** What Stripe's events mean, by their type. */
export const stripeEvents: Readonly<Record<string, Entry>> = {
  'checkout.session.completed': { paidBy: 'checkout', means: sessionCompleted },
  'checkout.session.async_payment_succeeded': {
    paidBy: 'checkout',
    means: ({ object }) => paid(object, 'amount_total'),
  },
  'checkout.session.async_payment_failed': {
    paidBy: 'checkout',
    means: ({ object }) => ({
      type: 'order_cancelled',
      properties: present({ order_id: orderOf(object), reason: 'payment_failed' }),
    }),
  },
  'payment_intent.succeeded': {
    paidBy: 'payment_intent',
    means: ({ object }) => paid(object, 'amount_received'),
  },
  'charge.refunded': { means: chargeRefunded },
  'refund.created': refundCreated,
  'refund.updated': refundClosed,
  'refund.failed': refundClosed,
  'charge.refund.updated': refundClosed,
};
