import { byTime, type Event } from '../events/event.ts';
import { DAY, toIso } from '../platform/clock.ts';
import { isOwnOf } from '../profile/cluster.ts';
import type { ProfileStore } from '../profile/store.ts';
import type { Found } from './lookup.ts';
import type { Span } from './span.ts';

/** How far back the journal is read first, and beyond what it is read whole. */
const FIRST_DAYS = 1;
const LAST_DAYS = 512;

/** Where a page ended: its oldest event. */
export type Place = Pick<Event, 'occurredAt' | 'id'>;

/**
 * The newest events of a profile in a span and older than a place, newest first, up to `count`.
 *
 * The journal is read from its newest segment back, and only as far as it takes: what is later than the frontier is in
 * the tail, at no cost; then everything from a day before on, and from as much further back as the density of what was
 * found promises, until enough are known: each time at least twice, at most eight times as far.
 *
 * A page deep in the past costs the segments after it too: a late event is in a newer segment than its time.
 */
export async function newestEvents(
  { cluster, profile }: Found,
  { from = '', to, after, count }: Span & { readonly after?: Place | undefined; readonly count: number },
  profiles: Pick<ProfileStore, 'journal'>,
): Promise<Event[]> {
  const isOwn = isOwnOf(cluster, profile.id);
  const wanted = (event: Event) =>
    event.occurredAt >= from &&
    (to === undefined || event.occurredAt < to) &&
    (after === undefined || byTime(event, after) < 0) &&
    isOwn(event);
  const newest = (events: readonly Event[], complete: (event: Event) => boolean) =>
    events
      .filter((event) => wanted(event) && complete(event))
      .sort((a, b) => byTime(b, a))
      .slice(0, count);

  const { frontier } = cluster;
  const recent = newest(
    cluster.tail,
    ({ occurredAt }) => cluster.sequence === 0 || frontier === undefined || occurredAt > frontier,
  );
  if (cluster.sequence === 0 || frontier === undefined || recent.length === count || from > frontier)
    return recent;

  const top = [frontier, to ?? frontier, after?.occurredAt ?? frontier].sort()[0] ?? frontier;
  for (let days = FIRST_DAYS; days <= LAST_DAYS; ) {
    const since = toIso(Date.parse(top) - days * DAY);
    if (since <= from) break;
    const { events } = await profiles.journal(cluster, since);
    const found = newest([...events, ...cluster.tail], ({ occurredAt }) => occurredAt >= since);
    if (found.length === count) return found;
    days *= Math.min(8, Math.max(2, (1.25 * count) / Math.max(found.length, 1)));
  }
  const { events } = await profiles.journal(cluster, from === '' ? undefined : from);
  return newest([...events, ...cluster.tail], () => true);
}
