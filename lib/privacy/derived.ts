import type { Event } from '../events/event.ts';
import { pairOf, partition } from '../identity/graph.ts';
import { dayName } from '../platform/clock.ts';
import { keys } from '../platform/keys.ts';
import type { Key } from '../platform/table.ts';
import type { Cluster } from '../profile/cluster.ts';
import { parseEntry, unmarked } from '../profile/entries.ts';
import type { Rules } from '../profile/person.ts';

/** Rows that follow from a cluster's state: members of tags, brand-days, reviews. Not its conversions, which have rows of their own that name their days. */
export interface Derived {
  readonly tags: readonly Key[];
  readonly days: readonly Key[];
  readonly reviews: readonly Key[];
}

/** Every derived row that a cluster may have, whether it stands or not: of its state, and of what its outbox still names. */
export function derivedRows(
  { id, graph, shown, outbox }: Cluster,
  events: readonly Event[],
  { book }: Pick<Rules, 'book'>,
): Derived {
  const days = [...new Set(events.map((it) => dayName(book.calendar.brandDay(Date.parse(it.occurredAt)))))];
  const pending = outbox.map(unmarked).map(parseEntry);
  const profiles = [...shown];
  return {
    tags: distinct([
      ...profiles.flatMap(([profile, { tags }]) => [...tags.keys()].map((tag) => keys.member(tag, profile))),
      ...pending.flatMap((it) => (it.kind === 'tag' ? [keys.member(it.tag, it.profile)] : [])),
    ]),
    // What was still to be done may name rows of profiles that the last state does not know any more.
    days: distinct([
      ...profiles.flatMap(([profile]) => days.map((day) => keys.activity(day, profile))),
      ...pending.flatMap((it) =>
        it.kind === 'activity' ? [keys.activity(dayName(it.day), it.profile)] : [],
      ),
    ]),
    reviews: distinct([
      ...partition(graph).reviews.map((review) => keys.review(id, pairOf(review))),
      ...pending.flatMap((it) => (it.kind === 'review' ? [keys.review(id, it.pair)] : [])),
    ]),
  };
}

const distinct = (all: readonly Key[]): Key[] => [
  ...new Map(all.map((key) => [`${key.pk} ${key.sk}`, key])).values(),
];
