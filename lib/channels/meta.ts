import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { RejectedError } from '../platform/errors.ts';
import { type Account, channel, type Envelope, type Place, type Reading } from './channel.ts';
import { fieldsOf, textOf } from './context.ts';
import { isRecord, readJson } from './json.ts';
import { metaEvents, metaLists } from './meta-events.ts';
import { hmacSha256, sameSecret, unauthentic } from './verify.ts';

type Fields = Record<string, Json>;

/** How many changes Meta puts into one delivery at most. */
const BATCH = 1000;

const ids = z.array(z.string().regex(/^\d{1,32}$/, 'an id of Meta is digits')).min(1);

const settings = z.strictObject({
  secret: z.string().min(1),
  /** The WhatsApp Business accounts that are ours. One app may serve others; any unless set. */
  wabaIds: ids.optional(),
  /** The pages that are ours. Any unless set. */
  pageIds: ids.optional(),
  /** Keep what customers write in text messages. Off: it may hold anything. */
  keepContent: z.boolean().default(false),
});
type Settings = z.infer<typeof settings>;

const secret = z.object({
  /** The app's secret: what deliveries are signed with. */
  appSecret: z.string().min(1),
  /** What was entered beside the address in the app's console. */
  verifyToken: z.string().min(1),
  /** What was valid before a rotation. */
  previous: z
    .object({ appSecret: z.string().min(1).optional(), verifyToken: z.string().min(1).optional() })
    .optional(),
});
type Secret = z.infer<typeof secret>;

type Meta = Account<Settings, Secret>;

const live = ({ secret: { previous, ...current } }: Meta, name: 'appSecret' | 'verifyToken') =>
  [current[name], previous?.[name]].filter((it) => it !== undefined);

/**
 * Meta's webhooks: WhatsApp's messages, their statuses and marketing preferences, and the leads of a page.
 *
 * The signature covers the body and no time, so a delivery could be replayed at any age. Every key comes from signed
 * ids: what is replayed is stored once, whenever it comes.
 *
 * Source: developers.facebook.com, Graph API webhooks; WhatsApp Cloud API webhooks.
 */
export const meta = channel<Settings, Secret>({
  name: 'meta',
  settings,
  secret,
  maxBytes: 3 * 1024 * 1024,

  handshake(request, account) {
    if (request.method !== 'GET') return undefined;
    const token = request.query['hub.verify_token'] ?? '';
    const holds = live(account, 'verifyToken').map((it) => sameSecret(it, token));
    const challenge = request.query['hub.challenge'] ?? '';
    if (!holds.includes(true) || request.query['hub.mode'] !== 'subscribe')
      unauthentic('bad_verification_token', `meta: not the verify token of ${account.id}`);
    // Echoed as it came: only what can be no markup.
    if (!/^[\w-]{1,256}$/.test(challenge)) unauthentic('bad_challenge', 'the challenge is not one of Meta');
    return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: challenge };
  },

  verify(request, account) {
    const given = request.headers['x-hub-signature-256'] ?? '';
    const holds = live(account, 'appSecret').map((key) =>
      sameSecret(`sha256=${hmacSha256(Buffer.from(key), request.body, 'hex')}`, given),
    );
    if (!holds.includes(true)) unauthentic('bad_signature', `meta: signature does not match, ${account.id}`);
    return { text: request.body.toString('utf8'), envelope: { verified: 'signed' } };
  },

  decode(text, _envelope, place) {
    const body = readJson(text);
    if (!isRecord(body) || !Array.isArray(body.entry))
      throw new FaultError('bad_shape', 'a delivery is an object with "object" and a list "entry"');
    const object = textOf(body, 'object') ?? '';
    const items = body.entry.flatMap((entry) => itemsOf(object, entry));
    if (items.length > BATCH) throw new RejectedError('too_large', `at most ${BATCH} changes`, 413);
    if (items.length > 0 && !items.some((item) => isOurs(item, place)))
      unauthentic('shop_mismatch', `meta: nothing in it is of an account or page of ${place.id}`);
    return items;
  },

  read,

  /** Meta expects 403 for what was not accepted as genuine. */
  refuse: (refusal) => (refusal.status === 401 ? { ...refusal, status: 403 } : refusal),
});

/** Each status, message and lead of an entry by itself, so that one that is broken keeps no other back. */
function itemsOf(object: string, entry: Json): Fields[] {
  if (!isRecord(entry)) return [{ path: object, owner: '', item: entry }];
  const owner = textOf(entry, 'id') ?? '';
  const changes = Array.isArray(entry.changes) ? entry.changes : undefined;
  // Messenger and Instagram put `messaging` here.
  if (!changes)
    return [{ path: `${object}/${Object.hasOwn(entry, 'messaging') ? 'messaging' : ''}`, owner, item: {} }];
  return changes.flatMap((change): Fields[] => {
    if (!isRecord(change)) return [{ path: object, owner, item: change }];
    const path = `${object}/${textOf(change, 'field') ?? ''}`;
    const value = fieldsOf(change, 'value');
    const number = textOf(fieldsOf(value, 'metadata'), 'phone_number_id');
    const frame = { owner, ...(number ? { number } : {}) };
    const items = metaLists.flatMap((list) =>
      (Array.isArray(value[list]) ? value[list] : []).map((item) => ({
        path: `${path}/${list}`,
        ...frame,
        item,
      })),
    );
    return items.length > 0 ? items : [{ path, ...frame, item: value }];
  });
}

function isOurs(item: Fields, { settings: { wabaIds, pageIds } }: Place<Settings>): boolean {
  const object = (textOf(item, 'path') ?? '').split('/')[0];
  const ours = object === 'page' ? pageIds : object === 'whatsapp_business_account' ? wabaIds : undefined;
  return ours === undefined || ours.includes(textOf(item, 'owner') ?? '');
}

function read(message: Json, _envelope: Envelope, place: Place<Settings>): Reading {
  if (!isRecord(message) || !isRecord(message.item))
    throw new FaultError('bad_shape', 'entries, changes and their items are objects');
  const path = textOf(message, 'path') ?? '';
  if (!isOurs(message, place)) return { drafts: [], ignored: `${path}: of another account` };
  const means = Object.hasOwn(metaEvents, path) ? metaEvents[path] : undefined;
  const meaning = means?.({
    item: message.item,
    owner: textOf(message, 'owner') ?? '',
    number: textOf(message, 'number'),
    keepContent: place.settings.keepContent,
  });
  if (meaning) return { drafts: [meaning] };
  const kind = textOf(message.item, 'status', 'type');
  return { drafts: [], ignored: kind ? `${path}/${kind}` : path };
}
