import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { instantOf } from '../events/time.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpReply, type HttpRequest, json } from '../platform/http.ts';
import { type Account, channel, type Envelope, type Opened, type Place, type Reading } from './channel.ts';
import { fieldsOf, textOf } from './context.ts';
import { isRecord, readJson, recordIn } from './json.ts';
import { sameSecret, signedTime, unauthentic } from './verify.ts';
import { legacySignature, openAead, openLegacy, rsaHolds, signedLines } from './wechat-pay-crypto.ts';
import { legacyPaid, legacyRefund, payEvents } from './wechat-pay-events.ts';
import { readXml } from './xml.ts';

type Fields = Record<string, Json>;

const settings = z.strictObject({
  /** The merchant whose notifications are taken: the direct one, or the one below a service provider, or that provider. */
  mchId: z.string().regex(/^\d{6,32}$/, 'the number of the merchant, such as 1900009231'),
  /** The apps in which customers pay. Any unless set: only the merchant is checked then. */
  appIds: z
    .array(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/))
    .min(1)
    .optional(),
  secret: z.string().min(1),
  /** Accept refunds of v2, which are encrypted and not signed; events say `sender_only`. */
  legacyRefunds: z.boolean().default(false),
});
type Settings = z.infer<typeof settings>;

const apiV3Key = z.string().regex(/^[\x21-\x7e]{32}$/, 'the APIv3 key has 32 ASCII characters');

const publicKey = z.string().refine(
  (pem) => {
    try {
      return /^-----BEGIN (CERTIFICATE|PUBLIC KEY)-----/.test(pem) && isRsa(pem);
    } catch {
      return false;
    }
  },
  { error: 'a certificate or an RSA public key, as PEM' },
);

const isRsa = (pem: string) => createPublicKey(pem).asymmetricKeyType === 'rsa';

const secret = z
  .object({
    apiV3Key: apiV3Key.optional(),
    /** What v3 signs with, by serial of the platform certificate or PUB_KEY_ID_…; several while WeChat changes over. */
    publicKeys: z.record(z.string().min(1), publicKey).default({}),
    /** The API key of v2 (API 密钥), where notifications of v2 still come. */
    apiKey: z.string().min(1).optional(),
    /** What was valid before a rotation. */
    previous: z.object({ apiV3Key: apiV3Key.optional(), apiKey: z.string().min(1).optional() }).optional(),
  })
  .refine(
    (it) => it.apiKey !== undefined || (it.apiV3Key !== undefined && Object.keys(it.publicKeys).length > 0),
    {
      error: 'apiV3Key with publicKeys for v3, or apiKey for v2',
    },
  );
type Secret = z.infer<typeof secret>;

type Pay = Account<Settings, Secret>;

const live = ({ secret: { previous, ...current } }: Pay, name: 'apiV3Key' | 'apiKey') =>
  [current[name], previous?.[name]].filter((it) => it !== undefined);

const ACCEPTED: HttpReply = { status: 204 };
const LEGACY_ACCEPTED: HttpReply = {
  status: 200,
  headers: { 'content-type': 'text/xml; charset=utf-8' },
  body: '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>',
};

/**
 * WeChat Pay: notifications of v3 (JSON, signed and sealed), and of v2 (XML) where its key is held.
 *
 * WeChat's probes carry a false signature that begins with `WECHATPAY/SIGNTEST/`. They fail like any other forgery,
 * which is what they test.
 *
 * Source: pay.weixin.qq.com, wechatpay-go `core/notify`, wechatpay-java.
 */
export const wechatPay = channel<Settings, Secret>({
  name: 'wechat-pay',
  settings,
  secret,
  maxBytes: 256 * 1024,
  // Which of the two it is decides only what has to hold: each has a secret of its own.
  verify: (request, account, now) =>
    request.body.toString('utf8', 0, 64).trimStart().startsWith('<')
      ? verifyLegacy(request, account)
      : verifyV3(request, account, now),
  decode: (text) => [text.trimStart().startsWith('<') ? { legacy: readXml(text) } : opened(text)],
  read,
  refuse: ({ status }) => json(status, { code: 'FAIL', message: 'not accepted' }),
});

function verifyV3({ headers, body }: HttpRequest, account: Pay, now: number): Opened {
  const timestamp = headers['wechatpay-timestamp'] ?? '';
  const serial = headers['wechatpay-serial'] ?? '';
  const { publicKeys } = account.secret;
  const key = Object.hasOwn(publicKeys, serial) ? publicKeys[serial] : undefined;
  // Never looked up from here: a request must not make us ask WeChat for certificates.
  if (key === undefined) unauthentic('unknown_serial', `wechat-pay: no key of this serial, ${account.id}`);
  const signed = signedLines(timestamp, headers['wechatpay-nonce'] ?? '', body);
  if (!rsaHolds(key, signed, headers['wechatpay-signature'] ?? ''))
    unauthentic('bad_signature', `wechat-pay: signature does not match, ${account.id}`);
  const sentAt = signedTime(timestamp, now);
  const text = unsealed(body, account);
  return { text, envelope: { verified: 'signed', sentAt }, reply: ACCEPTED };
}

/**
 * The notification with what was sealed in it, as text: `{ create_time, event_type, resource }`. What does not open
 * is refused, so that WeChat sends it again when the key is right.
 */
function unsealed(body: Buffer, account: Pay): string {
  const notice = jsonOf(body.toString('utf8'), account);
  const resource = fieldsOf(notice, 'resource');
  const part = (name: string) => textOf(resource, name) ?? '';
  const plain = live(account, 'apiV3Key')
    .map((key) => openAead(key, part('nonce'), part('associated_data'), part('ciphertext')))
    .find((text) => text !== undefined);
  if (part('algorithm') !== 'AEAD_AES_256_GCM' || plain === undefined)
    unauthentic('aead_tag_mismatch', `wechat-pay: does not open, ${account.id}: is the APIv3 key right?`);
  checkReceiver(jsonOf(plain, account), account, { merchants: MERCHANTS, apps: APPS });
  const { create_time, event_type } = notice;
  return JSON.stringify({ create_time, event_type, resource: plain });
}

const jsonOf = (text: string, { id }: Pay): Fields =>
  recordIn(text) ?? unauthentic('bad_json', `wechat-pay: what was signed is no JSON object, ${id}`);

const MERCHANTS = ['mchid', 'sp_mchid', 'sub_mchid', 'combine_mchid'];
const APPS = ['appid', 'sp_appid', 'sub_appid', 'combine_appid'];
const LEGACY = { merchants: ['mch_id', 'sub_mch_id'], apps: ['appid', 'sub_appid'] };

/** Of the merchants and apps that a notification names, one has to be ours. @throws RejectedError 401 */
function checkReceiver(
  fields: Fields,
  { id, settings: { mchId, appIds } }: Pay,
  names: { readonly merchants: readonly string[]; readonly apps: readonly string[] },
): void {
  const named = (all: readonly string[]) => all.flatMap((name) => textOf(fields, name) ?? []);
  const merchants = named(names.merchants);
  if (merchants.length > 0 && !merchants.includes(mchId))
    unauthentic('shop_mismatch', `wechat-pay: for another merchant, ${id}`);
  const apps = named(names.apps);
  if (appIds && apps.length > 0 && !apps.some((app) => appIds.includes(app)))
    unauthentic('unknown_app', `wechat-pay: paid in an app that is not of ${id}`);
}

/** v2 signs no time: what is replayed has the key of what it tells, and is stored once. */
function verifyLegacy({ body }: HttpRequest, account: Pay): Opened {
  const text = body.toString('utf8');
  const fields = flatXml(text);
  const { req_info: sealed, sign = '' } = fields;
  if (sealed !== undefined && sign === '') return openRefund(sealed, fields, account);
  const algorithm = sign.length === 64 ? 'HMAC-SHA256' : 'MD5';
  const holds = live(account, 'apiKey').map((key) =>
    sameSecret(legacySignature(fields, key, algorithm), sign),
  );
  if (!holds.includes(true))
    unauthentic('bad_signature', `wechat-pay: signature of v2 does not match, ${account.id}`);
  checkReceiver(fields, account, LEGACY);
  return { text, envelope: { verified: 'signed' }, reply: LEGACY_ACCEPTED };
}

/** What is beside the seal is not even encrypted: it can only speak against the notification. */
function openRefund(sealed: string, beside: Fields, account: Pay): Opened {
  if (!account.settings.legacyRefunds)
    unauthentic('plain_not_allowed', `wechat-pay: ${account.id} takes no refunds of v2, which nobody signs`);
  const text = live(account, 'apiKey')
    .map((key) => openLegacy(key, sealed))
    .find((plain) => plain !== undefined && isXml(plain));
  if (text === undefined)
    return unauthentic('bad_ciphertext', `wechat-pay: does not open, ${account.id}: is the API key right?`);
  checkReceiver(beside, account, LEGACY);
  return { text, envelope: { verified: 'sender_only' }, reply: LEGACY_ACCEPTED };
}

/** The wrong key gives garbage, which nothing else would tell from a message. */
function isXml(text: string): boolean {
  try {
    return isRecord(readXml(text));
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return false;
  }
}

/** v2's fields, before anything is known to be authentic. @throws RejectedError 400 */
function flatXml(text: string): Record<string, string> {
  try {
    return z.record(z.string(), z.string()).parse(readXml(text));
  } catch (error) {
    if (!(error instanceof FaultError || error instanceof z.ZodError)) throw error;
    const reason = /DOCTYPE/.test(error.message) ? 'doctype_forbidden' : 'bad_body';
    throw new RejectedError(reason, 'a notification of v2 is one XML element with fields');
  }
}

function opened(text: string): Fields {
  const notice = readJson(text);
  const resource = isRecord(notice) ? readJson(textOf(notice, 'resource') ?? '') : undefined;
  if (!isRecord(notice) || !isRecord(resource))
    throw new FaultError('bad_shape', 'a notification has a resource, an object');
  const part = (name: string) => textOf(notice, name) ?? null;
  return { create_time: part('create_time'), event_type: part('event_type'), resource };
}

function read(message: Json, _envelope: Envelope, { settings: { mchId } }: Place<Settings>): Reading {
  if (!isRecord(message)) throw new FaultError('bad_shape', 'a notification is an object');
  const scope = `wechat-pay:${mchId}`;
  if (Object.hasOwn(message, 'legacy')) return readLegacy(fieldsOf(message, 'legacy'), scope);
  const name = textOf(message, 'event_type') ?? '';
  const means = Object.hasOwn(payEvents, name) ? payEvents[name] : undefined;
  if (!means) return { drafts: [], ignored: name || 'a notification without event_type' };
  const about = instantOf(textOf(message, 'create_time') ?? '');
  return { drafts: means(fieldsOf(message, 'resource'), { name, scope, about }) };
}

function readLegacy(fields: Fields, scope: string): Reading {
  const isRefund = Object.hasOwn(fields, 'refund_status');
  const draft = isRefund ? legacyRefund(fields, scope) : legacyPaid(fields, scope);
  return draft ? { drafts: [draft] } : { drafts: [], ignored: isRefund ? 'v2 refund' : 'v2 payment' };
}
