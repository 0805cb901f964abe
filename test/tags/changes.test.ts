import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rfmSettings } from '../../lib/platform/brand.ts';
import { emptyCells, type FoldedEvent, foldEvent } from '../../lib/tags/cells.ts';
import { boundaries, nextChange } from '../../lib/tags/changes.ts';
import { evaluateTags } from '../../lib/tags/evaluate.ts';
import { evidence, explainTag } from '../../lib/tags/explain.ts';
import { rfmOf } from '../../lib/tags/rfm.ts';
import { compileRules, type VersionedRule } from '../../lib/tags/rulebook.ts';
import { conditionText, DAY_MS, holds, instantsAround, someCondition, someEvents, zones } from './oracle.ts';

const rfm = rfmSettings.parse({ windowDays: 20, r: [2, 4, 6, 9], f: [2, 3, 5, 8], m: [10, 50, 100, 300] });

function profileOf(rules: readonly VersionedRule[], events: readonly FoldedEvent[], timezone: string) {
  const book = compileRules(rules, { timezone, rfm });
  const cells = emptyCells();
  for (const event of events) foldEvent(book, cells, event);
  return { book, view: { cells, traits: {} } };
}

describe.each(zones)('in %s', (zone) => {
  test('the predicted change is the first instant at which the raw events say something else', () => {
    fc.assert(
      fc.property(
        fc.array(someCondition, { minLength: 1, maxLength: 4 }),
        someEvents(zone),
        fc.nat(),
        (conditions, events, seed) => {
          const rules = conditions.map((it, i) => ({ tag: `t${i}`, version: 1, when: conditionText(it) }));
          const { book, view } = profileOf(rules, events, zone);
          const instants = instantsAround(events, zone);
          for (let i = 0; i < 3 && instants.length > 0; i++) {
            const at = instants[(seed + i * 7919) % instants.length] ?? 0;
            const later = instants.filter((it) => it > at);
            const said = (t: number) => conditions.map((it) => holds(it, events, t, zone) === true).join();
            const expected = later.find((it) => said(it) !== said(at));
            expect(nextChange(book, view, at, { limit: 1000 })).toEqual(
              expected && { at: expected, exact: true },
            );

            const one = (t: number) => holds(conditions[0] ?? conditions[1]!, events, t, zone) === true;
            const ofOne = later.find((it) => one(it) !== one(at));
            expect(nextChange(book, view, at, { limit: 1000, tag: 't0' })?.at).toBe(ofOne);
          }
        },
      ),
      { numRuns: 120 },
    );
  });

  test('between two boundaries no tag changes, and every boundary lies in the span that was asked for', () => {
    fc.assert(
      fc.property(
        fc.array(someCondition, { minLength: 1, maxLength: 4 }),
        someEvents(zone),
        fc.nat(),
        fc.nat(),
        (conditions, events, a, b) => {
          const rules = conditions.map((it, i) => ({ tag: `t${i}`, version: 1, when: conditionText(it) }));
          const { book, view } = profileOf(rules, events, zone);
          const instants = instantsAround(events, zone);
          const pick = (n: number) => instants[n % instants.length] ?? 0;
          const [from, to] = [Math.min(pick(a), pick(b)), Math.max(pick(a), pick(b))];
          const found = boundaries(book, view.cells, from, to);
          expect(found).toEqual(
            [...new Set(found)].sort((x, y) => x - y).filter((it) => it > from && it <= to),
          );
          let stop = from;
          for (const at of instants.filter((it) => it > from && it <= to)) {
            stop = Math.max(stop, found.findLast((it) => it <= at) ?? from);
            expect(evaluateTags(book, view, at)).toEqual(evaluateTags(book, view, stop));
          }
        },
      ),
      { numRuns: 80 },
    );
  });

  test('scores follow their cuts from one brand-day to the next, and the prediction follows the scores', () => {
    fc.assert(
      fc.property(someEvents(zone), fc.nat(), (some, seed) => {
        const events: FoldedEvent[] = some.map(({ properties: { amount, ...rest }, ...event }) => ({
          ...event,
          properties: typeof amount === 'number' && amount >= 0 ? { ...rest, paid_amount: amount } : rest,
        }));
        const rules = [
          {
            tag: 'score',
            version: 1,
            values: { high: 'rfm().r + rfm().f + rfm().m >= 8', low: 'rfm().r >= 1' },
          },
          { tag: 'loyal', version: 1, when: 'tagValue("score") == "high" || rfm().f >= 2' },
        ];
        const { book, view } = profileOf(rules, events, zone);
        const days = instantsAround(events, zone);
        const first = days[seed % Math.max(1, days.length)] ?? 0;
        const value = (at: number) => JSON.stringify([...evaluateTags(book, view, at)]);
        const predicted = nextChange(book, view, first, { limit: 1000 });
        if (predicted) expect(value(predicted.at)).not.toBe(value(first));
        const until = predicted ? predicted.at - 1 : first + 60 * DAY_MS;
        for (let at = first; at < until; at += DAY_MS / 4) expect(value(at)).toBe(value(first));
        expect(value(until)).toBe(value(first));

        const orders = events.filter((event) => event.type === 'order_paid');
        const cut = (cuts: number[], it: number) => 1 + cuts.filter((c) => it >= c).length;
        const inWindow = (length: number) =>
          orders.filter((it) =>
            holds(
              {
                kind: 'leaf',
                bound: 1,
                asked: { type: 'order_paid', filter: 'none', window: `${length}d`, aggregate: 'any' },
              },
              [it],
              first,
              zone,
            ),
          );
        const all = inWindow(20);
        const paid = all.reduce(
          (sum, { properties: { paid_amount: it } }) => sum + (typeof it === 'number' ? it : 0),
          0,
        );
        const recent = rfm.r.findIndex((length) => inWindow(length).length > 0);
        expect(rfmOf(book, view, first)).toEqual(
          all.length === 0
            ? undefined
            : { r: recent < 0 ? 1 : 5 - recent, f: cut(rfm.f, all.length), m: cut(rfm.m, paid) },
        );
      }),
      { numRuns: 80 },
    );
  });
});

test('past the limit the answer is where the search stopped, early and marked so', () => {
  const events = [1, 2, 3, 4, 5].map((day) => ({
    id: `e${day}`,
    type: 'order_paid',
    at: Date.parse(`2026-01-0${day}T12:00:00Z`),
    properties: {},
    channel: 'shop',
  }));
  const rule = { tag: 'any', version: 1, when: 'events("order_paid").within("30d").any()' };
  const { book, view } = profileOf([rule], events, 'UTC');
  const at = Date.parse('2026-01-05T13:00:00Z');
  expect(nextChange(book, view, at)).toEqual({ at: Date.parse('2026-02-04T00:00:00Z'), exact: true });
  expect(nextChange(book, view, at, { limit: 3 })).toEqual({
    at: Date.parse('2026-02-02T00:00:00Z'),
    exact: false,
  });
  expect(nextChange(book, view, Date.parse('2026-02-04T00:00:00Z'))).toBeUndefined();
});

describe('an explanation', () => {
  const rules: VersionedRule[] = [
    {
      tag: 'dormant',
      version: 4,
      when: 'events("order_paid").within("365d").sum("paid_amount") >= 300 && !events("order_paid").within("30d").any()',
    },
    {
      tag: 'care',
      version: 1,
      values: {
        call: 'hasTag("dormant") && trait("city") == "上海"',
        write: 'hasTag("dormant") && events("page_viewed").where(e, e.path == "/vip").within("36h").any()',
      },
    },
  ];
  const anEvent = (id: string, type: string, at: string, properties = {}): FoldedEvent => ({
    id,
    type,
    at: Date.parse(at),
    properties,
    channel: 'shop',
  });
  const events = [
    anEvent('o1', 'order_paid', '2026-01-01T12:00:00Z', { paid_amount: 200 }),
    anEvent('o2', 'order_paid', '2026-01-02T12:00:00Z', { paid_amount: 150 }),
    anEvent('o3', 'order_paid', '2026-01-02T13:00:00Z'),
    anEvent('p1', 'page_viewed', '2026-02-05T12:00:00Z', { path: '/vip' }),
    anEvent('p2', 'page_viewed', '2026-02-05T12:00:00Z', { path: '/' }),
  ];
  const { book, view } = profileOf(rules, events, 'UTC');
  const at = Date.parse('2026-02-06T00:00:00Z');

  test('gives the value of every leaf, its window, and when the tag would change', () => {
    expect(explainTag(book, 'dormant', view, at)).toEqual({
      tag: 'dormant',
      version: 4,
      rule: rules[0]?.when,
      value: true,
      leaves: [
        {
          text: 'events("order_paid").within("365d").sum("paid_amount")',
          feature: 'order_paid.paid_amount',
          window: { from: '2025-02-07T00:00:00.000Z', to: '2026-02-07T00:00:00.000Z' },
          value: 350,
        },
        {
          text: 'events("order_paid").within("30d").any()',
          feature: 'order_paid',
          window: { from: '2026-01-08T00:00:00.000Z', to: '2026-02-07T00:00:00.000Z' },
          value: false,
        },
      ],
      nextChangeAt: '2027-01-01T00:00:00.000Z',
    });
  });

  test('says which of several values matched, and what is missing', () => {
    expect(explainTag(book, 'care', view, at)).toEqual({
      tag: 'care',
      version: 1,
      rule: `call: ${rules[1]?.values?.call}\nwrite: ${rules[1]?.values?.write}`,
      value: 'write',
      matched: 'write',
      leaves: [
        { text: 'hasTag("dormant")', feature: 'tag', value: true },
        { text: 'trait("city")', feature: 'trait', value: null },
        {
          text: 'events("page_viewed").where(e, (e.path == "/vip")).within("36h").any()',
          feature: 'page_viewed[(e.path == "/vip")]',
          window: { from: '2026-02-04T12:00:00.000Z', to: '2026-02-06T00:00:00.000Z' },
          value: true,
        },
      ],
      nextChangeAt: '2026-02-07T00:00:00.000Z',
    });
  });

  test('names the events behind the tag, those of the tags that it reads too; without them it is gone', () => {
    expect(evidence(book, 'dormant', events.toReversed(), at)).toEqual(['o1', 'o2']);
    expect(evidence(book, 'care', events, at)).toEqual(['o1', 'o2', 'p1']);
    const rest = events.filter(({ id }) => !evidence(book, 'care', events, at).includes(id));
    const without = profileOf(rules, rest, 'UTC');
    expect(evaluateTags(without.book, without.view, at).size).toBe(0);
  });

  test('of a tag that no rule earns is refused', () => {
    expect(() => explainTag(book, 'nobody', view, at)).toThrow('no rule earns the tag "nobody"');
  });
});
