import { beforeAll, expect, test, vi } from 'vitest';
import { DAY } from '../../lib/platform/clock.ts';
import { isWhole } from './enumerate.ts';
import { type History, zones } from './oracle/histories.ts';
import { historyOf, isDeep, replayOf, seeds } from './runs.ts';
import { played, type RunOptions, type Step } from './story.ts';
import { type Case, factsOf, mustBeSame, mustBeTrue } from './verdict.ts';
import { type Shared, sharedOf } from './wiring.ts';
import type { Fault, FaultKind } from './world/faults.ts';
import { disorderly } from './world/mailbox.ts';
import { type Dice, dice } from './world/random.ts';

// Laws 1 to 3 together: random histories, shuffled, repeated, late, worked on by several at once who overtake one
// another at every read and write, and faults wherever the dice put them. What the table says at the end must be what
// the plain delivery says, and what a sequential reader says.

const FILE = 'faults-chance';
const HISTORIES = 40;
/** Schedules a history. */
const TRIES = 12;
const FORTNIGHT: Step[] = [{ passMs: 14 * DAY }, { redrive: true }, { tick: true }, { redrive: true }];
const kinds: readonly FaultKind[] = ['crash-before', 'crash-after', 'lost-reply', 'throttle'];

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // what fails by plan is logged
});

interface Trial {
  readonly seed: number;
  readonly zone: string;
  readonly shared: Shared;
  readonly history: History;
}

const trials = (from: number, count: number): Trial[] =>
  seeds(from, count).map((seed) => {
    const zone = zones[seed % zones.length] ?? zones[0];
    return { seed, zone, shared: sharedOf(zone), history: historyOf(seed, zone) };
  });

/** Up to `most` faults at any of so many points. */
const faultsOf = (thrown: Dice, points: number, most: number): Fault[] =>
  Array.from({ length: 1 + thrown.below(most) }, () => ({
    at: thrown.below(points),
    kind: kinds[thrown.below(kinds.length)] ?? 'crash-before',
  }));

/** Runs each history so often, each time in another way, against the plain delivery. @returns how many schedules */
async function runAll(
  from: number,
  options: (thrown: Dice) => RunOptions,
  mostFaults: number,
): Promise<{ schedules: number; struck: number }> {
  let schedules = 0;
  let struck = 0;
  for (const { seed, shared, history } of trials(from, HISTORIES)) {
    const plain = await played([{ send: [history.events] }, ...FORTNIGHT], shared, { seed });
    const facts = await factsOf(plain);
    const steps: Step[] = [{ send: history.deliveries }, ...FORTNIGHT];
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const thrown = dice(seed * 1_000 + attempt);
      const plan = faultsOf(thrown, 2 * plain.points.length, mostFaults);
      const how = `attempt ${attempt}, faults ${plan.map(({ at, kind }) => `${at}:${kind}`).join(',')}`;
      const of: Case = { how, replay: replayOf(FILE, seed) };
      const world = await played(steps, shared, { seed: seed + attempt, ...options(thrown), plan });
      schedules++;
      if (world.points.some((point) => point.fault)) struck++;
      mustBeSame(facts, await factsOf(world), world, of);
      if (attempt === 0) await mustBeTrue(world, history.events, shared, of);
    }
  }
  return { schedules, struck };
}

test.each([
  {
    name: 'two at once',
    from: 50_000,
    most: 3,
    options: (): RunOptions => ({ workers: 2, disorder: disorderly, batch: { events: 2 } }),
  },
  {
    name: 'three at once, a message at a time',
    from: 60_000,
    most: 6,
    options: (): RunOptions => ({ workers: 3, disorder: disorderly, batch: { events: 1, conversions: 1 } }),
  },
  {
    name: 'one or two at once, and what fails goes to the dead-letter queue for two weeks',
    from: 70_000,
    most: 8,
    options: (thrown: Dice): RunOptions => ({
      workers: 1 + thrown.below(2),
      disorder: { ...disorderly, park: 0.7 },
      batch: { events: 1 + thrown.below(4) },
    }),
  },
])(
  '$name: nothing lost, nothing twice, in any order, wherever faults fall',
  { timeout: 1_200_000 },
  async ({ from, most, options }) => {
    const { schedules, struck } = await runAll(from, options, most);
    if (!isWhole()) return;
    process.stdout.write(`${FILE}: ${schedules} schedules\n`);
    expect(schedules).toBeGreaterThanOrEqual((isDeep() ? 10 : 1) * HISTORIES * TRIES);
    expect(struck).toBeGreaterThan(0.9 * schedules);
  },
);
