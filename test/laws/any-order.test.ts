import { beforeAll, expect, test, vi } from 'vitest';
import { DAY } from '../../lib/platform/clock.ts';
import { type History, NOW, zones } from './oracle/histories.ts';
import { historyOf, replayOf, seeds } from './runs.ts';
import { played, type RunOptions, type Step } from './story.ts';
import { factsOf, mustBeSame, mustBeTrue } from './verdict.ts';
import { type Shared, sharedOf, TICK } from './wiring.ts';
import { disorderly } from './world/mailbox.ts';

// Laws 2, 3 and 10: any order, nothing twice, late is not lost. Every case is a history of up to sixteen events of a
// few people; it is delivered plainly (all at once, in time order, each event once) and in every other way, and what
// the whole table says must be the same, and what a sequential reader says.

const CASES = 150;
const FILE = 'any-order';

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // conflicts between workers are logged, and are no failures
});

const ways: readonly { name: string; options: RunOptions; deliveries: (history: History) => Step[] }[] = [
  {
    name: 'each event one to five times, shuffled, in batches of any size',
    options: { disorder: disorderly },
    deliveries: ({ deliveries }) => [{ send: deliveries }],
  },
  {
    name: 'by two workers at once',
    options: { disorder: disorderly, workers: 2 },
    deliveries: ({ deliveries }) => [{ send: deliveries }],
  },
  {
    name: 'one event a message, one message a batch, by three workers at once',
    options: { disorder: disorderly, workers: 3, batch: { events: 1, conversions: 1 } },
    deliveries: ({ events }) => [{ send: events.map((event) => [event]) }],
  },
  {
    name: 'newest first, one by one',
    options: {},
    deliveries: ({ events }) =>
      events.toSorted((a, b) => (a.occurredAt < b.occurredAt ? 1 : -1)).map((event) => ({ send: [[event]] })),
  },
];

const plainly = ({ events }: History): Step[] => [{ send: [events.toSorted(byTimeOf)] }];
const byTimeOf = (a: { occurredAt: string }, b: { occurredAt: string }) =>
  a.occurredAt < b.occurredAt ? -1 : 1;

/** 817: a cluster that was taking in another is taken in itself. */
const cases = seeds(1, CASES, [817]).map((seed) => {
  const zone = zones[seed % zones.length] ?? zones[0];
  return { seed, zone, shared: sharedOf(zone), history: historyOf(seed, zone) };
});

/** The facts of the plain delivery, which a sequential reader says too: at once, and of the same world two weeks later. */
async function plain({ history, shared, seed }: (typeof cases)[number]) {
  const world = await played(plainly(history), shared, { seed });
  const now = await factsOf(world);
  await mustBeTrue(world, history.events, shared, caseOf(seed, 'plainly'));
  world.now += 14 * DAY;
  await world.send('tick', TICK);
  await world.run();
  const ticked = await played([...plainly(history), { tick: true }], shared, { seed });
  return { now, ticked: await factsOf(ticked), later: await factsOf(world) };
}
const plains = new Map<number, ReturnType<typeof plain>>();
const plainOf = (it: (typeof cases)[number]) => {
  const known = plains.get(it.seed) ?? plain(it);
  plains.set(it.seed, known);
  return known;
};

const caseOf = (seed: number, how: string) => ({ replay: replayOf(FILE, seed), how });

async function compare(
  steps: Step[],
  it: { seed: number; shared: Shared; history: History },
  options: RunOptions,
  facts: readonly string[],
  how: string,
): Promise<void> {
  const world = await played(steps, it.shared, { ...options, seed: it.seed });
  mustBeSame(facts, await factsOf(world), world, caseOf(it.seed, how));
  await mustBeTrue(world, it.history.events, it.shared, caseOf(it.seed, how));
}

test('a history that is delivered plainly gives the profiles, tags, credits and reviews of a sequential reader', {
  timeout: 600_000,
}, async () => {
  for (const it of cases) await plainOf(it);
});

test.each(ways)(
  'delivered $name, it gives the same table, byte for byte',
  { timeout: 600_000 },
  async (way) => {
    for (const it of cases) {
      const { now } = await plainOf(it);
      await compare(way.deliveries(it.history), it, way.options, now, way.name);
    }
  },
);

test.each(ways)(
  'delivered $name and all of it again two weeks later, it changes nothing',
  {
    timeout: 600_000,
  },
  async (way) => {
    for (const it of cases) {
      const { later } = await plainOf(it);
      const steps: Step[] = [
        ...way.deliveries(it.history),
        { passMs: 14 * DAY },
        { again: true },
        { tick: true },
      ];
      await compare(steps, it, way.options, later, `${way.name}, and again two weeks later`);
    }
  },
);

test('what comes two weeks late is where it belongs', { timeout: 600_000 }, async () => {
  for (const it of cases) {
    const { later } = await plainOf(it);
    const { deliveries } = it.history;
    const half = deliveries.length >> 1;
    const steps: Step[] = [
      { send: deliveries.slice(half) },
      { passMs: 14 * DAY },
      { send: deliveries.slice(0, half) },
      { tick: true },
    ];
    await compare(steps, it, { disorder: disorderly }, later, 'half of it two weeks late');
  }
});

test('events that come as they happen, while the clock goes, give what they give when all come at the end', {
  timeout: 600_000,
}, async () => {
  for (const it of cases) {
    const { ticked } = await plainOf(it);
    const events = it.history.events.toSorted(byTimeOf);
    const first = Date.parse(events[0]?.occurredAt ?? '');
    let clock = first;
    const steps: Step[] = events.flatMap((event, i): Step[] => {
      const passMs = Date.parse(event.occurredAt) - clock;
      clock += passMs;
      const pass: Step[] = passMs > 0 ? [{ passMs }] : [];
      // Now and then the schedule calls before the event comes, and now and then it is late.
      return [...pass, ...((it.seed + i) % 2 === 0 ? [{ tick: true } as const] : []), { send: [[event]] }];
    });
    steps.push({ passMs: NOW - clock }, { tick: true });
    await compare(steps, it, { now: first }, ticked, 'as it happened');
  }
});

test('the cases hold enough: hundreds of histories and thousands of events', () => {
  if (process.env.LAWS_SEED !== undefined) return;
  expect(cases.length).toBeGreaterThanOrEqual(CASES);
  expect(cases.flatMap(({ history }) => history.events).length).toBeGreaterThan(1_000);
});
