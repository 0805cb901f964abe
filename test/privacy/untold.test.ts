// Scope: what of numbers that add up is not told: no sum and no difference of the others may tell it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { role } from '../../lib/platform/brand-words.ts';
import { groupSizesFor, kOf, may } from '../../lib/privacy/roles.ts';
import { toldSizes } from '../../lib/privacy/suppress.ts';
import { untold } from '../../lib/privacy/untold.ts';
import { emptyEffect } from '../../lib/tags/effect.ts';
import { showEffect, showEnd } from '../../lib/tags/effect-shown.ts';
import type { EffectTally } from '../../lib/tags/effect-tally.ts';
import { emptyTally } from '../../lib/tags/forecast.ts';
import { sampleOf, showForecast } from '../../lib/tags/forecast-shown.ts';
import type { Tally } from '../../lib/tags/forecast-tally.ts';

const K = 10;

/**
 * The unknowns that linear equations determine, by elimination over fractions. Each equation is its unknowns with their
 * factors: what is told moved to the other side, where its value does not matter.
 */
function determined(equations: readonly ReadonlyMap<string, number>[]): string[] {
  const names = [...new Set(equations.flatMap((it) => [...it.keys()]))];
  const rows = equations
    .map((it) => names.map((name) => it.get(name) ?? 0))
    .filter((row) => row.some(Boolean));
  const pivots: number[][] = [];
  for (let column = 0; column < names.length; column++) {
    const at = rows.findIndex((row) => row[column] !== 0 && row.slice(0, column).every((it) => it === 0));
    const found = rows.find((row) => Math.abs(row[column] ?? 0) > 1e-9 && !pivots.includes(row));
    if (at < 0 && !found) continue;
    const pivot = found ?? rows[at];
    if (!pivot) continue;
    pivots.push(pivot);
    const head = pivot[column] ?? 1;
    for (const [i, it] of pivot.entries()) pivot[i] = it / head;
    for (const row of rows) {
      const factor = row[column] ?? 0;
      if (row === pivot || Math.abs(factor) < 1e-9) continue;
      for (const [i, it] of pivot.entries()) row[i] = (row[i] ?? 0) - factor * it;
    }
  }
  return pivots.flatMap((row) => {
    const left = row.flatMap((it, i) => (Math.abs(it) > 1e-9 ? [names[i] ?? ''] : []));
    return left.length === 1 ? left : [];
  });
}

/** Σ of the first = Σ of the second, without what is told. */
const equation = (
  one: readonly string[],
  other: readonly string[],
  isTold: (name: string) => boolean,
): Map<string, number> => {
  const factors = new Map<string, number>();
  for (const [side, sign] of [[one, 1] as const, [other, -1] as const])
    for (const name of side) if (!isTold(name)) factors.set(name, (factors.get(name) ?? 0) + sign);
  return factors;
};

describe('of numbers that add up', () => {
  test.each([
    [{ all: 100, a: 93, b: 7 }, [['all', 'a', 'b']], [], ['a', 'b']],
    [{ all: 100, a: 93, b: 7 }, [['all', 'a', 'b']], ['all', 'a'], ['b']],
    [{ all: 100, a: 90, b: 6, c: 4 }, [['all', 'a', 'b', 'c']], [], ['b', 'c']],
    [{ all: 100, a: 92, b: 5, c: 3 }, [['all', 'a', 'b', 'c']], [], ['a', 'b', 'c']],
    [{ all: 100, a: 50, b: 50 }, [['all', 'a', 'b']], [], []],
  ])('%j, tied by %j, of which %j are known: %j are not told', (sizes, ties, known, names) => {
    expect([...untold(sizes, ties, K, new Set(known))].sort()).toEqual(names);
  });

  test('nothing is guarded where one person may be told of', () => {
    expect([...untold({ all: 3, a: 2, b: 1 }, [['all', 'a', 'b']], 1)]).toEqual([]);
    expect(toldSizes({ a: 2, b: 1 }, 1)).toEqual({ profiles: 3, values: { a: 2, b: 1 } });
    expect(toldSizes({ a: 50, b: 7 }, K)).toEqual({ profiles: 57, values: { a: '<10', b: '<10' } });
  });
});

const few = fc.oneof(fc.nat(14), fc.nat(120));
const day = fc.record({ entered: few, left: few });

/** A tally that can be: days that follow from each other, overlaps within both. */
const aTally: fc.Arbitrary<Tally> = fc
  .record({
    kept: fc.dictionary(fc.constantFrom('gold', 'silver', 'true'), few, { minKeys: 1, maxKeys: 3 }),
    ...{ enter: few, leave: few, change: fc.nat(20), first: few, days: fc.array(day, { maxLength: 4 }) },
    others: fc.dictionary(fc.constantFrom('x', 'y'), fc.tuple(few, few, fc.nat(100)), { maxKeys: 2 }),
  })
  .map(({ kept, enter, leave, change, days, others }): Tally => {
    const [name = 'true'] = Object.keys(kept);
    const before = { ...kept, [name]: (kept[name] ?? 0) + leave };
    const after = { ...kept, [name]: (kept[name] ?? 0) + enter };
    const size = Object.values(after).reduce((sum, it) => sum + it, 0);
    // Backwards from today: so many members, so many had come and gone the day before.
    const told: { members: number; entered: number; left: number }[] = [];
    let members = size;
    for (const { entered, left } of days) {
      const came = Math.min(entered, members);
      told.unshift({ members, entered: came, left });
      members = members - came + left;
    }
    const overlap = Object.entries(others).map(([tag, [both, more, share]]) => {
      const inside = Math.min(both, size);
      return [tag, { members: inside + more, both: inside, enter: share % 13, leave: share % 7 }];
    });
    return {
      ...emptyTally(0),
      ...{ profiles: 10_000, before, after, enter, leave, change, days: told },
      others: Object.fromEntries(overlap),
      sample: { enter: enter > 0 ? ['p'] : [], leave: leave > 0 ? ['q'] : [] },
    };
  });

describe('of a forecast', () => {
  test('no number of fewer than ten is told, nor follows from what is', () => {
    fc.assert(
      fc.property(aTally, (tally) => {
        const names = tally.days.map((_, i) => `d${i}`);
        const shown = showForecast(tally, names, K);
        for (const [text] of JSON.stringify({ ...shown, cost: 0 }).matchAll(/:\d+/g))
          expect(Number(text.slice(1)) === 0 || Number(text.slice(1)) >= K, text).toBe(true);
        const numbers = new Map<string, unknown>([
          ...['enter', 'leave', 'change'].map(
            (it) => [it, Object.entries(shown).find(([n]) => n === it)?.[1]] as const,
          ),
          ...([
            ['before', shown.before.members],
            ['after', shown.after.members],
          ] as const),
          ...Object.entries(shown.after.values ?? {}).map(([it, n]) => [`after ${it}`, n] as const),
          ...shown.days.flatMap(({ members, entered, left }, i) => [
            [i === names.length - 1 ? 'after' : `m${i}`, members] as const,
            [`e${i}`, entered] as const,
            [`l${i}`, left] as const,
          ]),
          ...shown.overlap.map(({ tag, both }) => [`both ${tag}`, both] as const),
        ]);
        const isTold = (name: string) =>
          name === 'before' || name.startsWith('members ') || typeof numbers.get(name) === 'number';
        const m = (i: number) => (i === names.length - 1 ? 'after' : `m${i}`);
        const values = Object.keys(tally.after).filter((it) => it !== 'true');
        const equations = [
          equation(['before', 'enter'], ['after', 'leave'], isTold),
          // A tag with a value 'true' beside others has that one untold anyway.
          ...(values.length > 0 && tally.after.true === undefined
            ? [
                equation(
                  ['after'],
                  values.map((it) => `after ${it}`),
                  isTold,
                ),
              ]
            : []),
          ...names.slice(1).map((_, i) => equation([m(i), `e${i + 1}`], [m(i + 1), `l${i + 1}`], isTold)),
          ...Object.keys(tally.others).flatMap((tag) => [
            equation(['after'], [`both ${tag}`, `without ${tag}`], isTold),
            equation([`members ${tag}`], [`both ${tag}`, `only ${tag}`], isTold),
          ]),
        ];
        const sizeOf = (name: string): number => {
          const [word = '', tag = ''] = name.split(' ');
          const other = tally.others[tag];
          const size = Object.values(tally.after).reduce((sum, it) => sum + it, 0);
          if (word === 'both') return other?.both ?? 0;
          if (word === 'without') return size - (other?.both ?? 0);
          if (word === 'only') return (other?.members ?? 0) - (other?.both ?? 0);
          if (name.startsWith('after ')) return tally.after[tag] ?? 0;
          const at = Number(word.slice(1));
          if (/^e\d/.test(word)) return tally.days[at]?.entered ?? 0;
          if (/^l\d/.test(word)) return tally.days[at]?.left ?? 0;
          if (/^m\d/.test(word)) return tally.days[at]?.members ?? 0;
          return word === 'after' ? size : word === 'enter' ? tally.enter : tally.leave;
        };
        const isNobodys = Object.values(tally.before).every((it) => it === 0); // nobody can leave
        for (const name of determined(equations).filter((it) => it !== 'leave' || !isNobodys))
          expect(sizeOf(name), name).toBeGreaterThanOrEqual(K);
        if (shown.enter === '<10')
          expect(sampleOf(tally, K).some(({ change }) => change === 'enter')).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  test('a draft that one person makes the difference to is told as the draft without them', () => {
    const draft = (more: number): Tally => ({
      ...emptyTally(0),
      ...{ profiles: 1_000, before: { true: 100 }, after: { true: 100 + more }, enter: more },
      days: [
        { members: 90 + more, entered: 0, left: 0 },
        { members: 100 + more, entered: 10, left: 0 },
      ],
      others: { vip: { members: 60, both: 40 + more, enter: 0, leave: 0 } },
    });
    const told = (more: number) => JSON.stringify(showForecast(draft(more), ['a', 'b'], K));
    expect(told(1)).toBe(told(0));
    expect(told(9)).toBe(told(0));
    expect(told(12)).not.toBe(told(0));
    expect(JSON.stringify(showForecast(draft(1), ['a', 'b'], 1))).toContain('101');
  });
});

describe('of what holders of a tag did', () => {
  const group = (profiles: number, converted: number) => ({
    ...{
      profiles,
      converted,
      conversions: converted,
      spend: 100 * converted,
      squares: `${10_000 * converted}`,
    },
  });

  test('what the few did does not follow from what everybody else did', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), fc.nat(200), fc.nat(200), (a, b, c, d) => {
        const [holders, all] = [group(a + b, a), group(a + b + c + d, a + c)];
        const shown = showEffect('t', { ...emptyEffect(0), all, tags: { t: { true: holders } } }, K);
        const sides = [
          [shown.holders, a, b],
          [shown.others, c, d],
        ] as const;
        for (const [side, did, didNot] of sides) {
          if (typeof side.converted === 'number') expect(Math.min(did, didNot)).toBeGreaterThanOrEqual(K);
          if (side.converted === '<10') expect([side.rate, side.perProfile]).toEqual([undefined, undefined]);
        }
        // Everybody together is known by other tags: one side alone would tell the other.
        const isOpen = sides.filter(([, did, didNot]) => did + didNot > 0);
        if (isOpen.length === 2) expect(typeof shown.holders.converted).toBe(typeof shown.others.converted);
      }),
      { numRuns: 300 },
    );
  });

  test('days and overlaps of it add up to nothing small', () => {
    const tally: EffectTally = {
      ...emptyEffect(0),
      days: [
        { members: 100, entered: 20, left: 0 },
        { members: 103, entered: 12, left: 9 },
      ],
      overlap: { vip: { members: 60, both: 55 }, gold: { members: 80, both: 50 } },
    };
    const { days, overlap } = showEnd(tally, ['a', 'b'], K);
    expect(days[1]).toMatchObject({ left: '<10', entered: '<10' }); // 100 + 12 - 103 would be 9
    expect(overlap.find(({ tag }) => tag === 'vip')?.both).toBe('<10'); // 60 - 55 would be 5
    expect(overlap.find(({ tag }) => tag === 'gold')?.both).toBe(50);
  });
});

test('who may not list persons is told of no small group; who may is told of all that is held, and of no draft', () => {
  expect(Object.keys(groupSizesFor).sort()).toEqual([...role.options].sort());
  for (const it of role.options) {
    expect(kOf(it, 'held', { k: K }) === 1).toBe(may(it, 'persons'));
    expect(kOf(it, 'asked', { k: K })).toBe(K);
  }
});
