import '@shopify/shopify-api/adapters/node';
import { ApiVersion, LogSeverity, shopifyApi } from '@shopify/shopify-api';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { SentRequest } from '../../lib/channels/sign.ts';
import { hmacSha256 } from '../../lib/channels/verify.ts';
import { hasShared, NOW, sharedText, without } from './captured.ts';
import { aPlayed, refusal } from './played.ts';
import { expectAnswered, expectMeant, httpCase, samplesOf, vectorsOf } from './published.ts';
import { qinghe, shopifyVendor } from './vendors/shopify.ts';

const aShop = (secret: unknown = { apiSecret: qinghe.apiSecret }, now = NOW) =>
  aPlayed('shopify', shopifyVendor, { secrets: { shopify: secret }, now });

const sign = (message: unknown, topic: string, more: Record<string, string> = {}) =>
  shopifyVendor.sign({
    account: 'tea',
    message: typeof message === 'string' ? message : JSON.stringify(message),
    about: { topic, ...more },
    now: NOW,
    nonce: topic,
  });

const anOrder = (more: Record<string, unknown> = {}) => ({
  id: 1001,
  created_at: '2025-10-09T16:53:20+08:00',
  total_price: '268.00',
  currency: 'CNY',
  financial_status: 'pending',
  customer: { id: 7, email: 'mei@example.com', phone: '+8613800138000' },
  ...more,
});
const paid = anOrder({ financial_status: 'paid' });

const refused = (request: SentRequest, secret?: unknown) => refusal(aShop(secret), request);

describe('a webhook of Shopify', () => {
  test('is taken and answered 200 with nothing', async () => {
    const { send, events } = aShop();
    expect(await send(sign(paid, 'orders/paid'))).toMatchObject({ statusCode: 200 });
    expect(events()).toMatchObject([
      { type: 'order_paid', properties: { order_id: '1001', paid_amount: 26_800, currency: 'CNY' } },
    ]);
  });

  test('is refused with one letter of the body or of the secret changed, or without a signature', async () => {
    const request = sign(paid, 'orders/paid');
    const badly = { statusCode: 401, reason: 'bad_signature' };
    expect(await refused({ ...request, body: request.body.replace('268', '269') })).toEqual(badly);
    expect(await refused(request, { apiSecret: 'shpss_test_00112233445566778898' })).toEqual(badly);
    const { 'x-shopify-hmac-sha256': _, ...headers } = request.headers;
    expect(await refused({ ...request, headers })).toEqual(badly);
  });

  test('is taken with the secret before the last rotation while both are held', async () => {
    const rotated = aShop({ apiSecret: 'fresh', previous: { apiSecret: qinghe.apiSecret } });
    expect((await rotated.send(sign(paid, 'orders/paid'))).statusCode).toBe(200);
    expect(await refused(sign(paid, 'orders/paid'), { apiSecret: 'fresh' })).toMatchObject({
      statusCode: 401,
    });
  });

  test('of another shop of the same app is refused, by its header or by what it says itself', async () => {
    const mismatch = { statusCode: 401, reason: 'shop_mismatch' };
    expect(await refused(sign(paid, 'orders/paid', { shop: 'other.myshopify.com' }))).toEqual(mismatch);
    const redact = {
      shop_id: 1,
      shop_domain: 'other.myshopify.com',
      customer: { id: 7 },
      orders_to_redact: [],
    };
    expect(await refused(sign(redact, 'customers/redact'))).toEqual(mismatch);
    const link = { order_status_url: 'https://other.myshopify.com/1/orders/2/authenticate' };
    expect(await refused(sign({ ...paid, ...link }, 'orders/paid'))).toEqual(mismatch);
  });

  test('over 1 MB is refused before anything is read', async () => {
    const long = sign(anOrder({ note: 'x'.repeat(1024 * 1024) }), 'orders/create');
    expect(await refused(long)).toMatchObject({ statusCode: 413 });
  });

  test('with the headers of the newer kind is the same', async () => {
    const { send, events } = aShop();
    await send(sign(paid, 'orders/paid'));
    await send(sign(paid, 'orders/paid', { style: 'events' }));
    expect(events()[1]).toEqual(events()[0]);
  });
});

describe('whoever holds one signed body and changes its headers', () => {
  test.each([
    ['orders/paid', anOrder()],
    ['orders/cancelled', paid],
    ['orders/fulfilled', paid],
    ['orders/partially_fulfilled', anOrder({ fulfillment_status: 'fulfilled' })],
    ['refunds/create', paid],
    ['customers/redact', paid],
    ['customers/create', paid],
    ['checkouts/create', paid],
    ['orders/create', { shop_id: 1, shop_domain: qinghe.shop, customer: { id: 7 }, orders_to_redact: [] }],
    [
      'customers/redact',
      { shop_id: 1, shop_domain: qinghe.shop, customer: { id: 7 }, data_request: { id: 1 } },
    ],
  ])('cannot make %s of a body that is none', async (topic, body) => {
    expect(await refused(sign(body, topic))).toEqual({ statusCode: 401, reason: 'event_type_mismatch' });
  });

  test('and sends it as often as they like, with new ids, adds nothing', async () => {
    const { send, events } = aShop();
    const request = sign(paid, 'orders/paid');
    await send(request);
    await send({
      ...request,
      headers: { ...request.headers, 'x-shopify-event-id': 'new', 'x-shopify-webhook-id': 'new' },
    });
    expect(events()[1]?.id).toBe(events()[0]?.id);
  });

  test('can say of an order that was created paid that it is paid, as Shopify will, and it is one payment', async () => {
    const { send, events } = aShop();
    await send(sign(paid, 'orders/paid'));
    await send(sign({ ...paid, updated_at: '2025-10-09T16:53:22+08:00' }, 'orders/paid'));
    expect(new Set(events().map((event) => event.id)).size).toBe(1);
  });

  test.each(['', 'orders', '<script>/x', 'a/b/c'])('gets no further with the topic %j', async (topic) => {
    expect(await refused(sign(paid, topic))).toEqual({ statusCode: 401, reason: 'event_type_mismatch' });
  });
});

describe('what a webhook means', () => {
  const read = async (message: unknown, topic: string) => {
    const shop = aShop();
    expect((await shop.send(sign(message, topic))).statusCode).toBe(200);
    return shop;
  };

  test('an amount that was ordered more and paid again is another payment', async () => {
    const { send, events } = aShop();
    await send(sign(paid, 'orders/paid'));
    await send(sign({ ...paid, total_price: '300.00' }, 'orders/paid'));
    expect(new Set(events().map((event) => event.id)).size).toBe(2);
  });

  test('yen have no hundredths, dinars have thousandths', async () => {
    const yen = await read(
      anOrder({ financial_status: 'paid', currency: 'JPY', total_price: '2680' }),
      'orders/paid',
    );
    expect(yen.events()[0]?.properties.paid_amount).toBe(2680);
    const dinar = await read(
      anOrder({ financial_status: 'paid', currency: 'KWD', total_price: '1.234' }),
      'orders/paid',
    );
    expect(dinar.events()[0]?.properties.paid_amount).toBe(1234);
  });

  test('a refund without its buyer finds them by the order', async () => {
    const order = { kind: 'order_id', scope: `shopify:${qinghe.shop}`, value: '1001' };
    const created = await read(anOrder(), 'orders/create');
    const transactions = [
      { kind: 'refund', status: 'success', amount: '10.10', currency: 'CNY' },
      { kind: 'refund', status: 'failure', amount: '99.00', currency: 'CNY' },
      { kind: 'refund', status: 'success', amount: '0.20', currency: 'CNY' },
    ];
    const refunded = await read({ id: 5, order_id: 1001, transactions }, 'refunds/create');
    expect(created.events()[0]?.identifiers).toContainEqual(order);
    expect(refunded.events()).toMatchObject([
      { type: 'order_refunded', identifiers: [order], properties: { order_id: '1001', refund_amount: 1030 } },
    ]);
  });

  test('goods that came back without money, and a checkout of nobody, are acknowledged and counted', async () => {
    const restock = await read(
      { id: 5, order_id: 1001, transactions: [], refund_line_items: [] },
      'refunds/create',
    );
    expect(restock.facts).toMatchObject([{ what: 'ignored', name: 'refunds/create' }]);
    const checkout = await read(
      { id: 6, token: 't', total_price: '1.00', line_items: [] },
      'checkouts/create',
    );
    expect(checkout.facts).toMatchObject([{ what: 'ignored', name: 'checkouts/create' }]);
  });

  test('an address that Shopify says nobody confirmed is weak', async () => {
    const customer = {
      id: 7,
      email: 'mei@example.com',
      verified_email: false,
      created_at: '2025-10-09T16:53:20+08:00',
    };
    const { events } = await read(customer, 'customers/create');
    expect(events()[0]?.identifiers.map(({ kind }) => kind)).toEqual([
      'shopify_customer_id',
      'unverified_email',
    ]);
  });

  test('topics of no use are counted; a shop that leaves is told to operators', async () => {
    expect((await read({ id: 1, title: 'tea' }, 'products/update')).facts).toMatchObject([
      { what: 'ignored', name: 'products/update' },
    ]);
    expect((await read({ shop_id: 1, shop_domain: qinghe.shop }, 'shop/redact')).facts).toMatchObject([
      { what: 'notice', type: 'data_erasure_requested' },
    ]);
  });

  test.each([
    ['null', 'bad_shape'],
    ['[]', 'bad_shape'],
    ['"text"', 'bad_shape'],
    ['{', 'undecodable'],
    ['{"__proto__":{"financial_status":"paid"}}', 'bad_shape'],
    ['{"financial_status":"paid"}', 'missing_property'],
    [
      '{"id":1,"financial_status":"paid","customer":[],"total_price":{"a":1},"line_items":"x"}',
      'missing_property',
    ],
    ['['.repeat(5000), 'undecodable'],
  ])('%# under a good signature is kept as a fault', async (body, reason) => {
    const { faults, events } = await read(body, 'orders/paid');
    expect(events()).toEqual([]);
    expect(faults()).toMatchObject([{ reason }]);
  });
});

describe('Shopify’s own library', () => {
  const shopify = shopifyApi({
    apiKey: 'key',
    apiSecretKey: qinghe.apiSecret,
    apiVersion: ApiVersion.July26,
    hostName: 'siyu.example.com',
    isEmbeddedApp: false,
    logger: { level: LogSeverity.Error },
  });
  const validate = ({ body, headers, path }: SentRequest) =>
    shopify.webhooks.validate({
      rawBody: body,
      rawRequest: Object.assign(Object.create(null), { method: 'POST', url: path, headers }),
    });

  test.each(['webhooks', 'events'])(
    'takes what our signer sends as %s, and not with a letter changed',
    async (style) => {
      const request = sign(paid, 'orders/paid', { style });
      expect(await validate(request)).toMatchObject({
        valid: true,
        topic: expect.stringMatching(/orders.paid/i),
      });
      expect(await validate({ ...request, body: `${request.body} ` })).toMatchObject({ valid: false });
    },
  );
});

describe.skipIf(!hasShared)(`published vectors and samples of Shopify${without}`, () => {
  test.each(vectorsOf('shopify', 'hmac'))('$id', ({ inputs, expected }) => {
    const { key, data } = z.object({ key: z.string(), data: z.string() }).parse(inputs);
    expect(hmacSha256(Buffer.from(key), data, 'base64')).toBe(expected.digest);
    expect(hmacSha256(Buffer.from(key), `${data} `, 'base64')).not.toBe(expected.digest);
  });

  test.each(vectorsOf('shopify', 'http_case'))('$id', async (it) => {
    const { config, sent } = httpCase(it, '/webhooks/shopify/tea', z.object({ api_secret: z.string() }));
    const captured = aShop({ apiSecret: config.api_secret });
    expectAnswered(it, await captured.send(sent), captured);
    if (it.expected.accept) expect(captured.events()[0]?.properties.order_id).toBe(it.expected.order_id);
    expect((await aShop({ apiSecret: `${config.api_secret}0` }).send(sent)).statusCode).toBe(401);
  });

  test.each(samplesOf('shopify'))('$file means $canonical', async (it) => {
    const captured = aShop();
    await captured.send(sign(sharedText(`samples/${it.file}`), it.vendor_event));
    expectMeant(it, captured, { people: 'among others' });
  });
});
