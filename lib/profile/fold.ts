import { affectedConversions } from '../attribution/conversion.ts';
import { byTime, type Event } from '../events/event.ts';
import {
  addEvent,
  addGraph,
  emptyGraph,
  type Graph,
  type Partition,
  partition,
  type Sighting,
} from '../identity/graph.ts';
import { DAY, toIso } from '../platform/clock.ts';
import { nextChange } from '../tags/changes.ts';
import type { Activity } from './activity.ts';
import { type Cluster, isFolded, type Profile, profileIds, type Shown, split } from './cluster.ts';
import { entry } from './entries.ts';
import { copyPerson, emptyPerson, forget, type Person, type Rules, viewOf, walk, watch } from './person.ts';

/** How many events the tail may hold before it is sealed: about ten to a kilobyte, and a segment should fill one. */
export const TAIL_EVENTS = 12;

/** How many window ends are tried for the due entry; beyond, it stands at the last one tried: early, never late. */
const DUE_BOUNDARIES = 64;

export interface Additions {
  readonly events: readonly Event[];
  /** Graphs of clusters that are taken in. */
  readonly graphs?: readonly Graph[];
  /** Names of weak identifiers that stay with another cluster. */
  readonly foreign?: ReadonlySet<string>;
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
 * is who, or other rules rebuild the people from the journal: dear, and rare.
 */
export function fold(
  cluster: Cluster,
  additions: Additions,
  rules: Rules,
  now: number,
  journal?: Journal,
): Folded {
  const inTail = new Set(cluster.tail.map((event) => event.id));
  let fresh = distinct(additions.events).filter((event) => !inTail.has(event.id));
  const oldest = fresh.find((event) => cluster.frontier && event.occurredAt <= cluster.frontier.at);
  if (oldest && cluster.sequence > 0) {
    if (!covers(journal, oldest.occurredAt)) return { kind: 'journal', from: oldest.occurredAt };
    const sealed = new Set(journal?.events.map((event) => event.id));
    fresh = fresh.filter((event) => !sealed.has(event.id));
  }
  const otherRules = cluster.version > 0 && cluster.book !== rules.book.digest;
  const overdue = cluster.due !== undefined && Date.parse(cluster.due) <= now;
  if (fresh.length === 0 && !additions.graphs?.length && !otherRules && !overdue)
    return { kind: 'unchanged' };

  const graph = copyGraph(cluster.graph);
  for (const other of additions.graphs ?? []) addGraph(graph, other);
  for (const event of fresh) addEvent(graph, event, additions.foreign);
  const before = partition(cluster.graph);
  const after = partition(graph);
  const carried = carry(before, after);
  const late = fresh.some((event) => isFolded(event, cluster.frontier));
  const rebuild = late || otherRules || carried === undefined;
  if (rebuild && cluster.sequence > 0 && !covers(journal, undefined))
    return { kind: 'journal', from: undefined };

  const unsealed = [...cluster.tail, ...fresh].sort(byTime);
  const sealing = cluster.tail.length > 0 && cluster.tail.length + fresh.length > TAIL_EVENTS;
  const frontier = sealing ? latest(cluster.frontier, cluster.tail) : cluster.frontier;
  const events = rebuild
    ? distinct([...(journal?.events ?? []), ...unsealed])
    : unsealed.filter((event) => !isFolded(event, cluster.frontier));

  // The people of the new frontier, and from there the people of now.
  const days = after.members.map(() => new Map<number, Activity>());
  const parts = split(events, after);
  const people = after.members.map((_, i): Person => {
    const kept = rebuild ? undefined : cluster.people[carried?.[i] ?? -1];
    const base = kept ? copyPerson(kept) : emptyPerson();
    walk(
      base,
      (parts[i] ?? []).filter((event) => isFolded(event, frontier)),
      rules,
      (day) => days[i]?.set(day.day, day),
    );
    if (rebuild || sealing) forget(base, rules);
    return base;
  });
  const ids = profileIds(cluster.id, graph, after);
  const profiles = after.members.map(({ names }, i): Profile => {
    const person = copyPerson(people[i] ?? emptyPerson());
    walk(
      person,
      (parts[i] ?? []).filter((event) => !isFolded(event, frontier)),
      rules,
      (day) => days[i]?.set(day.day, day),
    );
    if (Number.isFinite(person.walkedTo)) watch(person, now, rules);
    return { id: ids[i] ?? cluster.id, names, person };
  });

  const shown = new Map(profiles.map((profile) => [profile.id, shownOf(profile)]));
  const moved =
    carried === undefined || ids.some((id) => !cluster.shown.has(id)) || shown.size < cluster.shown.size;
  const touched = touchedDays(fresh, events, rules);
  const outbox = new Set([
    ...cluster.outbox,
    ...changedTags(cluster.shown, shown),
    ...profiles.flatMap(({ id }, i) =>
      changedDays(cluster.shown.get(id)?.activity, days[i] ?? new Map(), touched, rebuild && moved).map(
        (day) => entry.activity(id, day),
      ),
    ),
    ...[...cluster.shown.keys()].filter((id) => !shown.has(id)).map(entry.gone),
    ...changedConversions(fresh, events, moved && cluster.version > 0, rules),
    ...(after.reviews.length !== before.reviews.length || (moved && after.reviews.length > 0)
      ? [entry.reviews()]
      : []),
  ]);
  return {
    kind: 'changed',
    cluster: {
      ...cluster,
      version: cluster.version + 1,
      graph,
      frontier,
      people,
      tail: sealing ? [...fresh].sort(byTime) : unsealed,
      sequence: cluster.sequence + (sealing ? 1 : 0),
      book: rules.book.digest,
      outbox: [...outbox].sort(),
      shown,
      due: due(cluster.due, nextOf(profiles, rules, now), now),
    },
    seal: sealing
      ? { sequence: cluster.sequence, events: cluster.tail, before: cluster.frontier?.at }
      : undefined,
  };
}

/** Events without repetitions, in time order. Of two with one id the first in order counts, whichever came first. */
function distinct(events: readonly Event[]): Event[] {
  const ids = new Set<string>();
  return [...events].sort(byTime).filter(({ id }) => !ids.has(id) && ids.add(id));
}

const covers = (journal: Journal | undefined, from: string | undefined): boolean =>
  journal !== undefined && (journal.from === undefined || (from !== undefined && journal.from <= from));

const latest = (frontier: Sighting | undefined, events: readonly Event[]): Sighting | undefined =>
  events.reduce<Sighting | undefined>(
    (last, event) => (isFolded(event, last) ? last : { at: event.occurredAt, event: event.id }),
    frontier,
  );

const copyGraph = (graph: Graph): Graph => ({
  identifiers: new Map(graph.identifiers),
  edges: new Map(graph.edges),
  attachments: new Map(graph.attachments),
});

/**
 * Where each profile after the change comes from (index before, or nothing), if every profile before went whole into
 * one of its own; undefined if profiles were joined or divided, so that their people have to be walked anew.
 */
function carry(before: Partition, after: Partition): (number | undefined)[] | undefined {
  const from = new Array<number | undefined>(after.members.length).fill(undefined);
  for (const [i, { names }] of before.members.entries()) {
    const places = new Set(names.map((name) => after.memberOf.get(name)));
    const [place] = places;
    if (places.size !== 1 || place === undefined || from[place] !== undefined) return undefined;
    from[place] = i;
  }
  return from;
}

const shownOf = ({ person }: Profile): Shown => ({ tags: new Map(person.tags), activity: person.activity });

function changedTags(before: ReadonlyMap<string, Shown>, after: ReadonlyMap<string, Shown>): string[] {
  const changed: string[] = [];
  for (const profile of new Set([...before.keys(), ...after.keys()])) {
    const was = before.get(profile)?.tags;
    const is = after.get(profile)?.tags;
    for (const tag of new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])])) {
      const a = was?.get(tag);
      const b = is?.get(tag);
      if (a?.value !== b?.value || a?.since !== b?.since || a?.version !== b?.version)
        changed.push(entry.tag(profile, tag));
    }
  }
  return changed;
}

/** The brand-days of new events, and the day that was a person's first until an earlier event came. */
function touchedDays(fresh: readonly Event[], events: readonly Event[], { book }: Rules): Set<number> {
  const ids = new Set(fresh.map((event) => event.id));
  const first = events.find((event) => !ids.has(event.id));
  const touching = first && fresh[0] && byTime(fresh[0], first) < 0 ? [...fresh, first] : fresh;
  return new Set(touching.map((event) => book.calendar.brandDay(Date.parse(event.occurredAt))));
}

function changedDays(
  shown: Activity | undefined,
  days: ReadonlyMap<number, Activity>,
  touched: ReadonlySet<number>,
  all: boolean,
): number[] {
  return [...days.values()]
    .filter(({ day }) => all || touched.has(day))
    .filter((activity) => all || JSON.stringify(activity) !== JSON.stringify(shown))
    .map(({ day }) => day);
}

function changedConversions(
  fresh: readonly Event[],
  events: readonly Event[],
  all: boolean,
  { brand }: Rules,
): string[] {
  if (all) return [entry.conversions()];
  const refunds = new Set(brand.conversions.map((it) => it.refund?.event));
  const days = Math.max(
    brand.attribution.lookbackDays,
    ...Object.values(brand.attribution.lookbackDaysByChannel),
  );
  return fresh.flatMap((event) => {
    const since = refunds.has(event.type) ? undefined : toIso(Date.parse(event.occurredAt) - days * DAY);
    return affectedConversions(event, events, brand).map((key) => entry.conversion(key, since));
  });
}

/** The next instant at which a profile changes by time alone, if any. */
function nextOf(profiles: readonly Profile[], { book }: Rules, now: number): number | undefined {
  const changes = profiles
    .filter(({ person }) => Number.isFinite(person.walkedTo))
    .map(
      ({ person }) =>
        nextChange(book, viewOf(person), Math.max(now, person.walkedTo), { limit: DUE_BOUNDARIES })?.at,
    )
    .filter((at) => at !== undefined);
  return changes.length > 0 ? Math.min(...changes) : undefined;
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
