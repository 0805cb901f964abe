import { beforeAll, expect, test, vi } from 'vitest';
import type { Event, Identifier } from '../../lib/events/event.ts';
import { directory } from '../../lib/identity/directory.ts';
import { toIso } from '../../lib/platform/clock.ts';
import { endErasures, onErasures } from '../../lib/privacy/carry-out.ts';
import { type PrivacyRequest, SETTLING_MS } from '../../lib/privacy/request.ts';
import { requestStore } from '../../lib/privacy/request-store.ts';
import { profileStore } from '../../lib/profile/store.ts';
import type { MemoryTable } from '../platform/memory.ts';
import { isWhole } from './enumerate.ts';
import { type AllNames, ERASURES, factsWithout } from './erasures.ts';
import { anEventOf } from './oracle/an-event.ts';
import { NOW } from './oracle/histories.ts';
import { ZONE } from './stories.ts';
import { played } from './story.ts';
import { mustBeSame } from './verdict.ts';
import { functionsOf, sharedOf, TICK } from './wiring.ts';
import type { Fault } from './world/faults.ts';
import { singles } from './world/schedules.ts';
import { World, type WorldFunction } from './world/world.ts';

// Law 6 at every point: a whole erasure, from its request to its receipt, with every fault at every read and write of it,
// while events of the person are on their way. It ends, it leaves nobody, and the receipt says what was there.

const FILE = 'erased-points';
const shared = sharedOf(ZONE);
const DAY_MS = 86_400_000;
const ago = (days: number) => toIso(NOW - days * DAY_MS);

const visit = (ids: string[], days: number): Event =>
  anEventOf(ids, ago(days), { type: 'page_viewed', properties: { url: 'https://shop.example/p/1' } });
const order = (ids: string[], days: number, id: string): Event =>
  anEventOf(ids, ago(days), {
    type: 'order_paid',
    properties: { order_id: id, paid_amount: 9_999, currency: 'CNY' },
  });

const own = Array.from({ length: 22 }, (_, i) => visit(['member_id:li', 'phone:1'], 40 - i));
const met = visit(['member_id:wang', 'phone:1'], 5); // a conflict: one cluster, two profiles
const others = [order(['member_id:wang'], 4, 'o2'), visit(['member_id:wang', 'device_id:d'], 3)];
const late = [order(['member_id:li'], 2, 'o1'), visit(['phone:1', 'device_id:d'], 1)];
const li: Identifier = { kind: 'member_id', scope: 'x', value: 'li' };

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // what fails by plan is logged
});

const erasures: WorldFunction<AllNames> = ({ table, queues, now }) => {
  const deps = {
    ...{ table, protector: shared.protector, directory: directory(table, shared.protector) },
    ...{ profiles: profileStore(table), conversions: queues.conversions },
    ...{ rules: async () => shared.rules, done: new Map<string, number>(), now },
  };
  return async (messages) => {
    const asked = messages.filter(({ body }) => body !== TICK);
    if (asked.length < messages.length) await endErasures(deps);
    return onErasures(asked, deps);
  };
};

const aRequest: PrivacyRequest = {
  ...{ id: 'request', right: 'erase', status: 'received', reason: 'a test asks', subject: 'subject', of: li },
  ...{ asked: { name: 'Li', key: 'key', at: toIso(NOW) }, dueAt: toIso(NOW + 15 * DAY_MS) },
};

/** A world in which Li is known and asks, then events of hers are on their way. */
async function erasedIn(plan: readonly Fault[], before: MemoryTable) {
  const world = new World<AllNames>({
    ...{ functions: { ...functionsOf(shared), erasures }, plan, now: NOW + 1, table: before.copy() },
  });
  await requestStore(world.table).put(aRequest, 0);
  await world.send('erasures', JSON.stringify({ request: 'request' }));
  await world.send('events', JSON.stringify({ events: late, faults: [] }));
  await world.run();
  world.now += SETTLING_MS;
  for (let tick = 0; tick < 3; tick++) {
    await world.send('erasures', TICK);
    await world.run();
  }
  await world.send('tick', TICK);
  await world.run();
  const { it } = await requestStore(world.table).get('request');
  return { world, it };
}

test('an erasure survives every fault at every point of it, and proves what it did', {
  timeout: 600_000,
}, async () => {
  const plain = await played(
    [
      { send: [[{ ...met, identifiers: met.identifiers.slice(0, 1) }, ...others]] },
      { passMs: SETTLING_MS + 1 },
      { tick: true },
    ],
    shared,
  );
  const facts = await factsWithout(plain, undefined);
  const { table } = await played([{ send: [own, [met, ...others]] }], shared);
  const calm = await erasedIn([], table);
  const plans: (readonly Fault[])[] = [[], ...singles(calm.world.points)];
  for (const plan of plans) {
    const how = plan.map(({ at, kind }) => `${at}:${kind}`).join(',');
    const { world, it } = await erasedIn(plan, table);
    mustBeSame(facts, await factsWithout(world, undefined), world, { how, replay: FILE });
    expect(it.status, it.status === 'done' ? how : `${how}\n${world.story}`).toBe('done');
    expect(it.of ?? it.progress, 'nothing names the person any more').toBeUndefined();
    expect(it.receipt, how).toMatchObject({ residual: 0, found: calm.it.receipt?.found });
    const left = world.table.rows().filter(({ pk, sk }) => pk.startsWith('P#') && sk !== '@');
    const now = await profileStore(world.table).get(String(left[0]?.pk.slice(2) ?? ''));
    expect(
      left.every(({ pk }) => now && !('joined' in now) && pk === `P#${now.id}`),
      how,
    ).toBe(true);
  }
  if (!isWhole()) return;
  process.stdout.write(`${FILE}: ${plans.length} schedules over ${calm.world.points.length} I/O points\n`);
  expect(plans.length).toBeGreaterThanOrEqual(ERASURES.points);
});
