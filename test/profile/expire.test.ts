// Scope: events that expire: what goes with them, what stays, who is woken for it, and what it does to others' work.
import { describe, expect, test } from 'vitest';
import { nameOf, partition } from '../../lib/identity/graph.ts';
import { DAY, HOUR } from '../../lib/platform/clock.ts';
import { keys } from '../../lib/platform/keys.ts';
import { without } from '../../lib/privacy/erased.ts';
import { packSegment, unpackSegment } from '../../lib/profile/codec.ts';
import { takeOut } from '../../lib/profile/expire.ts';
import { fold, TAIL_EVENTS } from '../../lib/profile/fold.ts';
import { parseCut } from '../../lib/profile/retention.ts';
import { aBrand, anEvent, anId, anOrder, aVisit, day, rulesOf, START } from './a-profile.ts';
import { aWorld, type World } from './a-world.ts';

const brand = (days = 30, more: { orders?: number; types?: Record<string, number> } = {}) =>
  aBrand({ retention: { events: { days, ...more } } });
const visits = (from: number, count: number, ids = ['member_id:m1']) =>
  Array.from({ length: count }, (_, i) =>
    aVisit(from + i / 100, { id: `v${from}-${i}`.replace('.', '_'), ids }),
  );

async function sealedIn(world: World): Promise<number[]> {
  const { graph, createdAt } = await world.cluster('member_id:m1');
  return world.segments().map(({ b }) => unpackSegment(b as Uint8Array, graph, createdAt).length);
}

/** The schedule calls at noon, so many days after the start. */
async function tickOn(world: World, days: number): Promise<void> {
  world.setClock(day(days));
  await world.tick();
  await world.attribute();
}

describe('what has expired', () => {
  test('goes from its segment, and what is beside it there stays', async () => {
    const world = aWorld({ brand: brand() });
    world.setClock(day(2));
    await world.takeEach(...visits(0, 12), ...visits(1, TAIL_EVENTS - 12), ...visits(2, 1));
    expect(await sealedIn(world)).toEqual([TAIL_EVENTS]);
    await tickOn(world, 29);
    expect(await sealedIn(world), 'its last day').toEqual([TAIL_EVENTS]);
    await tickOn(world, 30);
    expect(await sealedIn(world)).toEqual([TAIL_EVENTS - 12]);
    await tickOn(world, 31);
    expect(await sealedIn(world)).toEqual([0]);
    expect(world.segments()[0]?.ttl, 'nothing is left of it: it ends').toBeDefined();
    expect(await world.events('member_id:m1')).toEqual(['v2-0']);
  });

  test('takes its tags, its traits, its day and its conversion along; orders stay as long as the books', async () => {
    const world = aWorld({ brand: brand(30, { orders: 60 }) });
    world.setClock(day(1));
    await world.take(
      aVisit(0, { ids: ['member_id:m1'], traits: { city: 'Shanghai' } }),
      anOrder(1, 'o1', 10_000),
    );
    await world.attribute();
    await tickOn(world, 40);
    expect([await world.traits('member_id:m1'), await world.tags('member_id:m1')]).toEqual([
      {},
      { buyer: true, stage: 'fresh' },
    ]);
    expect(world.rowsOf('A#').map(({ pk }) => pk.slice(2, 12))).toEqual(['2026-05-02']);
    expect(world.rowsOf('V#')).toHaveLength(1);
    await tickOn(world, 61);
    expect(await world.tags('member_id:m1')).toEqual({});
    for (const prefix of ['A#', 'V#', 'T#']) expect(world.rowsOf(prefix), prefix).toEqual([]);
    const found = world.rows.rows().filter(({ sk, gone }) => sk.startsWith('C#') && gone !== true);
    expect(found).toEqual([]);
  });

  test('is not taken when it comes, is counted as such, and leaves nobody behind', async () => {
    const world = aWorld({ brand: brand() });
    world.setClock(day(40));
    await world.take(aVisit(0, { ids: ['member_id:late', 'device_id:late'] }));
    expect(world.rowsOf('P#')).toEqual([]);
    expect(world.rowsOf('I#')).toEqual([]);
    expect(world.rowsOf('Q#'), 'its body is kept nowhere').toEqual([]);
    expect(Object.entries(world.rowsOf('N#')[0] ?? {})).toContainEqual(['i generic/shop expired', 1]);
  });

  test('stays gone when it is delivered again', async () => {
    const world = aWorld({ brand: brand() });
    const old = visits(0, TAIL_EVENTS);
    world.setClock(day(2));
    await world.takeEach(...old, ...visits(2, 2));
    await tickOn(world, 31);
    const before = await world.digest();
    await world.take(...old);
    world.restart();
    await world.takeEach(...old);
    expect(await world.digest()).toBe(before);
  });

  test('is left out by what comes before the clock does', async () => {
    const world = aWorld({ brand: brand() });
    world.setClock(day(2));
    await world.takeEach(...visits(0, TAIL_EVENTS), ...visits(2, 1));
    world.setClock(day(30));
    await world.take(aVisit(30, { id: 'now' }));
    expect(await world.events('member_id:m1')).toEqual(['v2-0', 'now']);
    expect(await sealedIn(world)).toEqual([0]);
  });

  test('does not come along into a join, and who is who does', async () => {
    const world = aWorld({ brand: brand() });
    world.setClock(day(0));
    await world.take(aVisit(0, { id: 'a', ids: ['member_id:m1', 'device_id:d'] }));
    world.setClock(day(29));
    await world.take(aVisit(29, { id: 'b', ids: ['phone:+8613800138000'] }));
    world.setClock(day(30));
    await world.take(aVisit(30, { id: 'c', ids: ['member_id:m1', 'phone:+8613800138000'] }));
    expect(await world.events('member_id:m1')).toEqual(['b', 'c']);
    expect((await world.profile('device_id:d')).id).toBe((await world.profile('phone:+8613800138000')).id);
  });

  test('is not what was said of consent: a refusal outlasts what was refused', async () => {
    const world = aWorld({ brand: brand() });
    world.setClock(day(1));
    await world.take(
      anEvent('consent_withdrawn', 0, { id: 'no', properties: { purpose: 'analytics' } }),
      anOrder(1, 'o1', 10_000),
    );
    await tickOn(world, 90);
    expect(await world.events('member_id:m1')).toContain('no');
    await world.take(anOrder(90, 'o2', 10_000));
    expect(await world.tags('member_id:m1')).toEqual({});
  });
});

describe('who is woken', () => {
  test('somebody who has no rule that waits, when the first of their events expires, and not before', async () => {
    const world = aWorld({ brand: aBrand({ rules: [], retention: { events: { days: 30 } } }) });
    world.setClock(day(5));
    await world.take(aVisit(0), aVisit(5));
    const midnight = (date: string) => new Date(`${date}T00:00:00.000+08:00`).toISOString();
    expect((await world.state((await world.cluster('member_id:m1')).id))?.due).toBe(midnight('2026-05-31'));
    await tickOn(world, 30);
    const { id, expires } = await world.cluster('member_id:m1');
    expect((await world.state(id))?.due).toBe(midnight('2026-06-05'));
    expect(expires, 'nothing is sealed').toBe(Number.POSITIVE_INFINITY);
    await tickOn(world, 36);
    expect((await world.state(id))?.due, 'nothing is left to wait for').toBeUndefined();
  });

  test('everybody, when a deployment says that less is kept', async () => {
    const world = aWorld({ brand: aBrand() });
    world.setClock(day(1));
    await world.takeEach(...visits(0, TAIL_EVENTS), ...visits(1, 1));
    await tickOn(world, 60);
    const shorter = aWorld({ brand: brand(30), rows: world.rows });
    await tickOn(shorter, 60);
    expect(shorter.recompute.bodies.length).toBeGreaterThan(0);
    await shorter.recomputeAll();
    expect(await shorter.events('member_id:m1')).toEqual([]);
    expect(await sealedIn(shorter)).toEqual([0]);
  });

  test('a row of before anything expired is found out when it is next written', async () => {
    const world = aWorld({ brand: aBrand({ rules: [] }) });
    world.setClock(day(1));
    await world.takeEach(...visits(0, TAIL_EVENTS), ...visits(1, 1));
    const cluster = await world.cluster('member_id:m1');
    expect(cluster.expires).toBe(START - 12 * HOUR + 1_095 * DAY);
    const unknown = { ...cluster, expires: Number.NEGATIVE_INFINITY };
    const nothing = { events: [] };
    const rules = rulesOf(world.brand);
    expect(fold(unknown, nothing, rules, world.clock())).toEqual({ kind: 'journal', from: undefined });
    const found = fold(unknown, nothing, rules, world.clock(), await world.profiles.journal(cluster));
    expect(found).toMatchObject({
      kind: 'changed',
      cluster: { expires: cluster.expires, outbox: cluster.outbox },
    });
  });
});

describe('a segment that is shortened', () => {
  const cut = parseCut(`${START + 10}`);

  async function sealedWorld() {
    const world = aWorld({ brand: aBrand({ rules: [] }) });
    world.setClock(day(1));
    await world.takeEach(...visits(0, 1), ...visits(0.5, TAIL_EVENTS));
    return { world, cluster: await world.cluster('member_id:m1') };
  }

  test('is not brought back by whoever sealed it and wakes up late', async () => {
    const { world, cluster } = await sealedWorld();
    const [row] = world.segments();
    await takeOut(cluster, cut, { table: world.rows, now: world.clock });
    expect(await sealedIn(world)).toEqual([TAIL_EVENTS - 1]);
    const late = row && world.rows.put(row, { kind: 'newer' });
    await expect(late).rejects.toThrow('first');
  });

  test('and was sealed by nobody who counts yields to whoever seals it then', async () => {
    const { world, cluster } = await sealedWorld();
    const events = visits(0, 2);
    const b = packSegment(events, cluster.graph, cluster.createdAt);
    const place = keys.segment(cluster.id, cluster.sequence);
    await world.rows.put({ ...place, b, v: cluster.version - 2 });
    await takeOut(cluster, cut, { table: world.rows, now: world.clock });
    expect(await sealedIn(world)).toEqual([TAIL_EVENTS - 1, 1]);
    await world.rows.put({ ...place, b, v: cluster.version }, { kind: 'newer' });
  });

  test('stays away when its cluster has gone meanwhile', async () => {
    const { world, cluster } = await sealedWorld();
    const rows = { ...world.rows };
    rows.put = async (item, guard) => {
      await world.rows.remove({ pk: item.pk, sk: item.sk });
      return world.rows.put(item, guard);
    };
    await takeOut(cluster, cut, { table: rows, now: world.clock });
    expect(world.segments()).toEqual([]);
  });
});

test('who stays when another is erased is known by what has expired, too', async () => {
  const world = aWorld({ brand: brand() });
  world.setClock(day(1));
  await world.take(
    aVisit(0, { ids: ['member_id:m1', 'device_id:d1'] }),
    aVisit(0, { ids: ['member_id:m2', 'phone:+8613800138000'] }),
    aVisit(0.1, { ids: ['member_id:m1', 'phone:+8613800138000'] }),
    aVisit(0, { ids: ['member_id:m2', 'email:a@example.com', 'device_id:d2'] }),
  );
  await tickOn(world, 40);
  const cluster = await world.cluster('member_id:m1');
  const division = partition(cluster.graph);
  const stored = (text: string) => nameOf(world.protector.protect(anId(text)));
  const member = division.memberOf.get(stored('member_id:m1')) ?? -1;
  const { gone, graph } = without(cluster.graph, division, member, [], day(41));
  expect(gone.map(({ kind }) => kind).sort()).toEqual(['device_id', 'member_id']);
  const { members } = partition(graph);
  expect(members.map(({ names }) => [...names].sort())).toEqual([
    ['member_id:m2', 'phone:+8613800138000', 'email:a@example.com', 'device_id:d2'].map(stored).sort(),
  ]);
});
