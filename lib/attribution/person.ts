import type { Event } from '../events/event.ts';
import { type Conversion, conversionsIn, type Entry, entriesOf } from './conversion.ts';
import { conversionId } from './edition.ts';
import { pathOf } from './path.ts';
import type { ConversionRow } from './row.ts';
import { shareConversion } from './share.ts';
import { type TierChange, tierBefore } from './tier.ts';
import { type Terms, touchesOf } from './touch.ts';

/** One person's conversions, as the events tell them. */
export interface Person {
  readonly profile: string;
  readonly events: readonly Event[];
  /** The ids of those that nobody allowed to be analysed: they are no touches. Orders are the brand's books all the same. */
  readonly uncounted?: ReadonlySet<string> | undefined;
  /** What is converted from this instant on is credited to nothing: the person is restricted, the order is the brand's books. */
  readonly restricted?: string | undefined;
  readonly entries: ReadonlyMap<string, Entry>;
  readonly byKey: ReadonlyMap<string, Conversion>;
  /** In order of (time, id). */
  readonly conversions: readonly Conversion[];
  /** The conversion of the same goal before each. */
  readonly previous: ReadonlyMap<string, Conversion>;
}

/** What is known of a person beside their events. */
export type Said = Pick<Person, 'uncounted' | 'restricted'> & {
  /** How they have stood, where the brand goes by tags. */
  readonly tiers?: readonly TierChange[];
};

export function personOf(
  profile: string,
  events: readonly Event[],
  terms: Terms,
  { uncounted, restricted, tiers = [] }: Said = {},
): Person {
  const entries = entriesOf(events, terms);
  const conversions = conversionsIn(entries, (at) => tierBefore(tiers, at));
  const previous = new Map<string, Conversion>();
  const newest = new Map<string, Conversion>();
  for (const it of conversions) {
    const before = newest.get(it.goal);
    if (before) previous.set(it.key, before);
    newest.set(it.goal, it);
  }
  const byKey = new Map(conversions.map((it) => [it.key, it]));
  return { profile, events, uncounted, restricted, entries, byKey, conversions, previous };
}

/** Earliest refund of each key whose order is not known, by the id that the conversion will have. */
export function waitingOf({ profile, entries }: Person): Map<string, string> {
  const waiting = [...entries.values()].filter((entry) => entry.claims.length === 0);
  return new Map(waiting.map((entry) => [conversionId(profile, entry.key), entry.firstAt]));
}

/** The conversions of some keys with their paths and credits, oldest first. */
export function rowsOf(
  person: Person,
  keys: ReadonlySet<string> | 'all',
  terms: Terms,
  dayOf: (at: string) => string,
): ConversionRow[] {
  const named = person.conversions.filter((it) => keys === 'all' || keys.has(it.key));
  if (named.length === 0) return [];
  const touches = touchesOf(
    person.events.filter(({ id }) => !person.uncounted?.has(id)),
    terms,
  );
  return named.map((conversion) => {
    const { key, at } = conversion;
    const day = dayOf(at);
    const isUsed = person.restricted === undefined || at < person.restricted;
    const path = pathOf(at, person.previous.get(key)?.at, isUsed ? touches : [], terms.attribution);
    return {
      id: conversionId(person.profile, key),
      day,
      conversion,
      path,
      credits: shareConversion({ ...conversion, day }, path, terms.attribution),
    };
  });
}
