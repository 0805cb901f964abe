import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Event } from '../../../lib/events/event.ts';
import type { BrandInput } from '../../../lib/platform/brand.ts';
import { anEventOf, november } from './an-event.ts';
import { conversionsOf, type ExpectedConversion } from './attribution.ts';
import { aBrand } from './histories.ts';
import { splitExactly } from './money.ts';
import { distinct } from './order.ts';

const MINUTE = 60_000;
const visit = (at: string, channel: string | undefined, session?: string) =>
  anEventOf(['member_id:1'], at, {
    type: 'page_viewed',
    context: { ...(channel && { campaign: { channel } }), ...(session && { session }) },
  });
const paid = (at: string, order_id: string, paid_amount: number) =>
  anEventOf(['member_id:1'], at, {
    type: 'order_paid',
    properties: { order_id, paid_amount, currency: 'CNY' },
  });
const refunded = (at: string, order_id: string, refund_id: string, refund_amount: number) =>
  anEventOf(['member_id:1'], at, {
    type: 'order_refunded',
    properties: { order_id, refund_id, refund_amount, currency: 'CNY' },
  });
const credited = (events: Event[], attribution: BrandInput['attribution'] = {}) =>
  conversionsOf(distinct(events), aBrand('UTC', { attribution }));
const shares = ({ credits }: ExpectedConversion, model: keyof ExpectedConversion['credits']) =>
  credits[model].map(({ channel, ppm, gross }) => [channel, ppm, gross]);

describe('money', () => {
  test('is split by largest remainder, the earlier of equals first', () => {
    expect(splitExactly(9_999, [0.025762656, 0.227554228, 0.746683116])).toEqual([258, 2275, 7466]);
    expect(splitExactly(10_000, [1, 1, 1])).toEqual([3334, 3333, 3333]);
    expect(splitExactly(1, [1, 1, 1, 1, 1])).toEqual([1, 0, 0, 0, 0]);
    expect(splitExactly(7, [1, 0.5, 0.25])).toEqual([4, 2, 1]);
    expect(splitExactly(0, [1, 2])).toEqual([0, 0]);
  });

  test('adds up to the unit, and no part is further than one unit from its quota', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e12 }),
        fc.array(fc.double({ min: 1e-9, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }),
        (value, weights) => {
          const parts = splitExactly(value, weights);
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          expect(parts.reduce((sum, part) => sum + part, 0)).toBe(value);
          for (const [i, part] of parts.entries())
            expect(Math.abs(part - (value * weights[i]!) / total)).toBeLessThan(1.001);
        },
      ),
    );
  });
});

describe('a conversion', () => {
  test('is shared by each model in its own way', () => {
    const events = [
      visit(november(1), 'wecom'),
      visit(november(8), 'douyin'),
      paid(november(9), 'o', 10_000),
    ];
    const [order] = credited(events);
    expect(order?.path).toEqual([events[0]?.id, events[1]?.id]);
    expect(order && shares(order, 'first')).toEqual([
      ['wecom', 1_000_000, 10_000],
      ['douyin', 0, 0],
    ]);
    expect(order && shares(order, 'last')).toEqual([
      ['wecom', 0, 0],
      ['douyin', 1_000_000, 10_000],
    ]);
    expect(order && shares(order, 'linear')).toEqual([
      ['wecom', 500_000, 5_000],
      ['douyin', 500_000, 5_000],
    ]);
    expect(order && shares(order, 'time_decay')).toEqual([
      ['wecom', 333_333, 3_333],
      ['douyin', 666_667, 6_667],
    ]);
  });

  test("without a touch is nobody's", () => {
    const [order] = credited([paid(november(9), 'o', 77)]);
    expect(order && shares(order, 'linear')).toEqual([['(unattributed)', 1_000_000, 77]]);
  });

  test('looks back to both ends, for single channels as far as the brand says, and never ahead', () => {
    const at = november(30);
    const events = [
      visit(november(0, -1), 'too old'),
      visit(november(0), 'oldest'),
      visit(november(28, -1), 'short, too old'),
      visit(november(28), 'short'),
      visit(at, 'newest'),
      visit(november(30, 1), 'after'),
      paid(at, 'o', 1),
    ];
    const lookbackDaysByChannel = { short: 2, 'short, too old': 2 };
    const [order] = credited(events, { lookbackDays: 30, lookbackDaysByChannel });
    expect(order && shares(order, 'linear').map(([channel]) => channel)).toEqual([
      'oldest',
      'short',
      'newest',
    ]);
  });

  test('begins a new journey: what led to the order before leads to no other', () => {
    const events = [
      visit(november(1), 'a'),
      visit(november(2), 'b'),
      paid(november(2), 'o1', 1),
      visit(november(2, 1), 'c'),
      paid(november(3), 'o2', 1),
    ];
    const channels = (journey: 'reset' | 'window') =>
      credited(events, { journey }).map((it) => shares(it, 'linear').map(([channel]) => channel));
    expect(channels('reset')).toEqual([['a', 'b'], ['c']]);
    expect(channels('window')).toEqual([
      ['a', 'b'],
      ['a', 'b', 'c'],
    ]);
  });

  test('counts a visit once: by its session, or by gaps of half an hour', () => {
    const events = [
      visit(november(1), 'a', 's1'),
      visit(november(1, MINUTE), 'b'),
      visit(november(2), 'a', 's1'),
      visit(november(2, 1), 'a', 's2'),
      visit(november(2, 2), 'a'),
      visit(november(2, 2 + 30 * MINUTE), 'a'),
      visit(november(2, 3 + 60 * MINUTE), 'a'),
      paid(november(3), 'o', 1),
    ];
    const kept = (duplicates: 'session' | 'none' | 'consecutive' | 'unique') =>
      credited(events, { duplicates })[0]?.path.map((id) => events.findIndex((event) => event.id === id));
    expect(kept('session')).toEqual([1, 2, 3, 5, 6]);
    expect(kept('none')).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(kept('consecutive')).toEqual([0, 1, 6]);
    expect(kept('unique')).toEqual([0, 1]);
  });

  test('drops direct visits unless there is nothing else', () => {
    const direct = visit(november(1), undefined);
    const [alone] = credited([direct, paid(november(3), 'o', 1)]);
    expect(alone && shares(alone, 'last')).toEqual([['direct', 1_000_000, 1]]);
    const [led] = credited([visit(november(1), 'a'), direct, paid(november(3), 'o', 1)]);
    expect(led?.path).toHaveLength(1);
    const [kept] = credited([visit(november(1), 'a'), direct, paid(november(3), 'o', 1)], { direct: 'keep' });
    expect(kept?.path).toHaveLength(2);
  });

  test('said twice is one, as old as its first event and worth what its last one says', () => {
    const [order, ...others] = credited([paid(november(3), 'o', 5), paid(november(4), 'o', 7)]);
    expect(others).toEqual([]);
    expect([order?.at, order?.value]).toEqual([november(3), 7]);
  });

  test('gives back what was refunded in the shares in which it was credited, never more than all', () => {
    const events = [
      visit(november(1), 'a'),
      visit(november(2), 'b'),
      paid(november(3), 'o', 99),
      refunded(november(1), 'o', 'r1', 30),
      refunded(november(4), 'o', 'r1', 33),
      refunded(november(5), 'o', 'r2', 20),
      refunded(november(5), 'unknown', 'r2', 20),
    ];
    const [order] = credited(events);
    expect([order?.value, order?.refunded]).toEqual([99, 53]);
    expect(order?.credits.linear.map((it) => it.refunded)).toEqual([27, 26]);
    const [all] = credited([...events, refunded(november(6), 'o', 'r3', 1_000)]);
    expect(all?.credits.linear.map((it) => [it.gross, it.refunded])).toEqual([
      [50, 50],
      [49, 49],
    ]);
  });
});
