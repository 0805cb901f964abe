import { describe, expect, test } from 'vitest';
import { emptyCells, type FoldedEvent, foldEvent, prune } from '../../lib/tags/cells.ts';
import { evaluateTags } from '../../lib/tags/evaluate.ts';
import { explainTag } from '../../lib/tags/explain.ts';
import { book, explained, leafOf, onDays, order } from './asked.ts';

test('the nth event is told by its time, of those of one instant too', () => {
  const events = ['2026-03-03', '2026-03-01', '2026-03-01', '2026-03-02'].map((it, i) => ({
    ...order(`${it}T00:00:00.000Z`),
    id: `e${i}`,
  }));
  const nth = (n: number) => leafOf(`.nth(${n})`, events, '2026-04-01T00:00:00Z');
  expect([1, 2, 3, 4, 5].map(nth)).toEqual([
    ...['01', '01', '02', '03'].map((day) => `2026-03-${day}T00:00:00.000Z`),
    null,
  ]);
  expect(leafOf('.from("2026-03-02").to("2026-03-04").nth(2)', events, '2026-04-01T00:00:00Z')).toBe(
    '2026-03-03T00:00:00.000Z',
  );
});

test('the tenth is the tenth however many came', () => {
  const events = onDays(
    ...Array.from({ length: 14 }, (_, i) => `03-${String(i + 1).padStart(2, '0')}`),
  ).reverse();
  expect(leafOf('.nth(10)', events, '2026-04-01T00:00:00Z')).toBe('2026-03-10T12:00:00.000Z');
});

describe('a window at another event or at a date', () => {
  const follow = (at: string): FoldedEvent => ({ ...order(at), id: `f${at}`, type: 'followed' });
  const near = (length: string, side = 'after') =>
    `events("order").within("${length}").${side}(events("followed").first())`;
  const asked = (when: string, events: readonly FoldedEvent[], at = '2027-01-01T00:00:00Z') => {
    const { leaves } = explained(`${when} == ${when}`, events, at);
    return leaves.find(({ text }) => text === when)?.value;
  };
  const events = [
    ...onDays('03-01', '03-03', '03-08', '03-09', '03-10'),
    follow('2026-03-03T15:00:00.000Z'),
    follow('2026-04-01T00:00:00.000Z'),
  ];

  test('counts the days from there, or up to there, its own day whole', () => {
    expect(asked(`${near('1d')}.count()`, events)).toBe(1);
    expect(asked(`${near('7d')}.count()`, events)).toBe(3);
    expect(asked(`${near('8d')}.count()`, events)).toBe(4);
    expect(asked(`${near('2d', 'before')}.count()`, events)).toBe(1);
    expect(asked(`${near('3d', 'before')}.count()`, events)).toBe(2);
  });

  test('counts hours to the millisecond, those at its own instant too', () => {
    const instants = ['00:00:00.000', '02:59:59.999', '03:00:00.000'].map((it) => order(`2026-03-04T${it}Z`));
    const at = (length: string, side: string, instant: string) =>
      asked(`${near(length, side)}.count()`, [...instants, follow(`2026-03-04T${instant}Z`)]);
    expect(at('3h', 'after', '00:00:00.000')).toBe(2);
    expect(at('3h', 'before', '03:00:00.000')).toBe(2);
    expect(at('1h', 'before', '02:59:59.999')).toBe(1);
  });

  test('without its anchor says nothing, not even none', () => {
    const rules = book('UTC', `${near('7d')}.any()`, `!${near('7d')}.any()`, `${near('7d')}.count() == 0`);
    const cells = emptyCells();
    for (const event of onDays('03-01')) foldEvent(rules, cells, event);
    expect([...evaluateTags(rules, { cells, traits: {} }, Date.parse('2026-04-01')).keys()]).toEqual([]);
  });

  test('keeps no more than it reaches, however long the history', () => {
    const daily = Array.from({ length: 400 }, (_, i) =>
      order(new Date(Date.parse('2026-01-01T12:00:00Z') + i * 86_400_000).toISOString()),
    );
    const whens = ['after', 'before'].flatMap((side) =>
      ['7d', '24h'].map((it) => `${near(it, side)}.count() >= 7`),
    );
    const rules = book('UTC', ...whens);
    const cells = emptyCells();
    for (const event of [...daily, follow('2026-02-01T12:00:00.000Z')]) foldEvent(rules, cells, event);
    const view = { cells, traits: {} };
    const now = daily.at(-1)?.at ?? 0;
    const before = evaluateTags(rules, view, now);
    expect([...before.keys()]).toEqual(['t0', 't2']);
    prune(rules, cells, now);
    expect(evaluateTags(rules, view, now)).toEqual(before);
    for (const { d = [], h = [] } of Object.values(cells)) expect(d.length + h.length).toBeLessThan(16);
  });

  test('counts what its own day had before, though that was pruned', () => {
    const rules = book('UTC', `${near('3d')}.count() == 1`, `${near('3d', 'before')}.count() == 1`);
    const cells = emptyCells();
    const [bought] = onDays('03-01');
    if (!bought) throw new Error('there is one');
    foldEvent(rules, cells, bought);
    prune(rules, cells, bought.at);
    foldEvent(rules, cells, follow('2026-03-01T15:00:00.000Z'));
    expect([...evaluateTags(rules, { cells, traits: {} }, bought.at).keys()]).toEqual(['t0', 't1']);
  });

  test('at a trait counts from its day; an explanation shows where the window stands', () => {
    const rules = book('UTC', 'events("order").within("3d").before(trait("until")).count() >= 2');
    const cells = emptyCells();
    for (const event of events) foldEvent(rules, cells, event);
    const why = (until: string) =>
      explainTag(rules, 't0', { cells, traits: { until } }, Date.parse('2026-05-01'));
    expect(why('2026-03-10')).toMatchObject({ value: true });
    expect(why('2026-03-10').leaves[1]).toMatchObject({
      value: 3,
      window: { from: '2026-03-08T00:00:00.000Z', to: '2026-03-11T00:00:00.000Z' },
    });
    expect(why('2026-03-08')).toMatchObject({ value: false });
    expect(why('soon').leaves[1]).toMatchObject({ value: null });
  });
});
