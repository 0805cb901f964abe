import { beforeAll, expect, test, vi } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { DAY, toIso } from '../../lib/platform/clock.ts';
import { unpackSegment } from '../../lib/profile/codec.ts';
import { isRedirect, profileStore } from '../../lib/profile/store.ts';
import { anEventOf } from './oracle/an-event.ts';
import { isKeptAt } from './oracle/expiry.ts';
import { family } from './oracle/family.ts';
import { NOW } from './oracle/histories.ts';
import { describe, expectedWorld } from './oracle/oracle.ts';
import { isDeep } from './runs.ts';
import { seenWorld } from './seen.ts';
import { ZONE } from './stories.ts';
import { eventsOf, played, type Step } from './story.ts';
import { factsOf, mustBeSame } from './verdict.ts';
import { type Names, sharedOf } from './wiring.ts';
import type { Fault } from './world/faults.ts';
import { schedules } from './world/schedules.ts';
import type { World } from './world/world.ts';

// Whatever fails while something expires, at the end it is gone, and nothing else is.

const FILE = 'faults-expiry';
const MOST_DAYS = 1_095;
let ran = 0;
let struck = 0;

const visit = (days: number, channel: string): Event =>
  anEventOf(['member_id:1'], toIso(NOW - days * DAY), {
    type: 'page_viewed',
    properties: { url: 'https://shop.example/p/1' },
    context: { campaign: { channel } },
  });
const order = (days: number, id: string): Event =>
  anEventOf(['member_id:1', 'phone:1'], toIso(NOW - days * DAY), {
    type: 'order_paid',
    properties: { order_id: id, paid_amount: 10_000, currency: 'CNY' },
    traits: { city: `city ${id}` },
  });

/** Visits and orders from so many days ago on, a tenth of a day apart. */
const old = (from: number, count: number): Event[] =>
  Array.from({ length: count }, (_, i) =>
    i % 5 === 4
      ? order(from - i / 10, `o${from}-${i}`)
      : visit(from - i / 10, i % 2 === 0 ? 'wecom' : 'douyin'),
  );
const [first, second] = [old(1_094.5, 14), old(1_092.5, 8)];

/** What there was before, without faults; and then what happens when it expires. */
interface Story {
  readonly name: string;
  readonly steps: readonly Step[];
}

const before: Step[] = [
  { send: [first] },
  { send: [second] },
  { send: [[visit(20, 'wecom'), order(19, 'new')]] },
];
const stories: Story[] = [
  {
    name: 'a segment of a journal expires in parts, by the clock',
    steps: [{ passMs: DAY }, { tick: true }, { passMs: DAY }, { tick: true }],
  },
  {
    name: 'segments expire whole when an event comes, and what was in them comes again',
    steps: [{ passMs: 9 * DAY }, { send: [[visit(-8.5, 'douyin')], first.slice(0, 2)] }, { tick: true }],
  },
];

/** A story is long: a build runs all its single faults, and one pair in so many. */
const ONE_IN = 127;

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // what fails by plan is logged
});

/** The world after a story, from where its own faults begin. */
async function told({ steps }: Story, plan: readonly Fault[] = []): Promise<World<Names>> {
  const { table, now } = await prepared;
  return played(steps, shared, { table: table.copy(), now, plan });
}
const shared = sharedOf(ZONE);
const prepared = played(before, shared);

/** No row of a profile holds what is expired, counted or not. */
async function heldBy(world: World<Names>): Promise<Event[]> {
  const store = profileStore(world.table);
  const held: Event[] = [];
  for (const row of world.table.rows()) {
    const cluster = row.pk.startsWith('P#') ? await store.get(row.pk.slice(2)) : undefined;
    if (!cluster || isRedirect(cluster)) continue;
    if (row.b instanceof Uint8Array) held.push(...unpackSegment(row.b, cluster.graph, cluster.createdAt));
    else held.push(...cluster.tail);
  }
  return held;
}

const isKeptIn = (world: World<Names>) => (event: Event) =>
  isKeptAt(event, world.now, ZONE, { days: MOST_DAYS, types: {} });

test.each(stories)('$name: as a sequential reader tells it', async (story) => {
  const world = await told(story);
  const taken = eventsOf([...before, ...story.steps]).map((event) => ({
    ...event,
    identifiers: event.identifiers.map((id) => shared.protector.protect(id)),
  }));
  expect(taken.filter((event) => !isKeptIn(world)(event)).length).toBeGreaterThan(5);
  expect(describe(await seenWorld(world.table, shared, world.now))).toBe(
    describe(expectedWorld(taken, shared.brand, family, world.now, isKeptIn(world))),
  );
});

test.each(stories)(
  '$name: whatever fails at any point, and whatever fails soon after it',
  {
    timeout: 600_000,
  },
  async (story) => {
    const calm = await told(story);
    const facts = await factsOf(calm);
    for (const [i, plan] of [...schedules(calm.points)].entries()) {
      if (plan.length > 1 && !isDeep() && i % ONE_IN !== 0) continue;
      const of = { how: `${story.name}: ${JSON.stringify(plan)}`, replay: `npm run test:laws -- ${FILE}` };
      const world = await told(story, plan);
      ran++;
      if (world.points.filter(({ fault }) => fault).length === plan.length) struck++;
      mustBeSame(facts, await factsOf(world), world, of);
      expect(
        (await heldBy(world)).filter((event) => !isKeptIn(world)(event)),
        of.how,
      ).toEqual([]);
    }
  },
);

test('that was every fault at every point, and many pairs', () => {
  process.stdout.write(`${FILE}: ${ran} schedules\n`);
  expect(ran).toBeGreaterThanOrEqual(isDeep() ? 5_000 : 500);
  expect(struck).toBeGreaterThan(0.9 * ran);
});
