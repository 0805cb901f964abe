import type { Event, Identifier } from '../../../lib/events/event.ts';
import { decisionsIn } from './decided.ts';
import { byText } from './order.ts';

const STRONG = ['member_id', 'wechat_unionid', 'phone']; // of the histories that are read here, strongest first

/** An identifier as one owner has it: the same phone is another thing after it was given up. */
interface Held {
  readonly id: Identifier;
  /** How often it was given up before, and how often it lay idle since. */
  readonly owner: string;
}

export interface Owned {
  /** Identifiers that are theirs at the end, sorted. */
  readonly names: readonly string[];
  /** Ids of their events, in time order. */
  readonly events: readonly string[];
}

const nameOf = ({ kind, value }: Identifier) => `${kind}:${value}`;
const textOf = ({ id, owner }: Held) => `${nameOf(id)}#${owner}`;
const isStrong = ({ kind }: Identifier) => STRONG.includes(kind);
const rank = (id: Identifier) => (isStrong(id) ? STRONG.indexOf(id.kind) : STRONG.length);
const ranked = (ids: readonly Identifier[]) =>
  [...ids].sort((a, b) => rank(a) - rank(b) || byText(a.value, b.value));

/** Instants at which each identifier was given up: of two words on one instant the later counts. */
function givenUp(all: readonly Event[]): (id: Identifier) => string[] {
  const words = new Map<string, Map<string, boolean>>();
  const inOrder = all
    .filter(({ type }) => type === 'identifier_released')
    .sort((x, y) => byText(x.occurredAt, y.occurredAt) || byText(x.id, y.id));
  for (const { identifiers, properties, occurredAt } of inOrder)
    for (const id of identifiers.filter(({ kind }) => kind === (properties.kind ?? 'phone'))) {
      const of = words.get(nameOf(id)) ?? new Map<string, boolean>();
      of.set(String(properties.since ?? occurredAt), properties.released !== false);
      words.set(nameOf(id), of);
    }
  return (id) => [...(words.get(nameOf(id)) ?? [])].flatMap(([since, is]) => (is ? [since] : []));
}

const DAY = 24 * 60 * 60 * 1000;

/** A phone that was seen with others after it had lain idle, as it was held before and is since. */
interface Parted {
  readonly before: Held;
  readonly since: Held;
  readonly others: readonly Held[];
}

/**
 * Who has which events, by one walk through everything in the order of its times: an identifier that was given up is from
 * then on a thing of its own that nobody has. So is a phone that was not seen for `idleDays`, unless it is first seen again with
 * who had it, or with nobody.
 *
 * @returns also the pairs that somebody has to look at because a phone had lain idle
 */
export function ownersOf(all: readonly Event[], idleDays?: number): { people: Owned[]; idle: string[] } {
  const endsOf = givenUp(all);
  const decided = decisionsIn(all, nameOf);
  const isSaid = ({ type }: Event) => type === 'identity_decided' || type === 'identifier_released';
  const events = all.filter((event) => !isSaid(event));
  events.sort((x, y) => byText(x.occurredAt, y.occurredAt) || byText(x.id, y.id));
  const ends = (id: Identifier, at: string) => endsOf(id).filter((end) => end <= at).length;
  const waits = (id: Identifier, at: string): number => {
    if (id.kind !== 'phone' || idleDays === undefined) return 0;
    const seen = events
      .filter(({ identifiers }) => identifiers.some((it) => nameOf(it) === nameOf(id)))
      .map(({ occurredAt }) => occurredAt)
      .filter((time) => time <= at && ends(id, time) === ends(id, at));
    return seen.filter(
      (time, i) => i > 0 && Date.parse(time) - Date.parse(seen[i - 1] ?? '') >= idleDays * DAY,
    ).length;
  };
  const heldAt = (id: Identifier, at: string): Held => ({
    id,
    owner: isStrong(id) ? `${ends(id, at)}.${waits(id, at)}` : '',
  });

  const groups = new Map<string, Held[]>(); // the very list is shared by all that are in it
  const groupOf = (held: Held): Held[] => {
    const known = groups.get(textOf(held)) ?? [held];
    groups.set(textOf(held), known);
    return known;
  };
  const unite = (a: Held[], b: Held[]) => {
    if (a === b) return;
    const both = [...a, ...b];
    for (const held of both) groups.set(textOf(held), both);
  };
  const clash = (a: Held[], b: Held[]) =>
    a.some((x) => b.some((y) => x.id.kind === y.id.kind && isStrong(x.id) && x.id.value !== y.id.value));

  const othersOf = (phone: Held, { identifiers, occurredAt }: Event) =>
    ranked(identifiers.filter(isStrong))
      .filter((id) => nameOf(id) !== nameOf(phone.id) && !decided.areApart(nameOf(id), nameOf(phone.id)))
      .map((id) => heldAt(id, occurredAt));
  const met = new Set(
    events.flatMap((event) =>
      event.identifiers
        .map((id) => heldAt(id, event.occurredAt))
        .filter((held) => othersOf(held, event).length > 0)
        .map(textOf),
    ),
  );
  const settled = new Set<string>();
  const parted: Parted[] = [];
  const resume = (held: Held, event: Event) => {
    const [end = '', wait = ''] = held.owner.split('.');
    const others = othersOf(held, event);
    if (Number(wait) === 0 || settled.has(textOf(held)) || (met.has(textOf(held)) && others.length === 0))
      return;
    settled.add(textOf(held));
    const before = { id: held.id, owner: `${end}.${Number(wait) - 1}` };
    if (others.length === 0 || others.some((other) => groupOf(other) === groupOf(before)))
      unite(groupOf(before), groupOf(held));
    else parted.push({ before, since: held, others });
  };

  for (const event of events) {
    const { identifiers, occurredAt } = event;
    const strong = ranked(identifiers.filter(isStrong)).map((id) => heldAt(id, occurredAt));
    for (const held of strong) groupOf(held);
    for (const held of strong) resume(held, event);
    for (const [i, a] of strong.entries())
      for (const b of strong.slice(i + 1))
        if (!decided.areApart(nameOf(a.id), nameOf(b.id)) && !clash(groupOf(a), groupOf(b)))
          unite(groupOf(a), groupOf(b));
  }
  for (const { pair, at } of togetherIn(all)) {
    const [a, b] = pair.map((id) => heldAt(id, at));
    if (!a || !b) continue;
    const concerned = parted.flatMap(({ before, since, others }) => {
      const other = others.find(({ id }) => pair.some((it) => nameOf(it) === nameOf(id)));
      return other && pair.some((it) => nameOf(it) === nameOf(since.id)) ? [{ before, since, other }] : [];
    });
    for (const { before, since, other } of concerned) {
      unite(groupOf(before), groupOf(since));
      unite(groupOf(other), groupOf(since));
    }
    if (concerned.length === 0 && groups.has(textOf(a)) && groups.has(textOf(b)))
      unite(groupOf(a), groupOf(b));
  }
  const attached = new Set<string>();
  for (const { identifiers, occurredAt } of events) {
    const [first] = ranked(identifiers.filter(isStrong));
    for (const id of identifiers.filter((it) => !isStrong(it))) {
      const held = heldAt(id, occurredAt);
      groupOf(held);
      if (!first || attached.has(nameOf(id))) continue;
      attached.add(nameOf(id));
      if (!decided.areApart(nameOf(first), nameOf(id)))
        unite(groupOf(heldAt(first, occurredAt)), groupOf(held));
    }
  }

  const last = '9999';
  const homes = Map.groupBy(events, ({ identifiers, occurredAt }) => {
    const [home] = ranked(identifiers);
    if (!home) throw new Error('an event has at least one identifier');
    return groupOf(heldAt(home, occurredAt));
  });
  const people = [...homes]
    .map(([group, own]) => ({
      names: group
        .filter((held) => held.owner === heldAt(held.id, last).owner)
        .map(({ id }) => nameOf(id))
        .sort(byText),
      events: own.map(({ id }) => id),
    }))
    .sort((a, b) => byText(a.events[0] ?? '', b.events[0] ?? ''));
  const idle = parted.flatMap(({ before, since, others: [other] }) =>
    other && groupOf(before) !== groupOf(since) ? [`${nameOf(other.id)} ${nameOf(since.id)}`] : [],
  );
  return { people, idle };
}

/** Pairs that are one person's by a word that still holds, the oldest first, and when it was said. */
function togetherIn(all: readonly Event[]): { pair: readonly Identifier[]; at: string }[] {
  const last = new Map<string, Event>();
  const inOrder = all
    .filter(({ type }) => type === 'identity_decided')
    .sort((x, y) => byText(x.occurredAt, y.occurredAt) || byText(x.id, y.id));
  for (const event of inOrder) {
    const key = event.identifiers.map(nameOf).sort(byText).join(' ');
    last.delete(key);
    last.set(key, event);
  }
  return [...last.values()]
    .filter(({ properties }) => properties.verdict === 'together')
    .map(({ identifiers, occurredAt }) => ({ pair: identifiers, at: occurredAt }));
}
