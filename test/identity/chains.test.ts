// Scope: chains and rings of joins, by several workers at once, with events on their way to clusters that are being taken in.
import { describe, expect, test, vi } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { nameOf } from '../../lib/identity/graph.ts';
import { describeTable } from '../../lib/profile/digest.ts';
import { anEventOf, november } from '../laws/oracle/an-event.ts';
import { played } from '../laws/story.ts';
import { sharedOf } from '../laws/wiring.ts';
import { disorderly } from '../laws/world/mailbox.ts';
import { shuffled } from '../profile/a-profile.ts';

vi.spyOn(console, 'error').mockImplementation(() => {}); // who was slower tries again, and says so

const shared = sharedOf('Asia/Shanghai');
const COUNT = 12;
/** One customer number in each of many shops. */
const inShop = (i: number) => ({ kind: 'customer_id', scope: `shop${i}`, value: 'c' });

const seen = (day: number, ...shops: number[]): Event => ({
  ...anEventOf(['member_id:m'], november(1, day * 3_600_000), {
    id: `s${day}x${shops.join('x')}`.padStart(16, '0'),
  }),
  identifiers: shops.map(inShop),
});

/** Who is who, and how many events each has, after everything came in some order to three workers. */
async function peopleIn(events: readonly Event[], seed: number): Promise<[string[], number][]> {
  const messages = shuffled(events, seed).map((event) => [event]);
  const world = await played([{ send: messages }], shared, {
    ...{ seed, workers: 3, disorder: disorderly, batch: { events: 1 } },
  });
  const { lines, unfinished } = await describeTable(world.table.rows());
  expect(unfinished).toBe(0);
  return lines
    .map((line) => JSON.parse(line))
    .filter(([what]) => what === 'profile')
    .map(([, , identifiers, own]) => [identifiers, own.length]);
}

const alone = Array.from({ length: COUNT }, (_, i) => seen(i, i));
const everybody = Array.from({ length: COUNT }, (_, i) => nameOf(inShop(i))).sort();

describe('twelve who are known apart', () => {
  const chain = Array.from({ length: COUNT - 1 }, (_, i) => seen(20 + i, i, i + 1));

  test.each([1, 2, 3, 4])(
    'are one once a chain of meetings holds them together, in any order: %i',
    async (seed) => {
      expect(await peopleIn([...alone, ...chain], seed)).toEqual([[everybody, 2 * COUNT - 1]]);
    },
  );

  test.each([5, 6, 7])(
    'and once the chain is closed to a ring, which joins nobody twice: %i',
    async (seed) => {
      const ring = [...chain, seen(40, COUNT - 1, 0)];
      expect(await peopleIn([...alone, ...ring, ...ring], seed)).toEqual([[everybody, 2 * COUNT]]);
    },
  );

  test.each([8, 9])('are two where the chain has a gap: %i', async (seed) => {
    const two = await peopleIn([...alone, ...chain.filter((_, i) => i !== 5)], seed);
    expect(two.map(([, events]) => events).sort()).toEqual([11, 11]);
  });
});

test('unionids of two open-platform accounts are never one another, whatever their values', async () => {
  const union = (scope: string) => ({ kind: 'wechat_unionid', scope, value: 'u' });
  const events = ['wechat_open:a', 'wechat_open:b'].map((scope, i) => ({
    ...seen(i, 0),
    identifiers: [union(scope)],
  }));
  expect(await peopleIn(events, 10)).toHaveLength(2);
  const met = { ...seen(5, 0), identifiers: [union('wechat_open:a'), union('wechat_open:b')] };
  expect(await peopleIn([...events, met], 11)).toHaveLength(1); // only somebody who is seen as both
});
