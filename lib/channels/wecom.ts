import { z } from 'zod';
import type { Draft } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { type Account, channel, type Notice, type Place, type Reading } from './channel.ts';
import { fieldsOf } from './context.ts';
import { isRecord } from './json.ts';
import { listOf } from './list.ts';
import { decodeWechat, type WechatMessage, wechatMessage } from './wechat-message.ts';
import { aesKey, echoed, echoIn, openSafe, type SafeMode, sealedIn, signedIn } from './wechat-safe.ts';
import { groupMembers, type WecomMeaning, wecomEvents } from './wecom-events.ts';

const vendorId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'an id of WeCom, such as ww0123456789abcdef');

const settings = z.strictObject({
  /** The corp whose customers these are. */
  corpId: vendorId,
  /** A provider's suite (第三方应用): its events say `success` and its ids are ciphertext of their own. */
  suiteId: vendorId.optional(),
  secret: z.string().min(1),
  /** A third-party app of a personal subject, whose messages name no receiver. */
  personal: z.boolean().default(false),
});
type Settings = z.infer<typeof settings>;

const secret = z.object({
  token: z.string().min(1),
  encodingAesKey: aesKey,
  /** What was valid before a rotation: kept as long as retries of older messages may come. */
  previous: z.object({ token: z.string().min(1).optional(), encodingAesKey: aesKey.optional() }).optional(),
});
type Secret = z.infer<typeof secret>;

const live = (...held: readonly (string | undefined)[]) => held.filter((it) => it !== undefined);

const modeOf = ({ id, settings: own, secret: held }: Account<Settings, Secret>): SafeMode => ({
  name: `wecom/${id}`,
  tokens: live(held.token, held.previous?.token),
  aesKeys: live(held.encodingAesKey, held.previous?.encodingAesKey),
  receiveIds: live(own.corpId, own.suiteId, own.personal ? '' : undefined),
});

/**
 * WeCom (企业微信): external contacts, customer groups, corp tags, acquisition links and customer service, for a
 * self-built app or a provider's suite. Source: developer.work.weixin.qq.com, 回调通知.
 */
export const wecom = channel<Settings, Secret>({
  name: 'wecom',
  settings,
  secret,
  maxBytes: 256 * 1024,

  /** The echo is a ciphertext as messages are; the answer is what is inside. */
  handshake(request, account, now) {
    if (request.method !== 'GET') return undefined;
    return echoed(
      openSafe(echoIn(request.query), signedIn(request.query, 'msg_signature'), modeOf(account), now).text,
    );
  },

  verify({ query, body }, account, now) {
    const signed = signedIn(query, 'msg_signature');
    const { text, receiveId } = openSafe(sealedIn(body), signed, modeOf(account), now);
    const isSuite = account.settings.suiteId !== undefined && receiveId === account.settings.suiteId;
    return { text, envelope: { verified: 'signed' }, reply: isSuite ? SUCCESS : { status: 200 } };
  },

  decode: (text) => [decodeWechat(text)],
  read,
});

const SUCCESS = { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'success' };

function read(fields: Json, _envelope: unknown, place: Place<Settings>): Reading {
  if (!isRecord(fields)) throw new FaultError('bad_shape', 'a message is an object of fields');
  const message = wechatMessage(fields);
  const name = nameOf(message);
  // A suite's URL hears of every corp that installed it: another's customers are not this brand's.
  const corp = message.field('AuthCorpId');
  if (corp !== '' && corp !== place.settings.corpId) return { drafts: [], ignored: 'of another corp' };
  const entry = Object.hasOwn(wecomEvents, name) ? wecomEvents[name] : undefined;
  if (!entry) return { drafts: [], ignored: name };
  const meaning = entry(message);
  if (meaning.of === 'brand') return { drafts: [], notices: [noticeOf(meaning)] };
  if (meaning.of === 'members')
    return readMembers(meaning, listOf(fieldsOf(fields, 'MemChangeList'), 'Item'), message, place);
  const external = message.field('ExternalUserID');
  return { drafts: [draft(meaning, keyOf(message), external, message, place)] };
}

/** Messages that members of the staff write to an app are no events: their name is their MsgType. */
function nameOf(message: WechatMessage): string {
  const event =
    message.field('InfoType') || (message.field('MsgType') === 'event' ? message.field('Event') : '');
  if (event === '') return message.field('MsgType') || 'a message without a name';
  return [event, message.field('ChangeType'), message.field('UpdateDetail')]
    .filter((part) => part !== '')
    .join('/');
}

const timeOf = (message: WechatMessage) => message.field('CreateTime') || message.field('TimeStamp');

/**
 * What tells a message from others: the sender of all of them is `sys`, and several may fall into one second. A retry
 * is sealed anew and has the same; so has a replay, which is then stored once.
 */
function keyOf(message: WechatMessage): readonly string[] {
  const time = timeOf(message);
  const names = ['ChangeType', 'UserID', 'ExternalUserID', 'ChatId', 'UpdateDetail'];
  const parts = names.map((name) => message.field(name));
  return message.field('InfoType') === ''
    ? [message.field('Event'), ...parts, time]
    : [message.field('InfoType'), ...parts.filter((part) => part !== ''), time];
}

/** One event for each customer in the list; two changes of one second differ in the version of the members. */
function readMembers(
  meaning: WecomMeaning,
  ids: readonly Json[],
  message: WechatMessage,
  place: Place<Settings>,
): Reading {
  // Before MemChangeList there was a count only: that the group changed is all that is known.
  if (ids.length === 0) return { drafts: [], notices: [membersChanged(message)] };
  const { customers, unclear } = groupMembers(ids);
  const key = [...keyOf(message), message.field('CurMemVer')];
  const drafts = customers.map((id) => draft(meaning, [...key, id], id, message, place));
  const others = unclear > 0 ? 'customer or staff (wo)' : drafts.length === 0 ? 'staff alone' : undefined;
  return others === undefined
    ? { drafts }
    : { drafts, ignored: `${message.field('UpdateDetail')}: ${others}` };
}

const membersChanged = (message: WechatMessage): Notice => ({
  type: 'group_updated',
  properties: {
    group_id: message.field('ChatId'),
    change: message.field('UpdateDetail') === 'add_member' ? 'members_added' : 'members_removed',
    count: message.field('MemChangeCnt'),
  },
});

function draft(
  { type, properties }: WecomMeaning,
  key: readonly string[],
  external: string,
  message: WechatMessage,
  { settings: { corpId, suiteId } }: Place<Settings>,
): Draft {
  const scope = suiteId === undefined ? corpId : `${corpId}@${suiteId}`;
  return {
    type,
    key,
    at: timeOf(message),
    identifiers: external === '' ? [] : [{ kind: 'wecom_external_userid', scope, value: external }],
    properties,
  };
}

const noticeOf = ({ type, properties }: WecomMeaning): Notice => ({
  type,
  properties: Object.fromEntries(
    Object.entries(properties).flatMap(([name, value]) =>
      typeof value === 'boolean' ? [] : [[name, value]],
    ),
  ),
});
