import type { Event } from '../events/event.ts';
import { type Person, type Rules, viewOf, walk } from '../profile/person.ts';
import { nextChange } from './changes.ts';
import { walkTo } from './forecast-walk.ts';

/** A profile as it stood at an instant, by some rules. @param events all of one profile, in time order */
export const personAt = (events: readonly Event[], at: number, rules: Rules): Person =>
  walkTo(events, rules, [at], () => undefined).person;

/** Enough for windows over the longest history. */
const ALL_BOUNDARIES = 10_000;

/**
 * When a tag did change after an instant, by some rules: with an event, or when a window ended, to the millisecond.
 * Undefined if it has not changed until now.
 *
 * @param events all of one profile, in time order
 */
export function changeAfter(
  tag: string,
  events: readonly Event[],
  at: number,
  now: number,
  rules: Rules,
): number | undefined {
  const { person, rest } = walkTo(events, rules, [at], () => undefined);
  const before = stateOf(person, tag);
  let last = at;
  for (let i = 0; i < rest.length; ) {
    const time = Date.parse(rest[i]?.occurredAt ?? '');
    if (time > now) break;
    const from = i;
    while (i < rest.length && rest[i]?.occurredAt === rest[from]?.occurredAt) i++;
    walk(person, rest.slice(from, i), rules);
    if (stateOf(person, tag) !== before) return Math.min(time, quietChange(tag, events, last, rules) ?? time);
    last = time;
  }
  const quiet = quietChange(tag, events, last, rules);
  return quiet !== undefined && quiet <= now ? quiet : undefined;
}

/** When it changes after an instant if nothing happens. */
function quietChange(tag: string, events: readonly Event[], at: number, rules: Rules): number | undefined {
  const view = viewOf(personAt(events, at, rules));
  const next = nextChange(rules.book, view, at, { tag, limit: ALL_BOUNDARIES });
  return next?.exact ? next.at : undefined;
}

const stateOf = ({ tags }: Person, tag: string): string =>
  JSON.stringify([tags.get(tag)?.value, tags.get(tag)?.since]);
