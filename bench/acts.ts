// What customers do, as their senders say it: each act is one event.
import type { Dice } from './dice.ts';
import type { Customer } from './people.ts';

/** One thing that somebody did, before it is packed into a request. */
export type Act =
  | { readonly by: 'web' | 'server'; readonly at: number; readonly call: Record<string, unknown> }
  | { readonly by: 'pos' | 'crm'; readonly at: number; readonly row: Record<string, unknown> }
  | { readonly by: 'oa'; readonly at: number; readonly fields: Record<string, string> };

type Does = (who: Customer, at: number, d: Dice) => Act;

const iso = (at: number) => new Date(at).toISOString();

const oa =
  (event: string, key: string): Does =>
  (who, at) => ({
    by: 'oa',
    at,
    fields: {
      ToUserName: 'gh_5a1c0de0demo',
      FromUserName: who.openid,
      CreateTime: String(Math.floor(at / 1000)),
      MsgType: 'event',
      Event: event,
      EventKey: key,
    },
  });

const paths = ['/serum', '/cream', '/lipstick', '/sets/spring', '/member', '/stores', '/guide/skin'] as const;
const campaigns = ['', '', '', '?utm_source=wechat&utm_medium=menu&utm_campaign=autumn'] as const;
const devices: readonly [Device, ...Device[]] = [
  { type: 'ios', model: 'iPhone', os: 'iOS' },
  { type: 'android', model: 'HUAWEI', os: 'Android' },
];
interface Device {
  readonly type: string;
  readonly model: string;
  readonly os: string;
}

/** A call of a browser: members are signed in on it in half of their visits. */
function web(who: Customer, at: number, d: Dice, call: Record<string, unknown>): Act {
  const path = d.pick(paths);
  const { os, ...device } = d.pick(devices);
  const page = { url: `https://m.qinghe.example.com${path}${d.pick(campaigns)}`, path };
  return {
    by: 'web',
    at,
    call: {
      ...call,
      messageId: `ajs-next-${d.token(22)}`,
      anonymousId: d.chance(0.85) ? who.browsers[0] : who.browsers.at(-1),
      ...(who.member !== undefined && d.chance(0.5) && { userId: who.member }),
      timestamp: iso(at),
      context: { page, locale: 'zh-CN', device, os: { name: os } },
    },
  };
}

const product = (d: Dice) => ({ product_id: `QH-${d.whole(100, 480)}`, name: '玻尿酸精华 30ml', price: 289 });

/** A row of a till or the CRM, about a member where there is one, else about whoever follows the account. */
const row =
  (by: 'pos' | 'crm', type: string, data: (who: Customer, d: Dice) => Record<string, unknown>): Does =>
  (who, at, d) => ({
    by,
    at,
    row: {
      type,
      timestamp: iso(at),
      data: {
        ...data(who, d),
        event_id: d.token(20),
        ...(who.member !== undefined
          ? { member_id: who.member, phone: who.phone }
          : { openid: who.openid, appid: APP }),
      },
    },
  });

/** The appId of the demo brand's official account. */
const APP = 'wx5a1c0de0demo0001';

const order = (who: Customer, d: Dice) => {
  const amount = Math.round(d.longTailed(24_000, 0.8) / 100) * 100;
  who.lastOrder = { id: `${d.token(4)}-${d.whole(1e6, 9e6)}`, amount };
  return { order_id: who.lastOrder.id, amount, currency: 'CNY' };
};

const ordersOnline: Does = (who, at, d) => ({
  by: 'server',
  at,
  call: {
    type: 'track',
    event: 'Order Completed',
    messageId: `node-next-${d.token(20)}`,
    ...(who.member === undefined ? { anonymousId: who.browsers[0] } : { userId: who.member }),
    timestamp: iso(at),
    properties: shopOrder(order(who, d), d),
  },
});

const shopOrder = ({ order_id, amount, currency }: ReturnType<typeof order>, d: Dice) => ({
  order_id,
  total: amount / 100,
  currency,
  products: [{ ...product(d), quantity: 1 }],
});

const looks: Does = (who, at, d) => web(who, at, d, { type: 'page' });
const views: Does = (who, at, d) =>
  web(who, at, d, { type: 'track', event: 'Product Viewed', properties: product(d) });
const clicks: Does = (who, at, d) => oa('CLICK', `MENU_${d.whole(1, 6)}`)(who, at, d);
const scans: Does = (who, at, d) => oa('SCAN', `store00${d.whole(10, 40)}`)(who, at, d);
const adds: Does = (who, at, d) =>
  web(who, at, d, { type: 'track', event: 'Product Added', properties: { ...product(d), quantity: 1 } });
const buys = row('pos', 'order.paid', (who, d) => order(who, d));
const redeems = row('crm', 'coupon.redeemed', (_, d) => ({ coupon_code: d.token(12) }));
const returns = row('pos', 'order.refunded', (who, d) => ({
  order_id: who.lastOrder?.id ?? d.token(10),
  refund_id: d.token(10),
  amount: Math.round((who.lastOrder?.amount ?? 10_000) / 2),
  currency: 'CNY',
}));
const rises = row('crm', 'member_level_changed', (who, d) => ({
  member_id: who.member ?? d.token(6),
  new_level: d.pick(['silver', 'gold'] as const),
}));

/**
 * What customers do, in events of a hundred. `usual`: 2 orders and 5.5 in the cart, as in the hundred million events of
 * Alibaba's published UserBehavior log (2.0 % purchases, 5.5 % additions to the cart); the other shares are ours.
 * `ordering`: 8 orders, as of a brand that tells us of little else.
 */
export const mixes = {
  usual: [
    [43, looks],
    [17.5, views],
    [20, clicks],
    [10, scans],
    [5.5, adds],
    [1.2, buys],
    [0.8, ordersOnline],
    [0.8, redeems],
    [0.2, returns],
    [1, rises],
  ],
  ordering: [
    [40, looks],
    [15, views],
    [20, clicks],
    [10.5, scans],
    [4, adds],
    [5, buys],
    [3, ordersOnline],
    [1, redeems],
    [0.5, returns],
    [1, rises],
  ],
} as const satisfies Record<string, readonly (readonly [number, Does])[]>;

/** One act of a mix. */
export const act = (who: Customer, at: number, d: Dice, mix: keyof typeof mixes = 'usual'): Act =>
  d.weighted(mixes[mix])(who, at, d);

/** How somebody becomes known: follows, is linked to what they are elsewhere, registers, and signs in on each browser. */
export function introduction(who: Customer, at: number, d: Dice): Act[] {
  const linked = {
    type: 'identity.linked',
    timestamp: iso(at + 60_000),
    data: {
      event_id: d.token(20),
      source: 'mp-sdk',
      openid: who.openid,
      appid: APP,
      unionid: who.unionid,
      member_id: who.member,
      phone: who.phone,
    },
  };
  const registered = {
    type: 'member.registered',
    timestamp: iso(at + 90_000),
    data: {
      event_id: d.token(20),
      member_id: who.member,
      phone: who.phone,
      gender: d.pick(['f', 'f', 'f', 'm'] as const),
      city: d.pick(['上海', '杭州', '成都', '深圳', '北京'] as const),
      traits: { skin_type: d.pick(['dry', 'oily', 'sensitive', 'mixed'] as const) },
    },
  };
  const opened = who.browsers.map((browser, i): Act => {
    const signedIn = who.member === undefined ? {} : { userId: who.member };
    const call = { type: 'page', messageId: `ajs-next-${d.token(22)}`, anonymousId: browser, ...signedIn };
    const page = { url: 'https://m.qinghe.example.com/member' };
    const then = at + 120_000 + i * 60_000;
    return {
      by: 'web',
      at: then,
      call: { ...call, timestamp: iso(then), context: { page, locale: 'zh-CN' } },
    };
  });
  return [
    oa('subscribe', d.chance(0.4) ? 'qrscene_store0021' : '')(who, at, d),
    { by: 'crm', at: at + 60_000, row: linked },
    ...(who.member === undefined ? [] : [{ by: 'crm' as const, at: at + 90_000, row: registered }]),
    ...opened,
  ];
}
