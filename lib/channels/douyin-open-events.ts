import type { Json } from '../events/event.ts';
import { type DraftIdentifier, phoneNumber } from '../events/identifiers.ts';
import { type Fields, fieldsOf, textOf } from './context.ts';
import { isRecord } from './json.ts';
import { present } from './present.ts';

/** A message of Douyin, with its `content` read whether it came as an object or as JSON in a string. */
export interface DouyinMessage {
  readonly event: string;
  /** The customer's open_id, nothing where Douyin writes none. */
  readonly from: string | undefined;
  /** The brand's own open_id, where the message is about its account. */
  readonly to: string | undefined;
  readonly clientKey: string;
  readonly content: Fields;
  /** Distinct for each message, the same in each retry. */
  readonly delivery: string;
  readonly locale: string;
}

/** One event that a message stands for. */
export interface DouyinMeaning {
  readonly type: string;
  readonly properties: Record<string, Json>;
  /** Who did it, where it is not the open_id that sent the message. */
  readonly who?: readonly DraftIdentifier[];
  /** Said beside the open_id. */
  readonly beside?: readonly DraftIdentifier[];
  readonly traits?: Record<string, Json>;
  /** When, where it is not the message's own time. */
  readonly at?: string;
  /** What tells the event from others, where the message has an id of its own in its content. */
  readonly key?: readonly (string | undefined)[];
}

type Means = (message: DouyinMessage) => DouyinMeaning | undefined;

const one = (
  type: string,
  properties: Record<string, Json | undefined>,
  rest: Partial<DouyinMeaning> = {},
) => ({
  type,
  properties: present(properties),
  ...rest,
});

const CNY = 'CNY';

const openId = (scope: string | undefined, value: string | undefined): DraftIdentifier[] =>
  value === undefined ? [] : [{ kind: 'douyin_open_id', scope, value }];

/** A mobile number in plain digits; one that is masked or still sealed identifies nobody. */
const phoneIn = (text: string | undefined, locale: string): DraftIdentifier[] => {
  const value = text === undefined ? undefined : phoneNumber(text, locale);
  return value === undefined ? [] : [{ kind: 'phone', value }];
};

/** What a customer fills into a card of the chat, by the labels that Douyin's own cards have. */
const cardTraits: Readonly<Record<string, string>> = { 姓名: 'name', 城市: 'city' };
const cardPhones: ReadonlySet<string> = new Set(['手机号', '电话', '手机', '联系电话']);

function lead({ event, content, locale }: DouyinMessage): DouyinMeaning {
  const id = textOf(content, 'server_message_id');
  const rows = (Array.isArray(content.card_data) ? content.card_data : []).filter(isRecord);
  const traits: Record<string, Json> = {};
  const beside: DraftIdentifier[] = [];
  for (const row of rows) {
    const label = textOf(row, 'label') ?? '';
    const value = textOf(row, 'value');
    const name = Object.hasOwn(cardTraits, label) ? cardTraits[label] : undefined;
    if (name && value) traits[name] = value;
    if (cardPhones.has(label)) beside.push(...phoneIn(value, locale));
  }
  const properties = { lead_id: id, lead_source: 'retain_consult_card', card_id: textOf(content, 'card_id') };
  return one('lead_submitted', properties, { traits, beside, key: [event, id] });
}

const message: Means = (said) => {
  const { event, content } = said;
  const kind = textOf(content, 'message_type');
  if (kind === 'retain_consult_card') return lead(said);
  const id = textOf(content, 'server_message_id');
  const isGroup = event === 'im_group_receive_msg';
  const conversation = textOf(content, 'conversation_short_id');
  return one(
    'message_received',
    {
      message_id: id,
      message_type: kind ?? 'unknown',
      conversation_id: conversation,
      group_id: isGroup ? conversation : undefined,
    },
    { key: [event, id] },
  );
};

const linked = ({ event, content }: DouyinMessage) =>
  one('identity_linked', {
    link_source: event,
    scopes: Array.isArray(content.scopes) ? content.scopes.join(',') : textOf(content, 'scopes'),
  });

const revoked = (scope: string) => one('consent_revoked', { scope });

/** The same person under two client keys: each open_id counts within its own. */
const union: Means = ({ event, content, from, clientKey }) => {
  const who = [
    ...openId(textOf(content, 'c_client_key'), textOf(content, 'c_open_id')),
    ...openId(textOf(content, 'b_client_key'), textOf(content, 'b_open_id')),
  ];
  return one(
    'identity_linked',
    { link_source: event },
    { who: who.length > 0 ? who : openId(clientKey, from) },
  );
};

/** Douyin says that somebody asked to be called and nothing else, so the message's own id is the lead's. */
const contact: Means = ({ event, delivery }) =>
  one('lead_submitted', { lead_id: delivery, lead_source: event });

/** There is no card number in the push: within this account a member is called by the open_id. */
const member =
  (type: string): Means =>
  ({ from, content, locale }) =>
    one(
      type,
      { member_id: from, life_account_id: textOf(content, 'account_id') },
      { beside: phoneIn(textOf(content, 'mobile'), locale) },
    );

const order: Means = ({ event, content }) => {
  const action = textOf(content, 'action');
  if (action !== 'pay_success') return undefined;
  const paid = fieldsOf(content, 'order');
  const id = textOf(paid, 'order_id');
  return one(
    'order_paid',
    {
      order_id: id,
      paid_amount: fen(paid, 'pay_amount'),
      original_amount: fen(paid, 'original_amount'),
      currency: CNY,
      life_account_id: textOf(paid, 'account_id'),
    },
    { at: timeIn(paid, 'pay_time'), key: [event, action, id] },
  );
};

/** A coupon that was bought: used, given back unused, or refunded. The push of a refund tells no amount. */
const certificate: Means = ({ event, content }) => {
  const action = textOf(content, 'action') ?? '';
  const held = fieldsOf(content, 'certificate');
  const id = textOf(held, 'certificate_id');
  const orderId = textOf(held, 'order_id');
  const key = [event, action, id];
  if (action === 'verify' || action === 'verify_cancel')
    return one(
      action === 'verify' ? 'coupon_redeemed' : 'coupon_returned',
      { coupon_code: id, order_id: orderId, life_account_id: textOf(held, 'account_id') },
      { key },
    );
  if (action !== 'refund_success') return undefined;
  return one(
    'order_refunded',
    { refund_id: id, order_id: orderId, coupon_code: id, amount_pending: true },
    { key },
  );
};

const modes: Readonly<Record<string, readonly [type: string, mode: string]>> = {
  '1': ['subscription_granted', 'once'],
  '2': ['subscription_granted', 'long_term'],
  '3': ['subscription_revoked', 'long_term'],
  '4': ['subscription_revoked', 'once'],
};

const subscription: Means = ({ content }) => {
  const action = textOf(content, 'action', 'action_type', 'subscribe_action', 'msg_type') ?? '';
  const [type, mode] = (Object.hasOwn(modes, action) ? modes[action] : undefined) ?? [];
  if (!type || !mode) return undefined;
  return one(type, { template_id: textOf(content, 'template_id', 'tpl_id', 'msg_id'), mode });
};

/** Every event with a meaning; nothing for one of its kind that means nothing here (a like taken back). */
export const douyinEvents: Readonly<Record<string, Means>> = {
  authorize: linked,
  unauthorize: ({ content }) =>
    revoked(Array.isArray(content.scopes) && content.scopes.length > 0 ? content.scopes.join(',') : 'all'),
  // A withdrawal is told with the time of the consent beside its own.
  im_authorize(said) {
    const at = timeIn(said.content, 'update_time', 'create_time');
    return textOf(said.content, 'auth_status') === '2' ? { ...revoked('im'), at } : { ...linked(said), at };
  },
  union_auth_info_for_b: union,
  union_auth_info_for_c: union,
  im_receive_msg: message,
  im_group_receive_msg: message,
  im_enter_direct_msg: ({ content }) =>
    one('conversation_started', {
      conversation_id: textOf(content, 'conversation_short_id'),
      scene: textOf(content, 'scene_type'),
    }),
  group_fans_event: ({ content }) =>
    one('group_joined', {
      group_id: textOf(content, 'im_group_id', 'group_id'),
      join_scene: textOf(content, 'create_group_type'),
    }),
  // 1 is an application that nobody has answered yet.
  enter_group_audit_change: ({ content }) =>
    ['2', undefined].includes(textOf(content, 'apply_status'))
      ? one('group_joined', { group_id: textOf(content, 'group_id', 'im_group_id'), join_scene: 'audit' })
      : undefined,
  // The documented value is 1; what else comes takes a follow back.
  new_follow_action: ({ content, to, clientKey }) =>
    one(textOf(content, 'action_type') === '1' ? 'channel_followed' : 'channel_unfollowed', {
      channel_account_id: to ?? clientKey,
    }),
  new_video_digg: ({ content }) =>
    ['1', undefined].includes(textOf(content, 'action_type'))
      ? one('content_liked', { content_id: textOf(content, 'item_id') })
      : undefined,
  item_comment_reply: ({ event, content, from, clientKey }) => {
    const id = textOf(content, 'comment_id');
    return one(
      'content_commented',
      {
        content_id: textOf(content, 'reply_to_item_id', 'item_id'),
        comment_id: id,
        reply_to_comment_id: textOf(content, 'reply_to_comment_id'),
      },
      { who: openId(clientKey, textOf(content, 'comment_user_id') ?? from), key: [event, id] },
    );
  },
  dial_phone: contact,
  website_contact: contact,
  personal_tab_contact: contact,
  life_member_join: member('member_registered'),
  life_member_leave: member('member_left'),
  life_trade_order_notify: order,
  life_trade_certificate_notify: certificate,
  user_subscribe_action: subscription,
  user_auth_subscribe_card_notification: subscription,
};

/** Seconds or milliseconds, whichever the event has; 0 is Douyin's word for none. */
export function timeIn(fields: Fields, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const time = textOf(fields, name);
    if (time !== undefined && time !== '0') return time;
  }
  return undefined;
}

/** An amount in fen, which some senders write as digits in a string. */
function fen(fields: Fields, name: string): Json | undefined {
  const amount = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof amount === 'string' && /^\d{1,15}$/.test(amount) ? Number(amount) : amount;
}
