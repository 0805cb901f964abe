// Scope: phones that lie idle: whose they are when they are seen again, and what a person says of it.
import { describe, expect, test } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { addSightings, followFor, partition } from '../../lib/identity/graph.ts';
import { brand } from '../../lib/platform/brand.ts';
import { describeTable } from '../../lib/profile/digest.ts';
import { fold, newCluster } from '../../lib/profile/fold.ts';
import { packGraph, storedGraph, unpackGraph } from '../../lib/profile/graph-codec.ts';
import { aBrand, active, anOrder, aVisit, buyer, day, rulesOf, START } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aDecider } from './a-decider.ts';
import { aSighting, graphOf, profilesIn, reviewsIn } from './a-graph.ts';

const PHONE = 'phone:+8613800138000';
const IDLE = 180;
const idle = aBrand({ identity: { phoneIdleDays: IDLE } });

/** A graph of a brand that follows phones for so long. */
function followed(...events: readonly Event[]) {
  const graph = graphOf(...events);
  followFor(graph, IDLE);
  for (const event of events) addSightings(graph, event);
  return graph;
}
const former = aSighting(0, 'member_id:m1', PHONE);

describe('a phone that was not seen for half a year', () => {
  test('and is seen with somebody else does not join the two: it is theirs from then on, and somebody has to look', () => {
    const graph = followed(former, aSighting(180, 'wechat_unionid:u2', PHONE), aSighting(181, PHONE));
    expect(profilesIn(graph)).toEqual([['member_id:m1'], ['wechat_unionid:u2', PHONE]]);
    expect(reviewsIn(graph)).toEqual([`wechat_unionid:u2 ${PHONE} idle`]);
  });

  test('a day less, and it joins them as ever', () => {
    const graph = followed(former, aSighting(179, 'wechat_unionid:u2', PHONE));
    expect(profilesIn(graph)).toHaveLength(1);
  });

  test('goes on with who had it, if it is seen alone or with them', () => {
    for (const ids of [[PHONE], ['member_id:m1', PHONE]]) {
      const graph = followed(former, aSighting(200, ...ids), aSighting(201, PHONE, 'wechat_unionid:u1'));
      expect(profilesIn(graph)).toHaveLength(ids.length === 1 ? 2 : 1);
      expect(profilesIn(followed(former, aSighting(200, ...ids)))).toHaveLength(1);
    }
  });

  test('is asked about once more after each idle time, of who had it last', () => {
    const graph = followed(
      former,
      aSighting(200, 'wechat_unionid:u2', PHONE),
      aSighting(400, PHONE),
      aSighting(600, 'member_id:m1', PHONE),
    );
    expect(profilesIn(graph)).toEqual([['member_id:m1', PHONE], ['wechat_unionid:u2']]);
    expect(reviewsIn(graph)).toHaveLength(2);
  });

  test('was not idle, if what came late fills the time', () => {
    const graph = followed(former, aSighting(200, 'wechat_unionid:u2', PHONE), aSighting(100, PHONE));
    expect(profilesIn(graph)).toHaveLength(1);
    expect(reviewsIn(graph)).toEqual([]);
  });

  test('is no other phone where the brand does not say how long, nor is an e-mail ever', () => {
    const plain = graphOf(former, aSighting(900, 'wechat_unionid:u2', PHONE));
    followFor(plain, undefined);
    expect(plain.tenures.size).toBe(0);
    expect(profilesIn(plain)).toHaveLength(1);
    const mail = [
      aSighting(0, 'member_id:m1', 'email:a@x.cn'),
      aSighting(900, 'wechat_unionid:u2', 'email:a@x.cn'),
    ];
    expect(profilesIn(followed(...mail))).toHaveLength(1);
  });

  test('is stored in a few bytes, and read as it was', () => {
    const graph = followed(former, aSighting(200, 'wechat_unionid:u2', PHONE));
    const packed = JSON.parse(JSON.stringify(packGraph(graph, START)));
    expect(JSON.stringify(packed[6]).length).toBeLessThan(50);
    expect(unpackGraph(storedGraph(packed), START)).toEqual(graph);
  });
});

test('a brand that begins to say how long, and one that ends it, divides and joins what it has with the next event', () => {
  const events = [
    aVisit(0, { ids: ['member_id:m1', PHONE] }),
    aVisit(200, { ids: ['wechat_unionid:u2', PHONE] }),
  ];
  const next = (days: number) => [aVisit(days, { ids: ['member_id:m1'] })];
  const [off, on] = [rulesOf(), rulesOf(idle)];
  const now = START + 400 * 86_400_000;
  const folded = (...args: Parameters<typeof fold>) => {
    const result = fold(...args);
    if (result.kind !== 'changed') throw new Error(`it is ${result.kind}`);
    return result.cluster;
  };
  const size = ({ graph }: ReturnType<typeof folded>) => partition(graph).members.length;
  const one = folded(newCluster('c', day(0), off), { events }, off, now);
  const two = folded(one, { events: next(201) }, on, now);
  const back = folded(two, { events: next(202) }, off, now);
  expect([one, two, back].map(size)).toEqual([1, 2, 1]);
  expect(two.shown.size).toBe(2);
  expect(back.graph.tenures.size).toBe(0);
});

test('what came late and was alone takes no day of who has the phone now: the table is as if it had come in time', async () => {
  const events = [
    aVisit(0, { ids: ['member_id:m1', 'phone:+8613800138001'] }),
    aVisit(5, { ids: [PHONE] }),
    aVisit(200, { ids: ['member_id:m1', PHONE] }),
    anOrder(201, 'o1', 100, { ids: [PHONE] }),
  ];
  const digests: string[] = [];
  for (const order of [events, [...events.slice(2), ...events.slice(0, 2)], events.toReversed()]) {
    const world = aWorld({ brand: idle });
    world.setClock(day(300));
    await world.takeEach(...order);
    await world.attribute();
    digests.push(await world.digest());
  }
  expect(new Set(digests).size).toBe(1);
});

test('how long is said in days, no fewer than thirty', () => {
  const read = (phoneIdleDays: unknown) => brand.safeParse({ ...idle, identity: { phoneIdleDays } }).success;
  expect([180, 30, 29, 0, 90.5, '90'].map(read)).toEqual([true, true, false, false, false, false]);
});

describe('a person who looks', () => {
  async function asked() {
    const world = aWorld({ brand: idle });
    world.setClock(day(300));
    await world.take(aVisit(0, { ids: ['member_id:m1', PHONE] }));
    await world.take(anOrder(200, 'o1', 100, { ids: ['wechat_unionid:u2', PHONE] }));
    await world.attribute();
    const decider = await aDecider(world);
    const { body } = await decider.ask('/reviews');
    return { world, ...decider, reviews: body.reviews };
  }
  const sizeOf = async ({ world }: Awaited<ReturnType<typeof asked>>, id: string) =>
    (await world.profile(id)).names.length;

  test('accepts that it is the same person: the two are one', async () => {
    const it = await asked();
    expect(it.reviews).toMatchObject([{ reason: 'idle' }]);
    const reply = await it.ask(`/reviews/${it.reviews[0].id}`, { verdict: 'accept', why: 'the same woman' });
    expect(reply.body.decisions).toMatchObject([{ verdict: 'together' }]);
    await it.settle();
    expect(await sizeOf(it, 'member_id:m1')).toBe(3);
    expect((await it.ask('/reviews')).body.reviews).toEqual([]);
  });

  test('refuses: the phone was given up then, the next owner keeps it, and nobody is asked again', async () => {
    const it = await asked();
    const reply = await it.ask(`/reviews/${it.reviews[0].id}`, { verdict: 'refuse', why: 'two people' });
    expect(reply.body.decisions).toMatchObject([{ verdict: 'released' }]);
    await it.settle();
    expect(await sizeOf(it, 'member_id:m1')).toBe(1);
    expect(await sizeOf(it, PHONE)).toBe(2);
    expect((await it.ask('/reviews')).body.reviews).toEqual([]);
  });
});

/** What a table says, but for which rules there were before. */
const peopleIn = async ({ rows }: ReturnType<typeof aWorld>) => {
  const { lines } = await describeTable(rows.rows());
  return lines.filter((line) => !line.startsWith('["S#rules"') && !line.startsWith('["R#'));
};

test('a brand that begins to let phones lie idle, or stops, has everybody as if it always had', async () => {
  const events = [
    anOrder(0, 'o1', 1_000, { id: 'first', ids: ['member_id:m1', PHONE] }),
    aVisit(90, { id: 'again', ids: ['wechat_unionid:u2', PHONE] }),
  ];
  const ways = [
    aBrand({ rules: [buyer] }),
    aBrand({ rules: [buyer, active], identity: { phoneIdleDays: 60 } }), // other rules bring everybody to it
  ];
  for (const [before, after] of [ways, ways.toReversed()]) {
    const world = aWorld({ brand: before });
    await world.take(...events);
    await world.tick();
    const other = aWorld({ brand: after, rows: world.rows });
    await other.tick();
    await other.recomputeAll();
    await other.attribute();
    const plain = aWorld({ brand: after });
    await plain.take(...events);
    await plain.tick();
    await plain.attribute();
    expect(await peopleIn(other)).toEqual(await peopleIn(plain));
    expect((await other.cluster(PHONE)).shown.size).toBe(after?.identity.phoneIdleDays === undefined ? 1 : 2);
  }
});
