import { expect, test } from 'vitest';
import { fromPostHog } from '../../../lib/tags/importers/posthog.ts';
import { deed, hoursAgo, type Person } from '../people.ts';
import { holders } from './meaning.ts';

/** A cohort in the form in which PostHog's API gives it. */
const cohort = (...values: unknown[]) => ({
  id: 7,
  name: 'Power users',
  is_static: false,
  filters: { properties: { type: 'OR', values: [{ type: 'AND', values }] } },
});
const behavioral = (value: string, more: object = {}) => ({
  key: '$pageview',
  type: 'behavioral',
  value,
  negation: false,
  event_type: 'events',
  time_value: '30',
  time_interval: 'day',
  ...more,
});
const person = (key: string, operator: string, value: unknown, more: object = {}) => ({
  key,
  type: 'person',
  operator,
  value,
  negation: false,
  ...more,
});
const views = (...days: number[]): Person => ({ deeds: days.map((d) => deed('page_viewed', d)) });
const knows = (traits: Person['traits'] = {}): Person => ({ deeds: [], traits });
const who = (values: unknown[], people: Record<string, Person>) =>
  holders(fromPostHog(cohort(...values)), people);

test('a cohort of groups in groups is a rule with its name, and says what it counts otherwise', () => {
  const said = fromPostHog(
    cohort(
      behavioral('performed_event_multiple', {
        operator: 'gte',
        operator_value: 5,
        explicit_datetime: '-30d',
      }),
    ),
  );
  expect(said).toEqual({
    name: 'Power users',
    when: 'events("page_viewed").within("30d").count() >= 5',
    notes: [expect.stringContaining('30 times 24 hours become 30 brand-days')],
  });
});

test('performed_event counts from the beginning of the day 30 days ago', () => {
  const people = { now: views(0), edge: views(30), gone: views(31), never: views() };
  expect(who([behavioral('performed_event')], people)).toEqual(['now', 'edge']);
  expect(who([behavioral('performed_event', { negation: true })], people)).toEqual(['gone', 'never']);
  const back = behavioral('performed_event', { explicit_datetime: '-7d' });
  expect(who([back], { edge: views(7), gone: views(8) })).toEqual(['edge']);
  expect(
    who([behavioral('performed_event', { time_value: 2, time_interval: 'week' })], {
      a: views(14),
      b: views(15),
    }),
  ).toEqual(['a']);
});

test('how often: exactly, at most, at least; nobody who never did it', () => {
  const people = { none: views(), one: views(1), two: views(1, 2), three: views(1, 2, 3) };
  const times = (operator: string) =>
    who([behavioral('performed_event_multiple', { operator, operator_value: 2 })], people);
  expect(times('exact')).toEqual(['two']);
  expect(times('lte')).toEqual(['one', 'two']);
  expect(times('lt')).toEqual(['one']);
  expect(times('gt')).toEqual(['three']);
  expect(times('gte')).toEqual(['two', 'three']);
});

test('one day is 24 hours to the millisecond', () => {
  const asked = behavioral('performed_event_multiple', { operator: 'gte', operator_value: 1, time_value: 1 });
  const people = {
    in: { deeds: [hoursAgo('page_viewed', 23.9)] },
    out: { deeds: [hoursAgo('page_viewed', 24)] },
  };
  expect(who([asked], people)).toEqual(['in']);
  expect(fromPostHog(cohort(asked)).notes).toEqual([]);
});

test('first time, stopped, started again', () => {
  const people = {
    first: views(3),
    again: views(3, 200),
    stopped: views(20),
    back: views(2, 100),
    old: views(100),
  };
  expect(who([behavioral('performed_event_first_time')], people)).toEqual(['first', 'stopped']);
  const since = { seq_time_value: 7, seq_time_interval: 'day' };
  expect(who([behavioral('stopped_performing_event', since)], people)).toEqual(['stopped']);
  expect(who([behavioral('restarted_performing_event', since)], { ...people, both: views(2, 20) })).toEqual([
    'again',
    'back',
  ]);
});

test('in so many of the last periods, of days that ended yesterday', () => {
  const asked = behavioral('performed_event_regularly', {
    ...{ operator: 'gte', operator_value: 2, time_value: 2, time_interval: 'day' },
    ...{ min_periods: 2, total_periods: 3 },
  });
  const people = {
    two: views(1, 2, 5, 6),
    one: views(1, 2, 3, 5),
    today: views(0, 0, 1, 2),
    far: views(1, 2, 7, 8),
  };
  expect(who([asked], people)).toEqual(['two']);
});

test('a sequence has its order and its window', () => {
  const asked = behavioral('performed_event_sequence', {
    ...{ key: 'Product Added', seq_event: 'Order Completed', seq_event_type: 'events' },
    ...{ seq_time_value: 3, seq_time_interval: 'day' },
  });
  const both = (added: number, paid: number): Person => ({
    deeds: [deed('product_added', added), deed('order_paid', paid)],
  });
  expect(
    who([asked], { yes: both(5, 3), reversed: both(3, 5), slow: both(9, 3), old: both(42, 40) }),
  ).toEqual(['yes']);
});

test('persons: equal as texts, and negations hold of those without a value', () => {
  const people = { shanghai: knows({ city: '上海' }), paris: knows({ city: 'Paris' }), none: knows() };
  expect(who([person('city', 'exact', ['上海', 'Lyon'])], people)).toEqual(['shanghai']);
  expect(who([person('city', 'is_not', ['上海'])], people)).toEqual(['paris', 'none']);
  expect(who([person('city', 'exact', '上海', { negation: true })], people)).toEqual(['paris', 'none']);
  expect(who([person('city', 'icontains', 'PAR')], people)).toEqual(['paris']);
  expect(who([person('city', 'not_icontains', 'PAR')], people)).toEqual(['shanghai', 'none']);
  expect(who([person('city', 'regex', '^P.r')], people)).toEqual(['paris']);
  expect(who([person('city', 'not_regex', '^P.r')], people)).toEqual(['shanghai', 'none']);
  expect(who([person('city', 'is_set', 'is_set')], people)).toEqual(['shanghai', 'paris']);
  expect(who([person('city', 'is_not_set', 'is_not_set')], people)).toEqual(['none']);
});

test('a number is equal to its text, and compared by its size', () => {
  const people = { text: knows({ age: '9' }), number: knows({ age: 9 }), more: knows({ age: 10 }) };
  expect(who([person('age', 'exact', ['9'])], people)).toEqual(['text', 'number']);
  expect(who([person('age', 'gt', '9')], people)).toEqual(['more']);
  expect(who([person('age', 'lte', 9)], people)).toEqual(['text', 'number']);
});

test('filters of an event, with money in the unit that it has here', () => {
  const asked = {
    ...behavioral('performed_event', { key: 'Order Completed' }),
    event_filters: [
      { key: 'total', type: 'event', operator: 'gte', value: '39.9' },
      { key: 'coupon', type: 'event', operator: 'is_not', value: ['X'] },
    ],
  };
  const paid = (properties: Record<string, string | number>) => ({
    deeds: [deed('order_paid', 1, properties)],
  });
  const people = {
    yes: paid({ total_amount: 3990 }),
    less: paid({ total_amount: 3989 }),
    coupon: paid({ total_amount: 9000, coupon: 'X' }),
  };
  expect(holders(fromPostHog(cohort(asked), 'CNY'), people)).toEqual(['yes']);
  expect(() => fromPostHog(cohort(asked))).toThrow('is money, kept in minor units: say the currency');
});

test('what cannot be said is refused, with its place and a reason', () => {
  const refused = (...values: unknown[]) => {
    const at = 'filters.properties.values[0].values[0]';
    try {
      return fromPostHog(cohort(...values)).when;
    } catch (error) {
      return String(error).replace(`ImportError: ${at}: `, '');
    }
  };
  expect(refused({ key: 'id', type: 'cohort', value: 8 })).toMatch(/^it reads another cohort/);
  expect(refused(behavioral('performed_event', { event_type: 'actions', key: 3 }))).toMatch(
    /^it reads an action/,
  );
  expect(refused(behavioral('performed_event', { time_interval: 'month' }))).toMatch(
    /^30 month: only days and weeks/,
  );
  expect(refused(behavioral('performed_event', { explicit_datetime: '2026-01-01' }))).toMatch(
    /^explicit_datetime/,
  );
  expect(refused(behavioral('performed_event', { time_value: 2000 }))).toMatch(/at most 1095 days/);
  expect(
    refused(behavioral('performed_event_regularly', { time_interval: 'week', time_value: 1 })),
  ).toContain('weeksWith');
  expect(refused(behavioral('performed_event', { key: '购买' }))).toContain('has no type here');
  expect(refused(person('email', 'icontains', '@'))).toContain('kept encrypted');
  expect(refused(person('$browser', 'exact', 'Chrome'))).toContain("the SDK's own");
  expect(refused(person('a', 'semver_gt', '1'))).toBe('the operator semver_gt cannot be said');
  expect(refused(person('a', 'icontains', 'É'))).toContain('beyond ASCII');
  expect(refused(person('since', 'is_date_after', '-30d'))).toContain('relative to now');
  expect(() => fromPostHog({ ...cohort(), is_static: true })).toThrow('a list of persons');
  expect(() => fromPostHog({ name: 'x', groups: [] })).toThrow('filters.properties');
});

test('dates are compared by brand-days, and it says so', () => {
  const said = fromPostHog(cohort(person('since', 'is_date_before', '2026-01-01')));
  expect(said.notes).toEqual([expect.stringContaining('brand-days')]);
  const people = {
    before: knows({ since: '2025-12-31' }),
    on: knows({ since: '2026-01-01' }),
    none: knows(),
  };
  expect(holders(said, people)).toEqual(['before']);
});
