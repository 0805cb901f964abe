import type { Json } from '../events/event.ts';
import { type Fields, textOf } from './context.ts';
import { one } from './present.ts';

/** What a message of one tag means; nothing where its data says that it means nothing yet. */
interface Entry {
  /** The fields that may hold the time, the best first. */
  readonly at: readonly string[];
  readonly means: (
    data: Fields,
  ) => { readonly type: string; readonly properties: Record<string, Json> } | undefined;
}

/** All amounts are in fen. */
const CNY = 'CNY';

const order = (data: Fields) => ({ order_id: textOf(data, 'p_id') });

const refund = (data: Fields) => ({
  refund_id: textOf(data, 'aftersale_id'),
  ...order(data),
  sub_order_id: textOf(data, 's_id'),
  aftersale_type: textOf(data, 'aftersale_type'),
});

const paid = (data: Fields) =>
  one('order_paid', {
    ...order(data),
    paid_amount: data.pay_amount,
    currency: CNY,
    pay_type: textOf(data, 'pay_type'),
    biz: textOf(data, 'biz'),
  });

const shipped = (isPartial: boolean): Entry => ({
  at: ['update_time', 'ship_time'],
  means: (data) => one('order_shipped', { ...order(data), is_partial: isPartial }),
});

const closed = (reason: string): Entry => ({
  at: ['refuse_time', 'close_time', 'update_time', 'success_time'],
  means: (data) => one('refund_closed', { ...refund(data), reason }),
});

/**
 * Messages by their tag. Those that are not here (addresses, remarks, arbitration, goods, …) are acknowledged and
 * counted. Source: op.jinritemai.com, guide 215.
 */
export const doudianEvents: Readonly<Record<string, Entry>> = {
  '100': { at: ['create_time'], means: (data) => one('order_created', order(data)) },
  '101': { at: ['pay_time', 'update_time'], means: paid },
  // Paid, with the platform's checks still pending: of the vendor's two readings of this tag the status decides.
  '110': {
    at: ['pay_time', 'update_time', 'create_time'],
    means: (data) => (textOf(data, 'order_status') === '2' ? paid(data) : undefined),
  },
  '102': shipped(false),
  '108': shipped(true),
  '103': {
    at: ['complete_time', 'update_time'],
    means: (data) => one('order_received', order(data)),
  },
  '106': {
    at: ['cancel_time', 'update_time'],
    means: (data) => one('order_cancelled', { ...order(data), reason: textOf(data, 'cancel_reason') }),
  },
  '200': {
    at: ['apply_time', 'create_time', 'update_time'],
    means: (data) =>
      one('refund_requested', {
        ...refund(data),
        refund_amount: data.refund_amount,
        currency: CNY,
        reason_code: textOf(data, 'reason_code'),
      }),
  },
  '206': {
    at: ['success_time', 'update_time'],
    means: (data) =>
      one('order_refunded', { ...refund(data), refund_amount: data.refund_amount, currency: CNY }),
  },
  '204': closed('refund refused'),
  '205': closed('return refused'),
  '207': closed('closed'),
};

/** Tried when an address is saved: it says nothing about anybody. */
export const PROBE = '0';
