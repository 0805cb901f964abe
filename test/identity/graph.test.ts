// Scope: who is who, as a function of what was seen together.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addGraph, emptyGraph, homeOf, pairOf, partition, ranked } from '../../lib/identity/graph.ts';
import { MAX_STRONG } from '../../lib/identity/strong.ts';
import { anEvent, shuffled } from '../profile/a-profile.ts';
import { aSighting, graphOf, profilesIn, reviewsIn } from './a-graph.ts';

describe('strong identifiers', () => {
  test('that are seen on one event are one profile, through any number of hops', () => {
    const graph = graphOf(
      aSighting(0, 'member_id:m1', 'phone:+8613800138000'),
      aSighting(1, 'phone:+8613800138000', 'wechat_unionid:u1'),
      aSighting(2, 'wechat_unionid:u1', 'customer_id@shop:c1'),
      aSighting(3, 'member_id:m2'),
    );
    expect(profilesIn(graph)).toEqual([
      ['member_id:m1', 'wechat_unionid:u1', 'customer_id@shop:c1', 'phone:+8613800138000'],
      ['member_id:m2'],
    ]);
    expect(reviewsIn(graph)).toEqual([]);
  });

  test('of one kind and scope are two profiles, and their meeting is a review', () => {
    const graph = graphOf(
      aSighting(0, 'member_id:m1', 'phone:+8613800138000'),
      aSighting(1, 'member_id:m2', 'phone:+8613800138000'),
    );
    expect(profilesIn(graph)).toEqual([['member_id:m1', 'phone:+8613800138000'], ['member_id:m2']]);
    expect(reviewsIn(graph)).toEqual(['member_id:m2 phone:+8613800138000 conflict']);
  });

  test('of one kind in two scopes are one profile: a customer of two shops', () => {
    const graph = graphOf(aSighting(0, 'customer_id@east:7', 'phone:+8613800138000', 'customer_id@west:9'));
    expect(profilesIn(graph)).toHaveLength(1);
  });

  test('conflict by the time of what happened, not of what arrived: the earlier meeting joins', () => {
    const early = aSighting(1, 'member_id:m2', 'phone:+8613800138000');
    const late = aSighting(2, 'member_id:m1', 'phone:+8613800138000');
    for (const order of [
      [early, late],
      [late, early],
    ])
      expect(profilesIn(graphOf(...order))).toEqual([
        ['member_id:m1'],
        ['member_id:m2', 'phone:+8613800138000'],
      ]);
  });

  test('conflict through others: what is joined already decides', () => {
    const graph = graphOf(
      aSighting(0, 'member_id:m1', 'phone:+8613800138000'),
      aSighting(1, 'member_id:m2', 'wechat_unionid:u1'),
      aSighting(2, 'phone:+8613800138000', 'wechat_unionid:u1'),
    );
    expect(profilesIn(graph)).toHaveLength(2);
    expect(reviewsIn(graph)).toEqual(['wechat_unionid:u1 phone:+8613800138000 conflict']);
  });

  test(`are at most ${MAX_STRONG} to a profile: the next meeting is a review`, () => {
    const meetings = Array.from({ length: MAX_STRONG }, (_, i) =>
      aSighting(i, `customer_id@shop${i}:c`, `customer_id@shop${i + 1}:c`),
    );
    const graph = graphOf(...meetings);
    expect(
      profilesIn(graph)
        .map((names) => names.length)
        .sort(),
    ).toEqual([1, MAX_STRONG]);
    expect(reviewsIn(graph)).toEqual([
      `customer_id@shop${MAX_STRONG - 1}:c customer_id@shop${MAX_STRONG}:c full`,
    ]);
    expect(reviewsIn(graphOf(...meetings.slice(0, -1)))).toEqual([]);
  });
});

describe('weak identifiers', () => {
  test('belong to the profile beside which they were first seen', () => {
    const graph = graphOf(
      aSighting(2, 'member_id:m2', 'device_id:tablet'),
      aSighting(1, 'member_id:m1', 'device_id:tablet'),
      aSighting(3, 'device_id:tablet'),
    );
    expect(profilesIn(graph)).toEqual([['member_id:m1', 'device_id:tablet'], ['member_id:m2']]);
    expect(reviewsIn(graph)).toEqual([]);
  });

  test('that were seen before anybody was known go with the first who is', () => {
    const graph = graphOf(
      aSighting(0, 'anonymous_id:a1'),
      aSighting(1, 'anonymous_id:a1', 'device_id:phone'),
      aSighting(2, 'device_id:phone', 'member_id:m1'),
    );
    expect(profilesIn(graph)).toEqual([['member_id:m1', 'anonymous_id:a1', 'device_id:phone']]);
  });

  test('with one leader are a group, followed to its end', () => {
    const graph = graphOf(
      aSighting(0, 'wechat_openid@wx1:o1', 'anonymous_id:a1'),
      aSighting(1, 'anonymous_id:a1', 'device_id:d1'),
      aSighting(2, 'device_id:d2'),
    );
    expect(profilesIn(graph)).toEqual([
      ['device_id:d2'],
      ['wechat_openid@wx1:o1', 'anonymous_id:a1', 'device_id:d1'],
    ]);
  });

  test('join nobody: fifty members on one device stay fifty, and the device is nobody’s', () => {
    const graph = graphOf(
      ...Array.from({ length: 50 }, (_, i) => aSighting(i, `member_id:m${i}`, 'device_id:kiosk')),
    );
    expect(profilesIn(graph)).toHaveLength(51);
    expect(profilesIn(graph)).toContainEqual(['device_id:kiosk']);
    expect(reviewsIn(graph)).toEqual([]);
  });

  test('that nobody verified are not the same as those that somebody did', () => {
    const graph = graphOf(
      aSighting(0, 'member_id:m1', 'phone:+8613800138000'),
      aSighting(1, 'member_id:m2', 'unverified_phone:+8613800138000'),
    );
    expect(profilesIn(graph)).toHaveLength(2);
  });

  test('of a kind that nobody knows are weak: a stranger can attach, never join', () => {
    const graph = graphOf(
      aSighting(0, 'member_id:m1', 'loyalty_card:7'),
      aSighting(1, 'member_id:m2', 'loyalty_card:7'),
    );
    expect(profilesIn(graph)).toEqual([['member_id:m1', 'loyalty_card:7'], ['member_id:m2']]);
  });
});

describe('an event', () => {
  test('belongs to its strongest identifier, whatever weak ones it carries and in what order it names them', () => {
    const event = anEvent('page_viewed', 0, {
      ids: ['device_id:d', 'phone:+8613800138000', 'zodiac:ox', 'member_id:m1', 'wechat_openid@wx1:o'],
    });
    expect(ranked(event).map(({ kind }) => kind)).toEqual([
      'member_id',
      'phone',
      'wechat_openid',
      'device_id',
      'zodiac',
    ]);
    expect(homeOf(event).kind).toBe('member_id');
  });

  test('that names an identifier twice names it once', () => {
    expect(ranked(aSighting(0, 'member_id:m1', 'member_id:m1'))).toHaveLength(1);
  });
});

/** Sightings of few identifiers, so that they meet and conflict. */
const sightings = fc
  .array(
    fc.record({
      at: fc.integer({ min: 0, max: 6 }),
      ids: fc.uniqueArray(
        fc.constantFrom(
          'member_id:1',
          'member_id:2',
          'member_id:3',
          'phone:+8613800138000',
          'phone:+8613800138001',
          'wechat_unionid:u',
          'customer_id@shop:c',
          'wechat_openid@wx:o',
          'anonymous_id:a',
          'device_id:d',
          'device_id:e',
        ),
        { minLength: 1, maxLength: 4 },
      ),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((list) => list.map(({ at, ids }, i) => anEvent('page_viewed', at, { ids, id: `s${i}` })));

test('who is who depends on the set of events alone: not on order, repetition or how they were cut up', () => {
  fc.assert(
    fc.property(sightings, fc.integer(), fc.nat(), (events, seed, cut) => {
      const expected = [profilesIn(graphOf(...events)), reviewsIn(graphOf(...events))];
      const mixed = graphOf(...shuffled([...events, ...events.slice(0, 3)], seed));
      expect([profilesIn(mixed), reviewsIn(mixed)]).toEqual(expected);

      const [left, right] = [events.slice(0, cut % events.length), events.slice(cut % events.length)];
      const joined = emptyGraph();
      for (const part of [right, left, right]) addGraph(joined, graphOf(...part));
      expect([profilesIn(joined), reviewsIn(joined)]).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test('every identifier has one profile; no profile has two strong ones of a kind and scope; each pair is reviewed once', () => {
  fc.assert(
    fc.property(sightings, (events) => {
      const graph = graphOf(...events);
      const { members, memberOf, reviews } = partition(graph);
      expect(members.flatMap(({ names }) => names).sort()).toEqual([...graph.identifiers.keys()].sort());
      expect(memberOf.size).toBe(graph.identifiers.size);
      for (const { names } of members) {
        const slots = names
          .filter((name) => /^(member_id|phone|wechat_unionid|customer_id)\n/.test(name))
          .map((name) => name.split('\n').slice(0, 2).join());
        expect(new Set(slots).size).toBe(slots.length);
      }
      expect(new Set(reviews.map(pairOf)).size).toBe(reviews.length);
      for (const { a, b } of reviews) expect(memberOf.get(a)).not.toBe(memberOf.get(b));
    }),
    { numRuns: 300 },
  );
});

test('a pair is named without saying who it is', () => {
  const name = pairOf({ a: 'phone\ne164\n+8613800138000', b: 'member_id\ndemo\nm1' });
  expect(name).toMatch(/^[\w-]{16}$/);
  expect(name).toBe(pairOf({ a: 'phone\ne164\n+8613800138000', b: 'member_id\ndemo\nm1' }));
  expect(name).not.toBe(pairOf({ a: 'phone\ne164\n+8613800138001', b: 'member_id\ndemo\nm1' }));
});
