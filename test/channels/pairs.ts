import { type SentRequest, sendGeneric, sendTracking } from '../../lib/channels/sign.ts';
import { NOW, teahouse } from './captured.ts';

/** A sample of `events/`: what the vendor says, and the request in which it says so at a fixed time. */
export interface Sample {
  readonly at: string;
  readonly channel: string;
  readonly account: string;
  /** In clear, before it is signed and sealed. */
  readonly message: string;
  readonly request: SentRequest;
}

const at = new Date(NOW).toISOString();
const openId = 'oQh1tKf8vN2mXc7LpRwZ4sYb0Gd';
const unionId = 'ocQhUnion8vN2mXc7LpRwZ4sYb0G';

function generic(id: string, body: unknown): Sample {
  const message = JSON.stringify(body);
  return {
    at,
    channel: 'generic',
    account: 'pos',
    message,
    request: sendGeneric('pos', message, teahouse.whsec, id, NOW),
  };
}

function tracking(account: 'web' | 'server', call: string, body: unknown): Sample {
  const message = JSON.stringify(body);
  const key = account === 'web' ? teahouse.webKey : teahouse.serverKey;
  return { at, channel: 'segment', account, message, request: sendTracking(call, message, key) };
}

const member = { member_id: 'M00012345', phone: '13800138000' };
const page = {
  url: 'https://m.qinghe.example.com/tea?utm_source=wechat&utm_medium=menu&utm_campaign=autumn',
  title: '龙井',
};
const client = {
  context: { page, locale: 'zh-CN', device: { type: 'ios', model: 'iPhone' }, os: { name: 'iOS' } },
};

/** Every pair of `events/` of our own ways in, by `<channel>/<case>`; those of vendors: vendor-pairs.test.ts. */
export const samples: Readonly<Record<string, Sample>> = {
  'generic/order-paid': generic('msg_2KWPBgLlAfxdpx2AI54pPJ85f4W', {
    type: 'order.paid',
    timestamp: '2025-10-09T16:53:20+08:00',
    data: { source: 'pos', order_id: 'POS-0021-000917', amount: 26800, currency: 'CNY', ...member },
  }),
  'generic/order-refunded': generic('msg_2KWPBgLlAfxdpx2AI54pPJ85f4X', {
    type: 'order.refunded',
    timestamp: '2025-10-09T16:53:21+08:00',
    data: {
      source: 'pos',
      order_id: 'POS-0021-000917',
      refund_id: 'POS-R-000012',
      amount: 6800,
      currency: 'CNY',
      ...member,
    },
  }),
  'generic/login-links-identifiers': generic('msg_2KWPBgLlAfxdpx2AI54pPJ85f4Y', {
    type: 'identity.linked',
    timestamp: '2025-10-09T16:53:20+08:00',
    data: { source: 'mp-sdk', openid: openId, appid: teahouse.appId, unionid: unionId, ...member },
  }),
  'generic/batch-with-a-bad-row': generic('msg_2KWPBgLlAfxdpx2AI54pPJ85f4Z', {
    batch: [
      {
        type: 'lead.submitted',
        timestamp: '2025-10-09T16:53:20+08:00',
        data: {
          event_id: 'lead-1',
          form_id: 'f-autumn',
          phone: '13800138000',
          name: '林小姐',
          utm: { source: 'douyin', campaign: 'autumn' },
        },
      },
      {
        type: 'order.paid',
        timestamp: '2025-10-09T16:53:20+08:00',
        data: { event_id: 'bad-1', order_id: 'o2', amount: 19.9 },
      },
      {
        type: 'course_enrolled',
        id: 'enrol-1',
        timestamp: 1_760_000_000,
        identifiers: [{ kind: 'member_id', value: 'M00012345' }],
        properties: { course_id: 'C7', paid_amount: 99_900, currency: 'CNY' },
        context: { campaign: { channel: 'wecom', name: 'autumn' } },
      },
    ],
  }),
  'segment/browse': tracking('web', 'batch', {
    sentAt: '2025-10-09T08:53:21.500Z',
    batch: [
      {
        type: 'page',
        messageId: 'ajs-1',
        anonymousId: 'anon-1',
        timestamp: '2025-10-09T08:53:18.000Z',
        ...client,
      },
      {
        type: 'track',
        event: 'Product Viewed',
        messageId: 'ajs-2',
        anonymousId: 'anon-1',
        timestamp: '2025-10-09T08:53:19.000Z',
        properties: { product_id: 'LJ-50', name: '明前龙井 50g', price: 278, currency: 'CNY' },
        ...client,
      },
      {
        type: 'track',
        event: 'Product Added',
        messageId: 'ajs-3',
        anonymousId: 'anon-1',
        timestamp: '2025-10-09T08:53:20.000Z',
        properties: { product_id: 'LJ-50', quantity: 2, price: 278, currency: 'CNY' },
        ...client,
      },
    ],
  }),
  'segment/identify': tracking('web', 'identify', {
    messageId: 'ajs-4',
    anonymousId: 'anon-1',
    userId: 'M00012345',
    timestamp: '2025-10-09T08:53:20.500Z',
    traits: { email: 'Lin@Tea.example.com', phone: '13800138000', city: '上海' },
  }),
  'segment/order-completed': tracking('server', 'track', {
    event: 'Order Completed',
    messageId: 'node-1',
    userId: 'M00012345',
    timestamp: '2025-10-09T08:53:21.000Z',
    properties: {
      order_id: 'WEB-77',
      total: 573.5,
      revenue: 556,
      shipping: 17.5,
      currency: 'CNY',
      products: [{ product_id: 'LJ-50', quantity: 2, price: 278 }],
    },
  }),
  'segment/order-claimed-by-a-page': tracking('web', 'track', {
    event: 'Order Completed',
    messageId: 'ajs-5',
    userId: 'M00012345',
    timestamp: '2025-10-09T08:53:21.000Z',
    properties: { order_id: 'WEB-78', total: 1, currency: 'CNY' },
  }),
};
