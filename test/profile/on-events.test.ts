// Scope: what becomes of the messages of a batch, good and bad.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { eventsMessage } from '../../lib/events/event.ts';
import { keys } from '../../lib/platform/keys.ts';
import { anEvent, anId, anOrder, aVisit, day } from './a-profile.ts';
import { aWorld, SECRET } from './a-world.ts';
import { failingOn } from './faulty.ts';

const log: string[] = [];
beforeEach(() => {
  log.length = 0;
  vi.spyOn(console, 'error').mockImplementation((line: string) => void log.push(line));
});
afterEach(() => vi.restoreAllMocks());

test('events of many people in many messages are folded each into its own', async () => {
  const world = aWorld();
  const batch = [
    [aVisit(0, { ids: ['member_id:a'] }), aVisit(1, { ids: ['member_id:b'] })],
    [anOrder(2, 'o1', 5, { ids: ['member_id:a'] })],
  ];
  expect(await world.deliver(...batch)).toEqual([]);
  expect(await world.tags('member_id:a')).toMatchObject({ buyer: true });
  expect(await world.tags('member_id:b')).not.toHaveProperty('buyer');
  expect(world.rowsOf('P#')).toHaveLength(2);
});

test.each([
  ['no JSON', 'not json'],
  ['another shape', '{"events":{}}'],
  ['nothing', ''],
  ['an event that is none', JSON.stringify({ events: [{ ...aVisit(0), type: 'Page Viewed' }], faults: [] })],
])('a message that is %s goes to quarantine whole, once, and the batch goes on', async (_what, body) => {
  const world = aWorld();
  for (let i = 0; i < 2; i++) expect(await world.deliver({ body }, [aVisit(0, { id: 'fine' })])).toEqual([]);
  const kept = world.rowsOf('Q#');
  expect(kept).toHaveLength(1);
  expect(kept[0]).toMatchObject({ reason: 'unreadable' });
  expect(JSON.parse(String(kept[0]?.body))).toEqual({ queued: body });
  expect(await world.events('member_id:m1')).toEqual(['fine']);
});

test('faults that come with a message are in quarantine beside its events', async () => {
  const world = aWorld();
  const fault = {
    id: 'fault-----------',
    reason: 'bad_time',
    message: 'the time has to be RFC 3339',
    receivedAt: day(1),
    source: { channel: 'generic', account: 'pos' },
    body: { any: ['thing', 1] },
  };
  const body = JSON.stringify(eventsMessage.parse({ events: [aVisit(0, { id: 'fine' })], faults: [fault] }));
  expect(await world.deliver({ body })).toEqual([]);
  expect(world.rowsOf('Q#')).toMatchObject([{ reason: 'bad_time', source: fault.source }]);
  expect(await world.events('member_id:m1')).toEqual(['fine']);
});

test('where one person cannot be written only the messages that speak of that person come back', async () => {
  const [a, b, c] = ['a', 'b', 'c'].map((it) => aVisit(0, { id: it, ids: [`member_id:${it}`] }));
  if (!a || !b || !c) throw new Error('three visits');
  const settledOnce = aWorld();
  await settledOnce.take(b);
  const { pk } = keys.profile((await settledOnce.cluster('member_id:b')).id);
  let broken = true;
  const world = aWorld({ through: failingOn((it) => broken && it === pk) });
  expect(await world.deliver([a], [a, b], [b], [c])).toEqual(['1', '2']);
  expect(await world.events('member_id:a')).toEqual(['a']);
  expect(await world.events('member_id:c')).toEqual(['c']);
  broken = false;
  expect(await world.deliver([a, b], [b])).toEqual([]);
  expect(await world.events('member_id:b')).toEqual(['b']);
  expect(world.rowsOf('P#')).toHaveLength(3);
});

test('where quarantine cannot be written the message comes back: nothing is dropped in silence', async () => {
  let broken = true;
  const world = aWorld({ through: failingOn((pk) => broken && pk.startsWith('Q#')) });
  expect(await world.deliver({ body: 'not json' }, [aVisit(0)])).toEqual(['0']);
  broken = false;
  expect(await world.deliver({ body: 'not json' })).toEqual([]);
  expect(world.rowsOf('Q#')).toHaveLength(1);
});

test('where the directory cannot be read all messages come back, and later all is well', async () => {
  let broken = true;
  const world = aWorld({ through: failingOn((pk, verb) => broken && pk.startsWith('I#') && verb === 'get') });
  const batch = [[aVisit(0, { id: 'x' })], [aVisit(1, { id: 'y' })]];
  expect(await world.deliver(...batch)).toEqual(['0', '1']);
  broken = false;
  expect(await world.deliver(...batch)).toEqual([]);
  expect(await world.events('member_id:m1')).toEqual(['x', 'y']);
});

test('what is logged of a failure holds nothing of a customer', async () => {
  const world = aWorld({ through: failingOn((pk) => pk.startsWith('P#')) });
  await world.deliver([aVisit(0, { ids: ['phone:+8613800138000'] })]);
  expect(log).toHaveLength(1);
  expect(log.join()).not.toMatch(/13800138000|page_viewed/);
});

test('an event whose sender gave no time stays where it was first seen', async () => {
  const world = aWorld();
  const received = (days: number) => aVisit(days, { id: 'timeless', context: { timeSource: 'received' } });
  await world.take(received(1));
  await world.take(...Array.from({ length: 30 }, (_, i) => aVisit(2 + i)));
  await world.take(received(50));
  world.restart();
  await world.take(received(60));
  const all = await world.profiles.events(await world.cluster('member_id:m1'));
  expect(all.filter(({ id }) => id.startsWith('timeless')).map(({ occurredAt }) => occurredAt)).toEqual([
    day(1),
  ]);
  const [row] = world.rowsOf('E#');
  expect(row).toMatchObject({ at: day(1), ttl: Math.floor(world.clock() / 1000) + 90 * 86_400 });
});

test('an event with a time of its own pins nothing', async () => {
  const world = aWorld();
  await world.take(aVisit(0));
  expect(world.rowsOf('E#')).toEqual([]);
});

test('phones and mail stand nowhere in clear, in no row and no message', async () => {
  const world = aWorld();
  await world.take(
    anOrder(0, 'o1', 5, { ids: ['phone:+8613800138000', 'email:lin@example.com'] }),
    anEvent('profile_updated', 1, { ids: ['phone:+8613800138000', 'unverified_phone:+8613900139000'] }),
  );
  await world.attribute();
  const cluster = await world.cluster('phone:+8613800138000');
  const everything = [
    world.rows.snapshot(),
    ...world.conversions.bodies,
    JSON.stringify([...cluster.graph.identifiers]),
  ];
  for (const text of everything) expect(text).not.toMatch(/13800138000|13900139000|lin@example/);
  expect(cluster.tail[0]?.identifiers).toContainEqual(world.protector.protect(anId('phone:+8613800138000')));
  expect(SECRET.length).toBeGreaterThan(30);
});
