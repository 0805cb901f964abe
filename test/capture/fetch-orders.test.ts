// Scope: orders that Doudian and Xiaohongshu only announce, asked of shops that listen on a port and check signatures
// and tokens; one payment is one event, one conversion and one order, with its amount and its buyer.
import { afterEach, describe, expect, test } from 'vitest';
import { openedWith, sealedWith } from '../../lib/channels/sealed.ts';
import { doudian } from '../channels/vendors/doudian.ts';
import { aDoudianApi, anArkApi } from '../channels/vendors/shop-apis.ts';
import { xiaohongshu } from '../channels/vendors/xiaohongshu.ts';
import { aFetching } from './fetching.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const order = '4705288465508532862';
const PAID_AT = 1_760_000_001;

async function aDoudian() {
  const appKey = String(doudian.accounts.main?.appKey);
  const { appSecret } = Object(doudian.secrets.doudian);
  const api = await aDoudianApi(appKey, appSecret, '95250');
  closing.push(api.close);
  const it = aFetching({
    channel: 'doudian',
    vendor: doudian,
    secretName: 'doudian',
    settings: { shopId: '95250', fetch: ['orders'], url: api.url },
    secret: { ...Object(doudian.secrets.doudian) },
  });
  return { api, ...it };
}

const pushed = (tag: string, id: string, over = '') =>
  `[{"tag":"${tag}","msg_id":"${id}","data":"{\\"p_id\\":${order},\\"shop_id\\":95250,\\"order_status\\":2,\\"pay_time\\":${PAID_AT}${over}}"}]`;
const detail = (over: object = {}) => ({
  shop_id: 95_250,
  order_id: order,
  order_status: 2,
  pay_time: PAID_AT,
  pay_amount: 26_800,
  pay_type: 1,
  doudian_open_id: 'buyer-1',
  encrypt_post_tel: '##cipher',
  sku_order_list: [
    { product_id: '3601', sku_id: '1', product_name: '龙井', item_num: 2, pay_amount: 26_800 },
  ],
  ...over,
});

describe('a paid order of Doudian', () => {
  test('is fetched with amount, goods and buyer; of two pushes for one payment it is one event', async () => {
    const { api, say, events, settle, fetched, profiles } = await aDoudian();
    api.orders.set(order, detail());
    await say(pushed('101', 'm1', ',\\"pay_amount\\":1'));
    await say(pushed('110', 'm2'));
    expect(events()).toEqual([]);
    expect(api.calls).toEqual([]);
    await settle();
    await say(pushed('101', 'm1'));
    await settle();
    expect(new Set(fetched().map(({ id }) => id)).size).toBe(1);
    expect(fetched()[0]).toMatchObject({
      type: 'order_paid',
      occurredAt: '2025-10-09T08:53:21.000Z',
      identifiers: [
        { kind: 'doudian_open_id', value: 'buyer-1' },
        { kind: 'order_id', scope: 'doudian:95250', value: order },
      ],
      properties: {
        order_id: order,
        paid_amount: 26_800,
        currency: 'CNY',
        items: [{ product_id: '3601', sku_id: '1', name: '龙井', quantity: 2, paid_amount: 26_800 }],
      },
    });
    expect(JSON.stringify(fetched())).not.toContain('cipher');
    const world = await profiles();
    await world.attribute();
    expect(world.rowsOf('A#').map(({ orders, money }) => ({ orders, money }))).toEqual([
      { orders: 1, money: { CNY: 26_800 } },
    ]);
    expect(world.rowsOf('V#')).toHaveLength(1);
  });

  test('what else is pushed is an event as before', async () => {
    const { say, events, hints } = await aDoudian();
    await say(pushed('100', 'm1', ',\\"create_time\\":1760000000'));
    expect(events().map(({ type }) => type)).toEqual(['order_created']);
    expect(hints).toEqual([]);
  });

  test('that Doudian does not know of yet is asked again; after an hour it waits in quarantine', async () => {
    const { api, say, work, state, fetched, refusedHints } = await aDoudian();
    api.orders.set(order, detail({ pay_time: 0 }));
    await say(pushed('101', 'm1'));
    expect(await work()).toBe(1);
    expect([fetched(), refusedHints()]).toEqual([[], []]);
    state.now += 3_600_000;
    expect(await work()).toBe(0);
    expect(refusedHints()).toMatchObject([{ reason: 'not_confirmed' }]);
  });

  test('of another shop is a fault', async () => {
    const { api, say, settle, fetched, refusedHints } = await aDoudian();
    api.orders.set(order, detail({ shop_id: 7 }));
    await say(pushed('101', 'm1'));
    await settle();
    expect(fetched()).toEqual([]);
    expect(refusedHints()).toMatchObject([{ reason: 'bad_shape' }]);
  });

  test('is asked with a token that is renewed once when Doudian forgot it', async () => {
    const { api, say, work, fetched } = await aDoudian();
    api.orders.set(order, detail());
    await say(pushed('101', 'm1'));
    await work();
    api.token = '';
    await say(pushed('101', 'm2'));
    expect(await work()).toBe(0);
    expect(fetched()).toHaveLength(2);
    expect(api.made).toBe(2);
  });

  test.each([
    [{ code: 20_000, sub_code: 'isp.service-error:1' }, 1, []],
    [{ code: 40_004, sub_code: 'isv.app-call-limited' }, 1, []],
    [{ code: 40_003, sub_code: 'isv.signature-invalid' }, 1, []],
    [{ code: 50_002, sub_code: 'isv.api-permission-denied' }, 0, ['vendor_refused']],
  ])('%o: how many come again, and what goes to quarantine', async (answer, again, reasons) => {
    const { api, say, work, refusedHints } = await aDoudian();
    api.refuses = (method) => (method === 'order.orderDetail' ? answer : undefined);
    await say(pushed('101', 'm1'));
    expect(await work()).toBe(again);
    expect(refusedHints().map(({ reason }) => reason)).toEqual(reasons);
  });
});

async function aSeller() {
  const appKey = String(xiaohongshu.accounts.main?.appKey);
  const held = Object(xiaohongshu.secrets.xiaohongshu);
  const api = await anArkApi(appKey, held.appSecret);
  closing.push(api.close);
  const it = aFetching({
    channel: 'xiaohongshu',
    vendor: xiaohongshu,
    secretName: 'xiaohongshu',
    settings: { fetch: ['orders'], url: api.url },
    secret: { ...held, refreshToken: 'refresh-0' },
  });
  const sellerId = String(xiaohongshu.accounts.main?.sellerId);
  let nonce = 0;
  const status = (orderStatus: number, orderId = 'P1') =>
    tell('msg_fulfillment_status_change', { orderId, orderStatus, updateTime: PAID_AT * 1000 });
  const tell = (msgTag: string, data: object) =>
    it.say(JSON.stringify([{ msgTag, sellerId, data: JSON.stringify(data) }]), {
      about: { tenant: `t${++nonce}` },
    });
  return { api, status, tell, held, ...it };
}

const paidOrder = (over: object = {}) => ({
  orderId: 'P1',
  userId: 'u-77',
  orderStatus: 4,
  paidTime: PAID_AT * 1000,
  totalPayAmount: 12_900,
  paymentType: 2,
  skuList: [{ skuId: 's1', skuName: '茶', skuQuantity: 1, totalPaidAmount: 12_900 }],
  ...over,
});

describe('a paid order of Xiaohongshu', () => {
  test('is one event with its amount, authentic, of the buyer; two orders of one buyer are one profile', async () => {
    const { api, status, settle, events, fetched, profiles, brand } = await aSeller();
    api.orders.set('P1', paidOrder());
    api.orders.set('P2', paidOrder({ orderId: 'P2', paidTime: (PAID_AT + 60) * 1000 }));
    await status(2);
    await status(2, 'P2');
    expect(events()).toEqual([]);
    await settle();
    expect(fetched()[0]).toMatchObject({
      type: 'order_paid',
      occurredAt: '2025-10-09T08:53:21.000Z',
      context: { verified: 'signed' },
      properties: { order_id: 'P1', paid_amount: 12_900, currency: 'CNY' },
    });
    const world = await profiles();
    await world.attribute();
    const seller = String(brand.channels.xiaohongshu?.main?.sellerId);
    expect(await world.events(`xiaohongshu_user_id@${seller}:u-77`)).toHaveLength(2);
    expect(world.rowsOf('A#').map(({ orders, money }) => ({ orders, money }))).toEqual([
      { orders: 2, money: { CNY: 25_800 } },
    ]);
  });

  test('that was only claimed is never an event', async () => {
    const { status, settle, state, fetched, refusedHints, work } = await aSeller();
    await status(2, 'P-forged');
    expect(await work()).toBe(1);
    state.now += 3_600_000;
    await settle();
    expect(fetched()).toEqual([]);
    expect(refusedHints()).toMatchObject([{ reason: 'not_confirmed' }]);
  });

  test('that is paid back is told with the amount in fen', async () => {
    const { api, tell, settle, fetched } = await aSeller();
    const info = { returnsId: 'R1', orderId: 'P1', userId: 'u-77', refundAmountYuan: 12.9 };
    api.returns.set('R1', { ...info, refundTime: PAID_AT * 1000, returnType: 1 });
    await tell('msg_after_sale_refund_finished', {
      orderId: 'P1',
      returnsId: 'R1',
      updateTime: 1_760_000_000_000,
    });
    await settle();
    expect(fetched()).toMatchObject([
      { type: 'order_refunded', properties: { refund_id: 'R1', order_id: 'P1', refund_amount: 1290 } },
    ]);
  });

  test('is asked with tokens that outlive the instance, are renewed once, and are sealed where they are kept', async () => {
    const { api, status, work, restart, fetched, rows, held } = await aSeller();
    api.orders.set('P1', paidOrder());
    await status(2);
    await work();
    restart();
    await status(2);
    expect(await work()).toBe(0);
    expect(api.made).toBe(1);
    api.token = 'forgotten'; // the vendor takes another one now
    await status(2);
    expect(await work()).toBe(0);
    expect(api.made).toBe(2);
    expect(fetched()).toHaveLength(3);
    const text = JSON.stringify(rows.rows());
    expect(text).not.toMatch(/ark-token|refresh-\d/);
    expect(text).toContain('oauth.refreshToken');
    expect(held.appSecret.length).toBeGreaterThan(0);
  });

  test('with a refresh token that is not taken it is told what to do, and waits', async () => {
    const { api, status, work, facts, refusedHints } = await aSeller();
    api.refuses = (method) =>
      method === 'oauth.refreshToken' ? { success: false, error_code: 9, error_msg: 'no' } : undefined;
    await status(2);
    expect(await work()).toBe(1);
    expect(facts).toMatchObject([{ what: 'misconfigured', message: expect.stringMatching(/permit again/) }]);
    expect(refusedHints()).toEqual([]);
  });
});

test('a token is opened with the secret that sealed it and no other', () => {
  const sealed = sealedWith('one', 'a token');
  expect(openedWith('one', sealed)).toBe('a token');
  expect(openedWith('two', sealed)).toBeUndefined();
  expect(openedWith('one', sealed.replace(/^..../, 'AAAA'))).toBeUndefined();
});
