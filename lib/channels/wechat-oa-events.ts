import type { Json } from '../events/event.ts';
import type { WechatMessage } from './wechat-message.ts';

/** One event that a message stands for. */
interface Meaning {
  readonly type: string;
  readonly properties: Record<string, Json>;
}

/** What one kind of message means. */
interface Entry {
  /** The message's own id stands in this field, and is unique among events of its name. */
  readonly id?: string;
  readonly means: (message: WechatMessage, appId: string) => readonly Meaning[];
}

/** A meaning made of fields; those that are empty are left out. */
const one = (type: string, properties: Record<string, Json | undefined>): Meaning => ({
  type,
  properties: Object.fromEntries(
    Object.entries(properties).flatMap(([name, value]) =>
      value === undefined || value === '' ? [] : [[name, value]],
    ),
  ),
});

const after = (text: string, prefix: string) => (text.startsWith(prefix) ? text.slice(prefix.length) : '');

/** A number in a field: an integer as it stands, nothing for nothing. */
const whole = (text: string) => (/^-?\d{1,15}$/.test(text) ? Number(text) : undefined);

const followed: Entry = {
  means(message, appId) {
    const key = message.field('EventKey');
    const scene = after(key, 'qrscene_');
    const transaction = after(key, 'last_trade_no_');
    const follow = one('channel_followed', { channel_account_id: appId, scene, transaction_id: transaction });
    return scene ? [follow, one('qr_code_scanned', { scene, is_follow: true })] : [follow];
  },
};

const menu = (kind: string): Entry => ({
  means: (message) => [
    one('menu_clicked', {
      menu_key: message.field('EventKey'),
      menu_type: kind,
      menu_id: message.field('MenuId'),
    }),
  ],
});

const delivery = (
  messageId: string,
  isDelivered: boolean,
  rest: Record<string, string>,
  reason: string,
): Meaning =>
  isDelivered
    ? one('message_delivered', { message_id: messageId, ...rest })
    : one('message_failed', { message_id: messageId, ...rest, reason: reason || 'unknown' });

/** One event per template: a customer may take one and refuse another in one pop-up. */
const subscriptions = (wrapper: string): Entry => ({
  means: (message) =>
    message.list(wrapper).map((item) => {
      const rest = { template_id: item.field('TemplateId'), popup_scene: item.field('PopupScene') };
      return item.field('SubscribeStatusString') === 'accept'
        ? one('subscription_granted', { ...rest, mode: 'once' })
        : one('subscription_revoked', rest);
    }),
});

const consent = (scope: string): Entry => ({
  means: (message) => [one('consent_revoked', { scope, revoke_info: message.field('RevokeInfo') })],
});

const card = (message: WechatMessage) => ({
  coupon_code: message.field('UserCardCode'),
  coupon_template_id: message.field('CardId'),
  outer: message.field('OuterStr'),
});

/** Events by their name, in lower case: WeChat writes `SCAN`, `CLICK` and `subscribe`. */
export const oaEvents: Readonly<Record<string, Entry>> = {
  subscribe: followed,
  unsubscribe: { means: (_, appId) => [one('channel_unfollowed', { channel_account_id: appId })] },
  scan: {
    means: (message) => [one('qr_code_scanned', { scene: message.field('EventKey'), is_follow: false })],
  },
  click: menu('click'),
  view: menu('view'),
  view_miniprogram: menu('view_miniprogram'),
  scancode_push: menu('scancode_push'),
  scancode_waitmsg: menu('scancode_waitmsg'),
  templatesendjobfinish: {
    id: 'MsgID',
    means: (message) => {
      const status = message.field('Status');
      const reason = status.replace(/^failed:\s*/, '');
      return [delivery(message.field('MsgID'), status === 'success', {}, reason)];
    },
  },
  subscribe_msg_popup_event: subscriptions('SubscribeMsgPopupEvent'),
  subscribe_msg_change_event: subscriptions('SubscribeMsgChangeEvent'),
  subscribe_msg_sent_event: {
    means: (message) =>
      message.list('SubscribeMsgSentEvent').map((item) => {
        const rest = { template_id: item.field('TemplateId'), error_code: item.field('ErrorCode') };
        return delivery(
          item.field('MsgID'),
          item.field('ErrorCode') === '0',
          rest,
          item.field('ErrorStatus'),
        );
      }),
  },
  user_get_card: {
    means: (message) => [
      one('coupon_issued', { ...card(message), is_gift: message.field('IsGiveByFriend') === '1' }),
    ],
  },
  user_consume_card: {
    means: (message) => [
      one('coupon_redeemed', {
        ...card(message),
        consume_source: message.field('ConsumeSource'),
        location_name: message.field('LocationName'),
        transaction_id: message.field('TransId'),
      }),
    ],
  },
  user_del_card: { means: (message) => [one('coupon_voided', { ...card(message), reason: 'deleted' })] },
  submit_membercard_user_info: {
    means: (message) => [
      one('member_registered', {
        member_id: message.field('UserCardCode'),
        card_id: message.field('CardId'),
      }),
    ],
  },
  update_member_card: {
    means(message) {
      const rest = { card_id: message.field('CardId'), card_code: message.field('UserCardCode') };
      const changes = [
        { account: 'points', delta: whole(message.field('ModifyBonus')) },
        { account: 'balance', delta: whole(message.field('ModifyBalance')) },
      ];
      return changes
        .filter(({ delta }) => delta)
        .map((change) => one('points_changed', { ...change, ...rest }));
    },
  },
  user_info_modified: consent('profile'),
  user_authorization_revoke: consent('personal_data'),
  user_authorization_cancellation: consent('account'),
  user_enter_tempsession: {
    means: (message) => [one('conversation_started', { session_from: message.field('SessionFrom') })],
  },
};

/** Events that are known and mean nothing here. A place is sensitive personal data: it is not even looked at. */
export const oaSilent: ReadonlySet<string> = new Set(['location']);

/** What a customer writes to the account, by `MsgType`. */
export const oaMessages: ReadonlySet<string> = new Set([
  'text',
  'image',
  'voice',
  'video',
  'shortvideo',
  'location',
  'link',
  'miniprogrampage',
]);
