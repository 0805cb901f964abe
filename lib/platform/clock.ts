/** The instant, in milliseconds since 1970 UTC. An argument everywhere: nothing pure reads the clock. */
export type Clock = () => number;

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** RFC 3339 UTC with milliseconds, the only form in which times are stored: string order is time order. */
export const toIso = (at: number): string => new Date(at).toISOString();

/** The system's clock, for the handlers' `open`. */
export const systemClock: Clock = () => Date.now();

/** A brand-day's number (days since 1970-01-01, by the brand's calendar) as its date, YYYY-MM-DD. */
export const dayName = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10);
