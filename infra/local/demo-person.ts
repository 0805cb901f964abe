// What one person does, told by each channel in its own words.
import { createHash } from 'node:crypto';
import { exponentOf } from '../../lib/events/currency.ts';
import type { Json } from '../../lib/events/event.ts';
import type { Brand } from '../../lib/platform/brand.ts';
import { toIso } from '../../lib/platform/clock.ts';
import type { Senders } from './demo-accounts.ts';
import type { Step } from './demo-send.ts';

/** A campaign as its links carry it. */
export interface Campaign {
  readonly source: string;
  readonly medium: string;
  readonly name: string;
}

export interface Product {
  readonly id: string;
  readonly name: string;
  /** In minor units. */
  readonly price: number;
}

export interface Names {
  readonly member: string;
  readonly openId: string;
  readonly unionId: string;
  readonly anonymous: string;
  readonly phone: string;
}

type Fields = Readonly<Record<string, Json>>;

/**
 * One person of the demo. Each method is one message of a vendor, at an instant; nothing is sent here.
 *
 * @param tag what makes this person's names and messages differ from all others
 */
export function openPerson(
  tag: string,
  phone: string,
  site: string,
  brand: Brand,
  { wechat }: Senders,
  tell: (step: Step) => void,
) {
  const hash = createHash('sha256').update(tag).digest('base64url').replace(/[-_]/g, 'x');
  const names: Names = {
    member: `M${tag}`,
    openId: `o${hash.slice(0, 27)}`,
    unionId: `oU${hash.slice(0, 26)}`,
    anonymous: `web-${hash.slice(0, 16)}`,
    phone,
  };
  let counter = 0;
  const next = (kind: string) => `${kind}-${tag}-${++counter}`;
  const { currency } = brand;
  const whole = (amount: number) => amount / 10 ** exponentOf(currency);

  const seconds = (at: number) => String(Math.floor(at / 1000));
  const message = (at: number, MsgType: string, fields: Readonly<Record<string, string>>) => {
    const who = { ToUserName: 'gh_demo', FromUserName: names.openId, CreateTime: seconds(at) };
    tell({ at, by: 'wechat', fields: { ...who, MsgType, ...fields } });
  };
  const happened = (at: number, Event: string, fields: Readonly<Record<string, string>> = {}) =>
    message(at, 'event', { Event, ...fields });

  /** A row of the signed channel: whom it is about stands in `who`. */
  const row = (at: number, by: 'pos' | 'crm', type: string, data: Fields, who: Fields = member) =>
    tell({ at, by, row: { type, timestamp: toIso(at), data: { event_id: next('e'), ...who, ...data } } });
  const member = { member_id: names.member, phone };

  const url = (path: string, campaign?: Campaign) => {
    const { source = '', medium = '', name = '' } = campaign ?? {};
    const query = new URLSearchParams({ utm_source: source, utm_medium: medium, utm_campaign: name });
    return `https://${site}${path}${campaign ? `?${query}` : ''}`;
  };
  let signedIn = false;
  const visitor = () => ({ anonymousId: names.anonymous, ...(signedIn && { userId: names.member }) });
  const call = (
    at: number,
    type: string,
    rest: Readonly<Record<string, unknown>>,
    by: 'web' | 'server' = 'web',
  ) => tell({ at, by, row: { type, messageId: next('s'), timestamp: toIso(at), ...rest } });

  return {
    names,
    /** Follows the official account, by a QR code where `scene` says which. */
    follow: (at: number, scene?: string) =>
      happened(at, 'subscribe', { EventKey: scene ? `qrscene_${scene}` : '' }),
    unfollow: (at: number) => happened(at, 'unsubscribe', { EventKey: '' }),
    scan: (at: number, scene: string) => happened(at, 'SCAN', { EventKey: scene }),
    clickMenu: (at: number, key: string) => happened(at, 'CLICK', { EventKey: key }),
    write: (at: number, text: string) =>
      message(at, 'text', {
        Content: text,
        MsgId: String(createHash('sha256').update(next('t')).digest().readBigUInt64BE() >> 2n),
      }),
    /** Takes a coupon into the card wallet: the one message that carries the UnionID. */
    takeCard: (at: number, card: string, code: string) =>
      happened(at, 'user_get_card', {
        CardId: card,
        UserCardCode: code,
        IsGiveByFriend: '0',
        UnionId: names.unionId,
      }),
    useCard: (at: number, card: string, code: string) =>
      happened(at, 'user_consume_card', { CardId: card, UserCardCode: code, ConsumeSource: 'FROM_API' }),

    /** Signs in to the mini program, where the app's back end learns all names at once. */
    link: (at: number) =>
      tell({
        at,
        by: 'crm',
        row: {
          type: 'identity_linked',
          id: next('link'),
          timestamp: toIso(at),
          identifiers: [
            { kind: 'member_id', value: names.member },
            { kind: 'phone', value: phone },
            ...(wechat
              ? [
                  { kind: 'wechat_openid', scope: wechat.appId, value: names.openId },
                  { kind: 'wechat_unionid', scope: wechat.unionScope, value: names.unionId },
                ]
              : []),
          ],
          properties: { link_source: 'mini_program' },
        },
      }),
    /** Anything that the till or the CRM tells of a member. */
    row,

    /** Becomes a contact of somebody in a shop, on WeCom. */
    addContact: (at: number, staff: string) =>
      row(at, 'crm', 'contact.added', { staff_id: staff, channel: 'wecom' }),

    page: (at: number, path: string, title: string, campaign?: Campaign, referrer?: string) =>
      call(at, 'page', {
        ...visitor(),
        context: { page: { url: url(path, campaign), path, title, referrer }, locale: brand.locale },
      }),
    track: (at: number, event: string, product: Product, properties: Fields = {}, campaign?: Campaign) =>
      call(at, 'track', {
        ...visitor(),
        event,
        properties: {
          product_id: product.id,
          name: product.name,
          price: whole(product.price),
          currency,
          ...properties,
        },
        context: { page: { url: url(`/p/${product.id}`, campaign) }, locale: brand.locale },
      }),
    /** Signs in to the web shop: from here on pages know the member. */
    signIn(at: number, traits: Fields = {}): void {
      signedIn = true;
      call(at, 'identify', { ...visitor(), traits });
    },
    /** An order of the web shop, told by its server. @returns the order's number */
    orderOnline(at: number, products: readonly Product[], discount = 0): string {
      const order = next('WEB');
      const total = products.reduce((sum, { price }) => sum + price, 0) - discount;
      call(
        at,
        'track',
        {
          userId: names.member,
          event: 'Order Completed',
          properties: {
            order_id: order,
            total: whole(total),
            discount: whole(discount),
            currency,
            products: products.map(({ id, price }) => ({ product_id: id, quantity: 1, price: whole(price) })),
          },
        },
        'server',
      );
      return order;
    },
    refundOnline: (at: number, order: string, amount: number) =>
      call(
        at,
        'track',
        {
          userId: names.member,
          event: 'Order Refunded',
          properties: { order_id: order, refund_id: `R-${order}`, total: whole(amount), currency },
        },
        'server',
      ),
    /** An order at the till. @returns the order's number */
    orderInStore(at: number, store: string, products: readonly Product[]): string {
      const order = next('POS');
      row(at, 'pos', 'order.paid', {
        order_id: order,
        amount: products.reduce((sum, { price }) => sum + price, 0),
        currency,
        store_id: store,
        items: products.map(({ id, price }) => ({ product_id: id, quantity: 1, price_amount: price })),
      });
      return order;
    },
    refundInStore: (at: number, order: string, amount: number) =>
      row(at, 'pos', 'order.refunded', { order_id: order, refund_id: `R-${order}`, amount, currency }),
    next,
  };
}
export type Person = ReturnType<typeof openPerson>;
