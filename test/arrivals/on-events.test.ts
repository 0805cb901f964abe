// Scope: what the function behind the queue counts of its messages, and what it does with a query that came twice.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { arrivalStore } from '../../lib/arrivals/store.ts';
import { refusalOf } from '../../lib/arrivals/tally.ts';
import { signedOnce } from '../../lib/capture/nonces.ts';
import type { Event, EventsMessage } from '../../lib/events/event.ts';
import { dayName } from '../../lib/platform/clock.ts';
import { quarantineApi } from '../../lib/quarantine/api.ts';
import { openCalendar } from '../../lib/tags/calendar.ts';
import { memoryQueue } from '../platform/memory.ts';
import { anOrder, aVisit, day } from '../profile/a-profile.ts';
import { aWorld, type World } from '../profile/a-world.ts';
import { failingOn } from '../profile/faulty.ts';

const log: string[] = [];
beforeEach(() => {
  log.length = 0;
  vi.spyOn(console, 'error').mockImplementation((line: string) => void log.push(line));
});
afterEach(() => vi.restoreAllMocks());

const source = { channel: 'generic', account: 'shop' };
const message = (over: Partial<EventsMessage>) => ({
  body: JSON.stringify({ events: [], faults: [], ...over }),
});
const arrivedOn = (world: World, iso: string) => {
  const calendar = openCalendar(world.brand.timezone);
  return arrivalStore(world.rows, calendar).get(dayName(calendar.brandDay(Date.parse(iso))));
};
const visit = (id: string, at: number): Event => aVisit(at, { id });

test('events, faults and refusals of a batch are counted where they came from', async () => {
  const world = aWorld();
  const fault = {
    id: 'fault-----------',
    reason: 'bad_time',
    message: 'the time has to be RFC 3339',
    receivedAt: day(1),
    source,
    body: {},
  };
  const { receivedAt } = visit('a', 1);
  expect(receivedAt).toBe(day(1));
  await world.deliver(
    [visit('a', 1), visit('b', 1)],
    message({ events: [visit('c', 1)], faults: [fault] }),
    message({ tally: refusalOf('bad_signature', source, Date.parse(day(1))) }),
  );
  expect(await arrivedOn(world, day(1))).toEqual([
    {
      ...source,
      events: 3,
      last: { receivedAt: day(1), type: 'page_viewed' },
      refused: { bad_signature: 1 },
      faults: { bad_time: 1 },
      notices: {},
      ignored: {},
    },
  ]);
});

test('what is no message of ours is counted as a fault of the queue', async () => {
  const world = aWorld();
  await world.deliver({ body: 'not json' });
  const today = new Date(world.clock()).toISOString();
  expect(await arrivedOn(world, today)).toMatchObject([
    { channel: 'queue', account: 'events', faults: { unreadable: 1 } },
  ]);
});

test('an event that several messages of a batch bring counts once', async () => {
  const world = aWorld();
  await world.deliver([visit('a', 1)], [visit('a', 1), visit('b', 1)], [visit('b', 1), visit('b', 1)]);
  expect(await arrivedOn(world, day(1))).toMatchObject([{ events: 2 }]);
});

test('a message that comes back is counted when it succeeds, and not before', async () => {
  let broken = true;
  const world = aWorld({ through: failingOn((pk, verb) => broken && pk.startsWith('P#') && verb === 'put') });
  const tally = refusalOf('bad_signature', source, Date.parse(day(1)));
  const batch = [[visit('a', 1)], message({ tally })];
  expect(await world.deliver(...batch)).toEqual(['0']);
  expect(await arrivedOn(world, day(1))).toMatchObject([{ events: 0, refused: { bad_signature: 1 } }]);
  broken = false;
  expect(await world.deliver([visit('a', 1)])).toEqual([]);
  expect(await arrivedOn(world, day(1))).toMatchObject([{ events: 1 }]);
});

test('where counts cannot be written no message comes back, and the log says so without names', async () => {
  const world = aWorld({
    through: (rows) => ({ ...rows, add: () => Promise.reject(new Error('no table today')) }),
  });
  expect(await world.deliver([aVisit(1, { id: 'a', ids: ['phone:+8613800138000'] })])).toEqual([]);
  expect(await world.events('phone:+8613800138000')).toEqual(['a']);
  expect(await arrivedOn(world, day(1))).toEqual([]);
  expect(log).toHaveLength(1);
  expect(log.join()).not.toMatch(/13800138000|page_viewed/);
});

test('counts are no part of the digest', async () => {
  const world = aWorld();
  await world.take(visit('a', 1));
  const before = await world.digest();
  await world.deliver(message({ tally: refusalOf('bad_signature', source, Date.parse(day(2))) }));
  await world.take(visit('a', 1));
  expect(await world.digest()).toBe(before);
});

const withBody = (body: string, events: Event[]) =>
  message({ events, nonce: signedOnce(source, '1760000000:abc', Buffer.from(body)) });

test('of two bodies with one query the second goes to quarantine, event by event, and the first is in the profile', async () => {
  const world = aWorld();
  const mine = withBody('mine', [visit('mine', 1)]);
  const forged = withBody('forged', [anOrder(1, 'o1', 5, { id: 'forged' }), visit('mine', 1)]);
  for (const batch of [[mine], [forged], [mine, forged], [forged]])
    expect(await world.deliver(...batch)).toEqual([]);
  expect(await world.events('member_id:m1')).toEqual(['mine']);
  expect(world.rowsOf('Q#').map(({ reason, source: from }) => [reason, from])).toEqual([
    ['nonce_replayed', source],
    ['nonce_replayed', source],
  ]);
  expect((await arrivedOn(world, day(1)))[0]?.faults).toMatchObject({ nonce_replayed: expect.any(Number) });
});

test('one request in several messages, delivered again by another worker, is one body', async () => {
  const world = aWorld();
  const parts = [withBody('mine', [visit('a', 1)]), withBody('mine', [visit('b', 1)])];
  await world.deliver(...parts);
  world.restart();
  await world.deliver(...parts);
  expect(await world.events('member_id:m1')).toEqual(['a', 'b']);
  expect(world.rowsOf('Q#')).toEqual([]);
});

test('where the nonce cannot be kept the message comes back with all that it brought', async () => {
  let broken = true;
  const world = aWorld({ through: failingOn((pk) => broken && pk.startsWith('N#')) });
  expect(await world.deliver(withBody('mine', [visit('a', 1)]), [visit('b', 1)])).toEqual(['0']);
  broken = false;
  expect(await world.deliver(withBody('mine', [visit('a', 1)]))).toEqual([]);
  expect(await world.events('member_id:m1')).toEqual(['a', 'b']);
});

test('what was stopped for its nonce is an event again when a person replays it', async () => {
  const world = aWorld();
  await world.deliver(withBody('forged', [visit('forged', 1)]));
  await world.deliver(withBody('mine', [visit('mine', 1)]));
  const queue = memoryQueue();
  const [kept] = world.rowsOf('Q#');
  world.setClock(day(2));
  const reply = await quarantineApi(
    {
      method: 'POST',
      path: '',
      params: { id: `${kept?.day}~${kept?.sk}` },
      query: {},
      rawQuery: '',
      headers: {},
      body: Buffer.alloc(0),
    },
    {
      brand: world.brand,
      table: world.rows,
      queue,
      now: world.clock,
      authorize: async () => ({ role: 'admin' }),
    },
  );
  expect(reply.status).toBe(200);
  for (const body of queue.bodies) await world.deliver({ body });
  expect(await world.events('member_id:m1')).toEqual(['forged', 'mine']);
});
