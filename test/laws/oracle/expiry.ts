import type { Event } from '../../../lib/events/event.ts';
import { dayOf } from './days.ts';

/** For how many days the events of a type are kept, by what the brand of a test says in so many words. */
export interface Kept {
  readonly days: number;
  readonly types: Readonly<Record<string, number>>;
}

/** Whether an event is still kept at an instant: it is on so many days of the brand, its own the first. */
export const isKeptAt = (event: Event, now: number, zone: string, { days, types }: Kept): boolean =>
  dayOf(now, zone) - dayOf(Date.parse(event.occurredAt), zone) < (types[event.type] ?? days);
