// Scope: who looks at an identity, tries a join or an undo, decides it, and what becomes of it in the table.
import { describe, expect, test } from 'vitest';
import { AUDIT, keys } from '../../lib/platform/keys.ts';
import { anOrder, aVisit, day } from '../profile/a-profile.ts';
import { aWorld, type World } from '../profile/a-world.ts';
import { aDecider } from './a-decider.ts';

const PHONE = 'phone:+8613800138000';
const member = { kind: 'member_id', value: 'm1' };
const phone = { kind: 'phone', value: '138 0013 8000' };
const wecom = { context: { campaign: { channel: 'wecom' } } };

/** A member with a visit, a phone with an order, and the event that showed both. */
async function joined() {
  const world = aWorld();
  await world.take(aVisit(0, { id: 'visit', ids: ['member_id:m1'], ...wecom }));
  await world.take(anOrder(1, 'o1', 100, { id: 'order', ids: [PHONE] }));
  await world.attribute();
  const before = await world.digest();
  await world.take(aVisit(2, { id: 'meeting', ids: ['member_id:m1', PHONE], channel: 'shop' }));
  await world.attribute();
  const decider = await aDecider(world);
  return { world, before, ...decider };
}

/** All rows but the log's. */
const rowsOf = ({ rows }: World) => rows.rows().filter(({ pk }) => !pk.startsWith(AUDIT));

const edgesOf = async ({ ask }: Awaited<ReturnType<typeof joined>>) =>
  (await ask('/profiles/member_id/m1/identity')).body.edges;

describe('an identity', () => {
  test('is shown with what holds it together: strength, time, and the events that say so', async () => {
    const it = await joined();
    const { body } = await it.ask('/profiles/member_id/m1/identity');
    expect(body.identifiers).toMatchObject([
      { kind: 'member_id', value: 'm1', strength: 'strong' },
      { kind: 'phone', value: '+8613****8000', strength: 'strong' },
    ]);
    expect(body.edges).toMatchObject([
      {
        strength: 'strong',
        state: 'joined',
        firstSeenAt: day(2),
        seen: 1,
        is_backfill: false,
        events: [{ id: 'meeting_________', type: 'page_viewed', source: { channel: 'shop' } }],
      },
    ]);
    expect(body.others).toEqual([]);
  });

  test('masks what the role or the lack of a reason forbids', async () => {
    const it = await joined();
    const valueFor = async (as: 'operator' | 'privacy') =>
      (await it.ask('/profiles/member_id/m1/identity', undefined, as)).body.edges[0].between[1].value;
    expect(await valueFor('operator')).toBe('+8613****8000');
    expect(await valueFor('privacy')).toBe('+8613800138000');
    expect((await it.ask('/profiles/member_id/m1/identity', undefined, 'analyst')).status).toBe(403);
  });

  test('says of an edge that only history which was brought in later has made it', async () => {
    const world = aWorld();
    await world.take(aVisit(0, { ids: ['member_id:m1', PHONE], receivedAt: day(90) }));
    await world.take(aVisit(1, { ids: ['member_id:m1', 'device_id:d'], properties: { is_backfill: true } }));
    const { ask } = await aDecider(world);
    const flags = async () =>
      (await ask('/profiles/member_id/m1/identity')).body.edges.map(
        (edge: { is_backfill: boolean }) => edge.is_backfill,
      );
    expect(await flags()).toEqual([true, true]);
    await world.take(aVisit(2, { ids: ['member_id:m1', PHONE] }));
    expect(await flags()).toEqual([false, true]);
  });
});

describe('an undo', () => {
  test('is tried first: who would hold which tags, and whose conversion would be credited otherwise', async () => {
    const it = await joined();
    const [{ id }] = await edgesOf(it);
    const rows = rowsOf(it.world);
    const { body } = await it.ask(
      '/identity/preview',
      { undo: { profile: member, edges: [id] } },
      'operator',
    );
    expect(body.decisions).toEqual([{ edge: id, verdict: 'apart' }]);
    expect(body.before).toHaveLength(1);
    expect(body.after.map((one: { events: number }) => one.events).sort()).toEqual([1, 2]);
    expect(body.changes).toEqual({
      tags: ['active'].slice(1),
      stage: true,
      conversions: ['order___________'],
    });
    const [order] = body.before[0].conversions;
    expect(order.credits.linear).toMatchObject([
      { event: 'visit___________', channel: 'wecom', ppm: 1_000_000 },
    ]);
    const alone = body.after.flatMap((one: { conversions: unknown[] }) => one.conversions);
    expect(alone).toMatchObject([{ credits: { linear: [{ event: null, ppm: 1_000_000 }] } }]);
    expect(it.events.bodies).toEqual([]);
    expect(rowsOf(it.world)).toEqual(rows);
  });

  test('gives each side its own events back, and restates what was credited', async () => {
    const it = await joined();
    const [{ id }] = await edgesOf(it);
    const reply = await it.ask('/identity/undo', { profile: member, edges: [id], why: 'two sisters' });
    expect(reply).toMatchObject({
      status: 202,
      body: { status: 'queued', decisions: [{ edge: id, verdict: 'apart' }] },
    });
    await it.settle();
    const [a, b] = [await it.world.profile('member_id:m1'), await it.world.profile(PHONE)];
    expect(a.names).toHaveLength(1);
    expect(b.names).toHaveLength(1);
    expect(it.world.members('buyer')).toEqual([b.id]);
    expect(it.world.rowsOf('V#')).toMatchObject([{ sk: expect.stringContaining(b.id) }]);
    expect(await edgesOf(it)).toMatchObject([
      {
        state: 'apart',
        decision: { verdict: 'apart', by: 'admin Li', why: 'two sisters', id: reply.body.decisions[0].id },
      },
    ]);
  });

  test('holds whatever shows the two together later, and is taken back by a join', async () => {
    const it = await joined();
    const joinedDigest = await it.world.digest();
    const [{ id }] = await edgesOf(it);
    await it.ask('/identity/undo', { profile: member, edges: [id], why: 'two sisters' });
    await it.settle();
    expect(await it.world.digest()).not.toBe(joinedDigest);
    it.world.setClock(day(101));
    const back = await it.ask('/identity/join', { a: member, b: phone, why: 'one after all' });
    expect(back.body.decisions).toMatchObject([{ edge: id, verdict: 'open' }]);
    await it.settle();
    it.world.setClock(day(100));
    expect(await it.world.digest()).toBe(joinedDigest);
    await it.ask('/identity/undo', { profile: member, edges: [id], why: 'an older word does not count' });
    await it.settle();
    await it.world.take(aVisit(3, { ids: ['member_id:m1', PHONE] }));
    expect((await it.world.profile(PHONE)).names).toHaveLength(2);
  });

  test('is no activity of anybody: neither events nor arrivals tell of it', async () => {
    const it = await joined();
    const arrivals = () => it.world.rowsOf('N#').map((row) => JSON.stringify(row));
    const before = arrivals();
    const [{ id }] = await edgesOf(it);
    await it.ask('/identity/undo', { profile: member, edges: [id], why: 'two sisters' });
    await it.settle();
    expect(await it.world.events('member_id:m1')).toEqual(['visit', 'order', 'meeting']);
    expect((await it.world.profile('member_id:m1')).person.last?.at).toBe(day(2));
    expect(arrivals()).toEqual(before);
  });

  test('of an edge that is not there, or by somebody who may not, is refused', async () => {
    const it = await joined();
    const undo = { profile: member, edges: ['nowhere'], why: 'two sisters' };
    expect(await it.ask('/identity/undo', undo)).toEqual({ status: 404, reason: 'no_edge' });
    expect((await it.ask('/identity/undo', undo, 'operator')).status).toBe(403);
    const edges = (await edgesOf(it)).map((edge: { id: string }) => edge.id);
    const quoting = { ...undo, edges, why: 'ask 138 0013 8000' };
    expect(await it.ask('/identity/undo', quoting)).toEqual({ status: 400, reason: 'bad_reason' });
    expect(it.events.bodies).toEqual([]);
  });
});

describe('a join by hand', () => {
  const strangers = async () => {
    const world = aWorld();
    await world.take(anOrder(0, 'o1', 100, { ids: ['member_id:m1'] }));
    await world.take(aVisit(1, { ids: ['member_id:m2', PHONE] }));
    await world.attribute();
    return { world, never: await world.digest(), ...(await aDecider(world)) };
  };

  test('makes two members one, and undone they never were', async () => {
    const { world, never, ask, settle } = await strangers();
    expect(
      (await ask('/identity/join', { a: member, b: phone, why: 'one customer, two cards' })).status,
    ).toBe(202);
    await settle();
    expect((await world.profile('member_id:m1')).names).toHaveLength(3);
    const { edges } = (await ask('/profiles/member_id/m1/identity')).body;
    const byHand = edges.find((edge: { seen: number }) => edge.seen === 0);
    expect(byHand).toMatchObject({ state: 'joined', decision: { verdict: 'together' } });
    world.setClock(day(101));
    const reply = await ask('/identity/undo', { profile: member, edges: [byHand.id], why: 'a mistake' });
    expect(reply.body.decisions).toMatchObject([{ verdict: 'open' }]);
    await settle();
    world.setClock(day(100));
    expect(await world.digest()).toBe(never);
  });

  test('is tried first, across the rows that hold the two', async () => {
    const { ask } = await strangers();
    const { body } = await ask('/identity/preview', { join: { a: member, b: phone } });
    expect([body.before.length, body.after.length]).toEqual([2, 1]);
    expect(body.after[0]).toMatchObject({ events: 2, stage: 'fresh' });
    expect(body.changes.conversions).toEqual([]);
  });

  test('of one with oneself, of two devices, of nobody, is refused', async () => {
    const { world, ask } = await strangers();
    await world.take(aVisit(2, { ids: ['device_id:d1'] }), aVisit(2, { ids: ['device_id:d2'] }));
    const join = async (a: object, b: object) =>
      (await ask('/identity/join', { a, b, why: 'they say so' })).reason;
    expect(await join(member, member)).toBe('one_identifier');
    expect(await join({ kind: 'member_id', value: 'm2' }, phone)).toBe('joined');
    expect(await join({ kind: 'device_id', value: 'd1' }, { kind: 'device_id', value: 'd2' })).toBe(
      'two_weak',
    );
    expect(await join(member, { kind: 'member_id', value: 'm9' })).toBe('not_found');
  });
});

describe('a review', () => {
  const conflict = async () => {
    const world = aWorld();
    await world.take(
      aVisit(0, { ids: ['member_id:m1', PHONE] }),
      aVisit(1, { ids: ['member_id:m2', PHONE] }),
    );
    const [row] = world.rowsOf('U#review');
    return { world, id: String(row?.sk).replace('#', '.'), ...(await aDecider(world)) };
  };

  test('that is accepted makes the two one', async () => {
    const { world, id, ask, settle } = await conflict();
    expect((await ask(`/reviews/${id}`, { verdict: 'accept', why: 'one person, two cards' })).status).toBe(
      202,
    );
    await settle();
    expect((await world.profile('member_id:m1')).names).toHaveLength(3);
    expect(world.rowsOf('U#review')).toEqual([]);
  });

  test('that is refused is gone, and the two stay two', async () => {
    const { world, id, ask, settle } = await conflict();
    expect((await ask(`/reviews/${id}`, { verdict: 'refuse', why: 'a family phone' })).status).toBe(202);
    await settle();
    expect((await world.profile('member_id:m2')).names).toHaveLength(1);
    expect(world.rowsOf('U#review')).toEqual([]);
    await world.take(aVisit(5, { ids: ['member_id:m2', PHONE] }));
    expect(world.rowsOf('U#review')).toEqual([]);
    expect(await ask(`/reviews/${id}`, { verdict: 'accept', why: 'too late' })).toEqual({
      status: 404,
      reason: 'no_review',
    });
  });
});

test('who decided stands in the log before it is queued, by a digest of the profile', async () => {
  const it = await joined();
  const [{ id }] = await edgesOf(it);
  await it.ask('/identity/undo', { profile: member, edges: [id], why: 'two sisters' });
  const entries = it.world.rows
    .rows()
    .filter(({ e }) => typeof e === 'string' && e.includes('identity_decided'));
  expect(entries).toHaveLength(1);
  expect(String(entries[0]?.e)).not.toContain(
    keys.profile((await it.world.cluster('member_id:m1')).id).pk.slice(2),
  );
});
