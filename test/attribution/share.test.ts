import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shareConversion } from '../../lib/attribution/share.ts';
import { split, WHOLE } from '../../lib/attribution/split.ts';
import { compositeSettings } from '../../lib/platform/brand.ts';
import { modelName } from '../../lib/platform/brand-words.ts';
import { aTouch, day, settings, sum } from './a-history.ts';

const three = [aTouch(day(0), 'a'), aTouch(day(7), 'b'), aTouch(day(14), 'c')];
const conversion = (value: number, refunded = 0) => ({
  at: day(20),
  day: '2026-11-21',
  value,
  refunded,
});

test('every model of the brand stands side by side, and no other', () => {
  const credits = shareConversion(
    conversion(100),
    { touches: three },
    settings({ models: ['linear', 'last'] }),
  );
  expect(Object.keys(credits)).toEqual(['linear', 'last']);
  expect(credits.linear).toEqual([
    { touch: 0, weight: 1, ppm: 333_334, gross: 34, refunded: 0, factors: { touches: 3 } },
    { touch: 1, weight: 1, ppm: 333_333, gross: 33, refunded: 0, factors: { touches: 3 } },
    { touch: 2, weight: 1, ppm: 333_333, gross: 33, refunded: 0, factors: { touches: 3 } },
  ]);
});

test('the composite model takes the scenario of the season that the brand-day lies in, and the tier of the order', () => {
  const composite = compositeSettings.parse({
    seasons: [
      { from: '2026-11-01', to: '2026-11-12', scene: 'promotion' },
      { from: '2026-12-01', to: '2026-12-02', scene: 'brand' },
    ],
  });
  const path = [aTouch(day(0), 'a', { type: 'coupon_issued' }), aTouch(day(0.1), 'b')];
  const factors = (day_: string, tier?: 'vip') => {
    const order = { at: day(1), day: day_, value: 100, refunded: 0, ...(tier && { tier }) };
    const { composite: credited } = shareConversion(order, { touches: path }, settings({ composite }));
    return credited?.[0]?.factors;
  };
  expect(factors('2026-10-31')).toMatchObject({ scenario: 1, scene: 'default', tier: 1, customer: 'other' });
  expect(factors('2026-11-01', 'vip')).toMatchObject({ scenario: 1.5, scene: 'promotion', tier: 1.2 });
  expect(factors('2026-11-11')).toMatchObject({ scenario: 1.5 });
  expect(factors('2026-11-12')).toMatchObject({ scenario: 1, scene: 'default' });
  expect(factors('2026-12-01')).toMatchObject({ scenario: 1, scene: 'brand' });
});

test.each([
  [{ seasons: [{ from: '2026-11-01', to: '2026-11-01', scene: 'brand' }] }, 'comes after'],
  [{ seasons: [{ from: '2026-11-01', to: '2026-11-02', scene: 'sale' }] }, 'no scenario is called sale'],
  [{ scene: 'sale' }, 'no scenario is called sale'],
  [
    {
      seasons: [
        { from: '2026-11-10', to: '2026-11-12', scene: 'brand' },
        { from: '2026-11-01', to: '2026-11-11', scene: 'promotion' },
      ],
    },
    'two seasons hold 2026-11-10',
  ],
])('a season that cannot be is refused', (said, message) => {
  expect(() => compositeSettings.parse(said)).toThrow(message);
});

test('without a touch all of it is nobody’s, refund and all', () => {
  const credits = shareConversion(conversion(100, 30), { touches: [] }, settings());
  for (const name of modelName.options)
    expect(credits[name]).toEqual([
      { touch: null, weight: 1, ppm: WHOLE, gross: 100, refunded: 30, factors: {} },
    ]);
});

test('weights that say nothing are shared equally, and the factors say so', () => {
  const u = { first: 0, middle: 1, last: 0 };
  const credits = shareConversion(conversion(10), { touches: three.slice(1) }, settings({ u }));
  expect(credits.u_shaped?.map(({ gross, factors }) => [gross, factors.fallback])).toEqual([
    [5, 'linear'],
    [5, 'linear'],
  ]);
});

describe('laws', () => {
  const money = fc.bigInt({ min: 1n, max: 10n ** 12n }).map(Number);
  const touches = fc
    .array(
      fc.record({
        at: fc.integer({ min: 0, max: 40 * 86_400 }),
        channel: fc.constantFrom('direct', 'a', 'b', 'c', 'd'),
        opportunity: fc.boolean(),
      }),
      { maxLength: 40 },
    )
    .map((all) =>
      all.sort((a, b) => a.at - b.at).map(({ at, ...it }) => aTouch(day(at / 86_400), it.channel, it)),
    );

  test('in every model ppm sum to a million, money to the value, refunds to what was refunded', () => {
    fc.assert(
      fc.property(touches, money, fc.double({ min: 0, max: 1, noNaN: true }), (path, value, part) => {
        const refunded = Math.floor(value * part);
        const credits = shareConversion(
          { at: day(41), day: '2026-12-12', value, refunded },
          { touches: path },
          settings(),
        );
        for (const name of modelName.options) {
          const credited = credits[name] ?? [];
          expect(sum(credited.map(({ ppm }) => ppm))).toBe(WHOLE);
          expect(sum(credited.map(({ gross }) => gross))).toBe(value);
          expect(sum(credited.map((it) => it.refunded))).toBe(refunded);
          for (const it of credited) {
            expect(it.gross).toBeGreaterThanOrEqual(0);
            expect(it.gross - it.refunded).toBeGreaterThanOrEqual(-1);
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test('what was refunded wholly leaves nothing to any touch', () => {
    fc.assert(
      fc.property(touches, money, (path, value) => {
        const credits = shareConversion(
          { at: day(41), day: '2026-12-12', value, refunded: value },
          { touches: path },
          settings(),
        );
        for (const credited of Object.values(credits))
          for (const { gross, refunded } of credited) expect(gross - refunded).toBe(0);
      }),
    );
  });

  test('a refund re-uses the original split, negated', () => {
    fc.assert(
      fc.property(touches, money, money, (path, value, refunded) => {
        fc.pre(path.length > 0 && refunded <= value);
        const { linear } = shareConversion(
          { at: day(41), day: '2026-12-12', value, refunded },
          { touches: path },
          settings(),
        );
        const negative = split(
          -refunded,
          path.map(() => 1),
        );
        expect(linear?.map((it) => 0 - it.refunded)).toEqual(negative.map((it) => it + 0));
      }),
    );
  });
});
