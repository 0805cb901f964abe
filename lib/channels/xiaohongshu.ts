import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Draft } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { instantOf } from '../events/time.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpRequest, json } from '../platform/http.ts';
import { type Account, channel, type Place, type Reading } from './channel.ts';
import { type Fields, textOf } from './context.ts';
import type { Hint } from './hint.ts';
import { isRecord, readJson } from './json.ts';
import { one } from './present.ts';
import { vendorUrl } from './vendor-call.ts';
import { sameSecret, signedTime, unauthentic } from './verify.ts';
import { checkSafeSignature, echoed, echoIn, safeTime, signedIn } from './wechat-safe.ts';
import { ORDER, RETURN, xiaohongshuOrder, xiaohongshuReturn } from './xiaohongshu-fetched.ts';

/** How many messages one request may carry. */
const BATCH = 500;

const settings = z.strictObject({
  appKey: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'the app-key of the ARK application'),
  sellerId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'the id of the seller (商家 ID)'),
  /** What a push only announces and Xiaohongshu is asked for: paid orders and refunds, with amounts and buyer. */
  fetch: z.array(z.enum(['orders'])).default([]),
  /** Where Xiaohongshu listens, or the brand's own relay. */
  url: vendorUrl.default('https://ark.xiaohongshu.com/ark/open_api/v3/common_controller'),
  secret: z.string().min(1),
});
export type Settings = z.infer<typeof settings>;

const held = {
  appSecret: z.string().min(1),
  /** The token of the mini program's message push: only its address is answered, see the docs of this channel. */
  token: z.string().min(1).optional(),
  /** What the seller's permission gave first (授权), for what is asked; from then on it is renewed here. */
  refreshToken: z.string().min(1).optional(),
};
const secret = z.object({ ...held, previous: z.object(held).partial().optional() });
export type Secret = z.infer<typeof secret>;

type Seller = Account<Settings, Secret>;

const live = (...all: readonly (string | undefined)[]) => all.filter((it) => it !== undefined);

export const xiaohongshuSpec = { name: 'xiaohongshu', settings, secret };

/**
 * Orders and after-sales of a Xiaohongshu shop (小红书 ARK). A push is a hint: its signature covers the query and the
 * time and not the body, by a rule that one third party published. Events say `sender_only`, amounts are left pending,
 * and a signed query is good for one body: what another says of events waits in quarantine.
 * Source: open.xiaohongshu.com, message 115; sign rule not confirmed by the vendor.
 */
export const xiaohongshu = channel<Settings, Secret>({
  ...xiaohongshuSpec,
  maxBytes: 256 * 1024,

  /** The address of a mini program's push, tried as WeChat tries one (miniapp.xiaohongshu.com, DC577113). */
  handshake({ method, query }, { id, secret: { token, previous } }, now) {
    if (method !== 'GET') return undefined;
    const tokens = live(token, previous?.token);
    checkSafeSignature(signedIn(query, 'signature'), { name: `xiaohongshu/${id}`, tokens });
    safeTime(query.timestamp, {}, now);
    return echoed(echoIn(query));
  },

  verify(request, account, now) {
    const { headers, body } = request;
    if (!sameSecret(headers['app-key'] ?? '', account.settings.appKey))
      unauthentic('unknown_app', `xiaohongshu: the message is for another application, ${account.id}`);
    const signed = signedFields(request);
    checkSignature(`${request.path}?${signed}`, headers.sign ?? '', account);
    // Seconds, or milliseconds as the times inside are.
    signedTime(
      /^\d{13}$/.test(headers.timestamp ?? '') ? headers.timestamp?.slice(0, -3) : headers.timestamp,
      now,
    );
    // Two pushes of one second have the same signed query, and nothing is known of retries: neither is refused.
    return {
      text: body.toString('utf8'),
      envelope: { verified: 'sender_only' },
      nonce: signed,
      sharesNonce: true,
    };
  },

  decode(text) {
    const body = readJson(text);
    const messages = Array.isArray(body) ? body : [body];
    if (messages.length > BATCH)
      throw new RejectedError('too_large', `at most ${BATCH} messages in a request`, 413);
    return messages;
  },

  read(message, { topic }, place) {
    if (topic === ORDER) return readOrder(message, place);
    return topic === RETURN ? readReturn(message, place) : readPush(message, place);
  },
  asks: ({ fetch }) => fetch,
  reply: () => json(200, { success: true, error_code: 0, error_msg: '' }),
});

/** What the signature covers beside the path, and what makes a delivery one of a kind: the query and two headers. */
function signedFields({ headers, query }: HttpRequest): string {
  const fields = { ...query, 'app-key': headers['app-key'] ?? '', timestamp: headers.timestamp ?? '' };
  return Object.entries(fields)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function checkSignature(
  signed: string,
  given: string,
  { id, secret: { appSecret, previous } }: Seller,
): void {
  const holds = live(appSecret, previous?.appSecret).map((it) =>
    sameSecret(createHash('md5').update(`${signed}${it}`).digest('hex'), given),
  );
  if (!holds.includes(true)) unauthentic('bad_signature', `xiaohongshu: the signature does not match, ${id}`);
}

type Meaning = Pick<Draft, 'type' | 'properties'> | undefined;

const order = (data: Fields) => ({ order_id: textOf(data, 'orderId') });

/**
 * What an order's status means: 1 placed, 2 paid, 5 partly and 6 wholly shipped, 7 done, 8 closed, 9 cancelled. 3
 * (customs), 4 (to ship, which may come twice) and 10 (exchange) are nothing that the customer did.
 */
const statuses: Readonly<Record<string, (data: Fields) => Meaning>> = {
  '1': (data) => one('order_created', order(data)),
  // The push has no amount: a later event of the order, from its detail, says how much.
  '2': (data) => one('order_paid', { ...order(data), amount_pending: true }),
  '5': (data) => one('order_shipped', { ...order(data), is_partial: true }),
  '6': (data) => one('order_shipped', { ...order(data), is_partial: false }),
  '7': (data) => one('order_received', order(data)),
  '8': (data) => one('order_cancelled', { ...order(data), reason: 'closed' }),
  '9': (data) => one('order_cancelled', { ...order(data), reason: 'cancelled' }),
};

const refund = (data: Fields) => ({
  refund_id: textOf(data, 'returnsId'),
  ...order(data),
  return_type: textOf(data, 'returnType'),
});

/** Whether `refundFee` is in fen or in yuan is told differently by different sources: no amount is made of it. */
const tags: Readonly<Record<string, (data: Fields) => Meaning>> = {
  msg_fulfillment_status_change(data) {
    const status = textOf(data, 'orderStatus') ?? '';
    return Object.hasOwn(statuses, status) ? statuses[status]?.(data) : undefined;
  },
  msg_after_sale_create: (data) => one('refund_requested', refund(data)),
  msg_after_sale_refund_finished: (data) => one('order_refunded', { ...refund(data), amount_pending: true }),
};

const PAID = 'msg_fulfillment_status_change';
const REFUNDED = 'msg_after_sale_refund_finished';

/** What a push without its amount makes this account ask for; nothing where it says all that there is. */
function hintOf(tag: string, type: string, data: Fields): Hint | undefined {
  const at = instantOf(textOf(data, 'updateTime') ?? '');
  const orderId = textOf(data, 'orderId') ?? '';
  const returnsId = textOf(data, 'returnsId');
  if (tag === PAID && type === 'order_paid') return { what: ORDER, of: { orderId }, at };
  return tag === REFUNDED && returnsId ? { what: RETURN, of: { returnsId, orderId }, at } : undefined;
}

function readPush(message: Json, { settings: { sellerId, fetch } }: Place<Settings>): Reading {
  const tag = isRecord(message) ? textOf(message, 'msgTag') : undefined;
  if (!isRecord(message) || !tag) throw new FaultError('bad_shape', 'a message is an object with a msgTag');
  const means = Object.hasOwn(tags, tag) ? tags[tag] : undefined;
  if (!means) return { drafts: [], ignored: tag };
  if (textOf(message, 'sellerId') !== sellerId)
    throw new FaultError('bad_shape', 'the message is about another seller than the account is for');
  const data = typeof message.data === 'string' ? readJson(message.data) : message.data;
  const orderId = isRecord(data) ? textOf(data, 'orderId') : undefined;
  if (!isRecord(data) || !orderId) throw new FaultError('bad_shape', 'data has to be JSON with an orderId');
  const meaning = means(data);
  if (!meaning) return { drafts: [], ignored: `${tag} ${textOf(data, 'orderStatus') ?? ''}` };
  const hint = fetch.includes('orders') ? hintOf(tag, meaning.type, data) : undefined;
  if (hint) return { drafts: [], hints: [hint] };
  return {
    drafts: [
      {
        ...meaning,
        // An order may be refunded in several returns, each of them an event.
        key: [tag, orderId, textOf(data, 'orderStatus', 'returnsId') ?? ''],
        at: textOf(data, 'updateTime'),
        // Nobody is named: what is said of one order meets in one profile.
        identifiers: [orderIdentifier(orderId, sellerId)],
      },
    ],
  };
}

const orderIdentifier = (value: string, sellerId: string) => ({
  kind: 'order_id',
  scope: `xiaohongshu:${sellerId}`,
  value,
});

/** The keys are those of the pushes: an account that begins to ask is not told again of what was pushed before. */
function readOrder(message: Json, { settings: { sellerId } }: Place<Settings>): Reading {
  const { orderId, userId, ...draft } = xiaohongshuOrder(message);
  return {
    drafts: [{ ...draft, key: [PAID, orderId, '2'], identifiers: buyerOf(orderId, userId, sellerId) }],
  };
}

function readReturn(message: Json, { settings: { sellerId } }: Place<Settings>): Reading {
  const { orderId, userId, returnsId, ...draft } = xiaohongshuReturn(message);
  return {
    drafts: [
      { ...draft, key: [REFUNDED, orderId, returnsId], identifiers: buyerOf(orderId, userId, sellerId) },
    ],
  };
}

/** The buyer's id is the seller's own: it is unique within the seller. */
const buyerOf = (orderId: string, userId: string | undefined, sellerId: string) => [
  ...(userId ? [{ kind: 'xiaohongshu_user_id', scope: sellerId, value: userId }] : []),
  orderIdentifier(orderId, sellerId),
];
