import type { Draft } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import type { Reading } from './channel.ts';
import { type Fields, fieldsOf, textOf } from './context.ts';
import { isRecord } from './json.ts';
import { one, present } from './present.ts';
import { CONTACT } from './wecom-note.ts';

/** The questions of this channel, by WeCom's names. */
export const MESSAGES = 'kf/sync_msg';

/** Whose customers these are. */
export interface Corp {
  readonly corpId: string;
  readonly suiteId?: string | undefined;
  readonly unionScope?: string | undefined;
  readonly keepContent?: boolean;
}

/** A customer is known by the corp that sees them; a provider sees ciphertext of its own. */
export const externalUser = (value: string, { corpId, suiteId }: Corp) => ({
  kind: 'wecom_external_userid',
  scope: suiteId === undefined ? corpId : `${corpId}@${suiteId}`,
  value,
});

type Meaning = Pick<Draft, 'type' | 'properties'>;

const CUSTOMER = '3';

/** One message or event of customer service (微信客服). Source: developer.work.weixin.qq.com, path/94670. */
export function readServiceMessage(message: Json, corp: Corp): Reading {
  if (!isRecord(message)) throw new FaultError('bad_shape', 'a message is an object');
  const id = textOf(message, 'msgid');
  const kind = textOf(message, 'msgtype');
  if (!id || !kind) throw new FaultError('bad_shape', 'a message has a msgid and a msgtype');
  const event = fieldsOf(message, 'event');
  const meaning = kind === 'event' ? happened(event) : written(message, id, kind, corp);
  if (!meaning)
    return { drafts: [], ignored: `${MESSAGES} ${textOf(event, 'event_type') ?? `${kind} of the staff`}` };
  const external = textOf(message, 'external_userid') ?? textOf(event, 'external_userid');
  return {
    drafts: [
      {
        ...meaning,
        key: [id],
        at: textOf(message, 'send_time'),
        identifiers: external ? [externalUser(external, corp)] : [],
      },
    ],
  };
}

/** What the customer wrote; what the staff wrote is nothing that the customer did. */
function written(message: Fields, id: string, kind: string, corp: Corp): Meaning | undefined {
  if (textOf(message, 'origin') !== CUSTOMER) return undefined;
  const content = corp.keepContent ? textOf(fieldsOf(message, 'text'), 'content') : undefined;
  const open_kfid = textOf(message, 'open_kfid');
  return one('message_received', { message_id: id, message_type: kind, open_kfid, content });
}

/** `welcome_code` is a permission to write to the customer: it is no property. */
function happened(event: Fields): Meaning | undefined {
  const type = textOf(event, 'event_type');
  if (type === 'enter_session')
    return one('conversation_started', {
      open_kfid: textOf(event, 'open_kfid'),
      scene: textOf(event, 'scene'),
      scene_param: textOf(event, 'scene_param'),
    });
  const failed = textOf(event, 'fail_msgid');
  return type === 'msg_send_fail' && failed
    ? one('message_failed', {
        message_id: failed,
        reason: `fail_type ${textOf(event, 'fail_type') ?? 'unknown'}`,
        open_kfid: textOf(event, 'open_kfid'),
      })
    : undefined;
}

/**
 * One difference between what was known of a contact and what WeCom says now. `round` numbers the looks that found
 * something: the same difference found again is another event, the same look delivered again is not.
 */
export interface ContactChange {
  readonly change: 'tag_added' | 'tag_removed' | 'remark_changed' | 'linked';
  readonly external_userid: string;
  readonly unionid: string | null;
  readonly round: number;
  /** Milliseconds; null where nobody says when. */
  readonly at: number | null;
  readonly staff_id: string;
  /** What a difference of one kind and one of the staff is about. */
  readonly about: string;
  readonly properties: { [name: string]: Json };
  readonly traits: { [name: string]: Json } | null;
}

const types: Readonly<Record<string, string>> = {
  tag_added: 'tag_added',
  tag_removed: 'tag_removed',
  remark_changed: 'contact_updated',
  linked: 'identity_linked',
};

/** The event of a difference. */
export function readContactChange(change: Json, corp: Corp): Reading {
  if (!isRecord(change)) throw new FaultError('bad_shape', 'a change is an object');
  const name = textOf(change, 'change') ?? '';
  const type = Object.hasOwn(types, name) ? types[name] : undefined;
  const external = textOf(change, 'external_userid');
  if (!type || !external) throw new FaultError('bad_shape', 'a change has a name and an external_userid');
  const unionid = textOf(change, 'unionid');
  const staff = textOf(change, 'staff_id') ?? '';
  const traits = fieldsOf(change, 'traits');
  return {
    drafts: [
      {
        type,
        key: [CONTACT, name, external, staff, textOf(change, 'about') ?? '', textOf(change, 'round') ?? ''],
        at: textOf(change, 'at'),
        identifiers: [
          externalUser(external, corp),
          ...(unionid ? [{ kind: 'wechat_unionid', scope: corp.unionScope, value: unionid }] : []),
        ],
        properties: present({ ...fieldsOf(change, 'properties'), staff_id: staff }),
        ...(Object.keys(traits).length > 0 && { traits }),
      },
    ],
  };
}
