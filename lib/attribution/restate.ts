import { z } from 'zod';
import { type Event, instant } from '../events/event.ts';
import { DAY, dayName } from '../platform/clock.ts';
import { ConflictError } from '../platform/errors.ts';
import type { Calendar } from '../tags/calendar.ts';
import { type Conversion, conversionsAfter, conversionsOf } from './conversion.ts';
import { conversionId, edition } from './edition.ts';
import { type Generations, toldBy } from './generations.ts';
import type { ListedConversion } from './listing.ts';
import { type Person, personOf, rowsOf, waitingOf } from './person.ts';
import { type ConversionRow, dayRowOf, type Mark } from './row.ts';
import type { ConversionStore } from './store.ts';
import type { TierChange } from './tier.ts';
import type { Terms } from './touch.ts';
import { longestLookBackMs } from './window.ts';

/** A message of the `conversions` queue: whose credits may have changed. */
export const conversionsMessage = z.strictObject({
  /** The cluster's id. */
  profile: z.string().min(1),
  /** Keys of conversions (`conversionKey`), or every one. */
  conversions: z.union([z.array(z.string().min(1)), z.literal('all')]),
  /** Events older than this are not needed, as far as the sender knows. */
  since: instant.optional(),
});
export type ConversionsMessage = z.infer<typeof conversionsMessage>;

/** What a profile's journal tells. */
export interface History {
  /** After redirects. */
  readonly cluster: string;
  readonly version: number;
  /** Each person's events, sorted by time, complete from `since` on. */
  readonly people: readonly {
    readonly profile: string;
    readonly events: readonly Event[];
    /** The ids of those that nobody allowed to be analysed. */
    readonly uncounted?: ReadonlySet<string>;
    /** From when on nothing of theirs is used. */
    readonly restricted?: string | undefined;
    /** How they have stood, where the brand goes by tags. */
    readonly tiers?: readonly TierChange[];
  }[];
}

export interface RestateDeps {
  /** The journal of a cluster, or of the one that it was joined to; none if there is no such profile any more. */
  history(cluster: string, since?: number): Promise<History | undefined>;
  readonly store: ConversionStore;
  readonly brand: Terms;
  readonly calendar: Pick<Calendar, 'brandDay'>;
  /** What everything is told by; without it by the brand's own settings, which never change. */
  readonly generations?: Generations;
}

/** The brand's terms, once for each of the settings that hold or will; the newest last. */
const termsOf = ({ brand, generations }: RestateDeps): { readonly id: string; readonly terms: Terms }[] =>
  generations
    ? toldBy(generations).map(({ id, settings }) => ({ id, terms: { ...brand, attribution: settings } }))
    : [{ id: '', terms: brand }];

/** How far any of the settings look back, and whether a journey ends with a conversion in one. */
function farthest(deps: RestateDeps): { readonly reach: number; readonly isReset: boolean } {
  const all = termsOf(deps).map(({ terms }) => terms.attribution);
  return {
    reach: Math.max(...all.map(longestLookBackMs)),
    isReset: all.some(({ journey }) => journey === 'reset'),
  };
}

/** How often a message is begun anew when others write the same conversions, before it comes again by itself. */
const ATTEMPTS = 5;

/**
 * Tells conversions again from the journal: computes their paths and credits and puts them; those that the journal
 * does not know any more are retired. Doing it twice, late or out of order changes nothing: what is put is a function
 * of the profile's version, and a row of a later edition stays.
 */
export async function restate(message: ConversionsMessage, deps: RestateDeps): Promise<void> {
  const { profile, conversions, since } = message;
  for (let attempt = 1; ; attempt++) {
    try {
      if (conversions === 'all') return await restateAll(profile, deps);
      const repeated = await restateNamed(profile, conversions, since, deps);
      if (repeated.length > 0) await restateAfter(profile, repeated, since, deps);
      return;
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Every conversion of a cluster; what is stored beside them is retired. */
async function restateAll(asked: string, deps: RestateDeps): Promise<void> {
  const history = await deps.history(asked);
  if (history) {
    const { cluster } = history;
    const work = peopleOf(history, deps).map((person): Wanted => ({ person, keys: 'all' }));
    const marks = await deps.store.marks(cluster);
    const repeated = await write(cluster, history.version, undefined, work, marks, deps);
    if (repeated.length > 0) await restateAfter(cluster, repeated, undefined, deps);
  }
  if (history?.cluster !== asked) await retireAll(asked, deps);
}

/** Retires what stands under an id that is no cluster any more. */
async function retireAll(cluster: string, { store, generations }: RestateDeps): Promise<void> {
  const last = edition(await store.version(cluster), undefined, generations?.seq);
  for (const [id, seen] of await store.marks(cluster)) {
    const retired = seen.gone && seen.ttl !== undefined;
    await store.retire(cluster, id, Math.max(last, retired ? seen.v : seen.v + 1), seen);
  }
}

/**
 * The named conversions, read from as short a way back as tells them exactly.
 *
 * Events of one key can lie further apart than the look-back, and the sender does not know. What is stored does: it
 * names the earliest event of its key. So the stored rows of the named conversions, and of those just before them
 * where their journeys begin, say whether more has to be read.
 *
 * @returns those of them that events tell of at several times
 */
async function restateNamed(
  cluster: string,
  names: readonly string[],
  from: string | undefined,
  deps: RestateDeps,
): Promise<Conversion[]> {
  for (let since = from === undefined ? undefined : midnight(Date.parse(from)); ; ) {
    const history = await deps.history(cluster, since);
    if (history?.cluster !== cluster) {
      await restateAll(cluster, deps);
      return [];
    }
    const marks = new Map<string, Mark>();
    const marked = async (id: string): Promise<Mark | undefined> => {
      const seen = marks.get(id) ?? (await deps.store.mark(cluster, id));
      if (seen) marks.set(id, seen);
      return seen;
    };
    const keys = new Set(names);
    const people = peopleOf(history, deps);
    let needed = Number.POSITIVE_INFINITY;
    for (const person of people) needed = Math.min(needed, await neededBy(person, keys, marked, deps));
    if (since !== undefined && needed < since) {
      since = midnight(needed);
      continue;
    }
    // Whoever read further back may have been stopped between a row and its place in the list; who knows less may
    // not finish that, and the message that knew as much may be acknowledged.
    const v = edition(history.version, since, deps.generations?.seq);
    if (since === undefined || ![...marks.values()].some((it) => it.v > v)) {
      const work = people.map((person) => ({ person, keys }));
      return write(cluster, history.version, since, work, marks, deps);
    }
    since = undefined;
  }
}

/**
 * The conversions whose journeys may have been thought to begin at one that turned out to be older: somebody who read
 * only a later event of it could not know. They are told again from the journal as it is now, after the older time
 * was stored, so that whoever tells one of them later knows.
 */
async function restateAfter(
  cluster: string,
  repeated: readonly Conversion[],
  since: string | undefined,
  deps: RestateDeps,
): Promise<void> {
  const { reach, isReset } = farthest(deps);
  if (!isReset) return;
  const times = repeated.flatMap(({ goal, repeatedAt }) => repeatedAt.map((at) => ({ goal, at })));
  const earliest = times.map(({ at }) => Date.parse(at)).reduce((a, b) => Math.min(a, b));
  const history = await deps.history(cluster, since === undefined ? undefined : earliest);
  const followers = (history?.people ?? []).flatMap(({ events }) => {
    const known = conversionsOf(events, deps.brand);
    return times.flatMap((it) => conversionsAfter(known, it.goal, it.at, reach));
  });
  const names = [...new Set(followers.map(({ key }) => key))];
  if (names.length > 0) await restateNamed(cluster, names, since, deps);
}

/** From when on events have to be known to tell a person's conversions. */
async function neededBy(
  person: Person,
  keys: ReadonlySet<string>,
  marked: (id: string) => Promise<Mark | undefined>,
  deps: RestateDeps,
): Promise<number> {
  const { reach, isReset } = farthest(deps);
  let needed = Number.POSITIVE_INFINITY;
  for (const key of keys) {
    const stored = await marked(conversionId(person.profile, key));
    for (const first of [stored?.firstAt, person.entries.get(key)?.firstAt])
      if (first !== undefined) needed = Math.min(needed, Date.parse(first) - reach);
    const told = person.byKey.get(key);
    const previous = person.previous.get(key);
    if (!isReset || !told || !previous) continue;
    if (Date.parse(told.at) - Date.parse(previous.at) > reach) continue;
    const known = await marked(conversionId(person.profile, previous.key));
    if (known?.at !== undefined && known.at < previous.at) needed = Math.min(needed, Date.parse(known.at));
  }
  return needed;
}

interface Wanted {
  readonly person: Person;
  readonly keys: ReadonlySet<string> | 'all';
}

/** Puts what was wanted and retires what is no conversion. Returns what events tell of at several times. */
async function write(
  cluster: string,
  version: number,
  since: number | undefined,
  work: readonly Wanted[],
  marks: ReadonlyMap<string, Mark>,
  deps: RestateDeps,
): Promise<Conversion[]> {
  const { store, calendar, generations } = deps;
  const v = edition(version, since, generations?.seq);
  const dayOf = (at: string) => dayName(calendar.brandDay(Date.parse(at)));
  const left = new Set(work.some(({ keys }) => keys === 'all') ? marks.keys() : []);
  const waiting = new Map<string, string>();
  const repeated: Conversion[] = [];
  for (const { person, keys } of work) {
    for (const { row, listings } of toldOf(person, keys, dayOf, deps)) {
      await store.put(cluster, row, v, marks.get(row.id), listings);
      left.delete(row.id);
      if (row.conversion.repeatedAt.length > 0) repeated.push(row.conversion);
    }
    for (const [id, firstAt] of waitingOf(person)) waiting.set(id, firstAt);
    for (const key of keys === 'all' ? person.entries.keys() : keys) {
      const id = conversionId(person.profile, key);
      if (!person.byKey.has(key) && (marks.has(id) || waiting.has(id))) left.add(id);
    }
  }
  for (const id of left) await store.retire(cluster, id, v, marks.get(id), waiting.get(id));
  return repeated;
}

/** A person's conversions as the newest settings tell them, and as the day's list has them by all that hold or will. */
function toldOf(
  person: Person,
  keys: Wanted['keys'],
  dayOf: (at: string) => string,
  deps: RestateDeps,
): { readonly row: ConversionRow; readonly listings: (readonly [string, ListedConversion])[] }[] {
  const all = termsOf(deps).map(({ id, terms }) => ({ id, rows: rowsOf(person, keys, terms, dayOf) }));
  return (all.at(-1)?.rows ?? []).map((row, i) => ({
    row,
    listings: all.flatMap(({ id, rows }) => (rows[i] ? [[id, dayRowOf(rows[i], dayOf)] as const] : [])),
  }));
}

const peopleOf = (history: History, { brand }: RestateDeps): Person[] =>
  history.people.map(({ profile, events, ...said }) => personOf(profile, events, brand, said));

const midnight = (at: number): number => Math.floor(at / DAY) * DAY;
