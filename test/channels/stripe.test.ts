// Scope: Stripe's events, from the request to the queue. Stripe's own library signs.
import Stripe from 'stripe';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { eventId } from '../../lib/events/id.ts';
import { MINUTE } from '../../lib/platform/clock.ts';
import { hasShared, NOW, sharedText, without } from './captured.ts';
import { aPlayed, reasons } from './played.ts';
import {
  expectAnswered,
  expectHarmless,
  expectIds,
  expectMeant,
  httpCase,
  samplesOf,
  texts,
  vectorsOf,
} from './published.ts';
import { signStripe, stripeSecret, stripeVendor } from './vendors/stripe.ts';

const source = { channel: 'stripe', account: 'main' };

const aShop = (over: { secret?: unknown; now?: number } = {}) =>
  aPlayed('stripe', stripeVendor, {
    secrets: { stripe: over.secret ?? { signingSecret: stripeSecret } },
    now: over.now,
  });

const anEvent = (type: string, object: unknown, over: object = {}) =>
  JSON.stringify({ id: 'evt_1', object: 'event', created: 1_760_000_000, type, data: { object }, ...over });

const session = {
  id: 'cs_1',
  client_reference_id: 'QH1',
  payment_intent: 'pi_1',
  payment_status: 'paid',
  amount_total: 26_800,
  currency: 'cny',
};
const paid = anEvent('checkout.session.completed', session);

describe('the signature', () => {
  test('every live secret is tried, and every signature of the one known scheme', async () => {
    const both = { signingSecret: 'whsec_fresh', previous: { signingSecret: stripeSecret } };
    const { send, facts } = aShop({ secret: both });
    expect((await send(signStripe(paid, 'main', NOW))).statusCode).toBe(200);
    expect((await send(signStripe(paid, 'main', NOW, 'whsec_fresh'))).statusCode).toBe(200);
    const good = signStripe(paid, 'main', NOW);
    const header = `${good.headers['stripe-signature']}`;
    const [t, v1 = ''] = header.split(',');
    const zeros = `v1=${'0'.repeat(64)}`;
    const several = { ...good, headers: { 'stripe-signature': [t, zeros, v1, 'v0=dead'].join(',') } };
    expect((await send(several)).statusCode).toBe(200);
    expect(facts).toEqual([]);
    const other = { ...good, headers: { 'stripe-signature': `${t},${v1.replace('v1', 'v0')}` } };
    expect((await send(other)).statusCode).toBe(401);
    const over = aShop({ secret: { signingSecret: 'whsec_fresh' } });
    expect((await over.send(good)).statusCode).toBe(401);
  });

  test('one byte of body or time, another secret, five minutes: refused, nothing kept', async () => {
    const { send, facts, bodies, world } = aShop();
    const good = signStripe(paid, 'main', NOW);
    const header = `${good.headers['stripe-signature']}`;
    await send({ ...good, body: good.body.replace('26800', '26801') });
    await send({ ...good, headers: { 'stripe-signature': header.replace(/t=(\d+)\d/, 't=$19') } });
    await send(signStripe(paid, 'main', NOW, `${stripeSecret}0`));
    await send({ ...good, headers: {} });
    await send({ ...good, headers: { 'stripe-signature': 't=,v1=,,=' } });
    world.now = NOW + 6 * MINUTE;
    await send(good);
    world.now = NOW - 6 * MINUTE;
    await send(good);
    expect(reasons(facts)).toEqual([
      ...Array<string>(5).fill('bad_signature'),
      'timestamp_out_of_window',
      'timestamp_out_of_window',
    ]);
    expect(bodies).toEqual([]);
  });

  test('what we take, Stripe’s library takes, and the reverse', () => {
    const { body, headers } = signStripe(paid, 'main', NOW);
    const { webhooks } = new Stripe('sk_test_throw_away');
    const construct = (secret: string) =>
      webhooks.constructEvent(body, headers['stripe-signature'] ?? '', secret, 300, undefined, NOW);
    expect(construct(stripeSecret).type).toBe('checkout.session.completed');
    expect(() => construct(`${stripeSecret}0`)).toThrow();
  });
});

describe('what Stripe’s events mean', () => {
  test('a payment and its refund meet in the payment intent and in the order', async () => {
    const { send, events } = aShop();
    const charge = {
      id: 'ch_1',
      payment_intent: 'pi_1',
      amount_refunded: 10_000,
      currency: 'cny',
      metadata: { order_id: 'QH1' },
    };
    await send(signStripe(paid, 'main', NOW));
    await send(signStripe(anEvent('charge.refunded', charge, { id: 'evt_2' }), 'main', NOW));
    const [order, refund] = events();
    expect(refund).toMatchObject({
      type: 'order_refunded',
      properties: { refund_id: 'ch_1:10000', order_id: 'QH1', refund_amount: 10_000, currency: 'CNY' },
    });
    expect(order?.identifiers).toEqual(expect.arrayContaining(refund?.identifiers ?? []));
    expect(refund?.identifiers).toContainEqual({ kind: 'order_id', scope: 'stripe:main', value: 'pi_1' });
  });

  test('three partial refunds add up to what was refunded, however Stripe sums them', async () => {
    const { send, events } = aShop();
    const sums = [0, 1000, 2500, 9900];
    for (const [i, before] of sums.slice(0, -1).entries()) {
      const data = {
        object: { id: 'ch_1', amount_refunded: sums[i + 1], currency: 'cny' },
        previous_attributes: { amount_refunded: before },
      };
      const text = anEvent('charge.refunded', {}, { id: `evt_${i}`, data });
      await send(signStripe(text, 'main', NOW));
    }
    expect(events().map(({ properties }) => properties.refund_amount)).toEqual([1000, 1500, 7400]);
    expect(new Set(events().map(({ properties }) => properties.refund_id)).size).toBe(3);
  });

  test('a refund is called by its own id where Stripe says it', async () => {
    const { send, events } = aShop();
    const refunds = { data: [{ id: 're_2' }, { id: 're_1' }] };
    const charge = { id: 'ch_1', amount_refunded: 5, currency: 'cny', refunds };
    await send(signStripe(anEvent('charge.refunded', charge), 'main', NOW));
    expect(events()[0]?.properties.refund_id).toBe('re_2');
  });

  test('a refund that came back is one event under each of its three names', async () => {
    const { send, events } = aShop();
    const refund = { id: 're_1', charge: 'ch_1', status: 'failed', failure_reason: 'unknown' };
    for (const type of ['refund.failed', 'refund.updated', 'charge.refund.updated'])
      await send(signStripe(anEvent(type, refund, { id: `evt_${type}` }), 'main', NOW));
    expect(events().map((event) => event.type)).toEqual(Array(3).fill('refund_closed'));
    expect(new Set(events().map((event) => event.id)).size).toBe(1);
  });

  test('one payment is counted once: by Checkout, or by the payment intent where the account says so', async () => {
    const { send, events } = aShop();
    const intent = anEvent('payment_intent.succeeded', {
      id: 'pi_1',
      amount_received: 26_800,
      currency: 'cny',
    });
    for (const account of ['main', 'elements'])
      for (const text of [paid, intent]) await send(signStripe(text, account, NOW));
    expect(
      events().map(({ source, type, properties }) => [source.account, type, properties.order_id]),
    ).toEqual([
      ['main', 'order_paid', 'QH1'],
      ['elements', 'order_paid', 'pi_1'],
    ]);
  });

  test('a session that is not paid yet is an order, and one that keeps a card for later is none', async () => {
    const { send, events, facts } = aShop();
    const unpaid = { ...session, payment_status: 'unpaid' };
    await send(signStripe(anEvent('checkout.session.completed', unpaid), 'main', NOW));
    const setup = { ...session, mode: 'setup', amount_total: null };
    await send(signStripe(anEvent('checkout.session.completed', setup, { id: 'evt_2' }), 'main', NOW));
    expect(events().map((event) => event.type)).toEqual(['order_created']);
    expect(facts).toMatchObject([{ what: 'ignored', name: 'checkout.session.completed' }]);
  });

  test('Icelandic crowns, which Stripe counts in hundredths, are whole', async () => {
    const { send, events, faults } = aShop();
    const isk = (amount_total: number, id: string) =>
      signStripe(anEvent(paidType, { ...session, currency: 'isk', amount_total }, { id }), 'main', NOW);
    const paidType = 'checkout.session.completed';
    await send(isk(500_000, 'evt_1'));
    await send(isk(500_050, 'evt_2'));
    expect(events()).toMatchObject([{ properties: { paid_amount: 5000, currency: 'ISK' } }]);
    expect(faults()).toMatchObject([{ reason: 'bad_property' }]);
  });

  test('a bad phone or address is left out; the payment counts', async () => {
    const { send, events } = aShop();
    const customer_details = { email: 'nobody', phone: '138****8000' };
    const object = { ...session, customer: 'cus_1', customer_details };
    await send(signStripe(anEvent('checkout.session.completed', object), 'main', NOW));
    expect(events()[0]?.identifiers.map(({ kind }) => kind)).toEqual([
      'stripe_customer_id',
      'order_id',
      'order_id',
    ]);
  });

  test('a retry has the same id, and an event that nobody knows is acknowledged and counted', async () => {
    const { send, events, facts, world } = aShop();
    await send(signStripe(paid, 'main', NOW));
    world.now += 10 * MINUTE;
    await send(signStripe(paid, 'main', world.now));
    expect(events().map((event) => event.id)).toEqual(Array(2).fill(eventId(source, ['evt_1'])));
    for (const type of ['customer.created', '__proto__', 'toString'])
      expect((await send(signStripe(anEvent(type, {}), 'main', world.now))).statusCode).toBe(200);
    expect(reasons(facts)).toEqual(['ignored', 'ignored', 'ignored']);
  });
});

test('an endpoint of Connect takes the events of its account and refuses those of others', async () => {
  const { send, events, facts } = aShop();
  const of = (account: string) => anEvent('checkout.session.completed', session, { account });
  expect((await send(signStripe(of('acct_qh0001'), 'connect', NOW))).statusCode).toBe(200);
  expect((await send(signStripe(of('acct_other'), 'connect', NOW))).statusCode).toBe(401);
  expect((await send(signStripe(of('acct_qh0001'), 'main', NOW))).statusCode).toBe(401);
  expect(reasons(facts)).toEqual(['shop_mismatch', 'shop_mismatch']);
  expect(events()).toHaveLength(1);
});

test.each([
  ['[]', 'bad_shape'],
  ['null', 'bad_shape'],
  ['"evt"', 'bad_shape'],
  ['{}', 'bad_shape'],
  ['{"id":"evt_1"', 'undecodable'],
  [`${'['.repeat(64)}${']'.repeat(64)}`, 'undecodable'],
  ['{"id":{},"type":"charge.refunded"}', 'bad_shape'],
  ['{"id":"evt_1","type":"charge.refunded","created":1760000000,"data":[]}', 'missing_property'],
  [
    '{"id":"evt_1","type":"charge.refunded","created":1760000000,"data":{"object":{"id":"ch_1","amount_refunded":"9","currency":"cny"}}}',
    'missing_property',
  ],
  [
    '{"id":"evt_1","type":"checkout.session.completed","created":"soon","data":{"object":{"id":"cs_1","amount_total":1,"currency":"cny"}}}',
    'bad_time',
  ],
  [
    '{"id":"evt_1","type":"checkout.session.completed","created":1760000000,"data":{"object":{"id":"cs_1","amount_total":1.5,"currency":"cny"}}}',
    'bad_property',
  ],
  [
    '{"id":"evt_1","type":"checkout.session.completed","created":1760000000,"data":{"object":{"id":"cs_1","amount_total":1,"currency":["cny"]}}}',
    'missing_property',
  ],
])('signed and broken, %s goes to quarantine', async (body, reason) => {
  const { send, faults, events } = aShop();
  expect((await send(signStripe(body, 'main', NOW))).statusCode).toBe(200);
  expect(events()).toEqual([]);
  expect(faults()).toMatchObject([{ reason }]);
});

describe.skipIf(!hasShared)(`published vectors of Stripe${without}`, () => {
  test.each(vectorsOf('stripe', 'hmac'))(
    '$id: is signed so, and not with the key decoded',
    async ({ inputs, expected }) => {
      const { key = '', data = '' } = texts.parse(inputs);
      const [, time = '', body = ''] = /^(\d+)\.(.*)$/s.exec(data) ?? [];
      const headers = { 'stripe-signature': `t=${time},v1=${expected.digest}` };
      const sent = { method: 'POST', path: '/webhooks/stripe/main', rawQuery: '', headers, body };
      const at = (signingSecret: string) => aShop({ secret: { signingSecret }, now: Number(time) * 1000 });
      expect((await at(key).send(sent)).statusCode).toBe(200);
      expect((await at(key.replace('whsec_', '')).send(sent)).statusCode).toBe(401);
    },
  );

  test.each(vectorsOf('stripe', 'http_case'))('$id: is taken or refused as published', async (it) => {
    const { now, config, sent } = httpCase(it, '/webhooks/stripe/main', z.object({ secret: z.string() }));
    const at = (signingSecret: string, time: number) => aShop({ secret: { signingSecret }, now: time });
    const captured = at(config.secret, now);
    expectAnswered(it, await captured.send(sent), captured);
    expect((await at(`${config.secret}0`, now).send(sent)).statusCode).toBe(401);
    expect((await at(config.secret, now + 600_000).send(sent)).statusCode).toBe(401);
    const flipped = { ...sent, body: sent.body.replace('evt_', 'evs_') };
    expect((await at(config.secret, now).send(flipped)).statusCode).toBe(401);
  });
});

describe.skipIf(!hasShared)(`published samples of Stripe${without}`, () => {
  test.each(samplesOf('stripe'))('$file means $canonical', async (it) => {
    const later = NOW + 2 * MINUTE;
    const captured = aShop({ now: later });
    const request = signStripe(sharedText(`samples/${it.file}`), 'main', later);
    expect((await captured.send(request)).statusCode).toBe(200);
    expectMeant(it, captured, { people: 'among others' });
    expectIds(it, captured, source);
  });

  test.each(['proto.json', 'deep_json.json'])('hostile %s is neutralised', async (file) => {
    const captured = aShop();
    const request = signStripe(sharedText(`samples/hostile/${file}`), 'main', NOW);
    expect((await captured.send(request)).statusCode).toBe(200);
    expectHarmless(captured);
  });
});
