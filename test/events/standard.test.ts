import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checkEvent } from '../../lib/events/check.ts';
import type { Json } from '../../lib/events/event.ts';
import { FaultError } from '../../lib/events/fault.ts';
import { type StandardType, signedOnly, standardTypes } from '../../lib/events/standard.ts';
import { hasShared, sharedText, without } from '../channels/captured.ts';

const reasonOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    if (error instanceof FaultError) return error.reason;
    throw error;
  }
  return 'none';
};
const paid = { order_id: 'o1', paid_amount: 100, currency: 'CNY' };

describe('an event is checked against its type', () => {
  test('an order that is paid has an order, an amount in minor units and a currency', () => {
    expect(checkEvent('order_paid', paid, 'signed')).toEqual(paid);
    for (const name of Object.keys(paid))
      expect(reasonOf(() => checkEvent('order_paid', { ...paid, [name]: null }, 'signed'))).toBe(
        'missing_property',
      );
    for (const amount of [-1, 1.5, '100', 2 ** 53])
      expect(reasonOf(() => checkEvent('order_paid', { ...paid, paid_amount: amount }, 'signed'))).toBe(
        'bad_property',
      );
    expect(reasonOf(() => checkEvent('order_paid', { ...paid, currency: '¥' }, 'signed'))).toBe(
      'bad_property',
    );
  });

  test('an id that came as a number becomes a string while no digit can have been lost', () => {
    expect(checkEvent('order_created', { order_id: 42 }, 'signed')).toEqual({ order_id: '42' });
    expect(reasonOf(() => checkEvent('order_created', { order_id: 2 ** 53 }, 'signed'))).toBe('bad_property');
    expect(reasonOf(() => checkEvent('order_created', { order_id: 1.5 }, 'signed'))).toBe('bad_property');
    expect(checkEvent('anything_else', { shop_id: 7, n: 7 }, 'client')).toEqual({ shop_id: '7', n: 7 });
  });

  test('an id that need not be there may be empty, and then is not', () => {
    expect(checkEvent('order_created', { order_id: 'o1', coupon_id: '' }, 'signed')).toEqual({
      order_id: 'o1',
    });
    expect(reasonOf(() => checkEvent('order_created', { order_id: '' }, 'signed'))).toBe('bad_property');
  });

  test('points may go down and a currency may be written small', () => {
    expect(checkEvent('points_changed', { account: 'points', delta: -20 }, 'signed')).toMatchObject({
      delta: -20,
    });
    expect(checkEvent('order_paid', { ...paid, currency: 'cny' }, 'signed')).toMatchObject({
      currency: 'CNY',
    });
  });

  test.each([
    ['order_paid', { order_id: 'o1' }, 'paid_amount'],
    ['order_refunded', { order_id: 'o1', refund_id: 'r1' }, 'refund_amount'],
  ])('%s may say that its amount is not known yet, and then claims none', (type, ids, amount) => {
    const pending = { ...ids, amount_pending: true };
    expect(checkEvent(type, pending, 'signed')).toEqual(pending);
    expect(checkEvent(type, { ...pending, currency: 'cny' }, 'signed')).toMatchObject({ currency: 'CNY' });
    const faulty = (properties: Record<string, Json>) =>
      reasonOf(() => checkEvent(type, { ...ids, ...properties }, 'signed'));
    expect(faulty({})).toBe('missing_property');
    expect(faulty({ amount_pending: false })).toBe('missing_property');
    expect(faulty({ amount_pending: 'true' })).toBe('bad_property');
    expect(faulty({ amount_pending: true, [amount]: 100 })).toBe('bad_property');
    expect(faulty({ amount_pending: true, [amount]: null })).toBe('bad_property');
    expect(faulty({ amount_pending: true, order_id: null })).toBe('missing_property');
    expect(reasonOf(() => checkEvent(type, pending, 'client'))).toBe('client_money');
  });

  test('nothing but an amount may be pending', () => {
    for (const type of ['order_created', 'points_changed', 'checkout_started'])
      expect(reasonOf(() => checkEvent(type, { amount_pending: true }, 'signed'))).toBe('missing_property');
  });

  test.each([...signedOnly])('a client cannot say %s', (type) => {
    expect(reasonOf(() => checkEvent(type, paid, 'client'))).toBe('client_money');
    expect(reasonOf(() => checkEvent(type, paid, 'signed'))).not.toBe('client_money');
  });

  test('types are snake_case and have at most 64 characters', () => {
    for (const type of ['Order Paid', 'order.paid', '1st', '', 'x'.repeat(65), '领券'])
      expect(reasonOf(() => checkEvent(type, {}, 'signed'))).toBe('bad_type');
    expect(reasonOf(() => checkEvent('x'.repeat(64), {}, 'signed'))).toBe('none');
  });

  test('a fault says what to do and quotes no value', () => {
    const work = () => checkEvent('order_paid', { ...paid, order_id: { phone: '13800138000' } }, 'signed');
    expect(work).toThrow('order_id of order_paid has to be a string');
    expect(work).not.toThrow('138');
  });
});

describe.skipIf(!hasShared)(`the published list of standard types${without}`, () => {
  const published = hasShared
    ? z
        .object({
          events: z.array(
            z.object({
              type: z.string(),
              tier: z.string(),
              required: z.array(z.string()),
              segment: z.string(),
              ga4: z.string(),
            }),
          ),
        })
        .parse(JSON.parse(sharedText('canonical-events.json'))).events
    : [];

  test('is ours', () => expect(Object.keys(standardTypes)).toEqual(published.map(({ type }) => type)));

  test.each(published)(
    '$type requires what it should and is called what it should be',
    ({ type, tier, required, segment, ga4 }) => {
      const types: Record<string, StandardType> = standardTypes;
      const ours = types[type];
      expect(ours?.tier).toBe(tier);
      expect(Object.keys(ours?.required ?? {}).toSorted()).toEqual(required.toSorted());
      expect(ours?.ga4 ?? ['-']).toEqual(ga4.split(' / '));
      if (ours?.segment) expect(segment).toContain(ours.segment);
    },
  );
});
