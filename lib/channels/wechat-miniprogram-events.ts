import { FaultError } from '../events/fault.ts';
import { toIso } from '../platform/clock.ts';
import { wechatEvents } from './wechat-events.ts';
import { type Entries, type Entry, type Found, one, whole } from './wechat-meaning.ts';
import type { WechatMessage } from './wechat-message.ts';

/** A Unix time that stands beside the push's own, as the instant it is; nothing for none. */
function instant(seconds: string): string | undefined {
  const value = whole(seconds);
  return value !== undefined && value > 0 && value < 1e11 ? toIso(value * 1000) : undefined;
}

/** A code in our word; as it stands where it is a new one. */
const inWords = (words: Readonly<Record<string, string>>, code: string) =>
  Object.hasOwn(words, code) ? words[code] : code;

const cancelReasons = { '1': 'customer', '2': 'timeout', '3': 'refunded' };
const shopConfirmations = { '1': 'customer', '2': 'auto' };
/** Orders of the mini program itself are numbered the other way round. */
const ownConfirmations = { '1': 'auto', '2': 'customer' };

/**
 * An order of a WeChat shop (微信小店). A push says which order and never how much, so a payment says that its amount
 * is pending. Everything but a parcel happens to an order once: the event and the order name it.
 */
const shopOrder =
  (type: string, rest: (order: WechatMessage) => Found = () => ({}), apart: readonly string[] = []): Entry =>
  (message) => {
    const order = message.part('order_info');
    const id = order.field('order_id');
    const key = [message.field('Event'), id, ...apart.map((name) => message.field(name))];
    return [one(type, { order_id: id, ...rest(order) }, { key })];
  };

/** 0: more parcels will come. Where it is not said nobody knows, and the message goes to quarantine. */
const partial = (finished: string) => (finished === '0' ? true : finished === '1' ? false : undefined);

/** What an after-sale order is in each of its published states; a return or an exchange is a request too. */
const afterSale: Readonly<Record<string, 'refund_requested' | 'order_refunded' | 'refund_closed'>> = {
  MERCHANT_PROCESSING: 'refund_requested',
  USER_WAIT_RETURN: 'refund_requested',
  MERCHANT_WAIT_RECEIPT: 'refund_requested',
  MERCHANT_OVERDUE_REFUND: 'refund_requested',
  PLATFORM_REFUNDING: 'refund_requested',
  PLATFORM_REFUND_FAIL: 'refund_requested',
  USER_WAIT_CONFIRM: 'refund_requested',
  USER_WAIT_CONFIRM_UPDATE: 'refund_requested',
  USER_WAIT_HANDLE_MERCHANT_AFTER_SALE: 'refund_requested',
  USER_WAIT_RECEIPT: 'refund_requested',
  WAIT_PACKAGE_INTERCEPT: 'refund_requested',
  MERCHANT_REFUND_SUCCESS: 'order_refunded',
  MERCHANT_RETURN_SUCCESS: 'order_refunded',
  USER_CANCELD: 'refund_closed', // spelt so by WeChat
  RETURN_CLOSED: 'refund_closed',
  MERCHANT_FAIL: 'refund_closed',
  MERCHANT_REJECT_REFUND: 'refund_closed',
  MERCHANT_REJECT_RETURN: 'refund_closed',
  MERCHANT_REJECT_EXCHANGE: 'refund_closed',
  MERCHANT_REJECT_RESHIP: 'refund_closed',
  MERCHANT_REFUND_RETRY_FAIL: 'refund_closed',
  MERCHANT_EXCHANGE_SUCCESS: 'refund_closed',
};

const afterSaleUpdate: Entry = (message) => {
  const update = message.holding('after_sale_order_id');
  const id = update.field('after_sale_order_id');
  const status = update.field('status');
  const type = Object.hasOwn(afterSale, status) ? afterSale[status] : undefined;
  if (!type) throw new FaultError('bad_shape', 'an after-sale order is in a state that is not known here');
  const rest: Found =
    type === 'order_refunded'
      ? { amount_pending: true }
      : type === 'refund_closed'
        ? { reason: status.toLowerCase() }
        : {};
  const key = [message.field('Event'), id, status];
  return [one(type, { refund_id: id, order_id: update.field('order_id'), status, ...rest }, { key })];
};

/** A coupon of the shop in one customer's hands. One that came back may be used and come back again. */
const coupon =
  (type: string, time: string, rest: Found = {}): Entry =>
  (message) => {
    const held = message.holding('user_coupon_id');
    const code = held.field('user_coupon_id');
    const key = [message.field('Event'), code, held.field(time) || message.field('CreateTime')];
    const properties = {
      coupon_code: code,
      coupon_template_id: held.field('coupon_id'),
      order_id: held.field('order_id'),
    };
    return [one(type, { ...properties, ...rest }, { key })];
  };

/** The shop's members have no number but who they are in the shop. */
const member =
  (type: string, time?: string, rest: (user: WechatMessage) => Found = () => ({})): Entry =>
  (message) => {
    const user = message.part('user_info');
    const id = message.field('FromUserName');
    const happened = time && (user.field(time) || message.field('CreateTime'));
    return [
      one(
        type,
        { member_id: id, ...rest(user) },
        {
          ...(happened ? { key: [message.field('Event'), id, happened] } : {}),
          phone: user.field('phone_number'),
        },
      ),
    ];
  };

const score: Entry = (message) => {
  const user = message.part('user_info');
  const properties = {
    account: 'points',
    delta: whole(user.field('delta_score')),
    balance_after: whole(user.field('score')),
  };
  return [one('points_changed', properties, { phone: user.field('phone_number') })];
};

/**
 * An order that was paid with WeChat Pay in the mini program (发货信息管理): told once when all of it was shipped, and
 * again when it is settled, by which time it was received.
 */
const settlement: Entry = (message) => {
  const received = instant(message.field('confirm_receive_time'));
  const transaction = message.field('transaction_id');
  const properties = {
    order_id: message.field('merchant_trade_no') || transaction,
    transaction_id: transaction,
    paid_at: instant(message.field('pay_time')),
    shipped_at: instant(message.field('shipped_time')),
  };
  const key = [message.field('Event'), transaction, received ? 'received' : 'shipped'];
  if (!received) return [one('order_shipped', { ...properties, is_partial: false }, { key })];
  const confirmed = inWords(ownConfirmations, message.field('confirm_receive_method'));
  const settled = instant(message.field('settlement_time'));
  return [
    one(
      'order_received',
      { ...properties, confirmed_by: confirmed, confirmed_at: received, settled_at: settled },
      { key },
    ),
  ];
};

/** What a mini program or a WeChat shop is told, by the event's name in lower case. */
export const miniprogramEvents: Entries = {
  ...wechatEvents,
  trade_manage_order_settlement: settlement,
  channels_ec_order_new: shopOrder('order_created'),
  channels_ec_order_pay: shopOrder('order_paid', (order) => ({
    amount_pending: true,
    paid_at: instant(order.field('pay_time')),
  })),
  channels_ec_order_cancel: shopOrder('order_cancelled', (order) => ({
    reason: inWords(cancelReasons, order.field('cancel_type')),
  })),
  channels_ec_order_deliver: shopOrder(
    'order_shipped',
    (order) => ({ is_partial: partial(order.field('finish_delivery')) }),
    ['CreateTime'],
  ),
  channels_ec_order_confirm: shopOrder('order_received', (order) => ({
    confirmed_by: inWords(shopConfirmations, order.field('confirm_type')),
  })),
  channels_ec_aftersale_update: afterSaleUpdate,
  channels_ec_coupon_receive: coupon('coupon_issued', 'receive_time'),
  channels_ec_user_coupon_use: coupon('coupon_redeemed', 'use_time'),
  channels_ec_user_coupon_unuse: coupon('coupon_returned', 'unuse_time'),
  channels_ec_user_coupon_expire: coupon('coupon_voided', 'expire_time', { reason: 'expired' }),
  channels_ec_vip_join: member('member_registered', 'join_time'),
  channels_ec_vip_close: member('member_left', 'close_time'),
  channels_ec_vip_grade_info_update: member('member_level_changed', undefined, (user) => ({
    new_level: user.field('grade'),
    experience: whole(user.field('experience_value')),
  })),
  channels_ec_vip_score_update: score,
};
