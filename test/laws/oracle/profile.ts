import type { Event, Json } from '../../../lib/events/event.ts';

/** The customer as a reader would know them who has read all events in the order of their times. */
export interface ExpectedProfile {
  readonly traits: Readonly<Record<string, Json>>;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
}

/** @param events of one profile, in order of (time, id), at least one */
export function profileOf(events: readonly Event[]): ExpectedProfile {
  const traits = new Map<string, Json>();
  for (const event of events) {
    for (const [name, value] of Object.entries(event.traits ?? {})) {
      if (value === null) traits.delete(name);
      else traits.set(name, value);
    }
    for (const [name, value] of Object.entries(event.traitsOnce ?? {}))
      if (!traits.has(name) && value !== null) traits.set(name, value);
  }
  return {
    traits: Object.fromEntries(traits),
    firstSeenAt: events[0]!.occurredAt,
    lastSeenAt: events.at(-1)!.occurredAt,
  };
}
