import { beforeAll, expect, test, vi } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { isStrong } from '../../lib/identity/kinds.ts';
import { DAY, MINUTE, toIso } from '../../lib/platform/clock.ts';
import { SETTLING_MS } from '../../lib/privacy/request.ts';
import { isContested, runToTheEnd } from './erasures.ts';
import { anEventOf } from './oracle/an-event.ts';
import { type History, NOW, zones } from './oracle/histories.ts';
import { settledIn } from './receipts.ts';
import { ask, carriedOutFor, type Planned, requestingWorld, until } from './requested.ts';
import { historyOf, isDeep, replayOf, seeds } from './runs.ts';
import type { Told } from './told.ts';
import { bodiesOf, someUnread, tellable, unreadOf } from './unread.ts';
import { type Ended, mustBeUnseen, together, withoutThem } from './unseen.ts';
import { type Shared, sharedOf, TICK } from './wiring.ts';
import type { Fault, FaultKind } from './world/faults.ts';
import { disorderly } from './world/mailbox.ts';
import { type Dice, dice } from './world/random.ts';

// Law 6, the whole way and everywhere: somebody asks to be erased, and it goes by the request's row, the clock's calls, twenty
// minutes and the shredding of keys, with faults at any point, while events of theirs, and bodies that nobody can read and that
// name them, are in queues, in dead letters and in quarantine. At the end the whole table, quarantine with it, is what it is where
// neither ever came; what quarantine holds of others is still there, and nothing says who it was.

const FILE = 'erased-everywhere';
const CASES = 220;
const ATTEMPTS = 2;
const kinds: readonly FaultKind[] = ['crash-before', 'crash-after', 'lost-reply', 'throttle'];

/** When it begins: at noon, or a minute before midnight in New York, so that the day ends while an erasure settles. */
const STARTS = [0, 59 * MINUTE];

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // what fails by plan is logged
});

const faultsOf = (thrown: Dice, most: number): Fault[] =>
  Array.from({ length: thrown.below(most + 1) }, () => ({
    at: thrown.below(600),
    kind: kinds[thrown.below(kinds.length)] ?? 'crash-before',
  }));

/** A history that can be told in bodies: values are long enough to be found there. */
function tellableHistory(seed: number, zone: string): History {
  const history = historyOf(seed, zone, { most: 7, least: 2 });
  const told = (event: Event): Event => ({ ...event, identifiers: event.identifiers.map(tellable) });
  return {
    ...history,
    events: history.events.map(told),
    deliveries: history.deliveries.map((it) => it.map(told)),
  };
}

/** Whoever was erased comes back, and something else of theirs cannot be read. */
function cameBack(done: readonly Planned[], { protector }: Shared, now: number, thrown: Dice): Told {
  const gone = done[0]?.plan.gone.map(protector.reveal) ?? [];
  // One whom containers remember as a device's first owner may leave it to nobody (decision 009): they come back by who they are.
  const strong = gone.filter(isStrong);
  const ids = strong.length > 0 ? strong.slice(thrown.below(strong.length)) : gone.slice(0, 1);
  const at = toIso(Math.max(now, ...done.map(({ plan }) => Date.parse(plan.erasing.at) + 1)));
  const back = {
    ...anEventOf([], at, { id: 'cameback________', type: 'page_viewed', properties: { url: '' } }),
    identifiers: ids,
  };
  const own = unreadOf(ids, 100, { at: Date.parse(at), event: back, thrown });
  return { events: [back], unread: own.poison === undefined ? [own] : [] };
}

/** One erasure from its request to its receipt, and two weeks more. */
async function erasedWorld(
  shared: Shared,
  { events, deliveries }: History,
  { seed, attempt }: { readonly seed: number; readonly attempt: number },
): Promise<Ended> {
  const replay = replayOf(FILE, seed);
  const thrown = dice(seed * 10 + attempt);
  const workers = 1 + thrown.below(3);
  const { world, planned } = requestingWorld(shared, {
    ...{
      seed: seed + attempt,
      now: NOW + (STARTS[thrown.below(STARTS.length)] ?? 0),
      workers,
    },
    ...{ plan: thrown.below(4) === 0 ? [] : faultsOf(thrown, 4), disorder: { ...disorderly, park: 0.4 } },
    ...{ batch: { events: 1 + thrown.below(4) } },
  });
  const subject = events[thrown.below(events.length)]?.identifiers[0];
  if (!subject) throw new Error('an event names nobody');
  const unread = someUnread(events, subject, thrown);
  const bodies = bodiesOf(deliveries, unread, thrown);
  const isLate = thrown.below(2) === 0 ? bodies.map(() => thrown.below(3) === 0) : [];
  const live = bodies.filter((_, i) => isLate[i] !== true);
  await world.queues.events.dead.send(bodies.filter((_, i) => isLate[i])); // dead letters of another day
  const before = thrown.below(live.length + 1);
  await world.send('events', ...live.slice(0, before));
  if (thrown.below(2) === 0) await world.run(); // else it is all on its way at once
  const other = events[thrown.below(events.length)]?.identifiers[0] ?? subject;
  // The same person asks twice, or somebody else asks too.
  const asking = [subject, ...(thrown.below(2) === 0 ? [thrown.below(4) === 0 ? subject : other] : [])];
  const requests = asking.map((_, i) => `request ${i}`);
  for (const [i, id] of requests.entries()) {
    await ask(world, id, shared.protector.protect(asking[i] ?? subject));
    if (thrown.below(4) > 0) await world.send('erasures', JSON.stringify({ request: id })); // else the clock finds it
  }
  await world.send('events', ...live.slice(before));
  await world.run();
  const begun = await until(world, requests, ({ status }) => status !== 'received', replay);
  world.now += thrown.below(12) * MINUTE;
  const done = begun.flatMap((it) => carriedOutFor(it, planned));
  const isBack = done.length > 0 && thrown.below(3) === 0;
  const back = isBack ? cameBack(done, shared, world.now, thrown) : undefined;
  if (back) await world.send('events', ...bodiesOf([back.events], back.unread, thrown));
  await world.run();
  if (thrown.below(2) === 0) world.redrive(); // some dead letters are sent back in time, others are still there when it is proven
  await world.run();
  world.now = Math.max(world.now, ...begun.map(({ settledAt = '' }) => Date.parse(settledAt) + SETTLING_MS));
  const settled = await settledIn(world);
  const its = await until(world, requests, ({ status }) => status === 'done', replay);
  const letters = Object.values(world.queues).flatMap((queue) => queue.letters);
  world.now = NOW + 14 * DAY;
  await world.send('events', ...bodiesOf(deliveries, [], thrown)); // as from dead letters, the person's own among them
  await runToTheEnd(world, replay);
  await world.send('tick', TICK);
  await runToTheEnd(world, replay);
  const told = {
    events: [...events, ...(back?.events ?? [])],
    unread: [...unread, ...(back?.unread ?? [])],
  };
  return { world, its, done, told, settled, letters, isAlone: workers === 1 };
}

const counted = { worlds: 0, erased: 0, others: 0, contested: 0, two: 0, back: 0, bodies: 0, letters: 0 };

async function run(
  shared: Shared,
  history: History,
  at: { readonly seed: number; readonly attempt: number },
): Promise<void> {
  const ended = await erasedWorld(shared, history, at);
  const { its, done, told } = ended;
  const plan = together(done);
  if (plan && isContested(history.events, plan, shared)) {
    counted.contested++;
    return;
  }
  const left = withoutThem(told, plan, shared);
  counted.worlds++;
  if (plan) counted.erased++;
  if (done.length > 1) counted.two++;
  if (plan && left.events.length > 0) counted.others++;
  if (plan && told.events.length > history.events.length) counted.back++;
  counted.bodies += told.unread.length - left.unread.length;
  counted.letters += its.reduce((sum, { receipt }) => sum + (receipt?.deadLetters?.messages ?? 0), 0);
  await mustBeUnseen(ended, shared, {
    ...{ replay: replayOf(FILE, at.seed), isTold: at.attempt === 1 },
    how: `attempt ${at.attempt}, ${plan ? 'erased' : 'never found'}`,
  });
}

test('whoever asks is gone from the table, from quarantine and from dead letters, whatever fails on the way', {
  timeout: 600_000,
}, async () => {
  for (const seed of seeds(70_001, CASES)) {
    const zone = zones[seed % zones.length] ?? zones[0];
    const history = tellableHistory(seed, zone);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++)
      await run(sharedOf(zone), history, { seed, attempt });
  }
});

test('those were hundreds of worlds, in most of them somebody was erased, and bodies with them', () => {
  if (process.env.LAWS_SEED !== undefined) return;
  process.stdout.write(`${FILE}: ${JSON.stringify(counted)}\n`);
  const { worlds, erased, others, back, bodies } = counted;
  expect(worlds).toBeGreaterThanOrEqual(isDeep() ? 4_000 : 400);
  expect(erased).toBeGreaterThan(0.5 * worlds);
  expect(others).toBeGreaterThan(0.4 * worlds);
  expect(back).toBeGreaterThan(0.1 * worlds);
  expect(bodies).toBeGreaterThan(worlds);
});
