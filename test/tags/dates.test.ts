import { describe, expect, test } from 'vitest';
import { emptyPerson, walk, watch } from '../../lib/profile/person.ts';
import { emptyCells, foldEvent } from '../../lib/tags/cells.ts';
import { boundaries, nextChange } from '../../lib/tags/changes.ts';
import { evaluateTags } from '../../lib/tags/evaluate.ts';
import { explainTag } from '../../lib/tags/explain.ts';
import { aBrand, anEvent } from '../profile/a-profile.ts';
import { book, leafOf, order } from './asked.ts';

describe('a date', () => {
  const born = (value: string, ask: string, at: string, zone = 'Asia/Shanghai') => {
    const rules = book(zone, `trait("born").${ask}`, `!trait("born").${ask}`);
    const held = evaluateTags(rules, { cells: emptyCells(), traits: { born: value } }, Date.parse(at));
    return held.has('t0') ? true : held.has('t1') ? false : undefined;
  };

  test('is compared by the brand-day', () => {
    const at = '2026-03-08T00:00:00Z';
    expect(['before', 'on', 'after'].map((it) => born('2026-03-08', `${it}("2026-03-08")`, at))).toEqual([
      false,
      true,
      false,
    ]);
    expect(born('2026-03-07T16:00:00Z', 'on("2026-03-08")', at)).toBe(true);
    expect(born('2026-03-07T15:59:59.999Z', 'on("2026-03-07")', at)).toBe(true);
    for (const none of [
      '2026-02-30',
      '2026-3-8',
      'soon',
      '2026-03-08 12:00',
      '2026-02-30T00:00:00Z',
      '03-08',
    ])
      expect(born(none, 'on("2026-03-08")', at), none).toBe(undefined);
  });

  test('within so many days counts today, backwards and forwards', () => {
    const on = (ask: string) =>
      [
        '2026-03-07T15:59:59.999Z',
        '2026-03-07T16:00:00Z',
        '2026-03-09T16:00:00Z',
        '2026-03-10T16:00:00Z',
      ].map((at) => born('2026-03-08', ask, at));
    expect(on('withinLast("3d")')).toEqual([false, true, true, false]);
    expect(on('withinNext("1d")')).toEqual([false, true, false, false]);
    expect(born('2026-03-10', 'withinNext("3d")', '2026-03-08T00:00:00Z')).toBe(true);
    expect(born('2026-03-11', 'withinNext("3d")', '2026-03-08T00:00:00Z')).toBe(false);
  });

  test('comes back every year, over the end of the year, and on 28 February where there is no 29th', () => {
    const on = (value: string, day: string, ask = 'anniversary("1d")') =>
      born(value, ask, `${day}T12:00:00+08:00`);
    expect(on('1990-11-11', '2026-11-11')).toBe(true);
    expect(on('1990-11-11', '2026-11-10')).toBe(false);
    expect(on('11-11', '2026-11-11')).toBe(true);
    expect(on('--01-03', '2026-12-30', 'anniversary("5d")')).toBe(true);
    expect(on('--01-03', '2026-12-29', 'anniversary("5d")')).toBe(false);
    expect(
      ['2026-02-28', '2026-03-01', '2028-02-28', '2028-02-29'].map((it) => on('2000-02-29', it)),
    ).toEqual([true, false, false, true]);
    expect(on('2026-11-11', '2026-11-11')).toBe(false); // the day itself is no anniversary
  });

  test('an explanation says when it turns, years ahead where it has to, and shows the date', () => {
    const rules = book('Asia/Shanghai', 'trait("born").anniversary("7d")', 'trait("born").on("2020-01-01")');
    const of = (tag: string, at: string) =>
      explainTag(rules, tag, { cells: emptyCells(), traits: { born: '1990-05-12' } }, Date.parse(at));
    expect(of('t0', '2026-05-13T00:00:00Z')).toMatchObject({
      value: false,
      nextChangeAt: '2027-05-05T16:00:00.000Z',
      leaves: [{ text: 'trait("born")', value: '1990-05-12' }, { value: false }],
    });
    expect(of('t0', '2027-05-05T16:00:00Z')).toMatchObject({
      value: true,
      nextChangeAt: '2027-05-12T16:00:00.000Z',
    });
    expect(of('t1', '2026-05-13T00:00:00Z')).not.toHaveProperty('nextChangeAt');
  });

  test('what comes back for ever is looked at again, early and never late', () => {
    const rules = book('UTC', 'trait("born").anniversary("1d") && trait("until").withinNext("1d")');
    const view = { cells: emptyCells(), traits: { born: '1990-05-12', until: '2090-05-12' } };
    const looked: number[] = [];
    let at = Date.parse('2026-01-01');
    for (let change = nextChange(rules, view, at); change; change = nextChange(rules, view, at)) {
      looked.push(change.at);
      at = change.at;
      if (change.exact) break;
    }
    expect(at).toBe(Date.parse('2090-05-12'));
    expect(looked.length).toBeLessThan(12);
    expect(explainTag(rules, 't0', view, Date.parse('2026-01-01'))).not.toHaveProperty('nextChangeAt');
  });

  test('of the last event that says it is one too', () => {
    const rules = book('UTC', 'events("order").last("until").withinNext("3d")');
    const cells = emptyCells();
    foldEvent(rules, cells, order('2026-03-01T00:00:00Z', { until: '2026-03-10' }));
    const view = { cells, traits: {} };
    expect(nextChange(rules, view, Date.parse('2026-03-01'))).toEqual({
      at: Date.parse('2026-03-08'),
      exact: true,
    });
    expect(boundaries(rules, cells, Date.parse('2026-03-01'), Date.parse('2027-03-01'))).toEqual(
      ['2026-03-08', '2026-03-11'].map(Date.parse),
    );
  });

  test('a tag that it gives is held since the midnight, however long nothing happened', () => {
    const rules = {
      book: book('Asia/Shanghai', 'trait("born").anniversary("7d")'),
      brand: aBrand({ timezone: 'Asia/Shanghai' }),
    };
    const person = emptyPerson();
    walk(person, [anEvent('page_viewed', -60, { traits: { born: '1990-05-12' } })], rules);
    watch(person, Date.parse('2026-05-08T12:00:00Z'), rules);
    expect(person.tags.get('t0')?.since).toBe(Date.parse('2026-05-05T16:00:00Z'));
  });
});

test("weekday and hour are the brand's own", () => {
  const events = [order('2026-11-01T15:59:59Z'), order('2026-11-01T16:00:00Z')]; // Sunday 23:59:59, Monday 0:00:00
  const count = (condition: string, zone = 'Asia/Shanghai') =>
    leafOf(`.where(o, ${condition}).count()`, events, '2026-12-01T00:00:00Z', zone);
  expect(count('weekday(o) == 7')).toBe(1);
  expect(count('weekday(o) == 1')).toBe(1);
  expect(count('hour(o) == 23')).toBe(1);
  expect(count('hour(o) == 0 && weekday(o) == 1')).toBe(1);
  expect(count('weekday(o) == 7 && hour(o) >= 15', 'UTC')).toBe(2);
  expect(count('hour(o) == o.hour')).toBe(0); // a property of that name is another thing
  // The night on which New York's clocks show one o'clock twice, and that on which they leave out two.
  const nights = ['2026-11-01T05:30:00Z', '2026-11-01T06:30:00Z', '2026-03-08T07:30:00Z'].map((it) =>
    order(it),
  );
  const at = (hour: number) =>
    leafOf(`.where(o, hour(o) == ${hour}).count()`, nights, '2026-12-01T00:00:00Z', 'America/New_York');
  expect([1, 2, 3].map(at)).toEqual([2, 0, 1]);
});
