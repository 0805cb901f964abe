import type { Identifier } from '../events/event.ts';

interface Kind {
  /** Strong kinds may join two profiles; weak ones attach to one at a time. */
  readonly strength: 'strong' | 'weak';
  /** Personal values are stored encrypted and looked up by a keyed digest. */
  readonly personal?: boolean;
  /** What it is unique within when the sender does not say; `brand` stands for the brand. */
  readonly scope: string;
}

/**
 * The kinds of identifier, strongest first: an event whose strong identifiers belong to different profiles belongs
 * to that of the first kind in this list, and a weak event to that of its first weak kind.
 *
 * A phone or e-mail that nobody verified is a kind of its own, so that strength is a property of the kind.
 */
export const kinds = {
  member_id: { strength: 'strong', scope: 'brand' },
  wechat_unionid: { strength: 'strong', scope: 'brand' },
  customer_id: { strength: 'strong', scope: 'brand' },
  shopify_customer_id: { strength: 'strong', scope: 'brand' },
  stripe_customer_id: { strength: 'strong', scope: 'brand' },
  wecom_external_userid: { strength: 'strong', scope: 'brand' },
  douyin_union_id: { strength: 'strong', scope: 'brand' },
  youzan_open_id: { strength: 'strong', scope: 'brand' },
  weimob_wid: { strength: 'strong', scope: 'brand' },
  phone: { strength: 'strong', scope: 'e164', personal: true },
  email: { strength: 'strong', scope: 'rfc5322', personal: true },
  wechat_openid: { strength: 'weak', scope: 'brand' },
  douyin_open_id: { strength: 'weak', scope: 'brand' },
  doudian_open_id: { strength: 'weak', scope: 'brand' },
  taobao_buyer_open_uid: { strength: 'weak', scope: 'brand' },
  xiaohongshu_user_id: { strength: 'weak', scope: 'brand' },
  feishu_open_id: { strength: 'weak', scope: 'brand' },
  dingtalk_userid: { strength: 'weak', scope: 'brand' },
  unverified_phone: { strength: 'weak', scope: 'e164', personal: true },
  unverified_email: { strength: 'weak', scope: 'rfc5322', personal: true },
  anonymous_id: { strength: 'weak', scope: 'brand' },
  device_id: { strength: 'weak', scope: 'brand' },
  /** An order of a shop whose pushes do not always name the buyer: what is said of the order finds who made it. */
  order_id: { strength: 'weak', scope: 'brand' },
} satisfies Record<string, Kind>;

export type KindName = keyof typeof kinds;

const order = new Map(Object.keys(kinds).map((kind, i) => [kind, i]));
const table: Record<string, Kind> = kinds;

/** Kinds that the table does not know are custom and weak: a stranger can attach, never join. */
const custom: Kind = { strength: 'weak', scope: 'brand' };

export const kindOf = (kind: string): Kind => (Object.hasOwn(table, kind) ? table[kind]! : custom);
export const isStrong = (id: Pick<Identifier, 'kind'>): boolean => kindOf(id.kind).strength === 'strong';
export const isPersonal = (id: Pick<Identifier, 'kind'>): boolean => kindOf(id.kind).personal === true;

/** Strongest kind first, then by scope and value: a total order, the same on every machine. */
export function byRank(a: Identifier, b: Identifier): number {
  const rank = (order.get(a.kind) ?? order.size) - (order.get(b.kind) ?? order.size);
  return rank || compare(a.kind, b.kind) || compare(a.scope, b.scope) || compare(a.value, b.value);
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
