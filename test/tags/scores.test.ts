// Scope: weighted scores that fade, by phases of the business: against a reader of raw events, day by day.
import { describe, expect, test } from 'vitest';
import { brand as brandShape, rfmSettings } from '../../lib/platform/brand.ts';
import { emptyPerson, viewOf, walk, watch } from '../../lib/profile/person.ts';
import type { FoldedEvent } from '../../lib/tags/cells.ts';
import { emptyCells, foldEvent } from '../../lib/tags/cells.ts';
import { boundaries, nextChange } from '../../lib/tags/changes.ts';
import { evaluateTags } from '../../lib/tags/evaluate.ts';
import { evidence, explainTag } from '../../lib/tags/explain.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';
import { dice } from '../laws/world/random.ts';
import { aBrand, anEvent, day } from '../profile/a-profile.ts';
import { dayOf } from './naive.ts';
import { DAY_MS, midnight } from './oracle.ts';

const rfm = rfmSettings.parse({});
const scores = {
  price: {
    halfLifeDays: 30,
    weights: { coupon_issued: 1, order_paid: 0.25 },
    phases: { promotion: { coupon_issued: 3 }, content: { content_shared: 2.5, order_paid: 0 } },
  },
  visits: { halfLifeDays: 7, weights: { page_viewed: 1 }, phases: {} },
};
const phases = [
  { phase: 'promotion', from: '2026-11-01', to: '2026-11-12' },
  { phase: 'content', from: '2026-11-10', to: '2026-12-01' },
];
const types = ['coupon_issued', 'order_paid', 'content_shared', 'page_viewed'] as const;
const bookOf = (whens: readonly string[], timezone = 'Asia/Shanghai') =>
  compileRules(
    whens.map((when, i) => ({ tag: `t${i}`, when, version: 1 })),
    { timezone, rfm, scores, phases },
  );

/** The score times 10^12, by adding up what each event counts on that day: no sums kept, no halving. */
function naiveScore(
  name: keyof typeof scores,
  events: readonly FoldedEvent[],
  now: number,
  zone: string,
): number {
  const { halfLifeDays: h, weights, phases: own } = scores[name];
  const today = dayOf(now, zone);
  const date = new Date(today * DAY_MS).toISOString().slice(0, 10);
  const phase = phases.find(({ from, to }) => from <= date && date < to)?.phase;
  const counts: Record<string, number> = { ...weights, ...(own as Record<string, object>)[phase ?? ''] };
  return events
    .filter(({ at }) => at <= now)
    .reduce((sum, { type, at }) => sum + (counts[type] ?? 0) * 2 ** ((dayOf(at, zone) - today) / h), 0);
}

const ops = { '>=': (a: number, b: number) => a >= b, '<': (a: number, b: number) => a < b };

describe.each(['Asia/Shanghai', 'America/New_York'])('in %s', (zone) => {
  test('every comparison is what adding up the raw events says, now, at every midnight ahead, and in the next change', () => {
    const throws = dice(zone.length + 1);
    let [changes, held, cases] = [0, 0, 0];
    for (let i = 0; i < 120; i++) {
      const asked = Array.from({ length: 3 }, () => {
        const name: keyof typeof scores = throws.chance(0.7) ? 'price' : 'visits';
        const op: keyof typeof ops = throws.chance(0.5) ? '>=' : '<';
        return { name, op, bound: (1 + throws.below(80)) / 16 };
      });
      const book = bookOf(
        asked.map(({ name, op, bound }) =>
          throws.chance(0.5)
            ? `score("${name}") ${op} ${(Math.round(bound * 1000) / 1000).toFixed(3)}`
            : `${(Math.round(bound * 1000) / 1000).toFixed(3)} ${op === '>=' ? '<=' : '>'} score("${name}")`,
        ),
        zone,
      );
      const middle = Date.parse('2026-11-05') / DAY_MS;
      const events = Array.from(
        { length: throws.below(25) },
        (_, n): FoldedEvent => ({
          id: `e${n}`,
          type: types[throws.below(types.length)] ?? types[0],
          at: (middle - throws.below(60)) * DAY_MS + throws.below(DAY_MS),
          channel: 'shop',
          properties: {},
        }),
      );
      const now = midnight(middle - throws.below(30), zone) + throws.below(DAY_MS);
      const past = events.filter(({ at }) => at <= now);
      const cells = emptyCells();
      for (const event of [...past].sort(() => throws.below(3) - 1)) foldEvent(book, cells, event);
      const view = { cells, traits: {} };
      const midnights = Array.from({ length: 120 }, (_, n) => midnight(dayOf(now, zone) + 1 + n, zone));
      const stops = new Set(boundaries(book, cells, now, midnights.at(-1) ?? now));
      for (const [tag, { name, op, bound }] of asked.entries()) {
        const limit = Math.round(bound * 1000) / 1000;
        const says = (at: number) => {
          const score = naiveScore(name, past, at, zone);
          return Math.abs(score - limit) < 1e-6 ? undefined : ops[op](score, limit);
        };
        const answers = [now, ...midnights].map((at) => ({ at, is: says(at) }));
        if (answers.some(({ is }) => is === undefined)) continue; // too near for a reader with floats
        const holds = evaluateTags(book, view, now).has(`t${tag}`);
        const how = JSON.stringify({ asked: asked[tag], now: new Date(now), zone, past });
        expect(holds, how).toBe(answers[0]?.is);
        const change = answers.find(({ is }) => is !== answers[0]?.is);
        const found = nextChange(book, view, now, { tag: `t${tag}` });
        if (change) expect(found, how).toEqual({ at: change.at, exact: true });
        else expect(found === undefined || found.at > (midnights.at(-1) ?? 0), how).toBe(true);
        for (const [n, { at, is }] of answers.entries())
          if (n > 0 && is !== answers[n - 1]?.is) expect(stops.has(at), how).toBe(true);
        cases++;
        held += Number(holds);
        changes += Number(change !== undefined);
      }
      expect(stops.size).toBeLessThan(50); // not every midnight
    }
    expect(cases).toBeGreaterThan(250);
    expect(held / cases).toBeGreaterThan(0.2);
    expect(changes).toBeGreaterThan(60);
  });
});

const price = 'score("price") >= 2.0';
const told = (type: string, at: string): FoldedEvent => ({
  ...{ id: `${type}${at}`, type, at: Date.parse(at), channel: 'shop', properties: {} },
});

test('half a half-life is lost exactly: what counts 4 is 2 after thirty days, and less the day after', () => {
  const events = Array.from({ length: 4 }, (_, n) => told('coupon_issued', `2026-03-01T0${n}:00:00Z`));
  const book = bookOf([price, price.replace('>=', '>')]);
  const cells = emptyCells();
  for (const event of events) foldEvent(book, cells, event);
  const held = (at: string) => [...evaluateTags(book, { cells, traits: {} }, Date.parse(at)).keys()];
  expect(['2026-03-30T12:00:00Z', '2026-03-31T12:00:00Z', '2026-04-01T12:00:00Z'].map(held)).toEqual([
    ['t0', 't1'],
    ['t0'],
    [],
  ]);
});

test('a phase’s weights count while it lasts, are told, and end at midnight', () => {
  const events = [told('coupon_issued', '2026-10-31T04:00:00Z')];
  const book = bookOf([price]);
  const cells = emptyCells();
  for (const event of events) foldEvent(book, cells, event);
  const view = { cells, traits: {} };
  const on = (at: string) => explainTag(book, 't0', view, Date.parse(at));
  expect(on('2026-10-31T15:59:59.999Z')).toMatchObject({
    value: false,
    nextChangeAt: '2026-10-31T16:00:00.000Z',
    leaves: [{ text: price, feature: 'score', value: 1 }],
  });
  expect(on('2026-10-31T16:00:00Z')).toMatchObject({
    value: true,
    leaves: [{ text: price, value: 2.931, phase: 'promotion' }],
    nextChangeAt: '2026-11-11T16:00:00.000Z',
  });
  expect(evidence(book, 't0', events, Date.parse('2026-11-02T00:00:00Z'))).toEqual([events[0]?.id]);
  expect(evidence(book, 't0', [], Date.parse('2026-11-02T00:00:00Z'))).toEqual([]);
});

test('of somebody without events a score is nothing, and is less than anything: it is never missing', () => {
  const view = { cells: emptyCells(), traits: {} };
  expect([
    ...evaluateTags(bookOf([price, `!(${price})`, 'score("visits") < 0.001']), view, 0).keys(),
  ]).toEqual(['t1', 't2']);
});

test('a walk over the events, looked at long after, has the tag since the instant and until the midnight', () => {
  const rules = { brand: aBrand(), book: bookOf(['score("visits") >= 1.5']) };
  const person = emptyPerson();
  const views = [0, 1, 40].map((days) => anEvent('page_viewed', days));
  walk(person, views.slice(0, 2), rules);
  expect(person.tags.get('t0')?.since).toBe(Date.parse(day(1)));
  const until = nextChange(rules.book, viewOf(person), person.walkedTo)?.at ?? 0;
  watch(person, until - 1, rules);
  expect(person.tags.has('t0')).toBe(true);
  watch(person, until, rules);
  expect(person.tags.has('t0')).toBe(false);
  walk(person, views.slice(2), rules);
  expect(person.tags.has('t0')).toBe(false);
});

test('other weights and other phases are another rulebook, where a rule reads the score', () => {
  const digest = (when: string, more: object = {}) =>
    compileRules([{ tag: 't', when, version: 1 }], { timezone: 'UTC', rfm, scores, phases, ...more }).digest;
  expect(digest(price, { phases: [] })).not.toBe(digest(price));
  expect(digest('true', { phases: [] })).toBe(digest('true'));
});

test.each([
  ['score("price") > events("a").count()', 'a number that stands in the rule'],
  ['score("price") >= 0.0', 'more than 0'],
  ['score("price") >= 0.0005', 'three decimals'],
  ['score("price") == 1.0', 'score() is compared'],
  ['score("nothing") >= 1.0', 'the brand has no score "nothing"'],
  ['score("toString") >= 1.0', 'the brand has no score'],
  ['events("a").where(e, score("price") > 1.0).any()', 'where()'],
])('%s is refused', (when, why) => {
  expect(() => bookOf([when])).toThrow(why);
});

test.each([
  [{ scores: { a: { weights: { order_paid: -1 } } } }],
  [{ scores: { a: { weights: { order_paid: 0.0001 } } } }],
  [{ scores: { a: { halfLifeDays: 6, weights: {} } } }],
  [{ phases: [{ phase: 'x', from: '2026-11-02', to: '2026-11-02' }] }],
])('a brand may not say %j', (wrong) => {
  const { name, title, timezone, locale, currency, channels } = aBrand();
  const right = { name, title, timezone, locale, currency, channels };
  expect(brandShape.safeParse(right).success).toBe(true);
  expect(brandShape.safeParse({ ...right, ...wrong }).success).toBe(false);
});
