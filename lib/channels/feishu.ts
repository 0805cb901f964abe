import { createDecipheriv, createHash } from 'node:crypto';
import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { type HttpReply, type HttpRequest, json } from '../platform/http.ts';
import { type Account, channel, keyed, type Place, type Reading } from './channel.ts';
import { type Fields, fieldsOf, textOf } from './context.ts';
import { feishuEvents, feishuGroups } from './feishu-events.ts';
import { isRecord, readJson, recordIn } from './json.ts';
import { sameSecret, signedTime, unauthentic } from './verify.ts';

const settings = z.strictObject({
  appId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'the App ID, such as cli_a1b2c3d4e5f6g7h8'),
  /** For an app of the store, which hears of every company that installed it: the one whose events these are. */
  tenantKey: z.string().min(1).max(64).optional(),
  secret: z.string().min(1),
  /** Keep what customers write in text messages. Off: it may hold anything. */
  keepContent: z.boolean().default(false),
});
type Settings = z.infer<typeof settings>;

const secret = z.object({
  encryptKey: z.string().min(1),
  verificationToken: z.string().min(1),
  /** What was valid before a rotation: kept as long as retries of older messages may come. */
  previous: z
    .object({ encryptKey: z.string().min(1).optional(), verificationToken: z.string().min(1).optional() })
    .optional(),
});
type Secret = z.infer<typeof secret>;

type Feishu = Account<Settings, Secret>;

const live = (...held: readonly (string | undefined)[]) => held.filter((it) => it !== undefined);
const keysOf = ({ secret: { encryptKey, previous } }: Feishu) => live(encryptKey, previous?.encryptKey);
const tokensOf = ({ secret: { verificationToken, previous } }: Feishu) =>
  live(verificationToken, previous?.verificationToken);

/**
 * Feishu and Lark: what people write to an app's bot and in its groups, encrypted (an Encrypt Key is required).
 * Source: open.feishu.cn, 事件订阅.
 */
export const feishu = channel<Settings, Secret>({
  name: 'feishu',
  settings,
  secret,
  maxBytes: 256 * 1024,

  /** The one message that is not signed: it tries the address, and its token says who it is from. */
  handshake(request, account) {
    if (request.method !== 'POST' || request.headers['x-lark-signature'] !== undefined) return undefined;
    const outer = outerOf(request.body);
    const [text] = keysOf(account).flatMap((key) => feishuDecrypt(key, textOf(outer, 'encrypt') ?? '') ?? []);
    const message = text === undefined ? outer : recordIn(text);
    if (message?.type !== 'url_verification')
      unauthentic('bad_signature', `feishu/${account.id}: an event has to be signed`);
    checkToken(textOf(message, 'token'), account);
    return challenged(message);
  },

  verify(request, account, now) {
    // Each key is tried, whichever holds. The signature covers the key, so the one that signed is the one that sealed.
    const [key] = keysOf(account).filter((held) => isSigned(request, held));
    if (key === undefined) unauthentic('bad_signature', `feishu/${account.id}: the signature does not match`);
    signedTime(request.headers['x-lark-request-timestamp'], now);
    const sealed = textOf(outerOf(request.body), 'encrypt');
    if (sealed === undefined)
      unauthentic('plain_not_allowed', `feishu/${account.id} takes encrypted messages only`);
    const text = feishuDecrypt(key, sealed);
    if (text === undefined)
      unauthentic('bad_ciphertext', `feishu/${account.id}: the message does not decrypt`);
    const message = recordIn(text); // what is authentic and broken is kept as a fault, where it is read
    if (message) checkReceiver(message, account);
    const envelope = { verified: 'signed' } as const;
    return message?.type === 'url_verification'
      ? { text, envelope, reply: challenged(message) }
      : { text, envelope };
  },

  decode: (text) => [readJson(text)],
  read,
});

/** Over the raw bytes: what is parsed and written again has another signature. */
function isSigned({ headers, body }: HttpRequest, encryptKey: string): boolean {
  const { 'x-lark-request-timestamp': timestamp = '', 'x-lark-request-nonce': nonce = '' } = headers;
  const digest = createHash('sha256').update(`${timestamp}${nonce}${encryptKey}`).update(body).digest('hex');
  return sameSecret(digest, headers['x-lark-signature'] ?? '');
}

/** AES-256-CBC under the digest of the Encrypt Key; the first block is the vector. `undefined` where it does not open. */
export function feishuDecrypt(encryptKey: string, ciphertext: string): string | undefined {
  const bytes = Buffer.from(ciphertext, 'base64');
  if (bytes.length < 32 || bytes.length % 16 !== 0) return undefined;
  const key = createHash('sha256').update(encryptKey).digest();
  const decipher = createDecipheriv('aes-256-cbc', key, bytes.subarray(0, 16));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()]).toString('utf8');
  } catch {
    return undefined; // the padding is wrong: another key
  }
}

/** The envelope of a ciphertext, before anything of it is trusted. @throws RejectedError 401 `bad_json` */
const outerOf = (body: Buffer): Fields =>
  recordIn(body.toString('utf8')) ?? unauthentic('bad_json', 'feishu: the body is no JSON object');

/** @throws RejectedError 401 `bad_verification_token` */
function checkToken(said: string | undefined, account: Feishu): void {
  const holds = tokensOf(account).map((token) => sameSecret(token, said ?? ''));
  if (!holds.includes(true))
    unauthentic('bad_verification_token', `feishu/${account.id}: another verification token`);
}

/** Version 2 says it in a header, version 1 beside the event. @throws RejectedError 401 `bad_verification_token`, `unknown_app` */
function checkReceiver(message: Fields, account: Feishu): void {
  const header = fieldsOf(message, 'header');
  const token = textOf(header, 'token') ?? textOf(message, 'token');
  if (token !== undefined || message.type === 'url_verification') checkToken(token, account);
  const app = textOf(header, 'app_id') ?? textOf(fieldsOf(message, 'event'), 'app_id');
  if (app !== undefined && !sameSecret(app, account.settings.appId))
    unauthentic('unknown_app', `feishu/${account.id}: the message is for another app`);
}

/** It is reflected, so only what can be no markup. @throws RejectedError 401 */
function challenged(message: Fields): HttpReply {
  const challenge = textOf(message, 'challenge') ?? '';
  if (!/^[0-9A-Za-z+/=_.:-]{1,256}$/.test(challenge))
    unauthentic('bad_challenge', 'the challenge is not one that Feishu makes');
  return json(200, { challenge });
}

function read(message: Json, _envelope: unknown, { settings: own }: Place<Settings>): Reading {
  if (!isRecord(message)) throw new FaultError('bad_shape', 'a message is an object');
  if (message.type === 'url_verification') return { drafts: [] };
  const header = fieldsOf(message, 'header');
  const name = textOf(header, 'event_type');
  const event = fieldsOf(message, 'event');
  if (message.type === 'event_callback')
    return { drafts: [], ignored: `version 1: ${textOf(event, 'type') ?? 'event'}` };
  const id = textOf(header, 'event_id');
  if (name === undefined || id === undefined)
    throw new FaultError('bad_shape', 'a message needs "header" with "event_type" and "event_id"');
  const tenant = textOf(header, 'tenant_key');
  if (own.tenantKey !== undefined && tenant !== own.tenantKey)
    return { drafts: [], ignored: 'of another tenant' };
  const change = Object.hasOwn(feishuGroups, name) ? feishuGroups[name] : undefined;
  if (change) {
    const group = textOf(event, 'chat_id') ?? '';
    return { drafts: [], notices: [{ type: 'group_updated', properties: { group_id: group, change } }] };
  }
  const entry = Object.hasOwn(feishuEvents, name) ? feishuEvents[name] : undefined;
  const meanings = entry?.means(event, tenant, own.keepContent) ?? [];
  if (meanings.length === 0) return { drafts: [], ignored: name };
  return {
    drafts: meanings.map(({ type, who, at, properties }, index) => {
      const openId = textOf(who, 'open_id');
      return {
        type,
        key: keyed([id], index), // a retry, and a replay within the window, has the same
        at: at ?? textOf(header, 'create_time'),
        identifiers:
          openId === undefined ? [] : [{ kind: 'feishu_open_id', scope: own.appId, value: openId }],
        properties,
      };
    }),
  };
}
