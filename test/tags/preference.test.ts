import { expect, test } from 'vitest';
import { rfmSettings } from '../../lib/platform/brand.ts';
import { emptyCells, type FoldedEvent, foldEvent } from '../../lib/tags/cells.ts';
import { evaluateTags } from '../../lib/tags/evaluate.ts';
import { evidence, explainTag } from '../../lib/tags/explain.ts';
import { joinWeights, MAX_WEIGHED, weighed, weightOf } from '../../lib/tags/preference.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';
import { dice } from '../laws/world/random.ts';

const DAY_MS = 86_400_000;
const start = Date.UTC(2026, 0, 1);
let count = 0;
const viewed = (day: number, category: unknown): FoldedEvent => ({
  id: `e${count++}`,
  type: 'product_viewed',
  at: start + day * DAY_MS,
  channel: 'shop',
  properties: { category: category as string },
});
const bookOf = (when: string) =>
  compileRules([{ tag: 'it', when, version: 1 }], { timezone: 'UTC', rfm: rfmSettings.parse({}) });
function seen(when: string, events: readonly FoldedEvent[], day: number) {
  const book = bookOf(when);
  const cells = emptyCells();
  for (const event of events) foldEvent(book, cells, event);
  const view = { cells, traits: {} };
  const at = start + day * DAY_MS;
  return { book, view, at, held: evaluateTags(book, view, at).has('it') };
}
const LIKES = 'events("product_viewed").preference("category", "30d") == "cream"';

test('two a half-life ago weigh as much as one today, and of equal ones the first in order is preferred', () => {
  const older = [viewed(0, 'cream'), viewed(0, 'cream')];
  expect(seen(LIKES, [...older, viewed(29, 'soap')], 40).held).toBe(true);
  expect(seen(LIKES, [...older, viewed(30, 'soap')], 40).held).toBe(true);
  expect(seen(LIKES, [...older, viewed(31, 'soap')], 40).held).toBe(false);
  expect(seen(LIKES, [...older, viewed(30, 'balm')], 40).held).toBe(false);
});

test('what is preferred stays so however long nothing happens, but within a window', () => {
  const events = [viewed(0, 'cream'), viewed(1, 'soap'), viewed(1, 'cream')];
  expect([1, 400, 3_000].map((day) => seen(LIKES, events, day).held)).toEqual([true, true, true]);
  const within = LIKES.replace('.pref', '.within("10d").pref');
  expect([9, 10, 11].map((day) => seen(within, events, day).held)).toEqual([true, true, false]);
  const { book, view, at } = seen(within, events, 9);
  expect(explainTag(book, 'it', view, at).nextChangeAt).toBe(new Date(start + 11 * DAY_MS).toISOString());
});

test('numbers and truth are values too; texts that are too long, lists and nothing are none', () => {
  const value = (it: unknown) => {
    const { book, view, at } = seen(LIKES, [viewed(0, it)], 1);
    return explainTag(book, 'it', view, at).leaves[0]?.value;
  };
  expect([7, true, 'cream', 'x'.repeat(64)].map(value)).toEqual([7, true, 'cream', 'x'.repeat(64)]);
  expect(['x'.repeat(65), ['cream'], null, { a: 1 }].map(value)).toEqual([null, null, null, null]);
});

test('beyond 32 values neither an answer nor its negation holds, and that is said', () => {
  const events = Array.from({ length: MAX_WEIGHED }, (_, i) => viewed(i, `c${i}`));
  const last = `events("product_viewed").preference("category", "30d") == "c${MAX_WEIGHED - 1}"`;
  expect(seen(last, events, 40).held).toBe(true);
  const more = [...events, viewed(0, 'c99')];
  expect([last, `!(${last})`, last.replace('==', '!=')].map((it) => seen(it, more, 40).held)).toEqual([
    false,
    false,
    false,
  ]);
  const { book, view, at } = seen(last, more, 40);
  expect(explainTag(book, 'it', view, at).leaves[0]?.value).toBe('more than 32 values');
});

test('without the events shown behind it nothing is preferred', () => {
  const events = [viewed(0, 'cream'), viewed(3, 'soap'), viewed(4, 'cream'), viewed(9, 'cream')];
  const { book, at } = seen(LIKES, events, 5);
  expect(evidence(book, 'it', events, at)).toEqual(events.slice(0, 3).map(({ id }) => id));
});

test('weights add up to the same text in whatever order and groups they come, cut or not', () => {
  const throws = dice(4);
  for (let i = 0; i < 60; i++) {
    const slots = Array.from({ length: 2 + throws.below(60) }, () =>
      weighed(`v${throws.below(i < 30 ? 5 : 60)}`, 20_000 + throws.below(1_500), 7 + throws.below(60)),
    );
    const inOrder = slots.reduce(joinWeights);
    while (slots.length > 1) {
      const [a = null, b = null] = [throws.take(slots), throws.take(slots)];
      slots.push(joinWeights(a, b));
    }
    expect(JSON.stringify(slots[0])).toBe(JSON.stringify(inOrder));
  }
});

test('a half-life later an event weighs twice as much, exactly, whatever the half-life', () => {
  for (const halfLife of [7, 10, 30, 365])
    for (const day of [18_000, 20_454, 20_455])
      expect(weightOf(day + halfLife, halfLife)).toBe(2n * weightOf(day, halfLife));
});

test('three years of every day take hardly more room than one', () => {
  const kept = (days: number) =>
    Array.from({ length: days }, (_, day) => weighed('cream', 20_000 + day, 30)).reduce(joinWeights);
  expect(JSON.stringify(kept(1_095)).length).toBeLessThan(JSON.stringify(kept(365)).length + 12);
  expect(JSON.stringify(kept(1_095)).length).toBeLessThan(40);
});

test.each([
  ['events("a").preference("p", "6d") == "x"', 'a half-life is "7d" to "365d"'],
  ['events("a").preference("p", "366d") == "x"', '"1d" to "365d"'],
  ['events("a").preference("p", "24h") == "x"', 'brand-days'],
  ['events("a").within("24h").preference("p", "30d") == "x"', 'hours are no window'],
  ['events("a").preference("p") == "x"', 'preference'],
])('%s is refused', (when, why) => {
  expect(() => bookOf(when)).toThrow(why);
});
