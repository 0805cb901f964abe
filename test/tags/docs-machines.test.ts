// Scope: the rule files that the page shows: they compile, and do what the page says of them.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { rfmSettings } from '../../lib/platform/brand.ts';
import { type Rule, rule } from '../../lib/platform/brand-words.ts';
import { DAY } from '../../lib/platform/clock.ts';
import { emptyPerson, walk, watch } from '../../lib/profile/person.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';
import { aBrand, anEvent, anOrder, dice, START } from '../profile/a-profile.ts';

const blocksOf = (name: string) =>
  [
    ...readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8').matchAll(/```yaml\n(.*?)```/gs),
  ].map(([, block = '']) => z.array(rule).parse(parse(block)));
const blocks = blocksOf('rules.md');
const all = new Map(blocks.flat().map((it) => [it.tag, it]));
const bookOf = (rules: readonly Rule[]) =>
  compileRules(
    rules.map((it) => ({ ...it, version: 1 })),
    { timezone: 'Asia/Shanghai', rfm: rfmSettings.parse({}) },
  );

test('the rule files compile together, the same in both tongues', () => {
  expect([...all.keys()]).toEqual(['high_value_dormant', 'tier', 'stage', 'journey', 'value_group']);
  expect(bookOf([...all.values()]).rules).toHaveLength(5);
  expect(
    blocksOf('rules.zh.md')
      .flat()
      .map(({ when, values }) => when ?? values),
  ).toEqual(blocks.flat().map(({ when, values }) => when ?? values));
});

/** The values of a tag on days, of somebody with these events. */
function onDays(tag: string, events: Parameters<typeof walk>[1], days: readonly number[], replace = '') {
  const shown = all.get(tag);
  const text = JSON.stringify(shown).replaceAll('rfm(\\"quintiles\\")', replace || 'rfm(\\"quintiles\\")');
  const rules = { book: bookOf([rule.parse(JSON.parse(text))]), brand: aBrand() };
  return days.map((day) => {
    const person = emptyPerson();
    const at = START + day * DAY;
    walk(
      person,
      events.filter(({ occurredAt }) => Date.parse(occurredAt) <= at),
      rules,
    );
    watch(person, at, rules);
    return person.tags.get(tag)?.value;
  });
}

test('one order does not wake who was silent, two do; who was lost is not', () => {
  const orders = [0, 10, 150, 160].map((day) => anOrder(day, `o${day}`, 100));
  const seen = anEvent('page_viewed', -1);
  expect(onDays('stage', [seen, ...orders], [-1, 0, 10, 99, 100, 149, 150, 159, 160, 250, 524, 525])).toEqual(
    [
      ...['potential', 'new', 'active', 'active', 'silent', 'silent', 'silent', 'silent', 'active'],
      ...['silent', 'silent', 'lost'],
    ],
  );
});

test('a journey goes from awareness to loyalty, and is lost after half a year', () => {
  const events = [
    anEvent('channel_followed', 0),
    anEvent('product_viewed', 1),
    anEvent('product_viewed', 2),
    ...[5, 20, 40].map((day) => anOrder(day, `o${day}`, 100)),
  ];
  expect(onDays('journey', events, [0, 1, 2, 5, 20, 40, 199, 200, 219, 220])).toEqual([
    ...['awareness', 'awareness', 'interest', 'purchase', 'purchase', 'loyalty', 'loyalty', 'purchase'],
    ...['purchase', 'lost'],
  ]);
});

test('everybody with a purchase is in one of the ten groups', () => {
  const roll = dice(3);
  const found = new Set<unknown>();
  for (let i = 0; i < 250; i++) {
    const orders = Array.from({ length: 1 + roll(10) }, (_, n) =>
      anOrder(i % 3 === 0 ? 280 + roll(20) : roll(300), `${i}-${n}`, 1 + roll(60_000)),
    );
    const events = orders.sort((a, b) => (a.occurredAt < b.occurredAt ? -1 : 1));
    for (const group of onDays('value_group', events, [300], 'rfm()')) found.add(group);
  }
  expect(found).toEqual(new Set(Object.keys(all.get('value_group')?.values ?? {})));
});
