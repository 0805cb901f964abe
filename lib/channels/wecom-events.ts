import type { Json } from '../events/event.ts';
import type { WechatMessage } from './wechat-message.ts';

/** What a message says, and whom it says it of. */
export interface WecomMeaning {
  /** `customer`: the one in ExternalUserID; `members`: each customer in MemChangeList; `brand`: nobody, it is a notice. */
  readonly of: 'customer' | 'members' | 'brand';
  readonly type: string;
  readonly properties: Record<string, string | number | boolean>;
}

type Entry = (message: WechatMessage) => WecomMeaning;

/** A meaning made of fields; those that are empty are left out. */
const meaning =
  (of: WecomMeaning['of']) =>
  (type: string, properties: WecomMeaning['properties']): WecomMeaning => ({
    of,
    type,
    properties: Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== '')),
  });
const customer = meaning('customer');
const members = meaning('members');
const brand = meaning('brand');

/** WelcomeCode is a permission to write to the customer: it is no property. */
const added =
  (mutual: boolean): Entry =>
  (message) =>
    customer('contact_added', {
      staff_id: message.field('UserID'),
      mutual,
      state: message.field('State'),
    });

const updated =
  (change: string): Entry =>
  (message) =>
    customer('contact_updated', {
      staff_id: message.field('UserID'),
      change,
      reason: message.field('FailReason'),
    });

/** A transfer takes the contact from one of the staff and gives it to another: the customer did not go. */
const removed =
  (by: 'staff' | 'customer'): Entry =>
  (message) =>
    customer('contact_removed', {
      staff_id: message.field('UserID'),
      removed_by: message.field('Source') === 'DELETE_BY_TRANSFER' ? 'transfer' : by,
    });

const group =
  (change: string): Entry =>
  (message) =>
    brand('group_updated', { group_id: message.field('ChatId'), change });

/** The definition of a tag, not a tag on a person. Shuffling all groups of tags names none of them. */
const tag =
  (change: string): Entry =>
  (message) =>
    brand('tag_definition_changed', {
      tag_id: message.field('Id') || 'all',
      change,
      tag_type: message.field('TagType'),
      strategy_id: message.field('StrategyId'),
    });

/** About an acquisition link or its quota. ChatKey opens a conversation: it is no property. */
const acquisition =
  (change: string): Entry =>
  (message) =>
    brand('acquisition_updated', {
      change,
      link_id: message.field('LinkId'),
      state: message.field('State'),
      expiring: message.field('ExpireQuotaNum'),
    });

/** Where the corp may not see who asked, the link is known and nobody else. */
const friendRequest: Entry = (message) =>
  message.field('ExternalUserID') === ''
    ? acquisition('friend_requested')(message)
    : customer('lead_submitted', {
        // One lead per person and link: asking again is no second lead.
        lead_id: `${message.field('LinkId')}:${message.field('ExternalUserID')}`,
        link_id: message.field('LinkId'),
        state: message.field('State'),
        staff_id: message.field('UserID'),
      });

const chatStarted: Entry = (message) =>
  customer('conversation_started', {
    staff_id: message.field('UserID'),
    link_id: message.field('LinkId'),
    state: message.field('State'),
  });

/**
 * Messages by Event (InfoType for a suite), ChangeType and UpdateDetail.
 * Source: developer.work.weixin.qq.com, 客户联系 / 回调通知, 获客助手, 微信客服.
 */
export const wecomEvents: Readonly<Record<string, Entry>> = {
  'change_external_contact/add_external_contact': added(true),
  'change_external_contact/add_half_external_contact': added(false),
  'change_external_contact/edit_external_contact': updated('edited'),
  'change_external_contact/del_external_contact': removed('staff'),
  'change_external_contact/del_follow_user': removed('customer'),
  'change_external_contact/transfer_fail': updated('transfer_failed'),
  'change_external_contact/msg_audit_approved': updated('audit_approved'),
  'change_external_chat/create': group('created'),
  'change_external_chat/dismiss': group('dismissed'),
  'change_external_chat/update/add_member': (message) =>
    members('group_joined', { group_id: message.field('ChatId'), join_scene: message.field('JoinScene') }),
  'change_external_chat/update/del_member': (message) =>
    members('group_left', { group_id: message.field('ChatId'), quit_scene: message.field('QuitScene') }),
  'change_external_chat/update/change_owner': group('owner_changed'),
  'change_external_chat/update/change_name': group('name_changed'),
  'change_external_chat/update/change_notice': group('notice_changed'),
  'change_external_tag/create': tag('created'),
  'change_external_tag/update': tag('updated'),
  'change_external_tag/delete': tag('deleted'),
  'change_external_tag/shuffle': tag('shuffled'),
  'customer_acquisition/friend_request': friendRequest,
  'customer_acquisition/customer_start_chat': chatStarted,
  'customer_acquisition/open_profile': acquisition('profile_opened'),
  'customer_acquisition/message_from_customer': acquisition('customer_wrote_again'),
  'customer_acquisition/balance_low': acquisition('balance_low'),
  'customer_acquisition/balance_exhausted': acquisition('balance_exhausted'),
  'customer_acquisition/balance_increased': acquisition('balance_increased'),
  'customer_acquisition/quota_expire_soon': acquisition('quota_expiring'),
  'customer_acquisition/link_unavailable': acquisition('link_unavailable'),
  'customer_acquisition/delete_link': acquisition('link_deleted'),
  // Who wrote and what is said by kf/sync_msg alone. Token opens it for ten minutes: it goes nowhere.
  kf_msg_or_event: (message) => brand('messages_announced', { open_kfid: message.field('OpenKfId') }),
};

/** The ids in MemChangeList: of those that can only be a customer's, and how many nobody can tell from the staff's. */
export function groupMembers(ids: readonly Json[]): { customers: readonly string[]; unclear: number } {
  const texts = [...new Set(ids.filter((id) => typeof id === 'string'))];
  return {
    // wm: a customer who uses WeChat.
    customers: texts.filter((id) => id.startsWith('wm')),
    // wo: a customer who uses WeCom, or one of the staff as a provider's app sees them. Anything else is staff.
    unclear: texts.filter((id) => id.startsWith('wo')).length,
  };
}
