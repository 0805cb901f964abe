import { beforeAll, expect, test, vi } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { DAY } from '../../lib/platform/clock.ts';
import { SEGMENT } from '../../lib/platform/keys.ts';
import { unpackSegment } from '../../lib/profile/codec.ts';
import { isRedirect, profileStore } from '../../lib/profile/store.ts';
import { anEventOf } from './oracle/an-event.ts';
import { dayOf } from './oracle/days.ts';
import { isKeptAt, type Kept } from './oracle/expiry.ts';
import { family } from './oracle/family.ts';
import { NOW, zones } from './oracle/histories.ts';
import { describe, expectedWorld } from './oracle/oracle.ts';
import { historyOf, isDeep, replayOf, seeds } from './runs.ts';
import { seenWorld } from './seen.ts';
import { factsOf, mustBeSame } from './verdict.ts';
import { functionsOf, type Names, type Shared, sharedOf, TICK } from './wiring.ts';
import type { Fault, FaultKind } from './world/faults.ts';
import { disorderly } from './world/mailbox.ts';
import { type Dice, dice } from './world/random.ts';
import { World } from './world/world.ts';

// What is expired is as if it had never been, but for who is who. Every case is a history of a few people whose events come as
// they happen or late, once or again and again, with faults at any point, while the clock goes; some come when they are expired
// already. At the end the table says what a sequential reader says of what is kept, it says the same byte for byte as where
// every event came at once and nothing was expired on the way, and no row holds an event that is expired.

const FILE = 'expired';
const CASES = 76;
const kept: Kept = {
  days: 28,
  types: { order_paid: 60, order_refunded: 60, identity_linked: 95, profile_updated: 5 },
};
const retention = { events: { days: 28, orders: 60, types: { identity_linked: 95, profile_updated: 5 } } };
const kinds: readonly FaultKind[] = ['crash-before', 'crash-after', 'lost-reply', 'throttle'];
const counts = { worlds: 0, taken: 0, expired: 0, refused: 0, sealed: 0, emptied: 0 };

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // what fails by plan is logged
});

type Way = Partial<ConstructorParameters<typeof World<Names>>[0]>;

const worldOf = (shared: Shared, now: number, way: Way = {}): World<Names> =>
  new World<Names>({ functions: functionsOf(shared), now, ...way });

async function runToTheEnd(world: World<Names>): Promise<void> {
  await world.run();
  for (let left = 60; world.redrive() > 0; left--) {
    if (left === 0) throw new Error('what fails comes back for ever', { cause: world.errors.at(-1) });
    await world.run();
  }
}

async function tick(world: World<Names>): Promise<void> {
  await world.send('tick', TICK);
  await runToTheEnd(world);
}

const send = (world: World<Names>, events: readonly Event[]) =>
  world.send('events', JSON.stringify({ events, faults: [] }));

/** What comes when: each event as it happens or up to forty days late, some of them again and again. */
interface Coming {
  readonly at: number;
  readonly event: Event;
}

const comings = (events: readonly Event[], thrown: Dice): Coming[] =>
  events
    .flatMap((event) =>
      Array.from({ length: 1 + thrown.below(3) }, (): Coming => {
        const late = thrown.chance(0.7) ? 0 : thrown.below(40 * DAY);
        return { at: Date.parse(event.occurredAt) + late, event };
      }),
    )
    .sort((a, b) => a.at - b.at);

const faultsOf = (thrown: Dice): Fault[] =>
  Array.from({ length: thrown.below(5) }, () => ({
    at: thrown.below(200),
    kind: kinds[thrown.below(kinds.length)] ?? 'crash-before',
  }));

/** Somebody who comes again and again, so that their journal has segments. */
const regular = (seed: number): Event[] =>
  Array.from({ length: 44 }, (_, i) => {
    const at = new Date(NOW - (45 - 0.8 * i) * DAY).toISOString();
    const is = i % 6 === 5 ? { type: 'profile_updated', traits: { level: i } } : { type: 'page_viewed' };
    return anEventOf(['member_id:m1'], at, { ...is, id: `regular${seed * 100 + i}`.padEnd(16, '_') });
  });

/** The world in which everything comes as it comes. */
async function asItCame(
  coming: readonly Coming[],
  end: number,
  shared: Shared,
  seed: number,
): Promise<World<Names>> {
  const thrown = dice(seed);
  const world = worldOf(shared, coming[0]?.at ?? end, {
    ...{ seed, workers: 1 + thrown.below(3), disorder: disorderly },
    ...(thrown.chance(0.7) && { plan: faultsOf(thrown) }),
  });
  for (const [i, { at, event }] of coming.entries()) {
    // The schedule calls now and then; a midnight may be over without it.
    if (at > world.now && thrown.chance(0.4)) {
      world.now += thrown.below(at - world.now + 1);
      await tick(world);
    }
    world.now = at;
    await send(world, [event]);
    // What has not been worked on by midnight is taken on the next day, when it may be expired.
    const isLast = dayOf(coming[i + 1]?.at ?? end, shared.zone) > dayOf(at, shared.zone);
    if (isLast || thrown.chance(0.7)) await runToTheEnd(world);
  }
  await runToTheEnd(world);
  world.now = end;
  if (thrown.chance(0.5)) await world.sendAgain('events'); // as from dead letters, what is expired among it
  await runToTheEnd(world);
  await tick(world);
  await tick(world);
  return world;
}

/** The world in which what was taken came day by day, before any of it expired. */
async function plainly(taken: readonly Event[], end: number, shared: Shared): Promise<World<Names>> {
  const world = worldOf(shared, end);
  for (const [, events] of [
    ...Map.groupBy(taken, (event) => dayOf(Date.parse(event.occurredAt), shared.zone)),
  ].sort(([a], [b]) => a - b)) {
    world.now = events.reduce((last, { occurredAt }) => Math.max(last, Date.parse(occurredAt)), 0);
    await send(world, events);
    await world.run();
  }
  world.now = end;
  await tick(world);
  return world;
}

/** Every event that any row of the table holds, counted segments or not. */
async function eventsIn(world: World<Names>): Promise<Event[]> {
  const store = profileStore(world.table);
  const all: Event[] = [];
  for (const row of world.table.rows()) {
    if (!row.pk.startsWith('P#')) continue;
    const cluster = await store.get(row.pk.slice(2));
    if (!cluster || isRedirect(cluster)) continue;
    if (row.sk === '@') all.push(...cluster.tail);
    if (!row.sk.startsWith(SEGMENT) || !(row.b instanceof Uint8Array)) continue;
    const sealed = unpackSegment(row.b, cluster.graph, cluster.createdAt);
    counts.sealed++;
    if (row.ttl !== undefined) counts.emptied++;
    all.push(...sealed);
  }
  return all;
}

test('what is expired was never there, and who is who stays, however and whenever it came', {
  timeout: 600_000,
}, async () => {
  for (const seed of seeds(120_001, CASES)) {
    const zone = zones[seed % zones.length] ?? zones[0];
    const shared = sharedOf(zone, { retention });
    const history = historyOf(seed, zone, { most: 12, least: 4 }).events;
    const events = seed % 5 === 0 ? [...history, ...regular(seed)] : history;
    const thrown = dice(seed * 7);
    const coming = comings(events, thrown);
    const latest = coming.reduce((last, { at }) => Math.max(last, at), NOW);
    for (const end of [NOW, latest + thrown.below(60 * DAY)]) {
      const of = { replay: replayOf(FILE, seed), how: `until ${new Date(end).toISOString()}` };
      const isKept = (event: Event) => isKeptAt(event, end, zone, kept);
      const came = coming.filter(({ at }) => at <= end);
      const isTaken = (of: Event) =>
        came.some(({ event, at }) => event === of && isKeptAt(event, at, zone, kept));
      const taken = events.filter(isTaken);
      const world = await asItCame(came, end, shared, seed + end);
      counts.worlds += 2;
      counts.taken += taken.length;
      counts.refused += events.length - taken.length;
      counts.expired += taken.filter((event) => !isKept(event)).length;

      const stored = taken.map((event) => ({
        ...event,
        identifiers: event.identifiers.map((id) => shared.protector.protect(id)),
      }));
      const must = describe(expectedWorld(stored, shared.brand, family, end, isKept));
      expect(describe(await seenWorld(world.table, shared, end)), of.replay).toBe(must);
      mustBeSame(await factsOf(await plainly(taken, end, shared)), await factsOf(world), world, of);
      expect(
        (await eventsIn(world)).filter((event) => !isKept(event)),
        of.replay,
      ).toEqual([]);
    }
  }
});

test('those were hundreds of worlds, and in most of them something expired', () => {
  if (process.env.LAWS_SEED !== undefined) return;
  process.stdout.write(`${FILE}: ${JSON.stringify(counts)}\n`);
  expect(counts.worlds).toBeGreaterThanOrEqual(isDeep() ? 3_000 : 300);
  expect(counts.expired).toBeGreaterThan(0.3 * counts.taken);
  expect(counts.refused).toBeGreaterThan(80);
  expect(counts.sealed, 'segments, by the end').toBeGreaterThan(10);
});
