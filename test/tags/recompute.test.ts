// Scope: tags that change because time passed, or because a rule did.
import { expect, test, vi } from 'vitest';
import { toIso } from '../../lib/platform/clock.ts';
import type { Table } from '../../lib/platform/table.ts';
import { askRecompute, recomputeMessage } from '../../lib/tags/recompute-ask.ts';
import { memoryQueue } from '../platform/memory.ts';
import { aBrand, active, anOrder, aVisit, buyer, day } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { onRecompute } from './on-parts.ts';

const MIDNIGHT = '2026-05-07T16:00:00.000Z'; // the eighth of May begins in Shanghai

test('a window that ends is noticed at the brand’s midnight, not a moment before', async () => {
  const world = aWorld({ brand: aBrand({ rules: [active] }) });
  world.setClock(day(0));
  await world.take(aVisit(0));
  expect((await world.cluster('member_id:m1')).due).toBe(MIDNIGHT);
  world.setClock(toIso(Date.parse(MIDNIGHT) - 1));
  expect(await world.tick()).toEqual({ due: 0 });
  expect(world.members('active')).toHaveLength(1);
  world.setClock(MIDNIGHT);
  expect(await world.tick()).toEqual({ due: 1 });
  expect(world.members('active')).toEqual([]);
  expect(await world.tick()).toEqual({ due: 0 });
});

test.each(['before its membership is written', 'after'])(
  'a clock that crashes %s comes by again, and the flip is whole',
  async (when) => {
    let broken = false;
    const world = aWorld({
      brand: aBrand({ rules: [active] }),
      through: (rows): Table => ({
        ...rows,
        async put(item, guard) {
          const isMember = broken && item.pk.startsWith('T#');
          if (isMember && when !== 'after') throw new Error('crash');
          await rows.put(item, guard);
          if (isMember) throw new Error('crash');
        },
      }),
    });
    world.setClock(day(0));
    await world.take(aVisit(0));
    world.setClock(MIDNIGHT);
    broken = true;
    await expect(world.tick()).rejects.toThrow();
    broken = false;
    expect(await world.tick()).toEqual({ due: 1 }); // nobody else comes again for it
    expect(world.members('active')).toEqual([]);
    expect(await world.tick()).toEqual({ due: 0 });
  },
);

test('a clock that was stopped for a month catches up: what is due then is done then', async () => {
  const world = aWorld({ brand: aBrand({ rules: [active] }) });
  world.setClock(day(0));
  await world.take(aVisit(0, { ids: ['member_id:a'] }), aVisit(0.9, { ids: ['member_id:b'] }));
  world.setClock(day(31));
  expect(await world.tick()).toEqual({ due: 2 });
  expect(world.members('active')).toEqual([]);
});

test('an entry that is early is looked at, put right and costs nothing more', async () => {
  const world = aWorld({ brand: aBrand({ rules: [active] }) });
  world.setClock(day(0));
  await world.take(aVisit(0));
  world.setClock(day(3));
  await world.take(aVisit(3)); // the entry stays where it is
  expect((await world.cluster('member_id:m1')).due).toBe(MIDNIGHT);
  world.setClock(MIDNIGHT);
  expect(await world.tick()).toEqual({ due: 1 });
  expect(world.members('active')).toHaveLength(1);
  expect((await world.cluster('member_id:m1')).due).toBe('2026-05-10T16:00:00.000Z');
});

test('who is quiet is not looked at: the clock reads those that are due and no other', async () => {
  const reads: string[] = [];
  let watching = false;
  const world = aWorld({
    brand: aBrand({ rules: [active, buyer] }),
    through: (rows): Table => ({
      ...rows,
      async get(key) {
        if (watching && key.pk.startsWith('P#')) reads.push(key.pk);
        return rows.get(key);
      },
    }),
  });
  world.setClock(day(0));
  for (let i = 0; i < 40; i++) await world.take(anOrder(0, `o${i}`, 1, { ids: [`member_id:quiet${i}`] }));
  await world.take(aVisit(0, { ids: ['member_id:due'] }));
  world.setClock(MIDNIGHT);
  watching = true;
  expect(await world.tick()).toEqual({ due: 1 });
  expect(new Set(reads).size).toBe(1);
});

test('hundreds that are due at one midnight are all done in one go', async () => {
  const world = aWorld({ brand: aBrand({ rules: [active] }) });
  world.setClock(day(0));
  await world.take(...Array.from({ length: 450 }, (_, i) => aVisit(0, { ids: [`member_id:m${i}`] })));
  expect(world.members('active')).toHaveLength(450);
  world.setClock(MIDNIGHT);
  expect(await world.tick()).toEqual({ due: 450 });
  expect(world.members('active')).toEqual([]);
});

test('new rules are asked for in parts that together are everybody', async () => {
  const queue = memoryQueue();
  await askRecompute('book', queue);
  const parts = queue.bodies.map((body) => recomputeMessage.parse(JSON.parse(body)));
  expect(parts.map(({ segment }) => segment)).toEqual(parts.map((_, i) => i));
  expect(new Set(parts.map(({ of }) => of))).toEqual(new Set([parts.length]));
});

test('a rule that was put reaches everybody, from the events of long ago on', async () => {
  const world = aWorld({ brand: aBrand({ rules: [buyer] }) });
  for (let i = 0; i < 30; i++) {
    const ids = [`member_id:m${i}`];
    for (let n = 0; n < i; n++) await world.take(aVisit(n, { ids }));
    await world.take(anOrder(31, `o${i}`, i * 100, { ids }));
  }
  await world.putRule({ tag: 'visitor', when: 'events("page_viewed").count() >= 20' });
  await world.putRule({ tag: 'spender', when: 'events("order_paid").sum("paid_amount") >= 2500' });
  await askRecompute('book', world.recompute);
  world.setClock(toIso(world.clock() + 10_000));
  await world.recomputeAll();
  expect(world.members('visitor')).toHaveLength(10);
  expect(world.members('spender')).toHaveLength(5);
  const { person } = await world.profile('member_id:m29');
  expect(person.tags.get('visitor')).toMatchObject({ since: Date.parse(day(19)), version: 1 });

  const before = world.rows.snapshot();
  await world.recomputeAll(); // the messages once more
  expect(world.rows.snapshot()).toBe(before);
});

test('a rule that is taken out of the file takes its tag with it', async () => {
  const rows = aWorld({ brand: aBrand({ rules: [buyer, active] }) });
  await rows.take(anOrder(0, 'o1', 1));
  await rows.tick(); // the file as it was first deployed
  expect(rows.members('buyer')).toHaveLength(1);
  const next = aWorld({ brand: aBrand({ rules: [active] }), rows: rows.rows });
  await next.tick();
  expect(next.recompute.bodies.length).toBeGreaterThan(0);
  await next.recomputeAll();
  expect(next.members('buyer')).toEqual([]);
  expect(await next.tags('member_id:m1')).toEqual({});
});

test('a message that cannot be read, or whose part fails, comes back; the others are done', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  let broken = true;
  const world = aWorld({
    through: (rows): Table => ({
      ...rows,
      async scan(segment, of, after) {
        if (broken && segment === 1) throw new Error('no table today');
        return rows.scan(segment, of, after);
      },
    }),
  });
  await world.take(aVisit(0));
  const part = (segment: number) => JSON.stringify({ book: 'b', segment, of: 2 });
  const messages = [
    { id: 'a', body: part(0) },
    { id: 'b', body: part(1) },
    { id: 'c', body: 'what' },
  ];
  expect(await onRecompute(messages, world.worker)).toEqual(['b', 'c']);
  broken = false;
  expect(await onRecompute(messages.slice(0, 2), world.worker)).toEqual([]);
  vi.restoreAllMocks();
});

test('a part that is too long for one message hands on to the next, and everybody is reached', async () => {
  const world = aWorld({
    brand: aBrand({ rules: [] }),
    through: (rows): Table => ({
      ...rows,
      // A page a row: as if each row were a megabyte.
      async scan(segment, of, after) {
        const all = await rows.scan(segment, of);
        const at = after === undefined ? 0 : Number(after);
        return {
          items: all.items.slice(at, at + 1),
          ...(at + 1 < all.items.length && { next: `${at + 1}` }),
        };
      },
    }),
  });
  for (let i = 0; i < 30; i++) await world.take(aVisit(0, { ids: [`member_id:m${i}`] }));
  await world.putRule({ tag: 'visitor', when: 'events("page_viewed").any()' });
  world.setClock(toIso(world.clock() + 10_000));
  await world.recompute.send([JSON.stringify({ book: 'b', segment: 0, of: 1 })]);
  for (let i = 0; i < world.recompute.bodies.length; i++)
    await onRecompute([{ id: 'm', body: world.recompute.bodies[i] ?? '' }], world.worker);
  expect(world.recompute.bodies.length).toBeGreaterThan(2);
  expect(world.members('visitor')).toHaveLength(30);
});
