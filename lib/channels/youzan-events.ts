import { toMinorUnits } from '../events/currency.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { phoneNumber } from '../events/identifiers.ts';
import { instantOf } from '../events/time.ts';
import type { Place, Reading } from './channel.ts';
import { chinaTime } from './china-time.ts';
import { type Fields, fieldsOf, textOf } from './context.ts';
import { isRecord } from './json.ts';
import { present } from './present.ts';

export interface YouzanSettings {
  readonly kdtId: string;
  readonly appId?: string;
}

/** A push, opened: only what is authentic, but for the type under the old signature. */
export interface YouzanPush {
  readonly type: string;
  readonly msg: Fields;
  /** The fields beside `msg`; none under the old signature, which does not cover them. */
  readonly beside: Fields;
  readonly isTypeSigned: boolean;
  /** What tells the push from others: its id, or a digest of all that is signed. */
  readonly key: readonly string[];
}

interface Meaning {
  readonly type: string;
  readonly properties: Record<string, Json>;
  /** Absent: that of the push. Two pushes that say the same of one payment or refund have one key. */
  readonly key?: readonly string[];
  /** As Youzan writes it: `2025-10-09 16:53:20` in UTC+8, or a Unix time. */
  readonly at?: string;
}

interface Entry {
  /** What `msg` must have for the type to be true, where the signature does not cover the type. */
  readonly fits: (msg: Fields) => boolean;
  readonly means: (push: YouzanPush) => Meaning | undefined;
}

const has = (name: string) => (msg: Fields) => textOf(msg, name) !== undefined;

const orderOf = (msg: Fields) => fieldsOf(fieldsOf(msg, 'full_order_info'), 'order_info');
const tidOf = (msg: Fields) => textOf(msg, 'tid') ?? textOf(orderOf(msg), 'tid');
const isOrder = (msg: Fields) => tidOf(msg) !== undefined;

/** Items beyond these are counted and not kept: an event has at most 32 KB. */
const PRODUCTS = 50;

/** Youzan's amounts are yuan as decimals, in text. */
const fen = (fields: Fields, ...names: readonly string[]) =>
  toMinorUnits(textOf(fields, ...names) ?? '', 'CNY');

/** An amount of the push, or that it has none: then another event of the order says it. */
function money(name: 'paid_amount' | 'refund_amount', fields: Fields, ...names: readonly string[]) {
  if (textOf(fields, ...names) === undefined) return { amount_pending: true };
  return { [name]: fen(fields, ...names), currency: 'CNY' };
}

const created: Entry = {
  fits: isOrder,
  means: ({ msg }) => ({
    type: 'order_created',
    at: textOf(orderOf(msg), 'created') ?? textOf(msg, 'update_time'),
    properties: present({ order_id: tidOf(msg), ...details(msg) }),
  }),
};

/** A paid order is pushed as TradePaid, and as TradeBuyerPay when it is to be sent: both are the same payment. */
const paid: Entry = {
  fits: (msg) => isOrder(msg) && textOf(orderOf(msg), 'pay_time') !== undefined,
  means({ msg }) {
    const pay = fieldsOf(fieldsOf(msg, 'full_order_info'), 'pay_info');
    const amount = money('paid_amount', pay, 'payment', 'real_payment');
    return {
      type: 'order_paid',
      key: ['order_paid', tidOf(msg) ?? '', textOf(pay, 'payment', 'real_payment') ?? ''],
      at: textOf(orderOf(msg), 'pay_time'),
      properties: present({ order_id: tidOf(msg), ...amount, ...details(msg) }),
    };
  },
};

const shipped = (isPartial: boolean): Entry => ({
  fits: isOrder,
  means: ({ msg }) => ({
    type: 'order_shipped',
    at: textOf(orderOf(msg), 'consign_time') ?? textOf(msg, 'update_time'),
    properties: present({
      order_id: tidOf(msg),
      is_partial: isPartial,
      tracking_number: textOf(msg, 'express_id', 'express_no'),
    }),
  }),
});

const received: Entry = {
  fits: isOrder,
  means: ({ msg }) => ({
    type: 'order_received',
    at: textOf(orderOf(msg), 'success_time') ?? textOf(msg, 'update_time'),
    properties: present({ order_id: tidOf(msg) }),
  }),
};

const closed: Entry = {
  fits: isOrder,
  means: ({ msg }) => ({
    type: 'order_cancelled',
    at: textOf(msg, 'update_time') ?? textOf(orderOf(msg), 'update_time'),
    properties: present({ order_id: tidOf(msg), reason: textOf(msg, 'close_reason', 'close_type') }),
  }),
};

type RefundStep = 'requested' | 'refunded' | 'closed';

function refund(step: RefundStep, msg: Fields, status: string): Meaning {
  const ids = { refund_id: textOf(msg, 'refund_id'), order_id: tidOf(msg) };
  const at = textOf(msg, 'update_time', 'modified', 'event_time');
  const why = textOf(msg, 'refund_reason_des', 'refund_reason');
  const key = [`refund_${step}`, ids.refund_id ?? ''];
  if (step === 'requested')
    return { type: 'refund_requested', key, at, properties: present({ ...ids, reason: why }) };
  if (step === 'closed')
    return { type: 'refund_closed', key, at, properties: present({ ...ids, reason: status || 'closed' }) };
  const amount = money('refund_amount', msg, 'refunded_fee', 'refund_fee');
  return {
    type: 'order_refunded',
    key,
    at,
    properties: present({ ...ids, ...amount, reason: why }),
  };
}

const refunds = (step: RefundStep, status = ''): Entry => ({
  fits: has('refund_id'),
  means: ({ msg }) => refund(step, msg, textOf(msg, 'status')?.toLowerCase() ?? status),
});

/** Where the type does not say how far a refund is, its status does; steps in between are of no use here. */
const refundSteps: readonly (readonly [RegExp, RefundStep])[] = [
  [/^(WAIT_SELLER_AGREE|(REFUND_)?(BUYER_)?(CREATED|APPLY|APPLIED))$/, 'requested'],
  [/^(REFUND_)?SUCCESS$/, 'refunded'],
  [/^((REFUND_)?CLOSED?|SELLER_REFUSE_BUYER(_RETURN_GOODS)?)$/, 'closed'],
];

const refundByStatus: Entry = {
  fits: has('refund_id'),
  means({ msg, beside }) {
    const status = statusOf(msg, beside);
    const step = refundSteps.find(([pattern]) => pattern.test(status))?.[1];
    return step && refund(step, msg, status.toLowerCase());
  },
};

const statusOf = (msg: Fields, beside: Fields) =>
  (textOf(msg, 'status') ?? textOf(beside, 'status') ?? '').toUpperCase();

const points: Entry = {
  fits: has('amount'),
  means: ({ msg }) => ({
    type: 'points_changed',
    at: textOf(msg, 'event_time', 'created_time'),
    properties: present({
      account: 'points',
      delta: whole(msg, 'amount'),
      balance_after: whole(msg, 'total'),
      biz_type: textOf(msg, 'event_type'),
      reason: textOf(msg, 'description'),
    }),
  }),
};

function whole(fields: Fields, name: string): number | undefined {
  const text = textOf(fields, name) ?? '';
  return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** `TAKE`, `CARD_TAKE`, `CODE_TAKE`: what became of a coupon is the last word. */
const couponTypes: readonly (readonly [RegExp, string])[] = [
  [/(^|_)(TAKE|TAKEN|GIVEN)$/, 'coupon_issued'],
  [/(^|_)(CONSUME|CONSUMED|VERIFY|USED)$/, 'coupon_redeemed'],
  [/(^|_)(BACK|RETURN|RETURNED)$/, 'coupon_returned'],
  [/(^|_)(INVALID|EXPIRED?|DELETED?|CANCEL|DISABLED?)$/, 'coupon_voided'],
];

const coupon: Entry = {
  fits: has('status'),
  means({ msg }) {
    const status = (textOf(msg, 'status') ?? '').toUpperCase();
    const type = couponTypes.find(([pattern]) => pattern.test(status))?.[1];
    if (type === undefined) return undefined;
    return {
      type,
      at: textOf(msg, 'event_time'),
      properties: present({
        coupon_code: textOf(msg, 'verify_code', 'coupon_code', 'id'),
        coupon_template_id: textOf(msg, 'coupon_group_id', 'group_id', 'id'),
        order_id: textOf(msg, 'order_no', 'tid'),
        reason: type === 'coupon_voided' ? status.toLowerCase() : undefined,
      }),
    };
  },
};

const isYes = (fields: Fields, name: string) =>
  Object.hasOwn(fields, name) && [1, '1', true, 'true'].some((yes) => fields[name] === yes);

/** A customer who is created as a member is a member from then on; any other news of one may link two identifiers. */
const customer: Entry = {
  fits: (msg) => has('yz_open_id')(msg) || has('mobile')(msg) || has('account_id')(msg),
  means({ msg, beside }) {
    const member = present({ member_id: textOf(msg, 'yz_open_id') ?? textOf(beside, 'yz_open_id') });
    const at = textOf(msg, 'event_time', 'updated_at', 'created_at');
    if (isYes(msg, 'is_log_off')) return { type: 'member_left', at, properties: member };
    if (statusOf(msg, beside) === 'CUSTOMER_CREATED' && isYes(msg, 'is_member'))
      return { type: 'member_registered', at, properties: member };
    return { type: 'identity_linked', at, properties: { link_source: 'youzan_customer' } };
  },
};

const card: Entry = {
  fits: has('card_no'),
  means({ msg, beside }) {
    const status = statusOf(msg, beside);
    const isTaken = /_(TAKEN|GIVEN|ACTIVATED)$/.test(status);
    if (!isTaken && !/_(DELETED|EXPIRED|REMOVED)$/.test(status)) return undefined;
    return {
      type: isTaken ? 'member_registered' : 'member_left',
      at: textOf(msg, 'event_time'),
      properties: present({ member_id: textOf(msg, 'card_no'), card_id: textOf(msg, 'card_alias') }),
    };
  },
};

const phoneGiven: Entry = {
  fits: () => true,
  means: ({ msg }) => ({
    type: 'identity_linked',
    at: textOf(msg, 'event_time', 'auth_time'),
    properties: { link_source: 'youzan_phone' },
  }),
};

/** Types of push by their name, in lower case. Refunds are pushed in an older and in a newer set. */
const entries: Readonly<Record<string, Entry>> = {
  trade_tradecreate: created,
  trade_tradepaid: paid,
  trade_tradebuyerpay: paid,
  trade_tradesellership: shipped(false),
  trade_tradepartlysellership: shipped(true),
  trade_tradesuccess: received,
  trade_tradeclose: closed,
  trade_order_refund: refundByStatus,
  trade_refund_buyercreated: refunds('requested'),
  trade_refund_refundselleragree: refunds('refunded'),
  trade_refund_refundsuccess: refunds('refunded'),
  trade_refund_sysrefund: refunds('refunded'),
  trade_refund_refundclosed: refunds('closed', 'buyer_cancelled'),
  youzan_trade_refundcreated: refunds('requested'),
  youzan_trade_refundsuccess: refunds('refunded'),
  youzan_trade_refundclosed: refunds('closed', 'buyer_cancelled'),
  points,
  coupon_customer_promotion: coupon,
  scrm_customer_event: customer,
  scrm_customer_card: card,
  open_push_scrm_customer_auth_mobile: phoneGiven,
};

/** What a push means. @throws FaultError where `msg` has not the fields of the type that it is said to be of */
export function youzanReading(push: YouzanPush, place: Place<YouzanSettings>): Reading {
  const name = push.type.toLowerCase();
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (!entry) return { drafts: [], ignored: push.type || 'a push without a type' };
  if (!push.isTypeSigned && !entry.fits(push.msg))
    throw new FaultError('bad_shape', 'msg has not the fields of the type that it is said to be of');
  const meaning = entry.means(push);
  const buyer = buyerOf(push, place);
  const identifiers = meaning ? [...buyer, ...orderIdentifier(meaning, buyer.length > 0, push, place)] : [];
  const isLink = meaning?.type === 'identity_linked';
  if (!meaning || (isLink && identifiers.length < 2)) return { drafts: [], ignored: nameOf(push) };
  const { version } = push.beside;
  return {
    drafts: [
      {
        type: meaning.type,
        key: meaning.key ?? push.key,
        at: chinaTime(meaning.at),
        about: timeOfVersion(version),
        identifiers,
        properties: { ...meaning.properties, ...versionOf(meaning, version) },
      },
    ],
  };
}

const nameOf = ({ type, msg, beside }: YouzanPush) => [type, statusOf(msg, beside)].filter(Boolean).join(':');

/** Which state of the thing a push tells of: it grows. Left out where two pushes of one thing are one event. */
const versionOf = ({ key }: Meaning, version: Json | undefined): Record<string, Json> =>
  key === undefined && typeof version === 'number' ? { version } : {};

/** The version is most often the Unix time of the change: nearer than the arrival where nothing says when it was. */
function timeOfVersion(version: Json | undefined): number | undefined {
  return typeof version === 'number' || typeof version === 'string' ? instantOf(version) : undefined;
}

function buyerOf({ msg, beside }: YouzanPush, { settings, home }: Place<YouzanSettings>) {
  const whole = fieldsOf(msg, 'full_order_info');
  const buyer = fieldsOf(whole, 'buyer_info');
  const openId = textOf(msg, 'yz_open_id') ?? textOf(buyer, 'yz_open_id') ?? textOf(beside, 'yz_open_id');
  const wechat = textOf(buyer, 'outer_user_id') ?? textOf(msg, 'outer_user_id');
  // What a shop gets as ciphertext or with asterisks is no number.
  const phone = [textOf(msg, 'mobile'), textOf(buyer, 'buyer_phone'), textOf(beside, 'mobile')]
    .flatMap((it) => (it === undefined ? [] : (phoneNumber(it, home.locale) ?? [])))
    .at(0);
  return [
    ...(openId ? [{ kind: 'youzan_open_id', scope: settings.kdtId, value: openId }] : []),
    ...(phone ? [{ kind: 'phone', value: phone }] : []),
    ...(wechat && settings.appId ? [{ kind: 'wechat_openid', scope: settings.appId, value: wechat }] : []),
  ];
}

/** Most pushes of an order do not name the buyer: its number does, once it was seen beside the buyer. */
function orderIdentifier(
  { type }: Meaning,
  isBuyerNamed: boolean,
  { msg }: YouzanPush,
  { settings: { kdtId } }: Place<YouzanSettings>,
) {
  const number = tidOf(msg);
  const isNeeded = /^(order_(created|paid|refunded)|refund_\w+)$/.test(type) || !isBuyerNamed;
  return number && isNeeded ? [{ kind: 'order_id', scope: `youzan:${kdtId}`, value: number }] : [];
}

function details(msg: Fields): Record<string, Json> {
  const list = fieldsOf(msg, 'full_order_info').orders;
  const items = Array.isArray(list) ? list.filter(isRecord) : [];
  if (items.length === 0) return {};
  return {
    product_count: items.length,
    products: items.slice(0, PRODUCTS).map((it) =>
      present({
        product_id: textOf(it, 'item_id'),
        variant_id: textOf(it, 'sku_id'),
        sku: textOf(it, 'outer_sku_id', 'outer_item_id'),
        name: textOf(it, 'title'),
        quantity: it.num,
        price: fen(it, 'price'),
      }),
    ),
  };
}
