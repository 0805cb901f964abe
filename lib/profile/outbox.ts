import { z } from 'zod';
import { conversionId, isToldFrom } from '../attribution/edition.ts';
import type { Event } from '../events/event.ts';
import { pairOf, partition } from '../identity/graph.ts';
import { DAY, dayName, toIso } from '../platform/clock.ts';
import { ConflictError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Queue } from '../platform/queue.ts';
import type { Item, Table } from '../platform/table.ts';
import { restrictedSince } from '../privacy/restriction.ts';
import type { Activity } from './activity.ts';
import { type Cluster, split } from './cluster.ts';
import { EARLIER } from './days.ts';
import { type Entry, parseEntry, unmarked } from './entries.ts';
import { GONE_DAYS, takeOut } from './expire.ts';
import { emptyPerson, type Rules, walk } from './person.ts';
import type { ProfileStore } from './store.ts';

export interface OutboxDeps {
  readonly table: Table;
  readonly profiles: ProfileStore;
  /** Where conversions are announced; without it such entries wait for somebody who has it. */
  readonly conversions?: Queue;
  readonly now: () => number;
  /** Ends the arrival of a cluster that is being taken in; without it such entries wait as well. */
  readonly finish?: (cluster: string) => Promise<void>;
}

/**
 * Writes and sends what follows from a stored state. Rows carry the state's version and give way to newer ones, so
 * whoever comes late, or twice, changes nothing.
 *
 * @param again somebody has most likely done it before: looking costs a fifth of writing
 * @returns the entries that somebody else has to do, who has what it takes
 */
export async function perform(
  cluster: Cluster,
  rules: Rules,
  deps: OutboxDeps,
  again = false,
): Promise<readonly string[]> {
  const texts = [...new Set(cluster.outbox.map(unmarked))];
  const entries = texts.map(parseEntry);
  if (entries.length === 0) return [];
  const put = putter(cluster.version, deps, again);

  await Promise.all(
    entries.map((entry) => (entry.kind === 'tag' ? putMember(cluster, entry, put) : undefined)),
  );
  const days = entries.some(({ kind }) => kind === 'activity')
    ? await activities(cluster, entries, rules, deps)
    : undefined;
  for (const entry of entries) {
    if (entry.kind !== 'activity') continue;
    const key = keys.activity(dayName(entry.day), entry.profile);
    await put(key, activityRow(days?.get(`${entry.profile} ${entry.day}`)));
  }
  await putReviews(cluster, entries, put);
  for (const entry of entries) if (entry.kind === 'expiry') await takeOut(cluster, entry.cut, deps);
  await finishArrivals(entries, deps);
  const untold = again ? await notTold(cluster, entries, deps) : entries;
  await announce(cluster, untold, deps);
  return texts.filter((_, i) => {
    const entry = entries[i];
    if (entry?.kind === 'arrival') return deps.finish === undefined;
    return isAnnounced(entry) && untold.includes(entry) && deps.conversions === undefined;
  });
}

const isAnnounced = (
  entry: Entry | undefined,
): entry is Extract<Entry, { kind: 'conversion' | 'conversions' }> =>
  entry?.kind === 'conversion' || entry?.kind === 'conversions';

async function finishArrivals(entries: readonly Entry[], { finish }: OutboxDeps): Promise<void> {
  for (const entry of entries) if (entry.kind === 'arrival') await finish?.(entry.cluster);
}

type Put = (key: { pk: string; sk: string }, content: Omit<Item, 'pk' | 'sk'> | undefined) => Promise<void>;

const derived = z.object({ v: z.int() });

/**
 * Puts a derived row, or the mark that there is none any more.
 *
 * @param look whether to look first if it, or a newer one, is there
 */
export function putter(
  version: number,
  { table, now }: Pick<OutboxDeps, 'table' | 'now'>,
  look = false,
): Put {
  return async (key, content) => {
    const stored = look ? await table.get(key) : undefined;
    if (stored && derived.parse(stored).v >= version) return;
    const row = content ?? { gone: true, ttl: Math.floor((now() + GONE_DAYS * DAY) / 1000) };
    try {
      await table.put({ ...row, ...key, v: version }, { kind: 'newer' });
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error; // written from this state or a newer one
    }
  };
}

async function putMember(
  cluster: Cluster,
  { profile, tag }: Extract<Entry, { kind: 'tag' }>,
  put: Put,
): Promise<void> {
  const held = cluster.shown.get(profile)?.tags.get(tag);
  await put(
    keys.member(tag, profile),
    held && { value: held.value, since: toIso(held.since), rule: held.version },
  );
}

const activityRow = (activity: Activity | undefined): Omit<Item, 'pk' | 'sk'> | undefined =>
  activity && {
    firstAt: activity.firstAt,
    firstChannel: activity.firstChannel,
    isNew: activity.isNew,
    orders: activity.orders,
    money: { ...activity.money },
    ...(activity.stage !== undefined && { stage: activity.stage }),
  };

/** The days' activities that entries name. They stand in the state, or are no more; of very many it takes the journal to tell. */
async function activities(
  cluster: Cluster,
  entries: readonly Entry[],
  rules: Rules,
  { profiles }: OutboxDeps,
): Promise<Map<string, Activity>> {
  const days = new Map<string, Activity>();
  for (const [profile, { activity, earlier }] of cluster.shown) {
    for (const it of activity ? [...earlier, activity] : earlier) days.set(`${profile} ${it.day}`, it);
  }
  const waiting = entries.flatMap((entry) => (entry.kind === 'activity' ? [entry] : []));
  const perProfile = Map.groupBy(
    waiting.filter(({ profile, day }) => cluster.shown.get(profile)?.activity?.day !== day),
    ({ profile }) => profile,
  );
  if ([...perProfile.values()].every(({ length }) => length <= EARLIER)) return days;

  const events: Event[] = await profiles.events(cluster);
  const ids = [...cluster.shown.keys()];
  const division = partition(cluster.graph);
  for (const [i, part] of split(events, division).entries()) {
    const restricted = restrictedSince(cluster.graph, division.members[i]);
    walk(emptyPerson(restricted), part, rules, (activity) => days.set(`${ids[i]} ${activity.day}`, activity));
  }
  return days;
}

async function putReviews(cluster: Cluster, entries: readonly Entry[], put: Put): Promise<void> {
  const asked = entries.filter((entry) => entry.kind === 'review');
  if (asked.length === 0) return;
  const reviews = new Map(partition(cluster.graph).reviews.map((review) => [pairOf(review), review]));
  for (const { pair } of asked) {
    const review = reviews.get(pair);
    const [a, b] = [review?.a, review?.b].map((name) => cluster.graph.identifiers.get(name ?? ''));
    const content = review &&
      a &&
      b && { at: review.at, event: review.event, reason: review.reason, a: { ...a }, b: { ...b } };
    await put(keys.review(cluster.id, pair), content);
  }
}

/**
 * The entries without those conversions that were told since from this state or a newer one. In a cluster of several
 * profiles an order's number may be two conversions: there all are announced again.
 */
async function notTold(
  cluster: Cluster,
  entries: readonly Entry[],
  { table }: OutboxDeps,
): Promise<readonly Entry[]> {
  const [profile, other] = cluster.shown.keys();
  if (profile === undefined || other !== undefined) return entries;
  const told = await Promise.all(
    entries.map(async (entry) => {
      if (entry.kind !== 'conversion') return false;
      const row = await table.get(keys.conversion(cluster.id, conversionId(profile, entry.key)));
      return row !== undefined && isToldFrom(derived.parse(row).v, cluster.version);
    }),
  );
  return entries.filter((_, i) => !told[i]);
}

/** Announces conversions whose credits may have changed: one message, and one only for each batch of events. */
async function announce(
  cluster: Cluster,
  entries: readonly Entry[],
  { conversions }: OutboxDeps,
): Promise<void> {
  const named = entries.filter((entry) => entry.kind === 'conversion');
  const all = entries.some(({ kind }) => kind === 'conversions');
  if (!conversions || (!all && named.length === 0)) return;
  const sinces = named.map(({ since }) => since);
  const since = all || sinces.includes(undefined) ? undefined : sinces.sort()[0];
  const message = {
    profile: cluster.id,
    conversions: all ? 'all' : [...new Set(named.map(({ key }) => key))],
    ...(since !== undefined && { since }),
  };
  await conversions.send([JSON.stringify(message)]);
}
