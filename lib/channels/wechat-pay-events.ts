import type { Draft } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import type { DraftIdentifier } from '../events/identifiers.ts';
import { fieldsOf, textOf } from './context.ts';
import { isRecord } from './json.ts';
import { present } from './present.ts';

type Fields = Record<string, Json>;

/** What every draft of one notification has in common. */
export interface PayFrame {
  /** The event's name at WeChat, a part of the key. */
  readonly name: string;
  /** Whose numbers the orders are: `wechat-pay:<mchid>`. */
  readonly scope: string;
  /** When the notification was made, where what it tells of has no time. */
  readonly about?: number;
}

/** What a notification means, given what was sealed in it. */
type Means = (resource: Fields, frame: PayFrame) => readonly Draft[];

/** Mainland payments are in yuan, and refunds of them do not say so. */
const CURRENCY = 'CNY';

const orderIdentifier = (order: string | undefined, { scope }: PayFrame): DraftIdentifier[] =>
  order === undefined ? [] : [{ kind: 'order_id', scope, value: order }];

/** Who paid, in each app that names them; a merchant below a service provider has an app of its own. */
function payerOf(payer: Fields, apps: Fields): DraftIdentifier[] {
  const pairs = [
    ['openid', 'appid'],
    ['sp_openid', 'sp_appid'],
    ['sub_openid', 'sub_appid'],
  ] as const;
  return pairs.flatMap(([openid, appid]) => {
    const value = textOf(payer, openid);
    const scope = textOf(apps, appid);
    return value && scope ? [{ kind: 'wechat_openid', scope, value }] : [];
  });
}

/** WeChat's own id of what is told, the same however often and under whatever notification id it is told. */
function keyOf(resource: Fields, field: string, { name }: PayFrame): string[] {
  const id = textOf(resource, field);
  if (id === undefined) throw new FaultError('bad_shape', `${name} needs ${field}`);
  return [name, id];
}

/** @throws FaultError where the state contradicts the notification's name: nothing was paid then */
function checkState(resource: Fields, { name }: PayFrame): void {
  if ((textOf(resource, 'trade_state') ?? 'SUCCESS') !== 'SUCCESS')
    throw new FaultError('bad_property', `${name} with another trade_state`);
}

/**
 * `paid_amount` is the order's total, which refunds are parts of; what WeChat's coupons took off stands beside it.
 */
function paidDraft(order: Fields, payer: readonly DraftIdentifier[], frame: PayFrame): Draft {
  checkState(order, frame);
  const amount = fieldsOf(order, 'amount');
  const orderId = textOf(order, 'out_trade_no');
  return {
    type: 'order_paid',
    key: keyOf(order, 'transaction_id', frame),
    at: textOf(order, 'success_time'),
    about: frame.about,
    identifiers: [...payer, ...orderIdentifier(orderId, frame)],
    properties: present({
      order_id: orderId,
      transaction_id: textOf(order, 'transaction_id'),
      paid_amount: amount.total ?? amount.total_amount,
      payer_amount: amount.payer_total ?? amount.payer_amount,
      currency: textOf(amount, 'currency') ?? CURRENCY,
      trade_type: textOf(order, 'trade_type'),
    }),
  };
}

/** One payment; or several at once (合单支付), each order a payment of its own. */
const paid: Means = (resource, frame) => {
  if (!Object.hasOwn(resource, 'sub_orders'))
    return [paidDraft(resource, payerOf(fieldsOf(resource, 'payer'), resource), frame)];
  const orders = Array.isArray(resource.sub_orders) ? resource.sub_orders : [];
  if (orders.length === 0 || !orders.every(isRecord))
    throw new FaultError('bad_shape', 'sub_orders is a list of orders');
  const apps = present({ appid: resource.combine_appid });
  const payer = payerOf(fieldsOf(resource, 'combine_payer_info'), apps);
  return orders.filter(isRecord).map((order) => paidDraft(order, payer, frame));
};

/** A refund names the order and not who paid: the order's number finds them. */
function refundDraft(
  resource: Fields,
  type: string,
  rest: Record<string, Json | undefined>,
  frame: PayFrame,
) {
  const orderId = textOf(resource, 'out_trade_no');
  return {
    type,
    key: keyOf(resource, 'refund_id', frame),
    at: textOf(resource, 'success_time'),
    about: frame.about,
    identifiers: orderIdentifier(orderId, frame),
    properties: present({
      refund_id: textOf(resource, 'refund_id'),
      order_id: orderId,
      out_refund_no: textOf(resource, 'out_refund_no'),
      transaction_id: textOf(resource, 'transaction_id'),
      ...rest,
    }),
  };
}

const refunded: Means = (resource, frame) => {
  const amount = fieldsOf(resource, 'amount');
  return [
    refundDraft(
      resource,
      'order_refunded',
      {
        refund_amount: amount.refund,
        payer_refund_amount: amount.payer_refund,
        currency: textOf(amount, 'currency') ?? CURRENCY,
      },
      frame,
    ),
  ];
};

const refundClosed =
  (reason: string): Means =>
  (resource, frame) => [refundDraft(resource, 'refund_closed', { reason }, frame)];

/** Notifications of v3, by `event_type`; all others are acknowledged and counted. */
export const payEvents: Readonly<Record<string, Means>> = {
  'TRANSACTION.SUCCESS': paid,
  'REFUND.SUCCESS': refunded,
  'REFUND.ABNORMAL': refundClosed('abnormal'),
  'REFUND.CLOSED': refundClosed('closed'),
};

/** Money in v2 is digits. */
const fen = (fields: Fields, name: string): number | undefined => {
  const text = textOf(fields, name);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
};

/** `20251009165320` and `2025-10-09 16:53:20` are times of China. */
export function chinaTime(text: string | undefined): string | undefined {
  const parts = /^(\d{4})-?(\d\d)-?(\d\d) ?(\d\d):?(\d\d):?(\d\d)$/.exec(text ?? '');
  if (!parts) return text;
  const [, year, month, day, hour, minute, second] = parts;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}+08:00`;
}

/** A payment of v2; nothing where it failed. */
export function legacyPaid(fields: Fields, scope: string): Draft | undefined {
  if (textOf(fields, 'return_code') !== 'SUCCESS' || textOf(fields, 'result_code') !== 'SUCCESS')
    return undefined;
  const frame = { name: 'v2paid', scope };
  const orderId = textOf(fields, 'out_trade_no');
  return {
    type: 'order_paid',
    key: keyOf(fields, 'transaction_id', frame),
    at: chinaTime(textOf(fields, 'time_end')),
    identifiers: [...payerOf(fields, fields), ...orderIdentifier(orderId, frame)],
    properties: present({
      order_id: orderId,
      transaction_id: textOf(fields, 'transaction_id'),
      paid_amount: fen(fields, 'total_fee'),
      payer_amount: fen(fields, 'cash_fee'),
      currency: textOf(fields, 'fee_type') ?? CURRENCY,
      trade_type: textOf(fields, 'trade_type'),
    }),
  };
}

/** How a refund of v2 ended, by `refund_status`. */
const legacyEnds: Readonly<Record<string, { type: string; reason?: string }>> = {
  SUCCESS: { type: 'order_refunded' },
  CHANGE: { type: 'refund_closed', reason: 'abnormal' },
  REFUNDCLOSE: { type: 'refund_closed', reason: 'closed' },
};

/** A refund of v2; nothing for a status that nobody knows. */
export function legacyRefund(fields: Fields, scope: string): Draft | undefined {
  const status = textOf(fields, 'refund_status') ?? '';
  const end = Object.hasOwn(legacyEnds, status) ? legacyEnds[status] : undefined;
  if (!end) return undefined;
  const money = { refund_amount: fen(fields, 'refund_fee'), currency: CURRENCY };
  const rest = end.reason ? { reason: end.reason } : money;
  const frame = { name: `v2refund:${status}`, scope };
  return { ...refundDraft(fields, end.type, rest, frame), at: chinaTime(textOf(fields, 'success_time')) };
}
