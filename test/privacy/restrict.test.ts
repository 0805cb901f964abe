// Scope: restriction over the API: kept and not used until it is lifted, and then as if it had never been.
import { expect, test } from 'vitest';
import { conversionReader } from '../../lib/attribution/read.ts';
import type { Event } from '../../lib/events/event.ts';
import { addEvent, emptyGraph, nameOf } from '../../lib/identity/graph.ts';
import { DAY, toIso } from '../../lib/platform/clock.ts';
import { beginErasure } from '../../lib/privacy/carry-out.ts';
import { restrictedSince, restrictionEvent } from '../../lib/privacy/restriction.ts';
import { aDecider } from '../identity/a-decider.ts';
import { memoryQueue } from '../platform/memory.ts';
import { aBrand, anEvent, anId, anOrder, aVisit, buyer, day, stage } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller } from '../query/a-caller.ts';

const PHONE = '+8613800138000';
const LI = ['member_id:li', `phone:${PHONE}`];
const city = { tag: 'known', when: 'hasTrait("city")' };

/** Li, who visits and buys, restricts and lifts; and Wang beside them. */
async function aShop() {
  const world = aWorld({ brand: aBrand({ rules: [buyer, stage, city] }) });
  const [events, erasures] = [memoryQueue(), memoryQueue()];
  const caller = await aCaller(world, { events, erasures });
  let delivered = 0;
  const settle = async () => {
    for (const body of events.bodies.slice(delivered)) expect(await world.deliver({ body })).toEqual([]);
    delivered = events.bodies.length;
    await world.attribute();
  };
  const live = async (from: number) => {
    const wecom = { campaign: { channel: 'wecom' } };
    await world.take(
      aVisit(from, { id: `visit${from}`, ids: LI, context: wecom, traits: { city: `city ${from}` } }),
      anOrder(from + 1, `o${from}`, 9_900, { id: `order${from}`, ids: LI }),
      anOrder(from + 1, `w${from}`, 100, { id: `wang${from}`, ids: ['member_id:wang'] }),
    );
    await world.attribute();
  };
  const ask = (right: string, more: object = {}) =>
    caller.send('/privacy/requests', {
      ...{ as: 'privacy', method: 'POST', reason: null },
      body: { right, kind: 'phone', value: PHONE, reason: 'ticket 4711', ...more },
    });
  /** Asks, and waits until it is done. */
  const carriedOut = async (right: string) => {
    const { status, body } = await ask(right);
    expect([status, body.status]).toEqual([202, 'received']);
    expect((await caller.ask(`/privacy/requests/${body.id}`, { as: 'privacy' })).status).toBe('received');
    await settle();
    const done = await caller.ask(`/privacy/requests/${body.id}`, { as: 'privacy' });
    expect(done).toMatchObject({ status: 'done', doneAt: expect.anything(), right });
    return done;
  };
  const paths = async () => {
    const { id } = await world.cluster('member_id:li');
    const rows = await Array.fromAsync(conversionReader(world.rows).list(id));
    rows.sort((a, b) => (a.conversion.at < b.conversion.at ? -1 : 1));
    return rows.map(({ path }) => path.touches.map(({ channel }) => channel));
  };
  const at = (days: number) => world.setClock(new Date(Date.parse(aVisit(days).occurredAt)).toISOString());
  return { world, caller, ask, carriedOut, live, paths, at, settle };
}

test('who is restricted holds no tag, and what they do is kept and used for nothing', async () => {
  const { world, caller, carriedOut, live, paths, at } = await aShop();
  at(10);
  await live(5);
  expect(world.members('buyer')).toHaveLength(2);
  await carriedOut('restrict');
  expect(world.members('buyer')).toHaveLength(1);
  expect(world.members('known')).toEqual([]);
  at(20);
  await live(12);
  const shown = await caller.ask('/profiles/member_id/li');
  expect(shown).toMatchObject({
    tags: {},
    stage: null,
    rfm: null,
    nextChangeAt: null,
    traits: { city: 'city 5' },
  });
  expect(shown.restrictedAt).toBe(toIso(Date.parse(aVisit(10).occurredAt)));
  expect((await caller.ask('/profiles/member_id/li/events')).events).toHaveLength(4);
  expect(await paths()).toEqual([['wecom'], []]); // the first as it was; the second is an order, credited to nothing
  const booked = world.rowsOf('A#').filter(({ orders, stage: it }) => orders === 1 && it === undefined);
  expect(booked).toHaveLength(1); // the order's day, and of it the money and no stage
  for (const path of ['tags/buyer/explain', 'value'])
    expect(await caller.askInVain(`/profiles/member_id/li/${path}`)).toMatchObject({ status: 409 });
});

test('nothing may be sent to who is restricted, whatever they had agreed to', async () => {
  const { caller, carriedOut, live, at } = await aShop();
  at(10);
  await live(5);
  const path = '/profiles/member_id/li/consent';
  expect((await caller.ask(`${path}?purpose=marketing.sms`)).allowed).toBe(true);
  await carriedOut('restrict');
  expect((await caller.ask(`${path}?purpose=marketing.sms`)).allowed).toBe(false);
  const { purposes } = await caller.ask(path);
  expect(purposes.sharing).toMatchObject({ allowed: false, because: 'restricted' });
  await carriedOut('lift');
  expect((await caller.ask(path)).purposes.sharing).toMatchObject({ allowed: true });
});

test('when it is lifted all is as if it had never been, to the byte', async () => {
  const [never, shop] = [await aShop(), await aShop()];
  for (const { at, live, world } of [never, shop]) {
    at(10);
    await live(5);
    await world.tick();
  }
  await shop.carriedOut('restrict');
  for (const { at, live, world } of [never, shop]) {
    at(40);
    await live(12);
    for (let i = 0; i < 45; i++) await world.take(aVisit(15 + i / 4, { id: `later${i}`, ids: LI }));
  }
  expect(await shop.world.digest()).not.toBe(await never.world.digest());
  await shop.carriedOut('lift');
  expect(await shop.world.digest()).toBe(await never.world.digest());
  expect(await shop.paths()).toEqual([['wecom'], ['wecom']]);
});

test('asked again it is done already; nothing is said twice', async () => {
  const { world, ask, carriedOut, live, at } = await aShop();
  at(10);
  await live(5);
  expect((await ask('lift')).body.status).toBe('done');
  await carriedOut('restrict');
  expect((await ask('restrict')).body).toMatchObject({ status: 'done', doneAt: expect.anything() });
  const { graph } = await world.cluster('member_id:li');
  expect([...graph.restrictions.values()].map((said) => said.length)).toEqual([1, 1]);
});

test('it survives a join and an undo: the stricter holds for both, and afterwards for whom it was said', async () => {
  const { world, carriedOut, live, at } = await aShop();
  at(10);
  await live(5);
  await carriedOut('restrict');
  await world.take(aVisit(11, { id: 'joins', ids: ['member_id:li', 'wechat_unionid:u1'] }));
  await world.take(anOrder(12, 'u', 100, { ids: ['wechat_unionid:u1'] }));
  expect(await world.tags('wechat_unionid:u1')).toEqual({});
  const decider = await aDecider(world);
  const { body } = await decider.ask('/profiles/member_id/li/identity');
  const edges = body.edges.flatMap((it: { id: string; between: { kind: string }[] }) =>
    it.between.some(({ kind }) => kind === 'wechat_unionid') ? [it.id] : [],
  );
  await decider.ask('/identity/undo', {
    profile: { kind: 'member_id', value: 'li' },
    edges,
    why: 'two people',
  });
  await decider.settle();
  expect(await world.tags('wechat_unionid:u1')).toMatchObject({ buyer: true });
  expect(await world.tags('member_id:li')).toEqual({});
});

test('of a phone that was given up the next owner is not restricted, and the former stays so', async () => {
  const { world, carriedOut, live, at } = await aShop();
  at(10);
  await live(5);
  await carriedOut('restrict');
  const released = anEvent('identifier_released', 11, { ids: [`phone:${PHONE}`] });
  await world.take({ ...released, context: { ...released.context, verified: 'signed' } });
  await world.take(anOrder(12, 'next', 100, { ids: [`phone:${PHONE}`] }));
  expect(await world.tags(`phone:${PHONE}`)).toMatchObject({ buyer: true });
  expect(await world.tags('member_id:li')).toEqual({});
});

test('time alone gives no tag to who is restricted', async () => {
  const { world, carriedOut, live, at } = await aShop();
  at(10);
  await live(5);
  await carriedOut('restrict');
  world.setClock(toIso(world.clock() + 400 * DAY));
  await world.tick();
  expect(world.members('stage')).toHaveLength(1); // Wang's
  expect(await world.tags('member_id:li')).toEqual({});
});

test('who is restricted can be erased, and what stays of the cluster is not restricted', async () => {
  const { world, ask, carriedOut, live, at } = await aShop();
  at(10);
  await live(5);
  await world.take(anEvent('page_viewed', 6, { id: 'both', ids: ['member_id:li', 'device_id:d1'] }));
  await carriedOut('restrict');
  const { body } = await ask('erase');
  await beginErasure(body.id, world.worker);
  const { graph } = await world.cluster('member_id:li');
  expect([...graph.restrictions]).toEqual([]);
  expect(await world.tags('member_id:wang')).toMatchObject({ buyer: true });
});

test('everything that is asked stands in the log, and the list shows what is open and what is done', async () => {
  const { caller, ask, carriedOut, live, at, settle } = await aShop();
  at(10);
  await live(5);
  await carriedOut('restrict');
  await ask('lift');
  const listed = async () => (await caller.send('/privacy/requests', { as: 'privacy' })).body.items;
  expect((await listed()).map(({ right, status }: Record<string, string>) => `${right} ${status}`)).toEqual(
    expect.arrayContaining(['lift received', 'restrict done']),
  );
  await settle();
  expect((await listed()).map(({ status }: Record<string, string>) => status)).toEqual(['done', 'done']);
  const { entries } = await caller.ask('/audit', { as: 'privacy' });
  const details = entries.map(({ details }: { details?: object }) => details);
  for (const right of ['restrict', 'lift'])
    expect(details).toContainEqual(expect.objectContaining({ right }));
  expect(details).toContainEqual(expect.objectContaining({ status: 'done' }));
});

test('of one instant the stricter holds; what is heard twice or in another order is the same', () => {
  const id = anId('member_id:li');
  const names = [nameOf(id)];
  const since = (...events: readonly Event[]) => {
    const graph = emptyGraph();
    for (const event of [aVisit(0, { ids: ['member_id:li'] }), ...events]) addEvent(graph, event);
    return restrictedSince(graph, { names, nodes: names });
  };
  const [on, off] = [restrictionEvent(id, true, day(1)), restrictionEvent(id, false, day(1))];
  const [again, later] = [restrictionEvent(id, true, day(2)), restrictionEvent(id, false, day(3))];
  expect([since(on, off), since(off, on)]).toEqual([day(1), day(1)]);
  expect([since(again, on, on), since(on, again)]).toEqual([day(1), day(1)]);
  expect([since(later, on), since(on, again, later), since(off)]).toEqual([undefined, undefined, undefined]);
  expect(since(restrictionEvent(id, true, day(4)), later, on)).toBe(day(4));
});
