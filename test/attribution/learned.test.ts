// The learned composite: a truth that is known because the people were made from it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  chooseHazard,
  fitHazard,
  type Hazard,
  logLikelihood,
  type ObservedPerson,
  shareByHazard,
} from '../../lib/attribution/learned.ts';
import { type DatedCounts, datedCounter, learnedCredits } from '../../lib/attribution/learned-counts.ts';

const DAYS = 30;

/** People who convert as `truth` has it, and how many of their conversions nobody caused. */
function simulated(truth: Hazard, count: number, seed: number) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const kinds = Object.keys(truth.effects);
  const waiting = (rate: number) => -Math.log(next()) / rate;
  let byNobody = 0;
  const people = Array.from({ length: count }, (): ObservedPerson => {
    const touches: { at: number; kind: string }[] = [];
    for (let at = waiting(0.2); at < DAYS; at += waiting(0.2))
      touches.push({ at, kind: kinds[Math.floor(next() * kinds.length)]! });
    const conversions: number[] = [];
    for (let at = waiting(truth.base); at < DAYS; at += waiting(truth.base)) conversions.push(at);
    byNobody += conversions.length;
    // Each touch is the beginning of a stream of its own, thinned from its highest rate.
    for (const touch of touches) {
      const highest = truth.effects[touch.kind]!;
      for (let at = touch.at + waiting(highest); at < DAYS; at += waiting(highest))
        if (next() < 2 ** (-(at - touch.at) / truth.halfLifeDays)) conversions.push(at);
    }
    return { from: 0, to: DAYS, touches, conversions };
  });
  return { people, byNobody };
}

const truth: Hazard = { base: 0.01, effects: { pay: 0.08, consult: 0.04, content: 0.02 }, halfLifeDays: 3 };

describe('a known truth', () => {
  const { people, byNobody } = simulated(truth, 3_000, 5);
  const fitted = fitHazard(people, truth.halfLifeDays);

  test('effects and base are found within a fifth', () => {
    for (const [kind, effect] of Object.entries(truth.effects))
      expect(fitted.effects[kind]! / effect).toSatisfy((it: number) => it > 0.8 && it < 1.2);
    expect(fitted.base / truth.base).toSatisfy((it: number) => it > 0.8 && it < 1.2);
  });

  test('the share that nobody caused is the share that nobody caused', () => {
    const all = people.flatMap(({ touches, conversions }) =>
      conversions.map((at) =>
        shareByHazard(
          fitted,
          touches.filter((it) => it.at <= at),
          at,
        ),
      ),
    );
    const nobody = all.reduce((sum, it) => sum + it.nobody, 0);
    expect(Math.abs(nobody - byNobody) / all.length).toBeLessThan(0.04);
  });

  test('the half-life is chosen by people it was not fitted to', () => {
    const { people: others } = simulated(truth, 2_000, 6);
    expect(chooseHazard(people, others, [0.5, 3, 20]).halfLifeDays).toBe(3);
  });

  test('without those who never convert, everything looks more effective than it is', () => {
    const biased = fitHazard(
      people.filter(({ conversions }) => conversions.length > 0),
      truth.halfLifeDays,
    );
    expect(biased.base + biased.effects.content!).toBeGreaterThan(
      1.15 * (fitted.base + fitted.effects.content!),
    );
  });
});

const person: fc.Arbitrary<ObservedPerson> = fc
  .record({
    to: fc.integer({ min: 1, max: 60 }),
    touches: fc.array(
      fc.record({ at: fc.integer({ min: -10, max: 60 }), kind: fc.constantFrom('a', 'b', 'c') }),
      { maxLength: 5 },
    ),
    conversions: fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 3 }),
  })
  .map(({ to, touches, conversions }) => ({
    from: 0,
    to,
    touches: touches.filter((it) => it.at < to),
    conversions: conversions.filter((it) => it <= to),
  }));
const people = fc.array(person, { minLength: 1, maxLength: 12 });

describe('laws', () => {
  test('more iterations never make it less likely', () => {
    fc.assert(
      fc.property(people, fc.constantFrom(0.5, 7), fc.integer({ min: 1, max: 8 }), (list, halfLife, more) => {
        fc.pre(list.some(({ conversions }) => conversions.length > 0));
        const [few, many] = [fitHazard(list, halfLife, 2), fitHazard(list, halfLife, 2 + more)];
        expect(many.logLikelihood).toBeGreaterThanOrEqual(few.logLikelihood - 1e-9);
        expect(logLikelihood(many, list)).toBeCloseTo(many.logLikelihood, 9);
      }),
    );
  });

  test('a conversion is shared wholly between its touches and nobody', () => {
    fc.assert(
      fc.property(people, fc.nat({ max: 60 }), (list, at) => {
        const hazard = fitHazard(list, 7);
        const { touches, nobody } = shareByHazard(hazard, list[0]!.touches, at);
        expect(touches.reduce((sum, it) => sum + it, nobody)).toBeCloseTo(1, 12);
        for (const [i, it] of list[0]!.touches.entries()) if (it.at > at) expect(touches[i]).toBe(0);
      }),
    );
  });

  test('as many conversions are expected as there were', () => {
    const list: ObservedPerson[] = [
      { from: 0, to: 20, touches: [{ at: 2, kind: 'a' }], conversions: [4, 9] },
      { from: 0, to: 40, touches: [{ at: 30, kind: 'b' }], conversions: [31] },
      { from: 0, to: 40, touches: [], conversions: [] },
    ];
    const { base, effects } = fitHazard(list, 5);
    const kernel = (days: number) => (5 / Math.LN2) * (1 - 2 ** (-days / 5));
    expect(100 * base + effects.a! * kernel(18) + effects.b! * kernel(10)).toBeCloseTo(3, 9);
  });

  test('nobody watched, nothing converted: nothing is said', () => {
    expect(fitHazard([], 7)).toMatchObject({ base: 0, effects: {}, logLikelihood: 0 });
    const idle = fitHazard([{ from: 0, to: 9, touches: [{ at: 1, kind: 'a' }], conversions: [] }], 7);
    expect(idle).toMatchObject({ base: 0, effects: { a: 0 } });
    expect(shareByHazard(idle, [{ at: 1, kind: 'a' }], 2)).toEqual({ touches: [0], nobody: 1 });
    expect(() => chooseHazard([], [], [])).toThrow(RangeError);
  });
});

describe('counted in whole days', () => {
  const counted = (people: readonly ObservedPerson[]): DatedCounts => {
    const counter = datedCounter();
    for (const [i, { from, to, touches, conversions }] of people.entries())
      counter.add({
        isHeldOut: i % 2 === 1,
        minutes: (to - from) * 24 * 60,
        exposures: touches.map(({ at, kind }) => [kind, 0, Math.floor(to - at)]),
        conversions: conversions.map((at) => ({
          touches: touches
            .filter((it) => it.at <= at)
            .map((it): [string, number] => [it.kind, Math.floor(at - it.at)]),
          value: 100,
        })),
      });
    return counter.take();
  };

  test('the effects are those of the exact times but for a few in a hundred, and the half-life is found', () => {
    const truth: Hazard = { base: 0.003, effects: { strong: 0.04, weak: 0.01 }, halfLifeDays: 7 };
    const { people, byNobody } = simulated(truth, 3_000, 11);
    const exact = fitHazard(people, 7);
    const { hazard, nobody, channels, unattributed } = learnedCredits(counted(people), [1, 7, 30]);
    expect(hazard.halfLifeDays).toBe(7);
    for (const [kind, effect] of Object.entries(exact.effects))
      expect(Math.abs(hazard.effects[kind]! / effect - 1)).toBeLessThan(0.1);
    const all = people.reduce((sum, it) => sum + it.conversions.length, 0);
    expect(Math.abs(nobody - byNobody / all)).toBeLessThan(0.1);
    const credited = [...channels.values()].reduce((sum, it) => sum + it.conversions, 0);
    expect(credited + unattributed.conversions).toBeCloseTo(all, 6);
  });

  test('nothing converted: it says so', () => {
    expect(() => learnedCredits(counted([]), [7])).toThrow(/nothing converted/);
  });
});
