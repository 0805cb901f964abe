// Worlds whose truth is known: that it is the truth.
import { describe, expect, test } from 'vitest';
import {
  DAYS,
  type Scenario,
  type SimulatedPerson,
  scenarioNames,
  scenarios,
  simulate,
} from '../../lib/attribution/simulation.ts';
import { sum } from './a-history.ts';

const PEOPLE = 12_000;

describe.each(scenarioNames)('scenario %s', (name) => {
  const scenario: Scenario = scenarios[name];
  const people = simulate(scenario, PEOPLE, 3);
  const converted = people.filter(({ conversions }) => conversions.length > 0);

  test('is of the size that was asked for: 10 to 16 % convert, 6 to 6.5 touches', () => {
    expect(people).toHaveLength(PEOPLE);
    expect(converted.length / PEOPLE).toSatisfy((it: number) => it > 0.1 && it < 0.16);
    const touches = sum(people.map((it) => it.touches.length)) / PEOPLE;
    expect(touches).toSatisfy((it: number) => it > 5.85 && it < 6.65); // sampled: ± 0.15
  });

  test('each conversion was caused by its touches and nobody, wholly', () => {
    for (const { caused, nobody, touches } of converted) {
      expect(caused).toHaveLength(touches.length);
      expect(sum(caused) + nobody).toBeCloseTo(1, 12);
    }
  });

  test('nothing is seen after the conversion, nor after the last day', () => {
    for (const { to, touches, conversions } of people) {
      expect(to).toBe(conversions[0] ?? DAYS);
      expect(touches.every(({ at }, i) => at <= to && at >= (touches[i - 1]?.at ?? 0))).toBe(true);
    }
  });

  test('the same seed is the same world, another is another', () => {
    expect(simulate(scenario, 50, 3)).toEqual(people.slice(0, 50));
    expect(simulate(scenario, 50, 4)).not.toEqual(people.slice(0, 50));
  });
});

test.each(['A', 'B', 'B2', 'E'] as const)('%s: as many convert as the hazard has it', (name) => {
  const { channels, base, effect, halfLifeDays } = scenarios[name];
  const effects = new Map<string, number>(channels.map((it) => [it.channel, it.effect * effect]));
  const people = simulate(scenarios[name], PEOPLE, 5);
  // What hazard each was under while watched; over all people it is what to expect of their conversions.
  const expected = sum(
    people.map(
      ({ to, touches }) =>
        base * to +
        sum(
          touches.map(
            ({ at, kind }) =>
              effects.get(kind)! * (halfLifeDays / Math.LN2) * (1 - 2 ** (-(to - at) / halfLifeDays)),
          ),
        ),
    ),
  );
  const found = people.filter(({ conversions }) => conversions.length > 0).length;
  expect(Math.abs(found - expected)).toBeLessThan(3 * Math.sqrt(expected));
});

test('A: what a role’s touches cause is in the ratio of the roles, touch for touch at the conversion', () => {
  const { channels } = scenarios.A;
  for (const { touches, caused, to } of simulate(scenarios.A, 2_000, 1)) {
    if (caused.length < 2) continue;
    const perEffect = touches.map(({ at, kind }, i) => {
      const { effect } = channels.find(({ channel }) => channel === kind)!;
      return (caused[i]! / effect) * 2 ** ((to - at) / 7);
    });
    for (const it of perEffect) expect(it / perEffect[0]!).toBeCloseTo(1, 9);
  }
});

/** Of the touches in the last days before conversions, how many are of the pay page. */
function lateVisits(people: readonly SimulatedPerson[]): number {
  const late = people
    .filter(({ conversions }) => conversions.length > 0)
    .flatMap(({ touches, to }) => touches.filter(({ at }) => to - at <= 4));
  return late.filter(({ kind }) => kind === 'pay_page').length / late.length;
}

test.each([
  ['C', 1.3],
  ['C2', 2],
] as const)(
  '%s: who wants to buy visits the pay page and then converts, and the page causes none of it',
  (name, times) => {
    const { intent, ...rest }: Scenario = scenarios[name];
    const people = simulate({ ...rest, intent }, PEOPLE, 2);
    // The same visits, in people who do not mean anything by them.
    const idle = simulate({ ...rest, ...(intent && { intent: { ...intent, hazard: 0 } }) }, PEOPLE, 2);
    expect(lateVisits(people)).toBeGreaterThan(times * lateVisits(idle));
    for (const { touches, caused } of people)
      for (const [i, share] of caused.entries()) if (touches[i]!.kind === 'pay_page') expect(share).toBe(0);
  },
);
