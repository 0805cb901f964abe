import type { Event } from '../events/event.ts';
import type { Somebody } from '../identity/find.ts';
import { nameOf } from '../identity/graph.ts';
import { isStrong } from '../identity/kinds.ts';
import type { Protector } from '../identity/protect.ts';
import { toIso } from '../platform/clock.ts';
import { type Restriction, restrictedAs, restrictionEvent } from './restriction.ts';

/**
 * The events that restrict a person, or end it. A restriction is said of every identifier that says who they are, so that
 * it stays with each part if the profile is taken apart; where none does, of the one that was asked by. Its end is said of
 * every identifier that is restricted. None: it is so already.
 */
export function restrictionsFor(
  { cluster: { graph }, names, id }: Pick<Somebody, 'cluster' | 'names' | 'id'>,
  restricted: boolean,
  at: string,
  { reveal }: Pick<Protector, 'reveal'>,
): Event[] {
  const own = names.flatMap((name) => graph.identifiers.get(name) ?? []);
  const strong = own.filter(isStrong);
  const meant = restricted ? (strong.length > 0 ? strong : [id]) : own;
  return meant
    .filter((it) => (restrictedAs(graph, nameOf(it)) !== undefined) !== restricted)
    .map((it) => restrictionEvent(reveal(it), restricted, afterAll(graph.restrictions.get(nameOf(it)), at)));
}

/** What is said now is said after all that was said before, whosever clock was ahead: of one instant the stricter would hold. */
function afterAll(said: readonly Restriction[] = [], at: string): string {
  const last = said.at(-1)?.at;
  return last === undefined || last < at ? at : toIso(Date.parse(last) + 1);
}
