import type { Json } from '../../lib/events/event.ts';
import { DAY } from '../../lib/platform/clock.ts';
import { isoDay } from '../../lib/tags/calendar.ts';
import type { TagValue } from '../../lib/tags/evaluate.ts';
import type { RuleBook } from '../../lib/tags/rulebook.ts';
import { type Deed, type Person, tagsOf } from './people.ts';

/** A small solver: people made from what a rule reads and compares, until every answer of the rule has somebody. */

/** After the seasons that the library names. */
const NOW = Date.parse('2026-12-02T12:00:00+08:00');
const TODAY = Math.floor((NOW + 8 * 3_600_000) / DAY);

/** The same dice in every run. */
function diceOf(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: (n: number) => Math.floor(next() * n),
    one<T>(list: readonly T[]): T {
      return list[Math.floor(next() * list.length)]!;
    },
  };
}
type Dice = ReturnType<typeof diceOf>;

/** An event that the rule reads, and what can stand in its properties. */
interface Recipe {
  readonly type: string;
  readonly properties: Readonly<Record<string, readonly Json[]>>;
  /** Brand-days ago at which something begins or ends. */
  readonly ages: readonly number[];
}

/** What a rule says of events and traits, as material for people. */
export interface Material {
  readonly recipes: readonly Recipe[];
  readonly traits: Readonly<Record<string, readonly Json[]>>;
}

const textsIn = (source: string) => [...source.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, it = '']) => it);
const numbersIn = (source: string) =>
  [...source.replaceAll(/"[^"]*"/g, '').matchAll(/(?<![\w.])-?\d+(?:\.\d+)?/g)].map(([it]) => Number(it));

const around = (numbers: readonly number[]): number[] =>
  numbers.flatMap((it) => [it, it - 1, it + 1, Math.ceil(it / 2), it * 2]).filter((it) => it >= -10);

/** A text as it is, as the beginning of one, and its words as a path. */
const spellings = (text: string): string[] => [
  text,
  `${text}7`,
  ...(/^\w+$/.test(text) ? [] : (text.match(/\w+/g) ?? []).map((it) => `https://shop.example/${it}/x`)),
];

/** What the rules of a book are made of; `sources` are their expressions. */
export function materialOf(book: RuleBook, sources: readonly string[]): Material {
  const source = sources.join(' ');
  const values = [
    ...textsIn(source).flatMap(spellings),
    ...around(numbersIn(source)),
    'a',
    'b',
    'c',
    1,
    10_000,
  ];
  const ages = agesIn(source);
  const types = new Map<string, Set<string>>();
  const see = (type: string, ...properties: (string | undefined)[]) => {
    const known = types.get(type) ?? new Set();
    types.set(type, known);
    for (const it of properties) if (it !== undefined) known.add(it);
  };
  const leaves = book.rules.flatMap((it) => it.leaves);
  for (const leaf of leaves) {
    if (leaf.kind === 'bucket' || leaf.kind === 'rfm') see('order_paid', 'paid_amount');
    if (leaf.kind !== 'events') continue;
    const { type, filter, property, sequence } = leaf.reference;
    if (!sequence) see(type, property, ...propertiesIn(filter));
    for (const step of sequence?.steps ?? []) see(step.type, sequence?.same, ...propertiesIn(step.filter));
  }
  if (types.size === 0) see('page_viewed'); // somebody of whom other things are known
  const held = [...values, ...(/"expires_at"/.test(source) ? dates(ages) : [])];
  const recipes = [...types].map(([type, names]) => ({
    type,
    ages,
    properties: Object.fromEntries(
      [...names].map((name) => [name, name === 'products' ? baskets(source) : held]),
    ),
  }));
  const traits = leaves.flatMap((leaf) =>
    leaf.kind === 'trait' || leaf.kind === 'hasTrait' ? [leaf.of] : [],
  );
  return { recipes, traits: Object.fromEntries(traits.map((name) => [name, [...values, ...dates(ages)]])) };
}

const propertiesIn = (filter: string | undefined): string[] =>
  [...(filter ?? '').matchAll(/\be\.(\w+)/g)].flatMap(([, it = '']) => (it === 'channel' ? [] : [it]));

/** Baskets of the categories and ids that a rule names. */
function baskets(source: string): Json[] {
  const named = textsIn(source).map((it) => ({ category: it, product_id: `${it}1`, quantity: 1 }));
  const other = { category: 'other', product_id: 'other', quantity: 1 };
  return [[other], ...named.map((it) => [it]), ...[3, 10].map((n) => Array.from({ length: n }, () => other))];
}

function agesIn(source: string): number[] {
  const lengths = [...source.matchAll(/"(\d+)([dh])"/g)].map(([, n, unit]) =>
    unit === 'd' ? Number(n) : Number(n) / 24,
  );
  const fixed = [...source.matchAll(/"(\d{4}-\d\d-\d\d)"/g)].map(
    ([, it = '']) => TODAY - Date.parse(it) / DAY,
  );
  const all = [
    0,
    1,
    2,
    15,
    40,
    70,
    100,
    400,
    ...lengths.flatMap((it) => [it - 1, it, it / 2, it + 1]),
    ...fixed,
  ];
  return [...new Set([...all, ...fixed.map((it) => it - 3)].map(Math.floor))].filter((it) => it >= 0);
}

/** Days before and after today, this year and long ago. */
function dates(ages: readonly number[]): string[] {
  return [...ages.flatMap((it) => [TODAY - it, TODAY + it]), TODAY - 7300, TODAY - 25_600, TODAY - 9126].map(
    isoDay,
  );
}

function personOf(material: Material, dice: Dice): Person {
  const deeds: Deed[] = [];
  const parts = dice.below(5);
  for (let i = 0; i < parts && material.recipes.length > 0; i++)
    deeds.push(...seriesOf(dice.one(material.recipes), dice));
  const traits = Object.entries(material.traits).flatMap(([name, values]) =>
    dice.below(4) === 0 ? [] : [[name, dice.one(values)]],
  );
  return { deeds, traits: Object.fromEntries(traits) };
}

/** One event, or the same again: within the hour, on days in a row, in weeks or in months. */
function seriesOf({ type, properties, ages }: Recipe, dice: Dice): Deed[] {
  const count = dice.one([1, 1, 1, 2, 3, 5, 8, 24]);
  const apart = dice.one([0, 1, 1, 2, 7, 30]);
  const start = dice.one(ages);
  const hour = dice.one([0, 0.5, 3, 13, 15, 20]);
  const same = drawn(properties, dice);
  const varies = dice.below(3) === 0;
  return Array.from({ length: count }, (_, i) => ({
    type,
    d: start + i * apart,
    h: hour + (apart === 0 ? i / 60 : 0),
    properties: varies ? { ...drawn(properties, dice), ...distinctly(same, i) } : same,
  }));
}

const drawn = (properties: Recipe['properties'], dice: Dice): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(properties).flatMap(([name, values]) =>
      dice.below(5) === 0 ? [] : [[name, dice.one(values)]],
    ),
  );

/** Texts that are ids get another value each time. */
const distinctly = (properties: Readonly<Record<string, Json>>, i: number): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, name.endsWith('_id') ? `v${i}` : value]),
  );

/** Who has each value of a tag, and somebody without it that the rule's events or traits are known of. */
export interface Solution {
  readonly holders: ReadonlyMap<TagValue, Person>;
  readonly other: Person | undefined;
}

/** Tries so many people at most; the same rule gives the same people. Of a tag with values, everybody may have one. */
export function solve(book: RuleBook, tag: string, material: Material, tries: number): Solution {
  const dice = diceOf(7);
  const wanted = book.ruleOf(tag)?.branches.length ?? 0;
  const holders = new Map<TagValue, Person>();
  let other: Person | undefined;
  for (let i = 0; i < tries && (holders.size < wanted || (!other && wanted === 1)); i++) {
    const person = personOf(material, dice);
    const value = tagsOf(book, person, NOW).get(tag);
    if (value !== undefined && !holders.has(value)) holders.set(value, person);
    if (value === undefined && person.deeds.length + Object.keys(person.traits ?? {}).length > 0)
      other ??= person;
  }
  return { holders, other };
}
