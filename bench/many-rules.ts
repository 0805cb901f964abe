// Books of many rules: the library's tags, and the same again with other numbers.
import type { Brand } from '../lib/platform/brand.ts';
import type { Rule } from '../lib/platform/brand-words.ts';
import { expressionsOf, readLibrary, ruleOf, tagsReadBy, trades } from '../lib/tags/library.ts';
import { compileRules, type RuleBook } from '../lib/tags/rulebook.ts';

/** A brand whose rules are so many of them, out of all trades alike. */
export function withRules(brand: Brand, count: number): Brand {
  return { ...brand, rules: manyRules(brand, count) };
}

/** What profiles are folded and evaluated by. */
export const bookOf = (brand: Brand): RuleBook =>
  compileRules(
    brand.rules.map((rule) => ({ ...rule, version: 1 })),
    brand,
  );

/** Tags that read others, and those of quintiles, are left out: what they cost is that of what they read. */
function manyRules(brand: Brand, count: number): Rule[] {
  const library = readLibrary();
  const ready = trades
    .flatMap((trade) => library[trade].map((it, place) => ({ it, place })))
    .sort((a, b) => a.place - b.place)
    .map(({ it }) => it)
    .filter((it) => tagsReadBy(it).length === 0 && !expressionsOf(it).join().includes('quintiles'));
  const rules: Rule[] = [];
  const said = new Set<string>();
  for (let turn = 0; rules.length < count; turn++)
    for (const it of ready) {
      const rule = turn === 0 ? ruleOf(it) : varied(ruleOf(it), turn);
      const text = JSON.stringify(rule.when ?? rule.values);
      if (rules.length === count || said.has(text) || !compiles(rule, brand)) continue;
      said.add(text); // a rule without numbers is there once
      rules.push(rule);
    }
  return rules;
}

function varied({ tag, when, values }: Rule, turn: number): Rule {
  const name = `${tag.slice(0, 36)}_${turn}`;
  if (when !== undefined) return { tag: name, when: otherNumbers(when, turn) };
  const changed = Object.entries(values ?? {}).map(([value, text]) => [value, otherNumbers(text, turn)]);
  return { tag: name, values: Object.fromEntries(changed) };
}

/** Windows a few days longer, bounds a tenth higher and one more. */
const otherNumbers = (text: string, turn: number): string =>
  text
    .replace(/"(\d+)d"/g, (_, days) => `"${Number(days) + 3 * turn}d"`)
    .replace(/([<>]=?) (\d+)(?![\d.])/g, (_, sign, bound) => {
      const more = Number(bound) > 100 ? Math.round((Number(bound) * turn) / 10) : turn;
      return `${sign} ${Number(bound) + more}`;
    });

/** Some numbers cannot be others: a month has no fortieth day. */
function compiles(rule: Rule, brand: Brand): boolean {
  try {
    compileRules([{ ...rule, version: 1 }], brand);
    return true;
  } catch {
    return false;
  }
}
