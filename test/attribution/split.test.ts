import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exactSplitter, split, WHOLE } from '../../lib/attribution/split.ts';
import { sum } from './a-history.ts';

describe('money is split to the last minor unit', () => {
  test.each([
    ['99.99 over three roles', 9_999, [0.025762656, 0.227554228, 0.746683116], [258, 2275, 7466]],
    ['100.00 over three equal touches', 10_000, [1, 1, 1], [3334, 3333, 3333]],
    ['one fen over five equal touches goes to the first', 1, [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]],
    ['a refund mirrors what it takes back', -10_000, [1, 1, 1], [-3334, -3333, -3333]],
    ['nothing', 0, [1, 2], [0, 0]],
    ['ten yuan, U-shaped', 1_000, [0.4, 0.2, 0.4], [400, 200, 400]],
    ['the halves of an odd sum', 101, [1, 1], [51, 50]],
    ['a weight that is nothing gets nothing', 7, [0, 1], [0, 7]],
    ['weights that say nothing are equal ones', 5, [0, 0], [3, 2]],
    ['weights that are no numbers are equal ones', 5, [Number.NaN, 1], [3, 2]],
    ['no touch, nobody', 5, [], []],
    ['a trillion by thirds', 10 ** 12, [1, 1, 1], [333_333_333_334, 333_333_333_333, 333_333_333_333]],
    [
      'the largest whole number',
      Number.MAX_SAFE_INTEGER,
      [1, 2],
      [3_002_399_751_580_330, 6_004_799_503_160_661],
    ],
  ])('%s', (_, value, weights, parts) => {
    expect(split(value, weights)).toEqual(parts);
  });

  test('halves of a fen are no money', () => {
    expect(() => split(0.5, [1])).toThrow(RangeError);
    expect(() => split(2 ** 53, [1])).toThrow(RangeError);
  });
});

const weights = fc.array(
  fc.oneof(
    fc.nat(1000),
    fc.double({ min: 0, max: 1e6, noNaN: true }),
    fc.double({ min: 0, max: 1e-6, noNaN: true }),
  ),
  { minLength: 1, maxLength: 60 },
);
const value = fc.oneof(
  fc.bigInt({ min: 1n, max: 10n ** 12n }).map(Number),
  fc.bigInt({ min: -(10n ** 12n), max: 10n ** 15n }).map(Number),
  fc.nat(20),
);

describe('laws of the split', () => {
  test('the quick ways come to what integers of any size come to, ties and tiny weights among them', () => {
    const near = fc
      .tuple(
        fc.double({ min: 0.1, max: 1, noNaN: true }),
        fc.array(fc.nat(3), { minLength: 1, maxLength: 9 }),
      )
      .map(([w, ulps]) => ulps.map((it) => w * (1 + it * Number.EPSILON)));
    const huge = fc.array(fc.constantFrom(1e-320, 1e-300, 1, 3, 1e9, 2 ** 52, 1e300), { minLength: 1 });
    const ways = fc.oneof(weights, near, huge, fc.array(fc.nat(4), { minLength: 1, maxLength: 8 }));
    fc.assert(
      fc.property(value, ways, (v, w) => {
        expect(split(v, w)).toEqual(v === 0 ? w.map(() => 0) : exactSplitter(w)(v));
      }),
      { numRuns: 1_500 },
    );
  });

  test('parts sum to the value, and no part is further than one from its quota', () => {
    fc.assert(
      fc.property(value, weights, (v, w) => {
        const parts = split(v, w);
        expect(sum(parts)).toBe(v);
        const total = sum(w);
        if (total === 0) return;
        for (const [i, part] of parts.entries())
          expect(Math.abs(part - (v * w[i]!) / total)).toBeLessThan(1 + Math.abs(v) * 1e-12);
      }),
      { numRuns: 3_000 },
    );
  });

  test('only ratios matter: a power of two before all weights changes nothing', () => {
    fc.assert(
      fc.property(value, weights, fc.integer({ min: -300, max: 300 }), (v, w, power) => {
        fc.pre(w.every((it) => it === 0 || it > 1e-200));
        expect(
          split(
            v,
            w.map((it) => it * 2 ** power),
          ),
        ).toEqual(split(v, w));
      }),
    );
  });

  test('equal weights differ by one unit at most, the earlier ones first', () => {
    fc.assert(
      fc.property(value, fc.integer({ min: 1, max: 200 }), (v, n) => {
        const parts = split(Math.abs(v), Array(n).fill(0.1));
        expect([...parts].sort((a, b) => b - a)).toEqual(parts);
        expect(parts[0]! - parts[n - 1]!).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('the negated value is split into the negated parts', () => {
    fc.assert(
      fc.property(value, weights, (v, w) => {
        expect(split(-v, w).map((it) => it + 0)).toEqual(split(v, w).map((it) => 0 - it));
      }),
    );
  });

  test('a million parts per million, always', () => {
    fc.assert(
      fc.property(weights, (w) => {
        expect(sum(split(WHOLE, w))).toBe(WHOLE);
      }),
    );
  });
});
