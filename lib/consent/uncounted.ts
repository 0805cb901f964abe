import type { Event } from '../events/event.ts';
import type { ConsentDefaults } from '../platform/brand.ts';
import { allows, type Consents, hear } from './consents.ts';
import { countsAlways, isConsent } from './said.ts';

/**
 * The ids of the events that count for nothing: nobody allowed analytics when they occurred. What speaks of consent
 * itself always counts, and so does what somebody had put right.
 *
 * @param events of one profile in time order
 * @param before what had been said before the first of them
 */
export function uncounted(
  events: readonly Event[],
  defaults: ConsentDefaults,
  before?: Consents,
): ReadonlySet<string> {
  const none = new Set<string>();
  if (!before && defaults.analytics === 'granted' && !events.some(isConsent)) return none;
  let consents = before;
  for (let i = 0; i < events.length; ) {
    const from = i;
    while (i < events.length && events[i]?.occurredAt === events[from]?.occurredAt) i++;
    const together = events.slice(from, i);
    consents = hear(consents, together);
    if (allows(consents, 'analytics', defaults)) continue;
    for (const event of together) if (!countsAlways(event)) none.add(event.id);
  }
  return none;
}
