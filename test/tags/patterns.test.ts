import { describe, expect, test } from 'vitest';
import type { Json } from '../../lib/events/event.ts';
import { emptyCells } from '../../lib/tags/cells.ts';
import { evaluateTags } from '../../lib/tags/evaluate.ts';
import { patternOf } from '../../lib/tags/patterns.ts';
import { type Dice, dice } from '../laws/world/random.ts';
import { book, leafOf, order } from './asked.ts';

const one = <T>(throws: Dice, from: readonly [T, ...T[]]): T => from[throws.below(from.length)] ?? from[0];

function somePattern(throws: Dice, depth: number): string {
  const inner = () => somePattern(throws, depth - 1);
  const atom = () =>
    depth > 0 && throws.chance(0.4)
      ? `${one(throws, ['(', '(?:'])}${inner()})`
      : one(throws, [
          'a',
          'b',
          'ab',
          '.',
          '[ab]',
          '[^a]',
          '\\d',
          '\\w',
          '\\S',
          '[b-d1]',
          '精',
          '\\.',
          '[\\d.]',
        ]);
  const piece = () => atom() + one(throws, ['', '', '', '*', '+', '?', '{2}', '{1,2}', '{0,1}', '{2,}']);
  const row = Array.from({ length: 1 + throws.below(3) }, piece)
    .join('')
    .replace(/ab(?=[*+?{])/g, 'b');
  const framed = `${throws.chance(0.2) ? '^' : ''}${row}${throws.chance(0.2) ? '$' : ''}`;
  return throws.chance(0.3) && depth > 0 ? `${framed}|${inner()}` : framed;
}

test('a pattern finds what the same expression of the platform finds', () => {
  const throws = dice(12);
  let found = 0;
  for (let i = 0; i < 4000; i++) {
    const source = somePattern(throws, 2);
    const text = Array.from({ length: throws.below(8) }, () =>
      one(throws, ['a', 'b', 'c', '1', '.', ' ', '精', '\n']),
    ).join('');
    const expected = new RegExp(source, 'u').test(text);
    expect(patternOf(source)(text), `${source} in ${JSON.stringify(text)}`).toBe(expected);
    if (expected) found++;
  }
  expect(found).toBeGreaterThan(800);
  expect(found).toBeLessThan(3600);
});

test('(?i) makes no difference between small and large letters', () => {
  expect(['VIP', 'vip', 'Vip', 'vi'].map(patternOf('(?i)v[i-j]p'))).toEqual([true, true, true, false]);
  expect(patternOf('vip')('VIP')).toBe(false);
});

test('reading costs the length of the text, also where others would try for years', () => {
  const text = `${'a'.repeat(4000)}!`;
  const before = process.cpuUsage().user;
  for (const source of ['(a+)+$', '(a|a)*b', '(a*)*c', '(.*.*.*)=x', '(a?){50}a{50}$'])
    expect(patternOf(source)(text)).toBe(false);
  expect(process.cpuUsage().user - before).toBeLessThan(5_000_000);
});

test('a rule asks it of texts; of anything else, and of too long ones, there is no answer', () => {
  const rules = book('UTC', 'trait("city").matches("^上海(市)?$")', '!trait("city").matches("^上海(市)?$")');
  const tags = (city: string | number) =>
    [...evaluateTags(rules, { cells: emptyCells(), traits: { city } }, 0).keys()].join();
  expect(['上海', '上海市', '北京', 7, 'x'.repeat(4097)].map(tags)).toEqual(['t0', 't0', 't1', '', '']);
  const events = ['/vip/1', '/vip/x', '/other'].map((path, i) =>
    order(`2026-03-0${i + 1}T00:00:00Z`, { path }),
  );
  expect(leafOf('.where(e, e.path.matches(r"^/vip/\\d+$")).count()', events, '2026-04-01T00:00:00Z')).toBe(1);
});

describe('is refused in words:', () => {
  test.each([
    ['(a', 'a ) is missing'],
    ['a)', 'a ) without its ('],
    ['[a', 'ends too early'],
    ['[b-a]', 'a range goes upwards'],
    ['a**', 'once'],
    ['*a', 'stands behind'],
    ['a+?', 'once'],
    ['(?=a)', 'no look-around'],
    ['(a)\\\\1', 'there is no \\1'],
    ['\\\\bvip', 'there is no \\b'],
    ['a{101}', 'up to 100'],
    ['a{2,1}', 'up to 100'],
    ['((a{30}){30}){30}', 'too large'],
  ])('%s', (pattern, message) => {
    expect(() => book('UTC', `trait("a").matches("${pattern}")`)).toThrow(message);
  });

  test('a pattern that does not stand in the rule', () => {
    expect(() => book('UTC', 'trait("a").matches(trait("b"))')).toThrow('literal text');
  });
});

describe('the elements of a list', () => {
  const items: Json[] = [
    { product_id: 'x', quantity: 2, price: 10 },
    { product_id: 'y', quantity: 1 },
  ];
  const events = [
    order('2026-03-01T00:00:00Z', { items }),
    order('2026-03-02T00:00:00Z', { items: [] }),
    order('2026-03-03T00:00:00Z'),
  ];
  test.each([
    ['e.items.exists(i, i.product_id == "x")', 1],
    ['e.items.exists(i, i.product_id == "z")', 0],
    ['e.items.exists(i, i.product_id == "x" && i.quantity >= 3)', 0],
    ['e.items.exists(i, i.price >= 10)', 1], // one says no price
    ['e.items.all(i, i.quantity >= 1)', 2], // of none as well
    ['e.items.all(i, i.price >= 10)', 1],
    ['e.items.exists_one(i, i.quantity == 1)', 1],
    ['e.items.filter(i, i.quantity > 0).size() == 2', 1],
    ['"y" in e.items.map(i, i.product_id)', 1],
    ['e.items.size() == 0', 1],
    ['e.items[0].product_id == "x"', 1],
    ['e.items.exists(i, i.product_id.matches("^[xy]$"))', 1],
    ['!e.items.exists(i, i.product_id == "x")', 1],
  ])('%s', (condition, count) => {
    expect(leafOf(`.where(e, ${condition}).count()`, events, '2026-04-01T00:00:00Z')).toBe(count);
  });

  test('are walked once: a walk inside a walk is refused', () => {
    expect(() =>
      book('UTC', 'events("order").where(e, e.items.exists(i, i.tags.exists(t, t == "a"))).any()'),
    ).toThrow('costs too much');
  });
});
