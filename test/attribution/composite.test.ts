// The composite model: the cases that are worked out by hand, and what it comes down to at its edges.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CompositeContext,
  type CompositeTouch,
  compositeWeights,
  explainComposite,
  factorNames,
} from '../../lib/attribution/composite.ts';
import { models, type RuleName } from '../../lib/attribution/models.ts';
import { split } from '../../lib/attribution/split.ts';
import { compositeSettings, scenarioPresets } from '../../lib/platform/brand.ts';
import type { TouchRole } from '../../lib/platform/brand-words.ts';
import { aTouch, day, settings } from './a-history.ts';

type Settings = ReturnType<typeof compositeSettings.parse>;
const preset = compositeSettings.parse({});
const withSettings = (more: Partial<Settings>): Settings => ({ ...preset, ...more });
/** No memory of how the relation began. */
const simple = withSettings({ opening: { weight: 0, perDay: 0 } });
const equalRoles = { direct: 1, indirect: 1, latent: 1 };
const anybody: CompositeContext = { tier: 'other' };

const touchAt = (days: number, role: TouchRole, type = 'page_viewed'): CompositeTouch => ({
  ...aTouch(day(days), 'wecom', { type }),
  role,
});

/** Content, a consultation five days before, the pay page: 20 days in all. */
const golden = [touchAt(0, 'latent'), touchAt(15, 'indirect'), touchAt(20, 'direct')];

const weigh = (path: readonly CompositeTouch[], at: string, of: Settings, context = anybody) =>
  compositeWeights(path, at, of, context, settings());
const weightsOf = (...of: Parameters<typeof weigh>) => weigh(...of).map(({ weight }) => weight);
const shares = (weights: readonly number[]) => {
  const total = weights.reduce((sum, it) => sum + it, 0);
  return weights.map((it) => it / total);
};
const digits = (list: readonly number[]) => list.map((it) => it.toFixed(9));

describe('golden cases', () => {
  test('content, consultation, pay page: 9999 fen', () => {
    const weights = weigh(golden, day(20), simple);
    expect(digits(weights.map(({ factors }) => factors.decay / 0.6))).toEqual([
      '0.138011189',
      '0.609506827',
      '1.000000000',
    ]);
    expect(digits(shares(weights.map(({ weight }) => weight)))).toEqual([
      '0.025762656',
      '0.227554228',
      '0.746683116',
    ]);
  });

  test.each([
    ['as they are', simple, anybody, [258, 2275, 7466]],
    ['without decay', withSettings({ floor: 1 }), anybody, [1428, 2857, 5714]],
    ['a VIP', simple, { tier: 'vip' }, [307, 2264, 7428]],
    ['a silent customer', simple, { tier: 'silent' }, [199, 2289, 7511]],
  ] as const)('%s', (_, of, context, expected) => {
    expect(split(9_999, weightsOf(golden, day(20), of, context))).toEqual(expected);
  });

  test('tiers to nine digits', () => {
    expect(digits(shares(weightsOf(golden, day(20), simple, { tier: 'vip' })))).toEqual([
      '0.030756712',
      '0.226387758',
      '0.742855529',
    ]);
    expect(digits(shares(weightsOf(golden, day(20), simple, { tier: 'silent' })))).toEqual([
      '0.019935952',
      '0.228915181',
      '0.751148867',
    ]);
  });

  test('the report’s example: joining .3, a contact seven days later .1, what led to the purchase .6', () => {
    const path = [touchAt(0, 'direct'), touchAt(7, 'direct'), touchAt(30, 'direct')];
    const weights = weigh(path, day(30), preset);
    expect(weights.map(({ factors }) => factors.decay.toFixed(12))).toEqual([
      '0.300000000000',
      '0.100000000000',
      '0.600000000000',
    ]);
    expect(weights.map(({ reason }) => reason)).toEqual(['opening', 'opening', 'closing']);
    expect(weigh(path, day(30), withSettings({ floor: 0.2 })).map(({ reason }) => reason)).toEqual([
      'opening',
      'floor',
      'closing',
    ]);
  });

  test('a relation that began before the first touch has faded since', () => {
    const [touch] = weigh([touchAt(7, 'direct')], day(37), preset, { tier: 'other', joinedAt: day(0) });
    expect(touch!.factors.decay).toBeCloseTo(0.1, 12);
  });

  test('a scenario raises its events', () => {
    const path = [touchAt(0, 'latent', 'coupon_issued'), touchAt(0, 'latent')];
    expect(weightsOf(path, day(1), preset, { ...anybody, scenario: scenarioPresets.default })[0]).toBeCloseTo(
      0.6 * 2 ** (-1 / 7) * 0.2,
      12,
    );
    const [raised, plain] = weightsOf(path, day(1), preset, {
      ...anybody,
      scenario: scenarioPresets.promotion,
    });
    expect(raised! / plain!).toBeCloseTo(1.5, 12);
  });

  test('an early contact of a VIP lies in the first third; at one instant there is no early', () => {
    const path = [touchAt(0, 'direct'), touchAt(9.9, 'direct'), touchAt(10, 'direct')];
    const tiers = (at: number, touches = path) =>
      weigh(touches, day(at), preset, { tier: 'vip' }).map(({ factors }) => factors.tier);
    expect(tiers(30)).toEqual([1.2, 1.2, 1]);
    expect(tiers(0, [touchAt(0, 'direct')])).toEqual([1]);
  });
});

const role = fc.constantFrom('direct' as const, 'indirect' as const, 'latent' as const);
const path = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 90 * 24 }), role), { minLength: 1, maxLength: 12 })
  .map((list) => list.sort(([a], [b]) => a - b).map(([hours, it]) => touchAt(hours / 24, it)));
const END = day(91);
const tier = fc.constantFrom('vip' as const, 'silent' as const, 'other' as const);

/** The same shares as a model has, which weighs by itself. */
function expectModel(name: RuleName, touches: readonly CompositeTouch[], of: Settings, halfLifeDays = 7) {
  const expected = models[name](touches, END, settings({ halfLifeDays })).map(({ weight }) => weight);
  for (const [i, share] of shares(weightsOf(touches, END, of)).entries())
    expect(share).toBeCloseTo(shares(expected)[i]!, 9);
}

describe('what it comes down to', () => {
  const flat = { opening: { weight: 0, perDay: 0 }, closing: { weight: 0, halfLifeDays: 7 }, floor: 1 };
  const decaying = (halfLifeDays: number) =>
    withSettings({ ...simple, closing: { weight: 0.6, halfLifeDays }, roles: equalRoles });

  test('a floor alone and equal roles: linear', () => {
    fc.assert(
      fc.property(path, (it) => expectModel('linear', it, withSettings({ ...flat, roles: equalRoles }))),
    );
  });

  test('nearness alone and equal roles: time decay; with a short half-life all to the last', () => {
    fc.assert(
      fc.property(path, fc.constantFrom(0.25, 7, 90), (it, halfLifeDays) =>
        expectModel('time_decay', it, decaying(halfLifeDays), halfLifeDays),
      ),
    );
    expect(
      shares(weightsOf([touchAt(0, 'direct'), touchAt(15, 'direct')], day(400), decaying(0.25)))[1],
    ).toBe(1);
  });

  test('a beginning that fades at once: first', () => {
    const of = withSettings({
      opening: { weight: 0.3, perDay: 1e9 },
      closing: { weight: 0, halfLifeDays: 7 },
      roles: equalRoles,
    });
    expect(shares(weightsOf([touchAt(0, 'latent'), touchAt(1, 'direct')], END, of))).toEqual([1, 0]);
  });

  test.each(['u_shaped', 'w_shaped'] as const)('no decay, and places for roles: %s', (position) => {
    fc.assert(fc.property(path, (it) => expectModel(position, it, withSettings({ ...flat, position }))));
  });

  test('no decay: roles alone', () => {
    const weights = weightsOf(golden, day(20), withSettings(flat));
    expect(shares(weights)).toEqual(shares([0.2, 0.4, 0.8]));
  });

  test('scaling a factor for all touches changes no share', () => {
    fc.assert(
      fc.property(path, tier, fc.double({ min: 0.01, max: 9, noNaN: true }), (it, tier, by) => {
        const { direct, indirect, latent } = preset.roles;
        const roles = { direct: direct * by, indirect: indirect * by, latent: latent * by };
        const scaled = shares(weightsOf(it, END, withSettings({ roles }), { tier }));
        for (const [i, share] of shares(weightsOf(it, END, preset, { tier })).entries())
          expect(scaled[i]).toBeCloseTo(share, 12);
      }),
    );
  });

  test('raising one touch’s factor raises its share and lowers every other', () => {
    fc.assert(
      fc.property(path, fc.nat(), (it, which) => {
        if (it.length < 2) return;
        const chosen = which % it.length;
        const marked = it.map((touch, i) => (i === chosen ? { ...touch, type: 'coupon_issued' } : touch));
        const before = shares(weightsOf(marked, END, preset));
        const after = shares(
          weightsOf(marked, END, preset, { ...anybody, scenario: { coupon_issued: 1.5 } }),
        );
        for (const [i, share] of after.entries())
          if (i === chosen) expect(share).toBeGreaterThan(before[i]!);
          else expect(share).toBeLessThan(before[i]!);
      }),
    );
  });
});

describe('explanation', () => {
  test('the factors of a path multiply to its weights, and each is told against its own mean', () => {
    fc.assert(
      fc.property(path, tier, (it, tier) => {
        const weights = weigh(it, END, preset, { tier });
        const means = factorNames.map((name) =>
          weights.reduce((product, { factors }) => product * factors[name] ** (1 / weights.length), 1),
        );
        const whole = shares(weights.map(({ weight }) => weight));
        for (const [i, { share, multiples }] of explainComposite(weights).entries()) {
          expect(share).toBeCloseTo(whole[i]!, 12);
          const product = factorNames.reduce((so, name, f) => so * multiples[name]! * means[f]!, 1);
          expect(product / weights[i]!.weight).toBeCloseTo(1, 9);
        }
      }),
    );
  });

  test('a share without its roles is the share that decay gives', () => {
    const [content] = explainComposite(weigh(golden, day(20), simple));
    const decay = [0.138011189, 0.609506827, 1];
    expect(content!.without.position).toBeCloseTo(shares(decay)[0]!, 8);
    expect(content!.without.tier).toBeCloseTo(content!.share, 12);
    expect(content!.multiples.position).toBeCloseTo(0.5, 12);
  });

  test('weights that say nothing share equally', () => {
    const of = withSettings({
      closing: { weight: 0, halfLifeDays: 7 },
      opening: { weight: 0.3, perDay: 1e9 },
    });
    const context = { tier: 'other', joinedAt: day(0) } as const;
    const [one, other] = explainComposite(
      weigh([touchAt(5, 'latent'), touchAt(6, 'direct')], day(9), of, context),
    );
    expect([one!.share, other!.share, one!.multiples.decay]).toEqual([0.5, 0.5, null]);
  });

  test('no touches, no weights', () => {
    expect(explainComposite(weigh([], day(1), preset))).toEqual([]);
  });
});
