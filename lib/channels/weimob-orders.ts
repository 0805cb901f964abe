import type { Json } from '../events/event.ts';
import { type Fields, fieldsOf, textOf } from './context.ts';
import { present } from './present.ts';
import { type Entry, type Meaning, NONE, type WeimobPush } from './weimob-meaning.ts';

/** Weimob pushes that an order is paid or refunded, and never how much it was: another event of the order says it. */
const PENDING = { amount_pending: true };

const orderDetails = (message: Fields) =>
  present({
    order_id: textOf(message, 'orderNo'),
    parent_order_id: textOf(message, 'parentOrderNo'),
    store_id: textOf(message, 'vid', 'storeId'),
  });

/** An order is announced as created, and its status may say so once more: one event. */
export const orderCreated = ({ message }: WeimobPush): Meaning[] => [
  {
    type: 'order_created',
    key: ['order_created', textOf(message, 'orderNo') ?? ''],
    at: textOf(message, 'createTime'),
    properties: orderDetails(message),
  },
];

/** Statuses between these say what the shop does (3: to be sent) or what was said before (8: done). */
const orderStatuses: Readonly<Record<string, { type: string; properties?: Record<string, Json> }>> = {
  '2': { type: 'order_paid', properties: PENDING },
  '4': { type: 'order_shipped', properties: { is_partial: true } },
  '5': { type: 'order_shipped', properties: { is_partial: false } },
  '7': { type: 'order_received' },
  '9': { type: 'order_cancelled' },
};

export const orderStatus: Entry = {
  needs: ['orderNo', 'orderStatus'],
  bars: ['rightsId'],
  means(push) {
    const { message } = push;
    const status = textOf(message, 'orderStatus') ?? '';
    if (status === '0') return orderCreated(push);
    const known = Object.hasOwn(orderStatuses, status) ? orderStatuses[status] : undefined;
    const isUnpaid = known?.type === 'order_paid' && (textOf(message, 'paymentStatus') ?? '2') !== '2';
    if (!known || isUnpaid) return NONE;
    const properties = { ...orderDetails(message), ...known.properties };
    return [{ type: known.type, at: textOf(message, 'updateTime', 'createTime'), properties }];
  },
};

const rightsId = (message: Fields) => textOf(message, 'rightsId', 'rightsOrderNo');

const rights = (type: string, message: Fields, properties: Record<string, Json> = {}): Meaning => ({
  type,
  key: [type, rightsId(message) ?? ''],
  at: textOf(message, 'updateTime', 'createTime'),
  properties: present({ refund_id: rightsId(message), order_id: textOf(message, 'orderNo'), ...properties }),
});

export const requested = ({ message }: WeimobPush) => [rights('refund_requested', message)];
export const refunded = ({ message }: WeimobPush) => [rights('order_refunded', message, PENDING)];
export const closed =
  (reason: string) =>
  ({ message }: WeimobPush) => [rights('refund_closed', message, { reason })];

const rightsStatuses: Readonly<Record<string, Entry['means']>> = {
  '1': requested,
  '6': refunded,
  '7': closed('buyer_cancelled'),
  '8': closed('refused'),
  '9': closed('failed'),
};

export const rightsNeeds = [['rightsId', 'rightsOrderNo'], 'orderNo'] as const;

export const rightsStatus: Entry = {
  needs: rightsNeeds,
  means(push) {
    const inner = textOf(fieldsOf(push.message, 'rightsInfo'), 'rightsStatus');
    const status = textOf(push.message, 'status') ?? inner ?? '';
    return Object.hasOwn(rightsStatuses, status) ? (rightsStatuses[status]?.(push) ?? NONE) : NONE;
  },
};
