import { type Entries, type Entry, type Meaning, one, whole } from './wechat-meaning.ts';
import type { WechatMessage } from './wechat-message.ts';

/** A report on one sent message. Its id is unique among reports of one event: two of one second differ in it alone. */
export function delivery(
  event: string,
  messageId: string,
  isDelivered: boolean,
  rest: Record<string, string>,
  reason: string,
): Meaning {
  const properties = { message_id: messageId, ...rest };
  const key = { key: [event, messageId] };
  return isDelivered
    ? one('message_delivered', properties, key)
    : one('message_failed', { ...properties, reason: reason || 'unknown' }, key);
}

/** One event per template: a customer may take one and refuse another in one pop-up. */
const subscriptions =
  (wrapper: string): Entry =>
  (message) =>
    message.list(wrapper).map((item) => {
      const rest = { template_id: item.field('TemplateId'), popup_scene: item.field('PopupScene') };
      return item.field('SubscribeStatusString') === 'accept'
        ? one('subscription_granted', { ...rest, mode: 'once' })
        : one('subscription_revoked', rest);
    });

const consent =
  (scope: string): Entry =>
  (message) => [one('consent_revoked', { scope, revoke_info: message.field('RevokeInfo') })];

const card = (message: WechatMessage) => ({
  coupon_code: message.field('UserCardCode'),
  coupon_template_id: message.field('CardId'),
  outer: message.field('OuterStr'),
});

/** Points and balance of a member card; what did not change is no event. */
const cardChanges: Entry = (message) => {
  const rest = { card_id: message.field('CardId'), card_code: message.field('UserCardCode') };
  const changes = [
    { account: 'points', delta: whole(message.field('ModifyBonus')) },
    { account: 'balance', delta: whole(message.field('ModifyBalance')) },
  ];
  return changes.filter(({ delta }) => delta).map((change) => one('points_changed', { ...change, ...rest }));
};

/** What WeChat pushes to official accounts and mini programs alike. */
export const wechatEvents: Entries = {
  subscribe_msg_popup_event: subscriptions('SubscribeMsgPopupEvent'),
  subscribe_msg_change_event: subscriptions('SubscribeMsgChangeEvent'),
  subscribe_msg_sent_event: (message) =>
    message.list('SubscribeMsgSentEvent').map((item) => {
      const code = item.field('ErrorCode');
      const rest = { template_id: item.field('TemplateId'), error_code: code };
      const reason = item.field('ErrorStatus');
      return delivery(message.field('Event'), item.field('MsgID'), code === '0', rest, reason);
    }),
  user_get_card: (message) => [
    one('coupon_issued', { ...card(message), is_gift: message.field('IsGiveByFriend') === '1' }),
  ],
  user_consume_card: (message) => [
    one('coupon_redeemed', {
      ...card(message),
      consume_source: message.field('ConsumeSource'),
      location_name: message.field('LocationName'),
      transaction_id: message.field('TransId'),
    }),
  ],
  user_del_card: (message) => [one('coupon_voided', { ...card(message), reason: 'deleted' })],
  submit_membercard_user_info: (message) => [
    one('member_registered', { member_id: message.field('UserCardCode'), card_id: message.field('CardId') }),
  ],
  update_member_card: cardChanges,
  user_info_modified: consent('profile'),
  user_authorization_revoke: consent('personal_data'),
  user_authorization_cancellation: consent('account'),
  user_enter_tempsession: (message) => [
    one('conversation_started', { session_from: message.field('SessionFrom') }),
  ],
};
