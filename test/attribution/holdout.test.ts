// Lift by those who were left alone, and credit beside it.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeModels } from '../../infra/judge.ts';
import { bucketOf, type Experiment, isHeldOut, liftOf } from '../../lib/attribution/holdout.ts';
import { holdoutReader } from '../../lib/attribution/holdout-file.ts';
import { dice } from '../../lib/attribution/shapley.ts';

const people = Array.from({ length: 20_000 }, (_, i) => `p${i}`);
const held = (campaign: string, share: number) => people.filter((it) => isHeldOut(campaign, it, share));

describe('buckets', () => {
  test('are the same for ever: a change here would mix those held out with those reached', () => {
    expect([bucketOf('spring', 'p1'), bucketOf('spring', 'p2'), bucketOf('autumn', 'p1')]).toEqual([
      423_683, 118_634, 423_853,
    ]);
  });

  test('hold out the share that was asked for', () => {
    expect(held('spring', 0.1).length / people.length).toBeCloseTo(0.1, 2);
    expect(held('spring', 0)).toEqual([]);
    expect(held('spring', 1)).toHaveLength(people.length);
  });

  test('who is held out of a smaller share is so of a larger', () => {
    const large = new Set(held('spring', 0.2));
    expect(held('spring', 0.1).every((it) => large.has(it))).toBe(true);
  });

  test('one campaign’s say nothing about another’s', () => {
    const spring = held('spring', 0.2);
    expect(spring.filter((it) => isHeldOut('autumn', it, 0.2)).length / spring.length).toBeCloseTo(0.2, 1);
  });
});

const anExperiment = (
  [converted, reached]: readonly [number, number],
  [without, heldOut]: readonly [number, number],
  credits: Experiment['credits'] = {},
): Experiment => ({
  campaign: 'spring',
  reached: { people: reached, converted },
  heldOut: { people: heldOut, converted: without },
  credits,
});

describe('lift', () => {
  // Newcombe 1998, Statistics in Medicine 17: 873–890, method 10.
  test.each([
    [[56, 70], [48, 80], 0.2, [0.0524, 0.3339]],
    [[9, 10], [3, 10], 0.6, [0.1705, 0.809]],
    [[10, 10], [0, 10], 1, [0.6075, 1]],
  ] as const)('%j against %j is as published', (reached, heldOut, value, [from, to]) => {
    const { perPerson } = liftOf(anExperiment(reached, heldOut));
    expect(perPerson.value).toBeCloseTo(value, 12);
    expect(perPerson.interval[0]).toBeCloseTo(from, 4);
    expect(perPerson.interval[1]).toBeCloseTo(to, 4);
  });

  test('of all who were reached is that of one, times as many', () => {
    const { perPerson, conversions } = liftOf(anExperiment([540, 9_000], [41, 1_000]));
    expect(conversions.value).toBeCloseTo(9_000 * perPerson.value, 9);
    expect(conversions.interval[1]).toBeCloseTo(9_000 * perPerson.interval[1], 9);
  });

  test('holds what is true in about 95 of 100 experiments', () => {
    const next = dice(7);
    const converted = (people: number, rate: number) =>
      Array.from({ length: people }, () => next() < rate).filter(Boolean).length;
    let within = 0;
    for (let i = 0; i < 400; i++) {
      const [a, b] = [converted(600, 0.08), converted(200, 0.05)];
      const { interval } = liftOf(anExperiment([a, 600], [b, 200])).perPerson;
      if (interval[0] <= 0.03 && 0.03 <= interval[1]) within += 1;
    }
    expect(within / 400).toSatisfy((it: number) => it > 0.92 && it < 0.98);
  });

  test('is within −1 and 1 with its interval around it', () => {
    const group = fc
      .tuple(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true }))
      .map(([people, share]) => [Math.round(people * share), people] as const);
    fc.assert(
      fc.property(group, group, (reached, heldOut) => {
        const { value, interval } = liftOf(anExperiment(reached, heldOut)).perPerson;
        expect(interval[0]).toBeGreaterThanOrEqual(-1 - 1e-12);
        expect(interval[1]).toBeLessThanOrEqual(1 + 1e-12);
        expect(interval[0] <= value && value <= interval[1]).toBe(true);
      }),
    );
  });

  test('is shown only where chance is excluded, upwards or downwards', () => {
    const isShown = (converted: number) => liftOf(anExperiment([converted, 1_000], [50, 1_000])).isShown;
    expect([100, 55, 20].map(isShown)).toEqual([true, false, true]);
  });

  test('without people there is none', () => {
    expect(() => liftOf(anExperiment([1, 10], [0, 0]))).toThrow('no rate');
    expect(() => liftOf(anExperiment([11, 10], [0, 5]))).toThrow(RangeError);
  });
});

describe('credit beside lift', () => {
  const flags = (reached: readonly [number, number], heldOut: readonly [number, number], credit: number) =>
    liftOf(anExperiment(reached, heldOut, { linear: credit })).credits[0]?.flag;

  test('far above is above all that the lift may be, and by half its estimate', () => {
    // Lift 171 of 9,000, at most 277.
    const groups = [
      [540, 9_000],
      [41, 1_000],
    ] as const;
    expect([30, 171, 270, 290].map((credit) => flags(...groups, credit))).toEqual([
      'below_lift',
      undefined,
      undefined,
      'exceeds_lift',
    ]);
  });

  test('a little above a lift that is known to the last person is not far', () => {
    const groups = [
      [200_000, 1_000_000],
      [100_000, 1_000_000],
    ] as const;
    expect([140_000, 151_000].map((credit) => flags(...groups, credit))).toEqual([undefined, 'exceeds_lift']);
  });

  test('any credit of a campaign that takes conversions away is too much', () => {
    expect(flags([20, 1_000], [60, 1_000], 1)).toBe('exceeds_lift');
  });
});

describe('the file', () => {
  const read = (text: string, share?: number) => {
    const reader = holdoutReader(share);
    for (const line of text.split('\n')) reader.take(line);
    return reader.end();
  };

  test('rows of a group are added up; whom it left alone brings no credit', () => {
    const rows =
      'campaign,group,people,converted,credit_linear\nspring,reached,10,2,1.5\nspring,reached,5,1,\nspring,held_out,5,0,9';
    expect(read(rows)).toEqual([anExperiment([3, 15], [0, 5], { linear: 1.5 })]);
  });

  test('people are put into groups by their buckets', () => {
    const rows = people.slice(0, 300).map((it) => `spring,${it},1`);
    const [found] = read(['campaign,person,converted', ...rows].join('\n'), 0.2);
    const out = people.slice(0, 300).filter((it) => isHeldOut('spring', it, 0.2)).length;
    expect(found?.heldOut).toEqual({ people: out, converted: out });
    expect(found?.reached.people).toBe(300 - out);
  });

  test.each([
    ['', 'the file is empty'],
    ['campaign,group\nx,reached', 'no column converted'],
    ['campaign,group,converted\nsecret,treated,1', 'line 2: group is not as it must be'],
    ['campaign,group,converted\nsecret,reached,2', 'line 2: more converted than'],
    ['campaign,group,converted,credit\nsecret,reached,1,-4', 'line 2: credit is not as it must be'],
    ['campaign,person,converted\nsecret,p1,1', 'say --share'],
    ['campaign,group,converted\nsecret,reached', 'line 2: 2 cells'],
  ])('%j is told what is wrong, and not what stands in it', (text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).not.toThrow('secret');
  });

  test('the command prints lift, credit and the flag', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'holdout-')), 'groups.csv');
    writeFileSync(
      file,
      'campaign,group,people,converted,credit_linear,credit_composite\nspring,reached,9000,540,310.5,150\nspring,held_out,1000,41,,\n',
    );
    const text = await judgeModels(['--holdout', file]);
    expect(text).toMatch(/lift \+0\.01900 \[\+0\.00409, \+0\.03079\] a person/);
    expect(text).toMatch(/^ {2}credit linear +310\.5 {2}FAR ABOVE LIFT$/m);
    expect(text).toMatch(/^ {2}credit composite +150\.0$/m);
  });
});
