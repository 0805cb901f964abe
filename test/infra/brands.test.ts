import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { brandNames, checkBrand, loadBrand, parseBrandFile } from '../../infra/brands/load.ts';
import { secretReferences } from '../../lib/channels/registry.ts';

test.each(brandNames())(
  '%s is called what its file is called, and has both languages of every tag',
  (name) => {
    const brand = loadBrand(name);
    expect(brand.name).toBe(name);
    expect(brand.rules.length).toBeGreaterThanOrEqual(15);
    for (const rule of brand.rules) expect(rule.name?.zh && rule.name.en, rule.tag).toBeTruthy();
  },
);

test.each(brandNames())('%s runs on a laptop: each secret that it names is there', (name) => {
  const brand = loadBrand(name);
  const references = secretReferences(brand);
  expect(Object.keys(brand.local?.secrets ?? {}).sort()).toEqual(references.sort());
  expect(Object.keys(brand.local?.keys ?? {}).sort()).toEqual(['admin', 'operator', 'privacy']);
});

test('the two brands differ in zone, language, currency and goals', () => {
  const [beauty, school] = [loadBrand('demo'), loadBrand('demo-edu')];
  for (const of of ['timezone', 'locale', 'currency'] as const) expect(beauty[of]).not.toBe(school[of]);
  expect(school.conversions.map(({ goal }) => goal)).toEqual(['enrolment', 'order', 'trial']);
});

describe('a brand that cannot be deployed says where and why', () => {
  const wrong = (changes: object) => () => checkBrand({ ...loadBrand('demo'), ...changes }, 'my-brand.json');

  test('an unknown name is answered with the known ones', () => {
    expect(() => loadBrand('dmeo')).toThrow('no brand "dmeo": infra/brands knows demo, demo-edu');
    expect(() => loadBrand('constructor')).toThrow('no brand "constructor"');
  });

  test('a wrong time zone', () => {
    expect(wrong({ timezone: 'China/Shanghai' })).toThrow(
      /my-brand\.json is not a valid brand:\n.*not an IANA time zone.*\n.*at timezone/,
    );
  });

  test('a property that nobody knows', () => {
    expect(wrong({ currancy: 'CNY' })).toThrow(/Unrecognized key: "currancy"/);
  });

  test('a rule that does not compile, with the place', () => {
    const rule = { tag: 'vip', when: 'events("order_paid").within("30d").any(' };
    expect(wrong({ rules: [rule] })).toThrow(/my-brand\.json: rule vip: .*\n.*any\(\n *\^/s);
  });

  test('a tag with two rules', () => {
    const rule = { tag: 'vip', when: 'true' };
    expect(wrong({ rules: [rule, rule] })).toThrow(/my-brand\.json: rule vip/);
  });

  test('a channel, or a setting of one, that nobody knows', () => {
    expect(wrong({ channels: { fax: { main: {} } } })).toThrow(/channels\.fax: no such channel/);
    expect(wrong({ channels: { generic: { pos: {} } } })).toThrow(/channels\.generic\.pos: .*secret/);
  });

  test('a secret in place of the name of one, without saying it aloud', () => {
    const channels = { generic: { pos: { secret: 'whsec_c2VjcmV0' } } };
    expect(wrong({ channels })).toThrow(/channels\.generic\.pos: `secret` is the name of a secret/);
    expect(wrong({ channels })).not.toThrow(/c2VjcmV0/);
  });

  test('the name of the brand’s own key, taken by a channel', () => {
    expect(wrong({ channels: { generic: { pos: { secret: 'identity' } } } })).toThrow(/brand's own key/);
  });

  test('a file that is not there, or not JSON', () => {
    expect(() => parseBrandFile('/nowhere/brand.json')).toThrow(/\/nowhere\/brand\.json: ENOENT/);
    const file = join(mkdtempSync(join(tmpdir(), 'siyu-brand-')), 'brand.json');
    writeFileSync(file, '{"name": ');
    expect(() => parseBrandFile(file)).toThrow(/brand\.json: .*JSON/);
  });
});

test('a brand from a file is a brand like any other', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'siyu-brand-')), 'brand.json');
  writeFileSync(file, JSON.stringify(loadBrand('demo-edu')));
  expect(parseBrandFile(file)).toEqual(loadBrand('demo-edu'));
});
