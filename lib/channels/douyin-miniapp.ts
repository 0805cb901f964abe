import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import type { HttpRequest } from '../platform/http.ts';
import { type Account, channel, type Opened, type Place, type Reading } from './channel.ts';
import { digestOf } from './digest.ts';
import { isRecord } from './json.ts';
import { present } from './present.ts';
import { decodeWechat, type WechatMessage, wechatMessage } from './wechat-message.ts';
import {
  aesKey,
  checkSafeSignature,
  echoed,
  echoIn,
  openSafe,
  outerOf,
  type SafeMode,
  type Signed,
  safeTime,
  signedIn,
} from './wechat-safe.ts';

const settings = z.strictObject({
  appId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'the appid of the mini app, such as tt0123456789abcdef'),
  /** Within what a UnionID is unique: the developer subject. The brand's name unless set. */
  unionScope: z.string().min(1).max(128).optional(),
  secret: z.string().min(1),
});
type Settings = z.infer<typeof settings>;

const held = {
  token: z.string().min(1),
  encodingAesKey: aesKey,
};
const secret = z.object({ ...held, previous: z.object(held).optional() });
type Secret = z.infer<typeof secret>;

/** What users send to a mini app, by `MsgType`. */
const messages: ReadonlySet<string> = new Set(['text', 'image', 'voice', 'video', 'link']);

const modeOf = ({
  id,
  settings: { appId },
  secret: { previous, ...now },
}: Account<Settings, Secret>): SafeMode => {
  const live = [now, ...(previous ? [previous] : [])];
  return {
    name: `douyin-miniapp/${id}`,
    tokens: live.map(({ token }) => token),
    aesKeys: live.map(({ encodingAesKey }) => encodingAesKey),
    receiveIds: [appId],
    prefixBytes: 32, // WeChat has 16: its decryptor would read a length from the random bytes
  };
};

/**
 * Message push of a Douyin mini app (抖音小程序): WeChat's safe mode with a longer random prefix, and with signature, time
 * and nonce in the body beside the ciphertext.
 * Source: SKIT.FlurlHttpClient.ByteDance, TestCase_EventVerificationTests.
 */
export const douyinMiniapp = channel<Settings, Secret>({
  name: 'douyin-miniapp',
  settings,
  secret,
  maxBytes: 256 * 1024,

  handshake({ method, query }, account, now) {
    if (method !== 'GET') return undefined;
    checkSafeSignature(signedIn(query, 'signature'), modeOf(account));
    safeTime(query.timestamp, {}, now);
    return echoed(echoIn(query));
  },

  verify(request, account, now): Opened {
    const outer = wechatMessage(outerOf(request.body));
    const { text } = openSafe(outer.field('Encrypt'), signedBeside(outer, request), modeOf(account), now);
    return { text, envelope: { verified: 'signed' } };
  },

  decode: (text) => [decodeWechat(text)],
  read,
  reply: () => ({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'success' }),
});

/** Beside the ciphertext in the body, else in the query. All of it from one place: they were signed together. */
const signedBeside = (outer: WechatMessage, { query }: HttpRequest): Signed =>
  outer.field('MsgSignature')
    ? {
        signature: outer.field('MsgSignature'),
        timestamp: outer.field('TimeStamp'),
        nonce: outer.field('Nonce'),
      }
    : signedIn(query, 'msg_signature');

function read(fields: Json, _envelope: unknown, place: Place<Settings>): Reading {
  if (!isRecord(fields)) throw new FaultError('bad_shape', 'a message is an object of fields');
  const message = wechatMessage(fields);
  const kind = message.field('MsgType').toLowerCase();
  // Tickets and audits of a service platform come here too: they are about the brand's app, not about a customer.
  if (!messages.has(kind))
    return { drafts: [], ignored: message.field('Event') || kind || 'a message without MsgType' };
  const { appId, unionScope } = place.settings;
  const openId = message.field('FromUserName');
  const unionId = message.field('UnionId');
  const id = message.field('MsgId') || madeId(message, kind);
  return {
    drafts: [
      {
        type: 'message_received',
        key: [id],
        at: message.field('CreateTime'),
        identifiers: [
          ...(openId ? [{ kind: 'douyin_open_id', scope: appId, value: openId }] : []),
          ...(unionId ? [{ kind: 'douyin_union_id', scope: unionScope, value: unionId }] : []),
        ],
        properties: present({ message_id: id, message_type: kind }),
      },
    ],
  };
}

/** The id of a message that has none: who wrote what when; what was written is not kept. */
const madeId = (message: WechatMessage, kind: string): string =>
  digestOf([
    message.field('FromUserName'),
    message.field('CreateTime'),
    kind,
    message.field('Content') || message.field('PicUrl'),
  ]).slice(0, 22);
