// Scope: notifications of WeChat Pay v2 (XML), from the request to the queue. The package `wechatpay-axios-plugin` signs.
import { describe, expect, test } from 'vitest';
import { eventId } from '../../lib/events/id.ts';
import { reasons } from './played.ts';
import {
  aMerchant,
  mini,
  notifyLegacy,
  notifyLegacyRefund,
  payKeys,
  paySender,
} from './vendors/wechat-pay.ts';

const source = { channel: 'wechat-pay', account: 'main' };

const xml = (fields: Record<string, string>) =>
  `<xml>${Object.entries(fields)
    .map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`)
    .join('')}</xml>`;

const legacyPayment = {
  appid: 'wxqh0000minip0001',
  mch_id: '1900009231',
  openid: 'oPayer',
  out_trade_no: 'QH2',
  result_code: 'SUCCESS',
  return_code: 'SUCCESS',
  sign: '',
  time_end: '20251009165320',
  total_fee: '26800',
  attach: '',
  transaction_id: '4200002',
};

const legacyRefund = {
  out_trade_no: 'QH2',
  refund_id: '5000001',
  refund_fee: '6800',
  refund_status: 'SUCCESS',
  success_time: '2025-10-09 16:53:20',
};

describe('a notification of v2', () => {
  test.each(['MD5', 'HMAC-SHA256'] as const)(
    'a payment signed with %s is answered in XML',
    async (algorithm) => {
      const { send, events } = aMerchant();
      const reply = await send(notifyLegacy(xml(legacyPayment), paySender, algorithm));
      expect(reply).toMatchObject({
        statusCode: 200,
        body: expect.stringContaining('<return_code><![CDATA[SUCCESS]]></return_code>'),
      });
      expect(events()).toMatchObject([
        {
          id: eventId(source, ['v2paid', '4200002']),
          type: 'order_paid',
          occurredAt: '2025-10-09T08:53:20.000Z',
          properties: { order_id: 'QH2', paid_amount: 26800, currency: 'CNY' },
          context: { verified: 'signed' },
        },
      ]);
    },
  );

  test('one field changed, another key, another merchant or app: refused', async () => {
    const { send, facts, bodies } = aMerchant();
    const good = notifyLegacy(xml(legacyPayment));
    await send({ ...good, body: good.body.replace('26800', '1') });
    await send({ ...good, body: good.body.replace('<attach><![CDATA[]]>', '<attach><![CDATA[x]]>') });
    await send(notifyLegacy(xml(legacyPayment), { ...paySender, apiKey: 'guessed' }));
    await send(notifyLegacy(xml({ ...legacyPayment, mch_id: '1900009232' })));
    await send(notifyLegacy(xml({ ...legacyPayment, appid: 'wxother' })));
    expect(reasons(facts)).toEqual([
      'bad_signature',
      'bad_signature',
      'bad_signature',
      'shop_mismatch',
      'unknown_app',
    ]);
    expect(bodies).toEqual([]);
  });

  test('where no key of v2 is held, nothing of v2 is taken', async () => {
    const { apiV3Key, publicKey, serial } = payKeys;
    const { send, facts } = aMerchant({ secret: { apiV3Key, publicKeys: { [serial]: publicKey } } });
    expect((await send(notifyLegacy(xml(legacyPayment)))).statusCode).toBe(401);
    expect((await send(notifyLegacy(xml(legacyPayment), { ...paySender, apiKey: '' }))).statusCode).toBe(401);
    expect(reasons(facts)).toEqual(['bad_signature', 'bad_signature']);
  });

  test('the key before a rotation is taken while it is held', async () => {
    const { send } = aMerchant({ secret: { apiKey: 'fresh', previous: { apiKey: payKeys.apiKey } } });
    expect((await send(notifyLegacy(xml(legacyPayment)))).statusCode).toBe(200);
    expect((await send(notifyLegacy(xml(legacyPayment), { ...paySender, apiKey: 'fresh' }))).statusCode).toBe(
      200,
    );
    const over = aMerchant({ secret: { apiKey: 'fresh' } });
    expect((await over.send(notifyLegacy(xml(legacyPayment)))).statusCode).toBe(401);
  });

  test('a payment that failed is acknowledged and is none', async () => {
    const { send, bodies, facts } = aMerchant();
    const reply = await send(notifyLegacy(xml({ ...legacyPayment, result_code: 'FAIL' })));
    expect(reply.statusCode).toBe(200);
    expect(bodies).toEqual([]);
    expect(facts).toMatchObject([{ what: 'ignored', name: 'v2 payment' }]);
  });

  test.each([
    ['<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><xml><a>&b;</a></xml>', 'doctype_forbidden'],
    ['<xml><sign>a</sign><sign>b</sign></xml>', 'bad_body'],
    ['<xml><a><b>c</b></a></xml>', 'bad_body'],
    ['<xml>', 'bad_body'],
  ])('%s is refused', async (body, reason) => {
    const { send, facts } = aMerchant();
    const reply = await send({ ...notifyLegacy(xml(legacyPayment)), body });
    expect([reply.statusCode, reply.body]).toEqual([400, '{"code":"FAIL","message":"not accepted"}']);
    expect(reasons(facts)).toEqual([reason]);
  });
});

describe('a refund of v2, which nobody signs', () => {
  const taken = { settings: { ...mini, legacyRefunds: true } };

  test('is refused where it was not asked for', async () => {
    const { send, facts } = aMerchant();
    expect((await send(notifyLegacyRefund(xml(legacyRefund)))).statusCode).toBe(401);
    expect(reasons(facts)).toEqual(['plain_not_allowed']);
  });

  test.each([
    ['SUCCESS', 'order_refunded'],
    ['CHANGE', 'refund_closed'],
    ['REFUNDCLOSE', 'refund_closed'],
  ])('%s is %s where the account says so, and says that only the sender is known', async (status, type) => {
    const { send, events } = aMerchant(taken);
    await send(notifyLegacyRefund(xml({ ...legacyRefund, refund_status: status })));
    expect(events()).toMatchObject([
      { type, occurredAt: '2025-10-09T08:53:20.000Z', context: { verified: 'sender_only' } },
    ]);
  });

  test('another key, garbage, or another merchant beside it: refused', async () => {
    const { send, facts, bodies } = aMerchant(taken);
    const good = notifyLegacyRefund(xml(legacyRefund));
    await send(notifyLegacyRefund(xml(legacyRefund), { ...paySender, apiKey: 'guessed' }));
    await send({ ...good, body: good.body.replace(/<req_info>.*<\/req_info>/, '<req_info>AAAA</req_info>') });
    await send({ ...good, body: good.body.replace('1900009231', '1900009232') });
    expect(reasons(facts)).toEqual(['bad_ciphertext', 'bad_ciphertext', 'shop_mismatch']);
    expect(bodies).toEqual([]);
  });

  test('a status that nobody knows is acknowledged and counted', async () => {
    const { send, facts } = aMerchant(taken);
    await send(notifyLegacyRefund(xml({ ...legacyRefund, refund_status: 'toString' })));
    expect(facts).toMatchObject([{ what: 'ignored', name: 'v2 refund' }]);
  });
});
