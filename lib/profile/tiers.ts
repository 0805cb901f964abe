import { conversionsIn, entriesOf } from '../attribution/conversion.ts';
import { differFrom, type TierChange, tierBefore } from '../attribution/tier.ts';
import { longestLookBackMs } from '../attribution/window.ts';
import type { Event } from '../events/event.ts';
import { toIso } from '../platform/clock.ts';
import { entry } from './entries.ts';
import type { Rules } from './person.ts';

/**
 * Entries for the conversions before which a profile stands otherwise than was thought: the composite model reads it.
 *
 * @param events the profile's, all from the first instant on at which it may stand otherwise
 */
export function changedTiers(
  before: readonly TierChange[],
  after: readonly TierChange[],
  events: readonly Event[],
  { brand }: Rules,
): string[] {
  if (differFrom(before, after) === undefined) return [];
  return conversionsIn(entriesOf(events, brand))
    .filter(({ at }) => tierBefore(before, at) !== tierBefore(after, at))
    .map(({ key, at }) =>
      entry.conversion(key, toIso(Date.parse(at) - longestLookBackMs(brand.attribution))),
    );
}
