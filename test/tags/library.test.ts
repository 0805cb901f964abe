// Scope: the library of ready tags: each compiles, can be earned and missed, and says what it reads.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkBrand } from '../../infra/brands/load.ts';
import { libraryPage } from '../../infra/tag-library-page.ts';
import { standardType } from '../../lib/events/standard.ts';
import { type BrandInput, rfmSettings } from '../../lib/platform/brand.ts';
import {
  expressionsOf,
  furtherProperties,
  readLibrary,
  readyTag,
  rulesNamed,
  trades,
} from '../../lib/tags/library.ts';
import { compileRules, type RuleBook } from '../../lib/tags/rulebook.ts';
import { examples } from './library-people.ts';
import { tagsOf } from './people.ts';
import { materialOf, solve } from './solver.ts';

const root = join(import.meta.dirname, '../..');
const library = readLibrary();
const all = trades.flatMap((trade) =>
  library[trade].map((it) => ({ trade, it, name: `${trade}/${it.tag}` })),
);

const aBrand = (more: object): unknown =>
  ({
    name: 'a-brand',
    title: { zh: '品牌', en: 'Brand' },
    timezone: 'Asia/Shanghai',
    locale: 'zh-CN',
    currency: 'CNY',
    channels: {},
    ...more,
  }) satisfies BrandInput;

/** The rule of a tag, and those of the tags that it reads. */
function bookOf(name: string): RuleBook {
  const rules = rulesNamed(library, [name]).map((rule) => ({ ...rule, version: 1 }));
  return compileRules(rules, { timezone: 'Asia/Shanghai', rfm: rfmSettings.parse({}) });
}

test('there are 120 tags or more, each with a name and a sentence of its own in both tongues', () => {
  expect(all.length).toBeGreaterThanOrEqual(120);
  for (const trade of trades) expect(library[trade].length).toBeGreaterThanOrEqual(20);
  const told = all.flatMap(({ it }) => [[it.tag], Object.values(it.name), Object.values(it.why)].flat());
  expect(told.filter((text, i) => told.indexOf(text) !== i)).toEqual([]);
  const { why, name } = { why: all.map(({ it }) => it.why), name: all.map(({ it }) => it.name) };
  expect(
    [...why, ...name].filter(({ zh, en }) => !/\p{Script=Han}/u.test(zh) || /\p{Script=Han}/u.test(en)),
  ).toEqual([]);
  expect(why.filter(({ zh, en }) => !zh.endsWith('。') || !en.endsWith('.'))).toEqual([]);
});

test.each(trades)('a brand of %s takes all of its tags, at a cost that is small', (trade) => {
  const { rules, timezone, rfm } = checkBrand(aBrand({ library: [trade] }), 'a-brand');
  expect(rules.map(({ tag }) => tag).sort()).toEqual(library[trade].map(({ tag }) => tag).sort());
  const book = compileRules(
    rules.map((rule) => ({ ...rule, version: 1 })),
    { timezone, rfm },
  );
  expect(book.features.length).toBeLessThanOrEqual(30);
});

describe.each(all)('$name', ({ it, name }) => {
  const book = bookOf(name);

  test('somebody earns it, each of its values, and somebody does not', () => {
    const sources = all
      .filter(({ it: other }) => book.ruleOf(other.tag))
      .flatMap((other) => expressionsOf(other.it));
    const { holders, other } = solve(book, it.tag, materialOf(book, sources), 20_000);
    expect([...holders.keys()].sort()).toEqual(it.values ? Object.keys(it.values).sort() : [true]);
    expect(other !== undefined || holders.size > 1).toBe(true);
  });

  test('it reads standard events, and properties that they require or that the library tells', () => {
    const leaves = book.rules.flatMap((rule) => rule.leaves);
    const read = leaves.flatMap((leaf) => {
      if (leaf.kind !== 'events') return [];
      const { type, property, filter = '', sequence } = leaf.reference;
      const steps = sequence?.steps ?? [{ type, filter }];
      return steps.map((step) => ({
        type: step.type,
        properties: [property, sequence?.same, ...(step.filter ?? '').matchAll(/\be\.(\w+)/g)].flatMap(
          (found) => (found === undefined ? [] : [typeof found === 'string' ? found : `${found[1]}`]),
        ),
      }));
    });
    for (const { type, properties } of read) {
      const known = [...Object.keys(standardType(type)?.required ?? {}), ...(furtherProperties[type] ?? [])];
      expect(standardType(type), type).toBeDefined();
      expect(
        properties.filter((property) => !known.includes(property)),
        type,
      ).toEqual([]);
    }
  });

  test('amounts are told', () => {
    const text = expressionsOf(it)
      .join(' ')
      .replaceAll(/"[^"]*"/g, '');
    const numbers = [...text.matchAll(/\b\d+\b/g)].map(([digits]) => Number(digits));
    const amounts = /amount|assets/.test(expressionsOf(it).join(' ')) ? numbers.filter((n) => n >= 1000) : [];
    expect([...it.money].sort()).toEqual([...new Set(amounts)].sort());
  });
});

test.each(Object.entries(examples))(
  '%s: somebody has it, and somebody only just has not',
  (tag, { has, not }) => {
    const name = all.find(({ it }) => it.tag === tag)?.name ?? '';
    const book = bookOf(name);
    expect([tagsOf(book, has).has(tag), tagsOf(book, not).has(tag)]).toEqual([true, false]);
  },
);

describe('taking tags by name', () => {
  const tagsIn = (more: object) => checkBrand(aBrand(more), 'a-brand').rules.map(({ tag }) => tag);

  test('one comes with the tags that it reads', () => {
    expect(tagsIn({ library: ['retail/gold_slips', 'beauty/set_buyer'] })).toEqual([
      'set_buyer',
      'retail_tier',
      'gold_slips',
    ]);
  });

  test("a rule of the brand stands in place of the library's", () => {
    const own = { tag: 'retail_tier', values: { gold: 'rfm().m >= 5' } };
    const { rules } = checkBrand(aBrand({ rules: [own], library: ['retail/gold_slips'] }), 'a-brand');
    expect(rules.find(({ tag }) => tag === 'retail_tier')).toEqual(own);
    expect(rules).toHaveLength(2);
  });

  test('a name that there is not, is refused in words', () => {
    expect(() => tagsIn({ library: ['toys'] })).toThrow(
      'a-brand: the library has no "toys": its trades are ecommerce,',
    );
    expect(() => tagsIn({ library: ['retail/toys'] })).toThrow('no tag "toys" for retail');
    expect(() => tagsIn({ library: 'retail' })).toThrow('not a valid brand');
  });
});

test('a tag without a sentence in both tongues, or with two kinds of rule, is none', () => {
  const [first] = library.retail;
  expect(readyTag.safeParse({ ...first, why: { zh: '用途' } }).success).toBe(false);
  expect(readyTag.safeParse({ ...first, values: { a: 'true' } }).success).toBe(false);
});

test.each(['en', 'zh'] as const)('the page in %s is the library', (tongue) => {
  const file = tongue === 'en' ? 'tag-library.md' : 'tag-library.zh.md';
  expect(readFileSync(join(root, 'docs', file), 'utf8')).toBe(libraryPage(library, tongue));
});

test('nothing that is deployed carries the library or the importers', () => {
  const files = ['lib', 'functions'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  const readers = files.filter(
    (file) =>
      file.endsWith('.ts') &&
      !file.startsWith('lib/tags/importers/') &&
      /from '[^']*(tags|\.)\/(library|importers\/[\w-]+)\.ts'/.test(readFileSync(join(root, file), 'utf8')),
  );
  expect(readers).toEqual([]);
});
