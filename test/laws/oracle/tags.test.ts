import { describe, expect, test } from 'vitest';
import type { Event, Json } from '../../../lib/events/event.ts';
import { anEventOf, november } from './an-event.ts';
import { dayOf, startOfDay } from './days.ts';
import { type FamilyRule, family, rulesOf } from './family.ts';
import { nextChangeOf, tagsOf } from './tags.ts';

const order = (at: string, paid_amount: number) => did('order_paid', at, { paid_amount });
const did = (type: string, at: string, properties: Record<string, Json> = {}) =>
  anEventOf(['member_id:1'], at, { type, properties });
const rule = (tag: string): FamilyRule[] => family.filter((it) => it.tag === tag);
/** `value since` of a tag on each of the instants. */
const over = (tag: string, events: Event[], instants: string[], zone = 'UTC', rules = rule(tag)) =>
  instants.map((now) => {
    const held = tagsOf(events, rules, zone, Date.parse(now)).find((it) => it.tag === tag);
    return held && `${held.value} ${held.since}`;
  });

describe('brand-days', () => {
  test('begin at local midnight', () => {
    expect(dayOf(Date.UTC(2026, 10, 11, 15, 59), 'Asia/Shanghai')).toBe(dayOf(Date.UTC(2026, 10, 11), 'UTC'));
    expect(startOfDay(Date.UTC(2026, 10, 11) / 86_400_000, 'Asia/Shanghai')).toBe(Date.UTC(2026, 10, 10, 16));
  });

  test('have 25 hours when New York sets its clocks back, and begin an hour late where midnight is skipped', () => {
    const first = Date.UTC(2026, 10, 1) / 86_400_000;
    expect(startOfDay(first, 'America/New_York')).toBe(Date.UTC(2026, 10, 1, 4));
    expect(startOfDay(first + 1, 'America/New_York')).toBe(Date.UTC(2026, 10, 2, 5));
    const skipped = Date.UTC(2026, 8, 6) / 86_400_000; // Santiago goes from 23:59:59 to 01:00
    expect(startOfDay(skipped, 'America/Santiago')).toBe(Date.UTC(2026, 8, 6, 4));
  });
});

describe('a tag', () => {
  test('of a window in days is lost at the midnight that begins the last day but so many', () => {
    const bought = order(november(1, 3_600_000), 1); // 09:00 in Shanghai
    const end = '2026-11-30T16:00:00.000Z';
    const since = `true ${november(1, 3_600_000)}`;
    expect(
      over(
        'buyer',
        [bought],
        [november(1), november(1, 3_600_000), '2026-11-30T15:59:59.999Z', end],
        'Asia/Shanghai',
      ),
    ).toEqual([undefined, since, since, undefined]);
    expect(nextChangeOf([bought], rule('buyer'), 'Asia/Shanghai', Date.parse(november(2)))).toBe(
      Date.parse(end),
    );
    expect(nextChangeOf([bought], rule('buyer'), 'Asia/Shanghai', Date.parse(end))).toBeUndefined();
  });

  test('of a window in hours is held to the millisecond', () => {
    const seen = did('page_viewed', november(1, 5));
    const [before, at] = [november(2, 12 * 3_600_000 + 4), november(2, 12 * 3_600_000 + 5)];
    expect(over('hot', [seen], [november(1, 4), before, at])).toEqual([
      undefined,
      `true ${november(1, 5)}`,
      undefined,
    ]);
  });

  test('keeps its since while one event takes the place of another, also at the very instant', () => {
    const events = [order(november(1), 1), order(november(1, 30 * 86_400_000), 1)];
    expect(over('buyer', events, ['2026-12-15T00:00:00.000Z'])).toEqual([`true ${november(1)}`]);
    const apart = [order(november(1), 1), order(november(1, 30 * 86_400_000 + 1), 1)];
    expect(over('buyer', apart, ['2026-12-15T00:00:00.000Z'])).toEqual(['true 2026-12-01T00:00:00.001Z']);
  });

  test('has the first value whose condition holds, and a new since with each value', () => {
    const events = [order(november(1), 9_000), order(november(3), 1_000), order(november(5), 20_000)];
    expect(over('tier', events, [november(2), november(4), november(6)])).toEqual([
      `bronze ${november(1)}`,
      `silver ${november(3)}`,
      `gold ${november(5)}`,
    ]);
    expect(over('tier', events, ['2027-01-30T00:00:00.000Z'])).toEqual(['silver 2027-01-30T00:00:00.000Z']);
  });

  test('counts, filters and sums what it says', () => {
    const events = [order(november(1), 9_999), order(november(2), 1), did('order_paid', november(2))];
    expect(over('repeat', events, [november(1), november(2)])).toEqual([undefined, `true ${november(2)}`]);
    expect(over('spender', events, [november(1), november(2)])).toEqual([undefined, `true ${november(2)}`]);
    expect(over('big_basket', events, [november(3)])).toEqual([undefined]);
    expect(over('big_basket', [order(november(4), 10_000)], [november(5)])).toEqual([`true ${november(4)}`]);
  });

  test('may read other tags', () => {
    const events = [order(november(1), 1), did('page_viewed', '2026-12-01T12:00:00.000Z')];
    expect(
      over('at_risk', events, [november(30), '2026-12-01T01:00:00.000Z', '2026-12-01T13:00:00.000Z'], 'UTC', [
        ...family,
      ]),
    ).toEqual([undefined, 'true 2026-12-01T00:00:00.000Z', undefined]);
    expect(over('at_risk', events, ['2026-12-09T00:00:00.000Z'], 'UTC', [...family])).toEqual([
      'true 2026-12-03T00:00:00.000Z',
    ]);
  });

  test('does not know an event before its time', () => {
    expect(tagsOf([order(november(5), 1)], family, 'UTC', Date.parse(november(4)))).toEqual([]);
    expect(nextChangeOf([order(november(5), 1)], rule('buyer'), 'UTC', Date.parse(november(4)))).toBe(
      Date.parse(november(5)),
    );
  });
});

test('the family reads as rules do', () => {
  expect(rulesOf(family).map((it) => it.when ?? it.values)).toEqual([
    'events("order_paid").within("30d").any()',
    'events("order_paid").within("30d").count() >= 2',
    'events("order_paid").count() >= 1',
    'events("order_paid").within("7d").sum("paid_amount") >= 10000',
    'events("page_viewed").within("36h").any()',
    'events("order_paid").where(e, e.paid_amount >= 10000).within("90d").count() >= 1',
    {
      gold: 'events("order_paid").within("90d").sum("paid_amount") >= 25000',
      silver:
        '(events("order_paid").within("90d").sum("paid_amount") >= 10000 || events("member_registered").within("7d").any())',
      bronze: 'events("order_paid").any()',
    },
    '(hasTag("ever_bought") && !(hasTag("buyer")))',
    '(hasTag("dormant") && !(hasTag("hot")))',
    '(events("order_paid").within("30d").sum("paid_amount") >= 10000 || !(events("order_refunded").within("7d").any()))',
  ]);
});
