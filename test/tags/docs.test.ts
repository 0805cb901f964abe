import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rfmSettings } from '../../lib/platform/brand.ts';
import { functions, methods } from '../../lib/tags/language.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';

const page = readFileSync(new URL('../../docs/rules.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```cel\n(.*?)```/gs)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
);

test('the page has examples', () => expect(examples.length).toBeGreaterThan(15));

test.each(examples)('what the page shows compiles: %s', (when) => {
  const rules = [
    { tag: 'it', when, version: 1 },
    { tag: 'vip', when: 'true', version: 1 },
    { tag: 'tier', values: { gold: 'true' }, version: 1 },
  ];
  expect(compileRules(rules, { timezone: 'UTC', rfm: rfmSettings.parse({}) }).rules).toHaveLength(3);
});

test('the page names every function of the language, in both tongues', () => {
  for (const name of [...functions, ...methods])
    expect(page.split(/[^a-zA-Z_]+/).filter((word) => word === name).length, name).toBeGreaterThanOrEqual(2);
});
