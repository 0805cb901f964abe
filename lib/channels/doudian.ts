import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import type { DraftIdentifier } from '../events/identifiers.ts';
import { RejectedError } from '../platform/errors.ts';
import { json } from '../platform/http.ts';
import { type Account, channel, type Place, type Reading } from './channel.ts';
import { textOf } from './context.ts';
import { doudianEvents, PROBE } from './doudian-events.ts';
import { isRecord, readJson } from './json.ts';
import { sameSecret, unauthentic } from './verify.ts';

/** How many messages one request may carry. */
const BATCH = 500;

const settings = z.strictObject({
  appKey: z.string().regex(/^\d{1,32}$/, 'the app_key of the application, digits'),
  /** The shop, where the application serves more than one: what is said of another goes to quarantine. */
  shopId: z
    .string()
    .regex(/^\d{1,32}$/)
    .optional(),
  secret: z.string().min(1),
});
type Settings = z.infer<typeof settings>;

const held = { appSecret: z.string().min(1) };
const secret = z.object({ ...held, previous: z.object(held).optional() });
type Secret = z.infer<typeof secret>;

const secretsOf = ({ secret: { appSecret, previous } }: Account<Settings, Secret>) => [
  appSecret,
  ...(previous ? [previous.appSecret] : []),
];

/**
 * Message push of Doudian (抖店): orders and after-sales of a shop, several messages in one request.
 * Source: op.jinritemai.com, guide 215/1977.
 *
 * Doudian signs the body and no time. Each message has an id, so that the same one again is stored once, whatever its
 * age: that is the protection against replays.
 */
export const doudian = channel<Settings, Secret>({
  name: 'doudian',
  settings,
  secret,
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

  read,

  // All or nothing: it is said when every message of the request is queued.
  reply: () => json(200, { code: 0, msg: 'success' }),
});

function read(message: Json, _envelope: unknown, { settings }: Place<Settings>): Reading {
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
  return {
    drafts: [
      {
        ...meaning,
        key: [id],
        at: entry.at.map((name) => textOf(data, name)).find((time) => time !== undefined && time !== '0'),
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
