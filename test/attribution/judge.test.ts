// The judge: that it finds what is true, says so only where chance is excluded, and hides no failure.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeModels } from '../../infra/judge.ts';
import { compare, drawn, judge, judgedModels, middleOf } from '../../lib/attribution/judge.ts';
import { errorsOf, evidenceOf } from '../../lib/attribution/judge-evidence.ts';
import { learnElsewhere, shareBy } from '../../lib/attribution/judge-models.ts';
import { markov } from '../../lib/attribution/markov.ts';
import { countPaths } from '../../lib/attribution/paths.ts';
import { dice } from '../../lib/attribution/shapley.ts';
import {
  type ScenarioName,
  type SimulatedPerson,
  scenarios,
  simulate,
} from '../../lib/attribution/simulation.ts';
import { sum } from './a-history.ts';

const judged = (name: ScenarioName, people: number) => {
  const found = judge(scenarios[name], { people, seed: 1, resamples: 60 });
  const channel = Object.fromEntries(found.models.map((it) => [it.model, it.channel]));
  const touch = Object.fromEntries(found.models.map((it) => [it.model, it.touch]));
  return { ...found, channel, touch };
};

describe('the acceptance of the learned model', () => {
  test.each(['A', 'B2', 'C', 'E'] as const)(
    '%s: at least 15 %% nearer than linear, by more than chance',
    (name) => {
      const { channel, touch } = judged(name, 20_000);
      expect(channel.learned!.error).toBeLessThan(0.85 * channel.linear!.error);
      expect(channel.learned!.verdict).toBe('better');
      expect(touch.learned!.verdict).toBe('better');
    },
  );

  test('B: where all are equal, not more than 0.02 worse than linear, which is right', () => {
    const { channel, nobody, learned } = judged('B', 60_000);
    expect(channel.linear!.error).toBeLessThan(0.005);
    expect(channel.learned!.difference).toBeLessThan(0.02);
    expect(Math.abs(nobody.learned - nobody.true)).toBeLessThan(0.02);
    expect(learned.halfLifeDays).toBeCloseTo(7, 9);
  });
});

test('C2: strongly confounded, the learned model is worse than linear, and it says so', () => {
  const { channel, nobody, learned } = judged('C2', 20_000);
  expect(channel.learned).toMatchObject({ verdict: 'worse' });
  expect(learned.effects.pay_page).toMatchObject({ true: 0 });
  expect(learned.effects.pay_page!.learned).toBeGreaterThan(1);
  expect(nobody.learned).toBeLessThan(nobody.true - 0.05);
});

describe('the preset, where its assumptions hold and where not', () => {
  test('A: far nearer than linear, and without its opening part nearly exact by touch', () => {
    const { channel, touch } = judged('A', 8_000);
    expect(channel.composite).toMatchObject({ verdict: 'better' });
    expect(channel.composite!.error).toBeLessThan(0.03);
    expect(touch.composite_simple!.error).toBeLessThan(0.001);
  });

  // 60,000, as published: what C shows is within chance of a few thousand people.
  test.each([
    ['B', 8_000],
    ['C', 60_000],
    ['C2', 8_000],
  ] as const)('%s: its failure is called one', (name, people) => {
    expect(judged(name, people).channel.composite).toMatchObject({ verdict: 'worse' });
  });

  test('linear is no better than itself', () => {
    const { channel } = judged('A', 2_000);
    expect(channel.linear).toMatchObject({ difference: 0, interval: [0, 0], verdict: 'open' });
  });
});

/** Two channels; `a` causes all. */
const person = (kinds: string, caused: readonly number[], converted = true): SimulatedPerson => ({
  from: 0,
  to: 10,
  touches: [...kinds].map((kind, at) => ({ at, kind })),
  conversions: converted ? [10] : [],
  caused: converted ? caused : [],
  nobody: converted ? 1 - sum(caused) : 0,
});
const { A } = scenarios;
const hazard = { base: 0.1, effects: { a: 1, b: 1 }, halfLifeDays: 7 };
const shares = (model: Parameters<typeof shareBy>[0]) => shareBy(model, A, hazard);
const ones = (count: number) => new Uint16Array(count).fill(1);

describe('errors', () => {
  test('are total variation: by hand', () => {
    const people = [
      person('ab', [1, 0]),
      person('abbb', [0.5, 0, 0, 0]),
      person('b', [0]),
      person('b', [], false),
    ];
    const { channel, touch } = errorsOf(evidenceOf(people, ['a', 'b'], shares), ones(4));
    // Linear gives a 0.5 + 0.25 of 3, and all is a's; touches: half and three quarters are misplaced, `b` was nobody's.
    expect(channel.linear).toBeCloseTo(1 - 0.75 / 3, 12);
    expect(touch.linear).toBeCloseTo((0.5 + 0.75) / 2, 12);
    expect(channel.shapley).toBeCloseTo(1 - 1 / 3, 12);
    expect(channel.learned).toBeGreaterThan(channel.linear); // here a's touches are the oldest
  });

  test('of a chain hold paths that came to nothing against those that converted', () => {
    const people = [
      ...Array<SimulatedPerson>(6).fill(person('ab', [0.5, 0])),
      ...Array<SimulatedPerson>(2).fill(person('ab', [], false)),
      ...Array<SimulatedPerson>(5).fill(person('b', [0])),
      ...Array<SimulatedPerson>(20).fill(person('b', [], false)),
    ];
    const { channel } = errorsOf(evidenceOf(people, ['a', 'b'], shares), ones(33));
    const credits = markov(
      countPaths([
        [['a', 'b'], { conversions: 6, value: 0, nulls: 2 }],
        [['b'], { conversions: 5, value: 0, nulls: 20 }],
      ]),
      { leastPerState: 0 },
    ).channels;
    expect(channel.markov).toBeCloseTo(credits[1]!.conversions / 11, 12); // all is a's
  });

  test('of people who count several times are those of as many people', () => {
    const letters = fc.array(fc.constantFrom('a', 'b'), { maxLength: 5 });
    const somebody = fc.tuple(letters, fc.boolean()).map(([kinds, isIt]) =>
      person(
        kinds.join(''),
        kinds.map((it) => (it === 'a' ? 1 : 0.5) / 6),
        isIt,
      ),
    );
    const counted = fc.array(fc.tuple(somebody, fc.nat({ max: 3 })), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(counted, (list) => {
        const once = evidenceOf(
          list.map(([it]) => it),
          ['a', 'b'],
          shares,
        );
        const often = Uint16Array.from(list, ([, count]) => count);
        const repeated = list.flatMap(([it, count]) => Array<SimulatedPerson>(count).fill(it));
        const [found, expected] = [
          errorsOf(once, often),
          errorsOf(evidenceOf(repeated, ['a', 'b'], shares), ones(repeated.length)),
        ];
        for (const model of judgedModels)
          expect(found.channel[model]).toBeCloseTo(expected.channel[model], 9);
        for (const [model, error] of Object.entries(found.touch))
          expect(error).toBeCloseTo({ ...expected.touch }[model] ?? Number.NaN, 9);
      }),
      { numRuns: 60 },
    );
  });

  test('every model’s shares of a path add up to 1', () => {
    const learned = learnElsewhere(scenarios.E, 1_000, 8);
    const people = simulate(scenarios.E, 400, 9).filter(
      (it) => it.conversions.length > 0 && it.touches.length > 0,
    );
    for (const model of [
      'linear',
      'u_shaped',
      'w_shaped',
      'time_decay',
      'composite',
      'composite_simple',
      'learned',
    ] as const)
      for (const it of people) expect(sum(shareBy(model, scenarios.E, learned)(it))).toBeCloseTo(1, 12);
  });
});

describe('intervals', () => {
  test('hold the middle 95 %', () => {
    expect(middleOf(Array.from({ length: 201 }, (_, i) => 200 - i))).toEqual([5, 195]);
  });

  test.each([
    [[-0.3, -0.1], 'better'],
    [[0.1, 0.3], 'worse'],
    [[-0.1, 0.3], 'open'],
    [[0, 0], 'open'],
  ] as const)('%j is %s', (draws, verdict) => {
    expect(compare(0.01, draws).verdict).toBe(verdict);
  });

  test('come from drawing as many as there are, with replacement', () => {
    const often = drawn(10_000, dice(1));
    expect(sum(often)).toBe(10_000);
    const none = often.filter((it) => it === 0).length / 10_000;
    expect(none).toBeCloseTo(1 / Math.E, 1);
  });

  test('are the same for the same seed', () => {
    const settings = { people: 1_000, seed: 4, resamples: 5 };
    expect(judge(scenarios.B2, settings)).toEqual(judge(scenarios.B2, settings));
    expect(judge(scenarios.B2, { ...settings, seed: 5 })).not.toEqual(judge(scenarios.B2, settings));
  });
});

describe('npm run attribution:judge', () => {
  test('prints every model with its verdict, failures as failures, and all digits for machines', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'judge-')), 'judge.json');
    const text = await judgeModels(['--scenario', 'B', '--users', '4000', '--seed', '2', '--json', file]);
    for (const model of judgedModels) expect(text).toMatch(new RegExp(`^${model} +0\\.\\d{3}`, 'm'));
    expect(text).toMatch(/^ {2}composite +B \+0\.\d+ WORSE$/m);
    const told = JSON.parse(readFileSync(file, 'utf8'));
    expect(told).toMatchObject({ people: 4_000, seed: 2, scenarios: [{ scenario: 'B', people: 4_000 }] });
    expect(told.scenarios[0].models).toHaveLength(judgedModels.length);
  });

  test.each([
    [['--scenario', 'Z'], '--scenario: '],
    [['--users', '10'], '--users: '],
    [['--resamples', '20'], '--resamples: '],
    [['--what'], "Unknown option '--what'"],
    [['--log', 'none.csv'], 'ENOENT'],
    [['--log', 'none.csv', '--role', 'shop=late'], 'say CHANNEL=direct'],
  ])('%j is told what is wrong', async (argv, message) => {
    await expect(judgeModels(argv)).rejects.toThrow(message);
  });

  test('says how it is used', async () => {
    expect(await judgeModels(['--help'])).toContain('--scenario NAME');
  });
});
