import fc from 'fast-check';
import { describe as about, expect, test } from 'vitest';
import { event as eventShape } from '../../../lib/events/event.ts';
import { dice } from '../world/random.ts';
import { anEventOf, november } from './an-event.ts';
import { family } from './family.ts';
import { aBrand, aHistory, deliver, type History, NOW, zones } from './histories.ts';
import { describe, expectedWorld } from './oracle.ts';

const sample = (runs: number, zone: string = 'Asia/Shanghai'): History[] =>
  fc.sample(aHistory(zone), { numRuns: runs, seed: 7 });
const worldOf = ({ events }: Pick<History, 'events'>, zone = 'Asia/Shanghai') =>
  expectedWorld(events, aBrand(zone), family, NOW);

test("traits are the last writer's by event time, and null takes one away", () => {
  const [profile] = worldOf({
    events: [
      anEventOf(['member_id:1'], november(3), { traits: { city: 'Beijing', level: null } }),
      anEventOf(['member_id:1'], november(1), { traits: { city: 'Shanghai', level: 2, name: 'L' } }),
    ],
  }).profiles;
  expect(profile?.traits).toEqual({ city: 'Beijing', name: 'L' });
  expect([profile?.firstSeenAt, profile?.lastSeenAt]).toEqual([november(1), november(3)]);
});

test('a world reads the same however its events lie', () => {
  for (const history of sample(100)) {
    const texts = [history.events, history.events.toReversed(), history.deliveries.flat()].map((events) =>
      describe(worldOf({ events })),
    );
    expect(new Set(texts).size).toBe(1);
  }
});

test('every event is in exactly one profile, every credit adds up, no tag is younger than now', () => {
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.integer({ min: 0, max: 40 }), fc.nat(), (zone, days, seed) => {
      const [history] = fc.sample(aHistory(zone), { numRuns: 1, seed });
      const now = NOW + days * 86_400_000;
      const { profiles } = expectedWorld(history?.events ?? [], aBrand(zone), family, now);
      expect(profiles.flatMap(({ events }) => events).sort()).toEqual(
        history?.events.map(({ id }) => id).sort(),
      );
      for (const { tags, conversions, names } of profiles) {
        expect(new Set(names).size).toBe(names.length);
        for (const tag of tags) expect(Date.parse(tag.since)).toBeLessThanOrEqual(now);
        for (const { credits, value, refunded } of conversions)
          for (const model of Object.values(credits)) {
            const sum = (of: 'ppm' | 'gross' | 'refunded') => model.reduce((all, it) => all + it[of], 0);
            expect([sum('ppm'), sum('gross'), sum('refunded')]).toEqual([1_000_000, value, refunded]);
          }
      }
    }),
    { numRuns: 100 },
  );
});

about('the histories', () => {
  const histories = sample(400);
  const worlds = histories.map((history) => worldOf(history));
  const share = (is: (world: (typeof worlds)[number]) => boolean) => worlds.filter(is).length / worlds.length;

  test('are made of events that the queue takes', () => {
    for (const { events } of histories)
      for (const event of events) expect(eventShape.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
  });

  test('hold what the laws are about: joins, conflicts, groups, shared devices, tags, paths, refunds', () => {
    const strong = (names: readonly string[]) =>
      names.filter((name) => /^(member|wechat_unionid|phone)/.test(name));
    const weak = (names: readonly string[]) =>
      names.filter((name) => /^(wechat_openid|anonymous|device)/.test(name));
    const hasStrong = (most: number) => (names: readonly string[]) => strong(names).length > most;
    expect(share(({ profiles }) => profiles.some(({ names }) => hasStrong(2)(names)))).toBeGreaterThan(0.15);
    expect(share(({ reviews }) => reviews.length > 0)).toBeGreaterThan(0.2);
    const isGroup = (names: readonly string[]) => !hasStrong(0)(names) && weak(names).length > 1;
    expect(share(({ profiles }) => profiles.some(({ names }) => isGroup(names)))).toBeGreaterThan(0.1);
    expect(share(({ profiles }) => profiles.length > 1)).toBeGreaterThan(0.5);
    const conversions = worlds.flatMap(({ profiles }) => profiles.flatMap((it) => it.conversions));
    expect(conversions.filter(({ path }) => path.length > 1).length).toBeGreaterThan(30);
    expect(conversions.filter(({ refunded }) => refunded > 0).length).toBeGreaterThan(50);
    for (const { tag } of family)
      expect(
        share(({ profiles }) => profiles.some(({ tags }) => tags.some((it) => it.tag === tag))),
      ).toBeGreaterThan(0.02);
  });

  test('are delivered whole, in some order, some events more than once', () => {
    for (const { events, deliveries } of histories) {
      const counts = Map.groupBy(deliveries.flat(), (event) => event.id);
      expect(counts.size).toBe(events.length);
      for (const copies of counts.values()) expect(copies.length).toBeLessThanOrEqual(5);
    }
    expect(deliver(histories[0]?.events ?? [], dice(3))).toEqual(
      deliver(histories[0]?.events ?? [], dice(3)),
    );
  });
});
