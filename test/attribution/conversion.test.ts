import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { affectedConversions, conversionKey, conversionsOf } from '../../lib/attribution/conversion.ts';
import { pathOf } from '../../lib/attribution/path.ts';
import { shareConversion } from '../../lib/attribution/share.ts';
import { touchesOf } from '../../lib/attribution/touch.ts';
import type { Event } from '../../lib/events/event.ts';
import { byTime } from '../../lib/events/event.ts';
import { aBrand, anEvent, anOrder, aRefund, aVisit, day, settings, sum } from './a-history.ts';

const brand = aBrand();

describe('what is one conversion', () => {
  test('the same order twice is one, as old as its first event', () => {
    const [it, ...others] = conversionsOf([anOrder(day(2), 'o1', 100), anOrder(day(1), 'o1', 100)], brand);
    expect(others).toEqual([]);
    expect(it).toMatchObject({ key: conversionKey('order', 'o1'), at: day(1), value: 100, flags: [] });
  });

  test('who says another amount later corrects it', () => {
    const [it] = conversionsOf([anOrder(day(2), 'o1', 80), anOrder(day(1), 'o1', 100)], brand);
    expect(it).toMatchObject({ at: day(1), value: 80, flags: ['corrected'] });
  });

  test('a number and its digits are one order', () => {
    const order = anOrder(day(2), 'x', 80, { properties: { order_id: 17 } });
    expect(conversionsOf([order], brand)[0]?.key).toBe(conversionKey('order', '17'));
  });

  test('without an order number every event is one', () => {
    const lone = () => anOrder(day(1), 'x', 5, { properties: { order_id: null } });
    expect(conversionsOf([lone(), lone()], brand)).toHaveLength(2);
  });

  test('an amount that is no whole number of minor units is no amount', () => {
    const order = anOrder(day(1), 'o1', 5, { properties: { paid_amount: 9.9 } });
    expect(conversionsOf([order], brand)).toMatchObject([{ value: 0, flags: ['no_value'] }]);
  });

  test('goals are apart, also under one number', () => {
    const conversions = [
      ...brand.conversions,
      { goal: 'enrolment', event: 'course_enrolled', key: 'order_id', currency: 'currency' },
    ];
    const events = [
      anOrder(day(1), 'o1', 5),
      anEvent('course_enrolled', day(2), { properties: { order_id: 'o1' } }),
    ];
    expect(conversionsOf(events, { ...brand, conversions }).map(({ goal, value }) => [goal, value])).toEqual([
      ['order', 5],
      ['enrolment', 0],
    ]);
  });
});

describe('refunds', () => {
  const of = (...events: Event[]) => conversionsOf(events, brand)[0];
  const order = anOrder(day(1), 'o1', 100);

  test('add up, each id once', () => {
    const it = of(
      order,
      aRefund(day(3), 'o1', 'r2', 20),
      aRefund(day(2), 'o1', 'r1', 30),
      aRefund(day(4), 'o1', 'r1', 30),
    );
    expect(it).toMatchObject({ value: 100, refunded: 50, flags: [] });
    expect(it?.refunds.map(({ id, at, amount }) => [id, at, amount])).toEqual([
      ['r1', day(2), 30],
      ['r2', day(3), 20],
    ]);
  });

  test('count up to the value, in time order', () => {
    const it = of(order, aRefund(day(3), 'o1', 'r2', 80), aRefund(day(2), 'o1', 'r1', 30));
    expect(it?.refunds.map(({ amount }) => amount)).toEqual([30, 70]);
    expect(it).toMatchObject({ refunded: 100, flags: ['over_refunded'] });
  });

  test('in another currency, or of nothing, are left out and said', () => {
    expect(of(order, aRefund(day(2), 'o1', 'r1', 5, { properties: { currency: 'USD' } }))).toMatchObject({
      refunded: 0,
      flags: ['bad_refund'],
    });
    expect(of(order, aRefund(day(2), 'o1', 'r1', -5))).toMatchObject({ refunded: 0, flags: ['bad_refund'] });
  });

  test('of an order that is not known wait for it', () => {
    const refund = aRefund(day(0), 'o1', 'r1', 5);
    expect(of(refund)).toBeUndefined();
    expect(of(refund, order)).toMatchObject({ refunded: 5, firstAt: day(0) });
  });
});

const anything = fc
  .record({
    kind: fc.constantFrom('visit', 'order', 'refund'),
    at: fc.integer({ min: 0, max: 12 }),
    key: fc.constantFrom('o1', 'o2', 'o3'),
    amount: fc.integer({ min: 1, max: 50 }),
    channel: fc.constantFrom('a', 'b', 'direct'),
  })
  .map(({ kind, at, key, amount, channel }) =>
    kind === 'visit'
      ? aVisit(day(at / 2), channel)
      : kind === 'order'
        ? anOrder(day(at / 2), key, amount)
        : aRefund(day(at / 2), key, `r${amount % 3}`, amount),
  );
const history = fc.array(anything, { maxLength: 14 });

describe('laws', () => {
  test('the order in which events came makes no difference', () => {
    fc.assert(
      fc.property(
        history.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        ([all, shuffled]) => {
          expect(conversionsOf(shuffled, brand)).toEqual(conversionsOf(all, brand));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('refunds never take more than the value, and sum to what is refunded', () => {
    fc.assert(
      fc.property(history, (all) => {
        for (const it of conversionsOf(all, brand)) {
          expect(it.refunded).toBe(sum(it.refunds.map(({ amount }) => amount)));
          expect(it.refunded).toBeLessThanOrEqual(it.value);
        }
      }),
    );
  });

  test('whatever an event changes was named when it came, from the events at and after it alone', () => {
    const terms = { ...brand, attribution: settings({ lookbackDays: 2, lookbackDaysByChannel: { b: 3 } }) };
    const told = (events: readonly Event[]) => {
      const touches = touchesOf(events, terms);
      const conversions = conversionsOf(events, terms);
      return new Map(
        conversions.map((it, i) => {
          const previous = conversions.slice(0, i).findLast(({ goal }) => goal === it.goal);
          const path = pathOf(it.at, previous?.at, touches, terms.attribution);
          return [
            it.key,
            JSON.stringify([
              it,
              path,
              shareConversion({ ...it, day: it.at.slice(0, 10) }, path, terms.attribution),
            ]),
          ];
        }),
      );
    };
    fc.assert(
      fc.property(fc.constantFrom('reset', 'window'), history, anything, (journey, before, added) => {
        Object.assign(terms.attribution, { journey });
        const was = told(before);
        const is = told([...before, added]);
        const changed = [...new Set([...was.keys(), ...is.keys()])].filter(
          (key) => was.get(key) !== is.get(key),
        );
        const later = before.filter(({ occurredAt }) => occurredAt >= added.occurredAt).sort(byTime);
        expect(affectedConversions(added, later, terms)).toEqual(expect.arrayContaining(changed));
      }),
      { numRuns: 3_000 },
    );
  });

  test('an event that is nothing to attribution affects nothing', () => {
    expect(
      affectedConversions(anEvent('member_registered', day(0)), [anOrder(day(1), 'o1', 5)], brand),
    ).toEqual([]);
  });
});
