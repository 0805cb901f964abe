// Scope: what is in the sealed segments, and how few of them are read.
import { afterEach, expect, test, vi } from 'vitest';
import { keys } from '../../lib/platform/keys.ts';
import type { Table } from '../../lib/platform/table.ts';
import { unpackSegment } from '../../lib/profile/codec.ts';
import { TAIL_EVENTS } from '../../lib/profile/fold.ts';
import { readHistory } from '../../lib/profile/history.ts';
import { readCluster } from '../../lib/profile/read.ts';
import { isRedirect, profileStore } from '../../lib/profile/store.ts';
import { aBrand, aVisit, day } from './a-profile.ts';
import { aWorld, type World } from './a-world.ts';
import { failingOn } from './faulty.ts';

afterEach(() => vi.restoreAllMocks());

const quiet = () => aWorld({ brand: aBrand({ rules: [] }) });
const visits = (count: number) => Array.from({ length: count }, (_, i) => aVisit(i, { id: `v${i}` }));
const short = (id: string) => id.replace(/_+$/, '');

async function segmentsOf(world: World): Promise<string[][]> {
  const cluster = await world.cluster('member_id:m1');
  return world
    .segments()
    .map(({ b }) =>
      unpackSegment(b as Uint8Array, cluster.graph, cluster.createdAt).map(({ id }) => short(id)),
    );
}

/** A store that counts the segments that are read. */
function counting(world: World) {
  let segments = 0;
  const table: Table = {
    ...world.rows,
    async *query(pk, range) {
      for await (const row of world.rows.query(pk, range)) {
        segments++;
        yield row;
      }
    },
    async page(pk, range) {
      const page = await world.rows.page(pk, range);
      segments += page.items.length;
      return page;
    },
  };
  return { profiles: profileStore(table), read: () => segments };
}

test('a segment holds exactly the tail that was persisted, and says what is before it', async () => {
  const world = quiet();
  await world.takeEach(...visits(2 * TAIL_EVENTS + 1));
  const ids = visits(2 * TAIL_EVENTS + 1).map(({ id }) => short(id));
  expect(await segmentsOf(world)).toEqual([
    ids.slice(0, TAIL_EVENTS),
    ids.slice(TAIL_EVENTS, 2 * TAIL_EVENTS),
  ]);
  expect(world.segments().map(({ before }) => before)).toEqual([undefined, day(TAIL_EVENTS - 1)]);
});

test('a late event is in a newer segment than its time, and a reader finds it', async () => {
  const world = quiet();
  const known = TAIL_EVENTS + 5;
  await world.takeEach(
    ...visits(known),
    aVisit(2.5, { id: 'late' }),
    ...visits(4 * TAIL_EVENTS).slice(known),
  );
  const segments = await segmentsOf(world);
  expect(segments[0]).not.toContain('late');
  expect(segments.flat()).toContain('late');
  const { profiles } = counting(world);
  const { events } = await profiles.journal(await world.cluster('member_id:m1'), day(2.5));
  expect(events.map(({ id }) => short(id))).toContain('late');
});

test('the journal from an instant is whole from there on, and reads only the segments that it takes', async () => {
  const world = quiet();
  await world.takeEach(...visits(200));
  const cluster = await world.cluster('member_id:m1');
  const sealed = 200 - cluster.tail.length;
  for (const from of [0, 1, TAIL_EVENTS - 1, 50, 3 * TAIL_EVENTS - 1, 120, 170, 189]) {
    const { profiles, read } = counting(world);
    const { events } = await profiles.journal(cluster, day(from));
    const found = new Set(events.map(({ id }) => short(id)));
    for (let i = from; i < sealed; i++) expect(found).toContain(`v${i}`);
    expect(read(), `from ${from}`).toBeLessThanOrEqual((sealed - from) / TAIL_EVENTS + 3);
  }
});

test('a segment that was sealed by somebody who then crashed does not count, and is written over', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  let broken = false;
  const world = aWorld({
    brand: aBrand({ rules: [] }),
    through: (rows) => {
      const failing = failingOn((pk, verb) => broken && pk.startsWith('P#') && verb === 'put')(rows);
      return {
        ...failing,
        put: (item, guard) => (item.sk === '@' ? failing.put(item, guard) : rows.put(item, guard)),
      };
    },
  });
  await world.takeEach(...visits(TAIL_EVENTS));
  broken = true;
  const [lost] = await world.deliver([aVisit(90, { id: 'lost' })]).catch(() => ['0']);
  expect(lost).toBe('0');
  expect(world.segments()).toHaveLength(1);
  expect(await world.events('member_id:m1')).toHaveLength(TAIL_EVENTS); // each once, none from the orphan
  broken = false;
  world.restart();
  await world.take(aVisit(91, { id: 'other' }));
  await world.take(aVisit(90, { id: 'lost' }));
  expect(await world.events('member_id:m1')).toEqual([
    ...visits(TAIL_EVENTS).map(({ id }) => short(id)),
    'lost',
    'other',
  ]);
});

test('two writers at once: one wins, the other reads again, and no event is lost or doubled', async () => {
  const world = quiet();
  await world.takeEach(...visits(TAIL_EVENTS));
  const results = await Promise.all(
    Array.from({ length: 4 }, (_, i) => world.deliver([aVisit(50 + i, { id: `w${i}` })])),
  );
  expect(results).toEqual([[], [], [], []]);
  const ids = await world.events('member_id:m1');
  expect(ids).toHaveLength(TAIL_EVENTS + 4);
  expect(new Set(ids).size).toBe(ids.length);
});

test('a state is put only over the one that it was made from', async () => {
  const world = quiet();
  await world.take(aVisit(0));
  const cluster = await world.cluster('member_id:m1');
  await world.profiles.put({ ...cluster, version: cluster.version + 1 });
  await expect(world.profiles.put({ ...cluster, version: cluster.version + 1 })).rejects.toThrow('first');
});

test('a history is what each person did, in time order, from an instant on', async () => {
  const world = quiet();
  await world.take(aVisit(0, { id: 'a0', ids: ['member_id:a', 'phone:+8613800138000'] }));
  await world.take(aVisit(1, { id: 'b1', ids: ['member_id:b', 'phone:+8613800138000'] }));
  await world.take(aVisit(0.5, { id: 'a05', ids: ['member_id:a'] }));
  const { id, version } = await world.cluster('member_id:a');
  const history = await readHistory(world.profiles, id);
  expect(history).toMatchObject({ cluster: id, version });
  const told = history?.people.map((it) => it.events.map((event) => short(event.id)));
  expect(told?.sort((a, b) => b.length - a.length)).toEqual([['a0', 'a05'], ['b1']]);
  expect(await readHistory(world.profiles, 'nobody')).toBeUndefined();
});

test('a history may be asked for by the id that a cluster had before it was joined', async () => {
  const world = quiet();
  await world.take(aVisit(0, { id: 'x', ids: ['member_id:a'] }));
  await world.take(aVisit(1, { id: 'y', ids: ['phone:+8613800138000'] }));
  const former = (await world.cluster('phone:+8613800138000')).id;
  await world.take(aVisit(2, { id: 'z', ids: ['member_id:a', 'phone:+8613800138000'] }));
  const row = await world.profiles.get(former);
  expect(row && isRedirect(row)).toBe(true);
  const now = await readCluster(world.profiles, former);
  const history = await readHistory(world.profiles, former);
  expect(history?.cluster).toBe(now?.id);
  expect(history?.people.flatMap(({ events }) => events.map(({ id }) => short(id)))).toEqual(['x', 'y', 'z']);
  expect(await world.rows.get(keys.segment(former, 0))).toBeUndefined();
});
