import { beforeAll, expect, test, vi } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { HOUR, toIso } from '../../lib/platform/clock.ts';
import { anEventOf } from './oracle/an-event.ts';
import { NOW } from './oracle/histories.ts';
import { replayOf, seeds } from './runs.ts';
import { played, type RunOptions } from './story.ts';
import { factsOf, mustBeSame, mustBeTrue } from './verdict.ts';
import { sharedOf } from './wiring.ts';
import { disorderly } from './world/mailbox.ts';
import { type Dice, dice } from './world/random.ts';

// Law 3 where it is hardest: whether a device is shared depends on events of people whose profiles have nothing to do with
// each other. Six members, a phone, two devices and a browser, around the edges of 24 hours; in any order, by several
// workers, twice.

const CASES = 60;
const FILE = 'shared';

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});

const strong = [
  'member_id:1',
  'member_id:2',
  'member_id:3',
  'member_id:4',
  'member_id:5',
  'member_id:6',
  'phone:1',
];
const weak = ['device_id:d', 'device_id:d', 'device_id:d', 'device_id:e', 'anonymous_id:a'];
const hours = [60, 36, 25, 24, 12, 12, 6, 1, 0];

function anEvent(i: number, thrown: Dice): Event {
  const pick = (of: readonly string[]) => of[thrown.below(of.length)] ?? '';
  const ids = [
    ...(thrown.below(5) > 0 ? [pick(strong)] : []),
    ...(thrown.below(12) === 0 ? [pick(strong)] : []),
    pick(weak),
    ...(thrown.below(4) === 0 ? [pick(weak)] : []),
  ];
  const at = NOW - (hours[thrown.below(hours.length)] ?? 0) * HOUR - thrown.below(2);
  const order = { order_id: `o${thrown.below(3)}`, paid_amount: 9_999, currency: 'CNY' };
  const said =
    thrown.below(3) === 0
      ? { type: 'order_paid', properties: order }
      : { type: 'page_viewed', properties: { url: 'https://shop.example/' } };
  return anEventOf([...new Set(ids)], toIso(at), { id: `shared${String(i).padStart(10, '0')}`, ...said });
}

test('a device that too many use is nobody\u2019s, in whatever order they come', {
  timeout: 600_000,
}, async () => {
  const shared = sharedOf('UTC');
  let shaped = 0;
  for (const seed of seeds(70_001, CASES)) {
    const thrown = dice(seed);
    const events = Array.from({ length: 8 + thrown.below(10) }, (_, i) => anEvent(i, thrown));
    const of = (how: string) => ({ replay: replayOf(FILE, seed), how });
    const run = (messages: readonly (readonly Event[])[], options: RunOptions) =>
      played([{ send: messages }], shared, { seed, ...options });
    const plain = await run([events], {});
    const facts = await factsOf(plain);
    await mustBeTrue(plain, events, shared, of('all at once'));
    const shuffled = [...events, ...events.slice(0, 3)].map((event) => [event]);
    const each = await run(shuffled, { disorder: disorderly, batch: { events: 1 } });
    mustBeSame(facts, await factsOf(each), each, of('one by one, in any order'));
    const many = await run(shuffled, { disorder: disorderly, workers: 3, batch: { events: 2 } });
    mustBeSame(facts, await factsOf(many), many, of('by three workers at once'));
    if (facts.some((line) => /"profile","[^"]*",\["device_id\\nx\\n[de]"\],\[\{/.test(line))) shaped++;
  }
  if (process.env.LAWS_SEED === undefined) expect(shaped).toBeGreaterThan(CASES / 8);
});
