import type { Event } from '../../../lib/events/event.ts';
import type { Brand } from '../../../lib/platform/brand.ts';
import { conversionsOf, type ExpectedConversion } from './attribution.ts';
import type { FamilyRule } from './family.ts';
import { type Identities, identities } from './identity.ts';
import { type ExpectedProfile, profileOf } from './profile.ts';
import { type ExpectedTag, nextChangeOf, stoodBefore, tagsOf } from './tags.ts';

export interface ExpectedPerson extends ExpectedProfile {
  readonly names: readonly string[];
  /** Ids, in order of (time, id). */
  readonly events: readonly string[];
  readonly tags: readonly ExpectedTag[];
  /** When a tag would next change if nothing happened. */
  readonly nextChangeAt: string | null;
  readonly conversions: readonly ExpectedConversion[];
}

export interface ExpectedWorld {
  readonly profiles: readonly ExpectedPerson[];
  readonly reviews: Identities['reviews'];
}

/**
 * The world as it must be at `now`, from nothing but the set of events: read one after the other in the order of
 * their times, everything recomputed from the whole list. Slow, obvious, and of no line in common with the product.
 *
 * @param isKept where events expire: who is who is told by all that ever were taken, everything else by those that are kept
 */
export function expectedWorld(
  events: readonly Event[],
  brand: Brand,
  rules: readonly FamilyRule[],
  now: number,
  isKept: (event: Event) => boolean = () => true,
): ExpectedWorld {
  const { profiles, reviews } = identities(events);
  return {
    profiles: profiles
      .map(({ names, events: all }) => ({ names, own: all.filter(isKept) }))
      .filter(({ own }) => own.length > 0)
      .map(({ names, own }) => ({ names, ...expectedPerson(own, brand, rules, now) })),
    reviews,
  };
}

/** Somebody whose events are these, as they must be at `now`. */
export function expectedPerson(
  own: readonly Event[],
  brand: Brand,
  rules: readonly FamilyRule[],
  now: number,
): Omit<ExpectedPerson, 'names'> {
  const zone = brand.timezone;
  const named = brand.attribution.composite.tier.tags;
  const next = nextChangeOf(own, rules, zone, now);
  return {
    events: own.map(({ id }) => id),
    ...profileOf(own),
    tags: tagsOf(own, rules, zone, now),
    nextChangeAt: next === undefined ? null : new Date(next).toISOString(),
    conversions: conversionsOf(own, brand, (at) =>
      named ? stoodBefore(at, own, rules, zone, named) : 'other',
    ),
  };
}

/** A world as one text, names sorted: equal worlds, equal texts. Two spaces deep, for a readable difference. */
export const describe = (world: ExpectedWorld): string =>
  JSON.stringify(
    {
      profiles: [...world.profiles].sort((a, b) => compare(a.names.join('\n'), b.names.join('\n'))),
      reviews: [...world.reviews].sort((a, b) => compare(a.pair.join('\n'), b.pair.join('\n'))),
    },
    sortedNames,
    2,
  );

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** For `JSON.stringify`: objects with their names in order. */
function sortedNames(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => compare(a, b)));
}
