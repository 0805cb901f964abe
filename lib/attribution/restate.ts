import { z } from 'zod';
import { type Event, instant } from '../events/event.ts';
import { DAY, dayName } from '../platform/clock.ts';
import type { Calendar } from '../tags/calendar.ts';
import { followers, type Person, personOf, rowsOf, waitingOf } from './person.ts';
import { conversionId, edition, type Mark } from './row.ts';
import type { ConversionStore } from './store.ts';
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
  readonly people: readonly { readonly profile: string; readonly events: readonly Event[] }[];
}

export interface RestateDeps {
  /** The journal of a cluster, or of the one that it was joined to; none if there is no such profile any more. */
  history(cluster: string, since?: number): Promise<History | undefined>;
  readonly store: ConversionStore;
  readonly brand: Terms;
  readonly calendar: Pick<Calendar, 'brandDay'>;
}

/**
 * Tells conversions again from the journal: computes their paths and credits and puts them; those that the journal
 * does not know any more are retired. Doing it twice, late or out of order changes nothing: what is put is a function
 * of the profile's version, and a row of a later edition stays.
 */
export async function restate(message: ConversionsMessage, deps: RestateDeps): Promise<void> {
  const { profile, conversions, since } = message;
  if (conversions === 'all') await restateAll(profile, deps);
  else await restateNamed(profile, conversions, since, deps);
}

/** Every conversion of a cluster; what is stored beside them is retired. */
async function restateAll(asked: string, deps: RestateDeps): Promise<void> {
  const history = await deps.history(asked);
  if (history) {
    const { cluster } = history;
    const work = peopleOf(history, deps).map((person): Wanted => ({ person, keys: 'all' }));
    const marks = await deps.store.marks(cluster);
    await write(cluster, history.version, undefined, work, marks, deps);
  }
  if (history?.cluster !== asked) await retireAll(asked, deps);
}

/** Retires what stands under an id that is no cluster any more. */
async function retireAll(cluster: string, { store }: RestateDeps): Promise<void> {
  const last = edition(await store.version(cluster), undefined);
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
 * where their journeys begin, say whether more has to be read. If one turns out to be at another time than it was
 * stored with, those after it are told again as well.
 */
async function restateNamed(
  cluster: string,
  names: readonly string[],
  from: string | undefined,
  deps: RestateDeps,
): Promise<void> {
  const marks = new Map<string, Mark>();
  const asked = new Set<string>();
  const marked = async (id: string): Promise<Mark | undefined> => {
    const seen = asked.has(id) ? undefined : await deps.store.mark(cluster, id);
    if (seen) marks.set(id, seen);
    asked.add(id);
    return marks.get(id);
  };

  for (let since = from === undefined ? undefined : midnight(Date.parse(from)); ; ) {
    const history = await deps.history(cluster, since);
    if (history?.cluster !== cluster) return restateAll(cluster, deps);
    const work: Wanted[] = [];
    let needed = Number.POSITIVE_INFINITY;
    for (const person of peopleOf(history, deps)) {
      const plan = await planOf(person, names, marked, deps.brand);
      work.push({ person, keys: plan.keys });
      needed = Math.min(needed, plan.needed);
    }
    if (since === undefined || needed >= since)
      return write(cluster, history.version, since, work, marks, deps);
    since = midnight(needed);
  }
}

/** What has to be told of a person, and from when on events have to be known for that. */
async function planOf(
  person: Person,
  names: readonly string[],
  marked: (id: string) => Promise<Mark | undefined>,
  { attribution }: Terms,
): Promise<{ keys: Set<string>; needed: number }> {
  const reach = longestLookBackMs(attribution);
  const keys = new Set(names);
  let needed = Number.POSITIVE_INFINITY;
  const need = (at: string | undefined, before: number) => {
    if (at !== undefined) needed = Math.min(needed, Date.parse(at) - before);
  };
  for (const key of keys) {
    const stored = await marked(conversionId(person.profile, key));
    need(stored?.firstAt, reach);
    need(person.entries.get(key)?.firstAt, reach);
    if (attribution.journey !== 'reset') continue;
    const told = person.byKey.get(key);
    const previous = person.previous.get(key);
    if (told && previous && Date.parse(told.at) - Date.parse(previous.at) <= reach) {
      const known = await marked(conversionId(person.profile, previous.key));
      if (known?.at !== undefined && known.at < previous.at) need(known.at, 0);
    }
    if (stored?.at === undefined || stored.at === told?.at) continue;
    for (const at of told ? [stored.at, told.at] : [stored.at])
      for (const follower of followers(person, stored.goal, at, reach)) keys.add(follower);
  }
  return { keys, needed };
}

interface Wanted {
  readonly person: Person;
  readonly keys: ReadonlySet<string> | 'all';
}

/**
 * Puts what was wanted, newest first, then retires what is no conversion: one that moved is put after those that its
 * move touches, so that a crash in between hides nothing from whoever tells it again.
 */
async function write(
  cluster: string,
  version: number,
  since: number | undefined,
  work: readonly Wanted[],
  marks: ReadonlyMap<string, Mark>,
  { store, brand, calendar }: RestateDeps,
): Promise<void> {
  const v = edition(version, since);
  const dayOf = (at: string) => dayName(calendar.brandDay(Date.parse(at)));
  const left = new Set(work.some(({ keys }) => keys === 'all') ? marks.keys() : []);
  const waiting = new Map<string, string>();
  for (const { person, keys } of work) {
    for (const row of rowsOf(person, keys, brand, dayOf).reverse()) {
      await store.put(cluster, row, v, marks.get(row.id));
      left.delete(row.id);
    }
    const refundsOnly = waitingOf(person);
    for (const [id, firstAt] of refundsOnly) waiting.set(id, firstAt);
    if (keys === 'all') for (const id of refundsOnly.keys()) left.add(id);
    else
      for (const key of keys) {
        const id = conversionId(person.profile, key);
        if (!person.byKey.has(key) && (marks.has(id) || refundsOnly.has(id))) left.add(id);
      }
  }
  for (const id of left) await store.retire(cluster, id, v, marks.get(id), waiting.get(id));
}

const peopleOf = (history: History, { brand }: RestateDeps): Person[] =>
  history.people.map(({ profile, events }) => personOf(profile, events, brand));

const midnight = (at: number): number => Math.floor(at / DAY) * DAY;
