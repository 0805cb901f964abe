import { gzipSync } from 'node:zlib';
import { Analytics } from '@segment/analytics-node';
import { describe, expect, test } from 'vitest';
import { sendTracking } from '../../lib/channels/sign.ts';
import { HOUR } from '../../lib/platform/clock.ts';
import { aCapture, listening, NOW, type RawRequest, teahouse } from './captured.ts';

const { webKey, serverKey } = teahouse;
const at = '2025-10-09T08:53:20.000Z';
const call = (name: string, body: object, key = webKey) =>
  sendTracking(name, JSON.stringify({ messageId: 'm1', timestamp: at, ...body }), key);
const track = (event: string, properties: object, key = serverKey) =>
  call('track', { userId: 'M1', event, properties }, key);

const ordered = { order_id: 'o1', currency: 'CNY', total: 268, revenue: 250.5, shipping: 17.5 };

describe('an app that speaks Segment’s protocol', () => {
  test('the real client’s calls are in the queue, money and all, when it holds a server’s key', async () => {
    const { send, events, faults, world } = aCapture();
    world.now = Date.now();
    const { url, close } = await listening(send);
    const analytics = new Analytics({ writeKey: serverKey, host: url, flushAt: 3, flushInterval: 50 });
    analytics.identify({
      userId: 'M1',
      traits: { email: 'Lin@Tea.cn', phone: '13800138000', level: 'gold' },
    });
    analytics.track({ userId: 'M1', event: 'Order Completed', properties: ordered });
    analytics.page({
      anonymousId: 'a1',
      properties: { url: 'https://tea.cn/?utm_source=douyin&utm_campaign=autumn' },
    });
    analytics.alias({ userId: 'M1', previousId: 'a1' });
    analytics.group({ userId: 'M1', groupId: 'g1', traits: { name: 'Tea' } });
    await analytics.closeAndFlush();
    await close();
    expect(faults()).toEqual([]);
    expect(events().map((event) => event.type)).toEqual([
      'identity_linked',
      'order_paid',
      'page_viewed',
      'identity_linked',
      'identity_linked',
    ]);
    const [identified, order, page, alias, group] = events();
    expect(identified).toMatchObject({
      source: { channel: 'segment', account: 'server' },
      identifiers: [
        { kind: 'member_id', scope: 'qinghe', value: 'M1' },
        { kind: 'unverified_email', value: 'lin@tea.cn' },
        { kind: 'unverified_phone', value: '+8613800138000' },
      ],
      traits: { level: 'gold' },
      context: { verified: 'signed', timeSource: 'sender' },
    });
    expect(order?.properties).toEqual({
      order_id: 'o1',
      currency: 'CNY',
      paid_amount: 26800,
      total_amount: 26800,
      revenue_amount: 25050,
      shipping_amount: 1750,
    });
    expect(page?.context.campaign).toEqual({ source: 'douyin', name: 'autumn' });
    expect(alias?.identifiers.map((id) => id.value)).toEqual(['M1', 'a1']);
    expect(group?.traits).toEqual({ group_id: 'g1', group: { name: 'Tea' } });
  });

  test('a page’s key is public: it cannot say that an order was paid, and the rest of its batch goes on', async () => {
    const { send, events, faults } = aCapture();
    const reply = await send(
      call('batch', {
        batch: [
          {
            type: 'track',
            event: 'Order Completed',
            userId: 'M1',
            messageId: 'a',
            timestamp: at,
            properties: ordered,
          },
          {
            type: 'track',
            event: 'Product Viewed',
            userId: 'M1',
            messageId: 'b',
            timestamp: at,
            properties: { sku: 'LJ' },
          },
          { type: 'dance', userId: 'M1', messageId: 'c' },
          { type: 'track', event: 'Hello', messageId: 'd', timestamp: at },
          7,
        ],
      }),
    );
    expect(reply).toMatchObject({ statusCode: 200, body: '{"success":true}' });
    expect(events()).toMatchObject([
      { type: 'product_viewed', properties: { product_id: 'LJ' }, context: { verified: 'client' } },
    ]);
    expect(faults().map((fault) => fault.reason)).toEqual([
      'client_money',
      'bad_type',
      'no_identifier',
      'bad_shape',
    ]);
  });

  test('the write key may stand in the body, and never gets into an event or a fault', async () => {
    const { send, bodies, events } = aCapture();
    const body = JSON.stringify({
      writeKey: webKey,
      type: 'track',
      event: 'x y',
      userId: 'M1',
      messageId: 'm',
      timestamp: at,
    });
    const request = {
      method: 'POST',
      path: '/v1/t',
      rawQuery: '',
      headers: { 'content-type': 'text/plain' },
      body,
    };
    expect((await send(request)).statusCode).toBe(200);
    expect(events()).toMatchObject([{ type: 'x_y', source: { account: 'web' } }]);
    expect(bodies.join()).not.toContain(webKey);
    expect((await send({ ...request, body: body.replace(webKey, 'no_such_key') })).statusCode).toBe(401);
  });

  test('gzip is known by its first bytes, and a bomb is not unpacked', async () => {
    const { send, events } = aCapture();
    const packed = (text: string): RawRequest => ({ ...call('track', {}), body: gzipSync(text) });
    const body = JSON.stringify({ event: 'zipped', userId: 'M1', messageId: 'm', timestamp: at });
    expect((await send(packed(body))).statusCode).toBe(200);
    expect((await send(packed(`"${'x'.repeat(5_000_000)}"`))).statusCode).toBe(413);
    expect((await send({ ...packed(body), body: gzipSync(body).subarray(0, 20) })).statusCode).toBe(400);
    expect(events().map((event) => event.type)).toEqual(['zipped']);
  });

  test('a browser on any site may call, and reads what it is told', async () => {
    const { send } = aCapture();
    const preflight = await send({
      method: 'OPTIONS',
      path: '/v1/track',
      rawQuery: '',
      headers: {},
      body: '',
    });
    expect(preflight).toMatchObject({ statusCode: 204, headers: { 'access-control-allow-origin': '*' } });
    const refused = await send(call('track', {}, 'no_such_key'));
    expect(refused).toMatchObject({ statusCode: 401, headers: { 'access-control-allow-origin': '*' } });
    expect((await send(call('dance', {}))).statusCode).toBe(404);
  });

  test('a page that has our host as its CDN is told to send to us, over what it came by', async () => {
    const { send } = aCapture();
    const asked = (key: string, headers: Record<string, string>) =>
      send({ method: 'GET', path: `/v1/projects/${key}/settings`, rawQuery: '', headers, body: '' });
    const integration = async (headers: Record<string, string>) =>
      JSON.parse((await asked(webKey, headers)).body ?? '').integrations['Segment.io'];
    expect(await integration({ host: 'in.tea.cn' })).toEqual({
      apiKey: webKey,
      apiHost: 'in.tea.cn/v1',
      protocol: 'https',
    });
    const local = { host: '127.0.0.1:8787', 'x-forwarded-proto': 'http' };
    expect(await integration(local)).toMatchObject({ apiHost: '127.0.0.1:8787/v1', protocol: 'http' });
    expect(await integration({ host: 'in.tea.cn"/><script>' })).toEqual({ apiKey: webKey });
    expect((await asked('no_such_key', { host: 'in.tea.cn' })).statusCode).toBe(401);
  });

  test('a method that brings nothing is refused, and a path that is nobody’s is not found', async () => {
    const { send } = aCapture();
    expect((await send({ ...call('track', {}), method: 'GET' })).statusCode).toBe(405);
    expect((await send({ ...call('track', {}), path: '/v1/projects/x' })).statusCode).toBe(404);
  });

  test.each([
    ['Order Completed', 'order_paid'],
    ['order_paid', 'order_paid'],
    ['Order Cancelled', 'order_cancelled'],
    ['Signed Up', 'member_registered'],
    ['videoPlayed', 'video_played'],
    ['Article / Read!', 'article_read'],
  ])('%s is %s', async (name, type) => {
    const { send, events } = aCapture();
    await send(track(name, ordered));
    expect(events().map((event) => event.type)).toEqual([type]);
  });

  test('a name without Latin letters needs a word of ours in the settings', async () => {
    const { send, faults } = aCapture();
    await send(track('领券', {}));
    expect(faults()).toMatchObject([{ reason: 'bad_type' }]);
  });

  test.each([
    ['CNY', 39.9, 3990],
    ['CNY', '39.90', 3990],
    ['CNY', 25.000000000000004, 2500],
    ['CNY', 1.005, 101],
    ['JPY', 1200, 1200],
    ['KWD', 1.234, 1234],
  ])('%s %s is %i in minor units', async (currency, total, minor) => {
    const { send, events } = aCapture();
    await send(track('Order Completed', { order_id: 'o1', currency, total }));
    expect(events()[0]?.properties.paid_amount).toBe(minor);
  });

  test('what is called an amount is in minor units already', async () => {
    const { send, events } = aCapture();
    await send(track('order_paid', { order_id: 'o1', currency: 'CNY', paid_amount: 3990 }));
    expect(events()[0]?.properties).toEqual({ order_id: 'o1', currency: 'CNY', paid_amount: 3990 });
  });

  test('a refund that has no id of its own has that of its message', async () => {
    const { send, events } = aCapture();
    await send(track('Order Refunded', { order_id: 'o1', total: 30, currency: 'CNY' }));
    expect(events()[0]?.properties).toMatchObject({ order_id: 'o1', refund_id: 'm1', refund_amount: 3000 });
  });

  test('prices of products are minor units too, and the protocol’s missing currency is the brand’s', async () => {
    const { send, events } = aCapture();
    await send(
      track('Order Completed', {
        order_id: 'o1',
        total: 10,
        products: [{ product_id: 'LJ', price: 5, quantity: 2 }],
      }),
    );
    expect(events()[0]?.properties).toMatchObject({
      currency: 'CNY',
      products: [{ product_id: 'LJ', price: 500, quantity: 2 }],
    });
  });

  test('mail and phones are nowhere in clear, however deep, but among the identifiers', async () => {
    const { send, events } = aCapture();
    await send(
      call('identify', {
        userId: 'M1',
        traits: {
          Email: 'a@b.cn',
          phone_number: '+8613800138000',
          company: { email: 'c@d.cn', name: 'x' },
          age: 3,
        },
        context: { traits: { mobile: '13900139000' } },
      }),
    );
    expect(events()[0]?.traits).toEqual({ company: { name: 'x' }, age: 3 });
    expect(events()[0]?.identifiers.map((id) => id.value)).toEqual([
      'M1',
      '+8613900139000',
      'a@b.cn',
      '+8613800138000',
    ]);
  });

  test('a retry, sent at another time, is the same event', async () => {
    const { send, events, world } = aCapture();
    const body = { userId: 'M1', event: 'x', messageId: undefined };
    await send(call('track', { ...body, sentAt: '2025-10-09T08:53:21Z' }));
    world.now += HOUR;
    await send(call('track', { ...body, sentAt: '2025-10-09T09:53:21Z' }));
    const [first, again] = events();
    expect([again?.id, again?.occurredAt]).toEqual([first?.id, first?.occurredAt]);
  });

  test('a phone whose clock is a day ahead is corrected, and the event says so', async () => {
    const { send, events } = aCapture();
    await send(call('track', { userId: 'M1', event: 'x', timestamp: '2025-10-10T08:53:20Z' }));
    expect(events()[0]).toMatchObject({
      occurredAt: new Date(NOW).toISOString(),
      context: { timeSource: 'received' },
    });
  });

  test('a key that was replaced is good while it is held', async () => {
    const held = { 'siyu/qinghe/web': { writeKey: 'the_new_write_key', previous: [webKey] } };
    const { send } = aCapture({ secrets: held });
    expect((await send(call('track', { userId: 'M1', event: 'x' }))).statusCode).toBe(200);
    expect((await send(call('track', { userId: 'M1', event: 'x' }, 'the_new_write_key'))).statusCode).toBe(
      200,
    );
  });

  test('a screen without an address is viewed by its name, with device and language', async () => {
    const { send, events } = aCapture();
    await send(
      call('screen', {
        anonymousId: 'a1',
        name: 'Home',
        context: {
          os: { name: 'iOS' },
          device: { model: 'iPhone', type: 'ios' },
          locale: 'zh-CN',
          timezone: 'Asia/Shanghai',
        },
      }),
    );
    expect(events()[0]).toMatchObject({
      type: 'page_viewed',
      properties: { url: 'Home', screen: 'Home' },
      context: { device: { os: 'iOS', model: 'iPhone', type: 'ios' }, locale: 'zh-CN' },
    });
  });
});
