import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import type { DraftIdentifier } from '../events/identifiers.ts';
import { instantOf } from '../events/time.ts';
import { RejectedError } from '../platform/errors.ts';
import { json } from '../platform/http.ts';
import { type Account, channel, type Place, type Reading } from './channel.ts';
import { type Fields, textOf } from './context.ts';
import { doudianEvents, PROBE } from './doudian-events.ts';
import { isRecord, readJson } from './json.ts';
import { one, present } from './present.ts';
import { vendorUrl } from './vendor-call.ts';
import { sameSecret, unauthentic } from './verify.ts';

/** How many messages one request may carry. */
const BATCH = 500;

const settings = z
  .strictObject({
    appKey: z.string().regex(/^\d{1,32}$/, 'the app_key of the application, digits'),
    /** The shop, where the application serves more than one: what is said of another goes to quarantine. */
    shopId: z
      .string()
      .regex(/^\d{1,32}$/)
      .optional(),
    /** What a push only announces and Doudian is asked for: orders that were paid, with amount, goods and buyer. */
    fetch: z.array(z.enum(['orders'])).default([]),
    /** Where Doudian listens, or the brand's own relay. */
    url: vendorUrl.default('https://openapi-fxg.jinritemai.com'),
    secret: z.string().min(1),
  })
  .refine(({ shopId, fetch }) => shopId !== undefined || fetch.length === 0, {
    path: ['shopId'],
    error: 'asking needs the shop: its access token is made for it',
  });
export type Settings = z.infer<typeof settings>;

const held = { appSecret: z.string().min(1) };
const secret = z.object({ ...held, previous: z.object(held).optional() });
export type Secret = z.infer<typeof secret>;

const secretsOf = ({ secret: { appSecret, previous } }: Account<Settings, Secret>) => [
  appSecret,
  ...(previous ? [previous.appSecret] : []),
];

export const doudianSpec = { name: 'doudian', settings, secret };

/**
 * Message push of Doudian (抖店): orders and after-sales of a shop, several messages in one request.
 * Source: op.jinritemai.com, guide 215/1977.
 *
 * Doudian signs the body and no time. Each message has an id, so that the same one again is stored once, whatever its
 * age: that is the protection against replays.
 */
export const doudian = channel<Settings, Secret>({
  ...doudianSpec,
  maxBytes: 256 * 1024,

  verify({ headers, body }, account) {
    const { appKey } = account.settings;
    if (!sameSecret(headers['app-id'] ?? '', appKey))
      unauthentic('unknown_app', `doudian: the message is for another application, ${account.id}`);
    const holds = secretsOf(account).map((appSecret) =>
      sameSecret(
        createHash('md5').update(appKey).update(body).update(appSecret).digest('hex'),
        headers['event-sign'] ?? '',
      ),
    );
    if (!holds.includes(true))
      unauthentic('bad_signature', `doudian: the signature does not match, ${account.id}`);
    return { text: body.toString('utf8'), envelope: { verified: 'signed' } };
  },

  decode(text) {
    const messages = readJson(text); // ids are above 2^53: each digit counts
    if (!Array.isArray(messages)) throw new FaultError('bad_shape', 'a push is an array of messages');
    if (messages.length > BATCH)
      throw new RejectedError('too_large', `at most ${BATCH} messages in a request`, 413);
    return messages;
  },

  read: (message, { topic }, place) =>
    topic === ORDER ? readOrder(message, place) : readPush(message, place),
  asks: ({ fetch }) => fetch,

  // All or nothing: it is said when every message of the request is queued.
  reply: () => json(200, { code: 0, msg: 'success' }),
});

/** The question of this channel, by Doudian's name. */
export const ORDER = 'order.orderDetail';

/** Tags that say that an order was paid. */
const PAID = new Set(['101', '110']);

function readPush(message: Json, { settings }: Place<Settings>): Reading {
  const tag = isRecord(message) ? textOf(message, 'tag') : undefined;
  if (!isRecord(message) || tag === undefined)
    throw new FaultError('bad_shape', 'a message is an object with a tag');
  if (tag === PROBE) return { drafts: [] };
  const entry = Object.hasOwn(doudianEvents, tag) ? doudianEvents[tag] : undefined;
  if (!entry) return { drafts: [], ignored: `tag ${tag}` };
  const data = typeof message.data === 'string' ? readJson(message.data) : message.data;
  const id = textOf(message, 'msg_id');
  if (!isRecord(data) || !id)
    throw new FaultError('bad_shape', 'a message has a msg_id and its data as JSON');
  const shop = textOf(data, 'shop_id');
  if (settings.shopId !== undefined && shop !== settings.shopId)
    throw new FaultError('bad_shape', 'the message is about another shop than the account is for');
  const meaning = entry.means(data);
  if (!meaning) return { drafts: [], ignored: `tag ${tag}` };
  const at = entry.at.map((name) => textOf(data, name)).find((time) => time !== undefined && time !== '0');
  const order = textOf(data, 'p_id');
  if (PAID.has(tag) && order && settings.fetch.includes('orders'))
    return { drafts: [], hints: [{ what: ORDER, of: { shop_order_id: order }, at: instantOf(at ?? '') }] };
  return {
    drafts: [
      {
        ...meaning,
        key: [id],
        at,
        identifiers: whose(data, shop ?? settings.appKey, settings),
      },
    ],
  };
}

/**
 * A push names the order and mostly nobody: then what is said of one order meets in one profile, and the event that
 * does name the buyer brings them together. The phone is a ciphertext and identifies nobody.
 */
function whose(data: { [name: string]: Json }, shop: string, { appKey }: Settings): DraftIdentifier[] {
  const buyer = textOf(data, 'doudian_open_id', 'open_id');
  const order = textOf(data, 'p_id');
  return [
    ...(buyer ? [{ kind: 'doudian_open_id', scope: appKey, value: buyer }] : []),
    ...(order ? [{ kind: 'order_id', scope: `doudian:${shop}`, value: order }] : []),
  ];
}

/**
 * A paid order as Doudian has it. Of the two pushes that may tell of one payment each leads here: an order is paid once.
 * Amounts are in fen; the phone and the address are ciphertext and are not looked at.
 */
function readOrder(order: Json, { settings }: Place<Settings>): Reading {
  const id = isRecord(order) ? textOf(order, 'order_id') : undefined;
  if (!isRecord(order) || !id) throw new FaultError('bad_shape', 'an order is an object with an order_id');
  const shop = textOf(order, 'shop_id') ?? settings.shopId ?? settings.appKey;
  if (settings.shopId !== undefined && shop !== settings.shopId)
    throw new FaultError('bad_shape', 'the order is of another shop than the account is for');
  const goods = Array.isArray(order.sku_order_list) ? order.sku_order_list.filter(isRecord) : [];
  return {
    drafts: [
      {
        ...one('order_paid', {
          order_id: id,
          paid_amount: order.pay_amount,
          currency: 'CNY',
          pay_type: textOf(order, 'pay_type'),
          items: goods.map(itemOf),
        }),
        key: [ORDER, id, 'paid'],
        at: textOf(order, 'pay_time'),
        identifiers: whose({ ...order, p_id: id }, shop, settings),
      },
    ],
  };
}

const itemOf = (sku: Fields) =>
  present({
    product_id: textOf(sku, 'product_id', 'product_id_str'),
    sku_id: textOf(sku, 'sku_id'),
    name: textOf(sku, 'product_name'),
    quantity: sku.item_num,
    paid_amount: sku.pay_amount,
  });
