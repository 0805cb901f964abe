// Scope: what follows from a profile's state: members, days, reviews, announcements; and that it follows for certain.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { dayName } from '../../lib/platform/clock.ts';
import { entry, parseEntry } from '../../lib/profile/entries.ts';
import { perform } from '../../lib/profile/outbox.ts';
import { memoryQueue } from '../platform/memory.ts';
import { aBrand, active, anOrder, aRefund, aVisit, buyer, day, rulesOf, stage } from './a-profile.ts';
import { aWorld, type World } from './a-world.ts';
import { crashingAt } from './faulty.ts';

beforeEach(() => vi.spyOn(console, 'error').mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

test('an entry is read as it was written', () => {
  expect(
    [
      entry.tag('p~12345678', 'vip'),
      entry.activity('p', 20_574),
      entry.conversion('order.1', day(0)),
      entry.conversion('order.1', undefined),
      entry.conversions(),
      entry.review('pair'),
      entry.arrival('c'),
    ].map(parseEntry),
  ).toEqual([
    { kind: 'tag', profile: 'p~12345678', tag: 'vip' },
    { kind: 'activity', profile: 'p', day: 20_574 },
    { kind: 'conversion', key: 'order.1', since: day(0) },
    { kind: 'conversion', key: 'order.1', since: undefined },
    { kind: 'conversions' },
    { kind: 'review', pair: 'pair' },
    { kind: 'arrival', cluster: 'c' },
  ]);
  expect(() => parseEntry('X p')).toThrow('unknown entry in an outbox: X');
});

describe('members of a tag', () => {
  test('are written with value, since and version; who loses the tag leaves a mark that goes by itself', async () => {
    const world = aWorld();
    world.setClock(day(1));
    await world.take(aVisit(0), anOrder(1, 'o1', 5));
    const { id } = await world.cluster('member_id:m1');
    expect(world.rowsOf('T#stage#')).toMatchObject([{ sk: id, value: 'fresh', since: day(1), rule: 1 }]);
    expect(world.members('active')).toEqual([id]);
    world.setClock(day(30));
    await world.tick();
    expect(world.members('active')).toEqual([]);
    const [mark] = world.rows.rows().filter(({ pk }) => pk.startsWith('T#active#'));
    expect(mark).toMatchObject({ gone: true, ttl: Math.floor(Date.parse(day(30)) / 1000) + 14 * 86_400 });
  });

  test('follow a value that changes', async () => {
    const world = aWorld();
    await world.takeEach(anOrder(0, 'o1', 1), anOrder(1, 'o2', 1));
    expect(world.members('stage')[0]).toMatch(/=fresh$/);
    await world.take(anOrder(2, 'o3', 1));
    expect(world.members('stage')).toHaveLength(1);
    expect(world.members('stage')[0]).toMatch(/=loyal$/);
  });
});

describe('the day’s activity', () => {
  const rowsOf = (world: World) =>
    Object.fromEntries(
      world.rowsOf('A#').map(({ pk, sk: _, v: __, pk: ___, ...row }) => [pk.split('#')[1] ?? '', row]),
    );

  test('says what a person did on a brand-day: first and where, new or not, the stage they came in, orders and money', async () => {
    const world = aWorld();
    await world.takeEach(
      aVisit(0, { channel: 'wechat-oa' }),
      anOrder(0.1, 'o1', 5_000, { channel: 'shop' }),
      anOrder(0.2, 'o2', 700, { properties: { currency: 'USD' } }),
      aRefund(1, 'o1', 2_000, { channel: 'shop' }),
      aVisit(2.5, { channel: 'app' }),
    );
    expect(rowsOf(world)).toEqual({
      '2026-05-01': {
        firstAt: day(0),
        firstChannel: 'wechat-oa',
        isNew: true, // and of no stage yet
        orders: 2,
        money: { CNY: 5_000, USD: 700 },
      },
      '2026-05-02': {
        firstAt: day(1),
        firstChannel: 'shop',
        isNew: false,
        stage: 'fresh',
        orders: 0,
        money: { CNY: -2_000 },
      },
      '2026-05-04': {
        firstAt: day(2.5), // half past midnight in Shanghai would be another day than in London
        firstChannel: 'app',
        isNew: false,
        stage: 'fresh',
        orders: 0,
        money: {},
      },
    });
  });

  test('of a day long past is written again when something of it comes late, and so is the day that was the first', async () => {
    const world = aWorld();
    await world.takeEach(
      aVisit(5, { channel: 'app' }),
      ...Array.from({ length: 25 }, (_, i) => aVisit(6 + i)),
    );
    await world.take(anOrder(1, 'o1', 100, { channel: 'shop' }));
    const rows = rowsOf(world);
    expect(rows['2026-05-02']).toMatchObject({ isNew: true, orders: 1, money: { CNY: 100 } });
    expect(rows['2026-05-06']).toMatchObject({ isNew: false, firstChannel: 'app', stage: 'fresh' });
  });

  test('names every day that has events and no other', async () => {
    const world = aWorld();
    const days = [0, 3, 1, 40, 20, 7, 7, 21, 2];
    await world.takeEach(...days.map((at) => aVisit(at)));
    const expected = [...new Set(days)].map((at) => dayName(20_574 + at)).sort();
    expect(Object.keys(rowsOf(world)).sort()).toEqual(expected);
  });
});

describe('announced conversions', () => {
  const announced = (world: World) => world.conversions.bodies.map((body) => JSON.parse(body));

  test('are named in one message a batch, with how far back their events can matter', async () => {
    const world = aWorld();
    await world.take(aVisit(0), anOrder(40, 'o1', 100), anOrder(50, 'o2', 100));
    const [message, ...more] = announced(world);
    expect(more).toEqual([]);
    expect(message).toMatchObject({ profile: (await world.cluster('member_id:m1')).id });
    expect(message.conversions).toHaveLength(2);
    expect(message.since).toBe(day(10)); // thirty days before the first of them
  });

  test('are announced again for a late touch and for a refund, not for what cannot matter', async () => {
    const world = aWorld();
    await world.take(anOrder(10, 'o1', 100));
    await world.take(aVisit(5, { context: { campaign: { channel: 'wecom' } } }));
    expect(announced(world)).toHaveLength(2);
    expect(announced(world)[1].conversions).toEqual(announced(world)[0].conversions);
    await world.take(aVisit(11));
    expect(announced(world)).toHaveLength(2);
    await world.take(aRefund(12, 'o1', 50));
    expect(announced(world)).toHaveLength(3);
  });

  test('of two people with one order number are two conversions', async () => {
    const world = aWorld();
    await world.take(
      anOrder(0, 'o1', 1, { ids: ['member_id:a'] }),
      anOrder(0, 'o1', 2, { ids: ['member_id:b'] }),
    );
    await world.attribute();
    expect(
      new Set(
        world
          .rowsOf('P#')
          .filter(({ sk }) => sk.startsWith('C#'))
          .map(({ sk }) => sk),
      ).size,
    ).toBe(2);
  });

  test('wait in the state for somebody who can send them', async () => {
    const world = aWorld();
    await world.take(anOrder(0, 'o1', 100));
    const cluster = await world.cluster('member_id:m1');
    const waiting = cluster.outbox.filter((text) => text.startsWith('C '));
    expect(waiting).toHaveLength(1);
    const { table, profiles, now } = world.worker;
    expect(await perform(cluster, rulesOf(), { table, profiles, now })).toEqual(waiting);
    const conversions = memoryQueue();
    expect(await perform(cluster, rulesOf(), { table, profiles, now, conversions })).toEqual([]);
    expect(conversions.bodies).toEqual(world.conversions.bodies);
  });
});

test('an outbox that was emptied is emptied in the next state, and what follows is not written again', async () => {
  const world = aWorld();
  await world.take(anOrder(0, 'o1', 100));
  await world.take(aVisit(0.01));
  const { outbox } = await world.cluster('member_id:m1');
  expect(outbox.filter((text) => text.startsWith('C ') || text.includes('buyer'))).toEqual([]);
  expect(world.conversions.bodies).toHaveLength(1);
});

test('another worker looks at what follows from the state before, and neither writes it again nor carries it on', async () => {
  const written: string[] = [];
  const world = aWorld({
    through: (rows) => ({
      ...rows,
      put: (item, guard) => {
        if (!item.pk.startsWith('P#')) written.push(item.pk);
        return rows.put(item, guard);
      },
    }),
  });
  await world.take(anOrder(0, 'o1', 100));
  const once = written.length;
  expect(once).toBeGreaterThan(0);
  for (const hour of [1, 2, 3]) {
    world.restart(); // knows nothing of what was done
    await world.take(aVisit(hour / 24));
  }
  expect(written.slice(once)).toEqual([]);
  expect((await world.cluster('member_id:m1')).outbox).toEqual([]);
});

test('doing what follows once more, by whoever comes late, changes nothing', async () => {
  const world = aWorld();
  await world.take(anOrder(0, 'o1', 100));
  const old = await world.cluster('member_id:m1');
  await world.takeEach(anOrder(1, 'o2', 100), anOrder(2, 'o3', 100));
  const before = world.rows.snapshot();
  await perform(old, rulesOf(), world.worker);
  expect(world.rows.snapshot()).toBe(before);
});

test('a crash at any write, then the message once more: the same table as without it', async () => {
  const brand = aBrand({ rules: [buyer, active, stage] });
  const story = [
    [
      aVisit(0, { ids: ['member_id:a', 'device_id:d'] }),
      anOrder(1, 'o1', 100, { ids: ['phone:+8613800138000'] }),
    ],
    [anOrder(2, 'o2', 100, { ids: ['member_id:a', 'phone:+8613800138000'] })], // two profiles become one
    [aVisit(3, { ids: ['member_id:b', 'phone:+8613800138000'] })], // a conflict
    Array.from({ length: 14 }, (_, i) => aVisit(4 + i, { ids: ['member_id:a'] })),
    [aVisit(0.5, { ids: ['member_id:a'] }), anOrder(30, 'o3', 5, { ids: ['member_id:a'] })], // late, and sealing
  ];
  const calm = aWorld({ brand });
  for (const message of story) await calm.take(...message);
  await calm.attribute();
  const expected = await calm.digest();

  let crashes = 0;
  for (let write = 0; ; write++) {
    let reached = false;
    for (const when of ['before', 'after'] as const) {
      const { through, crashed } = crashingAt(write, when);
      const world = aWorld({ brand, through });
      for (const message of story) {
        if ((await world.deliver(message)).length > 0) {
          crashes++;
          world.restart();
          await world.take(...message);
        }
      }
      reached = crashed();
      await world.attribute().catch(() => world.restart());
      await world.attribute();
      expect(await world.digest(), `crash ${when} write ${write}`).toBe(expected);
    }
    if (!reached) break;
  }
  expect(crashes).toBeGreaterThan(80);
});
