import { beforeAll, expect, test, vi } from 'vitest';
import type { Event, Identifier } from '../../lib/events/event.ts';
import { homeOf, nameOf } from '../../lib/identity/graph.ts';
import type { Plan } from '../../lib/privacy/erase.ts';
import { carriedOut, erasingWorld, erasureOf, factsWithout } from './erasures.ts';
import { NOW } from './oracle/histories.ts';
import { anything, release } from './recycled-people.ts';
import { replayOf, seeds } from './runs.ts';
import { played } from './story.ts';
import { mustBeSame } from './verdict.ts';
import { type Shared, sharedOf } from './wiring.ts';
import { disorderly, orderly } from './world/mailbox.ts';
import { dice } from './world/random.ts';

// Whoever had a phone for a time is erased, and whoever had it before or has it since stays, with their phone. What was
// still on its way, and what comes again, is told by its own time.

const FILE = 'recycled-erased';
const CASES = 100;
const zone = 'Asia/Shanghai';
let erased = 0;
let parted = 0;

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});

const bodyOf = (events: readonly Event[]) => JSON.stringify({ events, faults: [] });
const isWord = ({ type }: Event) => type === 'identifier_released';
const isOnDevice = ({ identifiers }: Event) => identifiers.some(({ kind }) => kind === 'device_id');

/** What of some events is left where somebody was never seen, who had some identifiers for good and some for a time. */
function neverSeen(events: readonly Event[], { gone, graph }: Plan, shared: Shared): Event[] {
  const names = new Set(gone.map(nameOf));
  const isGone = (id: Identifier, at: string): boolean => {
    const name = nameOf(shared.protector.protect(id));
    const spans = graph.tenures.get(name)?.gone ?? [];
    return names.has(name) || spans.some(({ from, until = '9999' }) => from <= at && at < until);
  };
  return events.flatMap((event) => {
    const at = event.occurredAt;
    if (isWord(event)) return names.has(nameOf(shared.protector.protect(homeOf(event)))) ? [] : [event];
    if (isGone(homeOf(event), at)) return [];
    return [{ ...event, identifiers: event.identifiers.filter((id) => !isGone(id, at)) }];
  });
}

test('of two who had one phone one is erased as if never seen, and the other stays as they are', {
  timeout: 60_000,
}, async () => {
  for (const seed of seeds(80_001, CASES)) {
    const thrown = dice(seed);
    const isIdle = seed % 3 === 0; // then what is on its way may have joined what lies apart without it: it is all there
    const apart = isIdle ? 15 : 1;
    const shared = sharedOf(zone, isIdle ? { identity: { phoneIdleDays: 40 } } : {});
    const events = Array.from({ length: 4 + thrown.below(8) }, (_, i) => anything(seed, i, thrown, apart));
    const words = Array.from({ length: 1 + thrown.below(2) }, (_, i) => release(seed, i, thrown, apart));
    const late = events.filter((event) => !isIdle && !isOnDevice(event) && thrown.chance(0.25));
    const early = [...words, ...events.filter((event) => !late.includes(event))];
    const subject = events[thrown.below(events.length)]?.identifiers.find(({ kind }) => kind !== 'device_id');
    if (!subject) continue;
    const { world, plans } = erasingWorld(shared, { seed, now: NOW, disorder: disorderly, workers: 2 });
    for (const event of early) await world.send('events', bodyOf([event]));
    await world.run();
    await world.send('erasures', erasureOf(subject, `request ${seed}`));
    await world.run();
    await world.send('events', ...late.map((event) => bodyOf([event])));
    await world.run();
    await world.sendAgain('events');
    await world.run();

    const plan = await carriedOut(world, plans);
    if (!plan) continue;
    if (plans.at(-1)?.cluster.id !== plan.cluster.id) continue; // asked twice, it took who has the phone since
    erased++;
    if (plan.shared.length > 0) parted++;
    const left = neverSeen([...early, ...late], plan, shared);
    const replay = await played([{ send: left.length > 0 ? [left] : [] }], shared, {
      seed,
      disorder: orderly,
    });
    mustBeSame(await factsWithout(replay, undefined), await factsWithout(world, plan), world, {
      replay: replayOf(FILE, seed),
      how: `${plan.erased.length} events erased, ${plan.shared.length} phones shared in time`,
    });
  }
});

test('in many of those worlds somebody else had had the phone, or has it since', () => {
  if (process.env.LAWS_SEED !== undefined) return;
  expect(erased).toBeGreaterThan(0.7 * CASES);
  expect(parted).toBeGreaterThan(0.15 * CASES);
});
