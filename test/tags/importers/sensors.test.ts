import { expect, test } from 'vitest';
import { fromSensors } from '../../../lib/tags/importers/sensors.ts';
import { deed, type Person } from '../people.ts';
import { holders } from './meaning.ts';

/** A user group in the form in which Sensors' API gives it. */
const userGroup = (relation: 'and' | 'or', ...rules: object[]) => ({
  id: 3,
  name: 'high_value',
  cname: '高价值用户',
  data_type: 'BOOL',
  is_routine: true,
  rule_content_list: [{ type: 'rules_relation', relation, rules }],
});
const profile = (name: string, params: unknown[], field = 'user.$city') => ({
  type: 'profile_rule',
  field,
  function: name,
  params,
});
const event = (more: object = {}, measure: object = {}) => ({
  type: 'event_rule',
  measure: { type: 'event_measure', event_name: '$pageview', aggregator: 'general', field: '', ...measure },
  time_function: 'relative_within',
  time_params: [7, 'day'],
  function: 'least',
  params: [1],
  filters: [],
  ...more,
});
const knows = (traits: Person['traits'] = {}): Person => ({ deeds: [], traits });
const views = (...days: number[]): Person => ({ deeds: days.map((d) => deed('page_viewed', d)) });
const who = (rule: object, people: Record<string, Person>) =>
  holders(fromSensors(userGroup('and', rule)), people);

test('a group is a rule with its Chinese name; relations nest', () => {
  const rules = userGroup('and', event({ params: [2] }), {
    type: 'rules_relation',
    relation: 'or',
    rules: [profile('equal', ['合肥', '南京']), profile('isTrue', [], 'user.vip')],
  });
  const said = fromSensors(rules);
  expect(said.name).toBe('高价值用户');
  expect(said.notes).toEqual([]);
  const people = {
    city: { ...views(1, 2), traits: { city: '合肥' } },
    vip: { ...views(1, 2), traits: { vip: true } },
    other: { ...views(1, 2), traits: { city: '上海' } },
    once: { ...views(1), traits: { city: '合肥' } },
  };
  expect(holders(said, people)).toEqual(['city', 'vip']);
  const [bare] = rules.rule_content_list;
  expect(fromSensors(bare)).toEqual({ ...said, name: undefined });
});

test('seven days are today and six before; a stretch leaves the last days out; dates count both ends', () => {
  expect(who(event(), { in: views(6), out: views(7) })).toEqual(['in']);
  const people = { today: views(0), yesterday: views(1), three: views(3), four: views(4) };
  expect(who(event({ time_function: 'relative_between', time_params: [4, 1, 'day'] }), people)).toEqual([
    'yesterday',
    'three',
  ]);
  const dates = event({ time_function: 'absolute_time', time_params: ['2026-05-18', '2026-05-19'] });
  expect(who(dates, { a: views(3), b: views(2), c: views(1), d: views(0) })).toEqual(['b', 'c']);
});

test('what is compared with a count; only those who did it at all', () => {
  const people = { none: views(), one: views(1), two: views(1, 2), three: views(1, 2, 3) };
  const said = (name: string, ...params: number[]) => who(event({ function: name, params }), people);
  expect(said('least', 2)).toEqual(['two', 'three']);
  expect(said('most', 2)).toEqual(['one', 'two']);
  expect(said('less', 2)).toEqual(['one']);
  expect(said('greater', 2)).toEqual(['three']);
  expect(said('equal', 2)).toEqual(['two']);
  expect(said('equal', 0)).toEqual(['none']);
  expect(said('notEqual', 2)).toEqual(['one', 'three']);
  expect(said('between', 2, 3)).toEqual(['two', 'three']);
});

test('sums, averages and different values of a property', () => {
  const plays = (...minutes: number[]): Person => ({
    deeds: minutes.map((minute, i) => deed('video_played', i, { minute, title: `t${minute}` })),
  });
  const people = { a: plays(10, 20), b: plays(30, 30) };
  const of = (aggregator: string, name: string, value: number, field = 'event.videoPlayed.minute') =>
    who(event({ function: name, params: [value] }, { event_name: 'videoPlayed', aggregator, field }), people);
  expect(of('sum', 'greater', 30)).toEqual(['b']);
  expect(of('avg', 'least', 15)).toEqual(['a', 'b']);
  expect(of('avg', 'equal', 30)).toEqual(['b']);
  expect(of('max', 'most', 20)).toEqual(['a']);
  expect(of('min', 'least', 30)).toEqual(['b']);
  expect(of('uniqCount', 'least', 2, 'event.videoPlayed.title')).toEqual(['a']);
  expect(() => of('uniqCount', 'least', 100, 'event.videoPlayed.title')).toThrow(
    'distinct() counts up to 64',
  );
});

test('filters of an event: one, or several in a relation; money in minor units', () => {
  const filter = (field: string, name: string, ...params: unknown[]) => ({
    type: 'filter',
    field,
    function: name,
    params,
  });
  const rule = event(
    {
      filters: [
        {
          type: 'filters_relation',
          relation: 'and',
          subfilters: [
            filter('event.orderCompleted.total', 'greater', '100'),
            filter('event.orderCompleted.city', 'notEqual', '上海'),
          ],
        },
      ],
    },
    { event_name: 'orderCompleted' },
  );
  const paid = (total_amount: number, city?: string): Person => ({
    deeds: [deed('order_paid', 1, { total_amount, ...(city ? { city } : {}) })],
  });
  const people = {
    yes: paid(10_001, '南京'),
    even: paid(10_000, '南京'),
    city: paid(20_000, '上海'),
    unknown: paid(20_000),
  };
  expect(holders(fromSensors(userGroup('and', rule), 'CNY'), people)).toEqual(['yes']);
  expect(() => fromSensors(userGroup('and', rule))).toThrow('say the currency');
  const url = event({ filters: [filter('event.$pageview.$url', 'contain', '/vip')] });
  const on = (at: string) => ({ deeds: [deed('page_viewed', 1, { url: at })] });
  expect(who(url, { vip: on('https://a.example/vip'), home: on('https://a.example/') })).toEqual(['vip']);
});

test('traits; a negation holds of nobody without a value', () => {
  const people = { hefei: knows({ city: '合肥' }), none: knows(), empty: knows({ city: '' }) };
  expect(who(profile('notEqual', ['南京']), people)).toEqual(['hefei', 'empty']);
  expect(who(profile('contain', ['合']), people)).toEqual(['hefei']);
  expect(who(profile('notContain', ['京']), people)).toEqual(['hefei', 'empty']);
  expect(who(profile('rlike', ['^合']), people)).toEqual(['hefei']);
  expect(who(profile('isSet', []), people)).toEqual(['hefei', 'empty']);
  expect(who(profile('notSet', []), people)).toEqual(['none']);
  expect(who(profile('isEmpty', []), people)).toEqual(['empty']);
  const numbers = { five: knows({ n: 5 }), text: knows({ n: '7' }), none: knows() };
  expect(who(profile('between', [5, 7], 'user.n'), numbers)).toEqual(['five', 'text']);
  expect(who(profile('less', [6], 'user.n'), numbers)).toEqual(['five']);
  expect(
    who(profile('include', ['a'], 'user.l'), { a: knows({ l: ['a'] }), b: knows({ l: ['b'] }) }),
  ).toEqual(['a']);
});

test('dates of traits by days', () => {
  const people = {
    today: knows({ d: '2026-05-20' }),
    yesterday: knows({ d: '2026-05-19' }),
    old: knows({ d: '2026-05-01' }),
    ahead: knows({ d: '2026-06-01' }),
  };
  const said = (name: string, ...params: unknown[]) => who(profile(name, params, 'user.d'), people);
  expect(said('relative_within', 1, 'day')).toEqual(['today']);
  expect(said('relative_before', 1, 'day')).toEqual(['yesterday', 'old']);
  expect(said('relative_between', 2, 1, 'day')).toEqual(['yesterday']);
  expect(said('absolute_between', '2026-05-01', '2026-05-19')).toEqual(['yesterday', 'old']);
});

test('a sequence within the last days; of more than one day it says where it differs', () => {
  const steps = [
    { event: 'ViewProduct', filters: [] },
    { event: 'orderCompleted', filters: [] },
  ];
  const rule = (days: number) => ({
    type: 'event_sequence_rule',
    time_function: 'relative_within',
    time_params: [days, 'day'],
    steps,
  });
  const did = (viewed: number, paid: number) => ({
    deeds: [deed('view_product', viewed), deed('order_paid', paid)],
  });
  expect(who(rule(7), { yes: did(3, 1), reversed: did(1, 3), old: did(20, 18) })).toEqual(['yes']);
  expect(fromSensors(userGroup('and', rule(7))).notes).toEqual([
    expect.stringContaining('up to 6 days before'),
  ]);
  expect(fromSensors(userGroup('and', rule(1))).notes).toEqual([]);
});

test('what cannot be said is refused, with its place', () => {
  const refused = (rule: object) => {
    try {
      return fromSensors(userGroup('and', rule)).when;
    } catch (error) {
      return String(error).replace('ImportError: rule_content_list[0].rules[0]', '');
    }
  };
  expect(refused(event({ time_function: 'relative_time' }))).toMatch(/^: the time function relative_time/);
  expect(refused(event({ time_params: [2, 'week'] }))).toContain('the unit week');
  expect(refused(event({}, { aggregator: 'uniqAvg' }))).toContain('the aggregator uniqAvg');
  expect(refused(event({}, { event_name: '$Anything' }))).toContain('any event at all');
  expect(
    refused(
      event({
        filters: [{ type: 'filter', field: 'event.$pageview.$os', function: 'equal', params: ['iOS'] }],
      }),
    ),
  ).toMatch(/^\.filters\[0\]: \$os is the SDK's own/);
  expect(refused(profile('equal', [true], 'user.user_group_vip'))).toContain('hasTag');
  expect(refused(profile('near', ['x']))).toContain('the function near cannot be said');
  expect(refused(profile('equal', ['1'], 'user.mobile'))).toContain('kept encrypted');
  expect(
    refused({
      type: 'event_sequence_rule',
      time_function: 'absolute_time',
      time_params: ['2026-05-01', '2026-05-02'],
      steps: [
        { event: 'a', filters: [] },
        { event: 'b', filters: [] },
      ],
    }),
  ).toContain('a sequence within dates');
  expect(refused({ type: 'sql_rule' })).toContain('rules of type sql_rule');
  expect(() => fromSensors({ rule_content_list: [{}, {}] })).toThrow('2 layers');
});
