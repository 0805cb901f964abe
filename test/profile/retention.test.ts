import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BrandInput, brand as brandSchema } from '../../lib/platform/brand.ts';
import { DAY, HOUR, toIso } from '../../lib/platform/clock.ts';
import { cutAt, cutText, daysKept, isCut, parseCut, soonestExpiry } from '../../lib/profile/retention.ts';
import { openCalendar } from '../../lib/tags/calendar.ts';
import { aBrand, anEvent, START } from './a-profile.ts';

const brandOf = (events: NonNullable<BrandInput['retention']>['events'], timezone = 'Asia/Shanghai') =>
  aBrand({ timezone, retention: { ...(events && { events }) } });
const of = (type: string, at: number) => ({ type, occurredAt: toIso(at) });
const calendarOf = ({ timezone }: { timezone: string }) => openCalendar(timezone);

describe('an event is kept', () => {
  const brand = brandOf({ days: 30 });
  const calendar = calendarOf(brand);
  const view = of('page_viewed', START); // noon in Shanghai, on the first of May

  test('on as many brand-days as the brand says, its own the first, and goes with the midnight after them', () => {
    const end = Date.parse('2026-05-31T00:00:00.000+08:00');
    expect(soonestExpiry([view], brand, calendar)).toBe(end);
    expect([end - 1, end].map((now) => isCut(view, cutAt(now, brand, calendar)))).toEqual([false, true]);
  });

  test('at any hour of its day as long as at another', () => {
    const times = ['2026-05-01T00:00:00.000+08:00', '2026-05-01T23:59:59.999+08:00'].map((at) =>
      soonestExpiry([of('page_viewed', Date.parse(at))], brand, calendar),
    );
    expect(new Set(times).size).toBe(1);
  });

  test('for three years where a brand says nothing, and never longer', () => {
    const usual = aBrand();
    const end = soonestExpiry([view], usual, calendar);
    expect(end - START).toBeLessThanOrEqual(1_095 * DAY);
    expect(end - START).toBeGreaterThan(1_094 * DAY);
    for (const events of [{ days: 1_096 }, { orders: 1_096 }, { types: { page_viewed: 1_096 } }])
      expect(() => brandOf(events)).toThrow('at most 1095 days, three years');
  });

  test('on as many days in a night of 25 hours and of 23', () => {
    const newYork = brandOf({ days: 2 }, 'America/New_York');
    const lengths = ['2026-10-31T00:00:00.000-04:00', '2026-03-07T00:00:00.000-05:00'].map(
      (at) =>
        soonestExpiry([of('page_viewed', Date.parse(at))], newYork, calendarOf(newYork)) - Date.parse(at),
    );
    expect(lengths).toEqual([2 * DAY + HOUR, 2 * DAY - HOUR]);
  });
});

describe('for how long', () => {
  test('orders and refunds are the brand’s books: by their own number, whatever analytics has', () => {
    const { days, types } = daysKept(brandOf({ days: 30, orders: 400 }));
    expect(days).toBe(30);
    expect(Object.fromEntries(types)).toEqual({ order_paid: 400, order_refunded: 400 });
  });

  test('a type that is named has its own, an order too', () => {
    const { types } = daysKept(brandOf({ days: 30, types: { order_paid: 7, page_viewed: 90 } }));
    expect(Object.fromEntries(types)).toEqual({ order_paid: 7, order_refunded: 1_095, page_viewed: 90 });
  });

  test('what was said of consent is kept for good, and nobody can say otherwise', () => {
    const brand = brandOf({ days: 1 });
    const said = of('consent_withdrawn', 0);
    expect(isCut(said, cutAt(START, brand, calendarOf(brand)))).toBe(false);
    expect(soonestExpiry([said], brand, calendarOf(brand))).toBe(Number.POSITIVE_INFINITY);
    expect(() => brandOf({ types: { consent_withdrawn: 30 } })).toThrow('kept as long as the profile');
  });

  test('a number that is no whole number of days, or a type that is none, is refused', () => {
    for (const events of [{ days: 0 }, { days: 1.5 }, { types: { 'Page Viewed': 3 } }])
      expect(brandSchema.safeParse({ ...aBrand(), retention: { events } }).success).toBe(false);
    const unknown = { ...aBrand(), retention: { events: { weeks: 3 } } };
    expect(brandSchema.safeParse(unknown).success).toBe(false);
  });
});

const instants = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2030, 0, 1) });
const days = fc.integer({ min: 1, max: 1_095 });
const zone = fc.constantFrom('Asia/Shanghai', 'America/New_York', 'UTC', 'Pacific/Apia');
const settings = fc.record({
  days,
  orders: days,
  types: fc.dictionary(fc.constantFrom('page_viewed', 'order_paid'), days, { noNullPrototype: true }),
});

test('what has expired at an instant is what was to expire at it or before', () => {
  fc.assert(
    fc.property(
      settings,
      zone,
      instants,
      fc.integer({ min: -3, max: 1_100 }),
      fc.constantFrom('page_viewed', 'order_paid', 'menu_clicked', 'consent_granted'),
      (events, timezone, now, ago, type) => {
        const brand = brandOf(events, timezone);
        const calendar = calendarOf(brand);
        const event = of(type, now - ago * DAY);
        const expires = soonestExpiry([event], brand, calendar);
        expect(isCut(event, cutAt(now, brand, calendar))).toBe(expires <= now);
        if (Number.isFinite(expires)) expect(isCut(event, cutAt(expires, brand, calendar))).toBe(true);
        else expect(type).toBe('consent_granted');
      },
    ),
    { numRuns: 300 },
  );
});

test('a cut is read as it was written, and has no spaces', () => {
  fc.assert(
    fc.property(settings, instants, (events, now) => {
      const brand = brandOf(events);
      const cut = cutAt(now, brand, calendarOf(brand));
      expect(cutText(cut)).not.toContain(' ');
      expect(parseCut(cutText(cut))).toEqual(cut);
    }),
    { numRuns: 50 },
  );
});

test('an event that nobody dated is dated by its receipt, and expires all the same', () => {
  const brand = brandOf({ days: 30 });
  const undated = anEvent('page_viewed', 0, { context: { timeSource: 'received' } });
  expect(isCut(undated, cutAt(START + 40 * DAY, brand, calendarOf(brand)))).toBe(true);
});
