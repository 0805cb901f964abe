// Scope: what people decide on who is who, and devices that are nobody's, as functions of a set.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { decisionEvent, isDecision, type Verdict } from '../../lib/identity/decisions.ts';
import { addGraph, emptyGraph } from '../../lib/identity/graph.ts';
import { groupEvents, showingsOf } from '../../lib/identity/groups.ts';
import { firstOwners, isShared, MOST_OWNERS } from '../../lib/identity/owners.ts';
import { MAX_STRONG } from '../../lib/identity/strong.ts';
import { anId, day, shuffled } from '../profile/a-profile.ts';
import { aSighting, graphOf, profilesIn, reviewsIn } from './a-graph.ts';

const PHONE = 'phone:+8613800138000';
const decided = (a: string, b: string, verdict: Verdict, days: number, by = 'Li'): Event =>
  decisionEvent([anId(a), anId(b)], { verdict, by, why: 'asked them' }, day(days));

describe('a decision', () => {
  const meeting = aSighting(0, 'member_id:m1', PHONE);

  test('sets two apart who met, whatever shows them together later', () => {
    const graph = graphOf(
      meeting,
      decided(PHONE, 'member_id:m1', 'apart', 1),
      aSighting(2, 'member_id:m1', PHONE),
    );
    expect(profilesIn(graph)).toEqual([['member_id:m1'], [PHONE]]);
    expect(reviewsIn(graph)).toEqual([]);
  });

  test('of which the newest counts, by its time and not by its arrival', () => {
    const said = [
      decided('member_id:m1', PHONE, 'apart', 3),
      decided('member_id:m1', PHONE, 'open', 4),
      decided('member_id:m1', PHONE, 'together', 2),
    ];
    for (let seed = 0; seed < 6; seed++)
      expect(profilesIn(graphOf(...shuffled([meeting, ...said], seed)))).toHaveLength(1);
    expect(profilesIn(graphOf(meeting, said[0]!, said[2]!))).toHaveLength(2);
  });

  test('does not part who hangs together otherwise: a chain or a circle takes every edge', () => {
    const circle = [
      meeting,
      aSighting(1, PHONE, 'wechat_unionid:u'),
      aSighting(2, 'wechat_unionid:u', 'member_id:m1'),
    ];
    const one = decided('member_id:m1', PHONE, 'apart', 3);
    expect(profilesIn(graphOf(...circle, one))).toHaveLength(1);
    expect(profilesIn(graphOf(...circle, one, decided(PHONE, 'wechat_unionid:u', 'apart', 3)))).toEqual([
      ['member_id:m1', 'wechat_unionid:u'],
      [PHONE],
    ]);
  });

  test('unites two profiles as they are, and takes nothing from a third', () => {
    const graph = graphOf(
      meeting,
      aSighting(1, 'member_id:m2', 'wechat_unionid:u'),
      aSighting(2, 'member_id:m3', PHONE),
      decided('member_id:m1', 'member_id:m2', 'together', -5),
    );
    expect(profilesIn(graph)).toEqual([
      ['member_id:m1', 'member_id:m2', 'wechat_unionid:u', PHONE],
      ['member_id:m3'],
    ]);
    expect(reviewsIn(graph)).toEqual([`member_id:m3 ${PHONE} conflict`]);
  });

  test('that accepts a conflict ends its review, and undone the review is back', () => {
    const events = [meeting, aSighting(1, 'member_id:m2', PHONE)];
    const accepted = decided('member_id:m2', PHONE, 'together', 2);
    expect(reviewsIn(graphOf(...events, accepted))).toEqual([]);
    expect(profilesIn(graphOf(...events, accepted))).toHaveLength(1);
    expect(reviewsIn(graphOf(...events, accepted, decided('member_id:m2', PHONE, 'open', 3)))).toHaveLength(
      1,
    );
  });

  test(`makes no profile of more than ${MAX_STRONG} strong identifiers`, () => {
    const shops = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) =>
        aSighting(i, `customer_id@s${from + i}:c`, `customer_id@s${from + i + 1}:c`),
      );
    const graph = graphOf(
      ...shops(0, 40),
      ...shops(100, 40),
      decided('customer_id@s0:c', 'customer_id@s100:c', 'together', 99),
    );
    expect(profilesIn(graph)).toHaveLength(2);
    expect(reviewsIn(graph)).toEqual(['customer_id@s0:c customer_id@s100:c full']);
  });

  test('takes a device from its owner, or gives it to another', () => {
    const seen = [aSighting(0, 'member_id:m1', 'device_id:d'), aSighting(1, 'member_id:m2', 'device_id:d')];
    const apart = decided('device_id:d', 'member_id:m1', 'apart', 2);
    expect(profilesIn(graphOf(...seen, apart))).toContainEqual(['device_id:d']);
    const given = decided('device_id:d', 'member_id:m2', 'together', 2);
    expect(profilesIn(graphOf(...seen, given))).toContainEqual(['member_id:m2', 'device_id:d']);
  });

  test('ties the clusters that it is about, a weak identifier’s too', () => {
    const [group] = groupEvents(
      [decided('device_id:d', 'member_id:m2', 'together', 2)],
      new Map([
        ['device_id\ndemo\nd', { cluster: 'c1' }],
        ['member_id\ndemo\nm2', { cluster: 'c2' }],
      ]),
    );
    expect(group?.clusters.toSorted()).toEqual(['c1', 'c2']);
    expect(group?.foreign.size).toBe(0);
  });

  test('cannot be made by a sender: a channel’s event of that name is an event', () => {
    const forged = {
      ...decided('member_id:m1', PHONE, 'apart', 1),
      source: { channel: 'generic', account: 'x' },
    };
    expect(isDecision(forged)).toBe(false);
    expect(profilesIn(graphOf(meeting, forged))).toHaveLength(1);
  });
});

test('decisions and sightings make one graph, in any order, twice, and cut up in any way', () => {
  const ids = ['member_id:1', 'member_id:2', PHONE, 'wechat_unionid:u', 'device_id:d', 'anonymous_id:a'];
  const statement = fc.oneof(
    fc
      .tuple(fc.nat({ max: 6 }), fc.uniqueArray(fc.constantFrom(...ids), { minLength: 1, maxLength: 3 }))
      .map(([at, list]) => aSighting(at, ...list)),
    fc
      .tuple(
        fc.uniqueArray(fc.constantFrom(...ids), { minLength: 2, maxLength: 2 }),
        fc.constantFrom<Verdict>('apart', 'together', 'open'),
        fc.nat({ max: 3 }),
        fc.constantFrom('Li', 'Wang'),
      )
      .map(([[a = '', b = ''], verdict, at, by]) => decided(a, b, verdict, at, by)),
  );
  fc.assert(
    fc.property(
      fc.array(statement, { minLength: 2, maxLength: 12 }),
      fc.integer(),
      fc.nat(),
      (all, seed, cut) => {
        const told = (graph: ReturnType<typeof graphOf>) => [profilesIn(graph), reviewsIn(graph)];
        const expected = told(graphOf(...all));
        expect(told(graphOf(...shuffled([...all, ...all.slice(0, 3)], seed)))).toEqual(expected);
        const parts = [all.slice(0, cut % all.length), all.slice(cut % all.length)];
        const joined = emptyGraph();
        for (const part of [...parts.toReversed(), ...parts]) addGraph(joined, graphOf(...part));
        expect(told(joined)).toEqual(expected);
      },
    ),
    { numRuns: 300 },
  );
});

describe('a device', () => {
  const owner = (slot: string, i: number, hours: number) => ({ by: `${slot}owner${i}`, at: day(hours / 24) });

  test('is shared by four of a kind within 24 hours, to the millisecond', () => {
    const three = [0, 1, 2].map((i) => owner('aa', i, i));
    expect(isShared(three)).toBe(false);
    expect(isShared([...three, owner('aa', 3, 24)])).toBe(true);
    expect(isShared([...three, owner('aa', 3, 24.001)])).toBe(false);
  });

  test('is not shared by one person’s many names: a member id, a phone, two shops', () => {
    expect(isShared(['aa', 'bb', 'cc', 'dd', 'ee'].map((slot, i) => owner(slot, i, 0)))).toBe(false);
  });

  test('is shared by sixteen owners, however long it takes', () => {
    const years = Array.from({ length: MOST_OWNERS }, (_, i) => owner('aa', i, i * 1000));
    expect([isShared(years), isShared(years.slice(1))]).toEqual([true, false]);
  });

  test('remembers who came first, in any order and cut', () => {
    const all = Array.from({ length: 40 }, (_, i) => owner('aa', i % 25, (i * 7) % 31));
    const expected = firstOwners(all);
    expect(expected).toHaveLength(MOST_OWNERS);
    for (let seed = 0; seed < 20; seed++) {
      const mixed = shuffled(all, seed);
      const step = firstOwners(firstOwners(mixed.slice(0, 13)), mixed.slice(13, 20));
      expect(firstOwners(step, mixed.slice(20))).toEqual(expected);
    }
  });

  test('costs its cluster nothing more once those who came first are known', () => {
    const event = aSighting(9, 'member_id:m9', 'device_id:d');
    const places = (owners: { by: string; at: string }[]) =>
      new Map([['device_id\ndemo\nd', { cluster: 'c1', owners }]]);
    expect(showingsOf([event], places([owner('aa', 1, 0)]))).toHaveLength(1);
    const full = Array.from({ length: MOST_OWNERS }, (_, i) => owner('aa', i, i));
    expect(showingsOf([event], places(full))).toEqual([]);
  });
});
