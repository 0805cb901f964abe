import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { type HttpRequest, json } from '../platform/http.ts';
import { type Account, channel, type Opened, type Place, type Reading } from './channel.ts';
import { textOf } from './context.ts';
import { digestOf, digestOfText } from './digest.ts';
import { isRecord, readJson, recordIn } from './json.ts';
import { sameSecret, unauthentic } from './verify.ts';
import { type YouzanPush, type YouzanSettings, youzanReading } from './youzan-events.ts';

const settings = z.strictObject({
  clientId: z.string().min(1).max(64),
  /** The shop (店铺 ID); for a chain that of its head shop: within it the ids of customers are unique. */
  kdtId: z.string().regex(/^\d{1,20}$/, 'the number of the shop, as text'),
  /** The WeChat app of the shop: then the WeChat id of a buyer is known by it. */
  appId: z.string().min(1).max(64).optional(),
  secret: z.string().min(1),
  /** Take pushes without `Event-Sign`, whose old signature covers `msg` only; their events say `sender_only`. */
  legacy: z.boolean().default(true),
});
type Settings = z.infer<typeof settings>;

const held = z.object({ clientSecret: z.string().min(1) });
/** The client secret, and the one before it while both are live. */
const secret = held.extend({ previous: held.optional() });
type Secret = z.infer<typeof secret>;

type Shop = Account<Settings, Secret>;

/**
 * A Youzan (有赞) shop.
 *
 * `Event-Sign` covers the whole body and, where it is there, decides alone. The old `sign` in the body covers `msg`
 * only: then nothing beside it is believed, but that a type which fits `msg` is what it stands for. Neither covers a
 * time: that a push which comes again has the same key is what protects against repetition.
 * Source: doc.youzanyun.com, message push, and open-source SDKs that agree; not tried with a live account.
 */
export const youzan = channel<Settings, Secret>({
  name: 'youzan',
  settings,
  secret,
  maxBytes: 256 * 1024,
  verify,
  decode: (text) => [readJson(text)],
  read,
  // Youzan looks for the word in the body.
  reply: () => json(200, { code: 0, msg: 'success' }),
});

const md5 = (...parts: readonly (string | Buffer)[]): string => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

function isSigned(
  content: string | Buffer,
  sent: string,
  { secret: keys, settings: { clientId } }: Shop,
): boolean {
  const secrets = [keys.clientSecret, ...(keys.previous ? [keys.previous.clientSecret] : [])];
  const holds = secrets.map((key) => sameSecret(md5(clientId, content, key), sent.toLowerCase()));
  return holds.includes(true);
}

function verify(request: HttpRequest, account: Shop): Opened {
  const sign = request.headers['event-sign'];
  const text = request.body.toString('utf8');
  if (sign === undefined) return verifyLegacy(text, account);
  if (!isSigned(request.body, sign, account))
    unauthentic('bad_signature', `youzan: signature does not match, ${account.id}`);
  const body = pushIn(text);
  checkReceiver(body, request.headers['client-id'], account);
  const type = request.headers['event-type'];
  if (type !== undefined && textOf(body, 'type') !== undefined && type !== textOf(body, 'type'))
    unauthentic('event_type_mismatch', 'youzan: Event-Type is not the type that the body says');
  return { text, envelope: { verified: 'signed' } };
}

function verifyLegacy(text: string, account: Shop): Opened {
  const body = pushIn(text);
  const { msg } = body;
  if (
    !account.settings.legacy ||
    typeof msg !== 'string' ||
    !isSigned(msg, textOf(body, 'sign') ?? '', account)
  )
    unauthentic('bad_signature', `youzan: signature does not match, ${account.id}`);
  checkReceiver(body, undefined, account);
  return { text, envelope: { verified: 'sender_only' } };
}

/** @throws RejectedError for what is no push at all */
const pushIn = (text: string): Record<string, Json> =>
  recordIn(text) ?? unauthentic('bad_json', 'youzan: a push is a JSON object');

/** One client secret signs for every shop of the app. */
function checkReceiver(
  body: Record<string, Json>,
  header: string | undefined,
  { id, settings: own }: Shop,
): void {
  const clients = [header, textOf(body, 'client_id')].filter((client) => client !== undefined);
  if (clients.some((client) => client !== own.clientId))
    unauthentic('unknown_app', `youzan: a push for another app came to ${id}`);
  const shops = [textOf(body, 'kdt_id'), textOf(body, 'root_kdt_id'), textOf(body, 'head_kdt_id')].filter(
    (shop) => shop !== undefined,
  );
  if (shops.length > 0 && !shops.includes(own.kdtId))
    unauthentic('shop_mismatch', `youzan: a push of another shop came to ${id}`);
}

function read(body: Json, { verified }: { verified: string }, place: Place<Settings>): Reading {
  if (!isRecord(body)) throw new FaultError('bad_shape', 'a push is a JSON object');
  // Youzan tries now and then whether the address answers.
  if (body.test === true || body.test === 'true') return { drafts: [], ignored: 'test' };
  const isWhole = verified === 'signed';
  const push: YouzanPush = {
    type: textOf(body, 'type') ?? '',
    msg: messageIn(body.msg),
    beside: isWhole ? body : {},
    isTypeSigned: isWhole,
    key: isWhole ? keyOf(body) : ['msg', digestOfMsg(body.msg)],
  };
  return youzanReading(push, place satisfies Place<YouzanSettings>);
}

/** Its own id; for pushes that have none, what they say of what: a retry counts `sendCount` up and nothing else. */
function keyOf(body: Record<string, Json>): readonly string[] {
  const own = textOf(body, 'msg_id');
  return own
    ? [own]
    : [...['type', 'id', 'version'].map((name) => textOf(body, name) ?? ''), digestOfMsg(body.msg)];
}

const digestOfMsg = (msg: Json | undefined): string =>
  typeof msg === 'string' ? digestOfText(msg) : digestOf(msg ?? null);

/** `msg` is JSON in a URL's encoding, blanks as `+`; newer pushes have the object itself, and some have none. */
function messageIn(msg: Json | undefined): Record<string, Json> {
  if (msg === undefined || msg === null || msg === '') return {};
  const value = typeof msg === 'string' ? readJson(decoded(msg)) : msg;
  if (!isRecord(value)) throw new FaultError('bad_shape', 'msg is not one JSON object');
  return value;
}

function decoded(msg: string): string {
  if (/^\s*\{/.test(msg)) return msg;
  try {
    return decodeURIComponent(msg.replaceAll('+', ' '));
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw new FaultError('undecodable', 'msg is no URL-encoded UTF-8');
  }
}
