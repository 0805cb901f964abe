import { z } from 'zod';
import type { Draft } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { phoneNumber } from '../events/identifiers.ts';
import type { HttpRequest } from '../platform/http.ts';
import {
  type Account,
  type Channel,
  channel,
  keyed,
  type Opened,
  type Place,
  type Reading,
} from './channel.ts';
import { isRecord } from './json.ts';
import { unauthentic } from './verify.ts';
import type { Entries, Meaning } from './wechat-meaning.ts';
import { decodeWechat, type WechatMessage, wechatMessage } from './wechat-message.ts';
import {
  aesKey,
  checkSafeSignature,
  echoed,
  echoIn,
  openSafe,
  type SafeMode,
  safeTime,
  sealedIn,
  signedIn,
} from './wechat-safe.ts';

const settings = z.strictObject({
  appId: z
    .string()
    .regex(
      /^[A-Za-z0-9_-]{1,64}$/,
      'the appid of the official account, mini program or shop, such as wx0123456789abcdef',
    ),
  /** Within what a UnionID is unique: the open-platform account that the app is bound to. The brand's name unless set. */
  unionScope: z.string().min(1).max(128).optional(),
  secret: z.string().min(1),
  /** Accept messages in plain mode, whose signature does not cover the body; events say `sender_only`. */
  plain: z.boolean().default(false),
  /** Keep what customers write in text messages. Off: it may hold anything. */
  keepContent: z.boolean().default(false),
});
type Settings = z.infer<typeof settings>;

const secret = z.object({
  token: z.string().min(1),
  encodingAesKey: aesKey.optional(),
  /** What was valid before a rotation: kept as long as retries of older messages may come. */
  previous: z.object({ token: z.string().min(1).optional(), encodingAesKey: aesKey.optional() }).optional(),
});
type Secret = z.infer<typeof secret>;

/** What differs between those that WeChat pushes to. */
export interface Push {
  readonly name: string;
  readonly events: Entries;
  /** Events that are known and mean nothing here, in lower case: not even counted. */
  readonly silent: ReadonlySet<string>;
  /** What tells two events of one customer, one name and one second apart. */
  apart(message: WechatMessage): readonly string[];
}

/** What a customer writes, by `MsgType`. */
const written: ReadonlySet<string> = new Set([
  'text',
  'image',
  'voice',
  'video',
  'shortvideo',
  'location',
  'link',
  'miniprogrampage',
]);

const said = (body: string) => ({
  status: 200,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body,
});

/**
 * A channel of WeChat's message push (消息推送), safe mode (encrypted) unless the account says `plain`; XML or JSON,
 * as the message itself is.
 */
export const wechatPush = (push: Push): Channel =>
  channel<Settings, Secret>({
    name: push.name,
    settings,
    secret,
    maxBytes: 256 * 1024,

    handshake(request, account, now) {
      if (request.method !== 'GET') return undefined;
      checkSafeSignature(signedIn(request.query, 'signature'), modeOf(push, account));
      safeTime(request.query.timestamp, {}, now);
      return echoed(echoIn(request.query));
    },

    verify: (request, account, now) =>
      request.query.encrypt_type === 'aes' || request.query.msg_signature !== undefined
        ? verifySafe(request, modeOf(push, account), now)
        : verifyPlain(request, account, modeOf(push, account), now),

    decode: (text) => [decodeWechat(text)],
    read: (fields, _envelope, place) => read(fields, place, push),
    reply: () => said('success'),
  });

const modeOf = (
  { name }: Push,
  { id, settings: { appId }, secret: { token, encodingAesKey, previous } }: Account<Settings, Secret>,
): SafeMode => ({
  name: `${name}/${id}`,
  tokens: live(token, previous?.token),
  aesKeys: live(encodingAesKey, previous?.encodingAesKey),
  receiveIds: [appId],
});

const live = (...held: readonly (string | undefined)[]) => held.filter((it) => it !== undefined);

function verifySafe({ query, body }: HttpRequest, mode: SafeMode, now: number): Opened {
  const { text } = openSafe(sealedIn(body), signedIn(query, 'msg_signature'), mode, now);
  return { text, envelope: { verified: 'signed' } };
}

/** One query of plain mode signs any body: it is taken once, and its events say that only the sender is known. */
function verifyPlain(
  { query, body }: HttpRequest,
  { settings: { plain } }: Place<Settings>,
  mode: SafeMode,
  now: number,
): Opened {
  if (!plain) unauthentic('plain_not_allowed', `${mode.name} takes messages in safe mode only`);
  checkSafeSignature(signedIn(query, 'signature'), mode);
  safeTime(query.timestamp, {}, now);
  return {
    text: body.toString('utf8'),
    envelope: { verified: 'sender_only' },
    nonce: `${query.timestamp}:${query.nonce}`,
  };
}

function read(fields: Json, place: Place<Settings>, push: Push): Reading {
  if (!isRecord(fields)) throw new FaultError('bad_shape', 'a message is an object of fields');
  const message = wechatMessage(fields);
  const kind = message.field('MsgType').toLowerCase();
  if (kind === 'event') return readEvent(message, place, push);
  if (!written.has(kind)) return { drafts: [], ignored: kind || 'a message without MsgType' };
  const properties: Record<string, Json> = { message_id: message.field('MsgId'), message_type: kind };
  if (place.settings.keepContent && kind === 'text') properties.content = message.field('Content');
  const key = [message.field('MsgId')];
  return { drafts: [draft({ type: 'message_received', properties }, key, message, place)] };
}

function readEvent(message: WechatMessage, place: Place<Settings>, push: Push): Reading {
  const name = message.field('Event');
  const known = name.toLowerCase();
  if (known === 'masssendjobfinish') return { drafts: [], notices: [broadcast(message)] };
  const entry = Object.hasOwn(push.events, known) ? push.events[known] : undefined;
  if (!entry)
    return { drafts: [], ...(push.silent.has(known) ? {} : { ignored: name || 'an event without a name' }) };
  const meanings = entry(message, place.settings.appId);
  if (meanings.length === 0) return { drafts: [], ignored: name };
  const key = [customerOf(message), message.field('CreateTime'), name, ...push.apart(message)];
  return {
    drafts: meanings.map((meaning, index) =>
      draft(meaning, meaning.key ?? keyed(key, index), message, place),
    ),
  };
}

/** Who did it. Where WeChat itself is the sender (somebody took a consent back), `OpenID` says whom it is about. */
const customerOf = (message: WechatMessage) => message.field('OpenID') || message.field('FromUserName');

function draft(
  { type, properties, phone }: Meaning,
  key: readonly string[],
  message: WechatMessage,
  { settings: { appId, unionScope }, home }: Place<Settings>,
): Draft {
  const openId = customerOf(message);
  const unionId = message.field('UnionId');
  const number = phone && phoneNumber(phone, home.locale);
  return {
    type,
    key,
    at: message.field('CreateTime'),
    identifiers: [
      ...(openId ? [{ kind: 'wechat_openid', scope: appId, value: openId }] : []),
      ...(unionId ? [{ kind: 'wechat_unionid', scope: unionScope, value: unionId }] : []),
      ...(number ? [{ kind: 'phone', value: number }] : []),
    ],
    properties,
  };
}

/** A mass message is done: no customer did it, so it is told and not stored in anybody's profile. */
const broadcast = (message: WechatMessage) => ({
  type: 'broadcast_completed',
  properties: {
    job_id: message.field('MsgID'),
    sent: Number(message.field('SentCount') || 0),
    failed: Number(message.field('ErrorCount') || 0),
    total: Number(message.field('TotalCount') || 0),
    status: message.field('Status'),
  },
});
