// Scope: what is stored is read as it was, whatever it holds, and small.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Event, Json } from '../../lib/events/event.ts';
import { addEvent, emptyGraph } from '../../lib/identity/graph.ts';
import { toIso } from '../../lib/platform/clock.ts';
import type { Activity } from '../../lib/profile/activity.ts';
import { type Packed, pack, packSegment, unpack, unpackSegment } from '../../lib/profile/codec.ts';
import { entry } from '../../lib/profile/entries.ts';
import { emptyPerson, type HeldTag, type Person, walk } from '../../lib/profile/person.ts';
import { anEvent, anId, anOrder, aVisit, day, rulesOf, START } from './a-profile.ts';

/** The cluster's own id. */
const OWN = 'abcdefghij-_2345';
const instant = fc.integer({ min: START - 1e11, max: START + 1e11 });
const iso = instant.map(toIso);
const word = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' });
const json = fc
  .jsonValue({ maxDepth: 2, noUnicodeString: false })
  .map((it) => JSON.parse(JSON.stringify(it)) as Json);
const name = fc.stringMatching(/^[a-z][a-z_]{0,11}$/);
const fields = fc.dictionary(name, json, { maxKeys: 4, noNullPrototype: true });
const id = fc.constantFrom(
  'member_id:m1',
  'phone:+8613800138000',
  'wechat_openid@wx1:o1',
  'device_id:d1',
  'anonymous_id:a1',
  'zodiac:ox',
);
const optional = <T>(key: string, of: fc.Arbitrary<T>) =>
  fc.option(
    of.map((it) => ({ [key]: it })),
    { nil: {} },
  );

const events: fc.Arbitrary<Event> = fc
  .record({
    type: name,
    occurredAt: iso,
    receivedAt: iso,
    channel: word,
    ids: fc.uniqueArray(id, { minLength: 1, maxLength: 4 }),
    properties: fields,
    traits: optional('traits', fields),
    campaign: optional('campaign', fc.record({ channel: word, name: word }, { requiredKeys: [] })),
    page: optional('page', fc.record({ url: word, title: word }, { requiredKeys: [] })),
    referrer: optional('referrer', word),
    device: optional('device', fc.record({ os: word, model: word, type: word }, { requiredKeys: [] })),
    locale: optional('locale', word),
    session: optional('session', word),
    timeSource: fc.constantFrom('sender', 'received'),
    verified: fc.constantFrom('signed', 'sender_only', 'client'),
  })
  .map(({ traits, campaign, page, referrer, device, locale, session, timeSource, verified, ...it }) =>
    anEvent(it.type, 0, {
      ...it,
      ...traits,
      context: { ...campaign, ...page, ...referrer, ...device, ...locale, ...session, timeSource, verified },
    }),
  );

const activity: fc.Arbitrary<Activity> = fc.record(
  {
    day: fc.integer({ min: 0, max: 40_000 }),
    firstAt: iso,
    firstChannel: word,
    isNew: fc.boolean(),
    stage: word,
    orders: fc.nat(),
    money: fc.dictionary(fc.constantFrom('CNY', 'USD'), fc.maxSafeInteger(), { noNullPrototype: true }),
  },
  { requiredKeys: ['day', 'firstAt', 'firstChannel', 'isNew', 'orders', 'money'] },
);
const tags: fc.Arbitrary<Map<string, HeldTag>> = fc
  .array(
    fc.tuple(
      name,
      fc.record({
        value: fc.oneof(fc.constant(true as const), word),
        since: instant,
        version: fc.integer({ min: 1, max: 999 }),
      }),
    ),
    { maxLength: 4 },
  )
  .map((list) => new Map(list));
const sight = fc.option(fc.record({ at: iso, channel: word }), { nil: undefined });
const people: fc.Arbitrary<Person> = fc
  .record({
    traits: fc.array(fc.tuple(name, fc.record({ value: json, at: iso, event: word })), { maxLength: 3 }),
    tags,
    first: sight,
    last: sight,
    activity: fc.option(activity, { nil: undefined }),
    walkedTo: fc.oneof(instant, fc.constant(Number.NEGATIVE_INFINITY)),
    orders: fc.array(fc.nat({ max: 100 }), { maxLength: 4 }),
  })
  .map(({ traits, orders, ...it }) => {
    const person = emptyPerson();
    const days = [0, ...orders].sort((a, b) => a - b);
    walk(
      person,
      days.flatMap((at) => [aVisit(at), anOrder(at, `o${at}`, at)]),
      rulesOf(),
    );
    return { ...it, traits: new Map(traits), cells: person.cells, tiers: [] };
  });

const states: fc.Arbitrary<Packed> = fc
  .record({
    createdAt: iso,
    seen: fc.array(events, { maxLength: 6 }),
    frontier: fc.option(iso, { nil: undefined }),
    expires: fc.oneof(instant, fc.constant(Number.POSITIVE_INFINITY)),
    people: fc.array(people, { maxLength: 2 }),
    tail: fc.nat({ max: 6 }),
    sequence: fc.nat(),
    outbox: fc.subarray([
      entry.tag(OWN, 'buyer'),
      entry.tag(`${OWN}~abcdefgh`, 'stage'),
      entry.activity(OWN, 20_574),
      entry.conversion('order-1', day(0)),
      entry.conversion('order-2', undefined),
      entry.conversions(),
      entry.review('abcdefgh12345678'),
      entry.arrival('another-cluster_'),
    ]),
    shown: fc.array(
      fc.tuple(
        fc.constantFrom(OWN, `${OWN}~abcdefgh`, `${OWN}~12345678`),
        fc.record({
          tags,
          activity: fc.option(activity, { nil: undefined }),
          earlier: fc.array(activity, { maxLength: 3 }),
          tiers: fc.array(
            fc.record({
              at: instant,
              tier: fc.constantFrom('vip' as const, 'silent' as const, 'other' as const),
            }),
            { maxLength: 3 },
          ),
        }),
      ),
      {
        maxLength: 2,
      },
    ),
  })
  .map(({ seen, tail, shown, ...it }) => {
    const graph = emptyGraph();
    for (const event of seen) addEvent(graph, event);
    const expires = it.frontier === undefined ? Number.POSITIVE_INFINITY : it.expires; // without a frontier nothing is sealed
    return { ...it, expires, id: OWN, graph, tail: seen.slice(0, tail), shown: new Map(shown) };
  });

test('a state is read as it was written: every field, byte for byte', () => {
  fc.assert(
    fc.property(states, (state) => {
      const { kept, ...read } = unpack(pack(state), OWN);
      expect(read).toEqual(state);
      expect(pack({ ...read, kept })).toBe(kept?.bytes);
      expect([...read.graph.identifiers]).toEqual([...state.graph.identifiers]); // its order names the founder
      expect(Buffer.from(pack(read))).toEqual(Buffer.from(pack(state)));
    }),
    { numRuns: 200 },
  );
});

test('a segment is read as it was written, also by a state that has come to know more identifiers', () => {
  fc.assert(
    fc.property(fc.array(events, { maxLength: 8 }), events, iso, (list, later, createdAt) => {
      const graph = emptyGraph();
      for (const event of list) addEvent(graph, event);
      const sealed = packSegment(list, graph, createdAt);
      addEvent(graph, later);
      expect(unpackSegment(sealed, graph, createdAt)).toEqual(list);
    }),
    { numRuns: 200 },
  );
});

test('an identifier that another cluster holds is kept in the event itself', () => {
  const graph = emptyGraph();
  const event = aVisit(0, { ids: ['member_id:m1', 'device_id:kiosk'] });
  addEvent(graph, event, new Set(['device_id\ndemo\nkiosk']));
  expect(graph.identifiers.size).toBe(1);
  expect(unpackSegment(packSegment([event], graph, day(0)), graph, day(0))[0]?.identifiers).toEqual([
    anId('member_id:m1'),
    anId('device_id:kiosk'),
  ]);
});

test('an event whose identifier its cluster does not know is refused, not read wrongly', () => {
  const graph = emptyGraph();
  const event = aVisit(0);
  addEvent(graph, event);
  const sealed = packSegment([event], graph, day(0));
  expect(() => unpackSegment(sealed, emptyGraph(), day(0))).toThrow('which its cluster does not have');
});

test('what a later version wrote is refused by its number', () => {
  const later = Buffer.from(pack(unpack(pack(emptyState), OWN)));
  later[0] = 9;
  expect(() => unpack(later, OWN)).toThrow('stored in form 9, which this version cannot read');
});

const emptyState: Packed = {
  id: OWN,
  createdAt: day(0),
  graph: emptyGraph(),
  frontier: undefined,
  expires: Number.POSITIVE_INFINITY,
  people: [],
  tail: [],
  sequence: 0,
  outbox: [],
  shown: new Map(),
};

test('an event takes less than a fifth of its JSON beside others of its kind', () => {
  const list = Array.from({ length: 12 }, (_, i) => anOrder(i, `2026050${i}1234567`, 10_000 + i));
  const graph = emptyGraph();
  for (const event of list) addEvent(graph, event);
  const one = packSegment(list, graph, day(0)).length / 12;
  expect(one).toBeLessThan(JSON.stringify(list[0]).length / 5);
});
