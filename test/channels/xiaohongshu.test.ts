import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { wechatSignature } from '../../lib/channels/wechat-crypto.ts';
import { eventsMessage } from '../../lib/events/event.ts';
import { hasShared, NOW, sharedText, without } from './captured.ts';
import { aPlayed, hostile, idOf, oneBit } from './played.ts';
import { samplesOf, vectorsOf } from './published.ts';
import { xiaohongshu } from './vendors/xiaohongshu.ts';

const channel = 'xiaohongshu';
const played = (over: Parameters<typeof aPlayed>[2] = {}) => aPlayed(channel, xiaohongshu, over);
const ok = '{"success":true,"error_code":0,"error_msg":""}';
const held = { appSecret: 'xhs-app-secret-0a1b2c', token: 'xhsToken01' };

const one = (msgTag: string, data: object, over: object = {}) =>
  JSON.stringify([{ msgTag, sellerId: '5f8a0c0000000000010002qh', data: JSON.stringify(data), ...over }]);
const status = (orderStatus: number) =>
  one('msg_fulfillment_status_change', { orderId: 'P1', orderStatus, updateTime: 1_760_000_000_000 });
const refunded = (returnsId: string) =>
  one('msg_after_sale_refund_finished', {
    orderId: 'P1',
    returnsId,
    refundFee: 0.1,
    updateTime: 1_760_000_000_000,
  });

describe('a push of Xiaohongshu', () => {
  test('is a hint: only the sender is known, and no amount is believed', async () => {
    const { say, events } = played();
    expect((await say(status(2))).body).toBe(ok);
    await say(refunded('R1'), { about: { tenant: 't2' } });
    expect(events()).toMatchObject([
      { type: 'order_paid', context: { verified: 'sender_only' }, properties: { amount_pending: true } },
      { type: 'order_refunded', properties: { refund_id: 'R1', order_id: 'P1', amount_pending: true } },
    ]);
    expect(JSON.stringify(events())).not.toMatch(/_amount":/);
    expect(new Set(events().map(({ identifiers }) => identifiers[0]?.value))).toEqual(new Set(['P1']));
  });

  test('two pushes of one second have one signed query: both are taken, and say that they share it', async () => {
    const { send, sign, refused, bodies } = played();
    const first = sign(status(1));
    const second = { ...first, body: refunded('R1') };
    expect((await send(first)).statusCode).toBe(200);
    expect((await send(second)).statusCode).toBe(200);
    expect((await send(first)).statusCode).toBe(200);
    expect(refused()).toEqual([]);
    const nonces = bodies.map((body) => eventsMessage.parse(JSON.parse(body)).nonce);
    expect(new Set(nonces.map((it) => it?.query)).size).toBe(1);
    expect(nonces.map((it) => it?.body === nonces[0]?.body)).toEqual([true, false, true]);
  });

  test('another secret, path, query, application or time is refused in the same words', async () => {
    const { send, sign, refused, world } = played();
    const request = sign(status(1));
    const headers = (over: object) => ({ ...request, headers: { ...request.headers, ...over } });
    const replies = [
      await played({ secrets: { xiaohongshu: { appSecret: 'x' } } }).send(request),
      await send({ ...request, rawQuery: 'tenant=t002' }),
      await send({ ...request, rawQuery: '' }),
      await send(headers({ timestamp: '1760000003' })),
      await send(headers({ sign: oneBit(request.headers.sign ?? '').toString() })),
      await send(headers({ 'app-key': 'xhs0appkey0002' })),
    ];
    world.now += 301_000;
    replies.push(await send(request));
    expect(replies.map(({ statusCode }) => statusCode)).toEqual(Array(7).fill(401));
    expect(new Set(replies.map(({ body }) => body)).size).toBe(1);
    expect(refused()).toEqual([
      'bad_signature',
      'bad_signature',
      'bad_signature',
      'bad_signature',
      'unknown_app',
      'timestamp_out_of_window',
    ]);
  });

  test('two secrets are live while both are held', async () => {
    const rotated = played({ secrets: { xiaohongshu: { appSecret: 'fresh', previous: held } } });
    expect((await rotated.say(status(1))).statusCode).toBe(200);
    const alone = played({ secrets: { xiaohongshu: { appSecret: 'fresh' } } });
    expect((await alone.say(status(1))).statusCode).toBe(401);
  });

  test('a status that comes twice is one event, two returns of an order are two', async () => {
    const { say, events } = played();
    for (const [at, body] of [status(6), status(6), refunded('R1'), refunded('R2')].entries())
      await say(body, { about: { tenant: `t${at}` } });
    const ids = events().map(({ id }) => id);
    expect(ids[1]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(3);
  });

  test('another seller’s message goes to quarantine; what the customer did not do is counted', async () => {
    const { say, events, faults, ignored } = played();
    await say(status(1).replace('5f8a0c', '5f8a0d'), { about: { tenant: 'a' } });
    await say(status(4), { about: { tenant: 'b' } });
    await say(one('msg_sku_create', { itemId: '1' }), { about: { tenant: 'c' } });
    expect(events()).toEqual([]);
    expect(faults()).toMatchObject([{ reason: 'bad_shape' }]);
    expect(ignored()).toEqual(['msg_fulfillment_status_change 4', 'msg_sku_create']);
  });

  test('the address of a mini program is answered with its echo, and refused without the token', async () => {
    const get = (signature: string, echostr = 'abc123') => ({
      ...played().sign(''),
      method: 'GET',
      rawQuery: new URLSearchParams({ signature, timestamp: '1760000000', nonce: 'n', echostr }).toString(),
      body: '',
    });
    const signature = wechatSignature('xhsToken01', '1760000000', 'n');
    expect(await played().send(get(signature))).toMatchObject({ statusCode: 200, body: 'abc123' });
    expect((await played().send(get(signature, '<b>'))).statusCode).toBe(401);
    expect((await played().send(get('0'))).statusCode).toBe(401);
    const none = played({ secrets: { xiaohongshu: { appSecret: held.appSecret } } });
    expect((await none.send(get(wechatSignature('', '1760000000', 'n')))).statusCode).toBe(401);
  });

  test('the sealed body of a mini program, whose layout nobody published, is refused', async () => {
    const { send, sign } = played();
    expect((await send({ ...sign(''), headers: {}, body: 'c2VhbGVk' })).statusCode).toBe(401);
  });

  test.each([...hostile, one('msg_after_sale_create', []), one('msg_after_sale_create', { orderId: {} })])(
    '%s is never an event and never a failure',
    async (body) => {
      const { say, events } = played();
      expect((await say(body)).statusCode).toBe(200);
      expect(events()).toEqual([]);
    },
  );
});

describe.skipIf(!hasShared)(`published vectors and samples${without}`, () => {
  test.each(vectorsOf(channel, 'wx_sha1'))('$id: answers the echo at its time', async (it) => {
    const { token, timestamp, nonce } = z.record(z.string(), z.string()).parse(it.inputs);
    const { send, sign } = played({
      now: Number(timestamp) * 1000,
      secrets: { xiaohongshu: { ...held, token } },
    });
    const get = (given: string) => ({
      ...sign(''),
      method: 'GET',
      rawQuery: `signature=${it.expected.signature}&timestamp=${timestamp}&nonce=${given}&echostr=e`,
      body: '',
    });
    expect((await send(get(nonce ?? ''))).body).toBe('e');
    expect((await send(get(`${nonce}0`))).statusCode).toBe(401);
  });

  test.each(vectorsOf(channel, 'hash'))('$id: is the signature that a push of that path has', async (it) => {
    const { data } = z.object({ data: z.string() }).parse(it.inputs);
    // The path of the vector is not one of ours: its rule is checked with ours in its place.
    const ours = data.replace('/xhs/push', '/webhooks/xiaohongshu/main');
    const digest = (text: string) => createHash('md5').update(text).digest('hex');
    expect(digest(data)).toBe(it.expected.digest);
    expect(digest(ours)).toBe(played({ now: NOW - 1000 }).sign('[]').headers.sign);
  });

  test.each(samplesOf(channel))('$file means $canonical', async (it) => {
    const { say, events, faults } = played({ now: NOW + 60_000 });
    expect((await say(sharedText(`samples/${it.file}`))).body).toBe(ok);
    expect(faults()).toEqual([]);
    expect(events().map(({ type }) => type)).toEqual(it.canonical);
    const [event] = events();
    expect(event?.occurredAt).toBe(it.occurred_at);
    const [tag = '', order = '', last = ''] = it.dedupe_parts;
    // The manifest leaves the last part of a return empty: with it two returns of an order would be one.
    expect(event?.id).toBe(idOf(channel, tag, order, last || String(event?.properties.refund_id)));
  });
});
