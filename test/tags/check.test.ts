// Scope: what a check finds in a draft, before it is put; over HTTP as people ask.
import { describe, expect, test } from 'vitest';
import { checkRule, type Finding, refusePersonal } from '../../lib/tags/check.ts';
import { defaultValue } from '../../lib/tags/value-default.ts';
import { aBrand, active, aVisit, buyer } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aSurveyor } from './a-survey.ts';

const others = [
  { tag: 'buyer', version: 1, when: 'events("order_paid").any()' },
  { tag: 'tier', version: 1, values: { gold: 'rfm().m >= 4', silver: 'rfm().m >= 3' } },
  { tag: 'fresh', version: 2, when: 'events("page_viewed").within("7d").any() && hasTag("buyer")' },
];

function check(draft: string | Record<string, string>, tag = 'draft') {
  const rule = { tag, version: 1, ...(typeof draft === 'string' ? { when: draft } : { values: draft }) };
  const rest = others.filter((it) => it.tag !== tag);
  return checkRule(rule, [...rest, rule], others, aBrand({ rules: [], value: defaultValue }));
}
const types = (findings: readonly Finding[]) => findings.map(({ severity, type }) => `${severity} ${type}`);

describe('what can come out only one way is found', () => {
  test.each([
    ['true', 'always_true'],
    ['1 > 2', 'always_false'],
    ['events("order_paid").count() >= 0', 'always_true'],
    ['events("order_paid").count() > 3 && events("order_paid").count() < 3', 'always_false'],
    ['events("order_paid").count() > 2 && 3 > events("order_paid").count()', 'always_false'],
    ['hasTag("buyer") || !hasTag("buyer")', 'always_true'],
    ['trait("city") == "上海" && trait("city") == "北京"', 'always_false'],
    ['trait("city") in ["上海"] && trait("city") != "上海"', 'always_false'],
    ['tagValue("tier") == "platinum"', 'always_false'],
    ['rfm().r > 5', 'always_false'],
    ['bucket("spring", 10) >= 10', 'always_false'],
    ['bucket("spring", 10) < -1', 'always_false'],
    ['kOf(2, [hasTag("buyer"), !hasTag("buyer"), true])', 'always_true'],
    ['events("order_paid").any() ? false : events("order_paid").any()', 'always_false'],
    [
      'events("order_paid").avg("paid_amount") > 1.5 && events("order_paid").avg("paid_amount") < 1.5',
      'always_false',
    ],
  ])('%s: %s', (when, type) => {
    expect(types(check(when).findings)).toEqual([`warning ${type}`]);
  });

  test.each([
    'events("order_paid").count() > 2 && events("order_paid").count() < 4',
    'events("order_paid").avg("paid_amount") > 1.0 && events("order_paid").avg("paid_amount") < 1.1',
    'trait("city") == "上海" || trait("city") != "上海"', // not of those whose city nobody knows
    'hasTag("buyer") && !hasTag("fresh")',
    'tagValue("tier") == "gold"',
    'rfm().r >= 5',
    'bucket("spring", 10) < 1',
    'events("order_paid").within("7d").count() > events("order_paid").between("14d", "7d").count()',
    'double(events("order_paid").count()) > 2.0 && events("order_paid").count() < 2', // more than it can tell
    'trait("points") > 3 && trait("points") < 4',
  ])('%s can come out both ways', (when) => {
    expect(check(when).findings).toEqual([]);
  });

  test.each([
    ['value() >= 101', 'always_false'],
    ['value() >= 100', undefined],
    ['0 <= value()', 'always_true'],
    ['value("base") > 100', 'always_false'],
    ['value("base") != 0', undefined],
    ['value("spread") + value("loyalty") < 201', 'always_true'],
    ['value("base") * 2 == 201', 'always_false'],
    ['value("base") - value("spread") > 0', undefined],
  ])('%s, of points that have a least and a most: %s', (when, type) => {
    const found = check(when).findings.map((it) => it.type);
    expect(found.filter((it) => it.startsWith('always'))).toEqual(type === undefined ? [] : [type]);
  });

  test('a value that what stands above it always takes is named', () => {
    const draft = {
      some: 'events("order_paid").count() >= 1',
      many: 'events("order_paid").count() >= 5',
      none: 'events("order_paid").count() == 0',
    };
    expect(check(draft).findings).toMatchObject([{ severity: 'warning', type: 'never', value: 'many' }]);
    expect(types(check({ all: 'true', rest: 'hasTag("buyer")' }).findings)).toEqual(['warning always_true']);
  });
});

test.each([
  ['hasTag("buyer") && events("page_viewed").within("7d").any()', 'fresh'],
  ['(events("order_paid")).any()', 'buyer'],
])('%s says what the tag %s says', (when, tag) => {
  expect(check(when).findings).toMatchObject([{ severity: 'warning', type: 'duplicate', tag }]);
  expect(check(when, tag).findings).toEqual([]); // it may say again what it says
});

test('values in another order are another rule', () => {
  expect(check({ gold: 'rfm().m >= 4', silver: 'rfm().m >= 3' }).findings).toMatchObject([{ tag: 'tier' }]);
  expect(types(check({ silver: 'rfm().m >= 3', gold: 'rfm().m >= 4' }).findings)).toEqual(['warning never']);
});

test.each([
  ['events("order_paid").count() > "b"', 'type'],
  ['events("order_paid").count() >', 'syntax'],
  ['hasTag("nobody")', 'name'],
  ['events("order_paid").within("9999d").any()', 'window'],
])('%s does not compile, and it is said where', (when, type) => {
  const { findings, cost } = check(when);
  expect(findings).toMatchObject([{ severity: 'error', type, line: 1 }]);
  expect(findings[0]?.caret).toContain('^');
  expect(cost).toBeUndefined();
});

test('a circle is found', () => {
  expect(types(check('hasTag("fresh")', 'buyer').findings)).toEqual(['error cycle']);
});

describe('what belongs to one person', () => {
  test.each([
    ['trait("mobile_no") == "13800138000"', 'a phone number'],
    ['trait("contact") == "+8613800138000"', 'a phone number'],
    ['trait("contact") == "+442071838750"', 'a phone number'],
    ['trait("contact") == 13800138000', 'a phone number'],
    ['events("order_paid").where(e, e.buyer == "li.lei@example.com").any()', 'an e-mail address'],
    ['trait("x") in ["a", "li@mail.example.com"]', 'an e-mail address'],
    ['trait("x") == "11010519900307123X"', 'an identity card number'],
    ['trait("x") == "oABCDEFGHIJKLMNOPQRSTUVWXYZ1"', 'a WeChat identifier'],
  ])('%s is an error that does not say the value', (when, of) => {
    const [finding] = check(when).findings;
    expect(finding).toMatchObject({ severity: 'error', type: 'personal' });
    expect(finding?.message).toContain(of);
    expect(finding?.message).not.toMatch(/\d{5}|@|oABC/);
    expect(() => refusePersonal({ tag: 'draft', when })).toThrow(of);
  });

  test('a trait that names somebody is warned of where it is read, not where it is asked for', () => {
    expect(types(check('trait("phone").startsWith("+86")').findings)).toEqual(['warning personal']);
    expect(check('hasTrait("phone")').findings).toEqual([]);
  });

  test.each([
    'trait("mail_domain").matches("(?i)@example\\\\.(com|cn)$")',
    'events("order_paid").where(e, e.store_id == "SH01" && e.paid_amount >= 50000).any()',
    'events("order_paid").sum("paid_amount") >= 300000',
    'trait("level") == "2026-11-11"',
  ])('%s holds nobody', (when) => {
    expect(check(when).findings).toEqual([]);
  });
});

test('what it costs: what is new, and what others have counted already', () => {
  const { cost } = check(
    'events("page_viewed").within("7d").any() && events("checked_in").within("30d").count() > 2',
  );
  expect(cost).toEqual({ leaves: 2, features: 2, newFeatures: 1, days: 30 });
  const dear = check('events("a").within("1095d").count() > 2 && events("b").within("365d").any()');
  expect(dear.cost?.days).toBe(1460);
  expect(types(dear.findings)).toEqual(['warning cost']);
});

test('asked over HTTP it changes nothing; PUT refuses errors and takes warnings', async () => {
  const world = aWorld({ brand: aBrand({ rules: [buyer, active] }) });
  await world.take(aVisit(0));
  const { post, send } = await aSurveyor(world);
  const before = world.rows.snapshot();
  expect(await post('/rules/again/check', buyer.when)).toMatchObject({
    status: 200,
    findings: [{ tag: 'buyer' }],
  });
  expect(await post('/rules/again/check', '{"when": 3}')).toMatchObject({ findings: [{ type: 'shape' }] });
  expect(await post('/rules/again/check', 'hasTag("nobody")')).toMatchObject({
    findings: [{ severity: 'error' }],
  });
  expect(world.rows.snapshot()).toBe(before);

  const personal = await send('PUT', '/rules/one', 'trait("x") == "13800138000"', 'admin');
  expect(personal).toMatchObject({ status: 422, said: { error: { type: 'personal', line: 1 } } });
  expect(JSON.stringify(personal.said.error.message)).not.toContain('1380');
  expect(world.rows.snapshot()).toBe(before);
  expect(await send('PUT', '/rules/again', buyer.when, 'admin')).toMatchObject({ status: 200 });
});
