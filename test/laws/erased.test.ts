import { beforeAll, expect, test, vi } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { DAY } from '../../lib/platform/clock.ts';
import {
  type AllNames,
  carriedOut,
  erasingWorld,
  erasureOf,
  factsWithout,
  isContested,
  neverSeen,
} from './erasures.ts';
import { NOW, zones } from './oracle/histories.ts';
import { historyOf, isDeep, replayOf, seeds } from './runs.ts';
import { played } from './story.ts';
import { mustBeSame, mustBeTrue } from './verdict.ts';
import { sharedOf } from './wiring.ts';
import type { Fault, FaultKind } from './world/faults.ts';
import { disorderly, orderly } from './world/mailbox.ts';
import { type Dice, dice } from './world/random.ts';
import type { World } from './world/world.ts';

// Law 6: erased means never seen. Every case is a history of a few people, one of whom is erased while it comes in: at
// any moment, with faults at any point, with what is theirs still in queues and in dead letters. What the table says at the
// end is, byte for byte, what it says where that person's events never came; and what a sequential reader says of the others.

const FILE = 'erased';
const CASES = 450;
const kinds: readonly FaultKind[] = ['crash-before', 'crash-after', 'lost-reply', 'throttle'];
let worlds = 0;
let erased = 0;
let others = 0;
let contested = 0;

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // what fails by plan is logged
});

const faultsOf = (thrown: Dice, most: number): Fault[] =>
  Array.from({ length: thrown.below(most + 1) }, () => ({
    at: thrown.below(120),
    kind: kinds[thrown.below(kinds.length)] ?? 'crash-before',
  }));

/** Runs until nothing is left in dead letters either. @throws Error if something never ends */
async function runToTheEnd(world: World<AllNames>, of: string): Promise<void> {
  await world.run();
  for (let left = 60; world.redrive() > 0; left--) {
    if (left === 0)
      throw new Error(`what fails comes back for ever: ${of}\n${world.story.slice(-3000)}`, {
        cause: world.errors.at(-1),
      });
    await world.run();
  }
}

const bodyOf = (events: readonly Event[]) => JSON.stringify({ events, faults: [] });

test('whoever is erased, at any moment of a run with faults, was never seen', {
  timeout: 600_000,
}, async () => {
  for (const seed of seeds(90_001, CASES, [90_649, 90_876])) {
    const zone = zones[seed % zones.length] ?? zones[0];
    const shared = sharedOf(zone);
    const { events, deliveries } = historyOf(seed, zone, { most: 7, least: 2 });
    const whole = dice(seed);
    const subject = events[whole.below(events.length)]?.identifiers[0];
    if (!subject) continue;
    for (const attempt of [1, 2]) {
      const thrown = dice(seed * 10 + attempt);
      const isCalm = thrown.below(4) === 0;
      const { world, plans } = erasingWorld(shared, {
        ...{ seed: seed + attempt, now: NOW, workers: 1 + thrown.below(3) },
        ...{ plan: isCalm ? [] : faultsOf(thrown, 4), disorder: { ...disorderly, park: 0.4 } },
        ...{ batch: { events: 1 + thrown.below(4) } },
      });
      worlds++;
      const before = thrown.below(deliveries.length + 1);
      await world.send('events', ...deliveries.slice(0, before).map(bodyOf));
      if (thrown.below(2) === 0) await world.run(); // else it is all on its way at once
      await world.send('erasures', erasureOf(subject, `request ${seed}`));
      await world.send('events', ...deliveries.slice(before).map(bodyOf));
      await runToTheEnd(world, replayOf(FILE, seed));
      world.now += 14 * DAY;
      await world.sendAgain('events'); // as from dead letters, the person's own among them
      await runToTheEnd(world, replayOf(FILE, seed));
      await world.send('tick', 'tick');
      await runToTheEnd(world, replayOf(FILE, seed));

      const plan = await carriedOut(world, plans);
      if (plan) erased++;
      const of = {
        replay: replayOf(FILE, seed),
        how: `attempt ${attempt}, ${plan ? 'erased' : 'never found'}`,
      };
      if (plan && isContested(events, plan, shared)) {
        contested++;
        continue;
      }
      const left = neverSeen(events, plan, shared);
      if (left.length > 0 && plan) others++;
      const replay = await played(
        [{ send: left.length > 0 ? [left] : [] }, { passMs: 14 * DAY }, { tick: true }],
        shared,
        {
          seed,
          disorder: orderly,
        },
      );
      worlds++;
      mustBeSame(await factsWithout(replay, undefined), await factsWithout(world, plan), world, of);
      if (attempt === 1 && plan) await mustBeTrue(world, left, shared, of);
    }
  }
});

test('those were thousands of worlds, in most of them somebody was erased, and often others stayed', () => {
  if (process.env.LAWS_SEED !== undefined) return;
  process.stdout.write(
    `${FILE}: ${worlds} worlds, ${erased} erased, ${others} with others who stay; ${contested} contested\n`,
  );
  expect(worlds).toBeGreaterThanOrEqual(isDeep() ? 17_000 : 1_700);
  expect(erased).toBeGreaterThan(0.3 * worlds);
  expect(others).toBeGreaterThan(0.2 * worlds);
});
