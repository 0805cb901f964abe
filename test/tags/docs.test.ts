import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rfmSettings } from '../../lib/platform/brand.ts';
import { functions, methods } from '../../lib/tags/language.ts';
import { aggregates } from '../../lib/tags/leaves.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';
import { defaultValue } from '../../lib/tags/value-default.ts';

const pageOf = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
const examplesOf = (page: string) =>
  [...page.matchAll(/```cel\n(.*?)```/gs)].flatMap(([, block = '']) => block.trim().split('\n'));
const pages = { 'rules.md': pageOf('rules.md'), 'rules.zh.md': pageOf('rules.zh.md') };
const examples = examplesOf(pages['rules.md']);
const score = { halfLifeDays: 30, weights: {}, phases: {} };
const scores = { price: score, content: score };
const compile = (when: string) =>
  compileRules(
    [
      { tag: 'it', when, version: 1 },
      { tag: 'vip', when: 'true', version: 1 },
      { tag: 'tier', values: { gold: 'true' }, version: 1 },
    ],
    { timezone: 'UTC', rfm: rfmSettings.parse({}), scores, value: defaultValue },
  );

test('the page has examples, the same in both tongues', () => {
  expect(examples.length).toBeGreaterThan(40);
  expect(examplesOf(pages['rules.zh.md'])).toEqual(examples);
});

test.each(examples)('what the page shows compiles: %s', (when) => {
  expect(compile(when).rules).toHaveLength(3);
});

const windows = [
  ...[
    'within',
    'between',
    'thisWeek',
    'lastWeek',
    'lastWeeks',
    'thisMonth',
    'lastMonth',
    'lastMonths',
    'from',
    'to',
  ],
];
const macros = [
  ...['stopped', 'restarted', 'dormant', 'lastIs', 'kOf', 'ratio', 'bucket', 'weekday', 'hour'],
  ...['before', 'on', 'after', 'withinLast', 'withinNext', 'anniversary'],
  ...['sequence', 'gap', 'same', 'without', 'held', 'score', 'value'],
];

test.each(Object.entries(pages))(
  '%s names every function, aggregate and window of the language',
  (_, page) => {
    const words = new Set(page.split(/[^a-zA-Z_]+/));
    expect([...functions, ...methods, ...aggregates].filter((name) => !words.has(name))).toEqual([]);
  },
);

test('every aggregate, window and macro has an example', () => {
  const shown = examples.join('\n');
  const all = [...aggregates, ...windows, ...macros].filter((name) => name !== 'min');
  expect(all.filter((name) => !shown.includes(`${name}(`))).toEqual([]);
});

test('what the page says that a macro stands for is read from the same things', () => {
  const rows = [...pages['rules.md'].matchAll(/^\| `E\.(\w+\("\d+d"\))` *\| `(.*?)` *\|$/gm)];
  expect(rows).toHaveLength(3);
  for (const [, macro = '', meaning = ''] of rows) {
    const leaves = (text: string) =>
      compile(text.replaceAll('E.', 'events("order_paid").'))
        .ruleOf('it')
        ?.leaves.map((leaf) => leaf.text);
    expect(leaves(`E.${macro}`)?.sort()).toEqual(leaves(meaning)?.sort());
  }
});
