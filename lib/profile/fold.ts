import { isDeepStrictEqual } from 'node:util';
import { affectedConversions } from '../attribution/conversion.ts';
import { isConsent } from '../consent/said.ts';
import { byTime, type Event } from '../events/event.ts';
import {
  addEvent,
  addGraph,
  addSightings,
  emptyGraph,
  followFor,
  type Graph,
  isStatement,
  type Partition,
  pairOf,
  partition,
  wouldState,
} from '../identity/graph.ts';
import { isDivided, isRelease } from '../identity/tenure.ts';
import { DAY, toIso } from '../platform/clock.ts';
import { withoutGone } from '../privacy/erased.ts';
import { restrictedSince } from '../privacy/restriction.ts';
import { nextChange } from '../tags/changes.ts';
import type { Activity } from './activity.ts';
import { type Cluster, isFolded, type Profile, profileIds, type Shown, split } from './cluster.ts';
import { changedDays, EARLIER, into, shownDays, walkedDays } from './days.ts';
import { arrivalsIn, byClock, entry, parseEntry, unmarked } from './entries.ts';
import {
  copyPerson,
  emptyPerson,
  forget,
  type HeldTag,
  type Person,
  type Rules,
  viewOf,
  walk,
  watch,
} from './person.ts';
import { keepingAt } from './retention.ts';
import { changedTiers } from './tiers.ts';

/** How many events the tail may hold before it is sealed. Most tails are sealed before, when the row costs more for them. */
export const TAIL_EVENTS = 20;

/** How many window ends are tried for the due entry; beyond, it stands at the last one tried: early, never late. */
const DUE_BOUNDARIES = 64;

export interface Additions {
  readonly events: readonly Event[];
  /** A cluster that is taken in, some or all of whose events these are. */
  readonly arriving?: { readonly id: string; readonly graph: Graph; readonly outbox: readonly string[] };
  /** Names of weak identifiers that stay with another cluster. */
  readonly foreign?: ReadonlySet<string>;
  /** The tail is to be sealed before it is full. */
  readonly seal?: boolean;
  /** It is the clock that asks: what follows is owed by it (`entries.ts`). */
  readonly byClock?: boolean;
}

/** The sealed events from an instant on (`undefined`: all of them). */
export interface Journal {
  readonly from: string | undefined;
  readonly events: readonly Event[];
}

export interface Segment {
  readonly sequence: number;
  readonly events: readonly Event[];
  /** No event of an earlier segment is later than this. */
  readonly before: string | undefined;
}

export type Folded =
  /** Everything was known already. */
  | { readonly kind: 'unchanged' }
  /** It takes the journal from an instant on (`undefined`: whole) to tell. */
  | { readonly kind: 'journal'; readonly from: string | undefined }
  | { readonly kind: 'changed'; readonly cluster: Cluster; readonly seal: Segment | undefined };

export const newCluster = (id: string, createdAt: string, { book }: Rules): Cluster => ({
  id,
  version: 0,
  createdAt,
  graph: emptyGraph(),
  frontier: undefined,
  people: [],
  tail: [],
  sequence: 0,
  expires: Number.POSITIVE_INFINITY,
  book: book.digest,
  outbox: [],
  shown: new Map(),
  due: undefined,
});

/**
 * Folds events into a cluster: the whole of what Siyu knows of a customer is made here. A function of the *set* of
 * events: order, batches and repetition change neither profiles nor tags, only how the journal is cut.
 *
 * Events after the frontier are walked on top of it. An event at or before the frontier that is new, a change of who
 * is who, other rules, or an event that has expired rebuild the people from the journal: dear, and rare. Statements on who is who change the
 * graph alone: nobody did them, so they are no part of any journal.
 */
export function fold(
  cluster: Cluster,
  additions: Additions,
  rules: Rules,
  now: number,
  journal?: Journal,
): Folded {
  const { cut, isKept, soonest } = keepingAt(now, rules);
  const lapsed = cluster.expires <= now || !cluster.tail.every(isKept);
  const inTail = new Set(cluster.tail.map((event) => event.id));
  const statements = additions.events.filter((it) => isStatement(it) && wouldState(cluster.graph, it));
  const came = additions.events.flatMap((event) => withoutGone(event, cluster.graph) ?? []);
  let fresh = distinct(came.filter(isKept)).filter((event) => !isStatement(event) && !inTail.has(event.id));
  const oldest = fresh.find((event) => isFolded(event, cluster.frontier));
  if (oldest && cluster.sequence > 0) {
    if (!covers(journal, oldest.occurredAt)) return { kind: 'journal', from: oldest.occurredAt };
    const sealed = new Set(journal?.events.map((event) => event.id));
    fresh = fresh.filter((event) => !sealed.has(event.id));
  }
  const otherRules = cluster.version > 0 && cluster.book !== rules.book.digest;
  const overdue = cluster.due !== undefined && Date.parse(cluster.due) <= now;
  const isQuiet = fresh.length + statements.length === 0 && !additions.arriving;
  if (isQuiet && !otherRules && !overdue && !lapsed) return { kind: 'unchanged' };

  const graph = copyGraph(cluster.graph);
  if (additions.arriving) addGraph(graph, additions.arriving.graph);
  const releases = statements.filter(isRelease); // first: what they divide is seen divided
  for (const event of [...releases, ...fresh, ...statements]) addEvent(graph, event, additions.foreign);
  const isFollowedOtherwise = followFor(graph, rules.brand.identity.phoneIdleDays);
  for (const event of graph.tenures.size > 0 ? fresh : []) addSightings(graph, event);
  const divided = isDivided(cluster.graph, graph);
  if (divided && cluster.sequence > 0 && !covers(journal, undefined))
    return { kind: 'journal', from: undefined };
  if (divided) for (const event of [...(journal?.events ?? []), ...cluster.tail]) addSightings(graph, event);
  const before = partition(cluster.graph);
  const after = isQuiet && !isFollowedOtherwise ? before : partition(graph);
  const carried = carry(before, after);
  const late = fresh.some((event) => isFolded(event, cluster.frontier));
  const ids = profileIds(cluster.id, graph, after);
  const moved = carried === undefined || [...cluster.shown.keys()].some((id) => !ids.includes(id));
  const reheard = fresh.filter(isConsent).some((said) => isHeardBefore(said, cluster.tail));
  const used = { before: cluster.graph.restrictions, after: graph.restrictions };
  const restated = used.after.size > 0 && !isDeepStrictEqual(used.before, used.after);
  const rebuild = late || otherRules || moved || reheard || restated || lapsed || divided;
  if (rebuild && cluster.sequence > 0 && !covers(journal, undefined))
    return { kind: 'journal', from: undefined };

  const sealed = (journal?.events ?? []).filter(isKept);
  const unsealed = [...cluster.tail.filter(isKept), ...fresh].sort(byTime);
  const isFull = cluster.tail.length + fresh.length > TAIL_EVENTS;
  const sealing = cluster.tail.length > 0 && (isFull || additions.seal === true);
  const frontier = sealing ? latest(cluster.frontier, cluster.tail) : cluster.frontier;
  const events = rebuild
    ? distinct([...sealed, ...unsealed])
    : unsealed.filter((event) => !isFolded(event, cluster.frontier));

  // The people of the new frontier, and from there the people of now.
  const days = new Map<string, Activity>();
  const parts = split(events, after);
  const people = after.members.map((member, i): Person => {
    const kept = rebuild ? undefined : cluster.people[carried?.[i] ?? -1];
    const restricted = restrictedSince(graph, member);
    const base = kept ? copyPerson(kept, restricted) : emptyPerson(restricted);
    base.tiers = tiersOf(cluster, ids[i]).filter(({ at }) => at <= base.walkedTo);
    walk(base, parts[i]?.filter((event) => isFolded(event, frontier)) ?? [], rules, into(days, ids[i]));
    if (rebuild || sealing) forget(base, rules);
    return base;
  });
  const profiles = after.members.map(({ names }, i): Profile => {
    const person = copyPerson(people[i] ?? emptyPerson());
    walk(person, parts[i]?.filter((event) => !isFolded(event, frontier)) ?? [], rules, into(days, ids[i]));
    watch(person, now, rules);
    return { id: ids[i] ?? cluster.id, names, person };
  });

  const tags = new Map(profiles.map(({ id, person }) => [id, person.tags]));
  const added = cluster.version > 0 && ids.some((id) => !cluster.shown.has(id));
  const known = rebuild ? distinct([...(journal?.events ?? []), ...cluster.tail]) : cluster.tail;
  const expired = known.filter((event) => !isKept(event));
  const inOrder = !rebuild && !known.some((event) => fresh[0] && byTime(fresh[0], event) < 0);
  // Where nothing came and nothing went, walking what was known gives what was walked just now.
  const isSame = isQuiet && rebuild && !moved && expired.length === 0;
  const walked = () => (isSame ? days : walkedDays(cluster, before, known, rebuild, rules));
  const formerDays = inOrder ? shownDays(cluster) : new Map([...shownDays(cluster), ...walked()]);
  const entries = [
    ...changedTags(cluster.shown, tags),
    ...changedDays(formerDays, days, inOrder, rules, fresh),
    ...changedConversions(
      [...fresh, ...expired],
      expired.length > 0 ? split([...events, ...expired], after) : parts,
      moved || added || restated || divided || (rebuild && fresh.some(isConsent)),
      rules,
    ),
    ...profiles.flatMap(({ id, person: { tiers } }, i) =>
      changedTiers(tiersOf(cluster, id), tiers, parts[i] ?? [], rules),
    ),
    ...changedReviews(before, after),
    ...arrivalsOf(additions),
    ...(expired.length > 0 ? [entry.expiry(cut)] : []),
  ];
  const outbox = new Set([...cluster.outbox, ...(additions.byClock ? entries.map(byClock) : entries)]);
  // After a rebuild the walk has seen every day there is: one that it did not see is no more.
  const shown = shownOf(profiles, outbox, rebuild ? days : new Map([...shownDays(cluster), ...days]));
  const tail = sealing ? [...fresh].sort(byTime) : unsealed;
  const expires = Math.min(
    rebuild ? soonest(sealed) : cluster.expires,
    sealing ? soonest(cluster.tail.filter(isKept)) : Number.POSITIVE_INFINITY,
  );
  return {
    kind: 'changed',
    cluster: {
      ...cluster,
      version: cluster.version + 1,
      graph,
      frontier,
      people,
      tail,
      sequence: cluster.sequence + (sealing ? 1 : 0),
      expires,
      book: rules.book.digest,
      outbox: [...outbox].sort(),
      shown,
      due: due(cluster.due, nextOf(profiles, rules, now, Math.min(expires, soonest(tail))), now),
    },
    seal: sealing
      ? { sequence: cluster.sequence, events: cluster.tail, before: cluster.frontier }
      : undefined,
  };
}

const tiersOf = ({ shown }: Cluster, profile = ''): Shown['tiers'] => shown.get(profile)?.tiers ?? [];

/** Whether what is said of consent decides on an event that was there before: it may count otherwise than it did. */
const isHeardBefore = (said: Event, events: readonly Event[]): boolean =>
  events.some(({ id, occurredAt }) => id !== said.id && occurredAt >= said.occurredAt);

/** Events without repetitions, in time order. Of two with one id the first in order counts, whichever came first. */
function distinct(events: readonly Event[]): Event[] {
  const ids = new Set<string>();
  return [...events].sort(byTime).filter(({ id }) => !ids.has(id) && ids.add(id));
}

const covers = (journal: Journal | undefined, from: string | undefined): boolean =>
  journal !== undefined && (journal.from === undefined || (from !== undefined && journal.from <= from));

const latest = (frontier: string | undefined, events: readonly Event[]): string | undefined =>
  events.reduce(
    (last, event) => (last === undefined || event.occurredAt > last ? event.occurredAt : last),
    frontier,
  );

const copyGraph = (graph: Graph): Graph => ({
  identifiers: new Map(graph.identifiers),
  edges: new Map(graph.edges),
  attachments: new Map(graph.attachments),
  decisions: new Map(graph.decisions),
  restrictions: new Map(graph.restrictions),
  tenures: new Map(graph.tenures),
});

/**
 * Where each profile after the change comes from (index before, or nothing), if every profile before went whole into
 * one of its own; undefined if profiles were joined or divided, so that their people have to be walked anew.
 */
function carry(before: Partition, after: Partition): (number | undefined)[] | undefined {
  const from = new Array<number | undefined>(after.members.length).fill(undefined);
  for (const [i, { nodes }] of before.members.entries()) {
    const places = new Set(nodes.map((node) => after.memberOf.get(node)));
    const [place] = places;
    if (places.size !== 1 || place === undefined || from[place] !== undefined) return undefined;
    from[place] = i;
  }
  return from;
}

function shownOf(
  profiles: readonly Profile[],
  outbox: Iterable<string>,
  days: ReadonlyMap<string, Activity>,
): Map<string, Shown> {
  const named = [...new Set([...outbox].map(unmarked))]
    .map(parseEntry)
    .filter((it) => it.kind === 'activity');
  return new Map(
    profiles.map(({ id, person: { tags, activity, tiers } }): [string, Shown] => {
      const earlier = named
        .filter(({ profile, day }) => profile === id && day !== activity?.day)
        .flatMap(({ day }) => days.get(`${id} ${day}`) ?? []);
      return [id, { tags: new Map(tags), activity, earlier: earlier.slice(-EARLIER), tiers }];
    }),
  );
}

function changedTags(
  before: ReadonlyMap<string, Shown>,
  after: ReadonlyMap<string, ReadonlyMap<string, HeldTag>>,
): string[] {
  const changed: string[] = [];
  for (const profile of new Set([...before.keys(), ...after.keys()])) {
    const was = before.get(profile)?.tags;
    const is = after.get(profile);
    for (const tag of new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])])) {
      const a = was?.get(tag);
      const b = is?.get(tag);
      if (a?.value !== b?.value || a?.since !== b?.since || a?.version !== b?.version)
        changed.push(entry.tag(profile, tag));
    }
  }
  return changed;
}

function changedReviews(before: Partition, after: Partition): string[] {
  const was = new Map(before.reviews.map((review) => [pairOf(review), JSON.stringify(review)]));
  const is = new Map(after.reviews.map((review) => [pairOf(review), JSON.stringify(review)]));
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((pair) => was.get(pair) !== is.get(pair))
    .map(entry.review);
}

/** Conversions of the people whose events came; another person's order of the same number is another conversion. */
function changedConversions(
  fresh: readonly Event[],
  parts: readonly (readonly Event[])[],
  all: boolean,
  { brand }: Rules,
): string[] {
  if (all) return [entry.conversions()];
  const { lookbackDays, lookbackDaysByChannel } = brand.attribution;
  const days = Math.max(lookbackDays, ...Object.values(lookbackDaysByChannel));
  const isFresh = new Set(fresh.map(({ id }) => id));
  return parts.flatMap((events) =>
    events
      .filter(({ id }) => isFresh.has(id))
      .flatMap((event) => {
        const since = toIso(Date.parse(event.occurredAt) - days * DAY);
        return affectedConversions(event, events, brand).map((key) => entry.conversion(key, since));
      }),
  );
}

/** The next instant at which a profile changes by time alone, or something of it expires, if any. */
function nextOf(
  profiles: readonly Profile[],
  { book }: Rules,
  now: number,
  expires: number,
): number | undefined {
  const changes = profiles
    .filter(({ person }) => Number.isFinite(person.walkedTo) && person.restricted === undefined)
    .map(
      ({ person }) =>
        nextChange(book, viewOf(person), Math.max(now, person.walkedTo), {
          limit: DUE_BOUNDARIES,
          held: person.tags,
        })?.at,
    )
    .filter((at) => at !== undefined);
  const next = Math.min(expires, ...changes);
  return Number.isFinite(next) ? next : undefined;
}

/**
 * The entry of the due index. One that is still to come and not too late stays where it is: an early entry costs a
 * look when it fires, moving it costs two writes with every event.
 */
function due(previous: string | undefined, next: number | undefined, now: number): string | undefined {
  if (
    previous !== undefined &&
    Date.parse(previous) > now &&
    (next === undefined || Date.parse(previous) <= next)
  )
    return previous;
  return next === undefined ? undefined : toIso(next);
}

/** The cluster that is taken in, and those that it was itself taking in: who finds the way past it has to know of them. */
const arrivalsOf = ({ arriving }: Additions): string[] =>
  arriving ? [entry.arrival(arriving.id), ...arrivalsIn(arriving.outbox).map(entry.arrival)] : [];
