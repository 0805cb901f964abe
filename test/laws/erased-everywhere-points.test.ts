import { beforeAll, expect, test, vi } from 'vitest';
import type { Event, Identifier } from '../../lib/events/event.ts';
import { DAY, toIso } from '../../lib/platform/clock.ts';
import { SETTLING_MS } from '../../lib/privacy/request.ts';
import type { MemoryTable } from '../platform/memory.ts';
import { commandOf, isAsked, isWhole, textOf } from './enumerate.ts';
import { runToTheEnd } from './erasures.ts';
import { anEventOf } from './oracle/an-event.ts';
import { NOW } from './oracle/histories.ts';
import { settledIn } from './receipts.ts';
import { ask, carriedOutFor, requestingWorld, until } from './requested.ts';
import { isDeep } from './runs.ts';
import { ZONE } from './stories.ts';
import { type Unread, unreadIn } from './unread.ts';
import { type Ended, mustBeUnseen } from './unseen.ts';
import { sharedOf, TICK } from './wiring.ts';
import type { Fault } from './world/faults.ts';
import { singles } from './world/schedules.ts';

// Law 6, the whole way and at every point: a short story in which Li asks to be erased while something of hers is in a queue, in
// dead letters and in quarantine, with every fault at every read and write of it, those of keys, quarantine and dead letters too.

const FILE = 'erased-everywhere-points';
/** Quarantine keeps so few days here that not each of them is a point. */
const shared = sharedOf(ZONE, { retention: { quarantineDays: 2 } });
/** One plan in so many is run in a build. */
const ONE_IN = 3;

const person = (kind: string, value: string): Identifier => ({ kind, scope: 'x', value });
const li = person('member_id', 'li_of-the-shop');
const wang = person('member_id', 'wang_of-the-shop');
const phone = person('phone', '+8613800000001');
const device = person('device_id', 'device_of-a-shop');

let n = 0;
const event = (identifiers: Identifier[], days: number, changes: Partial<Event>): Event => ({
  ...anEventOf([], toIso(NOW - days * DAY), { id: `point${String(++n).padStart(11, '0')}` }),
  ...{ type: 'page_viewed', properties: { url: 'https://shop.example/p/1' }, identifiers },
  ...changes,
});
const order = (identifiers: Identifier[], days: number, id: string): Event =>
  event(identifiers, days, {
    type: 'order_paid',
    properties: { order_id: id, paid_amount: 9_999, currency: 'CNY' },
  });

const known = [order([li, phone], 9, 'o1'), event([wang, phone], 5, {}), event([wang, device], 4, {})];
const coming = [event([li, device], 2, {}), order([wang], 1, 'o2')];
const late = [event([phone], 3, {}), event([wang, li], 1, {})];
const kept = [
  unreadIn('message', [phone], 1, NOW),
  unreadIn('text', [wang], 2, NOW),
  unreadIn('zipped', [wang, li], 3, NOW - DAY),
];
const lost = [unreadIn('message', [li], 4, NOW - DAY), unreadIn('message', [wang], 5, NOW)];
const poisons = [unreadIn('poison', [phone], 6, NOW), unreadIn('poison', [wang], 7, NOW)];

const bodyOf = (events: readonly Event[], unread: readonly Unread[]) =>
  JSON.stringify({ events, faults: unread.map(({ fault }) => fault) });
const poisonOf = ({ poison = '' }: Unread) => poison;

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // what fails by plan is logged
});

/** A brand that knows Li and Wang, who have a phone in common. */
async function shop(): Promise<MemoryTable> {
  const { world } = requestingWorld(shared, { now: NOW });
  await world.send('events', bodyOf(known, kept));
  await world.run();
  return world.table;
}

/** Li asks, and everything happens that was on its way. */
async function erasedIn(
  before: MemoryTable,
  plan: readonly Fault[],
  replay: string,
): Promise<Ended & { points: number }> {
  const { world, planned } = requestingWorld(shared, { now: NOW + 1, plan, table: before.copy() });
  await world.queues.events.dead.send([bodyOf(late, lost), ...poisons.map(poisonOf)]);
  await ask(world, 'request', li);
  await world.send('erasures', JSON.stringify({ request: 'request' }));
  await world.send('events', bodyOf(coming, []));
  await world.run();
  const [begun] = await until(world, ['request'], ({ status }) => status !== 'received', replay);
  world.now = Math.max(world.now, Date.parse(begun?.settledAt ?? '') + SETTLING_MS);
  const settled = await settledIn(world);
  const its = await until(world, ['request'], ({ status }) => status === 'done', replay);
  const letters = Object.values(world.queues).flatMap((queue) => queue.letters);
  const points = world.points.length;
  world.now = NOW + 14 * DAY;
  for (const events of [known, coming, late]) await world.send('events', bodyOf(events, []));
  await runToTheEnd(world, replay);
  await world.send('tick', TICK);
  await runToTheEnd(world, replay);
  const told = { events: [...known, ...coming, ...late], unread: [...kept, ...lost, ...poisons] };
  const done = begun ? carriedOutFor(begun, planned) : [];
  return { world, its, done, told, settled, letters, isAlone: true, points };
}

test('an erasure survives every fault at every point of its way, and nothing is left of her anywhere', {
  timeout: 600_000,
}, async () => {
  const table = await shop();
  const calm = await erasedIn(table, [], FILE);
  expect(calm.its[0]?.receipt).toMatchObject({
    ...{ quarantineRemoved: 2, residual: 0 },
    deadLetters: { messages: 2, events: 2 },
  });
  const plans = [[], ...singles(calm.world.points.slice(0, calm.points))];
  const asked = plans.filter(
    (plan, i) => isAsked(textOf(plan)) && (isDeep() || !isWhole() || i % ONE_IN === 0),
  );
  for (const plan of asked) {
    const of = { how: textOf(plan), replay: commandOf(FILE, textOf(plan)) };
    const ended = await erasedIn(table, plan, of.replay);
    expect(ended.done, of.replay).toHaveLength(1);
    await mustBeUnseen(ended, shared, { ...of, isTold: plan.length === 0 });
  }
  process.stdout.write(
    `${FILE}: ${asked.length} of ${plans.length} schedules over ${calm.points} I/O points\n`,
  );
  if (isWhole()) expect(asked.length).toBeGreaterThanOrEqual(200);
});
