import { z } from 'zod';
import type { Draft } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { type Account, channel, type Notice, type Place, type Reading } from './channel.ts';
import { fieldsOf } from './context.ts';
import type { Hint } from './hint.ts';
import { isRecord, readJson } from './json.ts';
import { listOf } from './list.ts';
import { vendorUrl } from './vendor-call.ts';
import { decodeWechat, type WechatMessage, wechatMessage } from './wechat-message.ts';
import { aesKey, echoed, echoIn, openSafe, type SafeMode, sealedIn, signedIn } from './wechat-safe.ts';
import { groupMembers, type WecomMeaning, wecomEvents } from './wecom-events.ts';
import { externalUser, MESSAGES, readContactChange, readServiceMessage } from './wecom-fetched.ts';
import { CONTACT } from './wecom-note.ts';

const vendorId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'an id of WeCom, such as ww0123456789abcdef');

const settings = z
  .strictObject({
    /** The corp whose customers these are. */
    corpId: vendorId,
    /** A provider's suite (第三方应用): its events say `success` and its ids are ciphertext of their own. */
    suiteId: vendorId.optional(),
    secret: z.string().min(1),
    /** A third-party app of a personal subject, whose messages name no receiver. */
    personal: z.boolean().default(false),
    /** What a push only announces and WeCom is asked for: contacts that changed, messages of customer service. */
    fetch: z.array(z.enum(['contacts', 'messages'])).default([]),
    /** What WeChat's unionid is unique within: the open-platform account of the brand. */
    unionScope: z.string().min(1).max(128).optional(),
    /** Whether texts that customers write to customer service are kept. */
    keepContent: z.boolean().default(false),
    /** Where WeCom listens, or the brand's own relay. */
    url: vendorUrl.default('https://qyapi.weixin.qq.com'),
  })
  .refine(({ suiteId, fetch }) => suiteId === undefined || fetch.length === 0, {
    path: ['fetch'],
    error: 'a self-built app asks; the tokens of a suite need its suite_ticket, which is not kept',
  });
export type Settings = z.infer<typeof settings>;

const secret = z.object({
  token: z.string().min(1),
  encodingAesKey: aesKey,
  /** The secret of the app (Secret), for what is asked. */
  corpSecret: z.string().min(1).optional(),
  /** What was valid before a rotation: kept as long as retries of older messages may come. */
  previous: z.object({ token: z.string().min(1).optional(), encodingAesKey: aesKey.optional() }).optional(),
});
export type Secret = z.infer<typeof secret>;

const live = (...held: readonly (string | undefined)[]) => held.filter((it) => it !== undefined);

const modeOf = ({ id, settings: own, secret: held }: Account<Settings, Secret>): SafeMode => ({
  name: `wecom/${id}`,
  tokens: live(held.token, held.previous?.token),
  aesKeys: live(held.encodingAesKey, held.previous?.encodingAesKey),
  receiveIds: live(own.corpId, own.suiteId, own.personal ? '' : undefined),
});

export const wecomSpec = { name: 'wecom', settings, secret };

/**
 * WeCom (企业微信): external contacts, customer groups, corp tags, acquisition links and customer service, for a
 * self-built app or a provider's suite. Source: developer.work.weixin.qq.com, 回调通知.
 */
export const wecom = channel<Settings, Secret>({
  ...wecomSpec,
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

  decode: (text, { topic }) => (topic === undefined ? [decodeWechat(text)] : listIn(text)),
  read(message, { topic }, place) {
    if (topic === MESSAGES) return readServiceMessage(message, place.settings);
    return topic === CONTACT ? readContactChange(message, place.settings) : readPush(message, place);
  },
  asks: ({ fetch }) => fetch,
});

function listIn(text: string): readonly Json[] {
  const list = readJson(text);
  if (!Array.isArray(list)) throw new FaultError('bad_shape', 'an answer is an array of messages');
  return list;
}

const SUCCESS = { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'success' };

function readPush(fields: Json, place: Place<Settings>): Reading {
  if (!isRecord(fields)) throw new FaultError('bad_shape', 'a message is an object of fields');
  const message = wechatMessage(fields);
  const name = nameOf(message);
  // A suite's URL hears of every corp that installed it: another's customers are not this brand's.
  const corp = message.field('AuthCorpId');
  if (corp !== '' && corp !== place.settings.corpId) return { drafts: [], ignored: 'of another corp' };
  const entry = Object.hasOwn(wecomEvents, name) ? wecomEvents[name] : undefined;
  if (!entry) return { drafts: [], ignored: name };
  const meaning = entry(message);
  const hints = hintsOf(name, message, place.settings);
  if (meaning.of === 'brand') return { drafts: [], notices: [noticeOf(meaning)], hints };
  if (meaning.of === 'members')
    return readMembers(meaning, listOf(fieldsOf(fields, 'MemChangeList'), 'Item'), message, place);
  const external = message.field('ExternalUserID');
  return { drafts: [draft(meaning, keyOf(message), external, message, place)], hints };
}

/** Messages that say that something about a contact may have changed, and how they begin. */
const ABOUT_CONTACTS = 'change_external_contact/';

/** What a push makes this account ask for. */
function hintsOf(name: string, message: WechatMessage, { fetch }: Settings): readonly Hint[] {
  const open_kfid = message.field('OpenKfId');
  if (name === 'kf_msg_or_event' && open_kfid !== '' && fetch.includes('messages'))
    return [{ what: MESSAGES, of: { open_kfid }, pass: message.field('Token') || undefined }];
  const external_userid = message.field('ExternalUserID');
  if (!name.startsWith(ABOUT_CONTACTS) || external_userid === '' || !fetch.includes('contacts')) return [];
  const isAdded = /\/add_(half_)?external_contact$/.test(name);
  const of: Record<string, string> = isAdded ? { external_userid, added: 'true' } : { external_userid };
  return [{ what: CONTACT, of, at: Number(timeOf(message)) * 1000 || undefined }];
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
  { settings }: Place<Settings>,
): Draft {
  return {
    type,
    key,
    at: timeOf(message),
    identifiers: external === '' ? [] : [externalUser(external, settings)],
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
