// Removal effects against published exact results, and the facts that hold for every file of paths.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  lossesEach,
  lossesOnce,
  type MarkovCredits,
  type MarkovSettings,
  markov,
  orders,
} from '../../lib/attribution/markov.ts';
import { chainOf, OrderRefused, visits } from '../../lib/attribution/markov-chain.ts';
import { visitsOnce } from '../../lib/attribution/markov-inverse.ts';
import { type CountedPaths, countPaths, totalsOf } from '../../lib/attribution/paths.ts';
import {
  aPaths,
  byChannel,
  dp6,
  hasPathData,
  pathData,
  published,
  type Row,
  someRows,
  totalOf,
  withoutPathData,
} from './a-paths.ts';

/** Small samples are refused otherwise. */
const small = { leastPerState: 0 };
const effects = ({ channels }: MarkovCredits) => channels.map(({ effect }) => effect.conversions);
const effectsOf = (rows: readonly Row[], settings: MarkovSettings = {}) =>
  new Map(
    markov(countPaths(rows), { ...small, ...settings }).channels.map(({ channel, effect }) => [
      channel,
      effect,
    ]),
  );
const order = fc.constantFrom(...orders);

/** The same effects by channel, whatever their order. */
function expectSame(one: ReturnType<typeof effectsOf>, other: ReturnType<typeof effectsOf>) {
  expect([...one.keys()].sort()).toEqual([...other.keys()].sort());
  for (const [channel, effect] of one) {
    expect(effect.conversions).toBeCloseTo(other.get(channel)!.conversions, 10);
    expect(effect.value).toBeCloseTo(other.get(channel)!.value, 10);
  }
}

describe.skipIf(!hasPathData)(`ChannelAttribution’s 10,000 paths${withoutPathData}`, () => {
  const paths = hasPathData ? pathData() : aPaths({});

  test.each([
    [1, 'exact_order1_collapsed.csv', 12],
    [2, 'exact_order2_collapsed.csv', 120],
  ] as const)('order %i equals the exact results, conversions and value', (order, file, states) => {
    const found = markov(paths, { order });
    const expected = published(file);
    expect(found.states).toBe(states);
    expect(found.channels).toHaveLength(expected.size);
    for (const { channel, effect, conversions, value } of found.channels)
      for (const [i, it] of [effect.conversions, effect.value, conversions, value].entries())
        expect(Math.abs(it - expected.get(channel)![i]!)).toBeLessThan(1e-9);
  });

  test.each(orders)('order %i: paths convert at the rate of the file, and are worth as much', (order) => {
    const found = markov(paths, { order });
    expect(found.rate).toBeCloseTo(19_785 / 88_387, 13);
    expect(found.valuePerPath).toBeCloseTo(0.846_311_919_028_9, 12);
    expect(totalOf(found.channels)).toBeCloseTo(19_785, 8);
    expect(totalOf(found.channels, 'value')).toBeCloseTo(74_802.971_59, 5);
    expect(found.flags).toEqual([]);
  });

  test('the moves of the chain are those that the package prints', () => {
    const chain = chainOf(paths, 1, 'drop');
    const all = chain.start.reduce((sum, it) => sum + it, 0);
    const alpha = chain.members.indexOf(paths.channels.indexOf('alpha'));
    expect(chain.start[alpha]! / all).toBeCloseTo(0.326_360_211_3, 10);
    expect(chain.conversions[alpha]! / chain.seen[alpha]!).toBeCloseTo(0.149_150_686_9, 10);
  });
});

describe('samples that others published', () => {
  test('DP6: removal effects and credits', () => {
    const found = markov(dp6(), small);
    expect(effects(found).map((it) => it.toFixed(10))).toEqual([
      '0.6666666667',
      '0.5333333333',
      '0.4912280702',
    ]);
    expect(byChannel(found.channels, 'value')).toEqual({ A: 10.643153527, B: 8.514522822, C: 7.842323651 });
    expect(found.flags).toEqual(['no_null_paths']);
  });

  test('mta: the moves of a>b 3 and 1 null, a>c 1 and 1 null', () => {
    const chain = chainOf(aPaths({ 'a>b': [3, 0, 1], 'a>c': [1, 0, 1] }), 1, 'keep');
    expect([...chain.moves].map((it, i) => [chain.to[i], it / chain.seen[0]!])).toEqual([
      [1, 2 / 3],
      [2, 1 / 3],
    ]);
    expect([...chain.conversions].map((it, s) => it / chain.seen[s]!)).toEqual([0, 3 / 4, 1 / 2]);
  });
});

describe('facts of every order', () => {
  test('paths convert at the rate that was counted', () => {
    fc.assert(
      fc.property(someRows, order, (rows, order) => {
        const paths = countPaths(rows);
        const { conversions, value, nulls } = totalsOf(paths);
        const found = markov(paths, { ...small, order });
        const all = conversions + nulls;
        expect(found.rate).toBeCloseTo(all > 0 ? conversions / all : 0, 12);
        expect(found.valuePerPath).toBeCloseTo(all > 0 ? value / all : 0, 9);
        expect(totalOf(found.channels)).toBeCloseTo(conversions, 9);
        expect(totalOf(found.channels, 'value')).toBeCloseTo(value, 7);
      }),
    );
  });

  test('an effect is between 0 and 1, and all of them at least 1 together', () => {
    fc.assert(
      fc.property(someRows, order, (rows, order) => {
        const paths = countPaths(rows);
        const found = effects(markov(paths, { ...small, order }));
        for (const effect of found) expect(effect >= 0 && effect <= 1).toBe(true);
        if (totalsOf(paths).conversions > 0)
          expect(found.reduce((sum, it) => sum + it, 0)).toBeGreaterThan(1 - 1e-12);
      }),
    );
  });

  test('an effect is 1 where every route of the chain to a conversion leads through the channel, and only there', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const paths = countPaths(rows);
        if (totalsOf(paths).conversions === 0) return;
        for (const [c, effect] of effects(markov(paths, small)).entries())
          expect(effect > 1 - 1e-9).toBe(!convertsWithout(c, paths));
      }),
    );
  });

  test('names, the order of rows and how a path is split into rows do not matter', () => {
    fc.assert(
      fc.property(someRows, order, fc.infiniteStream(fc.nat()), (rows, order, dice) => {
        const once = effectsOf(rows, { order });
        const shuffled = rows
          .map((row) => [dice.next().value, row] as const)
          .sort(([a], [b]) => a - b)
          .map(([, row]) => row);
        expectSame(effectsOf(shuffled, { order }), once);
        const halves = rows.flatMap(([path, { conversions, value, nulls }]): Row[] => [
          [path, { conversions: conversions / 2, value: value / 2, nulls: nulls / 2 }],
          [path, { conversions: conversions / 2, value: value / 2, nulls: nulls / 2 }],
        ]);
        expectSame(effectsOf(halves, { order }), once);
        const renamed = effectsOf(
          rows.map(([path, counts]) => [path.map((it) => `the ${it}`), counts]),
          { order },
        );
        expectSame(new Map([...renamed].map(([name, effect]) => [name.slice(4), effect])), once);
      }),
    );
  });

  test('a run of one channel may be longer than the order or not: its effect is the same', () => {
    fc.assert(
      fc.property(someRows, order, fc.nat({ max: 3 }), (rows, order, more) => {
        const runs = (length: number): Row[] =>
          rows.map(([path, counts]) => [path.flatMap((it) => Array<string>(length).fill(it)), counts]);
        expectSame(effectsOf(runs(order), { order }), effectsOf(runs(order + more), { order }));
      }),
    );
  });

  test('in order 1, repeats change nothing, kept or dropped', () => {
    fc.assert(
      fc.property(someRows, (rows) =>
        expectSame(effectsOf(rows, { repeats: 'keep' }), effectsOf(rows, { repeats: 'drop' })),
      ),
    );
  });

  test('one inverse and one walk for each channel find the same', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const paths = countPaths(rows);
        const chain = chainOf(paths, 1, 'keep');
        if (chain.states === 0) return;
        const present = Uint8Array.from(paths.channels, (_, c) => Number(chain.members.includes(c)));
        const [once, each] = [lossesOnce(chain, present.length), lossesEach(chain, present)];
        for (const c of present.keys()) {
          expect(once.conversions[c]).toBeCloseTo(each.conversions[c]!, 11);
          expect(once.value[c]).toBeCloseTo(each.value[c]!, 11);
        }
      }),
    );
  });

  test('with an order beyond the longest path, a path is one state: the effect is the share that has the channel', () => {
    const paths = aPaths({ 'a>b': [2, 0, 1], b: [3, 0, 5], 'a>c>b': [1, 0, 0] });
    expect(effects(markov(paths, { ...small, order: 4 }))).toEqual([3 / 6, 1, 1 / 6]);
  });
});

/** Whether some way along moves that were made leads to a conversion and not through the channel. */
function convertsWithout(channel: number, paths: CountedPaths): boolean {
  const { states, members, start, conversions, first, to } = chainOf(paths, 1, 'keep');
  const seen = new Set<number>();
  const waiting = Array.from({ length: states }, (_, s) => s).filter((s) => start[s]! > 0);
  for (let s = waiting.pop(); s !== undefined; s = waiting.pop()) {
    if (members[s] === channel || seen.has(s)) continue;
    seen.add(s);
    if (conversions[s]! > 0) return true;
    waiting.push(...to.subarray(first[s], first[s + 1]));
  }
  return false;
}

describe('what cannot be said is not said', () => {
  test('without null paths the effect is the share of paths on whose way the channel is, and says so', () => {
    const found = markov(aPaths({ 'a>b': [1], c: [3] }), small);
    expect(effects(found)).toEqual([1 / 4, 1 / 4, 3 / 4]);
    expect(found.flags).toEqual(['no_null_paths']);
  });

  test('without conversions all is 0, and says so', () => {
    const found = markov(aPaths({ 'a>b': [0, 0, 4] }), small);
    expect(byChannel(found.channels)).toEqual({});
    expect(found.flags).toEqual(['no_conversions']);
  });

  test('a channel of paths that were never counted is listed with 0', () => {
    const found = markov(aPaths({ a: [3, 9, 1], 'b>a': [0, 0, 0] }), small);
    expect(found.channels.map(({ channel, conversions }) => [channel, conversions])).toEqual([
      ['a', 3],
      ['b', 0],
    ]);
  });

  test('an order with fewer than ten observations a state is refused, and a lower one is not', () => {
    const paths = aPaths({ 'a>b': [9, 0, 9], 'b>a': [1, 0, 1] });
    expect(() => markov(paths, { order: 2 })).not.toThrow();
    expect(() => markov(aPaths({ 'a>b': [9, 0, 9], 'b>a': [0, 0, 1] }), { order: 2 })).toThrow(OrderRefused);
  });

  test('no paths at all', () => {
    expect(markov(aPaths({}))).toMatchObject({ states: 0, rate: 0, channels: [] });
  });

  test('paths that never end are an error, by either way', () => {
    const chain = chainOf(aPaths({ 'a>b>a': [1, 0, 1] }), 1, 'keep');
    const trapped = { ...chain, moves: chain.moves.map((_, i) => chain.seen[i]!) };
    expect(() => visits(trapped, new Uint8Array(2))).toThrow('do not end');
    expect(() => visitsOnce(trapped)).toThrow('do not end');
  });

  test('more channels than an order can tell apart are refused', () => {
    const many = countPaths([
      [Array.from({ length: 10_000 }, (_, i) => `c${i}`), { conversions: 1, value: 0, nulls: 1 }],
    ]);
    expect(() => markov(many, { ...small, order: 4 })).toThrow('take a lower one');
  });
});
