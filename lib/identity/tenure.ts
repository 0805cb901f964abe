import type { Event, Identifier } from '../events/event.ts';
import { eventId } from '../events/id.ts';
import { DAY, toIso } from '../platform/clock.ts';
import { DECIDED, isNewer } from './decisions.ts';
import { isPersonal, isStrong } from './kinds.ts';

/**
 * That an identifier was given up: from an instant on it points to nobody, until somebody is seen with it. Who said so and why
 * stands in the log, under the event's id.
 */
export interface Release {
  readonly since: string;
  /** False: the word on this instant was taken back. */
  readonly released: boolean;
  /** When this was said, and by the event with which id. */
  readonly at: string;
  readonly event: string;
}

/** The first and the last time at which an identifier was seen in one tenure, without an idle time between. */
export type Run = readonly [from: string, to: string];

/** The time of an owner who was erased: `from` ≤ t < `until` (absent: without end). What is of it and was there `at` is out. */
interface Gone {
  readonly from: string;
  readonly until?: string | undefined;
  readonly at: string;
}

/**
 * An identifier that changes hands. The instants at which it was given up divide time into *tenures*: in each it is one
 * owner's, and in the next somebody else's, as if it were another identifier. So does a time of `idleDays` in which it was
 * not seen, but there the next owner may turn out to be the former one (`strong.ts`). All of it are unions and registers, and
 * runs are what the set of sightings makes of the time, so they know no order of arrival.
 */
export interface Tenures {
  /** The newest word on each instant, oldest instant first. */
  readonly releases: readonly Release[];
  /** When it was seen, one run a tenure, oldest first. */
  readonly runs: readonly Run[];
  readonly gone: readonly Gone[];
  /** After how many days it is not followed any more; absent: always. */
  readonly idleDays?: number | undefined;
}

export const noTenures: Tenures = { releases: [], runs: [], gone: [] };

/** So many changes of hands are kept, the newest: a number is given to somebody else every few years. */
const MOST = 32;

const RELEASED = 'identifier_released';

type Saying = Pick<Event, 'type' | 'source' | 'identifiers' | 'properties' | 'occurredAt' | 'id' | 'context'>;

/**
 * The identifiers that an event gives up: those of the kind that it names (`properties.kind`), without a kind its phones
 * and e-mails. Strong ones only: of a weak one other clusters may know more.
 */
export const releasedBy = ({
  identifiers,
  properties: { kind },
}: Pick<Event, 'identifiers' | 'properties'>) =>
  identifiers.filter((id) => isStrong(id) && (typeof kind === 'string' ? id.kind === kind : isPersonal(id)));

/**
 * Whether an event says that an identifier was given up: a statement in the graph, and nothing that a customer did. It takes a
 * sender who signs; the same word of anybody else is an event like any other.
 */
export const isRelease = (event: Pick<Event, 'type' | 'identifiers' | 'properties' | 'context'>): boolean =>
  event.type === RELEASED && event.context.verified === 'signed' && releasedBy(event).length > 0;

/** What a release's event says. A person's word names an instant, and may take it back; a sender's is about its own. */
export function releaseOf({ source, properties, occurredAt: at, id: event }: Saying): Release {
  if (source.channel !== DECIDED.source.channel) return { since: at, released: true, at, event };
  return { since: String(properties.since), released: properties.released === true, at, event };
}

/**
 * The event of a person's word that an identifier was given up at an instant, or was not after all. Saying the same at the
 * same instant again is the same event.
 *
 * @param id in clear, as channels give identifiers
 */
export function releaseEvent(id: Identifier, word: Pick<Release, 'since' | 'released'>, at: string): Event {
  const name = JSON.stringify([id.kind, id.scope, id.value]);
  const parts = [RELEASED, name, word.since, String(word.released), at];
  return {
    ...{ id: eventId(DECIDED.source, parts), type: RELEASED, source: DECIDED.source },
    ...{ occurredAt: at, receivedAt: at, identifiers: [id], properties: { kind: id.kind, ...word } },
    context: { timeSource: 'sender', verified: 'signed' },
  };
}

/** The instants at which one tenure ends and another begins. */
const startsOf = ({ releases }: Tenures): string[] =>
  releases.filter(({ released }) => released).map(({ since }) => since);

const last = (starts: readonly string[], at: string): string | undefined =>
  starts.findLast((start) => start <= at);

/** The runs that begin after an idle time and not with a release, each with the one before. */
const afterIdle = (tenures: Tenures): { readonly former: Run; readonly run: Run }[] => {
  const starts = startsOf(tenures);
  return tenures.runs.flatMap((run, i) => {
    const former = tenures.runs[i - 1];
    return former && last(starts, former[0]) === last(starts, run[0]) ? [{ former, run }] : [];
  });
};

/** When tenures begin, but the first. */
export const startsIn = (tenures: Tenures): string[] =>
  [...startsOf(tenures), ...afterIdle(tenures).map(({ run }) => run[0])].sort();

/** Everything that two know of one identifier: saying it twice is saying it once. */
export function bothKnown(a: Tenures, b: Tenures): Tenures {
  const newest = new Map<string, Release>();
  for (const it of [...a.releases, ...b.releases]) {
    const known = newest.get(it.since);
    if (!known || isNewer(it, known)) newest.set(it.since, it);
  }
  const releases = [...newest.values()].sort((x, y) => (x.since < y.since ? -1 : 1)).slice(-MOST);
  const gone = new Map([...a.gone, ...b.gone].map((it) => [JSON.stringify([it.from, it.until, it.at]), it]));
  const idleDays = a.idleDays ?? b.idleDays;
  const both = [a, b].flatMap((it) => (it.idleDays === idleDays ? it.runs : it.runs.flat().map(once)));
  return {
    ...{ releases, runs: runsOf(both, releases, idleDays) },
    gone: [...gone].sort(([x], [y]) => (x < y ? -1 : 1)).map(([, it]) => it),
    ...(idleDays !== undefined && { idleDays }),
  };
}

const once = (at: string): Run => [at, at];

/** Sightings by tenure: of two runs that no release and no idle time parts one is made. */
function runsOf(given: readonly Run[], releases: readonly Release[], idleDays: number | undefined): Run[] {
  const starts = startsOf({ ...noTenures, releases: [...releases] });
  const isWhole = ([from, to]: Run) => last(starts, from) === last(starts, to);
  const sorted = given.flatMap((run) => (isWhole(run) ? [run] : run.map(once)));
  const runs: Run[] = [];
  for (const [from, to] of sorted.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const before = runs.at(-1);
    const isIdle = before && idleDays !== undefined && isApart(before[1], from, idleDays);
    if (!before || isIdle || !isWhole([before[0], from])) runs.push([from, to]);
    else if (to > before[1]) runs[runs.length - 1] = [before[0], to];
  }
  return runs;
}

const isApart = (before: string, after: string, idleDays: number): boolean =>
  Date.parse(after) - Date.parse(before) >= idleDays * DAY;

/** Whether what happened at an instant, and was received at another, was of an owner who was erased since. */
export const wasErased = (
  { gone }: Tenures,
  { occurredAt: at, receivedAt }: Pick<Event, 'occurredAt' | 'receivedAt'>,
): boolean =>
  gone.some(
    (it) =>
      it.from <= at && (it.until === undefined || at < it.until) && (at <= it.at || receivedAt <= it.at),
  );

/** Whether a release says anything that is not known of its identifier. */
export const saysNew = (known: Tenures = noTenures, release: Release): boolean =>
  JSON.stringify(bothKnown(known, { ...noTenures, releases: [release] }).releases) !==
  JSON.stringify(known.releases);

/** Identifiers' names → when they changed hands. */
export interface Tenured {
  readonly tenures: ReadonlyMap<string, Tenures>;
}

/** When the tenure of an identifier began that holds an instant; undefined: it is the first. */
export function tenureAt({ tenures }: Tenured, name: string, at: string): string | undefined {
  const known = tenures.get(name);
  return known && last(startsIn(known), at);
}

/**
 * What an identifier is called in a graph at an instant, without one: today. It is its name, but where it changed hands:
 * then it is another in each tenure.
 */
export function nodeAt(graph: Tenured, name: string, at = '~'): string {
  const start = tenureAt(graph, name, at);
  return start === undefined ? name : `${name}\n@${start}`;
}

/** What an edge is called: the pair, as its two were called when they met. */
export const edgeKey = (graph: Tenured, { a, b, at }: { a: string; b: string; at: string }): string =>
  `${nodeAt(graph, a, at)}\t${nodeAt(graph, b, at)}`;

/** Everything that an identifier was ever called, where it was seen. */
export const nodesOf = (graph: Tenured, name: string): string[] =>
  graph.tenures.get(name)?.runs.map(([from]) => nodeAt(graph, name, from)) ?? [name];

/** What an identifier is called that was seen again after an idle time, and what it was called before. */
export const successions = (graph: Tenured, name: string): { node: string; former: string }[] =>
  afterIdle(graph.tenures.get(name) ?? noTenures).map(({ run, former }) => ({
    node: nodeAt(graph, name, run[0]),
    former: nodeAt(graph, name, former[0]),
  }));

/**
 * Whether one graph knows of changes of hands that another did not when it took in its events. A register of the first
 * meeting does not know the first one in each tenure, so its events have to be read again (`addSightings`). A tenure that begins
 * after all that were known changes nothing.
 */
export const isDivided = (
  before: Tenured & { readonly identifiers: ReadonlyMap<string, Identifier> },
  after: Tenured,
): boolean =>
  [...after.tenures].some(([name, is]) => {
    if (!before.identifiers.has(name)) return false;
    const was = before.tenures.get(name) ?? noTenures;
    return (
      was.idleDays !== is.idleDays ||
      JSON.stringify(was.releases) !== JSON.stringify(is.releases) ||
      was.runs.some(([from], i) => is.runs[i]?.[0] !== from)
    );
  });

/**
 * When owners who are erased had an identifier: their tenures, less what is so near to somebody else's sightings in between
 * that it would be theirs.
 */
export function spansOf(tenures: Tenures, isTheirs: (run: Run) => boolean, at: string): Tenures['gone'] {
  const { runs, idleDays = 0 } = tenures;
  const starts = startsOf(tenures);
  const later = (time: string, ms: number) => toIso(Date.parse(time) + ms);
  return runs.filter(isTheirs).map(([first, final]) => {
    const start = last(starts, first);
    const others = runs.filter((run) => !isTheirs(run) && last(starts, run[0]) === start);
    const before = others.findLast(([, to]) => to < first);
    const after = others.find(([from]) => from > final);
    const until = after
      ? later(max(final, later(after[0], -idleDays * DAY)), 1)
      : starts.find((it) => it > final);
    return {
      from: before ? min(first, later(before[1], idleDays * DAY)) : (start ?? ''),
      ...(until !== undefined && { until }),
      at,
    };
  });
}

const min = (a: string, b: string): string => (a < b ? a : b);
const max = (a: string, b: string): string => (a > b ? a : b);
