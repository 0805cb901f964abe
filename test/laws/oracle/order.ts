import type { Event } from '../../../lib/events/event.ts';

/** Order of text by UTF-16 units. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The distinct events in order of (time, id). Of two with one id the smaller by JSON text counts. */
export function distinct(events: readonly Event[]): Event[] {
  const kept = new Map<string, Event>();
  for (const event of events) {
    const known = kept.get(event.id);
    if (!known || byText(JSON.stringify(event), JSON.stringify(known)) < 0) kept.set(event.id, event);
  }
  return [...kept.values()].sort((a, b) => byText(a.occurredAt, b.occurredAt) || byText(a.id, b.id));
}
