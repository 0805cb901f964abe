import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { models, type RuleName } from '../../lib/attribution/models.ts';
import { fallsBack, split, WHOLE } from '../../lib/attribution/split.ts';
import type { AttributionSettings } from '../../lib/platform/brand.ts';
import { modelName } from '../../lib/platform/brand-words.ts';
import { aTouch, day, settings, sum } from './a-history.ts';

const ruleNames = modelName.exclude(['composite']);

const ppm = (
  name: RuleName,
  path: ReturnType<typeof aTouch>[],
  at: string,
  more?: Partial<AttributionSettings>,
) =>
  split(
    WHOLE,
    models[name](path, at, settings(more)).map(({ weight }) => weight),
  );

const days = (...at: number[]) => at.map((it) => aTouch(day(it), `channel-${it}`));

describe('who is credited', () => {
  test('first and last give all to one', () => {
    expect(ppm('first', days(0, 1, 2), day(3))).toEqual([WHOLE, 0, 0]);
    expect(ppm('last', days(0, 1, 2), day(3))).toEqual([0, 0, WHOLE]);
  });

  test('last non-direct passes over direct visits, unless there is nothing else', () => {
    const path = [aTouch(day(0), 'wecom'), aTouch(day(1), 'direct')];
    expect(ppm('last_non_direct', path, day(2))).toEqual([WHOLE, 0]);
    expect(ppm('last_non_direct', [path[1]!, path[1]!], day(2))).toEqual([0, WHOLE]);
  });

  test('linear gives the same to each', () => {
    expect(ppm('linear', days(0, 1, 2), day(3))).toEqual([333_334, 333_333, 333_333]);
  });

  test.each([
    [1, [1_000_000]],
    [2, [500_000, 500_000]],
    [3, [400_000, 200_000, 400_000]],
    [4, [400_000, 100_000, 100_000, 400_000]],
  ])('U with %i touches', (n, expected) => {
    expect(ppm('u_shaped', days(...Array(n).keys()), day(9))).toEqual(expected);
  });

  test('U with a first touch of 0.6 and a last of 0.3 keeps that ratio for two touches', () => {
    expect(ppm('u_shaped', days(0, 1), day(9), { u: { first: 0.6, middle: 0.1, last: 0.3 } })).toEqual([
      666_667, 333_333,
    ]);
  });

  test('U that gives nothing to the ends falls back to equal shares for two touches', () => {
    expect(ppm('u_shaped', days(0, 1), day(9), { u: { first: 0, middle: 1, last: 0 } })).toEqual([
      500_000, 500_000,
    ]);
  });

  test.each([
    ['one touch', 1, undefined, [1_000_000]],
    ['two touches: U', 2, undefined, [500_000, 500_000]],
    ['three touches: thirds', 3, undefined, [333_334, 333_333, 333_333]],
    [
      'five touches: the middle is the opportunity',
      5,
      undefined,
      [300_000, 50_000, 300_000, 50_000, 300_000],
    ],
    ['four touches: the middle is index 1', 4, undefined, [300_000, 300_000, 100_000, 300_000]],
    ['the marked touch is the opportunity', 5, 3, [300_000, 50_000, 50_000, 300_000, 300_000]],
    ['the marked touch is the first: U', 5, 0, [400_000, 66_667, 66_667, 66_666, 400_000]],
    ['the marked touch is the last: U', 3, 2, [400_000, 200_000, 400_000]],
  ])('W with %s', (_, n, marked, expected) => {
    const path = days(...Array(n).keys()).map((it, i) => ({ ...it, opportunity: i === marked }));
    expect(ppm('w_shaped', path, day(9))).toEqual(expected);
  });

  test('W that falls back to U keeps its own ratio between the ends', () => {
    const w = { first: 0.2, opportunity: 0.4, last: 0.4, rest: 0 };
    expect(ppm('w_shaped', days(0, 1), day(9), { w })).toEqual([333_333, 666_667]);
  });

  test('time decay: a week further back counts half', () => {
    expect(ppm('time_decay', days(0, 7), day(7))).toEqual([333_333, 666_667]);
    expect(ppm('time_decay', days(0, 7), day(20))).toEqual([333_333, 666_667]);
    const golden = models.time_decay(days(0, 15, 20), day(20), settings()).map(({ weight }) => weight);
    expect(golden.map((it) => it.toFixed(9))).toEqual(['0.138011189', '0.609506827', '1.000000000']);
  });

  test('each factor is told', () => {
    expect(models.time_decay(days(0, 7), day(7), settings())[0]!.factors).toEqual({
      ageDays: 7,
      halfLifeDays: 7,
      weight: 0.5,
    });
    expect(models.u_shaped(days(0, 1, 2), day(7), settings())[1]!.factors).toEqual({
      position: 'middle',
      share: 0.2,
      touches: 1,
    });
  });
});

const path = fc
  .array(
    fc.record({
      at: fc.integer({ min: 0, max: 365 * 86_400 }),
      channel: fc.constantFrom('direct', 'a', 'b', 'c'),
      opportunity: fc.boolean(),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((touches) =>
    touches.sort((a, b) => a.at - b.at).map(({ at, ...it }) => aTouch(day(at / 86_400), it.channel, it)),
  );

describe('laws of every model', () => {
  test.each(ruleNames.options)(
    '%s weighs each touch, shares exactly one, and an empty path shares nothing',
    (name) => {
      expect(models[name]([], day(0), settings())).toEqual([]);
      fc.assert(
        fc.property(path, fc.constantFrom(0.25, 7, 90), (touches, halfLifeDays) => {
          const weights = models[name](touches, day(366), settings({ halfLifeDays })).map(
            ({ weight }) => weight,
          );
          expect(weights).toHaveLength(touches.length);
          expect(fallsBack(weights)).toBe(false);
          expect(sum(split(WHOLE, weights))).toBe(WHOLE);
        }),
        { numRuns: 300 },
      );
    },
  );

  test('a path of one touch gives it everything, in every model', () => {
    for (const name of ruleNames.options) expect(ppm(name, days(1), day(2))).toEqual([WHOLE]);
  });

  test('with all touches at one instant, time decay is linear', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), (n) => {
        const touches = days(...Array(n).fill(3));
        expect(ppm('time_decay', touches, day(9))).toEqual(ppm('linear', touches, day(9)));
      }),
    );
  });

  test('with hours of half-life, time decay nears the last touch; it never loses the path', () => {
    expect(ppm('time_decay', days(0, 364), day(365), { halfLifeDays: 0.25 })).toEqual([0, WHOLE]);
  });

  test('a later touch never counts less than an earlier one in time decay', () => {
    fc.assert(
      fc.property(path, (touches) => {
        const weights = models.time_decay(touches, day(366), settings()).map(({ weight }) => weight);
        expect([...weights].sort((a, b) => a - b)).toEqual(weights);
      }),
    );
  });

  test('U without a middle of its own is linear where the shares are equal', () => {
    const u = { first: 0.25, middle: 0.5, last: 0.25 };
    expect(ppm('u_shaped', days(0, 1, 2, 3), day(9), { u })).toEqual(ppm('linear', days(0, 1, 2, 3), day(9)));
  });
});
