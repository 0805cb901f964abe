import type { Event } from '../events/event.ts';
import { dayName } from '../platform/clock.ts';
import { emptyPerson, type Rules, walk, watch } from '../profile/person.ts';
import type { Calendar } from './calendar.ts';
import type { TagValue } from './evaluate.ts';

/** What the rules of a draft make of one profile. */
export interface Outlook {
  /** Every tag of the draft's rules that it holds now. */
  readonly held: ReadonlyMap<string, TagValue>;
  /** The draft's own tag: as the day before the first ends, as each day but today ends, and now. */
  readonly values: readonly (TagValue | undefined)[];
}

/** The last instants of so many brand-days before today. */
export function endsBefore(now: number, days: number, calendar: Calendar): number[] {
  const today = calendar.brandDay(now);
  return Array.from({ length: days }, (_, i) => calendar.startOfDay(today - days + 1 + i) - 1);
}

/**
 * Walks a profile's events by a draft's rules, as they are walked once it is published, and looks up at the end of
 * each day. To look up changes nothing: between two ends of windows no tag changes.
 *
 * @param events of one profile, in time order
 */
export function outlookOf(
  events: readonly Event[],
  tag: string,
  draft: Rules,
  ends: readonly number[],
  now: number,
): Outlook {
  const person = emptyPerson();
  let seen = 0;
  const values = ends.map((end) => {
    const from = seen;
    while (seen < events.length && Date.parse(events[seen]?.occurredAt ?? '') <= end) seen++;
    walk(person, events.slice(from, seen), draft);
    watch(person, end, draft);
    return person.tags.get(tag)?.value;
  });
  walk(person, events.slice(seen), draft);
  watch(person, now, draft);
  const held = new Map([...person.tags].map(([name, { value }]) => [name, value]));
  return { held, values: [...values, held.get(tag)] };
}

/** The names of the brand-days that a forecast tells of, today last. */
export const daysUpTo = (now: number, days: number, calendar: Calendar): string[] =>
  Array.from({ length: days }, (_, i) => dayName(calendar.brandDay(now) - days + 1 + i));
