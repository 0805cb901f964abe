// Scope: what consent does to a profile: to its features, tags, traits, days, touches; late, joined, undone.
import { describe, expect, test } from 'vitest';
import { conversionReader } from '../../lib/attribution/read.ts';
import type { Event } from '../../lib/events/event.ts';
import { toIso } from '../../lib/platform/clock.ts';
import { unpack } from '../../lib/profile/codec.ts';
import { aDecider } from '../identity/a-decider.ts';
import { aBrand, anOrder, aRefund, aVisit, day, shuffled } from '../profile/a-profile.ts';
import { aWorld, type World } from '../profile/a-world.ts';
import { granted, withdrawn } from './a-consent.ts';

const rules = [
  {
    tag: 'visits',
    values: {
      two: 'events("page_viewed").count() >= 2',
      one: 'events("page_viewed").count() == 1',
    },
  },
  { tag: 'reach', when: 'consent("marketing.wecom")' },
  { tag: 'known', when: 'hasTrait("city")' },
];
const brand = (consent = {}) => aBrand({ rules, consent });
const from = (channel: string) => ({ context: { campaign: { channel } } });

/** The channels of the touches on each conversion's path, oldest conversion first. */
async function pathsIn(world: World): Promise<string[][]> {
  const { id } = await world.cluster('member_id:m1');
  const rows = await Array.fromAsync(conversionReader(world.rows).list(id));
  rows.sort((a, b) => (a.conversion.at < b.conversion.at ? -1 : 1));
  return rows.map(({ path }) => path.touches.map(({ channel }) => channel));
}

describe('an event', () => {
  test('counts while its own time allows it, whenever it arrives', async () => {
    const world = aWorld({ brand: brand() });
    await world.takeEach(aVisit(0), withdrawn(2, 'analytics'), aVisit(3), aVisit(1), granted(4, 'analytics'));
    expect((await world.tags('member_id:m1')).visits).toBe('two');
    await world.take(aVisit(3.5));
    expect((await world.tags('member_id:m1')).visits).toBe('two');
    await world.take(aVisit(5));
    const { person } = await world.profile('member_id:m1');
    expect(Object.values(person.cells).map(({ t }) => t)).toContainEqual([3]);
    expect(await world.events('member_id:m1')).toHaveLength(7);
  });

  test('that nobody allowed brings no trait and no day, and an order its money all the same', async () => {
    const world = aWorld({ brand: brand() });
    await world.take(
      withdrawn(0, 'analytics'),
      aVisit(1, { traits: { city: 'Hangzhou' } }),
      anOrder(2, 'o1', 100),
    );
    expect(await world.traits('member_id:m1')).toEqual({});
    expect(world.rowsOf('A#')).toMatchObject([{ orders: 1, money: { CNY: 100 } }]);
  });

  test('of somebody who was not asked counts for nothing where the brand asks first', async () => {
    const world = aWorld({ brand: brand({ analytics: 'asked' }) });
    await world.takeEach(aVisit(0), granted(1, 'analytics'), aVisit(2));
    expect((await world.tags('member_id:m1')).visits).toBe('one');
  });
});

describe('a withdrawal that comes late', () => {
  const visits = [aVisit(1, from('wecom')), aVisit(3, from('douyin'))];
  const story: readonly Event[] = [...visits, anOrder(5, 'o1', 1_000)];

  test('takes back tags, days and touches, as if it had come in time', async () => {
    const late = aWorld({ brand: brand() });
    await late.takeEach(...story);
    await late.attribute();
    expect(await pathsIn(late)).toEqual([['wecom', 'douyin']]);
    await late.take(withdrawn(2, 'analytics', { id: 'no' }));
    await late.attribute();
    const inTime = aWorld({ brand: brand() });
    await inTime.takeEach(...[withdrawn(2, 'analytics', { id: 'no' }), ...story].sort(byTimeOf));
    await inTime.attribute();
    expect(await pathsIn(late)).toEqual([['wecom']]);
    expect(await late.digest()).toBe(await inTime.digest());
    expect((await late.tags('member_id:m1')).visits).toBe('one');
    expect(late.rowsOf('A#')).toHaveLength(2);
  });

  test('decides on an event of its own instant', async () => {
    const world = aWorld({ brand: brand() });
    await world.takeEach(aVisit(1, { id: 'a' }), withdrawn(1, 'analytics', { id: 'b' }));
    expect((await world.tags('member_id:m1')).visits).toBeUndefined();
    expect(world.rowsOf('A#')).toEqual([]);
  });

  test('is found behind a journal of many segments, also by who reads only its end', async () => {
    const world = aWorld({ brand: brand() });
    const many = Array.from({ length: 120 }, (_, i) => aVisit(i / 2, from(i % 2 ? 'wecom' : 'douyin')));
    await world.takeEach(withdrawn(0.1, 'analytics'), ...many, anOrder(61, 'o1', 500));
    await world.attribute();
    expect(await pathsIn(world)).toEqual([[]]);
    await world.take(granted(58.9, 'analytics'));
    await world.takeEach(aVisit(62, from('wecom')), anOrder(62.5, 'o2', 500));
    await world.attribute();
    expect(await pathsIn(world)).toEqual([['douyin', 'wecom'], ['wecom']]);
  });
});

test('a withdrawal before the look-back begins is known to who reads no further back', async () => {
  const world = aWorld({ brand: brand() });
  await world.takeEach(withdrawn(1, 'analytics'), aVisit(50, from('wecom')), anOrder(60, 'o1', 500));
  await world.attribute();
  expect(await pathsIn(world)).toEqual([[]]);
});

test('a path is told again as it was, though its person has withdrawn since', async () => {
  const world = aWorld({ brand: brand() });
  await world.takeEach(aVisit(35, from('wecom')), anOrder(40, 'o1', 500), withdrawn(45, 'analytics'));
  await world.takeEach(...Array.from({ length: 80 }, (_, i) => aVisit(46 + i / 10, from('douyin'))));
  await world.attribute();
  expect(await pathsIn(world)).toEqual([['wecom']]);
  await world.takeEach(aRefund(61, 'o1', 100));
  await world.attribute();
  expect(await pathsIn(world)).toEqual([['wecom']]);
});

describe('consent("…") in a rule', () => {
  test('changes with the event that says so, to the millisecond', async () => {
    const world = aWorld({ brand: brand() });
    await world.takeEach(aVisit(0), withdrawn(1.25, 'marketing'), granted(2.5, 'marketing.wecom'));
    const { person } = await world.profile('member_id:m1');
    expect(toIso(person.tags.get('reach')?.since ?? 0)).toBe(day(2.5));
  });

  test('is explained with the event by whose word it stands', async () => {
    const { aCaller } = await import('../query/a-caller.ts');
    const world = aWorld({ brand: brand() });
    await world.takeEach(aVisit(0), withdrawn(1, 'marketing', { id: 'no' }));
    const { ask } = await aCaller(world);
    const why = await ask('/profiles/member_id/m1/tags/reach/explain');
    expect(why.value).toBe(false);
    expect(why.leaves).toEqual([{ text: 'consent("marketing.wecom")', feature: 'consent', value: false }]);
    expect(why.events.map(({ id }: { id: string }) => id)).toEqual(['no______________']);
  });

  test.each([
    'consent("telepathy")',
    'consent("marketing.")',
    'consent(trait("x"))',
    'consent("sharing") == 1',
  ])('%s is no rule', (when) => {
    expect(() => aWorld({ brand: aBrand({ rules: [{ tag: 'x', when }] }) }).rowsOf('')).not.toThrow();
    return expect(
      aWorld({ brand: aBrand({ rules: [{ tag: 'x', when }] }) }).worker.rules(),
    ).rejects.toThrow();
  });
});

describe('two who turn out to be one', () => {
  const PHONE = 'phone:+8613800138000';
  const apart = [
    aVisit(0, { id: 'visit' }),
    withdrawn(1, 'all', { id: 'no' }),
    granted(2, 'all', { id: 'yes', ids: [PHONE] }),
    aVisit(3, { id: 'another', ids: [PHONE] }),
    anOrder(4, 'o1', 100, { id: 'order', ids: [PHONE] }),
  ];

  test('keep the stricter, and have back their own when they are taken apart', async () => {
    const never = aWorld({ brand: brand() });
    await never.takeEach(...apart);
    await never.attribute();
    const world = aWorld({ brand: brand() });
    await world.takeEach(...apart, aVisit(5, { id: 'meeting', ids: ['member_id:m1', PHONE] }));
    await world.attribute();
    expect(await world.tags('member_id:m1')).toEqual({ visits: 'one' });
    const { ask, settle } = await aDecider(world);
    const { body } = await ask('/profiles/member_id/m1/identity');
    const edges = body.edges.map(({ id }: { id: string }) => id);
    await ask('/identity/undo', { profile: { kind: 'member_id', value: 'm1' }, edges, why: 'two people' });
    await settle();
    expect(await world.tags(PHONE)).toEqual(await never.tags(PHONE));
    expect(await world.tags(PHONE)).toEqual({ visits: 'one', reach: true });
    expect(await world.tags('member_id:m1')).toEqual({ visits: 'one' });
  });
});

test('a person who has said nothing takes no more room', async () => {
  const world = aWorld({ brand: brand() });
  await world.takeEach(...shuffled([aVisit(0), aVisit(1)], 1));
  const { id } = await world.cluster('member_id:m1');
  const bytes = (await world.state(id))?.s;
  if (!(bytes instanceof Uint8Array)) throw new Error('there is no state');
  expect(unpack(bytes, id).people.some((person) => 'consents' in person)).toBe(false);
});

const byTimeOf = (a: Event, b: Event) => (a.occurredAt < b.occurredAt ? -1 : 1);
