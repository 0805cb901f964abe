// Scope: what answers about groups tell of one person in them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SMALL, toldLines } from '../../lib/privacy/group-report.ts';
import { EPSILON, groupSizes, hidden, inSteps, noisy } from '../../lib/privacy/suppress.ts';

const parts = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.nat(60), { maxKeys: 6 });
const total = (sizes: readonly number[]) => sizes.reduce((sum, it) => sum + it, 0);

describe('which parts are not told', () => {
  test.each([
    [{ a: 50, b: 30, c: 7 }, ['b', 'c']],
    [{ a: 50, b: 6, c: 7 }, ['b', 'c']],
    [{ a: 50, b: 2, c: 3 }, ['a', 'b', 'c']],
    [{ a: 50, b: 30 }, []],
  ])('of %j: %j', (sizes, names) => {
    expect([...(hidden(sizes, 10) ?? [])].sort()).toEqual(names);
  });

  test.each([[{}], [{ a: 9 }], [{ a: 3, b: 4 }]])('of %j nothing is told', (sizes) => {
    expect(hidden(sizes, 10)).toBeUndefined();
  });

  test('whatever the sizes: no part below k is told, and the rest is never one part nor fewer than k', () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: 1, max: 20 }), (sizes, k) => {
        const untold = hidden(sizes, k);
        if (!untold) return;
        for (const [name, size] of Object.entries(sizes)) if (size < k) expect(untold.has(name)).toBe(true);
        if (untold.size === 0) return;
        expect(untold.size).toBeGreaterThan(1);
        expect(total([...untold].map((name) => sizes[name] ?? 0))).toBeGreaterThanOrEqual(k);
      }),
    );
  });
});

describe('counts with noise', () => {
  const grains = Array.from({ length: 4_000 }, (_, i) => `grain ${i}`);

  test('are the same for the same grain, right on average, and seldom far off', () => {
    expect(noisy(500, 'x')).toBe(noisy(500, 'x'));
    const errors = grains.map((grain) => noisy(500, grain) - 500);
    expect(Math.abs(total(errors) / errors.length)).toBeLessThan(1);
    expect(Math.sqrt(total(errors.map((it) => it * it)) / errors.length)).toBeCloseTo(
      Math.SQRT2 / EPSILON,
      0,
    );
    expect(Math.min(...grains.map((grain) => noisy(2, grain)))).toBe(0);
  });

  test('who knows everybody but one learns of that one hardly more than a coin tells', () => {
    // The best guess there is: more likely with the person than without, by the answer told.
    const told = (count: number, grain: string) => String(inSteps(noisy(count, grain), 10));
    const seen = (count: number, of: readonly string[]) => {
      const counts = new Map<string, number>();
      for (const grain of of) counts.set(told(count, grain), (counts.get(told(count, grain)) ?? 0) + 1);
      return counts;
    };
    const [without, withThem] = [seen(100, grains), seen(101, grains)];
    const outcomes = new Set([...without.keys(), ...withThem.keys()]);
    const advantage =
      total([...outcomes].map((it) => Math.abs((without.get(it) ?? 0) - (withThem.get(it) ?? 0)))) /
      (2 * grains.length);
    expect(advantage).toBeLessThan(Math.exp(EPSILON) - 1);
    expect(advantage).toBeGreaterThan(0);
  });

  test('a whole and its parts are in steps of k, and what is small is not told', () => {
    fc.assert(
      fc.property(parts, fc.string(), (sizes, seed) => {
        const { profiles, values } = groupSizes(sizes, 10, (part) => `${seed} ${part}`);
        for (const size of [profiles, ...Object.values(values)])
          expect(size === '<10' || (typeof size === 'number' && size >= 10 && size % 10 === 0)).toBe(true);
        expect(Object.keys(values)).toEqual(Object.keys(sizes));
        const untold = Object.values(values).filter((it) => it === '<10').length;
        if (Object.keys(sizes).length > 0) expect(untold).not.toBe(Object.keys(sizes).length === 1 ? -1 : 1);
      }),
    );
  });
});

test('a week’s small lines are one line, of two at least and ten conversions, or the week is not told', () => {
  const line = (name: string, conversions: number, net: number) => ({
    name,
    ppm: conversions * 1_000_000,
    net,
  });
  expect(toldLines([line('wecom', 50, 500), line('oa', 9.5, 95), line('web', 1, 7)], 10)).toEqual([
    line('wecom', 50, 500),
    line(SMALL, 10.5, 102),
  ]);
  expect(toldLines([line('wecom', 50, 500), line('web', 1, 7)], 10)).toEqual([line(SMALL, 51, 507)]);
  expect(toldLines([line('wecom', 5, 50), line('web', 1, 7)], 10)).toBeUndefined();
  expect(toldLines([], 10)).toBeUndefined();
});
