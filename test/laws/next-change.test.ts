// Law 4: time is exact. For every person and rule of every kind the predicted next change is the first midnight, or end of
// hours, at which asking again is answered otherwise. What an answer at one instant should be stands in `test/tags`.
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { rfmSettings } from '../../lib/platform/brand.ts';
import { emptyCells, type FoldedEvent, foldEvent } from '../../lib/tags/cells.ts';
import { boundaries, nextChange } from '../../lib/tags/changes.ts';
import { evaluateTags, type TagValue, type View } from '../../lib/tags/evaluate.ts';
import type { QuintileEdition } from '../../lib/tags/quintiles.ts';
import { compileRules, type RuleBook } from '../../lib/tags/rulebook.ts';
import { layerNames } from '../../lib/tags/value-ask.ts';
import { defaultValue } from '../../lib/tags/value-default.ts';
import { type Era, someEra, someHistory, someRule } from '../tags/grammar.ts';
import { dayOf } from '../tags/naive.ts';
import { DAY_MS, HOUR_MS, midnight } from '../tags/oracle.ts';
import { textOf } from '../tags/spoken.ts';
import { isDeep } from './runs.ts';
import { type Dice, dice } from './world/random.ts';

/** Pairs of a person and a rule in each zone; `test/tags/differential.test.ts` has 10,000 of what the grammar says. */
const CASES = isDeep() ? 35_000 : 1_500;
const HORIZON_DAYS = 130;

const rfm = rfmSettings.parse({ windowDays: 60, r: [3, 7, 14, 30], m: [20, 60, 150, 300] });
const quintiles: QuintileEdition = {
  ...{ version: 1, asOf: '2026-01-01T00:00:00.000Z', customers: 100, survey: 'it' },
  of: { event: rfm.event, value: rfm.value, windowDays: rfm.windowDays },
  ...{ r: [40, 20, 10, 4], f: [1, 2, 3, 5], m: [30, 80, 160, 250] },
};
const scores = {
  price: { halfLifeDays: 30, weights: { order_paid: 1 }, phases: { sale: { order_paid: 3 } } },
  visits: { halfLifeDays: 7, weights: { page_viewed: 1, order_paid: 0.5 }, phases: {} },
};
const phases = [
  { phase: 'sale', from: '2026-03-01', to: '2026-03-15' },
  { phase: 'sale', from: '2026-10-20', to: '2026-11-12' },
];

type Asks = (throws: Dice, era: Era) => string;
const pick = <T>(throws: Dice, from: readonly [T, ...T[]]): T => from[throws.below(from.length)] ?? from[0];
const sign = (throws: Dice) => pick(throws, ['>=', '>', '<', '<=']);

/** What a rule may ask, a kind each. */
const kinds = {
  anything: (throws, era) => textOf(someRule(throws, era, [], 1)),
  score: (throws) =>
    `score("${pick(throws, ['price', 'visits'])}") ${sign(throws)} ${((1 + throws.below(40)) / 8).toFixed(3)}`,
  quintiles: (throws) => {
    const of = pick(throws, ['r', 'f', 'm']);
    return `rfm("quintiles").${of} ${sign(throws)} ${1 + throws.below(5)}`;
  },
  cuts: (throws) => `rfm().${pick(throws, ['r', 'f', 'm'])} ${sign(throws)} ${1 + throws.below(5)}`,
  value: (throws) =>
    throws.chance(0.3)
      ? `value() ${sign(throws)} ${throws.below(30)}`
      : `value("${pick(throws, [...layerNames])}") ${sign(throws)} ${throws.below(50)}`,
  preference: (throws) =>
    `events("order_paid").within("${1 + throws.below(40)}d").preference("store", "7d") == "${pick(throws, ['A', 'B'])}"`,
} satisfies Record<string, Asks>;
type Kind = keyof typeof kinds | 'held';
const names = Object.keys(kinds).filter((it): it is keyof typeof kinds => it in kinds);

function someText(throws: Dice, era: Era): { readonly kind: Kind; readonly when: string } {
  const one = (): { kind: keyof typeof kinds; text: string } => {
    const kind = names[throws.below(names.length)] ?? 'anything';
    return { kind, text: `(${kinds[kind](throws, era)})` };
  };
  const [a, b] = [one(), one()];
  if (throws.chance(0.3)) return { kind: 'held', when: `held(${a.text}, ${b.text})` };
  if (throws.chance(0.5)) return { kind: a.kind, when: a.text };
  return { kind: a.kind, when: `${a.text} ${throws.chance(0.5) ? '&&' : '||'} ${b.text}` };
}

const paying = (event: FoldedEvent): FoldedEvent => {
  const { amount } = event.properties;
  const isPaid = typeof amount === 'number' && amount >= 0;
  return isPaid ? { ...event, properties: { ...event.properties, paid_amount: amount } } : event;
};

type Held = ReadonlyMap<string, { readonly value: TagValue }>;
const heldAt = (book: RuleBook, view: View, at: number, was: Held): Held =>
  new Map([...evaluateTags(book, { ...view, was }, at)].map(([tag, value]) => [tag, { value }]));

/** When each tag first has another value, by asking again and again; each time with the answer before. */
function bruteForce(book: RuleBook, view: View, from: number, before: Held, instants: readonly number[]) {
  const first = heldAt(book, view, from, before);
  const changes = new Map<string, number>();
  let held = first;
  for (const at of instants) {
    held = heldAt(book, view, at, held);
    for (const { tag } of book.rules)
      if (!changes.has(tag) && held.get(tag)?.value !== first.get(tag)?.value) changes.set(tag, at);
  }
  return changes;
}

describe.each(['Asia/Shanghai', 'UTC', 'America/New_York'])('in %s', (zone) => {
  test('the predicted change of every tag, and of all, is where a daily brute force first differs', {
    timeout: 600_000,
  }, () => {
    const throws = dice(zone.length * 7);
    const changed = new Map<Kind, number>();
    for (let cases = 0; cases < CASES; ) {
      const era = { ...someEra(throws), days: 60 };
      const asked = Array.from({ length: 10 }, () => someText(throws, era));
      const rules = asked.map(({ when }, i) => ({ tag: `t${i}`, version: 1, when }));
      const book = compileRules(rules, {
        ...{ timezone: zone, rfm, quintiles, scores, phases },
        value: defaultValue,
      });
      const events = someHistory(throws, era, zone).map(paying);
      const from = midnight(era.middle + throws.below(60), zone) + throws.below(DAY_MS);
      const past = events.filter(({ at }) => at <= from);
      const cells = emptyCells();
      for (const event of past) foldEvent(book, cells, event);
      const was = new Map(
        rules.flatMap(({ tag }) => (throws.chance(0.5) ? [[tag, { value: true } as const] as const] : [])),
      );
      const view: View = { cells, traits: { born: '1990-11-03', city: '上海' }, was };
      const today = dayOf(from, zone);
      const midnights = Array.from({ length: HORIZON_DAYS }, (_, i) => midnight(today + 1 + i, zone));
      const hours = past.flatMap(({ at }) => [1, 12, 23, 24, 36, 48].map((it) => at + it * HOUR_MS));
      const until = midnights.at(-1) ?? from;
      const instants = [...new Set([...midnights, ...hours])].filter((at) => at > from && at <= until);
      const changes = bruteForce(
        book,
        view,
        from,
        was,
        instants.sort((a, b) => a - b),
      );
      const isRight = (expected: number | undefined, found: number | undefined) =>
        found === expected || (expected === undefined && (found ?? 0) > until);
      for (const [i, { kind, when }] of asked.entries()) {
        const found = nextChange(book, view, from, { tag: `t${i}`, limit: 10_000 });
        const expected = changes.get(`t${i}`);
        if (!isRight(expected, found?.at) || (expected !== undefined && found?.exact !== true))
          expect.fail(
            `${when} changes ${expected && new Date(expected)}, not ${found && new Date(found.at)}: ${JSON.stringify({ zone, from: new Date(from), was: was.has(`t${i}`), past })}`,
          );
        if (expected !== undefined) changed.set(kind, (changed.get(kind) ?? 0) + 1);
        cases++;
      }
      const soonest = changes.size > 0 ? Math.min(...changes.values()) : undefined;
      const any = nextChange(book, view, from, { limit: 10_000 })?.at;
      expect(isRight(soonest, any), `${soonest} and not ${any}`).toBe(true);
    }
    // Rules that never change would agree as well.
    for (const kind of [...names, 'held'] as const) expect(changed.get(kind), kind).toBeGreaterThan(10);
  });

  test('of whom a book reads nothing the same is true at any time, and nothing of it ever changes', () => {
    const throws = dice(zone.length * 11);
    const holding = new Set<boolean>();
    for (let cases = 0; cases < CASES / 10; cases += 30) {
      const era = { ...someEra(throws), days: 60 };
      const rules = Array.from({ length: 30 }, (_, i) => {
        const { when } = someText(throws, era);
        const isWhole = when.startsWith('held(') || throws.chance(0.6);
        return { tag: `t${i}`, version: 1, when: isWhole ? when : `!(${when})` };
      });
      const book = compileRules(rules, {
        ...{ timezone: zone, rfm, quintiles, scores, phases },
        value: defaultValue,
      });
      const stranger: View = { cells: {}, traits: { unread: 'by any rule' } };
      // The same person, but that some event was kept for no rule of this book: who has one is evaluated each time.
      const known: View = { ...stranger, cells: { none: { d: [] } } };
      for (let i = 0; i < 60; i++) {
        const at = midnight(era.middle - 400 + throws.below(1_000), zone) + throws.below(DAY_MS);
        const held = evaluateTags(book, known, at);
        expect(evaluateTags(book, stranger, at), new Date(at).toISOString()).toEqual(held);
        const was = new Map(rules.map(({ tag }) => [tag, { value: true } as const]));
        expect(evaluateTags(book, { ...stranger, was }, at)).toEqual(
          evaluateTags(book, { ...known, was }, at),
        );
        expect(nextChange(book, known, at, { limit: 10_000 })).toBeUndefined();
        expect(nextChange(book, stranger, at)).toBeUndefined();
        for (const { tag } of book.rules) holding.add(held.has(tag));
        const later = at + throws.below(900) * DAY_MS;
        for (const view of [known, stranger]) {
          const midnights = boundaries(book, view.cells, at, later, view.traits);
          const changing = midnights.filter((it) => !isDeepStrictEqual(evaluateTags(book, known, it), held));
          expect(changing).toEqual([]);
        }
      }
    }
    expect(holding).toEqual(new Set([true, false]));
  });
});
