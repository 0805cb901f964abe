import { expect, test } from 'vitest';
import type { Event } from '../../../lib/events/event.ts';
import { anEventOf, november } from './an-event.ts';
import { identities } from './identity.ts';

/** Profiles as `kind:value kind:value`, and how many events each has. */
const who = (events: readonly Event[]) =>
  identities(events).profiles.map(({ names, events: own }) => [
    names.map((name) => name.replace(' x ', ':')).join(' '),
    own.length,
  ]);
const seen = (ids: string, day: number) => anEventOf(ids.split(' '), november(day));

test('a strong identifier that two events share makes them one profile', () => {
  expect(who([seen('member_id:1', 1), seen('member_id:1 phone:1', 2), seen('phone:1', 3)])).toEqual([
    ['member_id:1 phone:1', 3],
  ]);
});

test('two profiles that meet on an event become one, from the beginning', () => {
  expect(
    who([seen('member_id:1', 1), seen('wechat_unionid:1', 2), seen('member_id:1 wechat_unionid:1', 3)]),
  ).toEqual([['member_id:1 wechat_unionid:1', 3]]);
});

test('two members never become one: the event belongs to its strongest identifier, the meeting is to be reviewed', () => {
  const events = [seen('member_id:1 phone:1', 1), seen('member_id:2', 2), seen('member_id:2 phone:1', 3)];
  expect(who(events)).toEqual([
    ['member_id:1 phone:1', 1],
    ['member_id:2', 2],
  ]);
  expect(identities(events).reviews).toEqual([
    { pair: ['member_id x 2', 'phone x 1'], event: events[2]?.id },
  ]);
  const again = [...events, seen('member_id:2 phone:1', 4)];
  expect(identities(again).reviews).toHaveLength(1);
});

test('what was first in event time is joined first, whatever came first', () => {
  const late = [seen('member_id:1 phone:1', 5), seen('member_id:2 phone:1', 4)];
  expect(who(late)).toEqual([
    ['member_id:1', 1],
    ['member_id:2 phone:1', 1],
  ]);
});

test('one event that names two members joins neither, and its third identifier joins the first of them', () => {
  const events = [seen('phone:1 member_id:2 member_id:1', 1)];
  expect(who(events)).toEqual([['member_id:1 phone:1', 1]]); // member 2 has no event of its own
  expect(identities(events).reviews.map(({ pair }) => pair)).toEqual([
    ['member_id x 1', 'member_id x 2'],
    ['member_id x 2', 'phone x 1'],
  ]);
});

test('the same customer number of two shops is no conflict', () => {
  const first = seen('member_id:1 customer_id:7', 1);
  const second: Event = {
    ...seen('member_id:1', 2),
    identifiers: [
      { kind: 'member_id', scope: 'x', value: '1' },
      { kind: 'customer_id', scope: 'y', value: '8' },
    ],
  };
  expect(identities([first, second]).profiles).toHaveLength(1);
});

test('no profile grows beyond 64 strong identifiers', () => {
  const events = Array.from({ length: 65 }, (_, i): Event => {
    const event = seen('weimob_wid:0', 1 + (i % 20));
    const identifiers = [
      { kind: 'member_id', scope: 'x', value: '1' },
      { kind: 'customer_id', scope: `shop-${i}`, value: '1' },
    ];
    return { ...event, identifiers };
  });
  const { profiles, reviews } = identities(events);
  expect(profiles.map(({ names }) => names.length)).toEqual([64]); // the others hold no event of their own
  expect(reviews).toHaveLength(2);
});

test('a weak identifier alone is a profile, until it is first seen beside a strong one', () => {
  const anonymous = [seen('anonymous_id:1', 1), seen('anonymous_id:1', 2)];
  expect(who(anonymous)).toEqual([['anonymous_id:1', 2]]);
  expect(who([...anonymous, seen('member_id:1 anonymous_id:1', 3)])).toEqual([
    ['anonymous_id:1 member_id:1', 3],
  ]);
});

test('a shared device stays with its first owner; events with a member of their own go to that member', () => {
  const events = [
    seen('member_id:1 device_id:1', 1),
    seen('member_id:2 device_id:1', 2),
    seen('device_id:1', 3),
    seen('member_id:2 device_id:1', 4),
  ];
  expect(who(events)).toEqual([
    ['device_id:1 member_id:1', 2],
    ['member_id:2', 2],
  ]);
});

test('weak identifiers that were first seen together are one group, and have one owner', () => {
  const group = [
    seen('wechat_openid:1 device_id:1', 1),
    seen('device_id:1 device_id:2', 2),
    seen('device_id:2', 3),
  ];
  expect(who(group)).toEqual([['device_id:1 device_id:2 wechat_openid:1', 3]]);
  expect(who([...group, seen('member_id:1 device_id:2', 4)])).toEqual([
    ['device_id:1 device_id:2 member_id:1 wechat_openid:1', 4],
  ]);
  expect(who([...group, seen('member_id:1 device_id:2', 5), seen('member_id:2 wechat_openid:1', 4)])).toEqual(
    [
      ['device_id:1 device_id:2 member_id:2 wechat_openid:1', 4],
      ['member_id:1', 1],
    ],
  );
});

test('a weak identifier follows the group that it was first seen in, not the one that it meets later', () => {
  expect(
    who([seen('device_id:1', 1), seen('wechat_openid:1', 2), seen('wechat_openid:1 device_id:1', 3)]),
  ).toEqual([
    ['device_id:1', 1],
    ['wechat_openid:1', 2],
  ]);
});

test('a kind that nobody knows is weak', () => {
  expect(who([seen('member_id:1 loyalty_card:1', 1), seen('member_id:2 loyalty_card:1', 2)])).toEqual([
    ['loyalty_card:1 member_id:1', 1],
    ['member_id:2', 1],
  ]);
});

test('of two events with one id the smaller by its text is the event', () => {
  const one = anEventOf(['member_id:1'], november(1), { id: 'aaaaaaaaaaaaaaaa', traits: { city: 'A' } });
  const other = anEventOf(['member_id:1'], november(1), { id: 'aaaaaaaaaaaaaaaa', traits: { city: 'B' } });
  for (const events of [
    [one, other],
    [other, one],
  ])
    expect(identities(events).profiles.map((it) => it.events)).toEqual([[one]]);
});
