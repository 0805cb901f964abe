import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { chinaTime } from '../../lib/channels/china-time.ts';
import { topSign, topTime } from '../../lib/channels/taobao-top.ts';
import { hasShared, NOW, sharedText, without } from './captured.ts';
import { aPlayed, hostile, idOf, oneBit } from './played.ts';
import { expectIds, expectMeant, samplesOf, vectorsOf } from './published.ts';
import { taobaoTmc } from './vendors/taobao-tmc.ts';

const channel = 'taobao-tmc';
const played = (over: Parameters<typeof aPlayed>[2] = {}) => aPlayed(channel, taobaoTmc, over);

const one = (topic: string, content: object, id = '2160600009012345678') =>
  `{"id":${id},"topic":"${topic}","pub_time":"2025-10-09 16:53:20","content":${JSON.stringify(JSON.stringify({ buyer_open_uid: 'buyer-1', tid: '192559684481084632', ...content }))}}`;
const paid = one('taobao_trade_TradeBuyerPay', { payment: '268.00' });

describe('a message of TMC', () => {
  test('keeps each digit, is in fen, and knows its time without an offset', async () => {
    const { say, events } = played();
    expect(await say(paid)).toMatchObject({ statusCode: 200, body: '{"success":true}' });
    expect(events()).toMatchObject([
      {
        id: idOf(channel, '2160600009012345678'),
        type: 'order_paid',
        occurredAt: '2025-10-09T08:53:20.000Z',
        identifiers: [{ kind: 'taobao_buyer_open_uid', scope: '21000001', value: 'buyer-1' }],
        properties: { order_id: '192559684481084632', paid_amount: 26_800, currency: 'CNY' },
      },
    ]);
  });

  test('an amount that is not told is pending, never 0', async () => {
    const { say, events } = played();
    await say(one('taobao_trade_TradeBuyerPay', {}));
    expect(events()[0]?.properties).toEqual({ order_id: '192559684481084632', amount_pending: true });
  });

  test('another secret, application, time or bit is refused in the same words', async () => {
    const { send, sign, refused, world } = played();
    const request = sign(paid);
    const replies = [
      await send({ ...request, body: oneBit(request.body) }),
      await send({ ...request, rawQuery: request.rawQuery.replace('53%3A22', '53%3A23') }),
      await send({ ...request, rawQuery: '' }),
      await played({ secrets: { taobao: { appSecret: 'x' } } }).send(request),
      await played({ accounts: { main: { appKey: '21000002', secret: 'taobao' } } }).send(request),
    ];
    world.now += 301_000;
    replies.push(await send(request));
    expect(replies.map(({ statusCode }) => statusCode)).toEqual(Array(6).fill(401));
    expect(new Set(replies.map(({ body }) => body)).size).toBe(1);
    expect(refused()).toEqual(['bad_signature', 'bad_signature', 'bad_signature', 'timestamp_out_of_window']);
  });

  test('two secrets are live while both are held', async () => {
    const rotated = played({
      secrets: { taobao: { appSecret: 'fresh', previous: { appSecret: 'helloworld' } } },
    });
    expect((await rotated.say(paid)).statusCode).toBe(200);
    expect((await played({ secrets: { taobao: { appSecret: 'fresh' } } }).say(paid)).statusCode).toBe(401);
  });

  test('points without a change that we can read wait in quarantine, a topic that nobody knows is counted', async () => {
    const { say, events, faults, ignored } = played();
    await say(one('tmall_mei_PointChange', { brand_new: 1 }));
    await say(one('taobao_item_ItemUpdate', {}));
    expect(events()).toEqual([]);
    expect(faults()).toMatchObject([{ reason: 'missing_property' }]);
    expect(ignored()).toEqual(['taobao_item_ItemUpdate']);
  });

  test('of nobody there is no event', async () => {
    const { say, faults } = played();
    await say(paid.replace('buyer_open_uid', 'buyer_nick'));
    expect(faults()).toMatchObject([{ reason: 'no_identifier' }]);
  });

  test.each([
    ...hostile,
    paid.replace('"id"', '"no"'),
    '{"id":1,"topic":"taobao_trade_TradeCreate","content":"["}',
  ])('%s is never an event and never a failure', async (body) => {
    const { say, events } = played();
    expect((await say(body)).statusCode).toBe(200);
    expect(events()).toEqual([]);
  });

  test('TOP’s clock is eight hours ahead of ours', () => {
    expect(topTime(NOW)).toBe('2025-10-09 16:53:22');
    expect(chinaTime(topTime(NOW))).toBe('2025-10-09T16:53:22+08:00');
  });
});

describe.skipIf(!hasShared)(`published vectors and samples${without}`, () => {
  const fields: Readonly<Record<string, readonly [string, Record<string, string>]>> = {
    'top-md5-official': [
      'helloworld',
      {
        method: 'taobao.item.seller.get',
        app_key: '12345678',
        session: 'test',
        timestamp: '2016-01-01 12:00:00',
        format: 'json',
        v: '2.0',
        sign_method: 'md5',
        fields: 'num_iid,title,nick,price,num',
        num_iid: '11223344',
      },
    ],
    'tmc-connect-sign': [
      'helloworld',
      { timestamp: '1760000000000', group_name: 'default', app_key: '12345678' },
    ],
    'jd-md5-official': [
      'yourappSecret',
      {
        '360buy_param_json':
          '{"end_date":null,"optional_fields":null,"order_state":"WAIT_SELLER_STOCK_OUT","page":"1","page_size":"200","start_date":null}',
        access_token: 'yourtoken',
        app_key: 'yourappkey',
        method: 'jingdong.pop.order.search',
        timestamp: '2021-05-07 09:20:39.683+0800',
        v: '2.0',
      },
    ],
  };
  test.each(vectorsOf('taobao-top', 'hash'))(
    '$id: is signed as published, whatever the order of fields',
    (it) => {
      const { data } = z.object({ data: z.string() }).parse(it.inputs);
      const [secret, said] = fields[it.id] ?? ['', {}];
      expect(createHash('md5').update(data).digest('hex').toUpperCase()).toBe(it.expected.digest);
      expect(topSign(secret, said)).toBe(it.expected.digest);
      expect(topSign(`${secret}0`, said)).not.toBe(it.expected.digest);
      expect(topSign(secret, { ...said, v: '2.1' })).not.toBe(it.expected.digest);
    },
  );

  test.each(samplesOf(channel))('$file means $canonical', async (it) => {
    const captured = played({ now: NOW + 60_000 });
    expect((await captured.say(sharedText(`samples/${it.file}`))).statusCode).toBe(200);
    expectMeant(it, captured);
    expectIds(it, captured, { channel, account: 'main' });
    expect(captured.events()[0]?.properties.currency).toBe('CNY');
  });
});
