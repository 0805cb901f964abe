import { beforeAll, expect, test, vi } from 'vitest';
import type { Event, Identifier } from '../../lib/events/event.ts';
import { DAY, toIso } from '../../lib/platform/clock.ts';
import { SETTLING_MS } from '../../lib/privacy/request.ts';
import { anEventOf } from '../laws/oracle/an-event.ts';
import { NOW } from '../laws/oracle/histories.ts';
import { ask, openedRows, requestingWorld, until } from '../laws/requested.ts';
import { everything } from '../laws/told.ts';
import { sharedOf, TICK } from '../laws/wiring.ts';
import type { Fault } from '../laws/world/faults.ts';

// An erasure was planned and its plan put down; before anything happened, the plan came to nothing.

const shared = sharedOf('Asia/Shanghai');
const li: Identifier = { kind: 'member_id', scope: 'x', value: 'li' };
const phone: Identifier = { kind: 'phone', scope: 'e164', value: '+8613800000001' };
const event = (type: string, days: number, properties: Event['properties']): Event => ({
  ...anEventOf([], toIso(NOW - days * DAY), { id: `${type}________________`.slice(0, 16) }),
  ...{ type, properties, identifiers: type === 'identifier_released' ? [phone] : [li, phone] },
});
const order = event('order_paid', 3, { order_id: 'o1', paid_amount: 9_999, currency: 'CNY' });
const release = event('identifier_released', 0, { kind: 'phone' });

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // what fails by plan is logged
});

const bodyOf = (it: Event) => JSON.stringify({ events: [it], faults: [] });

/** Li is known; whoever had the phone is to be erased, and the plan fails at a point. */
async function worldWith(plan: readonly Fault[]) {
  const made = requestingWorld(shared, {
    now: NOW + 1,
    plan,
    disorder: { duplicate: 0, delay: 0, shuffle: false, park: 1 },
  });
  await made.world.send('events', bodyOf(order));
  await made.world.run();
  return made.world;
}

async function asked(world: Awaited<ReturnType<typeof worldWith>>): Promise<void> {
  await ask(world, 'request', shared.protector.protect(phone));
  await world.send('erasures', JSON.stringify({ request: 'request' }));
  await world.run();
}

test('who gave up the phone by which they were to be erased stays, whole and readable', async () => {
  const calm = await worldWith([]);
  await asked(calm);
  const planned = calm.points.findIndex(({ does }) => does === 'put U#request request');
  expect(planned).toBeGreaterThan(0);

  const world = await worldWith([{ at: planned, kind: 'crash-after' }]);
  await asked(world);
  await world.send('events', bodyOf(release));
  await world.run();
  await world.send('tick', TICK); // the rules are brought to everybody once, whoever is erased
  await world.run();
  const before = await everything({ table: await openedRows(world.table), now: 0, story: '' }, undefined);
  expect(before.some((line) => line.includes('order_paid'))).toBe(true);
  await until(world, ['request'], ({ status }) => status !== 'received', 'begins');
  world.now += SETTLING_MS;
  const [it] = await until(world, ['request'], ({ status }) => status === 'done', 'ends');

  expect(it?.receipt).toMatchObject({ rowsRemoved: 0, tombstones: 0, found: { identifiers: 0, events: 0 } });
  expect(it?.receipt?.shredded).toBeUndefined();
  const after = await everything({ table: await openedRows(world.table), now: 0, story: '' }, undefined);
  expect(after).toEqual(before);
});
