import { beforeAll, expect, test, vi } from 'vitest';
import { someDecisions, undone } from './oracle/decisions.ts';
import { NOW, zones } from './oracle/histories.ts';
import { historyOf, replayOf, seeds } from './runs.ts';
import { played, type RunOptions } from './story.ts';
import { factsOf, mustBeSame, mustBeTrue } from './verdict.ts';
import { sharedOf } from './wiring.ts';
import { disorderly } from './world/mailbox.ts';
import { type Dice, dice } from './world/random.ts';

// Law 5: identity can be undone. Every case is a history of a few people and what somebody decided of them: to be
// apart, to be together, or neither after all. Joins and undos come in any order, between the events, before them and
// twice. What the table says must be what a sequential reader says; and once everything is undone, byte for byte what
// it says where nobody ever decided anything.

const CASES = 1_300;
/** Of each case: without decisions, with them as they came, with them in another order, and with all of them undone. */
const WORLDS = 4;
const FILE = 'undo';
let worlds = 0;
let changed = 0;

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // conflicts between workers are logged, and are no failures
});

/** All in any order, some of it twice, each message with one to four. */
function mixed<T>(all: readonly T[], thrown: Dice): T[][] {
  const left = [...all, ...all.filter(() => thrown.below(4) === 0)];
  const messages: T[][] = [];
  while (left.length > 0) {
    const size = Math.min(left.length, 1 + thrown.below(4));
    messages.push(Array.from({ length: size }, () => thrown.take(left)));
  }
  return messages;
}

const cases = seeds(50_001, CASES).map((seed) => {
  const zone = zones[seed % zones.length] ?? zones[0];
  const { events } = historyOf(seed, zone, { most: 8, least: 2 });
  const thrown = dice(seed);
  return { seed, zone, events, thrown, decisions: someDecisions(events, NOW, thrown) };
});

test('joins and undos of any pairs, in any order between the events, are what a sequential reader says; and undone they never were', {
  timeout: 600_000,
}, async () => {
  for (const { seed, zone, events, thrown, decisions } of cases) {
    const shared = sharedOf(zone);
    const of = (how: string) => ({ replay: replayOf(FILE, seed), how });
    const run = async (messages: readonly (typeof events)[], options: RunOptions = {}) => {
      worlds++;
      const world = await played([{ send: messages }], shared, { seed, ...options });
      return { world, facts: await factsOf(world) };
    };
    const never = await run([events]);
    const all = [...events, ...decisions];
    const decided = await run(mixed(all, thrown), { batch: { events: 1 + thrown.below(4) } });
    if (decided.facts.join() !== never.facts.join()) changed++;
    await mustBeTrue(decided.world, all, shared, of('decided, in any order'));
    const before = await run([decisions, events], { workers: 2, disorder: disorderly });
    mustBeSame(decided.facts, before.facts, before.world, of('decided before anything happened'));
    const back = await run(mixed([...all, ...undone(decisions, events, NOW)], thrown), {
      batch: { events: 2 },
    });
    mustBeSame(never.facts, back.facts, back.world, of('all decisions taken back'));
  }
});

test('those were thousands of worlds, and what was decided changed somebody in nearly half of them', () => {
  if (process.env.LAWS_SEED !== undefined) return;
  expect(worlds).toBeGreaterThanOrEqual(5_000);
  expect(worlds).toBe(WORLDS * cases.length);
  expect(changed).toBeGreaterThan(0.4 * cases.length);
});
