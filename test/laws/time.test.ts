import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { DAY, HOUR, toIso } from '../../lib/platform/clock.ts';
import { anEventOf } from './oracle/an-event.ts';
import { dayOf, startOfDay } from './oracle/days.ts';
import { family } from './oracle/family.ts';
import { type ExpectedPerson, expectedWorld } from './oracle/oracle.ts';
import { instants } from './oracle/tags.ts';
import { historyOf, isDeep, replayOf, seeds } from './runs.ts';
import { played } from './story.ts';
import { mustBeTrue } from './verdict.ts';
import { type Names, sharedOf, TICK } from './wiring.ts';
import { dice } from './world/random.ts';
import type { World } from './world/world.ts';

// Law 4: time is exact. The clock stops at every end of a window and a millisecond before it; after the schedule's
// call what is stored must be what a sequential reader says of that instant, and what is due must never be due late.

const FILE = 'time';
const HISTORIES = 15;

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});

/** Where windows end across what a clock can do. */
const walks = [
  { name: 'in Shanghai', zone: 'Asia/Shanghai', now: Date.UTC(2026, 10, 11, 4) },
  { name: 'in UTC, over the end of a year', zone: 'UTC', now: Date.UTC(2026, 11, 20, 12) },
  {
    name: 'in New York, over the night with 25 hours',
    zone: 'America/New_York',
    now: Date.UTC(2026, 9, 31, 3),
  },
  {
    name: 'in New York, over the night with 23 hours',
    zone: 'America/New_York',
    now: Date.UTC(2026, 2, 7, 4),
  },
];

const tickAt = async (world: World<Names>, at: number) => {
  world.now = at;
  await world.send('tick', TICK);
  await world.run();
};

/** The first instant after another at which anything that a rule reads may change by time. */
const nextEnd = (events: readonly Event[], zone: string, after: number): number | undefined =>
  instants(events, family, zone).find((at) => at > after);

/** No profile has a change before the index wakes somebody. */
function mustBeDue(world: World<Names>, profiles: readonly ExpectedPerson[], how: string): void {
  const entries = world.table.rows().flatMap(({ due }) => (typeof due === 'string' ? [due] : []));
  const changes = profiles.flatMap(({ nextChangeAt }) => nextChangeAt ?? []);
  const [soonest = 'never', change] = [entries.toSorted()[0], changes.toSorted()[0]];
  if (change !== undefined) expect(soonest <= change, `${how}: due ${soonest}, changes ${change}`).toBe(true);
}

test.each(walks)(
  '$name every tag changes at the instant at which its window ends, and not before',
  {
    timeout: 600_000,
  },
  async ({ zone, now }) => {
    const shared = sharedOf(zone);
    let changes = 0;
    for (const seed of seeds(80_000, HISTORIES)) {
      const { events } = historyOf(seed, zone, { now, most: 6, least: 2 });
      const thrown = dice(seed);
      // Some events come late, while the clock walks: what was entered as due may have to come sooner.
      const late = events.filter(() => thrown.chance(0.5));
      const known = events.filter((event) => !late.includes(event));
      const world = await played([{ send: [known] }], shared, { now, seed });
      let before = '';
      for (let end = nextEnd(known, zone, now); end !== undefined; end = nextEnd(known, zone, end))
        for (const at of [end - 1, end]) {
          const event = thrown.chance(0.2) ? late.pop() : undefined;
          if (event) {
            world.now = at;
            known.push(thrown.chance(0.5) ? event : { ...event, occurredAt: toIso(at) });
            await world.send('events', JSON.stringify({ events: known.slice(-1), faults: [] }));
            await world.run();
          }
          await tickAt(world, at);
          const how = `seed ${seed} at ${toIso(at)}`;
          await mustBeTrue(world, known, shared, { how, replay: replayOf(FILE, seed) });
          const { profiles } = expectedWorld(known, shared.brand, family, at);
          mustBeDue(world, profiles, how);
          const tags = JSON.stringify(profiles.map((it) => it.tags));
          if (before !== '' && tags !== before) changes++;
          before = tags;
        }
    }
    if (process.env.LAWS_SEED === undefined) expect(changes).toBeGreaterThan(isDeep() ? 200 : 20);
  },
);

test.each([
  { name: 'falls back', zone: 'America/New_York', day: Date.UTC(2026, 10, 1), hours: 25 },
  { name: 'springs forward', zone: 'America/New_York', day: Date.UTC(2026, 2, 8), hours: 23 },
  { name: 'stands still', zone: 'Asia/Shanghai', day: Date.UTC(2026, 10, 1), hours: 24 },
])(
  'seven days that begin before the clock $name end at the brand’s own midnight, $hours hours after the one before',
  async ({ zone, day, hours }) => {
    const number = day / DAY;
    const midnight = startOfDay(number, zone);
    expect(startOfDay(number + 1, zone) - midnight).toBe(hours * HOUR);
    // The order's seven days end with the day on which the clock is set.
    const paidAt = startOfDay(number - 6, zone) + 5 * HOUR;
    const end = startOfDay(number + 1, zone);
    const paid = anEventOf(['member_id:1'], toIso(paidAt), {
      type: 'order_paid',
      properties: { order_id: 'o1', paid_amount: 10_000, currency: 'CNY' },
    });
    const world = await played([{ send: [[paid]] }], sharedOf(zone), { now: paidAt });
    const isSpender = () =>
      world.table.rows().some(({ pk, gone }) => pk.startsWith('T#spender#') && gone !== true);
    expect(dayOf(end - 1, zone)).toBe(number);
    await tickAt(world, end - 1);
    expect(isSpender()).toBe(true);
    await tickAt(world, end);
    expect(isSpender()).toBe(false);
  },
);

describe('the work of the clock', () => {
  const zone = 'Asia/Shanghai';
  const midnight = startOfDay(dayOf(Date.UTC(2026, 10, 11, 4), zone), zone);

  /** Reads and writes of one call at midnight, when `changing` of the profiles change and `quiet` of them do not. */
  async function costOf(quiet: number, changing: number): Promise<{ cost: number; changed: number }> {
    const people = (count: number, name: string, daysAgo: number) =>
      Array.from({ length: count }, (_, i) => [
        anEventOf([`member_id:${name}${i}`], toIso(midnight - daysAgo * DAY + HOUR), {
          type: 'order_paid',
          properties: { order_id: `${name}${i}`, paid_amount: 10_000, currency: 'CNY' },
        }),
      ]);
    // Half of the quiet ones have nothing before them any more, the others change some days later.
    const half = quiet >> 1;
    const send = [
      ...people(changing, 'c', 7),
      ...people(half, 'old', 200),
      ...people(quiet - half, 'new', 3),
    ];
    const world = await played([{ send }, { tick: true }], sharedOf(zone), { now: midnight - 2 * HOUR });
    const spenders = () =>
      world.table.rows().filter(({ pk, gone }) => pk.startsWith('T#spender#') && gone !== true).length;
    const [before, held] = [world.points.length, spenders()];
    await tickAt(world, midnight);
    return { cost: world.points.length - before, changed: held - spenders() };
  }

  test('profiles that do not change cost nothing, however many they are', async () => {
    const few = await costOf(0, 3);
    const many = await costOf(200, 3);
    expect(few.changed).toBe(3);
    expect(many).toEqual(few);
    expect((await costOf(200, 0)).cost).toBe((await costOf(0, 0)).cost);
  });

  test('each profile that changes costs the same, and little', async () => {
    const costs = await Promise.all([0, 1, 2, 10].map((changing) => costOf(20, changing)));
    const [none = 0, one = 0, two = 0, ten = 0] = costs.map(({ cost }) => cost);
    expect(costs.map(({ changed }) => changed)).toEqual([0, 1, 2, 10]);
    // The index is asked again after a page with somebody in it: once for each of its shards at most.
    expect(two - none).toBeLessThanOrEqual(2 * (one - none));
    expect(ten - none).toBeLessThanOrEqual(10 * (one - none));
    // One read, one write and a row per tag; and once more what the last event left, for nobody knows that it was done.
    expect(one - none).toBeLessThanOrEqual(20);
  });
});
