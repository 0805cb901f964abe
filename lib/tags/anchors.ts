import { HOUR } from '../platform/clock.ts';
import type { Calendar } from './calendar.ts';
import type { Slot } from './columns.ts';
import type { EventsReference, FactReference } from './leaves.ts';

/**
 * A window that stands at an instant of its own instead of ending now. With the anchor at T, in brand-day A:
 *
 *   within("7d").after    days [A, A+7)      within("36h").after    T ≤ t < T+36h
 *   within("7d").before   days (A−7, A]      within("36h").before   T−36h < t ≤ T
 */
export interface Reach {
  readonly side: 'after' | 'before';
  readonly unit: 'day' | 'hour';
  readonly length: number;
}

/** What a window is anchored on: a trait that is a date, or the time of the first, last or nth event. */
export interface Anchor extends Reach {
  readonly of: EventsReference | FactReference;
}

/** Of an anchor that is an event's time: where that is kept. */
export interface EventAnchor extends Reach {
  /** The feature's id, and which of its total columns. */
  readonly id: string;
  readonly slot: number;
  /** Of nth(3): 3. */
  readonly nth: number | undefined;
}

/** From the first to the one before the second. */
interface Reached {
  readonly from: number;
  readonly to: number;
}

/** The days, or milliseconds, that a window reaches from an anchor's day or instant. */
export function reachedFrom({ side, unit, length }: Reach, anchor: number): Reached {
  const long = unit === 'day' ? length : length * HOUR;
  return side === 'after' ? { from: anchor, to: anchor + long } : { from: anchor - long + 1, to: anchor + 1 };
}

/** A window around an anchor as it is written, but for what it is anchored on. */
export const reachText = ({ unit, length }: Reach): string =>
  `.within("${length}${unit === 'day' ? 'd' : 'h'}")`;

/** The nth of the first times. */
export const timeIn = (slot: Slot, nth: number | undefined): number | undefined => {
  const time = nth === undefined ? slot : Array.isArray(slot) ? slot[nth - 1] : undefined;
  return typeof time === 'number' ? time : undefined;
};

/**
 * Which days (or milliseconds) may still be asked for, when everything up to an instant is known: those that the
 * anchor reaches, and those that one still to come may reach.
 */
export function stillReached(
  reach: Reach,
  anchor: number | undefined,
  calendar: Calendar,
  at: number,
): (point: number) => boolean {
  const pointOf = (time: number) => (reach.unit === 'day' ? calendar.brandDay(time) : time);
  const now = reachedFrom(reach, pointOf(at));
  const then = anchor === undefined ? undefined : reachedFrom(reach, pointOf(anchor));
  return (point) => point >= now.from || (then !== undefined && point >= then.from && point < then.to);
}
