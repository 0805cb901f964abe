import { expect, test } from 'vitest';
import { emptyCells, type FoldedEvent, foldEvent, prune } from '../../lib/tags/cells.ts';
import { nextChange } from '../../lib/tags/changes.ts';
import { evaluateTags } from '../../lib/tags/evaluate.ts';
import { evidence, explainTag } from '../../lib/tags/explain.ts';
import { packCells, unpackCells } from '../../lib/tags/pack.ts';
import { MAX_OPEN } from '../../lib/tags/sequences.ts';
import { dice } from '../laws/world/random.ts';
import { book } from './asked.ts';
import { someEra, someHistory } from './grammar.ts';

const at = (type: string, time: string, product?: string): FoldedEvent => ({
  id: `${type}${time}${product}`,
  type,
  at: Date.parse(`2026-03-${time}Z`),
  channel: 'shop',
  properties: product === undefined ? {} : { product },
});
const steps = 'sequence(events("viewed"), events("added"), events("paid"))';
const holds = (limits: string, ...events: FoldedEvent[]) => {
  const rules = book('UTC', `${steps}${limits}.any()`);
  const cells = emptyCells();
  for (const event of events) foldEvent(rules, cells, event);
  return evaluateTags(rules, { cells, traits: {} }, Date.parse('2026-05-01')).has('t0');
};

test('the steps come one after the other, none at the instant of another', () => {
  const [viewed, added, paid] = [at('viewed', '01T10:00'), at('added', '02T10:00'), at('paid', '03T10:00')];
  expect(holds('.within("7d")', viewed, added, paid)).toBe(true);
  expect(holds('.within("7d")', paid, added, viewed)).toBe(true); // however they arrive
  expect(holds('.within("7d")', at('viewed', '02T11:00'), added, paid)).toBe(false);
  expect(holds('.within("7d")', at('viewed', '02T10:00'), added, paid)).toBe(false);
  expect(holds('.within("7d")', viewed, paid)).toBe(false);
});

test('within is counted from the first step, the gap from step to step', () => {
  const way = (first: string, second: string, third: string) => [
    at('viewed', first),
    at('added', second),
    at('paid', third),
  ];
  expect(holds('.within("7d")', ...way('01T23:59', '02T00:00', '07T23:59'))).toBe(true);
  expect(holds('.within("7d")', ...way('01T23:59', '02T00:00', '08T00:00'))).toBe(false);
  expect(holds('.within("7d")', at('viewed', '02T00:00'), ...way('01T00:00', '03T00:00', '08T23:59'))).toBe(
    true,
  );
  expect(holds('.within("48h")', ...way('01T00:00', '02T00:00', '02T23:59'))).toBe(true);
  expect(holds('.within("48h")', ...way('01T00:00', '02T00:00', '03T00:00'))).toBe(false);
  expect(holds('.within("30d").gap("2d")', ...way('01T00:00', '03T23:59', '05T23:59'))).toBe(true);
  expect(holds('.within("30d").gap("2d")', ...way('01T00:00', '03T23:59', '06T00:00'))).toBe(false);
  expect(holds('.within("30d").gap("2h")', ...way('01T00:00', '01T02:00', '01T04:00'))).toBe(true);
  expect(holds('.within("30d").gap("2h")', ...way('01T00:00', '01T02:00', '01T04:01'))).toBe(false);
});

test('same asks for one value all the way; a step that does not say it is none', () => {
  const way = (...products: (string | undefined)[]) =>
    ['viewed', 'added', 'paid'].map((type, i) => at(type, `0${i + 1}T00:00`, products[i]));
  const limits = '.within("7d").same("product")';
  expect(holds(limits, ...way('a', 'a', 'a'))).toBe(true);
  expect(holds(limits, ...way('a', 'b', 'a'))).toBe(false);
  expect(holds(limits, ...way('a', 'b', 'a'), ...way('b', 'a', 'b'))).toBe(true);
  expect(holds(limits, ...way(undefined, undefined, undefined))).toBe(false);
});

test('what must not come between breaks what it lies in, of its own value where that is said', () => {
  const way = (product?: string) =>
    ['viewed', 'added', 'paid'].map((type, i) => at(type, `0${i + 1}T00:00`, product));
  const limits = '.within("7d").without(events("removed"))';
  expect(holds(limits, ...way())).toBe(true);
  expect(holds(limits, ...way(), at('removed', '02T12:00'))).toBe(false);
  expect(holds(limits, ...way(), at('removed', '02T00:00'))).toBe(false);
  expect(holds(limits, ...way(), at('removed', '01T00:00'), at('removed', '03T00:00'))).toBe(true);
  expect(holds(limits, ...way(), at('removed', '01T12:00'), at('viewed', '01T13:00'))).toBe(true);
  expect(holds(`${limits}.same("product")`, ...way('a'), at('removed', '02T12:00', 'b'))).toBe(true);
  expect(holds(`${limits}.same("product")`, ...way('a'), at('removed', '02T12:00', 'a'))).toBe(false);
  expect(holds(`${limits}.same("product")`, ...way('a'), at('removed', '02T12:00'))).toBe(false);
});

test('its first and last end are times: a tag of those who came through lately ends at a midnight', () => {
  const rules = book('UTC', `${steps}.within("7d").last().withinLast("30d")`);
  const cells = emptyCells();
  for (const event of [at('viewed', '01T10:00'), at('added', '02T10:00'), at('paid', '03T10:00')])
    foldEvent(rules, cells, event);
  const view = { cells, traits: {} };
  expect(explainTag(rules, 't0', view, Date.parse('2026-03-20'))).toMatchObject({
    value: true,
    nextChangeAt: '2026-04-02T00:00:00.000Z',
    leaves: [{ value: '2026-03-03T10:00:00.000Z', feature: 'viewed → added → paid' }, { value: true }],
  });
  expect(nextChange(rules, view, Date.parse('2026-04-03'))).toBe(undefined);
});

test('however long the history and many the values, a bounded part is kept, and from it goes on', () => {
  const rules = book('UTC', `${steps}.within("30d").same("product").any()`);
  let cells = emptyCells();
  for (let i = 0; i < 2000; i++) {
    const event = at('viewed', '01T00:00', `a product with a long name, number ${i}`);
    foldEvent(rules, cells, { ...event, at: event.at + i * 60_000 });
    if (i % 50 === 49) prune(rules, cells, event.at + i * 60_000);
  }
  expect(Object.values(cells)[0]?.h).toHaveLength(MAX_OPEN);
  expect(JSON.stringify(packCells(cells)).length).toBeLessThan(2_000);
  cells = unpackCells(JSON.parse(JSON.stringify(packCells(cells))));
  const through = (product: number) => {
    const copy = unpackCells(JSON.parse(JSON.stringify(packCells(cells))));
    for (const [i, type] of ['added', 'paid'].entries())
      foldEvent(rules, copy, at(type, `05T0${i}:00`, `a product with a long name, number ${product}`));
    return evaluateTags(rules, { cells: copy, traits: {} }, Date.parse('2026-03-06')).has('t0');
  };
  expect([1999, 2000 - MAX_OPEN, 1999 - MAX_OPEN].map(through)).toEqual([true, true, false]);
});

test('an event that comes late counts, also when the later ones have been looked at', () => {
  const rules = book('UTC', `${steps}.within("7d").any()`);
  const cells = emptyCells();
  const isHeld = () => evaluateTags(rules, { cells, traits: {} }, Date.parse('2026-05-01')).has('t0');
  for (const event of [at('added', '02T10:00'), at('paid', '03T10:00'), at('paid', '04T10:00')])
    foldEvent(rules, cells, event);
  expect(isHeld()).toBe(false);
  foldEvent(rules, cells, at('viewed', '01T10:00'));
  expect(isHeld()).toBe(true);
});

test('behind the last end stand the events of that way alone, behind the first those of the first', () => {
  const events = ['01', '11'].flatMap((day) => [
    at('viewed', `${day}T10:00`),
    at('added', `${day}T11:00`),
    at('paid', `${day}T12:00`),
  ]);
  const behind = (end: string) =>
    evidence(
      book('UTC', `${steps}.within("1d").${end}().withinLast("30d")`),
      't0',
      events,
      Date.parse('2026-03-20'),
    );
  expect(behind('last')).toEqual(events.slice(3).map(({ id }) => id));
  expect(behind('first')).toEqual(events.slice(0, 3).map(({ id }) => id));
});

test('what is given up does not depend on when something was forgotten', () => {
  const throws = dice(3);
  const rules = book('UTC', 'sequence(events("viewed"), events("paid")).within("7d").same("product").any()');
  for (let round = 0; round < 20; round++) {
    const events = Array.from({ length: 150 }, (_, i) => ({
      ...at(throws.chance(0.8) ? 'viewed' : 'paid', '01T00:00', `p${throws.below(60)}`),
      at: Date.parse('2026-03-01') + i * 600_000,
    }));
    const [once, often] = [emptyCells(), emptyCells()];
    for (const event of events) {
      foldEvent(rules, once, event);
      foldEvent(rules, often, event);
      if (throws.chance(0.2)) prune(rules, often, event.at);
    }
    const end = events.at(-1)?.at ?? 0;
    prune(rules, once, end);
    prune(rules, often, end);
    expect(often).toEqual(once);
  }
});

test('any order of events gives the same cells, to the byte', () => {
  const throws = dice(8);
  const rules = book(
    'Asia/Shanghai',
    'sequence(events("order_paid"), events("page_viewed")).within("7d").same("store").any()',
  );
  for (let i = 0; i < 50; i++) {
    const events = someHistory(throws, someEra(throws), 'Asia/Shanghai');
    const fold = (of: FoldedEvent[]) => {
      const cells = emptyCells();
      while (of.length > 0) foldEvent(rules, cells, throws.take(of));
      return cells;
    };
    const [one, other] = [fold([...events]), fold([...events])];
    expect(JSON.stringify(one)).toBe(JSON.stringify(other));
    const now = events.at(-1)?.at ?? 0;
    prune(rules, one, now);
    prune(rules, other, now);
    expect(JSON.stringify(one)).toBe(JSON.stringify(other));
  }
});

test('without the events shown as evidence, what came through did not', () => {
  const throws = dice(6);
  const rules = book(
    'UTC',
    'sequence(events("order_paid"), events("page_viewed")).within("30d").any()',
    'sequence(events("page_viewed"), events("order_paid")).within("30d").gap("7d").without(events("page_viewed")).any()',
  );
  const held = new Set<string>();
  for (let i = 0; i < 150; i++) {
    const events = someHistory(throws, someEra(throws), 'UTC');
    const now = events.at(-1)?.at ?? 0;
    const tagsOf = (of: readonly FoldedEvent[]) => {
      const cells = emptyCells();
      for (const event of of) foldEvent(rules, cells, event);
      return evaluateTags(rules, { cells, traits: {} }, now);
    };
    for (const tag of tagsOf(events).keys()) {
      const behind = evidence(rules, tag, events, now);
      expect(behind.length).toBeLessThanOrEqual(events.length);
      if (tag === 't0') expect(tagsOf(events.filter(({ id }) => !behind.includes(id))).has(tag)).toBe(false);
      else expect(tagsOf(events.filter(({ id }) => behind.includes(id))).size).toBeGreaterThan(0);
      held.add(tag);
    }
  }
  expect(held.size).toBe(2);
});

test.each([
  [`${steps}.any()`, 'needs .within("7d")'],
  [`${steps}.within("7d")`, 'true or false'],
  [`events("a").where(e, ${steps}.within("7d").any()).any()`, 'no part of the rule language'],
  [`${steps}.within("7d").within("8d").any()`, 'stands once'],
  [`${steps}.within("60h").any()`, '"1h" to "48h"'],
  ['sequence(events("a")).within("7d").any()', '2 to 5 steps'],
  [`sequence(${Array(6).fill('events("a")').join(', ')}).within("7d").any()`, '2 to 5 steps'],
  ['sequence(events("a"), events("b").within("3d")).within("7d").any()', 'no window'],
  [`${steps}.within("7d").without(events("c").thisWeek()).any()`, 'no window'],
  [`events("a").within("7d").after(${steps}.within("7d").last()).any()`, 'takes trait("…")'],
  [`${steps}.within("7d").count() > 1`, 'no matching overload'],
])('%s is refused in words', (when, message) => {
  expect(() => book('UTC', when)).toThrow(message);
});
