// Scope: which events have to be folded together, and which clusters have to become one.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Place } from '../../lib/identity/directory.ts';
import { nameOf } from '../../lib/identity/graph.ts';
import { groupEvents } from '../../lib/identity/groups.ts';
import { anEvent, anId, day } from '../profile/a-profile.ts';
import { aSighting } from './a-graph.ts';

const places = (known: Record<string, string | Place>): Map<string, Place> =>
  new Map(
    Object.entries(known).map(([id, it]) => [
      nameOf(anId(id)),
      typeof it === 'string' ? { cluster: it } : it,
    ]),
  );
const nothing = places({});

test('strangers are apart, one person’s events together', () => {
  const events = [aSighting(0, 'member_id:m1'), aSighting(1, 'member_id:m2'), aSighting(2, 'member_id:m1')];
  expect(groupEvents(events, nothing).map((group) => group.events)).toEqual([
    [events[0], events[2]],
    [events[1]],
  ]);
});

test('a strong identifier ties clusters, and names those that have to be joined', () => {
  const known = places({ 'member_id:m1': 'c1', 'phone:+8613800138000': 'c2', 'member_id:m9': 'c9' });
  const [tied, other] = groupEvents(
    [aSighting(0, 'member_id:m1', 'phone:+8613800138000'), aSighting(0, 'member_id:m9')],
    known,
  );
  expect(tied?.clusters).toEqual(['c1', 'c2']);
  expect(tied?.unclaimed).toEqual([]);
  expect(other?.clusters).toEqual(['c9']);
});

test('who is not known yet is to be claimed', () => {
  const [group] = groupEvents(
    [aSighting(0, 'member_id:m1', 'device_id:d1')],
    places({ 'member_id:m1': 'c1' }),
  );
  expect(group?.unclaimed).toEqual([anId('device_id:d1')]);
});

test('a shared device stays with its first owner and ties nobody', () => {
  const beside = { at: day(0), event: 'event00000000000' };
  const known = places({ 'device_id:kiosk': { cluster: 'c0', beside }, 'member_id:m1': 'c1' });
  const [group] = groupEvents([aSighting(1, 'member_id:m1', 'device_id:kiosk')], known);
  expect(group?.clusters).toEqual(['c1']);
  expect([...(group?.foreign ?? [])]).toEqual([nameOf(anId('device_id:kiosk'))]);
});

test('a thousand members on one device in one batch are a thousand groups', () => {
  const events = Array.from({ length: 1000 }, (_, i) =>
    aSighting(i / 1000, `member_id:m${i}`, 'device_id:kiosk'),
  );
  const groups = groupEvents(events, nothing);
  expect(groups).toHaveLength(1000);
  expect(groups.filter(({ foreign }) => foreign.size === 0)).toHaveLength(1); // the first of them owns it
  expect(groups.flatMap(({ unclaimed }) => unclaimed)).toHaveLength(1001);
});

test('an earlier sighting, come late, moves the device: both clusters are concerned', () => {
  const known = places({
    'device_id:kiosk': { cluster: 'c0', beside: { at: day(5), event: 'event00000000000' } },
    'member_id:m1': 'c1',
  });
  const [group] = groupEvents([aSighting(1, 'member_id:m1', 'device_id:kiosk')], known);
  expect(group?.clusters).toEqual(['c1', 'c0']);
});

test('a sighting that is the first already ties again: its place may be written and its cluster not', () => {
  const event = aSighting(5, 'member_id:m1', 'device_id:d1');
  const known = places({
    'device_id:d1': { cluster: 'c0', beside: { at: day(5), event: event.id } },
    'member_id:m1': 'c1',
  });
  expect(groupEvents([event], known)[0]?.clusters).toEqual(['c1', 'c0']);
});

test('every event is in one group, every cluster of a strong identifier in one, and order does not matter', () => {
  const ids = [
    'member_id:1',
    'member_id:2',
    'phone:+8613800138000',
    'wechat_unionid:u',
    'device_id:d',
    'anonymous_id:a',
  ];
  fc.assert(
    fc.property(
      fc.array(fc.uniqueArray(fc.constantFrom(...ids), { minLength: 1, maxLength: 3 }), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.subarray(ids),
      (sightings, claimed) => {
        const events = sightings.map((list, i) => anEvent('page_viewed', i, { ids: list, id: `g${i}` }));
        const known = places(Object.fromEntries(claimed.map((id) => [id, `of ${id}`])));
        const groups = groupEvents(events, known);
        expect(groups.flatMap((group) => group.events.map(({ id }) => id)).sort()).toEqual(
          events.map(({ id }) => id).sort(),
        );
        const clusters = groups.flatMap((group) => group.clusters);
        expect(new Set(clusters).size).toBe(clusters.length);
        const shape = (all: typeof groups) =>
          all
            .map((group) =>
              group.events
                .map(({ id }) => id)
                .sort()
                .join(),
            )
            .sort();
        expect(shape(groupEvents([...events].reverse(), known))).toEqual(shape(groups));
      },
    ),
    { numRuns: 200 },
  );
});
