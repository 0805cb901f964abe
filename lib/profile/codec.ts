import { packConsents, storedConsents, unpackConsents } from '../consent/codec.ts';
import type { Event, EventContext, Identifier } from '../events/event.ts';
import { type Graph, nameOf } from '../identity/graph.ts';
import { toIso } from '../platform/clock.ts';
import { compress, decompress, readText } from '../platform/compressed.ts';
import { packCells, unpackCells } from '../tags/pack.ts';
import type { Activity } from './activity.ts';
import type { Cluster, Shown } from './cluster.ts';
import { packGraph, storedGraph, unpackGraph } from './graph-codec.ts';
import type { HeldTag, Person } from './person.ts';
import {
  type StoredActivity,
  type StoredEvent,
  type StoredFrontier,
  type StoredPerson,
  type StoredSeen,
  type StoredShown,
  type StoredState,
  type StoredTag,
  storedEvents,
  storedState,
} from './stored.ts';

/** What of a cluster is compressed; the rest stands in its row in clear. */
export type Packed = Pick<
  Cluster,
  | ('id' | 'createdAt' | 'graph' | 'frontier' | 'expires' | 'people' | 'tail' | 'sequence')
  | ('outbox' | 'shown' | 'kept')
>;

/**
 * The stored form: positional JSON (identifiers by their place in the graph, times as milliseconds after the
 * cluster's first), compressed. A kilobyte holds a person with about ten events; plain JSON would need five.
 */
export function pack(cluster: Packed): Uint8Array {
  const place = placesOf(cluster.graph);
  const since = Date.parse(cluster.createdAt);
  const form: StoredState = [
    since,
    packGraph(cluster.graph, since),
    cluster.frontier === undefined
      ? null
      : packFrontier(Date.parse(cluster.frontier), cluster.expires, since),
    cluster.sequence,
    cluster.people.map((person) => packPerson(person, place, since)),
    packEvents(cluster.tail, place, since),
    cluster.outbox.length > 0 ? cluster.outbox.map((entry) => entry.replace(cluster.id, OWN)) : 0,
    [...cluster.shown].map(([id, shown]) => packShown(id.replace(cluster.id, OWN), shown, since)),
  ];
  return compress(form, cluster.kept);
}

/** @param id the cluster's: it stands in the row's key */
export function unpack(bytes: Uint8Array, id: string): Packed {
  const kept = readText(bytes);
  const [since, packedGraph, frontier, sequence, people, tail, outbox, shown] = storedState(
    JSON.parse(kept.text),
  );
  const graph = unpackGraph(storedGraph(packedGraph), since);
  const identifiers = [...graph.identifiers.values()];
  const names = [...graph.identifiers.keys()];
  return {
    id,
    kept,
    createdAt: toIso(since),
    graph,
    ...unpackFrontier(frontier, since),
    sequence,
    people: people.map((person) => unpackPerson(person, names, since)),
    tail: unpackEvents(tail, identifiers, since),
    outbox: (outbox || []).map((entry) => entry.replace(OWN, id)),
    shown: new Map(
      shown.map(([profile, tags, activity, earlier, tiers]): [string, Shown] => [
        profile.replace(OWN, id),
        {
          tags: unpackTags(tags, since),
          activity: activity ? unpackActivity(activity, since) : undefined,
          earlier: (earlier || []).map((it) => unpackActivity(it, since)),
          tiers: (tiers ?? []).map(([at, tier]) => ({ at: since + at, tier: TIERS[tier] })),
        },
      ]),
    ),
  };
}

const packFrontier = (frontier: number, expires: number, since: number): StoredFrontier => [
  frontier - since,
  Number.isFinite(expires) ? expires - since : null,
];

const unpackFrontier = (it: StoredFrontier | null, since: number): Pick<Cluster, 'frontier' | 'expires'> => {
  if (it === null) return { frontier: undefined, expires: Number.POSITIVE_INFINITY };
  const [frontier, expires] = it;
  return {
    frontier: toIso(since + frontier),
    expires: expires === null ? Number.POSITIVE_INFINITY : since + expires,
  };
};
function packShown(id: string, { tags, activity, earlier, tiers }: Shown, since: number): StoredShown {
  const packed = [
    id,
    packTags(tags, since),
    activity ? packActivity(activity, since) : 0,
    earlier.length > 0 ? earlier.map((it) => packActivity(it, since)) : 0,
  ] as const;
  const rank = { other: 0, silent: 1, vip: 2 } as const;
  return tiers.length > 0 ? [...packed, tiers.map(({ at, tier }) => [at - since, rank[tier]])] : packed;
}

const TIERS = ['other', 'silent', 'vip'] as const;

/** Stands for the cluster's own id, in names that begin with it: no tag, key or profile id has this character. */
const OWN = '^';

const placesOf = (graph: Graph) => new Map([...graph.identifiers.keys()].map((name, i) => [name, i]));

/** A segment's events, sealed for ever: identifiers by their place in the cluster's graph, which only grows. */
export function packSegment(events: readonly Event[], graph: Graph, createdAt: string): Uint8Array {
  const place = placesOf(graph);
  return compress(packEvents(events, place, Date.parse(createdAt)));
}

export function unpackSegment(bytes: Uint8Array, graph: Graph, createdAt: string): Event[] {
  const identifiers = [...graph.identifiers.values()];
  return unpackEvents(storedEvents(decompress(bytes)), identifiers, Date.parse(createdAt));
}

const LETTERS = { signed: 's', sender_only: 'o', client: 'c', sender: 's', received: 'r' } as const;
const VERIFIED: Record<string, EventContext['verified']> = { s: 'signed', o: 'sender_only', c: 'client' };

function packEvents(
  events: readonly Event[],
  place: ReadonlyMap<string, number>,
  since: number,
): StoredEvent[] {
  let before = since;
  return events.map((event) => {
    const packed = packEvent(event, place, before);
    before = Date.parse(event.occurredAt);
    return packed;
  });
}

function unpackEvents(
  stored: readonly StoredEvent[],
  identifiers: readonly Identifier[],
  since: number,
): Event[] {
  let before = since;
  return stored.map((packed) => {
    const event = unpackEvent(packed, identifiers, before);
    before = Date.parse(event.occurredAt);
    return event;
  });
}

/** @param since what its time is counted from, in milliseconds */
function packEvent(event: Event, place: ReadonlyMap<string, number>, since: number): StoredEvent {
  const at = Date.parse(event.occurredAt);
  const { verified, timeSource, ...context } = event.context;
  return [
    event.id,
    event.type,
    at - since,
    Date.parse(event.receivedAt) - at,
    [event.source.channel, event.source.account],
    event.identifiers.map((id) => place.get(nameOf(id)) ?? [id.kind, id.scope, id.value]),
    event.properties,
    event.traitsOnce ? [event.traits ?? 0, event.traitsOnce] : (event.traits ?? 0),
    LETTERS[verified] + LETTERS[timeSource],
    context,
  ];
}

function unpackEvent(event: StoredEvent, identifiers: readonly Identifier[], since: number): Event {
  const [id, type, at, received, [channel, account], refs, properties, said, letters, context] = event;
  const [traits, traitsOnce] = Array.isArray(said) ? said : [said];
  return {
    id,
    type,
    occurredAt: toIso(since + at),
    receivedAt: toIso(since + at + received),
    source: { channel, account },
    identifiers: refs.map((ref): Identifier => {
      if (typeof ref !== 'number') return { kind: ref[0], scope: ref[1], value: ref[2] };
      const known = identifiers[ref];
      if (!known) throw new Error(`event ${id} names identifier ${ref}, which its cluster does not have`);
      return known;
    }),
    properties,
    ...(traits !== 0 && { traits }),
    ...(traitsOnce && { traitsOnce }),
    context: { ...context, ...wayOf(letters) },
  };
}

function wayOf(letters: string): Pick<EventContext, 'verified' | 'timeSource'> {
  const verified = VERIFIED[letters[0] ?? ''];
  if (!verified) throw new Error('an event does not say how far it is to be believed');
  return { verified, timeSource: letters[1] === 'r' ? 'received' : 'sender' };
}

function packPerson(person: Person, place: ReadonlyMap<string, number>, since: number): StoredPerson {
  const seen = (it: Person['first']): StoredSeen | 0 => (it ? [Date.parse(it.at) - since, it.channel] : 0);
  const packed: StoredPerson = [
    [...person.traits].map(([name, { value, at, event }]) => [name, value, Date.parse(at) - since, event]),
    packTags(person.tags, since),
    packCells(person.cells),
    seen(person.first),
    seen(person.last),
    person.activity ? packActivity(person.activity, since) : 0,
    Number.isFinite(person.walkedTo) ? person.walkedTo - since : null,
  ];
  if (person.consents) packed[7] = packConsents(person.consents, place, since);
  return packed;
}

function unpackPerson(
  [traits, tags, cells, first, last, activity, walkedTo, consents]: StoredPerson,
  names: readonly string[],
  since: number,
): Person {
  const seen = (it: StoredSeen | 0): Person['first'] =>
    it ? { at: toIso(since + it[0]), channel: it[1] } : undefined;
  return {
    traits: new Map(
      traits.map(([name, value, at, event]) => [name, { value, at: toIso(since + at), event }]),
    ),
    tags: unpackTags(tags, since),
    cells: unpackCells(cells),
    tiers: [],
    first: seen(first),
    last: seen(last),
    activity: activity ? unpackActivity(activity, since) : undefined,
    walkedTo: walkedTo === null ? Number.NEGATIVE_INFINITY : since + walkedTo,
    ...(consents !== undefined && { consents: unpackConsents(storedConsents.parse(consents), names, since) }),
  };
}

const packActivity = (
  { day, firstAt, firstChannel, isNew, stage, orders, money }: Activity,
  since: number,
): StoredActivity => [
  day,
  Date.parse(firstAt) - since,
  firstChannel,
  isNew ? 1 : 0,
  stage ?? 0,
  orders,
  Object.keys(money).length > 0 ? { ...money } : 0,
];

const unpackActivity = (
  [day, firstAt, firstChannel, isNew, stage, orders, money]: StoredActivity,
  since: number,
): Activity => ({
  day,
  ...(stage !== 0 && { stage }),
  firstAt: toIso(since + firstAt),
  firstChannel,
  isNew: isNew === 1,
  orders,
  money: money || {},
});

const packTags = (tags: ReadonlyMap<string, HeldTag>, since: number): readonly StoredTag[] =>
  [...tags].map(([tag, held]) => [
    tag,
    held.value === true ? 1 : held.value,
    held.since - since,
    held.version,
  ]);

const unpackTags = (tags: readonly StoredTag[], since: number): Map<string, HeldTag> =>
  new Map(
    tags.map(([tag, value, at, version]) => [
      tag,
      { value: value === 1 ? true : value, since: since + at, version },
    ]),
  );
