import { FaultError } from '../events/fault.ts';
import { type DraftIdentifier, phoneNumber } from '../events/identifiers.ts';
import { keyed, type Place, type Reading } from './channel.ts';
import { chinaTime } from './china-time.ts';
import { type Fields, textOf } from './context.ts';
import type { Entry, Meaning, WeimobPush } from './weimob-meaning.ts';
import {
  closed,
  orderCreated,
  orderStatus,
  refunded,
  requested,
  rightsNeeds,
  rightsStatus,
} from './weimob-orders.ts';
import {
  cancellation,
  comment,
  contact,
  groupMember,
  issued,
  lead,
  level,
  member,
  messageSent,
  phoneBind,
  phoneRebind,
  phoneRelease,
  pointChange,
  redeemed,
  tag,
  voided,
  widMerge,
} from './weimob-people.ts';

export interface WeimobSettings {
  readonly corpId?: string;
  readonly unionScope?: string;
}

/** Topics and events of WOS, then of 新云. */
const entries: Readonly<Record<string, Entry>> = {
  'weimob_shop.order:create': { needs: ['orderNo', 'createTime'], bars: ['rightsId'], means: orderCreated },
  'weimob_shop.order:orderCreate': {
    needs: ['orderNo', 'createTime'],
    bars: ['rightsId'],
    means: orderCreated,
  },
  'weimob_shop.order:statusUpdate': orderStatus,
  'weimob_shop.order:orderStatusUpdate': orderStatus,
  'weimob_shop.rights:create': { needs: rightsNeeds, bars: ['status'], means: requested },
  'weimob_shop.rights:rightsCreate': { needs: rightsNeeds, bars: ['status'], means: requested },
  'weimob_shop.rights:statusUpdate': rightsStatus,
  'weimob_shop.rights:rightsStatusUpdate': rightsStatus,
  'weimob_crm.membercard:create': { needs: ['wid', 'customCardNo'], means: member('member_registered') },
  'weimob_crm.membercard:delete': {
    needs: ['wid', 'customCardNo'],
    bars: ['bindType', 'offline', 'guideWid'],
    means: member('member_left'),
  },
  'weimob_crm.membercard.level:change': { needs: ['wid', 'newLevelId'], means: level },
  'weimob_crm.point.change:pointChange': pointChange,
  'weimob_crm.coupon:receive': issued,
  'weimob_crm.coupon:receiveCoupon': issued,
  'weimob_crm.coupon:consume': redeemed,
  'weimob_crm.coupon:consumeCoupon': redeemed,
  'weimob_crm.coupon:expire': voided('expired'),
  'weimob_crm.coupon:expireCoupon': voided('expired'),
  'weimob_crm.coupon:cancel': voided('cancelled'),
  'weimob_crm.coupon:cancelCoupon': voided('cancelled'),
  'weimob_aewc.customer.add.msg:add': contact,
  'weimob_aewc.customer.group:addMember': groupMember,
  'weimob_cdp.customer.tag:update': tag,
  'bos.user:widMerge': widMerge,
  'bos.user:phoneBindEvent': phoneBind,
  'bos.user:phoneRebindEvent': phoneRebind,
  'bos.user:phoneReleaseEvent': phoneRelease,
  'bos.user:accountCancellationEvent': cancellation,
  'bos.message.wechat.subscribe:send': messageSent,
  'weimob_notes:comment': comment,
  'weimob_notes.content.consumer.action:comment': comment,
  'ec_order:createOrder': { needs: ['orderNo', 'createTime'], bars: ['rightsId'], means: orderCreated },
  'ec_rights:createRights': { needs: rightsNeeds, means: requested },
  'ec_rights:completeRights': { needs: rightsNeeds, means: refunded },
  'ec_rights:cancelRights': { needs: rightsNeeds, means: closed('buyer_cancelled') },
  'mc_member:openMemberCard': {
    needs: ['wid', 'memberCode'],
    bars: ['newRankId'],
    means: member('member_registered'),
  },
  'mc_member:deleteMemberCard': { needs: ['wid', 'mid', 'code'], means: member('member_left') },
  'mc_member:memberRankChange': { needs: ['wid', 'newRankId'], means: level },
  'xiaoke_clue:create': lead,
  'xiaoke_clue:add': lead,
};

/**
 * What a push means. @throws FaultError where the message has not the fields of its topic, or has those of another:
 * topics are not signed
 */
export function weimobReading(push: WeimobPush, place: Place<WeimobSettings>): Reading {
  const name = `${push.topic}:${push.event}`;
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (!entry) return { drafts: [], ignored: name };
  if (!isOf(entry, push.message))
    throw new FaultError(
      'bad_shape',
      'the message has not the fields of its topic, or those of another topic',
    );
  const meanings = entry.means(push);
  if (meanings.length === 0) return { drafts: [], ignored: name };
  return {
    drafts: meanings.map((meaning, index) => ({
      type: meaning.type,
      key: meaning.key ?? keyed(push.key, index),
      at: chinaTime(meaning.at),
      identifiers: identifiersOf(meaning, push, place),
      properties: meaning.properties,
    })),
  };
}

function isOf({ needs, bars = [], only }: Entry, message: Fields): boolean {
  const has = (name: string) => textOf(message, name) !== undefined || isList(message, name);
  const isWhole = needs.every((need) => (typeof need === 'string' ? has(need) : need.some(has)));
  const isAlone = only === undefined || Object.keys(message).every((name) => only.includes(name));
  return isWhole && isAlone && !bars.some(has);
}

const isList = (message: Fields, name: string) =>
  Object.hasOwn(message, name) && Array.isArray(message[name]);

/** A staff member typed them: they are a hint, and at most this many are looked at. */
const REMARKS = 3;

function identifiersOf(meaning: Meaning, { message, merchant }: WeimobPush, place: Place<WeimobSettings>) {
  const { settings, home } = place;
  const one = (kind: string, value: string | undefined, scope?: string): DraftIdentifier[] =>
    value === undefined ? [] : [{ kind, scope, value }];
  const corporation = textOf(message, 'corpid', 'corpId') ?? settings.corpId;
  const remarks = Array.isArray(message.remarkMobiles) ? message.remarkMobiles.slice(0, REMARKS) : [];
  const buyer = [
    ...one('weimob_wid', textOf(message, 'wid'), merchant),
    ...one('member_id', textOf(message, 'customCardNo', 'memberCode')),
    ...(corporation
      ? one('wecom_external_userid', textOf(message, 'externalUserId', 'memberId'), corporation)
      : []),
    ...one('wechat_unionid', textOf(message, 'unionid', 'unionId'), settings.unionScope),
    ...remarks.flatMap((it) => one('unverified_phone', phoneNumber(String(it), home.locale))),
    ...phoneOf(meaning, home.locale),
  ];
  return [...buyer, ...orderIdentifier(meaning, message, merchant, buyer.length > 0)];
}

/** What is said of a phone says nothing without it. @throws FaultError */
function phoneOf({ phone }: Meaning, locale: string): DraftIdentifier[] {
  if (phone === undefined) return [];
  const value = phoneNumber(phone, locale);
  if (value === undefined)
    throw new FaultError('bad_identifier', 'the message is of a phone number and has none that can be read');
  return [{ kind: 'phone', value }];
}

/** Refunds, and orders of 新云, do not name the buyer: the order's number does, once it was seen beside the buyer. */
function orderIdentifier(
  { type }: Meaning,
  message: Fields,
  merchant: string,
  isBuyerNamed: boolean,
): DraftIdentifier[] {
  const number = textOf(message, 'orderNo');
  const isOfOrder = /^(order|refund)_/.test(type);
  const isNeeded = /^(order_(created|paid|refunded)|refund_\w+)$/.test(type) || !isBuyerNamed;
  return number && isOfOrder && isNeeded
    ? [{ kind: 'order_id', scope: `weimob:${merchant}`, value: number }]
    : [];
}
