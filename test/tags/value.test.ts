// Scope: user value in four layers: as a number of rules, as a breakdown, against a reader of raw events.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { brand as brandShape, rfmSettings } from '../../lib/platform/brand.ts';
import { emptyCells, type FoldedEvent, foldEvent } from '../../lib/tags/cells.ts';
import { nextChange } from '../../lib/tags/changes.ts';
import { evaluateTags } from '../../lib/tags/evaluate.ts';
import { evidence } from '../../lib/tags/explain.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';
import { explainValue, valuePlan } from '../../lib/tags/value.ts';
import { layerNames } from '../../lib/tags/value-ask.ts';
import { defaultValue } from '../../lib/tags/value-default.ts';
import { dice } from '../laws/world/random.ts';
import { aBrand } from '../profile/a-profile.ts';
import { dayOf } from './naive.ts';
import { DAY_MS, midnight } from './oracle.ts';

const rfm = rfmSettings.parse({});
type Events = readonly FoldedEvent[];
const bookOf = (whens: readonly string[], timezone = 'Asia/Shanghai', value = {}) =>
  compileRules(
    whens.map((when, i) => ({ tag: `t${i}`, when, version: 1 })),
    { timezone, rfm, value: { ...defaultValue, ...value } },
  );
const viewOf = (book: ReturnType<typeof bookOf>, events: Events) => {
  const cells = emptyCells();
  for (const event of events) foldEvent(book, cells, event);
  return { cells, traits: {} };
};
const told = (type: string, at: number, properties = {}): FoldedEvent => ({
  ...{ id: `${type}${at}`, type, at, channel: 'shop', properties },
});

/** Each layer by the raw events, as the table in the documentation has it. */
function naiveValue(events: Events, now: number, zone: string) {
  const today = dayOf(now, zone);
  const of = (type: string, days?: number) =>
    events.filter(
      (it) => it.type === type && it.at <= now && (days === undefined || dayOf(it.at, zone) > today - days),
    );
  const daysOf = (some: Events) => new Set(some.map(({ at }) => dayOf(at, zone))).size;
  const atMost = (most: number, points: number) => Math.min(most, Math.max(0, Math.floor(points)));
  const orders = of('order_paid', 365);
  const money = orders.reduce((sum, { properties: { paid_amount: it } }) => sum + Number(it), 0);
  const first = of('order_paid')[0];
  const age = first ? today - dayOf(first.at, zone) : -1;
  const [joined, left] = [of('member_registered').at(-1), of('member_left').at(-1)];
  const base =
    atMost(50, money / 10_000) + atMost(30, orders.length * 5) + (of('order_paid', 90).length > 0 ? 20 : 0);
  const potential =
    atMost(30, daysOf(of('product_viewed', 30)) * 5) +
    (of('product_added', 14).length > 0 && of('order_paid', 14).length === 0 ? 25 : 0) +
    atMost(20, daysOf(of('page_viewed', 30)) * 2) +
    atMost(15, of('message_link_clicked', 30).length * 5) +
    (of('message_received', 30).length + of('lead_submitted', 30).length > 0 ? 10 : 0);
  const spread =
    atMost(40, of('content_shared', 365).length * 10) +
    atMost(40, of('friend_invited', 365).length * 20) +
    atMost(20, of('content_commented', 365).length * 5 + of('content_liked', 365).length);
  const loyalty =
    (age >= 730 ? 20 : age >= 365 ? 14 : age >= 180 ? 7 : 0) +
    atMost(30, (daysOf(orders) - 1) * 6) +
    atMost(15, daysOf(of('page_viewed', 90))) +
    atMost(15, of('points_changed', 365).length * 3) +
    (joined && (!left || joined.at > left.at) ? 20 : 0);
  const value = Math.floor((40 * base + 20 * potential + 15 * spread + 25 * loyalty) / 100);
  return { value, base, potential, spread, loyalty };
}

const types = [
  ...['order_paid', 'order_paid', 'order_paid', 'product_viewed', 'product_added', 'page_viewed'],
  ...['page_viewed', 'message_link_clicked', 'message_received', 'lead_submitted', 'content_shared'],
  ...['friend_invited', 'content_commented', 'content_liked', 'points_changed', 'member_registered'],
  'member_left',
] as const;

function someEvents(throws: ReturnType<typeof dice>): FoldedEvent[] {
  const middle = Date.parse('2026-11-01') / DAY_MS;
  const days = throws.chance(0.5) ? 40 : 800;
  return Array.from({ length: throws.below(40) }, (_, n) => ({
    ...told(
      types[throws.below(types.length)] ?? types[0],
      (middle - throws.below(days)) * DAY_MS + n * 1000,
      {
        paid_amount: throws.below(90_000),
      },
    ),
    id: `e${n}`,
  })).sort((a, b) => a.at - b.at);
}

describe.each(['Asia/Shanghai', 'UTC', 'America/New_York'])('in %s', (zone) => {
  test('every layer, the whole, each rule that reads one and its next change are what counting the raw events day by day says', () => {
    const throws = dice(zone.length);
    const plan = valuePlan({ timezone: zone, rfm, value: defaultValue });
    let [changes, held] = [0, 0];
    for (let i = 0; i < 15; i++) {
      const events = someEvents(throws);
      const now = (events.at(-1)?.at ?? Date.parse('2026-11-01')) + throws.below(60) * DAY_MS;
      const view = viewOf(plan.book, events);
      const explained = explainValue(plan, view, now);
      const says = (at: number) => naiveValue(events, at, zone);
      const { value, ...layers } = says(now);
      const how = JSON.stringify({ events, now });
      expect(explained.value, how).toBe(value);
      for (const name of layerNames) expect(explained.layers[name].value, how).toBe(layers[name]);

      const midnights = Array.from({ length: 1097 }, (_, n) => midnight(dayOf(now, zone) + 1 + n, zone));
      const later = midnights.map((at) => ({ at, is: says(at) }));
      const firstWith = (differs: (is: ReturnType<typeof says>) => boolean) =>
        later.find(({ is }) => differs(is))?.at;
      const iso = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toISOString());
      expect(explained.nextChangeAt, how).toBe(iso(firstWith((is) => is.value !== value)));
      for (const name of layerNames)
        expect(explained.layers[name].nextChangeAt, how).toBe(
          iso(firstWith((is) => is[name] !== layers[name])),
        );

      const asked = [
        { when: `value() >= ${value + 1 - throws.below(8)}`, of: 'value' },
        ...layerNames.map((name) => ({
          when: `value("${name}") > ${layers[name] - 1 - throws.below(8)}`,
          of: name,
        })),
      ] as const;
      const book = bookOf(
        asked.map(({ when }) => when),
        zone,
      );
      const own = viewOf(book, events);
      for (const [n, { when, of }] of asked.entries()) {
        const bound = Number(when.split(' ').at(-1));
        const holds = (is: ReturnType<typeof says>) => (of === 'value' ? is[of] >= bound : is[of] > bound);
        expect(evaluateTags(book, own, now).has(`t${n}`), `${when} ${how}`).toBe(holds(says(now)));
        const change = firstWith((is) => holds(is) !== holds(says(now)));
        const found = nextChange(book, own, now, { tag: `t${n}`, limit: 10_000 });
        expect(found?.at, `${when} ${how}`).toBe(change);
        changes += Number(change !== undefined);
        held += Number(holds(says(now)));
      }
    }
    expect(changes).toBeGreaterThan(20);
    expect(held).toBeGreaterThan(20);
  });
});

const at = Date.parse('2026-11-01T04:00:00Z');
const orders = [40, 20, 3].map((days) =>
  told('order_paid', at - days * DAY_MS, { paid_amount: 33_333, order_id: `${days}` }),
);

test('the breakdown says what each part gives, what it read, and shares that add up to the whole', () => {
  const plan = valuePlan({ timezone: 'Asia/Shanghai', rfm, value: defaultValue });
  const shared = told('content_shared', at - DAY_MS);
  const explained = explainValue(plan, viewOf(plan.book, [...orders, shared]), at);
  // (40 · (9 + 15 + 20) + 15 · 10 + 25 · 12) / 100 = 22.1
  expect(explained.value).toBe(22);
  expect(explained.layers.base).toMatchObject({ value: 44, weight: 40, ppm: 796_380 });
  expect(explained.layers.base.parts.money).toEqual({
    points: 9,
    most: 50,
    per: 10_000,
    of: 'events("order_paid").within("365d").sum("paid_amount")',
    ppm: 162_896,
    leaves: [
      {
        text: 'events("order_paid").within("365d").sum("paid_amount")',
        feature: 'order_paid.paid_amount',
        window: { from: '2025-11-01T16:00:00.000Z', to: '2026-11-01T16:00:00.000Z' },
        value: 99_999,
      },
    ],
  });
  expect(explained.layers.potential).toMatchObject({ value: 0, ppm: 0 });
  const all = layerNames.map((name) => explained.layers[name]);
  expect(all.reduce((sum, { ppm }) => sum + ppm, 0)).toBe(1_000_000);
  for (const { ppm, parts } of all)
    expect(Object.values(parts).reduce((sum, it) => sum + it.ppm, 0)).toBe(ppm);
});

test('of somebody without events every number is 0, no share is told, and nothing ever changes: it is never missing', () => {
  const plan = valuePlan({ timezone: 'UTC', rfm, value: defaultValue });
  const nothing = explainValue(plan, viewOf(plan.book, []), at);
  expect([nothing.value, nothing.layers.base.ppm, nothing.nextChangeAt]).toEqual([0, 0, undefined]);
  const book = bookOf(['value() < 1', '!(value("spread") > 0)']);
  expect([...evaluateTags(book, viewOf(book, []), at).keys()]).toEqual(['t0', 't1']);
});

test('events behind a tag that reads a value are those of its layer; without them it is gone', () => {
  const book = bookOf(['value("base") >= 20', 'held(value("spread") >= 10, value() < 5)']);
  const events = [...orders, told('content_shared', at - DAY_MS), told('page_viewed', at - DAY_MS)];
  expect(evidence(book, 't0', events, at)).toEqual(orders.map(({ id }) => id));
  expect(evidence(book, 't1', events, at)).toContain(`content_shared${at - DAY_MS}`);
  expect(evaluateTags(book, viewOf(book, events), at).has('t0')).toBe(true);
  expect(evaluateTags(book, viewOf(book, events.slice(3)), at).has('t0')).toBe(false);
});

const one = (of: string, per = 1) => ({ weight: 10, parts: { it: { of, per, most: 100 } } });

test.each([
  ['events("order_paid").count() * 7', 1, 21],
  ['events("order_paid").sum("paid_amount")', 33_333, 3],
  ['events("order_paid").sum("paid_amount")', 33_334, 2],
  ['events("order_paid").avg("paid_amount") / 1000.0', 1, 33],
  ['events("order_paid").count() - 9', 1, 0],
  ['events("order_paid").any()', 1, 100],
  ['events("page_viewed").any()', 1, 0],
  ['trait("age")', 1, 0],
  ['events("order_paid").count() * 1000', 1, 100],
  ['rfm().f * 5', 1, 15],
])('a part of %s, one point for every %i, gives %i', (of, per, points) => {
  const value = { ...defaultValue, potential: one(of, per) };
  const plan = valuePlan({ timezone: 'UTC', rfm, value });
  expect(explainValue(plan, viewOf(plan.book, orders), at).layers.potential.value).toBe(points);
});

test('other layers are another rulebook, where a rule reads a value', () => {
  const digest = (when: string, value = {}) => bookOf([when], 'UTC', value).digest;
  const own = { base: one('events("order_paid").count()') };
  expect(digest('value() > 5', own)).not.toBe(digest('value() > 5'));
  expect(digest('true', own)).toBe(digest('true'));
});

test.each([
  [['value("depth") > 1'], {}, 'has the layers base, potential, spread, loyalty'],
  [['events("a").where(e, value() > 1).any()'], {}, 'reads its event only'],
  [['value("base") > 1'], { base: one('value("spread")') }, 'value() cannot stand in a part'],
  [['value("base") > 1'], { base: one('hasTag("t0")') }, 'hasTag() cannot stand in a part'],
  [['value("base") > 1'], { base: one('rfm("quintiles").m * 20') }, 'own cuts'],
  [['value("base") > 1'], { base: one('"text"') }, 'a number, or true or false'],
  [['value("base") > 1'], { base: one('events("a").last()') }, 'a number, or true or false'],
  [['value("base") > 1'], { base: one('events("a").count(') }, ''],
  [['value("base") > 1'], { base: one('events("a").count() + "x"') }, 'no such overload'],
])('%j with layers %j is refused', (whens, value, why) => {
  expect(() => bookOf(whens, 'UTC', value)).toThrow(why);
});

test('a brand that says nothing of a layer has no rule that reads it', () => {
  const rules = [{ tag: 't', version: 1, when: 'value("base") > 1' }];
  expect(() => compileRules(rules, { timezone: 'UTC', rfm })).toThrow('says nothing');
});

test('a brand whose parts do not add up to 100, or that gives a layer no weight, is none', () => {
  const { name, title, timezone, locale, currency, channels } = aBrand();
  const right = { name, title, timezone, locale, currency, channels };
  const isBrand = (value: unknown) => brandShape.safeParse({ ...right, value }).success;
  const base = one('events("a").count()');
  expect(isBrand({ base })).toBe(true);
  expect(isBrand({ base: { ...base, parts: { it: { ...base.parts.it, most: 99 } } } })).toBe(false);
  expect(isBrand({ base: { ...base, weight: 0 } })).toBe(false);
  expect(isBrand({ depth: base })).toBe(false);
});

test('the tables of the documentation name every part of the usual layers, and their weights', () => {
  for (const page of ['rules.md', 'rules.zh.md']) {
    const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
    for (const layer of layerNames) {
      const { weight, parts } = defaultValue[layer];
      const row = text
        .split('\n')
        .find((line) => new RegExp(`^\\| \`${layer}\`.{1,2}${weight}[)）]`).test(line));
      for (const [name, { most }] of Object.entries(parts)) {
        expect(row).toContain(`\`${name}\``);
        expect(row).toContain(`${most}`);
      }
    }
  }
});
