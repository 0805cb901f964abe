import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { type HttpReply, json } from '../platform/http.ts';
import { type Account, channel, type Place, type Reading } from './channel.ts';
import { textOf } from './context.ts';
import { isRecord, readJson } from './json.ts';
import { listOf } from './list.ts';
import { wechatEncrypt, wechatSignature } from './wechat-crypto.ts';
import { type OpenedSafe, openSafe, type SafeMode, sealedIn } from './wechat-safe.ts';

const vendorId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'an id of DingTalk, such as ding0123456789abcdef');

const settings = z.strictObject({
  /** The company whose people these are. */
  corpId: vendorId,
  /** AppKey (Client ID) or SuiteKey, for apps whose messages are addressed to it and not to the corpId. */
  appKey: vendorId.optional(),
  secret: z.string().min(1),
});
type Settings = z.infer<typeof settings>;

const aesKey = z.string().regex(/^[A-Za-z0-9+/]{43}$/, 'aes_key has 43 characters');

const secret = z.object({
  token: z.string().min(1),
  aesKey,
  /** What was valid before a rotation: kept as long as retries of older messages may come. */
  previous: z.object({ token: z.string().min(1).optional(), aesKey: aesKey.optional() }).optional(),
});
type Secret = z.infer<typeof secret>;

const live = (...held: readonly (string | undefined)[]) => held.filter((it) => it !== undefined);

const modeOf = ({ id, settings: own, secret: held }: Account<Settings, Secret>): SafeMode => ({
  name: `dingtalk/${id}`,
  tokens: live(held.token, held.previous?.token),
  aesKeys: live(held.aesKey, held.previous?.aesKey),
  receiveIds: live(own.corpId, own.appKey),
  unit: 'milliseconds',
});

/**
 * DingTalk's HTTP callbacks: who joins and leaves groups. Its answer is sealed as its messages are.
 * Source: open.dingtalk.com, 事件订阅, and DingCallbackCrypto of open-dingtalk.
 */
export const dingtalk = channel<Settings, Secret>({
  name: 'dingtalk',
  settings,
  secret,
  maxBytes: 256 * 1024,

  verify({ query, body }, account, now) {
    const { timestamp, nonce } = query;
    const signed = { signature: query.msg_signature ?? query.signature, timestamp, nonce };
    const opened = openSafe(sealedIn(body, 'encrypt'), signed, modeOf(account), now);
    return { text: opened.text, envelope: { verified: 'signed' }, reply: sealedSuccess(opened, now) };
  },

  decode: (text) => [readJson(text)],
  read,
});

/**
 * `success`, sealed and signed with what the message was sealed and signed with: DingTalk may not know the new ones yet.
 * Nobody who lacks the key can foresee the random bytes, and the same message at the same time has the same answer.
 */
export function sealedSuccess(opened: OpenedSafe, now: number): HttpReply {
  const { token, aesKey: key, receiveId, text } = opened;
  const dice = createHmac('sha256', key).update(`${now}:${opened.sentAt}:${text}`).digest();
  const encrypt = wechatEncrypt(key, 'success', receiveId, dice.subarray(0, 16));
  const timeStamp = String(now);
  const nonce = dice.toString('hex', 16, 24);
  return json(200, {
    msg_signature: wechatSignature(token, timeStamp, nonce, encrypt),
    timeStamp,
    nonce,
    encrypt,
  });
}

/** What people did to groups, by EventType: one event for each in UserId. */
const people: Readonly<Record<string, { readonly type: string; readonly quit_scene?: string }>> = {
  chat_add_member: { type: 'group_joined' },
  chat_remove_member: { type: 'group_left', quit_scene: 'removed' },
  chat_quit: { type: 'group_left', quit_scene: 'left' },
};

/** What happened to groups themselves. */
const groups: Readonly<Record<string, string>> = {
  chat_update_owner: 'owner_changed',
  chat_update_title: 'name_changed',
  chat_disband: 'dismissed',
};

function read(message: Json, _envelope: unknown, { settings: { corpId } }: Place<Settings>): Reading {
  if (!isRecord(message)) throw new FaultError('bad_shape', 'a message is an object');
  const name = textOf(message, 'EventType');
  if (name === undefined) throw new FaultError('bad_shape', 'a message needs "EventType"');
  if (name === 'check_url') return { drafts: [] }; // tries the address: the answer is all it wants
  // A suite hears of every company that installed it: another's people are not this brand's.
  if ((textOf(message, 'CorpId') ?? corpId) !== corpId) return { drafts: [], ignored: 'of another corp' };
  const group = textOf(message, 'ChatId', 'OpenConversationId') ?? '';
  const change = Object.hasOwn(groups, name) ? groups[name] : undefined;
  if (change)
    return { drafts: [], notices: [{ type: 'group_updated', properties: { group_id: group, change } }] };
  const entry = Object.hasOwn(people, name) ? people[name] : undefined;
  if (!entry) return { drafts: [], ignored: name };
  const ids = [...new Set(listOf(message, 'UserId').flatMap((id) => textOf({ id }, 'id') ?? []))];
  if (ids.length === 0) throw new FaultError('no_identifier', `${name} needs "UserId", of one or several`);
  const time = textOf(message, 'TimeStamp') ?? '';
  const conversation = textOf(message, 'OpenConversationId');
  return {
    drafts: ids.map((id) => ({
      type: entry.type,
      key: [name, group, id, time], // a retry is sealed anew and has the same
      at: time,
      identifiers: [{ kind: 'dingtalk_userid', scope: corpId, value: id }],
      properties: {
        ...(group === '' ? {} : { group_id: group }),
        ...(entry.quit_scene ? { quit_scene: entry.quit_scene } : {}),
        ...(conversation ? { conversation_id: conversation } : {}),
      },
    })),
  };
}
