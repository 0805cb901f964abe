import { z } from 'zod';
import type { Draft } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { RejectedError } from '../platform/errors.ts';
import type { HttpRequest } from '../platform/http.ts';
import { type Account, channel, keyed, type Opened, type Place, type Reading } from './channel.ts';
import { isRecord } from './json.ts';
import { sameSecret, signedTime, unauthentic } from './verify.ts';
import { wechatDecrypt, wechatSignature } from './wechat-crypto.ts';
import { decodeWechat, type WechatMessage, wechatMessage } from './wechat-message.ts';
import { oaEvents, oaMessages, oaSilent } from './wechat-oa-events.ts';

const settings = z.strictObject({
  appId: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'the appid of the official account, such as wx0123456789abcdef'),
  /** Within what a UnionID is unique: the open-platform account that the app is bound to. The brand's name unless set. */
  unionScope: z.string().min(1).max(128).optional(),
  secret: z.string().min(1),
  /** Accept messages in plain mode, whose signature does not cover the body; events say `sender_only`. */
  plain: z.boolean().default(false),
  /** Keep what customers write in text messages. Off: it may hold anything. */
  keepContent: z.boolean().default(false),
});
type Settings = z.infer<typeof settings>;

const aesKey = z.string().regex(/^[A-Za-z0-9+/]{43}$/, 'EncodingAESKey has 43 characters');

const secret = z.object({
  token: z.string().min(1),
  encodingAesKey: aesKey.optional(),
  /** What was valid before a rotation: kept as long as retries of older messages may come. */
  previous: z.object({ token: z.string().min(1).optional(), encodingAesKey: aesKey.optional() }).optional(),
});
type Secret = z.infer<typeof secret>;

type Oa = Account<Settings, Secret>;

const tokensOf = ({ secret: { token, previous } }: Oa) => [
  token,
  ...(previous?.token ? [previous.token] : []),
];
const aesKeysOf = ({ secret: { encodingAesKey, previous } }: Oa) =>
  [encodingAesKey, previous?.encodingAesKey].filter((key) => key !== undefined);

/**
 * A WeChat official account, safe mode (encrypted) unless the account says `plain`.
 * Source: developers.weixin.qq.com, message push (消息推送).
 */
export const wechatOa = channel<Settings, Secret>({
  name: 'wechat-oa',
  settings,
  secret,
  maxBytes: 256 * 1024,

  handshake(request, account, now) {
    if (request.method !== 'GET') return undefined;
    checkSignature(request, account, request.query.signature, []);
    signedTime(request.query.timestamp, now);
    const echo = (request.query.echostr ?? '').replaceAll(' ', '+'); // a "+" that was not escaped
    // Echoed as it came: only what can be no markup.
    if (!/^[0-9A-Za-z+/=_-]{1,256}$/.test(echo)) unauthentic('bad_echostr', 'echostr is not one of WeChat');
    return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: echo };
  },

  verify: (request, account, now) =>
    request.query.encrypt_type === 'aes' || request.query.msg_signature !== undefined
      ? verifySafe(request, account, now)
      : verifyPlain(request, account, now),

  decode: (text) => [decodeWechat(text)],
  read,
  reply: () => ({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'success' }),
});

function checkSignature(
  request: HttpRequest,
  account: Oa,
  signature: string | undefined,
  parts: readonly string[],
): void {
  const { timestamp = '', nonce = '' } = request.query;
  const holds = tokensOf(account).map((token) =>
    sameSecret(wechatSignature(token, timestamp, nonce, ...parts), signature ?? ''),
  );
  if (!holds.includes(true))
    unauthentic('bad_signature', `wechat-oa: signature does not match, ${account.id}`);
}

function verifySafe(request: HttpRequest, account: Oa, now: number): Opened {
  const sealed = wechatMessage(outer(request.body.toString('utf8'))).field('Encrypt');
  checkSignature(request, account, request.query.msg_signature, [sealed]);
  signedTime(request.query.timestamp, now);
  for (const key of aesKeysOf(account)) {
    const plain = wechatDecrypt(key, sealed);
    if (!plain) continue;
    if (!sameSecret(plain.receiveId, account.settings.appId))
      unauthentic('receive_id_mismatch', `wechat-oa: the message is for another app, ${account.id}`);
    return { text: plain.message, envelope: { verified: 'signed' } };
  }
  return unauthentic(
    'bad_ciphertext',
    `wechat-oa: the message does not decrypt, ${account.id}: is EncodingAESKey right?`,
  );
}

function verifyPlain(request: HttpRequest, account: Oa, now: number): Opened {
  if (!account.settings.plain)
    unauthentic('plain_not_allowed', `wechat-oa: ${account.id} takes messages in safe mode only`);
  checkSignature(request, account, request.query.signature, []);
  signedTime(request.query.timestamp, now);
  return {
    text: request.body.toString('utf8'),
    envelope: { verified: 'sender_only' },
    nonce: `${request.query.timestamp}:${request.query.nonce}`,
  };
}

/** The envelope of a ciphertext, before anything is known to be authentic. @throws RejectedError */
function outer(body: string): { [name: string]: Json } {
  try {
    return decodeWechat(body);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    throw new RejectedError(/DOCTYPE/.test(error.message) ? 'doctype_forbidden' : 'bad_body', error.message);
  }
}

function read(fields: Json, _envelope: unknown, place: Place<Settings>): Reading {
  if (!isRecord(fields)) throw new FaultError('bad_shape', 'a message is an object of fields');
  const message = wechatMessage(fields);
  const kind = message.field('MsgType').toLowerCase();
  const name = message.field('Event');
  if (kind === 'event') return readEvent(message, name, place);
  if (!oaMessages.has(kind)) return { drafts: [], ignored: kind || 'a message without MsgType' };
  const properties: Record<string, Json> = { message_id: message.field('MsgId'), message_type: kind };
  if (place.settings.keepContent && kind === 'text') properties.content = message.field('Content');
  return { drafts: [draft('message_received', [message.field('MsgId')], message, place, properties)] };
}

function readEvent(message: WechatMessage, name: string, place: Place<Settings>): Reading {
  const key = name.toLowerCase();
  if (key === 'masssendjobfinish') return { drafts: [], notices: [broadcast(message)] };
  const entry = Object.hasOwn(oaEvents, key) ? oaEvents[key] : undefined;
  if (!entry)
    return { drafts: [], ...(oaSilent.has(key) ? {} : { ignored: name || 'an event without a name' }) };
  const parts = entry.id
    ? [name, message.field(entry.id)]
    : [message.field('FromUserName'), message.field('CreateTime'), name, message.field('EventKey')];
  const meanings = entry.means(message, place.settings.appId);
  if (meanings.length === 0) return { drafts: [], ignored: name };
  return {
    drafts: meanings.map(({ type, properties }, index) => {
      // A sent message has an id of its own; two reports of one second are told apart by it alone.
      const own =
        key === 'subscribe_msg_sent_event' ? [name, String(properties.message_id ?? '')] : undefined;
      return draft(type, own ?? keyed(parts, index), message, place, properties);
    }),
  };
}

function draft(
  type: string,
  key: readonly string[],
  message: WechatMessage,
  { settings: { appId, unionScope } }: Place<Settings>,
  properties: Record<string, Json>,
): Draft {
  const openId = message.field('OpenID') || message.field('FromUserName');
  const unionId = message.field('UnionId');
  return {
    type,
    key,
    at: message.field('CreateTime'),
    identifiers: [
      ...(openId ? [{ kind: 'wechat_openid', scope: appId, value: openId }] : []),
      ...(unionId ? [{ kind: 'wechat_unionid', scope: unionScope, value: unionId }] : []),
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
