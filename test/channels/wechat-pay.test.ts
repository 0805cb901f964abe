// Scope: notifications of WeChat Pay, from the request to the queue. The package `wechatpay-axios-plugin` signs and seals.

import { describe, expect, test } from 'vitest';
import { Rsa } from 'wechatpay-axios-plugin';
import { z } from 'zod';
import { homeOf } from '../../lib/channels/accounts.ts';
import { wechatPay } from '../../lib/channels/wechat-pay.ts';
import { legacySignature, openAead, rsaHolds } from '../../lib/channels/wechat-pay-crypto.ts';
import { eventId } from '../../lib/events/id.ts';
import { HOUR } from '../../lib/platform/clock.ts';
import { aBrand, hasShared, NOW, sharedText, without } from './captured.ts';
import { reasons } from './played.ts';
import {
  expectAnswered,
  expectIds,
  expectMeant,
  httpCase,
  samplesOf,
  texts,
  vectorsOf,
} from './published.ts';
import {
  aMerchant,
  notifyLegacy,
  notifyPay,
  payKeys,
  paySender,
  sealPay,
  signPay,
} from './vendors/wechat-pay.ts';

const source = { channel: 'wechat-pay', account: 'main' };

const payment = {
  mchid: '1900009231',
  appid: 'wxqh0000minip0001',
  out_trade_no: 'QH1',
  transaction_id: '4200001',
  trade_state: 'SUCCESS',
  success_time: '2025-10-09T16:53:20+08:00',
  payer: { openid: 'oPayer' },
  amount: { total: 26800, payer_total: 25800, currency: 'CNY' },
};
const paidText = JSON.stringify(payment);
const success = { event_type: 'TRANSACTION.SUCCESS' };

describe('a notification of v3', () => {
  test('a payment is answered 204 with nothing, and its payer is scoped to the app', async () => {
    const { send, events } = aMerchant();
    const reply = await send(notifyPay(paidText, success, NOW, 'n'));
    expect([reply.statusCode, reply.body]).toEqual([204, '']);
    expect(events()).toMatchObject([
      {
        id: eventId(source, ['TRANSACTION.SUCCESS', '4200001']),
        type: 'order_paid',
        occurredAt: '2025-10-09T08:53:20.000Z',
        identifiers: [
          { kind: 'wechat_openid', scope: 'wxqh0000minip0001', value: 'oPayer' },
          { kind: 'order_id', scope: 'wechat-pay:1900009231', value: 'QH1' },
        ],
        properties: { order_id: 'QH1', paid_amount: 26800, payer_amount: 25800, currency: 'CNY' },
        context: { verified: 'signed' },
      },
    ]);
  });

  test('a refund, which names nobody, carries the order that the payment carried', async () => {
    const { send, events } = aMerchant();
    const refund = { mchid: '1900009231', out_trade_no: 'QH1', refund_id: '500', amount: { refund: 6800 } };
    await send(notifyPay(paidText, success, NOW, 'n'));
    await send(notifyPay(JSON.stringify(refund), { event_type: 'REFUND.SUCCESS' }, NOW, 'n2'));
    const [paid, refunded] = events();
    expect(refunded).toMatchObject({
      type: 'order_refunded',
      properties: { refund_id: '500', order_id: 'QH1', refund_amount: 6800, currency: 'CNY' },
    });
    expect(paid?.identifiers).toEqual(expect.arrayContaining(refunded?.identifiers ?? []));
    expect(paid?.properties.order_id).toBe(refunded?.properties.order_id);
  });

  test('told again a day later under a new id, it is the same event', async () => {
    const { send, events, world } = aMerchant();
    await send(notifyPay(paidText, { ...success, id: 'EV-1' }, NOW, 'n1'));
    world.now += 25 * HOUR;
    await send(notifyPay(paidText, { ...success, id: 'EV-2' }, world.now, 'n2'));
    const [first, again] = events();
    expect(again?.id).toBe(first?.id);
    expect(again?.occurredAt).toBe(first?.occurredAt);
  });

  test('whatever is wrong, the refusal is WeChat’s FAIL in the same words', async () => {
    const good = notifyPay(paidText, success, NOW, 'n');
    const wrong: Record<string, Parameters<ReturnType<typeof aMerchant>['send']>[0]> = {
      unknown_serial: { ...good, headers: { ...good.headers, 'wechatpay-serial': '__proto__' } },
      bad_signature: { ...good, body: good.body.replace('通知', '通告') },
      timestamp_out_of_window: notifyPay(paidText, success, NOW - 301_000, 'n'),
      aead_tag_mismatch: notifyPay(paidText, success, NOW, 'n', {
        ...paySender,
        apiV3Key: payKeys.apiV3Key.replace('Q', 'q'),
      }),
      shop_mismatch: notifyPay(paidText.replace('1900009231', '1900009232'), success, NOW, 'n'),
      unknown_app: notifyPay(paidText.replace('minip0001', 'minip0002'), success, NOW, 'n'),
      bad_json: notifyPay('4200001', success, NOW, 'n'),
    };
    for (const [reason, request] of Object.entries(wrong)) {
      const { send, facts, bodies } = aMerchant();
      const reply = await send(request);
      expect([reply.statusCode, reply.body]).toEqual([401, '{"code":"FAIL","message":"not accepted"}']);
      expect(reasons(facts)).toEqual([reason]);
      expect(bodies).toEqual([]);
    }
  });

  test('the time and the nonce are signed too', async () => {
    const { send, facts } = aMerchant();
    const good = notifyPay(paidText, success, NOW, 'n');
    for (const [name, value] of [
      ['wechatpay-timestamp', String(NOW / 1000 + 1)],
      ['wechatpay-nonce', 'another'],
    ])
      await send({ ...good, headers: { ...good.headers, [name!]: value! } });
    expect(reasons(facts)).toEqual(['bad_signature', 'bad_signature']);
  });

  test('a probe of WeChat fails as it is meant to', async () => {
    const { send, facts } = aMerchant();
    const good = notifyPay(paidText, success, NOW, 'n');
    const signature = `WECHATPAY/SIGNTEST/${good.headers['wechatpay-signature']}`;
    const reply = await send({ ...good, headers: { ...good.headers, 'wechatpay-signature': signature } });
    expect(reply.statusCode).toBe(401);
    expect(reasons(facts)).toEqual(['bad_signature']);
  });

  test('while keys change over, what is signed or sealed with either is taken', async () => {
    const apiV3Key = 'QhTeaHouseFreshApiV3Key012345678';
    const other = { ...paySender, serial: 'PUB_KEY_ID_OTHER' };
    const publicKeys = { [payKeys.serial]: payKeys.publicKey, PUB_KEY_ID_OTHER: payKeys.publicKey };
    const both = { apiV3Key, publicKeys, previous: { apiV3Key: payKeys.apiV3Key } };
    const { send, facts } = aMerchant({ secret: both });
    for (const sender of [paySender, other, { ...other, apiV3Key }])
      expect((await send(notifyPay(paidText, success, NOW, 'n', sender))).statusCode).toBe(204);
    expect(facts).toEqual([]);
    const over = aMerchant({ secret: { apiV3Key, publicKeys: { PUB_KEY_ID_OTHER: payKeys.publicKey } } });
    expect((await over.send(notifyPay(paidText, success, NOW, 'n', other))).statusCode).toBe(401);
    expect((await over.send(notifyPay(paidText, success, NOW, 'n'))).statusCode).toBe(401);
    expect(reasons(over.facts)).toEqual(['aead_tag_mismatch', 'unknown_serial']);
  });

  test('what is authentic and says too little goes to quarantine, and comes out of it the same', async () => {
    const cases: [string, unknown][] = [
      ['bad_shape', { ...payment, transaction_id: undefined }],
      ['bad_shape', { ...payment, sub_orders: 5 }],
      ['bad_shape', { ...payment, sub_orders: [[]] }],
      ['missing_property', { ...payment, amount: [] }],
      ['bad_property', { ...payment, amount: { total: '26800' } }],
      ['bad_property', { ...payment, trade_state: 'REFUND' }],
      ['missing_property', { ...payment, out_trade_no: { a: 1 } }],
      ['bad_time', { ...payment, success_time: 'yesterday' }],
    ];
    for (const [reason, resource] of cases) {
      const { send, faults, events } = aMerchant();
      const reply = await send(notifyPay(JSON.stringify(resource), success, NOW, 'n'));
      expect(reply.statusCode).toBe(204);
      expect(events()).toEqual([]);
      expect(faults()).toMatchObject([{ reason }]);
      const [fault] = faults();
      const settings = { mchId: '1900009231', secret: 'wechat-pay' };
      expect(wechatPay.replay(fault!, { id: 'main', settings, home: homeOf(aBrand()) }).faults).toMatchObject(
        [{ reason }],
      );
    }
  });

  test.each(['[]', '"x"', '{}', '{"resource":[]}', '{"resource":{"nonce":"x","ciphertext":"AA=="}}', 'no'])(
    'signed and hollow, %s is refused',
    async (body) => {
      const { send, bodies } = aMerchant();
      expect((await send(signPay(body, paySender, NOW, 'n'))).statusCode).toBe(401);
      expect(bodies).toEqual([]);
    },
  );

  test('another algorithm is refused whatever it opens to', async () => {
    const { send, facts } = aMerchant();
    const body = sealPay(paidText, success, payKeys.apiV3Key, 'n').replace(
      'AEAD_AES_256_GCM',
      'AEAD_SM4_GCM',
    );
    expect((await send(signPay(body, paySender, NOW, 'n'))).statusCode).toBe(401);
    expect(reasons(facts)).toEqual(['aead_tag_mismatch']);
  });

  test('a secret that is not filled in rightly makes WeChat try again', async () => {
    const { publicKey, serial, apiV3Key, apiKey } = payKeys;
    const bad = [
      { apiV3Key: apiV3Key.slice(1), publicKeys: { [serial]: publicKey } },
      { apiV3Key, publicKeys: { [serial]: publicKey.replace('MIIB', 'MIIC') } },
      { apiV3Key, publicKeys: {} },
      { apiV3Key: '密'.repeat(32), publicKeys: { [serial]: publicKey }, apiKey },
    ];
    for (const secret of bad) {
      const { send, facts } = aMerchant({ secret });
      expect((await send(notifyPay(paidText, success, NOW, 'n'))).statusCode).toBe(500);
      expect(facts).toMatchObject([{ what: 'misconfigured' }]);
      expect(JSON.stringify(facts)).not.toContain(apiV3Key.slice(1));
    }
  });
});

const ofKind = (...kinds: string[]) => vectorsOf('wechat-pay-v3', ...kinds);

describe.skipIf(!hasShared)(`published vectors of WeChat Pay${without}`, () => {
  test.each(ofKind('rsa_sha256_verify'))('$id: holds, and not for another letter', ({ inputs }) => {
    const { certificate_pem: pem = '', message = '', signature_b64: signature = '' } = texts.parse(inputs);
    expect(rsaHolds(pem, Buffer.from(message), signature)).toBe(true);
    expect(Rsa.verify(message, signature, pem)).toBe(true);
    expect(rsaHolds(pem, Buffer.from(message.replace('payscore', 'payscorf')), signature)).toBe(false);
    expect(rsaHolds(payKeys.publicKey, Buffer.from(message), signature)).toBe(false);
  });

  test.each(ofKind('aes_gcm_decrypt', 'aes_gcm_reject'))(
    '$id: opens or not, as published',
    ({ inputs, expected }) => {
      const { key = '', nonce = '', aad = '', ciphertext_b64 = '' } = texts.parse(inputs);
      expect(openAead(key, nonce, aad, ciphertext_b64)).toBe(expected.plaintext);
      expect(openAead(key, nonce, `${aad}x`, ciphertext_b64)).toBeUndefined();
      expect(openAead(key.replace(/^./, '0'), nonce, aad, ciphertext_b64)).toBeUndefined();
      expect(openAead(key, nonce, aad, ciphertext_b64.replace(/^./, 'A'))).toBeUndefined();
      expect(openAead(`${key}0`, nonce, aad, ciphertext_b64)).toBeUndefined();
      expect(openAead(key, nonce, aad, '')).toBeUndefined();
    },
  );

  test.each(ofKind('hash', 'hmac'))('$id: signs to the same', ({ kind, inputs, expected }) => {
    const { key, ...fields } = Object.fromEntries(new URLSearchParams(String(inputs.data)));
    const algorithm = kind === 'hash' ? 'MD5' : 'HMAC-SHA256';
    const shuffled = Object.fromEntries(Object.entries({ ...fields, sign: 'x', empty: '' }).reverse());
    expect(legacySignature(shuffled, key!, algorithm)).toBe(expected.digest);
    expect(legacySignature({ ...fields, body: 'tesu' }, key!, algorithm)).not.toBe(expected.digest);
  });

  test.each(ofKind('http_case'))('$id: is taken or refused as published', async (it) => {
    const { now, config, sent } = httpCase(
      it,
      '/webhooks/wechat-pay/main',
      z.object({ api_v3_key: z.string(), keys: texts, mchid: z.string() }),
    );
    const live = (over: { mchId?: string; apiV3Key?: string; now?: number } = {}) =>
      aMerchant({
        settings: { mchId: over.mchId ?? config.mchid },
        secret: { apiV3Key: over.apiV3Key ?? config.api_v3_key, publicKeys: config.keys },
        now: over.now ?? now,
      });
    const captured = live();
    expectAnswered(it, await captured.send(sent), captured);
    if (!it.expected.accept) return;
    const plain = z.object({ transaction_id: z.string() }).parse(it.expected.plaintext_json);
    expect(captured.events()).toMatchObject([{ type: 'order_paid', properties: plain }]);
    const refusals: [ReturnType<typeof live>, typeof sent][] = [
      [live(), { ...sent, body: sent.body.replace('EV-2', 'EV-3') }],
      [live({ apiV3Key: config.api_v3_key.replace(/.$/, '9') }), sent],
      [live({ mchId: '1900009232' }), sent],
      [live({ now: now + 300_000 }), sent],
      [live({ now: now - 310_000 }), sent],
    ];
    for (const [{ send: again }, request] of refusals) expect((await again(request)).statusCode).toBe(401);
  });
});

describe.skipIf(!hasShared)(`published samples of WeChat Pay${without}`, () => {
  const isEnvelope = ({ file }: { file: string }) => file.includes('envelope');

  test.each(samplesOf('wechat-pay').filter((it) => !isEnvelope(it)))('$file means $canonical', async (it) => {
    const captured = aMerchant();
    const text = sharedText(`samples/${it.file}`);
    const create_time = new Date(NOW).toISOString();
    const request =
      it.layer === 'wire'
        ? notifyLegacy(text)
        : notifyPay(text, { event_type: it.vendor_event, create_time }, NOW, it.file);
    expect((await captured.send(request)).statusCode).toBeLessThan(300);
    expectMeant(it, captured, { people: 'among others', at: it.occurred_at ?? create_time });
    expectIds(it, captured, source);
  });

  test('the envelope says when, where what is sealed in it does not', async () => {
    const { id, create_time, event_type } = z
      .object({ id: z.string(), create_time: z.string(), event_type: z.string() })
      .parse(JSON.parse(sharedText('samples/wechat-pay/envelope_transaction_success.json')));
    const { success_time: _, ...untimed } = payment;
    const { send, events } = aMerchant({ now: NOW + 60_000 });
    await send(notifyPay(JSON.stringify(untimed), { id, create_time, event_type }, NOW, 'n'));
    const it = samplesOf('wechat-pay').find(isEnvelope);
    expect(events()).toMatchObject([{ type: it?.canonical[0], occurredAt: it?.occurred_at }]);
  });
});
