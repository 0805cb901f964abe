// What models foretell of people they were not shown, and how many channels a chain should remember.
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeModels } from '../../infra/judge.ts';
import { chooseOrder } from '../../lib/attribution/markov-order.ts';
import { countPaths } from '../../lib/attribution/paths.ts';
import { NothingToForetell, type Prediction, predict } from '../../lib/attribution/prediction.ts';
import { type Journey, journeysReader } from '../../lib/attribution/prediction-file.ts';
import { pathsEnded } from '../../lib/attribution/prediction-paths.ts';
import { aucOf, fitLogistic, lossOf } from '../../lib/attribution/prediction-score.ts';
import { dice } from '../../lib/attribution/shapley.ts';
import { sum } from './a-history.ts';

const counted = fc.array(
  fc.record({ score: fc.integer({ min: -3, max: 3 }), came: fc.nat({ max: 3 }), didNot: fc.nat({ max: 3 }) }),
  { minLength: 1, maxLength: 12 },
);
const columns = (rows: readonly { score: number; came: number; didNot: number }[]) => ({
  scores: rows.map((it) => it.score),
  came: rows.map((it) => it.came),
  didNot: rows.map((it) => it.didNot),
});

describe('AUC', () => {
  test('is the share of pairs that are told right, a tie half', () => {
    fc.assert(
      fc.property(counted, (rows) => {
        let [won, pairs] = [0, 0];
        for (const a of rows)
          for (const b of rows) {
            pairs += a.came * b.didNot;
            won += a.came * b.didNot * (a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0);
          }
        const found = aucOf(columns(rows));
        if (pairs === 0) expect(found).toBeUndefined();
        else expect(found).toBeCloseTo(won / pairs, 12);
      }),
    );
  });
});

describe('the logistic regression', () => {
  test('no other line is more likely', () => {
    fc.assert(
      fc.property(
        counted,
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (rows, a, b) => {
          const list = columns(rows);
          fc.pre(sum(list.came) > 0 && sum(list.didNot) > 0);
          const { intercept, slope } = fitLogistic(list);
          const other = lossOf(list, { intercept: intercept + a, slope: slope + b });
          expect(lossOf(list, { intercept, slope })).toBeLessThanOrEqual(other + 1e-4);
        },
      ),
    );
  });

  test('a feature that tells two rates apart gives just these', () => {
    const { intercept, slope } = fitLogistic({ scores: [10, 20], came: [20, 60], didNot: [80, 40] });
    const p = (x: number) => 1 / (1 + Math.exp(-(intercept + slope * x)));
    expect(p(10)).toBeCloseTo(0.2, 6);
    expect(p(20)).toBeCloseTo(0.6, 6);
  });

  test('stays finite where all are told apart, and where nothing happened', () => {
    const apart = fitLogistic({ scores: [0, 1], came: [0, 9], didNot: [9, 0] });
    expect(Number.isFinite(apart.slope) && apart.slope > 0).toBe(true);
    expect(fitLogistic({ scores: [0, 1], came: [0, 0], didNot: [9, 9] }).slope).toBe(0);
  });
});

const DAYS = 120;
const roles = { pay: 'direct', consult: 'indirect', content: 'latent' } as const;
const effects = { pay: 0.2, consult: 0.1, content: 0.05 };

/** A log whose people convert by what touched them in the days before, or by nothing but chance. */
function aLog(people: number, seed: number, isCaused = true): Journey[] {
  const next = dice(seed);
  const kinds = ['pay', 'consult', 'content', 'content', 'content'] as const;
  const waiting = (rate: number) => -Math.log(1 - next()) / rate;
  return Array.from({ length: people }, () => {
    const touches: Journey['touches'][number][] = [];
    const conversions: number[] = [];
    for (let at = waiting(0.1); at < DAYS; at += waiting(0.1)) {
      const channel = kinds[Math.floor(next() * kinds.length)]!;
      touches.push({ at: 20_000 + at, channel, role: roles[channel] });
      if (!isCaused) continue;
      for (let later = waiting(effects[channel]); at + later < DAYS; later += waiting(effects[channel]))
        if (next() < 2 ** (-later / 2)) conversions.push(20_000 + at + later);
    }
    for (let at = waiting(0.01); at < DAYS; at += waiting(0.01)) conversions.push(20_000 + at);
    return { touches, conversions: conversions.sort((a, b) => a - b) };
  });
}

const byModel = ({ models }: Prediction) => Object.fromEntries(models.map((it) => [it.model, it]));
const quick = { aheadDays: 3, resamples: 60 };

describe('a log of which the truth is known', () => {
  const log = aLog(500, 3);
  const found = predict(log, quick);
  const models = byModel(found);

  test('role and nearness foretell better than a count of touches, by more than chance', () => {
    for (const model of ['time_decay', 'composite_simple', 'learned'] as const) {
      expect(models[model]?.logLoss.verdict).toBe('better');
      expect(models[model]?.misranked.verdict).toBe('better');
    }
    expect(models.composite_simple!.logLoss.error).toBeLessThan(models.time_decay!.logLoss.error);
    expect(models.composite_simple!.logLoss.error).toBeLessThan(found.blindLogLoss);
  });

  test('the half-life that made it is chosen', () => {
    for (const model of ['time_decay', 'composite_simple', 'learned'] as const)
      expect([1, 2, 4]).toContain(models[model]?.halfLifeDays);
    expect(models.linear).not.toHaveProperty('halfLifeDays');
  });

  test('nothing that happens after the cut has a say in what is chosen', () => {
    const changed = log.map(({ touches, conversions }) => ({
      touches,
      conversions: conversions.filter((at, i) => at <= found.cut || i % 2 === 0),
    }));
    const again = predict(changed, quick);
    expect(again.train).toEqual(found.train);
    expect(again.test.converted).toBeLessThan(found.test.converted);
    const chosen = (it: Prediction) => it.models.map(({ model, halfLifeDays }) => [model, halfLifeDays]);
    expect(chosen(again)).toEqual(chosen(found));
  });

  test('nor in what is learned: who was touched early and converts late changes nothing', () => {
    const early = { touches: [{ at: 20_001, channel: 'pay', role: 'direct' as const }] };
    const extra = (conversions: number[]): Journey[] => Array(300).fill({ ...early, conversions });
    const late = Math.ceil(found.cut) + 1;
    expect(predict([...log, ...extra([late, late + 5])], quick)).toEqual(
      predict([...log, ...extra([])], quick),
    );
  });

  test('the two parts do not overlap, and nobody is asked beyond the end', () => {
    const rows = found.train.rows + found.test.rows;
    const instants = Math.floor(DAYS / quick.aheadDays);
    expect(rows).toBeLessThanOrEqual(500 * instants);
    expect(found.from < found.cut && found.cut < found.to).toBe(true);
  });

  test('the same seed gives the same digits', () => {
    expect(predict(log, quick)).toEqual(found);
  });
});

test('where touches cause nothing, no model is called better', () => {
  const verdicts = predict(aLog(500, 4, false), quick).models.flatMap(({ logLoss, misranked }) => [
    logLoss.verdict,
    misranked.verdict,
  ]);
  expect(verdicts).not.toContain('better');
});

test.each([
  ['no time', [{ touches: [{ at: 1, channel: 'a', role: 'direct' }], conversions: [2] }], 'too short'],
  ['no conversion', aLog(20, 1).map((it) => ({ ...it, conversions: [] })), 'end alike'],
] satisfies [string, Journey[], string][])('%s: nothing is foretold', (_, log, message) => {
  expect(() => predict(log, quick)).toThrow(NothingToForetell);
  expect(() => predict(log, quick)).toThrow(message);
});

describe('the file of journeys', () => {
  const read = (text: string, given: [string, 'direct' | 'indirect' | 'latent'][] = []) => {
    const reader = journeysReader(new Map(given));
    for (const line of text.split('\n')) reader.take(line);
    return reader.end();
  };
  const csv =
    'user,ts,kind,channel,role,ref\np1,2026-11-03T08:00:00+08:00,conversion,,,x\np1,2026-11-01T12:00:00Z,touch,wecom,direct,\np2,2026-11-02T00:00:00Z,touch,shop,,';
  const expected = [
    { touches: [{ at: 20_758.5, channel: 'wecom', role: 'direct' }], conversions: [20_760] },
    { touches: [{ at: 20_759, channel: 'shop', role: 'indirect' }], conversions: [] },
  ];

  test('is CSV or NDJSON, in any order, and roles may be given by channel', () => {
    expect(read(csv, [['shop', 'indirect']])).toEqual(expected);
    const json = [
      { person: 'p1', conversions: ['2026-11-03T00:00:00Z'] },
      { person: 'p2', touches: [{ at: '2026-11-02T00:00:00Z', channel: 'shop', role: 'indirect' }] },
      { person: 'p1', touches: [{ at: '2026-11-01T12:00:00.000Z', channel: 'wecom', role: 'direct' }] },
    ];
    const found = read(json.map((it) => JSON.stringify(it)).join('\n'));
    expect(found).toEqual(expected);
  });

  test.each([
    ['', 'no journeys'],
    ['a,b\n1,2', 'names no column person, at, kind, channel'],
    ['person,at,kind,channel\nsecret,yesterday,touch,a', 'line 2: at is not as it must be'],
    ['person,at,kind,channel\nsecret,2026-11-01T00:00:00Z,seen,a', 'line 2: kind is not as it must be'],
    ['{"person":"secret"', 'line 1: not a line of JSON'],
    ['{"person":"secret","touches":[{"at":"x"}]}', 'line 1: touches.0.at is not as it must be'],
  ])('%j is told what is wrong, and not what stands in it', (text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).not.toThrow('secret');
  });
});

describe('the paths of a log', () => {
  const touch = (at: number, channel: string) => ({ at, channel, role: 'latent' as const });
  const log: Journey[] = [
    { touches: [touch(1, 'a'), touch(5, 'b'), touch(12, 'c'), touch(70, 'd')], conversions: [5, 50] },
    { touches: [touch(2, 'e')], conversions: [] },
    { touches: [touch(95, 'f')], conversions: [] },
    { touches: [], conversions: [60] },
  ];
  const told = (from: number, to: number) => {
    const { channels, steps, starts, conversions, nulls, unattributed } = pathsEnded(log, {
      from,
      to,
      lookBackDays: 30,
    });
    const paths = Array.from(conversions, (it, i) => {
      const path = Array.from(steps.subarray(starts[i], starts[i + 1]), (step) => channels[step]);
      return `${path.join('>')} ${it}:${nulls[i]}`;
    });
    return [...paths, `nobody ${unattributed.conversions}`];
  };

  test('end in a conversion, or a look-back after their last touch; what may yet convert is left out', () => {
    // `c` is 38 days old at 50 and no part of that conversion; `f` is too young.
    expect(told(-Infinity, 100)).toEqual(['a>b 1:0', 'd 0:1', 'e 0:1', 'nobody 2']);
  });

  test('belong to one part of a log that is cut', () => {
    expect(told(-Infinity, 40)).toEqual(['a>b 1:0', 'e 0:1', 'nobody 0']);
    expect(told(40, 100)).toEqual(['d 0:1', 'nobody 2']);
  });
});

describe('the order of a Markov chain', () => {
  /** In which `b` converts after `a` and not after `c`: one channel back is not enough to tell. */
  const remembering = (times: number) =>
    countPaths([
      [['a', 'b'], { conversions: 9 * times, value: 0, nulls: times }],
      [['c', 'b'], { conversions: times, value: 0, nulls: 9 * times }],
      [['b', 'c'], { conversions: 2 * times, value: 0, nulls: 3 * times }],
    ]);

  test('is what tells held-out paths apart', () => {
    const { order, tried } = chooseOrder(remembering(20), remembering(3));
    expect(order).toBe(2);
    expect(tried[1]?.auc).toBeGreaterThan(tried[0]!.auc! + 0.1);
  });

  test('is 1 where remembering more tells nothing more', () => {
    const alike = countPaths([
      [['a', 'b'], { conversions: 90, value: 0, nulls: 10 }],
      [['b', 'a'], { conversions: 10, value: 0, nulls: 90 }],
    ]);
    expect(chooseOrder(alike, alike).order).toBe(1);
  });

  test('is 1 where nothing is told better than by chance, or held-out paths all end alike', () => {
    const reversed = countPaths([
      [['a', 'b'], { conversions: 1, value: 0, nulls: 9 }],
      [['c', 'b'], { conversions: 9, value: 0, nulls: 1 }],
    ]);
    expect(chooseOrder(remembering(20), reversed).order).toBe(1);
    const all = chooseOrder(
      remembering(20),
      countPaths([[['a', 'b'], { conversions: 5, value: 0, nulls: 0 }]]),
    );
    expect(all.order).toBe(1);
    expect(all.tried.every(({ auc }) => auc === undefined)).toBe(true);
  });

  test('is 1 where the others are nearer to chance, and no better', () => {
    const heldOut = countPaths([
      [['b', 'c'], { conversions: 9, value: 0, nulls: 1 }],
      [['a', 'b'], { conversions: 1, value: 0, nulls: 9 }],
      [['c', 'b'], { conversions: 0, value: 0, nulls: 5 }],
    ]);
    const { order, tried } = chooseOrder(remembering(20), heldOut);
    expect([tried[0]?.auc, tried[1]?.auc]).toEqual([12.5 / 150, 60 / 150]);
    expect(order).toBe(1);
  });

  test('is refused with fewer than 10 observations a state', () => {
    const { order, tried } = chooseOrder(remembering(1), remembering(3));
    expect(tried[0]).not.toHaveProperty('refused'); // 3 states, 50 observations
    expect(tried[1]?.refused).toContain('fewer than 10');
    expect(order).toBe(1);
  });

  test('channels may have other numbers in the held-out paths, and others may be among them', () => {
    const other = countPaths([
      [['z', 'b'], { conversions: 1, value: 0, nulls: 1 }],
      [['c', 'b'], { conversions: 3, value: 0, nulls: 27 }],
      [['a', 'b'], { conversions: 27, value: 0, nulls: 3 }],
    ]);
    expect(chooseOrder(remembering(20), other).tried[1]?.auc).toBeGreaterThan(0.85);
  });
});

const households = resolve(
  import.meta.dirname,
  '../../../shared/reference/completejourney/events_unified.csv.gz',
);
const hasHouseholds = existsSync(households);

describe.skipIf(!hasHouseholds)(
  `a retailer’s households${hasHouseholds ? '' : ' (skipped: the reference data is not here)'}`,
  () => {
    test('are read whole and judged, with a verdict for every model', () => {
      const reader = journeysReader(new Map([['coupon_redeem', 'direct']]));
      for (const line of gunzipSync(readFileSync(households)).toString().split('\n')) reader.take(line);
      const journeys = reader.end();
      expect(sum(journeys.map(({ touches }) => touches.length))).toBe(7_737);
      expect(sum(journeys.map(({ conversions }) => conversions.length))).toBe(47_243);
      const { models } = predict(journeys, { aheadDays: 14, resamples: 40 });
      for (const { logLoss, misranked } of models)
        for (const { error, interval } of [logLoss, misranked]) {
          expect(error > 0 && error < 1).toBe(true);
          expect(interval[0]).toBeLessThanOrEqual(interval[1]);
        }
    });
  },
);

test('the command prints what models foretell, and the order of the chain', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'log-')), 'log.ndjson');
  const time = (at: number) => new Date(Math.round(at * 86_400_000)).toISOString();
  const lines = aLog(120, 5).map(({ touches, conversions }) =>
    JSON.stringify({
      touches: touches.map((it) => ({ ...it, at: time(it.at) })),
      conversions: conversions.map(time),
    }),
  );
  writeFileSync(file, lines.join('\n'));
  const text = await judgeModels(['--log', file, '--ahead', '3']);
  expect(text).toMatch(/^Who converts within 3 days: 120 people$/m);
  expect(text).toMatch(/^learned +[\d.]+ d +0\.\d{5}/m);
  expect(text).toMatch(/^Markov: order \d/m);
});
