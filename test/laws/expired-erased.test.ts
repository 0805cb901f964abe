import { beforeAll, expect, test, vi } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { DAY } from '../../lib/platform/clock.ts';
import { carriedOut, erasingWorld, erasureOf, factsWithout, isContested, neverSeen } from './erasures.ts';
import { NOW, zones } from './oracle/histories.ts';
import { historyOf, replayOf, seeds } from './runs.ts';
import { mustBeSame } from './verdict.ts';
import { type Shared, sharedOf, TICK } from './wiring.ts';
import { dice } from './world/random.ts';

// Somebody is erased of whom, and of others, something has expired: the others are who they are where the person's events never
// came, though no event tells any more who they are.

const FILE = 'expired-erased';
const CASES = 150;
const retention = { events: { days: 28, orders: 60, types: { identity_linked: 95 } } };
let erased = 0;
let others = 0;

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});

/** Events as they happened until today, then perhaps an erasure, then two weeks more. */
async function run(events: readonly Event[], shared: Shared, seed: number, erasure?: string) {
  const { world, plans } = erasingWorld(shared, { seed, now: NOW });
  const tick = async (now: number) => {
    world.now = now;
    await world.send('tick', TICK);
    await world.run();
  };
  for (const event of events.toSorted((a, b) => (a.occurredAt < b.occurredAt ? -1 : 1))) {
    world.now = Date.parse(event.occurredAt);
    await world.send('events', JSON.stringify({ events: [event], faults: [] }));
    await world.run();
  }
  await tick(NOW);
  if (erasure !== undefined) await world.send('erasures', erasure);
  await world.run();
  await tick(NOW + 14 * DAY);
  return { world, plans };
}

test('whoever is erased was never seen, also where what told of the others has expired', {
  timeout: 300_000,
}, async () => {
  for (const seed of seeds(130_001, CASES)) {
    const shared = sharedOf(zones[seed % zones.length] ?? zones[0], { retention });
    const { events } = historyOf(seed, shared.zone, { most: 10, least: 3 });
    const subject = events[dice(seed).below(events.length)]?.identifiers[0];
    if (!subject) continue;
    const { world, plans } = await run(events, shared, seed, erasureOf(subject, `request ${seed}`));
    const plan = await carriedOut(world, plans);
    if (!plan || isContested(events, plan, shared)) continue;
    erased++;
    const left = neverSeen(events, plan, shared);
    if (left.length > 0) others++;
    const replay = await run(left, shared, seed);
    const of = { replay: replayOf(FILE, seed), how: 'erased after something expired' };
    mustBeSame(await factsWithout(replay.world, undefined), await factsWithout(world, plan), world, of);
  }
});

test('in most of those worlds somebody was erased, and often others stayed', () => {
  if (process.env.LAWS_SEED !== undefined) return;
  process.stdout.write(`${FILE}: ${erased} erased, ${others} with others who stay\n`);
  expect(erased).toBeGreaterThan(0.7 * CASES);
  expect(others).toBeGreaterThan(0.4 * CASES);
});
