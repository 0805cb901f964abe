import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { SentRequest } from '../../lib/channels/sign.ts';
import { hasShared, NOW, sharedText, without } from './captured.ts';
import { aPlayed, refusal } from './played.ts';
import { expectAnswered, expectIds, expectMeant, httpCase, samplesOf, vectorsOf } from './published.ts';
import { teaShop, youzanVendor } from './vendors/youzan.ts';

const { clientId, clientSecret, kdtId } = teaShop;
const source = { channel: 'youzan', account: 'tea' };

function aShop(over: { secret?: unknown; settings?: Record<string, unknown>; now?: number } = {}) {
  const tea = { clientId, kdtId, appId: 'wxshop', secret: 'youzan', ...over.settings };
  return aPlayed('youzan', youzanVendor, {
    accounts: { tea: z.record(z.string(), z.json()).parse(tea) },
    secrets: { youzan: over.secret ?? { clientSecret } },
    now: over.now,
  });
}

const aPush = (type: string, msg: unknown, more: Record<string, unknown> = {}) =>
  JSON.stringify({
    client_id: clientId,
    id: 'x',
    kdt_id: 43210001,
    mode: 1,
    msg: typeof msg === 'string' ? msg : encodeURIComponent(JSON.stringify(msg)),
    msg_id: 'm-1',
    sign: 'SEE_RULE',
    status: '',
    test: false,
    type,
    version: 1760000000,
    ...more,
  });

const sign = (message: string, about: Record<string, string> = {}): SentRequest =>
  youzanVendor.sign({ account: 'tea', message, about, now: NOW, nonce: 'n' });

const buyer = { yz_open_id: 'Yz1' };
const points = { amount: 268, total: 1280, ...buyer };
const anOrder = (pay: Record<string, unknown> = { payment: '268.00' }) => ({
  tid: 'E1',
  full_order_info: {
    order_info: { tid: 'E1', status: 'TRADE_PAID', pay_time: '2025-10-09 16:53:20' },
    buyer_info: buyer,
    pay_info: pay,
  },
});

const refused = (request: SentRequest, over: Parameters<typeof aShop>[0] = {}) =>
  refusal(aShop(over), request);

async function read(message: string, about: Record<string, string> = {}) {
  const shop = aShop();
  expect((await shop.send(sign(message, about))).statusCode).toBe(200);
  return shop;
}

describe('a push of Youzan', () => {
  test('is answered with the word that Youzan looks for', async () => {
    const { send } = aShop();
    const reply = await send(sign(aPush('POINTS', points)));
    expect(reply).toMatchObject({ statusCode: 200, body: '{"code":0,"msg":"success"}' });
  });

  test('is refused with one letter of body or secret changed', async () => {
    const request = sign(aPush('POINTS', points));
    const badly = { statusCode: 401, reason: 'bad_signature' };
    expect(await refused({ ...request, body: request.body.replace('m-1', 'm-2') })).toEqual(badly);
    expect(await refused(request, { secret: { clientSecret: `${clientSecret}0` } })).toEqual(badly);
    const legacy = sign(aPush('POINTS', points), { scheme: 'legacy' });
    expect(await refused({ ...legacy, body: legacy.body.replace('268', '269') })).toEqual(badly);
  });

  test('whose Event-Sign is wrong or empty is refused, whatever the body’s own sign says', async () => {
    const legacy = sign(aPush('POINTS', points), { scheme: 'legacy' });
    for (const wrong of ['', '0'.repeat(32)])
      expect(await refused({ ...legacy, headers: { 'event-sign': wrong } })).toMatchObject({
        statusCode: 401,
      });
  });

  test('is taken with the secret before the last rotation while both are held', async () => {
    const { send } = aShop({ secret: { clientSecret: 'fresh', previous: { clientSecret } } });
    expect((await send(sign(aPush('POINTS', points)))).statusCode).toBe(200);
    expect((await send(sign(aPush('POINTS', points), { scheme: 'legacy' }))).statusCode).toBe(200);
  });

  test('for another app, of another shop or of two types is refused', async () => {
    const message = aPush('POINTS', points);
    const other = sign(message.replace(`"client_id":"${clientId}"`, '"client_id":"other"'));
    expect(await refused(other)).toEqual({ statusCode: 401, reason: 'unknown_app' });
    const shop = sign(aPush('POINTS', points, { kdt_id: 99 }));
    expect(await refused(shop)).toEqual({ statusCode: 401, reason: 'shop_mismatch' });
    const typed = sign(message);
    const headers = { ...typed.headers, 'event-type': 'trade_TradePaid' };
    expect(await refused({ ...typed, headers })).toEqual({ statusCode: 401, reason: 'event_type_mismatch' });
  });

  test('of a branch is of the chain whose head shop the account is', async () => {
    const { send, events } = aShop();
    await send(sign(aPush('POINTS', points, { kdt_id: 99, root_kdt_id: 43210001 })));
    expect(events()[0]?.identifiers[0]).toEqual({ kind: 'youzan_open_id', scope: kdtId, value: 'Yz1' });
  });

  test('that tries whether the address answers is acknowledged and dropped', async () => {
    for (const test of [true, 'true'])
      expect((await read(aPush('POINTS', points, { test }))).bodies).toEqual([]);
  });

  test('that comes again, its count of retries higher, is the same event', async () => {
    for (const msg_id of ['m-1', undefined]) {
      const { send, events } = aShop();
      await send(sign(aPush('POINTS', points, { msg_id })));
      await send(sign(aPush('POINTS', points, { msg_id, sendCount: 3 })));
      expect(events()[1]?.id).toBe(events()[0]?.id);
    }
  });
});

describe('the old signature, which covers msg only', () => {
  test('is refused where the account says so', async () => {
    const legacy = sign(aPush('POINTS', points), { scheme: 'legacy' });
    expect(await refused(legacy, { settings: { legacy: false } })).toMatchObject({ statusCode: 401 });
  });

  test('gives events that say that only the sender is known', async () => {
    const { events } = await read(aPush('POINTS', points), { scheme: 'legacy' });
    expect(events()).toMatchObject([{ type: 'points_changed', context: { verified: 'sender_only' } }]);
  });

  test('believes no id, version, buyer or status beside msg', async () => {
    const { send, events } = aShop();
    await send(sign(aPush('POINTS', points), { scheme: 'legacy' }));
    const more = { msg_id: 'm-2', version: 1700000000, yz_open_id: 'Yz-attacker', id: 'y', sendCount: 1 };
    await send(sign(aPush('POINTS', points, more), { scheme: 'legacy' }));
    const [first, again] = events();
    expect(again).toEqual(first);
    expect(first?.occurredAt).toBe(new Date(NOW).toISOString());
    const { faults } = await read(aPush('POINTS', { amount: 1 }, { yz_open_id: 'Yz1' }), {
      scheme: 'legacy',
    });
    expect(faults()).toMatchObject([{ reason: 'no_identifier' }]);
  });

  test.each([
    ['trade_TradePaid', { tid: 'E1', update_time: '2025-10-09 16:53:20' }],
    ['POINTS', anOrder()],
    ['TRADE_ORDER_REFUND', anOrder()],
    ['COUPON_CUSTOMER_PROMOTION', points],
    ['trade_TradeSuccess', points],
  ])('does not make %s of a msg that has not its fields', async (type, msg) => {
    const { events, faults } = await read(aPush(type, msg), { scheme: 'legacy' });
    expect(events()).toEqual([]);
    expect(faults()).toMatchObject([{ reason: 'bad_shape' }]);
  });
});

describe('what a push means', () => {
  test('TradePaid and TradeBuyerPay of one order are one payment, by either signature', async () => {
    const { send, events } = aShop();
    await send(sign(aPush('trade_TradePaid', anOrder())));
    await send(sign(aPush('trade_TradeBuyerPay', anOrder(), { msg_id: 'm-2' })));
    await send(sign(aPush('trade_TradeBuyerPay', anOrder()), { scheme: 'legacy' }));
    expect(new Set(events().map((event) => event.id)).size).toBe(1);
    expect(events()[0]).toMatchObject({
      type: 'order_paid',
      occurredAt: '2025-10-09T08:53:20.000Z',
      properties: { order_id: 'E1', paid_amount: 26_800, currency: 'CNY' },
    });
  });

  test('yuan become fen without a fraction on the way', async () => {
    for (const [payment, fen] of [
      ['0.29', 29],
      ['1234567.89', 123_456_789],
      [19.9, 1990],
    ] as const)
      expect(
        (await read(aPush('trade_TradePaid', anOrder({ payment })))).events()[0]?.properties.paid_amount,
      ).toBe(fen);
  });

  test('an amount that is missing is pending, one that cannot be read is a fault', async () => {
    const missing = await read(aPush('trade_TradePaid', anOrder({})));
    expect(missing.events()).toMatchObject([{ type: 'order_paid', properties: { amount_pending: true } }]);
    const garbled = await read(aPush('trade_TradePaid', anOrder({ payment: '¥268' })));
    expect(garbled.faults()).toMatchObject([{ reason: 'missing_property' }]);
  });

  test('a shipment without its buyer meets the order that had one', async () => {
    const order = { kind: 'order_id', scope: `youzan:${kdtId}`, value: 'E1' };
    const bought = await read(aPush('trade_TradePaid', anOrder()));
    const sent = await read(
      aPush('trade_TradeSellerShip', { tid: 'E1', update_time: '2025-10-09 16:53:20' }),
    );
    expect(bought.events()[0]?.identifiers).toContainEqual(order);
    expect(sent.events()).toMatchObject([{ type: 'order_shipped', identifiers: [order] }]);
  });

  test.each(['138****8000', 'gAAAAABl3cipher==', '1380013800', ''])('%j is no phone', async (mobile) => {
    const { events } = await read(aPush('POINTS', { ...points, mobile }));
    expect(events()[0]?.identifiers.map(({ kind }) => kind)).toEqual(['youzan_open_id']);
  });

  test('msg comes with blanks as "+", as "%20", as plain JSON or as an object', async () => {
    const at = { ...buyer, status: 'BACK', verify_code: 'c', event_time: '2025-10-09 16:53:20' };
    const forms = [
      encodeURIComponent(JSON.stringify(at)),
      encodeURIComponent(JSON.stringify(at)).replaceAll('%20', '+'),
      JSON.stringify(at),
    ];
    for (const msg of forms)
      expect((await read(aPush('COUPON_CUSTOMER_PROMOTION', msg))).events()).toMatchObject([
        { type: 'coupon_returned', occurredAt: '2025-10-09T08:53:20.000Z' },
      ]);
    const object = aPush('youzan_trade_RefundSuccess', '').replace(
      '"msg":""',
      '"msg":{"tid":"E1","refund_id":"R1"}',
    );
    expect((await read(object)).events()).toMatchObject([{ type: 'order_refunded' }]);
  });

  test('a version that is a time stands in where the push gives none', async () => {
    expect((await read(aPush('POINTS', points))).events()[0]?.occurredAt).toBe('2025-10-09T08:53:20.000Z');
    const counted = await read(aPush('POINTS', points, { version: 7 }));
    expect(counted.events()[0]?.occurredAt).toBe(new Date(NOW).toISOString());
  });

  test('a refund that goes on is no event until it is done or closed', async () => {
    const types = [];
    for (const status of ['WAIT_SELLER_AGREE', 'WAIT_BUYER_RETURN_GOODS', 'SUCCESS', 'SELLER_REFUSE_BUYER'])
      types.push(
        (await read(aPush('TRADE_ORDER_REFUND', { tid: 'E1', refund_id: 'R1' }, { status }))).events()[0]
          ?.type,
      );
    expect(types).toEqual(['refund_requested', undefined, 'order_refunded', 'refund_closed']);
  });

  test('ids beyond 2^53 keep each digit', async () => {
    const msg = '{"amount":1,"yz_open_id":9007199254740995123}';
    expect((await read(aPush('POINTS', msg))).events()[0]?.identifiers[0]?.value).toBe('9007199254740995123');
  });

  test('a type of no use is acknowledged and counted', async () => {
    expect((await read(aPush('ITEM_INFO', {}))).facts).toMatchObject([
      { what: 'ignored', name: 'ITEM_INFO' },
    ]);
  });

  test.each([
    ['%E4%BD', 'undecodable'],
    ['%7B', 'undecodable'],
    ['null', 'bad_shape'],
    ['%5B%5D', 'bad_shape'],
    [encodeURIComponent('{"__proto__":{"amount":1}}'), 'missing_property'],
    [encodeURIComponent('{"amount":{"a":1},"yz_open_id":[]}'), 'missing_property'],
  ])('the msg %s is kept as a fault', async (msg, reason) => {
    const { faults, events } = await read(aPush('POINTS', msg));
    expect(events()).toEqual([]);
    expect(faults()).toMatchObject([{ reason }]);
  });

  test.each(['[]', 'null', '{', '"x"'])('a body that is %s is refused', async (body) => {
    const sum = createHash('md5')
      .update(clientId + body + clientSecret)
      .digest('hex');
    const request = { ...sign(aPush('POINTS', points)), body };
    const headers = { ...request.headers, 'event-sign': sum };
    expect(await refused({ ...request, headers })).toEqual({ statusCode: 401, reason: 'bad_json' });
    expect(await refused({ ...request, headers: {} })).toMatchObject({ statusCode: 401 });
  });
});

describe.skipIf(!hasShared)(`published vectors and samples of Youzan${without}`, () => {
  test.each(vectorsOf('youzan', 'hash'))('$id', async ({ inputs, expected }) => {
    const { data } = z.object({ data: z.string() }).parse(inputs);
    const inner = data.slice(clientId.length, -clientSecret.length);
    const isBody = inner.startsWith('{');
    const body = isBody
      ? inner
      : JSON.stringify({ msg: inner, sign: expected.digest, type: 'trade_TradePaid' });
    const headers: Record<string, string> = isBody ? { 'event-sign': String(expected.digest) } : {};
    const sent = { method: 'POST' as const, path: '/webhooks/youzan/tea', rawQuery: '', headers, body };
    expect((await aShop().send(sent)).statusCode).toBe(200);
    expect((await aShop().send({ ...sent, body: body.replace('268', '269') })).statusCode).toBe(401);
  });

  test.each(vectorsOf('youzan', 'http_case'))('$id', async (it) => {
    const config = z.object({ client_id: z.string(), client_secret: z.string() });
    const { sent, config: held } = httpCase(it, '/webhooks/youzan/tea', config);
    const captured = aShop({ secret: { clientSecret: held.client_secret } });
    expectAnswered(it, await captured.send(sent), captured);
    if (it.expected.accept) expect(captured.events()).toMatchObject([{ type: 'order_paid' }]);
    expect((await aShop({ secret: { clientSecret: 'x' } }).send(sent)).statusCode).toBe(401);
  });

  test.each(samplesOf('youzan'))('$file means $canonical', async (it) => {
    const captured = aShop({ now: NOW + 120_000 });
    await captured.send(sign(sharedText(`samples/${it.file}`)));
    expectMeant(it, captured, { people: 'among others' });
    expectIds(it, captured, source);
  });
});
