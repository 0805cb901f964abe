import { expect, test } from 'vitest';
import { rfmSettings } from '../../lib/platform/brand.ts';
import { emptyCells, foldEvent } from '../../lib/tags/cells.ts';
import { evaluateTags } from '../../lib/tags/evaluate.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';
import { dice } from '../laws/world/random.ts';
import { someEra, someHistory, someRule } from './grammar.ts';
import { type Rule, textOf } from './spoken.ts';

const rfm = rfmSettings.parse({});
const compile = (whens: readonly string[], timezone = 'UTC') =>
  compileRules(
    whens.map((when, i) => ({ tag: `t${i}`, when, version: 1 })),
    { timezone, rfm },
  );
const nobody = { cells: emptyCells(), traits: { city: '上海', list: ['a'], nan: 'NaN', age: '12' } };
const holding = (...whens: string[]) => [...evaluateTags(compile(whens), nobody, 0).keys()];

/** Each cannot be worked out of somebody without events. */
const unknown = [
  'trait("nothing") == 1',
  'trait("nothing") != 1',
  'trait("city") > 1',
  'trait("nothing") in ["a"]',
  '!(trait("nothing") in ["a"])',
  'trait("city")',
  'trait("nothing").startsWith("a")',
  'trait("list").exists(it, it > 1)',
  'events("a").avg("p") > 0.0',
  'events("a").within("3d").avg("p") < 1.0',
  'events("a").min("p") == events("a").max("p")',
  'events("a").last() == events("a").last()',
  'events("a").last() - events("a").first() > duration("1h")',
  'events("a").lastIs(e, true)',
  '1 / events("a").count() >= 0',
  '1 % events("a").count() >= 0',
  '0.0 / double(events("a").count()) >= 0.0',
  '1.0 / double(events("a").count()) > 0.0',
  'ratio(events("a").count(), events("b").count()) >= 0.0',
  'double(trait("nan")) > 0.0',
  'double(trait("city")) > 0.0',
  'int(trait("city")) > 0',
  'trait("nothing").before("2026-01-01")',
  'trait("city").on("2026-01-01")',
  'trait("city").withinNext("3d")',
  'trait("age").anniversary("3d")',
  'events("a").last().withinLast("3d")',
  'events("a").nth(2) == events("a").nth(2)',
  'events("a").within("3d").after(events("a").first()).any()',
  'events("a").within("3d").before(trait("city")).count() == 0',
  'sequence(events("a"), events("b")).within("3d").last().withinLast("3d")',
  'bucket("salt", 2) == 0',
  'events("a").preference("p", "30d") == "x"',
  'events("a").within("9d").preference("p", "30d") != "x"',
  'rfm().r == 1',
  'trait("nothing") == 1 ? true : true',
  'kOf(1, [trait("nothing") == 1, false])',
  'kOf(2, [trait("nothing") == 1, false, true])',
];

test.each(unknown)('neither %s nor its negation holds', (when) => {
  expect(holding(when, `!(${when})`, `!(!(${when}))`)).toEqual([]);
});

test.each(unknown)('%s decides nothing that is decided without it, on whichever side it stands', (when) => {
  const [whole, inPart] = [
    [
      `(${when}) || true`,
      `true || (${when})`,
      `!((${when}) && false)`,
      `!(false && (${when}))`,
      `kOf(1, [${when}, true])`,
    ],
    [
      `(${when}) || false`,
      `false || (${when})`,
      `(${when}) && true`,
      `true && (${when})`,
      `kOf(2, [true, ${when}])`,
    ],
  ];
  expect(holding(...whole)).toHaveLength(whole.length);
  expect(holding(...inPart)).toEqual([]);
  expect(holding(...inPart.map((it) => `!(${it})`))).toEqual([]);
});

test.each([
  'trait("city") != 1 && !(trait("city") == 1) && !(trait("city") in [1])',
  'trait("list").exists(it, it == "a" || it > 1) && !trait("list").all(it, it > 1 && false)',
  'events("a").count() == 0',
  '!sequence(events("a"), events("b")).within("3d").any()',
  'events("a").days() == 0',
  'events("a").sum("p") == 0',
  'events("a").distinct("p") == 0',
  'events("a").daysInRow() == 0',
  'events("a").within("3d").streak() == 0',
  'events("a").lastWeeks(3).weeksWith(1) == 0',
  '!events("a").any()',
  '!events("a").within("3d").firstEver()',
  '!events("a").stopped("3d") && !events("a").restarted("3d") && !events("a").dormant("3d")',
  'ratio(events("a").count(), 2) == 0.0',
  'double(trait("age")) == 12.0',
  '!kOf(2, [trait("nothing") == 1, false, false])',
  'kOf(1, [trait("nothing") == 1, true])',
])('of somebody without events it can be said that %s', (when) => {
  expect(holding(when)).toEqual(['t0']);
});

/** The same rule with every pair and every list the other way round. */
function mirrored(rule: Rule): Rule {
  if (rule.is === 'and' || rule.is === 'or')
    return { ...rule, left: mirrored(rule.right), right: mirrored(rule.left) };
  if (rule.is === 'not') return { ...rule, of: mirrored(rule.of) };
  return rule.is === 'kOf' ? { ...rule, of: rule.of.map(mirrored).reverse() } : rule;
}

test('A && B is B && A, A || B is B || A, and so are their negations, whatever is missing', () => {
  const throws = dice(11);
  let said = 0;
  for (let i = 0; i < 60; i++) {
    const era = someEra(throws);
    const rules = Array.from({ length: 12 }, () => someRule(throws, era, [], 3));
    const whens = rules.flatMap((it) => [textOf(it), textOf(mirrored(it))]);
    const book = compile([...whens, ...whens.map((it) => `!(${it})`)]);
    for (let j = 0; j < 5; j++) {
      const cells = emptyCells();
      const events = someHistory(throws, era, 'UTC').slice(0, throws.below(6));
      for (const event of events) foldEvent(book, cells, event);
      const traits: Record<string, string> = throws.chance(0.5) ? { city: '上海' } : {};
      const held = evaluateTags(book, { cells, traits }, events.at(-1)?.at ?? 0);
      for (let k = 0; k < whens.length * 2; k += 2)
        expect(held.has(`t${k}`), book.ruleOf(`t${k}`)?.rule.when).toBe(held.has(`t${k + 1}`));
      for (let k = 0; k < whens.length; k++) {
        expect(held.has(`t${k}`) && held.has(`t${k + whens.length}`)).toBe(false);
        said += held.has(`t${k}`) || held.has(`t${k + whens.length}`) ? 0 : 1;
      }
    }
  }
  expect(said).toBeGreaterThan(500); // so often nothing could be said
});
