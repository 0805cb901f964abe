import type { Event } from '../events/event.ts';
import { dayName } from '../platform/clock.ts';
import { emptyPerson, type Person, type Rules, walk, watch } from '../profile/person.ts';
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
  const { person, rest, seen } = walkTo(events, draft, ends, ({ tags }) => tags.get(tag)?.value);
  walk(person, rest, draft);
  watch(person, now, draft);
  const held = heldBy(person);
  return { held, values: [...seen, held.get(tag)] };
}

/**
 * Walks a profile's events and looks up at some instants. @param ends ascending
 *
 * @returns what was seen, how the profile stands at the last of them, and the events that come later
 */
export function walkTo<T>(
  events: readonly Event[],
  rules: Rules,
  ends: readonly number[],
  look: (person: Person) => T,
): { readonly person: Person; readonly rest: readonly Event[]; readonly seen: T[] } {
  const person = emptyPerson();
  let next = 0;
  const seen = ends.map((end) => {
    const from = next;
    while (next < events.length && Date.parse(events[next]?.occurredAt ?? '') <= end) next++;
    walk(person, events.slice(from, next), rules);
    watch(person, end, rules);
    return look(person);
  });
  return { person, rest: events.slice(next), seen };
}

/** The tags that a profile holds, with their values. */
export const heldBy = ({ tags }: Person): Map<string, TagValue> =>
  new Map([...tags].map(([name, { value }]) => [name, value]));

/** The names of the brand-days that a forecast tells of, today last. */
export const daysUpTo = (now: number, days: number, calendar: Calendar): string[] =>
  Array.from({ length: days }, (_, i) => dayName(calendar.brandDay(now) - days + 1 + i));
