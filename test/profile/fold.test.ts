// Scope: a profile is a fold of its events: of the set of them, whatever their order, batches and repetition.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Table } from '../../lib/platform/table.ts';
import type { Cluster } from '../../lib/profile/cluster.ts';
import { fold, newCluster, TAIL_EVENTS } from '../../lib/profile/fold.ts';
import { type MemoryTable, memoryTable } from '../platform/memory.ts';
import { aBrand, active, anEvent, anOrder, aVisit, buyer, day, rulesOf, shuffled } from './a-profile.ts';
import { aWorld } from './a-world.ts';

const visits = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => aVisit(from + i, { id: `v${from + i}` }));

describe('a duplicate changes nothing', () => {
  test.each([
    ['is still in the tail', 0],
    ['is in the newest segment', TAIL_EVENTS],
    ['is in the oldest of many segments', 5 * TAIL_EVENTS],
  ])('when the event %s', async (_where, later) => {
    const world = aWorld();
    const event = anOrder(0, 'o1', 100);
    await world.take(event);
    for (const visit of visits(1, later)) await world.take(visit);
    const before = world.told();
    await world.take(event);
    world.restart();
    await world.take(event, event);
    expect(world.told()).toBe(before);
    expect(await world.events('member_id:m1')).toHaveLength(1 + later);
  });

  test('when it comes beside a new event: the new one counts once', async () => {
    const world = aWorld();
    const event = anOrder(0, 'o1', 100);
    await world.take(event, ...visits(1, 20));
    await world.take(event, aVisit(30, { id: 'new' }), aVisit(30, { id: 'new' }));
    const ids = await world.events('member_id:m1');
    expect(ids).toHaveLength(22);
    expect(new Set(ids).size).toBe(22);
  });

  test('when a batch holds two events of one id: the first in order counts, whichever came first', () => {
    const rules = rulesOf();
    const twice = [1, 2].map((at) => anOrder(at, 'o1', at * 100, { id: 'same' }));
    for (const events of [twice, twice.toReversed()]) {
      const folded = fold(newCluster('c', day(0), rules), { events }, rules, Date.parse(day(9)));
      expect(folded).toMatchObject({ cluster: { tail: [{ properties: { paid_amount: 100 } }] } });
    }
  });
});

describe('the tail', () => {
  test(`holds ${TAIL_EVENTS} events; the next seals them, and only then`, async () => {
    const world = aWorld();
    await world.takeEach(...visits(0, TAIL_EVENTS));
    expect(world.segments()).toEqual([]);
    await world.take(aVisit(50));
    expect(world.segments()).toHaveLength(1);
    const { tail, sequence, frontier } = await world.cluster('member_id:m1');
    expect([tail.length, sequence, frontier]).toEqual([1, 1, day(TAIL_EVENTS - 1)]);
  });

  test('of a first batch that is larger than it is not sealed: nothing was persisted before', async () => {
    const world = aWorld();
    await world.take(...visits(0, 3 * TAIL_EVENTS));
    expect(world.segments()).toEqual([]);
    expect((await world.cluster('member_id:m1')).tail).toHaveLength(3 * TAIL_EVENTS);
    await world.take(aVisit(100));
    expect(world.segments()).toHaveLength(1);
  });

  test('a person who is well known is one write an event, and one more when the tail is sealed', async () => {
    const rows = memoryTable();
    const puts: string[] = [];
    const through = (table: MemoryTable): Table => ({
      ...table,
      async put(item, guard) {
        puts.push(item.pk.slice(0, 2) + item.sk.slice(0, 1));
        await table.put(item, guard);
      },
    });
    const world = aWorld({ rows, through });
    await world.take(aVisit(0));
    await world.take(aVisit(0.0001));
    puts.length = 0;
    for (let i = 0; i < TAIL_EVENTS - 2; i++) await world.take(aVisit(0.001 * (i + 1)));
    expect(puts).toEqual(Array.from({ length: TAIL_EVENTS - 2 }, () => 'P#@'));
    puts.length = 0;
    await world.take(aVisit(0.1));
    expect(puts).toEqual(['P#J', 'P#@']);
  });
});

test('a state does not grow with the length of a history: what no window can see any more is forgotten', async () => {
  const world = aWorld({ brand: aBrand({ rules: [active] }) });
  const cellsAfter = async (days: number) => {
    await world.takeEach(...visits(days - 40, 40));
    const { people } = await world.cluster('member_id:m1');
    return JSON.stringify(people.map(({ cells }) => cells)).length;
  };
  const early = await cellsAfter(40);
  for (const days of [80, 120, 160]) expect(await cellsAfter(days)).toBeLessThan(1.5 * early);
});

describe('a late event', () => {
  test('is where it happened: tags, first sight and traits are as if it had come in time', async () => {
    const inTime = aWorld();
    const late = aWorld();
    const events = [
      anOrder(0, 'o1', 100, { channel: 'shop', traits: { city: '杭州', level: 1 } }),
      ...visits(1, 30),
      anEvent('profile_updated', 40, { id: 'p', traits: { city: '上海' } }),
    ];
    await inTime.takeEach(...events);
    await late.takeEach(...events.slice(1), ...events.slice(0, 1));
    const [a, b] = [await inTime.profile('member_id:m1'), await late.profile('member_id:m1')];
    expect(b.person.first).toEqual({ at: day(0), channel: 'shop' });
    expect(b.person.tags.get('buyer')).toEqual({ value: true, since: Date.parse(day(0)), version: 1 });
    expect(await late.traits('member_id:m1')).toEqual({ city: '上海', level: 1 });
    expect(b.person.tags).toEqual(a.person.tags);
    expect(await late.digest()).toBe(await inTime.digest());
  });

  test('that lies in the tail, too, needs no journal', () => {
    const rules = rulesOf();
    const first = fold(newCluster('c', day(0), rules), { events: visits(0, 5) }, rules, Date.parse(day(9)));
    if (first.kind !== 'changed') throw new Error('it is new');
    expect(fold(first.cluster, { events: [aVisit(2.5)] }, rules, Date.parse(day(9))).kind).toBe('changed');
  });

  test('that lies before the frontier asks for the journal from there, and then for all of it', () => {
    const rules = rulesOf();
    const sealed: Cluster = { ...newCluster('c', day(0), rules), version: 3, sequence: 2, frontier: day(20) };
    const late = { events: [aVisit(10, { id: 'late' })] };
    const now = Date.parse(day(30));
    expect(fold(sealed, late, rules, now)).toEqual({ kind: 'journal', from: day(10) });
    const known = { from: day(10), events: late.events };
    expect(fold(sealed, late, rules, now, known)).toEqual({ kind: 'unchanged' });
    const unknown = { from: day(10), events: [] };
    expect(fold(sealed, late, rules, now, unknown)).toEqual({ kind: 'journal', from: undefined });
    expect(fold(sealed, late, rules, now, { from: undefined, events: [] }).kind).toBe('changed');
  });
});

describe('a trait', () => {
  test('is what the latest event says of it, by the time of the event and then by its id', async () => {
    const world = aWorld();
    await world.takeEach(
      anEvent('profile_updated', 2, { id: 'b', traits: { city: '上海', name: '林' } }),
      anEvent('profile_updated', 1, { id: 'a', traits: { city: '杭州', name: '陈' } }),
      anEvent('profile_updated', 2, { id: 'a2', traits: { name: '王' } }),
      anEvent('profile_updated', 2, { id: 'c', traits: { city: '北京' } }),
    );
    expect(await world.traits('member_id:m1')).toEqual({ city: '北京', name: '林' });
  });

  test('that was taken away stays away, whatever older event comes after', async () => {
    const world = aWorld({ brand: aBrand({ rules: [{ tag: 'named', when: 'hasTrait("name")' }] }) });
    await world.take(anEvent('profile_updated', 1, { traits: { name: '林' } }));
    expect(await world.tags('member_id:m1')).toEqual({ named: true });
    await world.take(anEvent('profile_updated', 5, { traits: { name: null } }));
    await world.take(anEvent('profile_updated', 3, { traits: { name: '陈' } }));
    expect(await world.tags('member_id:m1')).toEqual({});
  });
});

test('a tag is held since the instant that earned it, and over a gap since it was earned again', async () => {
  const world = aWorld({ brand: aBrand({ rules: [active] }) });
  world.setClock(day(20));
  await world.takeEach(aVisit(0), aVisit(3), aVisit(15));
  const { person } = await world.profile('member_id:m1');
  expect(person.tags.get('active')).toEqual({ value: true, since: Date.parse(day(15)), version: 1 });
});

/** Few people, days and orders: they repeat, share instants, come late and join. */
const histories = fc
  .array(
    fc.record({
      at: fc.integer({ min: 0, max: 40 }),
      who: fc.constantFrom(
        ['member_id:m1'],
        ['member_id:m1', 'phone:+8613800138000'],
        ['phone:+8613800138000', 'device_id:d'],
        ['device_id:d'],
        ['member_id:m2', 'device_id:d'],
        ['member_id:m2', 'phone:+8613800138000'],
      ),
      what: fc.constantFrom('visit', 'order', 'update'),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((list) =>
    list.map(({ at, who, what }, i) => {
      const parts = { id: `h${i}`, ids: who };
      if (what === 'order') return anOrder(at / 2, `o${i % 5}`, 100 + i, parts);
      if (what === 'visit') return aVisit(at / 2, parts);
      return anEvent('profile_updated', at / 2, { ...parts, traits: { step: i } });
    }),
  );

test('the same events in any order, cut and repetition make the same table', async () => {
  await fc.assert(
    fc.asyncProperty(histories, fc.integer(), fc.integer({ min: 1, max: 9 }), async (events, seed, size) => {
      const digests = new Set<string>();
      const repeated = shuffled([...events, ...events.slice(0, 7)], seed);
      for (const [list, step] of [
        [events, events.length],
        [repeated, size],
      ] as const) {
        const world = aWorld({ brand: aBrand({ rules: [buyer, active] }) });
        for (let i = 0; i < list.length; i += step) await world.take(...list.slice(i, i + step));
        await world.attribute();
        digests.add(await world.digest());
      }
      expect(digests.size).toBe(1);
    }),
    { numRuns: 60 },
  );
}, 60_000);
