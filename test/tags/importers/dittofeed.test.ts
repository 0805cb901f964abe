import { expect, test } from 'vitest';
import { fromDittofeed } from '../../../lib/tags/importers/dittofeed.ts';
import { deed, hoursAgo, type Person } from '../people.ts';
import { holders } from './meaning.ts';

/** A segment in the form in which Dittofeed's API gives it. */
const segment = (entryNode: object, ...nodes: object[]) => ({
  id: 'b2b7f3c1-0d5e-4b5e-9c63-0d3c2d2f4e11',
  workspaceId: '6c0d2a5e-2f8a-44f1-a1d6-111111111111',
  name: 'Bought twice',
  definition: { entryNode, nodes },
});
const trait = (operator: object, path = 'plan') => ({ type: 'Trait', id: '1', path, operator });
const performed = (more: object = {}, event = 'Order Completed') => ({
  type: 'Performed',
  id: '1',
  event,
  ...more,
});
const knows = (traits: Person['traits'] = {}): Person => ({ deeds: [], traits });
const orders = (...days: number[]): Person => ({ deeds: days.map((d) => deed('order_paid', d)) });
const who = (node: object, people: Record<string, Person>) => holders(fromDittofeed(segment(node)), people);

const DAY = 86_400;

test('nodes name their children; And and Or nest', () => {
  const said = fromDittofeed(
    segment(
      { type: 'And', id: 'root', children: ['a', 'o'] },
      { ...performed({ times: 2, timesOperator: '>=' }), id: 'a' },
      { type: 'Or', id: 'o', children: ['p', 'q'] },
      { ...trait({ type: 'Equals', value: 'gold' }), id: 'p' },
      { ...trait({ type: 'Equals', value: 'silver' }), id: 'q' },
    ),
  );
  expect(said.name).toBe('Bought twice');
  expect(said.notes).toEqual([]);
  const two = (plan: string): Person => ({ ...orders(1, 2), traits: { plan } });
  const people = {
    gold: two('gold'),
    silver: two('silver'),
    bronze: two('bronze'),
    once: { ...orders(1), traits: { plan: 'gold' } },
  };
  expect(holders(said, people)).toEqual(['gold', 'silver']);
});

test('how often: exactly once unless it says otherwise', () => {
  const people = { none: orders(), one: orders(1), two: orders(1, 2) };
  expect(who(performed(), people)).toEqual(['one']);
  expect(who(performed({ times: 0 }), people)).toEqual(['none']);
  expect(who(performed({ times: 1, timesOperator: '>=' }), people)).toEqual(['one', 'two']);
  expect(who(performed({ times: 2, timesOperator: '<' }), people)).toEqual(['none', 'one']);
  expect(who(performed({ times: 1, timesOperator: '<' }), people)).toEqual(['none']);
});

test('hours are exact, days become brand-days and it says so', () => {
  const hours = performed({ withinSeconds: 36 * 3600, timesOperator: '>=' });
  const people = {
    in: { deeds: [hoursAgo('order_paid', 35.9)] },
    out: { deeds: [hoursAgo('order_paid', 36)] },
  };
  expect(who(hours, people)).toEqual(['in']);
  expect(fromDittofeed(segment(hours)).notes).toEqual([]);
  const week = performed({ withinSeconds: 7 * DAY, timesOperator: '>=' });
  expect(who(week, { in: orders(6), out: orders(7) })).toEqual(['in']);
  expect(fromDittofeed(segment(week)).notes).toEqual([
    expect.stringContaining('Performed 1: 7 times 24 hours'),
  ]);
});

test('traits are compared as texts, and a missing one is the empty text', () => {
  const people = {
    gold: knows({ plan: 'gold' }),
    five: knows({ plan: 5 }),
    empty: knows({ plan: '' }),
    none: knows(),
  };
  expect(who(trait({ type: 'Equals', value: 'gold' }), people)).toEqual(['gold']);
  expect(who(trait({ type: 'Equals', value: '5' }), people)).toEqual(['five']);
  expect(who(trait({ type: 'Equals', value: '' }), people)).toEqual(['empty', 'none']);
  expect(who(trait({ type: 'NotEquals', value: 'gold' }), people)).toEqual(['five', 'empty', 'none']);
  expect(who(trait({ type: 'Exists' }), people)).toEqual(['gold', 'five']);
  expect(who(trait({ type: 'NotExists' }), people)).toEqual(['empty', 'none']);
  expect(who(trait({ type: 'GreaterThanOrEqual', value: 5 }), people)).toEqual(['five']);
  expect(who(trait({ type: 'LessThan', value: 6 }), people)).toEqual(['five']);
  expect(who(trait({ type: 'Exists' }, '$.plan'), people)).toEqual(['gold', 'five']);
});

test('lists of traits', () => {
  const people = { both: knows({ likes: ['a', 'b'] }), other: knows({ likes: ['c'] }), none: knows() };
  expect(who({ type: 'Includes', id: '1', path: 'likes', item: 'a' }, people)).toEqual(['both']);
  expect(who({ type: 'NotIncludes', id: '1', path: 'likes', item: 'a' }, people)).toEqual(['other', 'none']);
});

test('dates of traits; what is to come is within every window', () => {
  const people = {
    recent: knows({ since: '2026-05-18' }),
    old: knows({ since: '2026-05-01' }),
    ahead: knows({ since: '2026-06-01' }),
    none: knows(),
  };
  expect(who(trait({ type: 'Within', windowSeconds: 7 * DAY }, 'since'), people)).toEqual([
    'recent',
    'ahead',
  ]);
  expect(who(trait({ type: 'NotWithin', windowSeconds: 7 * DAY }, 'since'), people)).toEqual(['old']);
  expect(who(trait({ type: 'Within', windowSeconds: 2 * DAY }, 'since'), people)).toEqual(['ahead']);
  const absolute = { type: 'AbsoluteTimestamp', absoluteTimestamp: '2026-01-01T00:00:00.000Z' };
  const times = {
    before: knows({ at: '2025-12-31T23:59:59Z' }),
    on: knows({ at: '2026-01-01T08:00:00+08:00' }),
    none: knows(),
  };
  expect(who(trait({ ...absolute, direction: 'after' }, 'at'), times)).toEqual(['on']);
  expect(who(trait({ ...absolute, direction: 'before' }, 'at'), times)).toEqual(['before']);
});

test('the last event of those that are meant', () => {
  const asked = {
    type: 'LastPerformed',
    id: '1',
    event: 'Plan Changed',
    whereProperties: [{ path: 'kind', operator: { type: 'Equals', value: 'paid' } }],
    hasProperties: [{ path: 'to', operator: { type: 'Equals', value: 'pro' } }],
  };
  const changed = (d: number, to: string, kind = 'paid') => deed('plan_changed', d, { to, kind });
  const people = {
    pro: { deeds: [changed(3, 'free'), changed(1, 'pro')] },
    free: { deeds: [changed(3, 'pro'), changed(1, 'free')] },
    other: { deeds: [changed(3, 'pro'), changed(1, 'free', 'trial')] },
    none: { deeds: [] },
  };
  expect(who(asked, people)).toEqual(['pro', 'other']);
  expect(who({ ...asked, hasProperties: [] }, people)).toEqual(['pro', 'free', 'other']);
});

test('properties of orders have their money in minor units', () => {
  const asked = performed({
    timesOperator: '>=',
    properties: [{ path: 'total', operator: { type: 'GreaterThanOrEqual', value: 100 } }],
  });
  const people = {
    yes: { deeds: [deed('order_paid', 1, { total_amount: 10_000 })] },
    no: { deeds: [deed('order_paid', 1, { total_amount: 9_999 })] },
  };
  expect(holders(fromDittofeed(segment(asked), 'CNY'), people)).toEqual(['yes']);
  expect(() => fromDittofeed(segment(asked))).toThrow('say the currency');
});

test('money that keeps its name here is in minor units too', () => {
  const asked = performed(
    {
      timesOperator: '>=',
      properties: [{ path: 'value', operator: { type: 'LessThan', value: 12.5 } }],
    },
    'Checkout Started',
  );
  const began = (value: number) => ({ deeds: [deed('checkout_started', 1, { value })] });
  expect(holders(fromDittofeed(segment(asked), 'CNY'), { yes: began(1249), no: began(1250) })).toEqual([
    'yes',
  ]);
});

test('everyone, and a share of them', () => {
  expect(who({ type: 'Everyone', id: '1' }, { a: knows() })).toEqual(['a']);
  const half = segment({ type: 'RandomBucket', id: 'r', percent: 0.5 });
  const drawn = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`p${i}`, orders(i + 1)]));
  expect(fromDittofeed(half)).toMatchObject({
    when: 'bucket("Bought twice", 10000) < 5000',
    notes: [expect.stringContaining('drawn anew')],
  });
  expect(holders(fromDittofeed(half), drawn).length).toBeLessThan(40);
});

test('what cannot be said is refused by the name of its node', () => {
  const refused = (node: object) => {
    try {
      return fromDittofeed(segment(node)).when;
    } catch (error) {
      return String(error);
    }
  };
  for (const type of ['Manual', 'Broadcast', 'Email', 'KeyedPerformed', 'SubscriptionGroup', 'Weather'])
    expect(refused({ type, id: 'n7' })).toMatch(new RegExp(`^ImportError: ${type} n7: .{20}`));
  expect(refused(trait({ type: 'HasBeen', value: 'x', windowSeconds: DAY, comparator: '>=' }))).toContain(
    'Trait 1: how long',
  );
  expect(refused(trait({ type: 'Equals', value: 'x' }, 'email'))).toContain('kept encrypted');
  expect(refused(performed({ withinSeconds: 90 }))).toContain('90 seconds are neither');
  expect(refused(performed({ timeOperator: 'after absolute', absoluteTimestamp: '2026-01-01' }))).toContain(
    'the time operator',
  );
  expect(refused({ type: 'And', id: 'a', children: ['gone'] })).toContain(
    'And a: its child gone is not in the segment',
  );
  expect(refused({ type: 'And', id: 'a', children: ['a'] })).toContain('among its own children');
  expect(refused({ type: 'RandomBucket', id: 'r', percent: 0.00001 })).toContain('ten-thousandths');
  expect(() => fromDittofeed({ name: 'x' })).toThrow('definition.entryNode');
});
