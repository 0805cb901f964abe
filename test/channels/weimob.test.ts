import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { SentRequest } from '../../lib/channels/sign.ts';
import { weimob } from '../../lib/channels/weimob.ts';
import { hasShared, NOW, sharedText, without } from './captured.ts';
import { aPlayed, refusal } from './played.ts';
import { expectAnswered, expectMeant, httpCase, samplesOf, vectorsOf } from './published.ts';
import { teaMerchant, weimobVendor } from './vendors/weimob.ts';

const { clientId, clientSecret, bosId, businessId } = teaMerchant;

function aMerchant(over: { secret?: unknown; settings?: Record<string, unknown>; now?: number } = {}) {
  const tea = { ...weimobVendor.accounts.tea, ...over.settings };
  return aPlayed('weimob', weimobVendor, {
    accounts: { tea: z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify(tea))) },
    secrets: { weimob: over.secret ?? { clientSecret } },
    now: over.now,
  });
}

const aPush = (topic: string, event: string, message: unknown, more: Record<string, unknown> = {}) =>
  JSON.stringify({
    id: 'm-1',
    topic,
    event,
    bosId: Number(bosId),
    sign: 'SEE_RULE',
    saasChannel: 'weimob',
    specsType: 'WOS',
    msgBody: typeof message === 'string' ? message : JSON.stringify(message),
    ...more,
  });

const sign = (message: string): SentRequest =>
  weimobVendor.sign({ account: 'tea', message, about: {}, now: NOW, nonce: 'n' });

const user = { wid: 10598877665, bosId: Number(bosId) };
const anOrder = { ...user, orderNo: 1, createTime: 1760000000000, updateTime: 1760000001000 };
const paid = { ...anOrder, orderStatus: 2, paymentStatus: 2 };
const points = { ...user, transType: 0, changPoint: '268', totalPoint: '1280', changeTime: 1760000000000 };
const aPoints = aPush('weimob_crm.point.change', 'pointChange', points);

const refused = (request: SentRequest, over: Parameters<typeof aMerchant>[0] = {}) =>
  refusal(aMerchant(over), request);

async function read(topic: string, event: string, message: unknown, more: Record<string, unknown> = {}) {
  const merchant = aMerchant();
  expect((await merchant.send(sign(aPush(topic, event, message, more)))).statusCode).toBe(200);
  return merchant;
}

describe('a push of Weimob', () => {
  test('is answered in Weimob’s words', async () => {
    const reply = await aMerchant().send(sign(aPoints));
    expect(reply).toMatchObject({ statusCode: 200, body: '{"code":{"errcode":"0","errmsg":"success"}}' });
  });

  test('is refused with one letter of message, id or secret changed', async () => {
    const request = sign(aPoints);
    const badly = { statusCode: 401, reason: 'bad_signature' };
    expect(await refused({ ...request, body: request.body.replace('268', '269') })).toEqual(badly);
    expect(await refused({ ...request, body: request.body.replace('m-1', 'm-2') })).toEqual(badly);
    expect(await refused(request, { secret: { clientSecret: 'other' } })).toEqual(badly);
    expect(await refused(request, { settings: { clientId: 'other' } })).toEqual(badly);
  });

  test('is taken with the secret before the last rotation while both are held', async () => {
    const { send } = aMerchant({ secret: { clientSecret: 'fresh', previous: { clientSecret } } });
    expect((await send(sign(aPoints))).statusCode).toBe(200);
  });

  test('for another merchant is refused, by what stands around the message or in it', async () => {
    const mismatch = { statusCode: 401, reason: 'receive_id_mismatch' };
    expect(await refused(sign(aPush('bos.user', 'widMerge', user, { bosId: 99 })))).toEqual(mismatch);
    expect(await refused(sign(aPush('bos.user', 'widMerge', { ...user, bosId: 99 })))).toEqual(mismatch);
    const xinyun = { id: 'm', topic: 't', event: 'e', business_id: '99', sign: 'SEE_RULE', msg_body: '{}' };
    expect(await refused(sign(JSON.stringify(xinyun)))).toEqual(mismatch);
    expect(await refused(sign(aPoints), { settings: { bosId: undefined } })).toEqual(mismatch);
  });

  test('whose id could give away a part of the message is refused', async () => {
    const push = { id: 'm-1{', topic: 't', event: 'e', sign: 'SEE_RULE', msgBody: '{"a":1}' };
    expect(await refused(sign(JSON.stringify(push)))).toEqual({ statusCode: 401, reason: 'bad_json' });
  });

  test('an account belongs to WOS, to 新云, or to both', () => {
    expect(weimob.checkSettings({ clientId, businessId, secret: 's' })).toEqual([]);
    expect(weimob.checkSettings({ clientId, secret: 's' })).toHaveLength(1);
  });

  test('that we caused ourselves is dropped, wherever it says so', async () => {
    for (const push of [
      aPush('weimob_crm.point.change', 'pointChange', points, { saasChannel: 'ONECRM_SPI' }),
      aPush('weimob_crm.point.change', 'pointChange', { ...points, saasChannel: 'ONECRM_SPI' }),
    ]) {
      const { send, bodies, facts } = aMerchant();
      await send(sign(push));
      expect(bodies).toEqual([]);
      expect(facts).toMatchObject([{ what: 'ignored', name: 'ONECRM_SPI' }]);
    }
  });
});

describe('whoever holds one signed message and changes what stands around it', () => {
  test('adds nothing: under a topic that it fits as well, the event has the id of the first', async () => {
    const { send, events } = aMerchant();
    const card = { wid: user.wid, customCardNo: 'c', membershipPlanId: 3 };
    await send(sign(aPush('weimob_crm.membercard', 'delete', card)));
    await send(sign(aPush('weimob_crm.membercard', 'create', card)));
    await send(sign(aPush('weimob_crm.membercard', 'delete', card, { id: 'm-2' })));
    const [left, forged, another] = events();
    expect(forged?.id).toBe(left?.id);
    expect(another?.id).not.toBe(left?.id);
  });

  test.each([
    ['bos.user', 'widMerge', points],
    ['bos.user', 'widMerge', paid],
    ['bos.user', 'widMerge', { ...user, phone: '13800138000' }],
    ['bos.user', 'phoneReleaseEvent', { ...user, phone: '13800138000' }],
    ['bos.user', 'phoneBindEvent', { ...user, phone: '13800138000', time: 1760000000000 }],
    ['bos.user', 'phoneBindEvent', { ...user, phone: '13800138000', oldPhone: '13900139000' }],
    ['bos.user', 'accountCancellationEvent', points],
    ['weimob_crm.membercard', 'delete', { ...user, customCardNo: 'c', bindType: 1 }],
    ['weimob_crm.coupon', 'consumeCoupon', { ...user, code: 'c', couponTemplateId: 1, subScene: 915 }],
    ['weimob_crm.coupon', 'expireCoupon', { ...user, code: 'c', couponTemplateId: 1, subScene: 915 }],
    ['weimob_shop.rights', 'statusUpdate', paid],
    ['weimob_shop.order', 'statusUpdate', { rightsId: 1, orderNo: 1, orderStatus: 2 }],
    ['weimob_crm.point.change', 'pointChange', paid],
    ['weimob_notes.content.consumer.action', 'comment', { ...points, contentId: 1 }],
  ])('cannot make %s %s of a message that is none', async (topic, event, message) => {
    const { events, faults } = await read(topic, event, message);
    expect(events()).toEqual([]);
    expect(faults()).toMatchObject([{ reason: 'bad_shape' }]);
  });
});

describe('what a push means', () => {
  test('paid, part shipped and shipped are three events of one order, whose push has one id', async () => {
    const { send, events } = aMerchant();
    for (const orderStatus of [2, 4, 5, 7, 9])
      await send(sign(aPush('weimob_shop.order', 'statusUpdate', { ...paid, orderStatus }, { id: 1 })));
    expect(new Set(events().map((event) => event.id)).size).toBe(5);
    expect(events().map(({ type, properties }) => [type, properties.is_partial])).toEqual([
      ['order_paid', undefined],
      ['order_shipped', true],
      ['order_shipped', false],
      ['order_received', undefined],
      ['order_cancelled', undefined],
    ]);
  });

  test('an order announced twice is created once', async () => {
    const { send, events } = aMerchant();
    await send(sign(aPush('weimob_shop.order', 'create', anOrder)));
    await send(
      sign(aPush('weimob_shop.order', 'statusUpdate', { ...anOrder, orderStatus: 0 }, { id: 'm-2' })),
    );
    expect(events().map((event) => event.type)).toEqual(['order_created', 'order_created']);
    expect(events()[1]).toEqual(events()[0]);
  });

  test('what is paid in part is not paid', async () => {
    const { facts, bodies } = await read('weimob_shop.order', 'statusUpdate', { ...paid, paymentStatus: 1 });
    expect(bodies).toEqual([]);
    expect(facts).toMatchObject([{ what: 'ignored' }]);
  });

  test('a refund without its buyer finds them by the order, its amount pending', async () => {
    const order = { kind: 'order_id', scope: `weimob:${bosId}`, value: '1' };
    const bought = await read('weimob_shop.order', 'statusUpdate', paid);
    const refunded = await read('weimob_shop.rights', 'statusUpdate', { rightsId: 2, orderNo: 1, status: 6 });
    expect(bought.events()[0]?.identifiers).toContainEqual(order);
    expect(refunded.events()).toMatchObject([
      { type: 'order_refunded', identifiers: [order], properties: { refund_id: '2', amount_pending: true } },
    ]);
  });

  test.each([
    [1, 'refund_requested', undefined],
    [6, 'order_refunded', undefined],
    [7, 'refund_closed', 'buyer_cancelled'],
    [8, 'refund_closed', 'refused'],
    [9, 'refund_closed', 'failed'],
    [5, undefined, undefined],
  ])('rights of status %i are %s', async (status, type, reason) => {
    const { events } = await read('weimob_shop.rights', 'statusUpdate', { rightsId: 2, orderNo: 1, status });
    expect([events()[0]?.type, events()[0]?.properties.reason]).toEqual([type, reason]);
    const rightsInfo = { rightsStatus: status };
    const inner = await read('weimob_shop.rights', 'statusUpdate', { rightsId: 2, orderNo: 1, rightsInfo });
    expect(inner.events()).toEqual(events());
  });

  test.each([
    [0, '268', 268],
    [1, '268', -268],
    [1, -268, -268],
    [3, 20, 20],
    [4, '20', -20],
  ])('points of kind %i by %s change by %i', async (transType, changPoint, delta) => {
    const { events } = await read('weimob_crm.point.change', 'pointChange', {
      ...points,
      transType,
      changPoint,
    });
    expect(events()[0]?.properties).toMatchObject({ account: 'points', delta });
  });

  test.each([{ transType: 2 }, { changPoint: '1e3' }, { changPoint: '' }])(
    'points that change by %o are a fault',
    async (odd) => {
      const { faults } = await read('weimob_crm.point.change', 'pointChange', { ...points, ...odd });
      expect(faults()).toHaveLength(1);
    },
  );

  test('a number that changes hands is taken from one and given to the other', async () => {
    const { events } = await read('bos.user', 'phoneRebindEvent', {
      ...user,
      oldPhone: '13800138000',
      phone: '13900139000',
    });
    expect(events().map(({ type, identifiers }) => [type, identifiers.at(-1)?.value])).toEqual([
      ['identity_unlinked', '+8613800138000'],
      ['identity_linked', '+8613900139000'],
    ]);
    expect(events()[0]?.id).not.toBe(events()[1]?.id);
  });

  test('a number that is masked cannot be taken from anybody', async () => {
    const { faults } = await read('bos.user', 'phoneReleaseEvent', {
      ...user,
      phone: '138****8000',
      time: 1760000000000,
    });
    expect(faults()).toMatchObject([{ reason: 'bad_identifier' }]);
  });

  test('a contact of old is marked, and what staff typed is weak', async () => {
    const contact = {
      ...user,
      externalUserId: 'wmA',
      txUserId: 'linxiao',
      corpid: 'ww1',
      historyCustomerSync: 1,
      remarkMobiles: ['13800138000', 'later'],
    };
    const { events } = await read('weimob_aewc.customer.add.msg', 'add', contact);
    expect(events()[0]?.properties.is_backfill).toBe(true);
    expect(events()[0]?.identifiers.map(({ kind, scope }) => `${kind} ${scope}`)).toEqual([
      `weimob_wid ${bosId}`,
      'wecom_external_userid ww1',
      'unverified_phone e164',
    ]);
  });

  test('staff in a group are nobody’s profile', async () => {
    const { bodies } = await read('weimob_aewc.customer.group', 'addMember', {
      groupId: 'g',
      memberId: 'staff',
      type: 1,
      joinScene: 1,
    });
    expect(bodies).toEqual([]);
  });

  test('ids beyond 2^53 keep each digit, and the id of the push as it is signed', async () => {
    const wide = aPush('bos.user', 'widMerge', `{"wid":9007199254740995123,"bosId":${bosId}}`);
    const { send, events } = aMerchant();
    const text = `${clientId}9007199254740995125{"wid":9007199254740995123,"bosId":${bosId}}${clientSecret}`;
    const body = wide
      .replace('"m-1"', '9007199254740995125')
      .replace('SEE_RULE', createHash('md5').update(text).digest('hex'));
    expect((await send({ ...sign(aPoints), body })).statusCode).toBe(200);
    expect(events()[0]?.identifiers[0]?.value).toBe('9007199254740995123');
  });

  test('新云 says the same in other fields', async () => {
    const push = {
      id: 'x-1',
      topic: 'ec_order',
      event: 'createOrder',
      business_id: businessId,
      msgSignature: 'SEE_RULE',
      msg_body: '{"orderNo":88001,"createTime":1760000000}',
    };
    const { send, events } = aMerchant();
    await send(sign(JSON.stringify(push)));
    expect(events()).toMatchObject([
      {
        type: 'order_created',
        identifiers: [{ kind: 'order_id', scope: `weimob:${businessId}`, value: '88001' }],
      },
    ]);
  });

  test('a topic that nobody knows is acknowledged and counted', async () => {
    const { facts } = await read('weimob_shop.goods', 'update', {});
    expect(facts).toMatchObject([{ what: 'ignored', name: 'weimob_shop.goods:update' }]);
  });

  test.each([
    ['[]', 'bad_shape'],
    ['null', 'bad_shape'],
    ['{', 'undecodable'],
    ['', 'undecodable'],
    ['{"__proto__":{"wid":1}}', 'bad_shape'],
    ['{"wid":{"a":1}}', 'bad_shape'],
  ])('the message %j under a good signature is kept as a fault', async (message, reason) => {
    const { faults, events } = await read('bos.user', 'widMerge', message);
    expect(events()).toEqual([]);
    expect(faults()).toMatchObject([{ reason }]);
  });

  test.each(['[]', 'null', '{', '{"id":"1"}', '{"id":"1","msgBody":{}}', '{"msgBody":"{}"}'])(
    'a body that is %s is refused',
    async (body) => {
      const request = { ...sign(aPoints), body };
      expect(await refused(request)).toEqual({ statusCode: 401, reason: 'bad_json' });
    },
  );
});

describe.skipIf(!hasShared)(`published vectors and samples of Weimob${without}`, () => {
  test.each(vectorsOf('weimob', 'hash'))('$id', async ({ inputs, expected }) => {
    const { data } = z.object({ data: z.string() }).parse(inputs);
    const inner = data.slice(clientId.length, -clientSecret.length);
    const id = inner.slice(0, inner.indexOf('{'));
    const push = { id, topic: 'weimob_shop.order', event: 'statusUpdate', msgBody: inner.slice(id.length) };
    const body = (sign: unknown) => JSON.stringify({ ...push, sign });
    expect((await aMerchant().send({ ...sign(aPoints), body: body(expected.digest) })).statusCode).toBe(200);
    expect((await aMerchant().send({ ...sign(aPoints), body: body('0'.repeat(32)) })).statusCode).toBe(401);
  });

  test.each(vectorsOf('weimob', 'http_case'))('$id', async (it) => {
    const config = z.object({ client_id: z.string(), client_secret: z.string() });
    const { sent, config: held } = httpCase(it, '/webhooks/weimob/tea', config);
    const captured = aMerchant({ secret: { clientSecret: held.client_secret } });
    expectAnswered(it, await captured.send(sent), captured);
    expect(captured.events()).toMatchObject([{ type: 'order_paid', properties: { order_id: '230100017' } }]);
    expect((await aMerchant({ secret: { clientSecret: 'x' } }).send(sent)).statusCode).toBe(401);
  });

  test.each(samplesOf('weimob'))('$file means $canonical', async (it) => {
    // Some of these messages have no time: then the manifest's is that of their arrival.
    const text = sharedText(`samples/${it.file}`);
    const isTimed = /(updateTime|changeTime|addTime|\\"time)\\"/.test(text);
    const captured = aMerchant({ now: isTimed ? NOW + 3_600_000 : Date.parse(it.occurred_at ?? '') });
    await captured.send(sign(text));
    expectMeant(it, captured, { people: 'among others' });
  });
});
