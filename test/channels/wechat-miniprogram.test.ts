import { describe, expect, test } from 'vitest';
import WXBizMsgCrypt from 'wechat-crypto';
import type { SentRequest } from '../../lib/channels/sign.ts';
import { wechatSignature } from '../../lib/channels/wechat-crypto.ts';
import { HOUR } from '../../lib/platform/clock.ts';
import { aBrand, aCapture, hasShared, NOW, sharedText, without } from './captured.ts';
import { expectIds, expectMeant, numbered, samplesOf } from './published.ts';
import { apps, wechatMiniprogram as vendor } from './vendors/wechat-miniprogram.ts';

const brand = aBrand({ channels: { 'wechat-miniprogram': vendor.accounts } });
const secrets = Object.fromEntries(
  Object.entries(vendor.secrets).map(([name, held]) => [`siyu/${brand.name}/${name}`, held]),
);
const capturing = (over: Parameters<typeof aCapture>[0] = {}) => aCapture({ brand, secrets, ...over });

const sign = (message: string, account = 'shop', now = NOW, nonce = 'n') =>
  vendor.sign({ account, message, now, nonce, about: {} });

const openId = 'oMp9xTea6kQwE2rTyU7iOp3aSdF';
const push = (Event: string, fields: object = {}) =>
  JSON.stringify({
    ToUserName: 'gh_qhmini0001',
    FromUserName: openId,
    CreateTime: 1_760_000_000,
    MsgType: 'event',
    Event,
    ...fields,
  });
const order = (event: string, rest = '') =>
  push(event, { order_info: '@' }).replace('"@"', `{"order_id":3705115058471208928${rest}}`);

describe('a mini program and a WeChat shop', () => {
  test('an order number beyond 2^53 keeps each digit', async () => {
    const { send, events } = capturing();
    const reply = await send(sign(order('channels_ec_order_new')));
    expect(reply).toMatchObject({ statusCode: 200, body: 'success' });
    expect(events()).toMatchObject([
      { type: 'order_created', properties: { order_id: '3705115058471208928' } },
    ]);
  });

  test('a payment whose push has no amount claims none', async () => {
    const { send, events } = capturing();
    await send(sign(order('channels_ec_order_pay', ',"pay_time":1760000000')));
    const [paid] = events();
    expect(paid).toMatchObject({ type: 'order_paid', properties: { amount_pending: true } });
    expect(Object.keys(paid?.properties ?? {})).not.toContain('paid_amount');
  });

  test('each published state of an after-sale order is a request, a refund or an end', async () => {
    const { send, events, faults } = capturing();
    const states = {
      MERCHANT_PROCESSING: 'refund_requested',
      USER_WAIT_RETURN: 'refund_requested',
      MERCHANT_REFUND_SUCCESS: 'order_refunded',
      MERCHANT_RETURN_SUCCESS: 'order_refunded',
      USER_CANCELD: 'refund_closed',
      MERCHANT_REJECT_REFUND: 'refund_closed',
    };
    for (const status of Object.keys(states)) {
      const update = { status, after_sale_order_id: '2000000000012345', order_id: '3705115058471208928' };
      const fields = { finder_shop_aftersale_status_update: update };
      await send(sign(push('channels_ec_aftersale_update', fields)));
    }
    expect(faults()).toEqual([]);
    expect(events().map(({ type }) => type)).toEqual(Object.values(states));
    expect(new Set(events().map(({ id }) => id)).size).toBe(6);
    expect(new Set(events().map(({ properties }) => properties.order_id)).size).toBe(1);
  });

  test('a state that nobody published waits in quarantine', async () => {
    const { send, events, faults } = capturing();
    for (const status of ['BRAND_NEW', 'constructor', ''])
      await send(
        sign(
          push('channels_ec_aftersale_update', {
            finder_shop_aftersale_status_update: { status, after_sale_order_id: '1', order_id: '2' },
          }),
        ),
      );
    expect(events()).toEqual([]);
    expect(faults().map(({ reason }) => reason)).toEqual(['bad_shape', 'bad_shape', 'bad_shape']);
  });

  test('where it is not said whether more parcels will come, nothing is guessed', async () => {
    const { send, events, faults } = capturing();
    await send(sign(order('channels_ec_order_deliver')));
    await send(sign(order('channels_ec_order_deliver', ',"finish_delivery":"constructor"')));
    expect(events()).toEqual([]);
    expect(faults()).toMatchObject([{ reason: 'missing_property' }, { reason: 'missing_property' }]);
  });

  test('a masked phone is no phone, and the member is one all the same', async () => {
    const { send, events } = capturing();
    for (const phone_number of ['138****8000', '', '13800138000'])
      await send(
        sign(push('channels_ec_vip_join', { user_info: { phone_number, join_time: 1_760_000_000 } })),
      );
    expect(events().map(({ identifiers }) => identifiers.map(({ kind }) => kind))).toEqual([
      ['wechat_openid'],
      ['wechat_openid'],
      ['wechat_openid', 'phone'],
    ]);
    expect(JSON.stringify(events().map(({ properties }) => properties))).not.toContain('138');
  });

  test('a coupon is found whatever the object around it is called', async () => {
    const { send, events } = capturing();
    for (const name of ['unuse_info', 'use_info'])
      await send(
        sign(
          push('channels_ec_user_coupon_unuse', {
            [name]: { coupon_id: '1', user_coupon_id: '2', unuse_time: '1760000000' },
          }),
        ),
      );
    const [first, again] = events();
    expect(first).toMatchObject({ type: 'coupon_returned', properties: { coupon_code: '2' } });
    expect(again?.id).toBe(first?.id);
  });

  test('whom a consent is about is not who pushed it: two customers of one second are two events', async () => {
    const { send, events } = capturing();
    for (const OpenID of ['oFirst', 'oSecond'])
      await send(
        sign(push('user_authorization_revoke', { FromUserName: 'oWeChat', OpenID, RevokeInfo: '1' }), 'main'),
      );
    expect(events().map(({ identifiers }) => identifiers[0]?.value)).toEqual(['oFirst', 'oSecond']);
    expect(new Set(events().map(({ id }) => id)).size).toBe(2);
  });

  test('a message is XML or JSON by itself, whatever its header says', async () => {
    const { send, events } = capturing();
    const xml = `<xml><ToUserName>gh</ToUserName><FromUserName>${openId}</FromUserName><CreateTime>1760000000</CreateTime><MsgType>event</MsgType><Event>channels_ec_order_new</Event><order_info><order_id>3705115058471208928</order_id></order_info></xml>`;
    await send({ ...sign(xml), headers: { 'content-type': 'application/json' } });
    await send({ ...sign(order('channels_ec_order_new')), headers: {} });
    const [first, second] = events();
    expect(first?.type).toBe('order_created');
    expect(second?.id).toBe(first?.id);
  });

  test('a retry, sealed anew, is the same event; and so is the same body again', async () => {
    const { send, events, world } = capturing();
    const sent = sign(order('channels_ec_order_new'));
    await send(sent);
    await send(sent);
    world.now += 15_000;
    await send(sign(order('channels_ec_order_new'), 'shop', world.now, 'n2'));
    expect(events()).toHaveLength(3);
    expect(new Set(events().map(({ id }) => id)).size).toBe(1);
  });

  test('an event that nobody knows is acknowledged and counted', async () => {
    const { send, events, facts } = capturing();
    const reply = await send(sign(push('channels_ec_stock_no_enough')));
    expect(reply.body).toBe('success');
    expect(events()).toEqual([]);
    expect(facts).toMatchObject([{ what: 'ignored', name: 'channels_ec_stock_no_enough' }]);
  });

  test('the package wechat-crypto is heard', async () => {
    const { appId = '', token = '', encodingAesKey = '' } = apps.main ?? {};
    const client = new WXBizMsgCrypt(token, encodingAesKey, appId);
    const timestamp = String(NOW / 1000);
    const sealed = client.encrypt(push('user_enter_tempsession', { SessionFrom: '会员' }));
    const { send, events } = capturing();
    const reply = await send({
      ...sign('{}', 'main'),
      rawQuery: `timestamp=${timestamp}&nonce=n&encrypt_type=aes&msg_signature=${client.getSignature(timestamp, 'n', sealed)}`,
      body: JSON.stringify({ ToUserName: 'gh', Encrypt: sealed }),
    });
    expect(reply.statusCode).toBe(200);
    expect(events()).toMatchObject([
      { type: 'conversation_started', properties: { session_from: '会员' }, context: { verified: 'signed' } },
    ]);
  });
});

describe('who is believed', () => {
  const refused = async (request: SentRequest, over?: Parameters<typeof aCapture>[0]) => {
    const { send, facts, bodies } = capturing(over);
    const { statusCode } = await send(request);
    expect(bodies).toEqual([]);
    return [statusCode, ...facts.map((fact) => 'reason' in fact && fact.reason)];
  };
  const message = order('channels_ec_order_new');

  test('the app of the account and no other, now and not ten minutes ago', async () => {
    const toTheShop = sign(message);
    expect(await refused({ ...toTheShop, path: '/webhooks/wechat-miniprogram/main' })).toEqual([
      401,
      'bad_signature',
    ]);
    const foreign = { ...brand.channels['wechat-miniprogram']?.shop, appId: 'wxother' };
    const elsewhere = aBrand({ channels: { 'wechat-miniprogram': { shop: foreign } } });
    expect(await refused(toTheShop, { brand: elsewhere })).toEqual([401, 'receive_id_mismatch']);
    expect(await refused(sign(message, 'shop', NOW - 600_000))).toEqual([401, 'timestamp_out_of_window']);
    expect(await refused(sign(message, 'shop', NOW + 600_000))).toEqual([401, 'timestamp_out_of_window']);
    const bit = toTheShop.body.replace(
      /"Encrypt":"./,
      (it) => `${it.slice(0, -1)}${it.endsWith('A') ? 'B' : 'A'}`,
    );
    expect(await refused({ ...toTheShop, body: bit })).toEqual([401, 'bad_signature']);
  });

  test('both secrets of a rotation', async () => {
    const fresh = { token: 'fresh', encodingAesKey: 'ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkj' };
    const previous = vendor.secrets['wechat-shop'];
    const held = { 'siyu/qinghe/wechat-shop': { ...fresh, previous: previous ?? null } };
    const { send } = capturing({ secrets: held });
    expect((await send(sign(message))).statusCode).toBe(200);
    expect(await refused(sign(message), { secrets: { 'siyu/qinghe/wechat-shop': fresh } })).toEqual([
      401,
      'bad_signature',
    ]);
  });

  const plainly = (account: string, body: string) => {
    const query = { timestamp: String(NOW / 1000), nonce: 'n' };
    const signature = wechatSignature(apps.main?.token ?? '', query.timestamp, query.nonce);
    return {
      method: 'POST' as const,
      path: `/webhooks/wechat-miniprogram/${account}`,
      rawQuery: new URLSearchParams({ ...query, signature }).toString(),
      headers: {},
      body,
    };
  };

  test('plain mode only where the account says so, marked, and each query once', async () => {
    expect(await refused(plainly('main', push('user_enter_tempsession')))).toEqual([
      401,
      'plain_not_allowed',
    ]);
    const settings = { ...brand.channels['wechat-miniprogram']?.main, plain: true };
    const open = aBrand({ channels: { 'wechat-miniprogram': { main: settings } } });
    const { send, events, facts } = capturing({ brand: open });
    await send(plainly('main', push('user_enter_tempsession')));
    await send(plainly('main', order('channels_ec_order_pay')));
    expect(events()).toMatchObject([{ type: 'conversation_started', context: { verified: 'sender_only' } }]);
    expect(facts).toMatchObject([{ reason: 'nonce_replayed' }]);
  });

  const tried = (echostr: string, token = apps.main?.token ?? '') => {
    const query = { timestamp: String(NOW / 1000), nonce: 'n', echostr };
    const signature = wechatSignature(token, query.timestamp, query.nonce);
    return {
      method: 'GET' as const,
      path: '/webhooks/wechat-miniprogram/main',
      rawQuery: new URLSearchParams({ ...query, signature }).toString(),
      headers: {},
      body: '',
    };
  };

  test('an address that is tried echoes what can be no markup', async () => {
    const { send } = capturing();
    expect(await send(tried('4375120948345356249'))).toMatchObject({
      statusCode: 200,
      body: '4375120948345356249',
    });
    expect(
      await send({ ...tried('a+b'), rawQuery: tried('a+b').rawQuery.replace('%2B', '+') }),
    ).toMatchObject({
      body: 'a+b',
    });
    expect(await refused(tried('<b>'))).toEqual([401, 'bad_echostr']);
    expect(await refused(tried('1', 'guessed'))).toEqual([401, 'bad_signature']);
  });
});

describe('hostile shapes inside a seal', () => {
  const shapes = [
    '',
    '[]',
    'null',
    '7',
    '"x"',
    '{',
    '<xml>',
    '{}',
    '{"MsgType":"event"}',
    '{"MsgType":[],"Event":{}}',
    '{"MsgType":"text"}',
    push('channels_ec_order_pay'),
    push('channels_ec_order_pay', { order_info: [] }),
    push('channels_ec_order_pay', { order_info: { order_id: {} } }),
    push('channels_ec_aftersale_update'),
    push('channels_ec_user_coupon_use', { use_info: null }),
    push('channels_ec_vip_join', { FromUserName: '' }),
    push('channels_ec_vip_score_update', { user_info: { delta_score: 'many' } }),
    push('trade_manage_order_settlement'),
    push('subscribe_msg_popup_event', { List: [null, 7, [], 'x'] }),
    push('subscribe_msg_sent_event', { List: Array.from({ length: 501 }, () => ({})) }),
    push('channels_ec_order_new', { CreateTime: 'soon' }),
    push('channels_ec_order_new', { FromUserName: { a: 1 } }),
    push('constructor'),
    push('__proto__'),
    push('toString'),
  ];

  test.each(shapes.map((shape) => [shape.slice(0, 160), shape]))('%s becomes no event', async (_, shape) => {
    const { send, events, faults, facts } = capturing();
    const reply = await send(sign(shape));
    expect(reply).toMatchObject({ statusCode: 200, body: 'success' });
    expect(events()).toEqual([]);
    expect(faults().length + facts.length).toBe(1);
  });
});

describe.skipIf(!hasShared)(`published samples of mini programs and shops${without}`, () => {
  test.each(samplesOf('wechat-miniprogram'))('$file means $canonical', async (it) => {
    const text = sharedText(`samples/${it.file}`);
    const account = text.includes('channels_ec_') ? 'shop' : 'main';
    const later = NOW + 48 * HOUR; // the youngest sample is a day younger than the others
    const captured = capturing({ now: later });
    expect(await captured.send(sign(text, account, later, it.file))).toMatchObject({ body: 'success' });
    expectMeant(it, captured);
    expectIds(it, captured, { channel: 'wechat-miniprogram', account }, numbered(it));
  });
});
