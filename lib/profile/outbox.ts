import type { Event } from '../events/event.ts';
import { pairOf, partition } from '../identity/graph.ts';
import { DAY, dayName, toIso } from '../platform/clock.ts';
import { ConflictError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Queue } from '../platform/queue.ts';
import type { Item, Table } from '../platform/table.ts';
import type { Activity } from './activity.ts';
import { type Cluster, split } from './cluster.ts';
import { type Entry, parseEntry, unmarked } from './entries.ts';
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

/** How long a row that says "no more" is kept: longer than any writer that could still bring an older one. */
const GONE_DAYS = 14;

/**
 * Writes and sends what follows from a stored state. Rows carry the state's version and give way to newer ones, so
 * whoever comes late, or twice, changes nothing. Answers whether everything was done.
 */
export async function perform(cluster: Cluster, rules: Rules, deps: OutboxDeps): Promise<boolean> {
  const entries = [...new Set(cluster.outbox.map(unmarked))].map(parseEntry);
  if (entries.length === 0) return true;
  const put = putter(cluster.version, deps);

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
  const finished = await finishArrivals(entries, deps);
  return (await announce(cluster, entries, deps)) && finished;
}

async function finishArrivals(entries: readonly Entry[], { finish }: OutboxDeps): Promise<boolean> {
  const arrivals = entries.filter((entry) => entry.kind === 'arrival');
  for (const { cluster } of arrivals) await finish?.(cluster);
  return arrivals.length === 0 || finish !== undefined;
}

type Put = (key: { pk: string; sk: string }, content: Omit<Item, 'pk' | 'sk'> | undefined) => Promise<void>;

/** Puts a derived row, or the mark that there is none any more. */
export function putter(version: number, { table, now }: Pick<OutboxDeps, 'table' | 'now'>): Put {
  return async (key, content) => {
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

/** The days' activities that entries name: they stand in the state; very many, or none any more, take the journal. */
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
  const missing = entries.some(
    (entry) => entry.kind === 'activity' && !days.has(`${entry.profile} ${entry.day}`),
  );
  if (!missing) return days;

  const events: Event[] = await profiles.events(cluster);
  const ids = [...cluster.shown.keys()];
  for (const [i, part] of split(events, partition(cluster.graph)).entries()) {
    walk(emptyPerson(), part, rules, (activity) => days.set(`${ids[i]} ${activity.day}`, activity));
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

/** Announces conversions whose credits may have changed: one message, and one only for each batch of events. */
async function announce(
  cluster: Cluster,
  entries: readonly Entry[],
  { conversions }: OutboxDeps,
): Promise<boolean> {
  const named = entries.filter((entry) => entry.kind === 'conversion');
  const all = entries.some(({ kind }) => kind === 'conversions');
  if (!all && named.length === 0) return true;
  if (!conversions) return false;
  const sinces = named.map(({ since }) => since);
  const since = all || sinces.includes(undefined) ? undefined : sinces.sort()[0];
  const message = {
    profile: cluster.id,
    conversions: all ? 'all' : [...new Set(named.map(({ key }) => key))],
    ...(since !== undefined && { since }),
  };
  await conversions.send([JSON.stringify(message)]);
  return true;
}
