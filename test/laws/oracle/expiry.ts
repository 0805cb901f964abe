import type { Event } from '../../../lib/events/event.ts';
import type { Brand } from '../../../lib/platform/brand.ts';
import { conversionsOf } from './attribution.ts';
import { dayOf } from './days.ts';
import type { FamilyRule } from './family.ts';
import { identities } from './identity.ts';
import type { ExpectedWorld } from './oracle.ts';
import { profileOf } from './profile.ts';
import { nextChangeOf, stoodBefore, tagsOf } from './tags.ts';

/** For how many days the events of a type are kept, by what the brand of a test says in so many words. */
export interface Kept {
  readonly days: number;
  readonly types: Readonly<Record<string, number>>;
}

/** Whether an event is still kept at an instant: it is on so many days of the brand, its own the first. */
export const isKeptAt = (event: Event, now: number, zone: string, { days, types }: Kept): boolean =>
  dayOf(now, zone) - dayOf(Date.parse(event.occurredAt), zone) < (types[event.type] ?? days);

/**
 * The world as it must be at `now` where events expire: who is who by all events that ever were taken, everything else
 * by those that are kept.
 */
export function expectedWhereKept(
  taken: readonly Event[],
  isKept: (event: Event) => boolean,
  brand: Brand,
  rules: readonly FamilyRule[],
  now: number,
): ExpectedWorld {
  const { profiles, reviews } = identities(taken);
  const zone = brand.timezone;
  const named = brand.attribution.composite.tier.tags;
  return {
    profiles: profiles
      .map(({ names, events }) => ({ names, own: events.filter(isKept) }))
      .filter(({ own }) => own.length > 0)
      .map(({ names, own }) => {
        const next = nextChangeOf(own, rules, zone, now);
        return {
          names,
          events: own.map(({ id }) => id),
          ...profileOf(own),
          tags: tagsOf(own, rules, zone, now),
          nextChangeAt: next === undefined ? null : new Date(next).toISOString(),
          conversions: conversionsOf(own, brand, (at) =>
            named ? stoodBefore(at, own, rules, zone, named) : 'other',
          ),
        };
      }),
    reviews,
  };
}
