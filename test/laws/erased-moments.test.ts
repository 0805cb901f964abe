import { beforeAll, expect, test, vi } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { DAY } from '../../lib/platform/clock.ts';
import { commandOf, isAsked, isWhole, textOf } from './enumerate.ts';
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
import { NOW } from './oracle/histories.ts';
import { order, visit, ZONE } from './stories.ts';
import { mustBeSame, mustBeTrue } from './verdict.ts';
import { sharedOf } from './wiring.ts';
import type { Fault } from './world/faults.ts';
import { orderly } from './world/mailbox.ts';
import { singles } from './world/schedules.ts';

// Law 6 at every moment: a few messages come one after another, Li is erased between any two of them or after the last, and every
// fault happens at every read and write of all of it. What fails waits in dead letters until everything else is over.

const FILE = 'erased-moments';
const shared = sharedOf(ZONE);
const li = { kind: 'member_id', scope: 'x', value: 'li' };

interface Moments {
  readonly name: string;
  readonly messages: readonly (readonly Event[])[];
  /** After so many messages there is somebody to erase. */
  readonly from: number;
}

const stories: readonly Moments[] = [
  {
    name: 'two turn out to be Li, and somebody has the same phone',
    messages: [
      [order(['member_id:li'], 5, 'o1', 9_999), visit(['wechat_unionid:u'], 6)],
      [visit(['member_id:li', 'wechat_unionid:u', 'phone:1'], 3)],
      [visit(['member_id:wang', 'phone:1'], 2)],
    ],
    from: 3,
  },
  {
    name: 'a phone of Li’s is somebody else’s, and then Li’s again',
    messages: [
      [order(['member_id:li', 'phone:1'], 6, 'o1', 9_999)],
      [visit(['member_id:wang', 'phone:1'], 4)],
      [visit(['member_id:li', 'phone:1'], 2)],
    ],
    from: 1,
  },
  {
    name: 'Li at home in a browser, beside a stranger',
    messages: [
      [visit(['member_id:li', 'anonymous_id:a'], 4)],
      [order(['member_id:li', 'anonymous_id:a'], 3, 'o1', 9_999), visit(['device_id:d'], 4)],
      [visit(['anonymous_id:a'], 1), visit(['device_id:d'], 1)],
    ],
    from: 1,
  },
];

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // what fails by plan is logged
});

const bodyOf = (events: readonly Event[]) => JSON.stringify({ events, faults: [] });

/** Li is erased after so many of the messages; then the others come, and all of them again, late. */
async function erasedAfter(count: number, messages: readonly (readonly Event[])[], plan: readonly Fault[]) {
  const { world, plans } = erasingWorld(shared, {
    ...{ now: NOW + 1, plan, disorder: { ...orderly, park: 1 } },
  });
  for (const message of messages.slice(0, count)) {
    await world.send('events', bodyOf(message));
    await world.run();
  }
  await world.send('erasures', erasureOf(li, 'request'));
  await world.run();
  for (const message of messages.slice(count)) {
    await world.send('events', bodyOf(message));
    await world.run();
  }
  await runToTheEnd(world, FILE);
  world.now += 14 * DAY;
  await world.sendAgain('events');
  await runToTheEnd(world, FILE);
  await world.send('tick', 'tick');
  await runToTheEnd(world, FILE);
  return { world, plan: await carriedOut(world, plans) };
}

/** Erasures that were compared with a replay. */
let worlds = 0;
let erased = 0;
let contested = 0;

/** One schedule of one moment: the table says what it says where Li never came. */
async function mustBeUnseen(
  { name, messages }: Moments,
  moment: number,
  { faults, replayed }: { faults: readonly Fault[]; replayed: ReturnType<typeof replays> },
): Promise<void> {
  const how = `${name} · ${moment} · ${textOf(faults)}`;
  if (!isAsked(how)) return;
  const of = { how, replay: commandOf(FILE, how) };
  const { world, plan } = await erasedAfter(moment, messages, faults);
  const events = messages.flat();
  if (plan && isContested(events, plan, shared)) {
    contested++;
    return;
  }
  worlds++;
  if (plan) erased++;
  const left = neverSeen(events, plan, shared);
  mustBeSame(await replayed(left), await factsWithout(world, plan), world, of);
  if (faults.length === 0) await mustBeTrue(world, left, shared, of);
}

test.each(stories)(
  '$name: erased at any moment, whatever fails at any point, Li was never seen',
  {
    timeout: 600_000,
  },
  async (story) => {
    const replayed = replays(shared);
    for (let moment = story.from; moment <= story.messages.length; moment++) {
      const { world, plan } = await erasedAfter(moment, story.messages, []);
      expect(plan?.gone.map(({ value }) => value)).toContain('li');
      for (const faults of [[], ...singles(world.points)])
        await mustBeUnseen(story, moment, { faults, replayed });
    }
  },
);

test('those were thousands of erasures, and nearly all of them found somebody', () => {
  if (!isWhole()) return;
  process.stdout.write(`${FILE}: ${worlds} worlds, ${erased} erased; ${contested} contested\n`);
  expect(worlds).toBeGreaterThanOrEqual(ERASURES.moments);
  expect(erased).toBeGreaterThan(0.9 * worlds);
  expect(ERASURES.random + ERASURES.points + ERASURES.moments).toBeGreaterThanOrEqual(5_000);
});
