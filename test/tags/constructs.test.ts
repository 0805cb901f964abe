import { describe, expect, test } from 'vitest';
import { emptyCells, type FoldedEvent, foldEvent } from '../../lib/tags/cells.ts';
import { evaluateTags } from '../../lib/tags/evaluate.ts';
import { evidence } from '../../lib/tags/explain.ts';
import { RuleError } from '../../lib/tags/rule-error.ts';
import { dice } from '../laws/world/random.ts';
import { book, explained, leafOf, onDays, order } from './asked.ts';
import { someEra, someHistory } from './grammar.ts';

describe('an aggregate', () => {
  const orders = [
    order('2026-03-01T00:00:00Z', { amount: 10 }),
    order('2026-03-02T00:00:00Z', { amount: 25 }),
  ];

  test('avg is of numbers only, and missing where there is none', () => {
    const odd = [...orders, order('2026-03-02T01:00:00Z', { amount: 'many' }), order('2026-03-02T02:00:00Z')];
    expect(leafOf('.avg("amount")', odd, '2026-03-03T00:00:00Z')).toBe(17.5);
    expect(leafOf('.within("2d").avg("amount")', odd, '2026-03-03T00:00:00Z')).toBe(25);
    expect(leafOf('.within("25h").avg("amount")', odd, '2026-03-02T00:00:00Z')).toBe(17.5);
    expect(leafOf('.avg("nothing")', odd, '2026-03-03T00:00:00Z')).toBe(null);
  });

  test('distinct tells 64 values apart, says when there are more, and keeps a bounded part of long texts', () => {
    const shops = (n: number) =>
      Array.from({ length: n }, (_, i) =>
        order(
          `2026-03-01T00:${String(i % 60).padStart(2, '0')}:${String(Math.floor(i / 60)).padStart(2, '0')}Z`,
          {
            store: `a shop with a long name, number ${i}`,
          },
        ),
      );
    for (const window of ['', '.within("30d")', '.thisMonth()', '.from("2026-03-01").to("2026-03-02")']) {
      expect(leafOf(`${window}.distinct("store")`, shops(64), '2026-03-02T00:00:00Z')).toBe(64);
      const many = leafOf(`${window}.distinct("store")`, shops(300), '2026-03-02T00:00:00Z');
      expect(many).toBe('more than 64');
    }
    const rules = book(
      'UTC',
      'events("order").distinct("store") > 64',
      'events("order").distinct("store") <= 64',
    );
    const cells = emptyCells();
    for (const event of [...shops(300), ...shops(300)]) foldEvent(rules, cells, event);
    expect([...evaluateTags(rules, { cells, traits: {} }, Date.parse('2026-03-02')).keys()]).toEqual(['t0']);
    expect(JSON.stringify(cells).length).toBeLessThan(1200);
  });

  test('with more than 64 values only a comparison with a number up to 64 is answered, anything else is missing', () => {
    const counted = 'events("order").distinct("v")';
    const answered = [
      `${counted} > 64`,
      `64.0 <= ${counted}`,
      `!(${counted} == 64)`,
      `${counted} != -1`,
      `${counted} > 64 || ${counted} + 0 < 1`,
    ];
    const unknown = [
      `double(${counted}) >= 65.0`,
      `${counted} + 0 >= 65`,
      `${counted} >= 60 + 5`,
      `${counted} >= ${counted.replace('order', 'page_viewed')}`,
      `${counted} in [65, 300]`,
      `ratio(${counted}, 5) > 1.0`,
      `int(trait("n")) <= ${counted}`,
      `kOf(1, [${counted} * 1 > 3])`,
    ].flatMap((when) => [when, `!(${when})`]);
    const rules = book('UTC', ...answered, ...unknown);
    const held = (n: number) => {
      const cells = emptyCells();
      for (let v = 0; v < n; v++)
        foldEvent(rules, cells, { ...order('2026-03-01T00:00:00Z', { v }), id: `e${v}` });
      return evaluateTags(rules, { cells, traits: { n: 7 } }, Date.parse('2026-03-02'));
    };
    expect([...held(300).keys()]).toEqual(answered.map((_, i) => `t${i}`));
    // With 64 each of the others or its negation holds: it is known.
    const known = held(64);
    const pairs = unknown.map((_, i) => known.has(`t${answered.length + i}`));
    expect(pairs.filter(Boolean)).toHaveLength(unknown.length / 2);
  });

  test('distinct tells 1, "1" and true apart, and an empty text from none', () => {
    const values = [1, '1', true, 1, '', null, ['1']];
    const events = values.map((v, i) => order(`2026-03-01T00:00:0${i}Z`, { v }));
    expect(leafOf('.distinct("v")', events, '2026-03-02T00:00:00Z')).toBe(4);
  });

  test('firstEver holds while the first event of all time is in the window', () => {
    const events = onDays('03-01', '03-05');
    const over = (call: string) =>
      ['03-05T12', '03-07T23', '03-08T00'].map((at) =>
        leafOf(`${call}.firstEver()`, events, `2026-${at}:00:00.000Z`),
      );
    expect(over('.within("7d")')).toEqual([true, true, false]);
    expect(over('.from("2026-03-05").to("2026-03-06")')).toEqual([false, false, false]);
    expect(over('.from("2026-03-01").to("2026-03-02")')).toEqual([true, true, true]);
  });
});

describe('a window', () => {
  test('between two lengths ends where the shorter one begins', () => {
    const events = onDays('03-01', '03-02', '03-03');
    const counts = ['03-03', '03-04', '03-05', '03-06'].map((day) =>
      leafOf('.between("3d", "1d").count()', events, `2026-${day}T00:00:00.000Z`),
    );
    expect(counts).toEqual([2, 2, 1, 0]);
    expect(leafOf('.between("48h", "12h").count()', events, '2026-03-03T23:59:59.999Z')).toBe(1);
    expect(leafOf('.between("48h", "12h").count()', events, '2026-03-04T00:00:00.000Z')).toBe(2);
  });

  test('of a week begins on Monday, of a month on the first, both at local midnight', () => {
    const events = [order('2026-11-01T15:59:59.999Z'), order('2026-11-01T16:00:00.000Z')]; // Sunday, Monday 2 November
    const at = (call: string, time: string) => leafOf(`${call}.count()`, events, time, 'Asia/Shanghai');
    expect(at('.thisWeek()', '2026-11-01T15:59:59.999Z')).toBe(1);
    expect(at('.thisWeek()', '2026-11-01T16:00:00.000Z')).toBe(1);
    expect(at('.lastWeek()', '2026-11-01T16:00:00.000Z')).toBe(1);
    expect(at('.lastWeeks(2)', '2026-11-08T16:00:00.000Z')).toBe(2);
    expect(at('.thisMonth()', '2026-11-30T15:59:59.999Z')).toBe(2);
    expect(at('.thisMonth()', '2026-11-30T16:00:00.000Z')).toBe(0);
    expect(at('.lastMonth()', '2026-11-30T16:00:00.000Z')).toBe(2);
    expect(at('.lastMonths(3)', '2027-02-10T00:00:00.000Z')).toBe(2);
    expect(at('.lastMonths(3)', '2027-02-28T16:00:00.000Z')).toBe(0);
  });

  test('of dates counts the first day and not the last, and keeps no more than a number', () => {
    const events = onDays('10-31', '11-01', '11-11', '11-12');
    expect(leafOf('.from("2026-11-01").to("2026-11-12").count()', events, '2027-12-01T00:00:00Z')).toBe(2);
    const rules = book('UTC', 'events("order").from("2026-11-01").to("2026-11-12").count() > 1');
    const cells = emptyCells();
    for (const event of events) foldEvent(rules, cells, event);
    expect(JSON.stringify(Object.values(cells))).toBe('[{"t":[2]}]');
  });

  test('is shown in an explanation from its first instant to its last', () => {
    const windowOf = (call: string) =>
      explained(`events("order")${call}.any()`, [], '2026-03-10T12:00:00Z', 'America/New_York').leaves[0]
        ?.window;
    expect(windowOf('.thisWeek()')).toEqual({
      from: '2026-03-09T04:00:00.000Z',
      to: '2026-03-16T04:00:00.000Z',
    });
    expect(windowOf('.lastWeek()')).toEqual({
      from: '2026-03-02T05:00:00.000Z',
      to: '2026-03-09T04:00:00.000Z',
    });
    expect(windowOf('.lastMonths(2)')).toEqual({
      from: '2026-01-01T05:00:00.000Z',
      to: '2026-03-01T05:00:00.000Z',
    });
    expect(windowOf('.between("3d", "1d")')).toEqual({
      from: '2026-03-08T05:00:00.000Z',
      to: '2026-03-10T04:00:00.000Z',
    });
    expect(windowOf('.between("3h", "1h")')).toEqual({
      from: '2026-03-10T09:00:00.000Z',
      to: '2026-03-10T11:00:00.000Z',
    });
    expect(windowOf('.from("2026-03-08").to("2026-03-09")')).toEqual({
      from: '2026-03-08T05:00:00.000Z',
      to: '2026-03-09T04:00:00.000Z',
    });
  });

  test('and the one before it are read from one feature: a trend costs no more to keep', () => {
    const rules = book(
      'UTC',
      'events("order").within("30d").count() > events("order").between("60d", "30d").count()',
    );
    expect(rules.features.filter(({ type }) => type === 'order')).toHaveLength(1);
  });
});

describe('days in a row', () => {
  const events = onDays('03-01', '03-02', '03-03', '03-05', '03-06');

  test('are the longest run of the window, or of all time', () => {
    const at = '2026-03-06T12:00:00.000Z';
    expect(leafOf('.daysInRow()', events, at)).toBe(3);
    expect(leafOf('.within("5d").daysInRow()', events, at)).toBe(2);
    expect(leafOf('.thisMonth().daysInRow()', events, at)).toBe(3);
  });

  test('up to now are a streak: today may still come, and after a day without it is over', () => {
    const streak = (day: string) => leafOf('.within("30d").streak()', events, `2026-03-${day}:00.000Z`);
    expect(['06T12:00', '07T23:59', '08T00:00'].map(streak)).toEqual([2, 2, 0]);
    expect(leafOf('.within("1d").streak()', events, '2026-03-06T12:00:00.000Z')).toBe(1);
  });

  test('weeks with so many events are counted from Monday', () => {
    const weekly = onDays('03-02', '03-08', '03-09', '03-11', '03-12', '03-16');
    const weeks = (call: string) => leafOf(call, weekly, '2026-03-18T00:00:00.000Z');
    expect(weeks('.lastWeeks(3).weeksWith(2)')).toBe(2);
    expect(weeks('.lastWeeks(3).weeksWith(3)')).toBe(1);
    expect(weeks('.within("10d").weeksWith(1)')).toBe(2);
  });
});

test('stopped, restarted and dormant say where somebody stands', () => {
  const rules = book(
    'UTC',
    ...['stopped', 'restarted', 'dormant'].map((it) => `events("order").${it}("7d")`),
  );
  const tags = (day: string, ...days: string[]) => {
    const cells = emptyCells();
    for (const event of onDays(...days)) foldEvent(rules, cells, event);
    return [...evaluateTags(rules, { cells, traits: {} }, Date.parse(`2026-${day}T12:00:00Z`)).keys()].join();
  };
  expect(tags('03-07', '03-01')).toBe(''); // new
  expect(tags('03-08', '03-01')).toBe('t0,t2');
  expect(tags('03-15', '03-01')).toBe('t2');
  expect(tags('03-20', '03-01', '03-20')).toBe('t1');
  expect(tags('03-20', '03-10', '03-20')).toBe(''); // was away, but not so long
});

test('lastIs looks at the last event, also where it does not say', () => {
  const rules = book(
    'UTC',
    'events("order").lastIs(e, e.store == "A")',
    '!events("order").lastIs(e, e.store == "A")',
  );
  const tags = (...stores: (string | undefined)[]) => {
    const cells = emptyCells();
    for (const [i, store] of stores.entries())
      foldEvent(rules, cells, order(`2026-03-0${i + 1}T00:00:00Z`, store === undefined ? {} : { store }));
    return [...evaluateTags(rules, { cells, traits: {} }, Date.parse('2026-04-01')).keys()];
  };
  expect(tags('B', 'A')).toEqual(['t0']);
  expect(tags('A', 'B')).toEqual(['t1']);
  expect(tags('A', undefined)).toEqual(['t1']);
  expect(tags('B')).toEqual(['t1']);
  expect(tags()).toEqual([]);
});

test('a bucket is drawn once for a profile, by its first event, and alike for all', () => {
  const rules = book(
    'UTC',
    ...[10, 50, 100].map((n) => `bucket("spring", 100) < ${n}`),
    'bucket("autumn", 100) < 50',
  );
  const tags = (...events: FoldedEvent[]) => {
    const cells = emptyCells();
    for (const event of events) foldEvent(rules, cells, event);
    return [...evaluateTags(rules, { cells, traits: {} }, 0).keys()].join();
  };
  const one = order('2026-03-01T00:00:00Z');
  const late = { ...order('2026-02-01T00:00:00Z'), type: 'page_viewed' };
  expect(tags(one, order('2026-03-02T00:00:00Z'))).toBe(tags(one));
  expect(tags(one, late)).toBe(tags(late, one));
  const drawn = Array.from({ length: 3000 }, (_, i) => tags({ ...one, id: `e${i}` }));
  const share = (tag: string) => drawn.filter((it) => it.includes(tag)).length / 3000;
  expect(share('t0')).toBeCloseTo(0.1, 1);
  expect(share('t1')).toBeCloseTo(0.5, 1);
  expect(share('t2')).toBe(1);
  expect(drawn.filter((it) => it.includes('t1') && it.includes('t3')).length / 3000).toBeCloseTo(0.25, 1);
  expect(tags()).toBe('');
});

describe('what cannot be answered is refused in words:', () => {
  test.each([
    ['events("a").distinct("p") > 65', 'distinct() counts up to 64'],
    ['100 <= events("a").within("3d").distinct("p")', 'distinct() counts up to 64'],
    ['!(events("a").distinct("p") >= 64.5)', 'distinct() counts up to 64'],
    ['events("a").firstEver()', 'give it one'],
    ['events("a").streak() > 1', 'counts no further back'],
    ['events("a").lastWeek().streak() > 1', 'counts no further back'],
    ['events("a").weeksWith(2) > 1', 'a window of days, weeks or months'],
    ['events("a").within("3h").weeksWith(2) > 1', 'a window of days, weeks or months'],
    ['events("a").lastWeeks(4).weeksWith(0) > 1', 'a whole number, 1 to'],
    ['events("a").within("24h").daysInRow() > 1', 'hours are no window'],
    ['events("a").between("30d", "60d").any()', 'from the longer to the shorter'],
    ['events("a").between("30d", "30d").any()', 'from the longer to the shorter'],
    ['events("a").between("30d", "12h").any()', 'of one unit'],
    ['events("a").lastWeeks(157).any()', '1 to 156'],
    ['events("a").lastMonths(0).any()', '1 to 36'],
    ['events("a").thisWeek().within("3d").any()', 'events have one window'],
    ['events("a").from("2026-11-01").any()', '.from("2026-11-01").to("2026-11-12")'],
    ['events("a").from("2026-11-12").to("2026-11-12").any()', 'the first that does not count'],
    ['events("a").from("2026-02-30").to("2026-11-12").any()', 'takes a date'],
    ['events("a").within("7d").dormant("7d")', 'has its own window'],
    ['events("a").stopped("548d")', '"1d" to "547d"'],
    ['events("a").dormant("36h")', 'takes brand-days'],
    ['kOf(3, [true, false])', '1 to 2'],
    ['kOf(1, [1, 2])', 'must be true or false'],
    ['kOf(1, trait("list"))', 'a list of conditions'],
    ['bucket("a", 0) < 1', '1 to 10000'],
    ['events("a").where(e, bucket("a", 2) < 1).any()', 'reads its event only'],
    ['ratio("a", 2) > 1.0', 'ratio'],
    ['events("a").nth(11) == events("a").last()', '1 to 10'],
    ['events("a").within("7d").nth(2) == events("a").last()', 'from the first of all time'],
    ['events("a").after(events("b").first()).any()', 'stands behind within'],
    ['events("a").within("7d").after(events("b").first()).thisWeek().any()', 'events have one window'],
    ['events("a").within("7d").after(events("b").within("3d").first()).any()', 'a window that moves'],
    ['events("a").within("7d").after(hasTrait("b")).any()', 'no matching overload'],
    ['events("a").within("7d").after(events("b").last("c")).any()', 'takes trait("…")'],
    ['events("a").within("7h").after(trait("b")).any()', 'hours are no window'],
    ['events("a").within("7h").after(events("b").last()).daysInRow() > 1', 'hours are no window'],
    ['events("a").within("7d").after(events("b").last()).streak() > 1', 'no window that is anchored'],
    ['events("a").within("7d").after(events("b").last()).stopped("3d")', 'has its own window'],
    ['trait("born").before("2026-02-30")', 'takes a date'],
    ['trait("born").anniversary("366d")', '"1d" to "365d"'],
    ['trait("born").withinNext("24h")', 'takes brand-days'],
    ['trait("born").withinLast(trait("a"))', 'takes a literal text'],
    ['events("a").within("7d").last().withinLast("3d")', 'a window that moves'],
    ['events("a").count().on("2026-01-01")', 'is asked of trait("…")'],
    ['weekday(trait("a")) == 1', 'inside where()'],
    ['events("a").where(e, weekday(e.at) == 1).any()', 'the event itself'],
    ['events("a").where(e, e.items.exists(i, hour(i) == 1)).any()', 'the event itself'],
  ])('%s', (when, message) => {
    expect(() => book('UTC', when)).toThrow(RuleError);
    expect(() => book('UTC', when)).toThrow(message);
  });
});

test('without the events shown as evidence, what held does not hold', () => {
  const whens = [
    '.avg("amount") > 0.0',
    '.lastMonth().distinct("store") >= 1',
    '.between("30d", "3d").count() >= 1',
    '.within("30d").firstEver()',
    '.within("60d").streak() >= 1',
    '.lastWeeks(3).weeksWith(1) >= 1',
    '.thisMonth().daysInRow() >= 2',
    '.stopped("7d")',
    '.restarted("3d")',
    '.dormant("7d")',
    '.lastIs(e, e.store == "A")',
    '.within("7d").after(events("page_viewed").first()).any()',
    '.within("24h").before(events("page_viewed").last()).count() >= 1',
    '.nth(2).withinLast("30d")',
  ].map((it) => `events("order_paid")${it}`);
  const throws = dice(5);
  const held = new Set<string>();
  for (let i = 0; i < 150; i++) {
    const rules = book('Asia/Shanghai', ...whens);
    const events = someHistory(throws, someEra(throws), 'Asia/Shanghai');
    const at = (events.at(-1)?.at ?? 0) + throws.below(12) * 86_400_000;
    const tagsOf = (of: readonly FoldedEvent[]) => {
      const cells = emptyCells();
      for (const event of of) foldEvent(rules, cells, event);
      return evaluateTags(rules, { cells, traits: {} }, at);
    };
    for (const tag of tagsOf(events).keys()) {
      const behind = new Set(evidence(rules, tag, events, at));
      expect(tagsOf(events.filter(({ id }) => !behind.has(id))).has(tag), tag).toBe(false);
      held.add(tag);
    }
  }
  expect(held.size).toBe(whens.length);
});
