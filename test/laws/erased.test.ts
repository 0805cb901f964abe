import { beforeAll, expect, test, vi } from 'vitest';
import type { Event, Identifier } from '../../lib/events/event.ts';
import { DAY } from '../../lib/platform/clock.ts';
import {
  carriedOut,
  ERASURES,
  erasingWorld,
  erasureOf,
  factsWithout,
  isContested,
  neverSeen,
  replays,
  runToTheEnd,
} from './erasures.ts';
import { type History, NOW, zones } from './oracle/histories.ts';
import { historyOf, isDeep, replayOf, seeds } from './runs.ts';
import { mustBeSame, mustBeTrue } from './verdict.ts';
import { type Shared, sharedOf } from './wiring.ts';
import type { Fault, FaultKind } from './world/faults.ts';
import { disorderly } from './world/mailbox.ts';
import { type Dice, dice } from './world/random.ts';

// Law 6: erased means never seen. Every case is a history of a few people, one of whom is erased while it comes in: at
// any moment, with faults at any point, with what is theirs still in queues and in dead letters. What the table says at the
// end is, byte for byte, what it says where that person's events never came; and what a sequential reader says of the others.

const FILE = 'erased';
const CASES = 450;
/** How often a history is told, each time with another moment, other faults and another order. */
const ATTEMPTS = 4;
/** So many times it is the same person; then anybody. */
const SAME = 2;
const kinds: readonly FaultKind[] = ['crash-before', 'crash-after', 'lost-reply', 'throttle'];
/** Erasures that were compared with a replay; replays are not counted. */
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

const bodyOf = (events: readonly Event[]) => JSON.stringify({ events, faults: [] });

/** One erasure: who, at which moment, and what goes wrong. */
async function erasedWorld(
  shared: Shared,
  { events, deliveries }: History,
  { seed, attempt, subject }: { seed: number; attempt: number; subject: Identifier },
) {
  const thrown = dice(seed * 10 + attempt);
  const isCalm = thrown.below(4) === 0;
  const { world, plans } = erasingWorld(shared, {
    ...{ seed: seed + attempt, now: NOW, workers: 1 + thrown.below(3) },
    ...{ plan: isCalm ? [] : faultsOf(thrown, 4), disorder: { ...disorderly, park: 0.4 } },
    ...{ batch: { events: 1 + thrown.below(4) } },
  });
  const before = thrown.below(deliveries.length + 1);
  await world.send('events', ...deliveries.slice(0, before).map(bodyOf));
  if (thrown.below(2) === 0) await world.run(); // else it is all on its way at once
  const id = attempt <= SAME ? subject : (events[thrown.below(events.length)]?.identifiers[0] ?? subject);
  await world.send('erasures', erasureOf(id, `request ${seed}`));
  await world.send('events', ...deliveries.slice(before).map(bodyOf));
  await runToTheEnd(world, replayOf(FILE, seed));
  world.now += 14 * DAY;
  await world.sendAgain('events'); // as from dead letters, the person's own among them
  await runToTheEnd(world, replayOf(FILE, seed));
  await world.send('tick', 'tick');
  await runToTheEnd(world, replayOf(FILE, seed));
  return { world, plan: await carriedOut(world, plans) };
}

test('whoever is erased, at any moment of a run with faults, was never seen', {
  timeout: 600_000,
}, async () => {
  for (const seed of seeds(90_001, CASES, [90_649, 90_876])) {
    const zone = zones[seed % zones.length] ?? zones[0];
    const shared = sharedOf(zone);
    const history = historyOf(seed, zone, { most: 7, least: 2 });
    const { events } = history;
    const subject = events[dice(seed).below(events.length)]?.identifiers[0];
    if (!subject) continue;
    const replayed = replays(shared);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const { world, plan } = await erasedWorld(shared, history, { seed, attempt, subject });
      if (plan && isContested(events, plan, shared)) {
        contested++;
        continue;
      }
      const of = {
        replay: replayOf(FILE, seed),
        how: `attempt ${attempt}, ${plan ? 'erased' : 'never found'}`,
      };
      const left = neverSeen(events, plan, shared);
      worlds++;
      if (plan) erased++;
      if (left.length > 0 && plan) others++;
      mustBeSame(await replayed(left), await factsWithout(world, plan), world, of);
      if (attempt === 1 && plan) await mustBeTrue(world, left, shared, of);
    }
  }
});

test('those were thousands of worlds, in most of them somebody was erased, and often others stayed', () => {
  if (process.env.LAWS_SEED !== undefined) return;
  process.stdout.write(
    `${FILE}: ${worlds} worlds, ${erased} erased, ${others} with others who stay; ${contested} contested\n`,
  );
  expect(worlds).toBeGreaterThanOrEqual((isDeep() ? 10 : 1) * ERASURES.random);
  expect(erased).toBeGreaterThan(0.5 * worlds);
  expect(others).toBeGreaterThan(0.4 * worlds);
});
