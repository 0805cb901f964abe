import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rfmSettings } from '../../lib/platform/brand.ts';
import { type Cells, emptyCells, type FoldedEvent, foldEvent, prune } from '../../lib/tags/cells.ts';
import { evaluateTags } from '../../lib/tags/evaluate.ts';
import { explainTag } from '../../lib/tags/explain.ts';
import { compileRules, type RuleBook } from '../../lib/tags/rulebook.ts';
import {
  ask,
  conditionText,
  holds,
  instantsAround,
  someAsked,
  someCondition,
  someEvents,
  textOf,
  zones,
} from './oracle.ts';

const rfm = rfmSettings.parse({});
const bookOf = (rules: Record<string, string>, timezone = 'Asia/Shanghai') =>
  compileRules(
    Object.entries(rules).map(([tag, when]) => ({ tag, when, version: 1 })),
    { timezone, rfm },
  );
const cellsOf = (book: RuleBook, events: readonly FoldedEvent[]): Cells => {
  const cells = emptyCells();
  for (const event of events) foldEvent(book, cells, event);
  return cells;
};
const anEvent = (at: string, properties = {}, type = 'order_paid'): FoldedEvent => ({
  id: at,
  type,
  at: Date.parse(at),
  properties,
  channel: 'shop',
});
const tagsOf = (rules: Record<string, string>, events: FoldedEvent[], at: string, traits = {}) => {
  const book = bookOf(rules);
  return [...evaluateTags(book, { cells: cellsOf(book, events), traits }, Date.parse(at)).keys()];
};

describe.each(zones)('in %s', (zone) => {
  test('every leaf says what the raw events say, at the ends of its window and a millisecond beside them', () => {
    fc.assert(
      fc.property(
        fc.array(someAsked(true), { minLength: 1, maxLength: 6 }),
        someEvents(zone),
        fc.nat(),
        (asked, events, seed) => {
          const rules = Object.fromEntries(asked.map((it, i) => [`t${i}`, `${textOf(it)} == ${textOf(it)}`]));
          const book = bookOf(rules, zone);
          const view = { cells: cellsOf(book, events), traits: {} };
          const instants = instantsAround(events, zone);
          for (let i = 0; i < 12 && instants.length > 0; i++) {
            const at = instants[(seed + i * 7919) % instants.length] ?? 0;
            for (const [i, it] of asked.entries()) {
              const [leaf] = explainTag(book, `t${i}`, view, at).leaves;
              const said = ask(it, events, at, zone);
              const isTime = it.aggregate === 'first' || it.aggregate === 'last';
              const expected =
                isTime && said !== undefined ? new Date(Number(said)).toISOString() : (said ?? null);
              expect({ leaf: leaf?.text, at, value: leaf?.value }).toEqual({
                leaf: leaf?.text,
                at,
                value: expected,
              });
            }
          }
        },
      ),
      { numRuns: 120 },
    );
  });

  test('every rule holds when the raw events say so, and not when they say no or nothing', () => {
    fc.assert(
      fc.property(
        fc.array(someCondition, { minLength: 1, maxLength: 4 }),
        someEvents(zone),
        fc.nat(),
        (conditions, events, seed) => {
          const book = bookOf(
            Object.fromEntries(conditions.map((it, i) => [`t${i}`, conditionText(it)])),
            zone,
          );
          const view = { cells: cellsOf(book, events), traits: {} };
          const instants = instantsAround(events, zone);
          for (let i = 0; i < 12 && instants.length > 0; i++) {
            const at = instants[(seed + i * 7919) % instants.length] ?? 0;
            const expected = conditions.flatMap((it, i) =>
              holds(it, events, at, zone) === true ? [`t${i}`] : [],
            );
            expect([...evaluateTags(book, view, at).keys()].sort()).toEqual(expected.sort());
          }
        },
      ),
      { numRuns: 120 },
    );
  });

  test('the order of events leaves no trace in what is kept, also when the past is dropped on the way', () => {
    fc.assert(
      fc.property(
        fc.array(someAsked(true), { minLength: 1, maxLength: 6 }),
        someEvents(zone).chain((events) =>
          fc.record({
            events: fc.constant(events),
            shuffled: fc.shuffledSubarray(events, { minLength: events.length }),
            cut: fc.nat({ max: Math.max(0, events.length - 1) }),
          }),
        ),
        (asked, { events, shuffled, cut }) => {
          const book = bookOf(
            Object.fromEntries(asked.map((it, i) => [`t${i}`, `${textOf(it)} == ${textOf(it)}`])),
            zone,
          );
          expect(JSON.stringify(cellsOf(book, shuffled))).toBe(JSON.stringify(cellsOf(book, events)));

          const at = events[cut]?.at ?? 0;
          const pruned = cellsOf(book, events);
          prune(book, pruned, at);
          const onTheWay = emptyCells();
          for (const event of shuffled) {
            foldEvent(book, onTheWay, event);
            if (event.at % 2 === 0) prune(book, onTheWay, at);
          }
          prune(book, onTheWay, at);
          expect(JSON.stringify(onTheWay)).toBe(JSON.stringify(pruned));
          for (const later of instantsAround(events, zone)
            .filter((it) => it >= at)
            .slice(0, 20))
            expect(evaluateTags(book, { cells: pruned, traits: {} }, later)).toEqual(
              evaluateTags(book, { cells: cellsOf(book, events), traits: {} }, later),
            );
        },
      ),
      { numRuns: 120 },
    );
  });
});

test('a lapsed customer is dormant at the midnight that ends the thirtieth day, not before', () => {
  const rules = {
    high_value_dormant:
      'events("order_paid").within("365d").sum("paid_amount") >= 300000 && !events("order_paid").within("30d").any()',
  };
  const order = [anEvent('2026-01-01T15:00:00.000Z', { paid_amount: 300_000 })]; // 23:00 in Shanghai
  expect(tagsOf(rules, order, '2026-01-30T15:59:59.999Z')).toEqual([]);
  expect(tagsOf(rules, order, '2026-01-30T16:00:00.000Z')).toEqual(['high_value_dormant']);
  expect(tagsOf(rules, order, '2026-12-31T15:59:59.999Z')).toEqual(['high_value_dormant']);
  expect(tagsOf(rules, order, '2026-12-31T16:00:00.000Z')).toEqual([]);
});

test('sums are exact: ten cents ten times are one yuan, and a trillion and a cent is not a trillion', () => {
  const tenth = Array.from({ length: 10 }, (_, i) => anEvent(`2026-01-01T00:00:00.00${i}Z`, { weight: 0.1 }));
  expect(
    tagsOf(
      { yuan: 'events("order_paid").sum("weight") >= 1 && events("order_paid").sum("weight") <= 1' },
      tenth,
      '2026-01-02T00:00:00Z',
    ),
  ).toEqual(['yuan']);
  const large = [
    anEvent('2026-01-01T00:00:00Z', { paid: 1e12 }),
    anEvent('2026-01-01T00:00:01Z', { paid: 1 }),
  ];
  expect(
    tagsOf({ more: 'events("order_paid").sum("paid") == 1000000000001' }, large, '2026-01-02T00:00:00Z'),
  ).toEqual(['more']);
});

test.each([
  ['a missing trait', 'trait("city") == "上海"'],
  ['a trait that was taken away', 'trait("gone") == "上海"'],
  ['a text compared with a number', 'trait("name") > 5'],
  ['the least of nothing', 'events("order_paid").min("paid_amount") >= 0'],
  ['the time of nothing', 'events("order_paid").last() > timestamp("2020-01-01T00:00:00Z")'],
  ['the value of a tag that is not held', 'tagValue("tier") == "gold"'],
  ['a score without a purchase', 'rfm().r >= 1'],
  ['a division by nothing', '1 / events("order_paid").count() >= 0'],
])('%s makes neither a rule nor its negation hold', (_, condition) => {
  const book = compileRules(
    [
      { tag: 'it', version: 1, when: condition },
      { tag: 'not_it', version: 1, when: `!(${condition})` },
      { tag: 'anyway', version: 1, when: `${condition} || true` },
      { tag: 'tier', version: 1, values: { gold: 'false' } },
    ],
    { timezone: 'UTC', rfm },
  );
  const view = { cells: emptyCells(), traits: { gone: null, name: 'Li' } };
  expect([...evaluateTags(book, view, 0)]).toEqual([['anyway', true]]);
});

test('whole numbers compare with whole numbers, and decimals with decimals', () => {
  const rules = {
    age: 'trait("age") >= 18 && trait("age") == 30',
    score: 'trait("score") > 4.4 && trait("score") < 5',
    city: 'trait("city") in ["上海", "北京"] && hasTrait("city") && !hasTrait("street")',
    interests: 'trait("interests").exists(i, i.startsWith("sk"))',
  };
  const traits = { age: 30, score: 4.5, city: '北京', interests: ['makeup', 'skincare'] };
  expect(tagsOf(rules, [], '2026-01-01T00:00:00Z', traits)).toEqual(['age', 'score', 'city', 'interests']);
});

test('a condition on an event that cannot be worked out lets the event out, and nothing else', () => {
  const rules = {
    big: 'events("order_paid").where(e, e.amount > 10).count() == 1',
    small: 'events("order_paid").where(e, !(e.amount > 10)).count() == 1',
    first: 'events("order_paid").where(e, e.items.exists(i, i.sku == "S1" && i.qty >= 2)).any()',
  };
  const events = [
    anEvent('2026-01-01T00:00:00Z', { amount: 11, items: [{ sku: 'S1', qty: 2 }] }),
    anEvent('2026-01-01T00:00:01Z', { amount: 9, items: 'none' }),
    anEvent('2026-01-01T00:00:02Z', { amount: 'many' }),
    anEvent('2026-01-01T00:00:03Z', {}),
  ];
  expect(tagsOf(rules, events, '2026-01-02T00:00:00Z')).toEqual(['big', 'small', 'first']);
});

test('a property that has the name of something else is reached through properties', () => {
  const events = [anEvent('2026-01-01T00:00:00Z', { channel: 'kiosk', constructor: 1 })];
  const rules = {
    sent_by: 'events("order_paid").where(e, e.channel == "shop").any()',
    said: 'events("order_paid").where(e, e.properties.channel == "kiosk").any()',
    odd: 'events("order_paid").sum("constructor") == 1 && events("order_paid").sum("toString") == 0',
  };
  expect(tagsOf(rules, events, '2026-01-02T00:00:00Z')).toEqual(['sent_by', 'said', 'odd']);
});

test('the first value that holds is the tag, and rules read other tags whatever order they stand in', () => {
  const book = compileRules(
    [
      { tag: 'vip', version: 1, when: 'tagValue("tier") == "gold" && hasTag("tier") && !hasTag("lost")' },
      {
        tag: 'tier',
        version: 3,
        values: { gold: 'rfm().m >= 4 && rfm().f >= 1', silver: 'rfm().m >= 3', bronze: 'true' },
      },
      { tag: 'lost', version: 1, when: 'rfm().r == 1' },
    ],
    { timezone: 'UTC', rfm },
  );
  const order = anEvent('2026-01-01T12:00:00Z', { paid_amount: 100_000 });
  const view = { cells: cellsOf(book, [order]), traits: {} };
  const at = (time: string) => Object.fromEntries(evaluateTags(book, view, Date.parse(time)));
  expect(at('2026-01-02T00:00:00Z')).toEqual({ tier: 'gold', vip: true });
  expect(at('2026-06-30T00:00:00Z')).toEqual({ tier: 'gold', lost: true });
  expect(at('2027-01-01T00:00:00Z')).toEqual({ tier: 'bronze' });
});

test('of events at one instant the ids decide which is the first and which the last', () => {
  const twins = ['b', 'a', 'c'].map((id) => ({ ...anEvent('2026-01-01T00:00:00Z', { store: id }), id }));
  const rules = {
    ever: 'events("order_paid").first("store") == "a" && events("order_paid").last("store") == "c"',
    today: 'events("order_paid").within("1d").first("store") == "a"',
    hours: 'events("order_paid").within("24h").last("store") == "c"',
  };
  expect(tagsOf(rules, twins, '2026-01-01T01:00:00Z')).toEqual(['ever', 'today', 'hours']);
});
