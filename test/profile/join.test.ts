// Scope: two profiles turn out to be one person: who survives, what becomes of the other, and what is left of it.
import { expect, test } from 'vitest';
import { keys } from '../../lib/platform/keys.ts';
import { isRedirect } from '../../lib/profile/store.ts';
import { anEvent, anOrder, aVisit, day, shuffled } from './a-profile.ts';
import { aWorld } from './a-world.ts';

const PHONE = 'phone:+8613800138000';
const both = (days: number) => aVisit(days, { id: 'meeting', ids: ['member_id:m1', PHONE] });

async function twoProfiles() {
  const world = aWorld();
  await world.take(anOrder(0, 'o1', 100, { ids: ['member_id:m1'], traits: { city: '杭州' } }));
  await world.take(
    anOrder(1, 'o2', 200, { ids: [PHONE], traits: { city: '上海', level: 2 } }),
    aVisit(2, { ids: [PHONE, 'device_id:d1'] }),
  );
  const older = (await world.cluster('member_id:m1')).id;
  const younger = (await world.cluster(PHONE)).id;
  return { world, older, younger };
}

test('the older survives, with the events, traits, tags and identifiers of both', async () => {
  const { world, older, younger } = await twoProfiles();
  expect(older).not.toBe(younger);
  await world.take(both(3), anOrder(4, 'o3', 5, { ids: [PHONE] }));
  for (const id of ['member_id:m1', PHONE, 'device_id:d1']) expect((await world.cluster(id)).id).toBe(older);
  expect(await world.events(PHONE)).toHaveLength(5);
  expect(await world.traits(PHONE)).toEqual({ city: '上海', level: 2 });
  expect(await world.tags(PHONE)).toMatchObject({ stage: 'loyal' });
});

test('of the younger nothing is left but the way to the older, and what was derived from it is taken back', async () => {
  const { world, older, younger } = await twoProfiles();
  await world.attribute();
  await world.take(both(3));
  await world.attribute();
  const left = await world.profiles.get(younger);
  expect(left && isRedirect(left) && [left.joined, left.left]).toEqual([older, undefined]);
  expect(world.rowsOf(keys.profile(younger).pk).map(({ sk }) => sk)).toEqual(['@']);
  for (const prefix of ['T#', 'A#', 'V#'])
    expect(world.rowsOf(prefix).filter(({ sk }) => sk.startsWith(younger))).toEqual([]);
  expect(world.members('buyer')).toEqual([older]);
  expect(world.rowsOf('V#')).toHaveLength(2);
});

test('a message that is on its way to the younger finds the older', async () => {
  const { world, older } = await twoProfiles();
  const slow = aWorld({ rows: world.rows });
  expect((await slow.cluster(PHONE)).id).not.toBe(older);
  await slow.worker.directory.find(
    world.protector.protect({ kind: 'phone', scope: 'e164', value: '+8613800138000' }),
  );
  await world.take(both(3));
  await slow.take(aVisit(5, { id: 'after', ids: [PHONE] })); // its worker still remembers the old place
  expect(await world.events('member_id:m1')).toContain('after');
});

test('a join that began and broke off is ended by whoever comes by, also by the clock alone', async () => {
  const { world, older, younger } = await twoProfiles();
  const cluster = await world.cluster(PHONE);
  await world.profiles.freeze(cluster, older, day(3));
  const frozen = await world.profiles.get(younger);
  expect(frozen && isRedirect(frozen) && frozen.left !== undefined).toBe(true);
  await world.tick();
  const ended = await world.profiles.get(younger);
  expect(ended && isRedirect(ended) && ended.left).toBeUndefined();
  expect(await world.events('member_id:m1')).toHaveLength(3);
});

test('who joins whom does not depend on the order in which the three facts arrive', async () => {
  const facts = [
    anOrder(0, 'o1', 100, { id: 'a', ids: ['member_id:m1'], receivedAt: day(0) }),
    anOrder(1, 'o2', 200, { id: 'b', ids: [PHONE, 'device_id:d'], receivedAt: day(0) }),
    anEvent('profile_updated', 2, { id: 'c', ids: ['member_id:m1', PHONE], receivedAt: day(0) }),
    aVisit(3, { id: 'd', ids: ['device_id:d'], receivedAt: day(0) }),
  ];
  const digests = new Set<string>();
  for (let seed = 0; seed < 24; seed++) {
    const world = aWorld();
    await world.takeEach(...shuffled(facts, seed));
    await world.attribute();
    digests.add(await world.digest());
  }
  expect(digests.size).toBe(1);
});

test('a long chain of acquaintances is one profile', async () => {
  const world = aWorld();
  const links = Array.from({ length: 12 }, (_, i) => [`customer_id@s${i}:c`, `customer_id@s${i + 1}:c`]);
  for (const [i, ids] of links.filter((_, i) => i % 2 === 0).entries()) await world.take(aVisit(i, { ids }));
  expect(world.rowsOf('P#')).toHaveLength(6);
  await world.take(...links.filter((_, i) => i % 2 === 1).map((ids, i) => aVisit(20 + i, { ids })));
  const clusters = await Promise.all(links.flat().map(async (id) => (await world.cluster(id)).id));
  expect(new Set(clusters).size).toBe(1);
  expect(await world.events('customer_id@s0:c')).toHaveLength(12);
});

test('who meets in conflict shares a row, stays two, and each keeps events, tags and days of its own', async () => {
  const world = aWorld();
  await world.take(anOrder(0, 'o1', 100, { ids: ['member_id:a', PHONE] }));
  await world.take(aVisit(1, { ids: ['member_id:b'] }));
  await world.take(aVisit(2, { ids: ['member_id:b', PHONE] }));
  await world.take(aVisit(3, { ids: [PHONE] }));
  const [a, b] = [await world.profile('member_id:a'), await world.profile('member_id:b')];
  expect((await world.cluster('member_id:a')).id).toBe((await world.cluster('member_id:b')).id);
  expect(a.id).not.toBe(b.id);
  expect(a.names).toHaveLength(2);
  expect([a.person.last?.at, b.person.last?.at]).toEqual([day(3), day(2)]);
  expect(world.members('buyer')).toEqual([a.id]);
  expect(world.rowsOf('U#review')).toHaveLength(1);
});

test('a conflict that an earlier event resolves is taken back', async () => {
  const world = aWorld();
  await world.take(aVisit(1, { ids: ['member_id:a', PHONE] }));
  await world.take(aVisit(2, { ids: ['member_id:b', PHONE] }));
  expect(world.rowsOf('U#review')).toMatchObject([{ at: day(2) }]);
  await world.take(aVisit(0, { ids: ['member_id:b', PHONE] })); // it was b’s all along
  expect(world.rowsOf('U#review')).toMatchObject([{ at: day(1) }]);
  const b = await world.profile('member_id:b');
  expect(b.names).toHaveLength(2);
});

test('a shared device stays with its first owner, in whatever order the owners arrive', async () => {
  const digests = new Set<string>();
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 0, 2],
  ]) {
    const world = aWorld();
    const facts = [
      aVisit(0, { id: 'first', ids: ['member_id:a', 'device_id:kiosk'] }),
      aVisit(1, { id: 'second', ids: ['member_id:b', 'device_id:kiosk'] }),
      aVisit(2, { id: 'alone', ids: ['device_id:kiosk'] }),
    ];
    await world.takeEach(...order.flatMap((i) => facts[i] ?? []));
    const owner = await world.profile('device_id:kiosk');
    expect(owner.names).toHaveLength(2);
    expect(owner.id).toBe((await world.profile('member_id:a')).id);
    digests.add(await world.digest());
  }
  expect(digests.size).toBe(1);
});
