// Shapley values of games whose values are known, and of paths against what others published.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CountedPaths, type Counts, countPaths, totalsOf } from '../../lib/attribution/paths.ts';
import {
  closeUpwards,
  type Sampling,
  sampledShapley,
  shapley,
  sumUpwards,
} from '../../lib/attribution/shapley.ts';
import { bestAlong, worthAlong } from '../../lib/attribution/shapley-along.ts';
import { coalitionsOf, partsOf } from '../../lib/attribution/shapley-coalitions.ts';
import { shapleyAdditive, shapleyOrdered } from '../../lib/attribution/shapley-paths.ts';
import { shapleyRate, shareByWorth } from '../../lib/attribution/shapley-rate.ts';
import {
  aPaths,
  byChannel,
  dp6,
  hasPathData,
  pathData,
  someRows,
  totalOf,
  withoutPathData,
} from './a-paths.ts';

/** What each coalition of a game is worth, by bits. */
const table = (players: number, worth: (members: number[]) => number): Float64Array =>
  Float64Array.from({ length: 2 ** players }, (_, bits) => worth(membersOf(bits)));

const membersOf = (bits: number): number[] =>
  Array.from({ length: 32 }, (_, i) => i).filter((i) => (bits >>> i) & 1);

/** The same game as sampling sees it: one order at a time. */
const along = (worth: Float64Array) => (order: Uint32Array) => {
  let bits = 0;
  const joined = Array.from(order, (player) => {
    bits |= 1 << player;
    return worth[bits]!;
  });
  return [worth[0]!, ...joined];
};

const sampling: Sampling = { seed: 7, tolerance: 0.001, mostPermutations: 200_000 };

/** 5 permanent members with 7 votes, 10 others with 1; 39 votes carry a motion. */
const council = table(15, (members) =>
  Number(members.reduce((votes, it) => votes + (it < 5 ? 7 : 1), 0) >= 39),
);

const games = [
  ['airport', table(3, (members) => Math.max(0, ...members.map((it) => it + 1))), [1 / 3, 5 / 6, 11 / 6]],
  ['gloves', table(3, (members) => Number(members.includes(0) && members.length > 1)), [2 / 3, 1 / 6, 1 / 6]],
  ['UN Security Council', council, [...Array(5).fill(421 / 2145), ...Array(10).fill(4 / 2145)]],
] as const;

describe('classical games', () => {
  test.each(games)('%s, exactly', (_, worth, expected) => {
    for (const [i, value] of shapley(worth).entries()) expect(value).toBeCloseTo(expected[i]!, 12);
  });

  test.each(games)('%s, sampled: as near as the error says', (_, worth, expected) => {
    const { values, standardErrors, permutations } = sampledShapley(expected.length, along(worth), sampling);
    expect(permutations).toBeLessThan(sampling.mostPermutations);
    expect(Math.max(...standardErrors)).toBeLessThanOrEqual(sampling.tolerance);
    for (const [i, value] of values.entries())
      expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(4 * standardErrors[i]! + 1e-12);
  });
});

const game = fc
  .integer({ min: 1, max: 6 })
  .chain((players) =>
    fc.tuple(
      ...Array.from({ length: 2 }, () =>
        fc.float64Array({ minLength: 2 ** players, maxLength: 2 ** players, min: -9, max: 9, noNaN: true }),
      ),
    ),
  );

const sum = (list: Iterable<number>) => [...list].reduce((total, it) => total + it, 0);

describe('facts of every game', () => {
  test('efficiency and additivity', () => {
    fc.assert(
      fc.property(game, ([one, other]) => {
        const values = shapley(one!);
        expect(sum(values)).toBeCloseTo(one!.at(-1)! - one![0]!, 10);
        const both = shapley(one!.map((it, bits) => it + other![bits]!));
        const parts = shapley(other!);
        for (const [i, it] of both.entries()) expect(it).toBeCloseTo(values[i]! + parts[i]!, 10);
      }),
    );
  });

  test('symmetry: players who bring the same to every coalition have the same; who brings nothing has nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 6 }), (votes) => {
        const worth = table(votes.length, (members) => sum(members.map((it) => votes[it]!)) ** 2);
        const values = shapley(worth);
        for (const [i, it] of values.entries()) {
          if (votes[i] === 0) expect(it).toBeCloseTo(0, 10);
          for (const [j, other] of values.entries())
            if (votes[i] === votes[j]) expect(it).toBeCloseTo(other, 10);
        }
      }),
    );
  });

  test('what the players of sampled orders bring adds up to the whole', () => {
    fc.assert(
      fc.property(game, fc.nat(), ([worth], seed) => {
        const players = Math.log2(worth!.length);
        const { values } = sampledShapley(players, along(worth!), {
          seed,
          tolerance: 0,
          mostPermutations: 6,
        });
        expect(sum(values)).toBeCloseTo(worth!.at(-1)! - worth![0]!, 9);
      }),
    );
  });

  test('the same seed gives the same sample', () => {
    const sample = (seed: number) =>
      sampledShapley(15, along(council), { seed, tolerance: 0, mostPermutations: 100 }).values;
    expect(sample(3)).toEqual(sample(3));
    expect(sample(4)).not.toEqual(sample(3));
  });

  test('upwards: a coalition has the best, or the sum, of what is part of it', () => {
    fc.assert(
      fc.property(game, ([own]) => {
        const [best, all] = [closeUpwards(own!.slice()), sumUpwards(own!.slice())];
        for (const bits of own!.keys()) {
          const parts = [...own!.keys()].filter((part) => (part & bits) === part).map((part) => own![part]!);
          expect(best[bits] === Math.max(...parts)).toBe(true); // 0 and -0 alike
          expect(Math.abs(all[bits]! - sum(parts))).toBeLessThanOrEqual(1e-12 * sum(parts.map(Math.abs)));
        }
      }),
    );
  });

  test('a game of half its coalitions, or of too many players, is refused', () => {
    expect(() => shapley([0, 1, 2])).toThrow(RangeError);
    expect(() => shapley({ length: 2 ** 25 })).toThrow(RangeError);
  });
});

describe('additive', () => {
  test('mta: a has 7 and b 3 of a: 4 and a>b: 6; four channels share ten equally', () => {
    expect(byChannel(shapleyAdditive(aPaths({ a: [4], 'a>b': [6] })))).toEqual({ a: 7, b: 3 });
    expect(byChannel(shapleyAdditive(aPaths({ 'a>b>c>d': [10] })))).toEqual({
      a: 2.5,
      b: 2.5,
      c: 2.5,
      d: 2.5,
    });
  });

  test.skipIf(!hasPathData)(`mta: the published digits of the 10,000 paths${withoutPathData}`, () => {
    expect(byChannel(shapleyAdditive(pathData()), 'conversions', 6)).toMatchObject({
      alpha: 7627.944048,
      eta: 3613.655952,
      iota: 3505.044048,
      beta: 1982.739286,
      theta: 1190.963095,
      lambda: 987.782143,
    });
  });

  test('it is the Shapley value of the game in which a coalition has the paths that need nobody else', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const paths = countPaths(rows);
        const own = new Float64Array(2 ** paths.channels.length);
        for (const [path, { conversions }] of rows)
          own[sum(new Set(path.map((it) => 1 << paths.channels.indexOf(it))))]! += conversions;
        const values = shapley(sumUpwards(own));
        for (const [c, { conversions }] of shapleyAdditive(paths).entries())
          expect(conversions).toBeCloseTo(values[c]!, 9);
      }),
    );
  });
});

describe('ordered', () => {
  test('Zhao et al.: by channel and place', () => {
    const paths = aPaths({ '1>2>1': [1], '2': [1], '1>2': [1], '3>1>2>1>3': [1], '2>2>3': [1] });
    const places = shapleyOrdered(paths).map(({ channel, positions }) => [
      channel,
      positions.map(({ conversions }) => Number(conversions.toFixed(6))),
    ]);
    expect(Object.fromEntries(places)).toEqual({
      1: [0.75, 0.166667, 0.25, 0.166667, 0],
      2: [1.25, 1.25, 0.333333, 0, 0],
      3: [0.166667, 0, 0.5, 0, 0.166667],
    });
  });

  test('all places of a channel add up to its additive credit', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        for (const { conversions, value, positions } of shapleyOrdered(countPaths(rows))) {
          expect(sum(positions.map((it) => it.conversions))).toBeCloseTo(conversions, 9);
          expect(sum(positions.map((it) => it.value))).toBeCloseTo(value, 7);
        }
      }),
    );
  });
});

/** As DP6 has it: no prior, nothing made monotone. */
const plain = { prior: 0, isMonotone: false };

describe('rate-based', () => {
  test('DP6: rates of sets, and of sequences', () => {
    expect(byChannel(shapleyRate(dp6(), plain).channels, 'value')).toEqual({ A: 13.5, B: 7.5, C: 6 });
    const sequences = shapleyRate(dp6(), { ...plain, by: 'sequence' }).channels;
    expect(byChannel(sequences, 'value')).toEqual({ A: 13, B: 8.5, C: 5.5 });
  });

  test('DP6: worth by value', () => {
    const worth = { nobody: 0, unseen: 0, of: (it: { value: number }) => it.value };
    expect(byChannel(shareByWorth(dp6(), plain, worth).channels, 'value')).toEqual({ A: 12, B: 9, C: 6 });
  });

  test('a channel alone earns all; of two, the one whose rate is higher earns more', () => {
    const paths = aPaths({ a: [100, 0, 900], b: [300, 0, 700], 'a>b': [400, 0, 600] });
    const p = 800 / 3000;
    const rate = (conversions: number) => (conversions + 20 * p) / 1020;
    const a = (rate(100) + rate(400) - rate(300)) / 2 / rate(400);
    expect(byChannel(shapleyRate(paths).channels)).toEqual(
      byChannel([
        { channel: 'a', conversions: 100 + 400 * a, value: 0 },
        { channel: 'b', conversions: 300 + 400 * (1 - a), value: 0 },
      ]),
    );
  });

  test('what converts without any touch is the rate of nobody, and no channel’s merit', () => {
    const rows = { a: [100, 0, 900], b: [300, 0, 700], 'a>b': [400, 0, 600] } as const;
    const share = (paths: CountedPaths) => byChannel(shapleyRate(paths, { prior: 0 }).channels).b!;
    // Nobody converts at 0.1: a adds 0 to that alone and 0.1 to b, b adds 0.2 alone and 0.3 to a.
    expect(share(aPaths({ ...rows, '': [10, 0, 90] }))).toBeCloseTo(300 + (400 * 0.25) / 0.3, 9);
    expect(share(aPaths({ ...rows, '': [10, 0, 90] }))).toBeGreaterThan(share(aPaths(rows)));
  });

  test('everything earned is shared, nobody below 0, exactly or sampled', () => {
    const by = fc.constantFrom('set' as const, 'sequence' as const);
    fc.assert(
      fc.property(someRows, fc.boolean(), fc.boolean(), by, (rows, isMonotone, isExact, by) => {
        const paths = countPaths(rows);
        const sampling = { mostExact: isExact ? 14 : 1, mostPermutations: 8 };
        const { channels } = shapleyRate(paths, { isMonotone, by, sampling });
        const totals = totalsOf(paths);
        expect(totalOf(channels)).toBeCloseTo(totals.conversions, 9);
        expect(totalOf(channels, 'value')).toBeCloseTo(totals.value, 7);
        for (const { conversions } of channels) expect(conversions).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('sampled orders see the same worth as the table of all coalitions: their credits agree within the error', () => {
    fc.assert(
      fc.property(someRows, fc.boolean(), fc.constantFrom(0, 20), (rows, isMonotone, prior) => {
        const paths = countPaths(rows);
        const exact = shapleyRate(paths, { isMonotone, prior });
        const sampling = { mostExact: 0, tolerance: 0.002, mostPermutations: 40_000 };
        const sampled = shapleyRate(paths, { isMonotone, prior, sampling });
        expect(sampled.sampled).toBe(exact.coalitions);
        // Where values are cut at 0 their errors are, too: only games without cuts are told how far off they may be.
        if (!isMonotone) return;
        for (const [c, { conversions, standardError }] of sampled.channels.entries())
          expect(Math.abs(conversions - exact.channels[c]!.conversions)).toBeLessThanOrEqual(
            5 * standardError.conversions + 1e-9,
          );
      }),
      { numRuns: 25, seed: 11 },
    );
  });

  test('along any order there is what the table of all coalitions has', () => {
    fc.assert(
      fc.property(
        someRows,
        fc.infiniteStream(fc.nat()),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (rows, dice, unseen) => {
          const paths = countPaths(rows);
          const coalitions = coalitionsOf(paths, 'set');
          const members = [...paths.channels.keys()];
          const worth = {
            nobody: 0.1,
            unseen,
            of: (it: Counts) => it.conversions / (it.conversions + it.nulls),
          };
          const own = Float64Array.from(partsOf(members, coalitions), (part, bits) =>
            bits === 0 ? worth.nobody : part ? worth.of(part) : unseen,
          );
          const order = Uint32Array.from(
            members.map((it) => [dice.next().value, it] as const).sort(([a], [b]) => a - b),
            ([, it]) => it,
          );
          expect([...worthAlong(members, coalitions, worth)(order)]).toEqual(along(own)(order));
          expect([...bestAlong(members, coalitions, worth)(order)]).toEqual(along(closeUpwards(own))(order));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a path of twenty channels is sampled, and the result says how far off it may be', () => {
    const names = Array.from({ length: 20 }, (_, i) => `c${i}`);
    const single = names.map((name, i) => [[name], { conversions: i, value: 0, nulls: 100 - i }] as const);
    const paths = countPaths([...single, [names, { conversions: 50, value: 1000, nulls: 0 }]]);
    const { sampled, channels } = shapleyRate(paths);
    expect(sampled).toBe(1);
    expect(totalOf(channels)).toBeCloseTo(190 + 50, 9);
    expect(channels[19]!.standardError.conversions).toBeGreaterThan(0);
    expect(channels[19]!.standardError.conversions).toBeLessThanOrEqual(50 * 0.01 + 1e-9);
  });

  test('paths without contrast say so; channels that add nothing share equally, and that is said', () => {
    expect(shapleyRate(dp6()).flags).toEqual(['no_null_paths']);
    const idle = shapleyRate(aPaths({ 'a>b': [1, 0, 9], '': [5, 0, 5] }), { prior: 0 });
    expect(byChannel(idle.channels)).toEqual({ a: 0.5, b: 0.5 });
    expect(idle.flags).toEqual(['equal_fallback']);
  });
});
