import { DAY } from '../platform/clock.ts';

/** The id of a conversion: the profile's and its key. */
export const conversionId = (profile: string, key: string): string => `${profile}.${key}`;

const EDITIONS = 100_000;
/** Versions of a profile times editions of a version: ten million writes of one profile. */
const GENERATION = 1e12;

/**
 * Orders everything that can be said of a conversion: by the settings that it was told by first, then by the version of
 * the profile; of the same version, what was read from further back knows more. One whole number, so that a guard can
 * compare it, for 9,006 changes of settings.
 *
 *   edition = change · 10¹² + version · 100,000 + 99,999 − days from 1970 to `since`     (whole history: … + 99,999)
 *
 * @param change how many settings were taken over (`Generations.seq`)
 * @param since UTC midnight from which on the events were read, in ms; undefined: all were
 */
export function edition(version: number, since: number | undefined, change = 0): number {
  const days = since === undefined ? 0 : Math.min(Math.max(Math.floor(since / DAY), 0), EDITIONS - 1);
  return change * GENERATION + version * EDITIONS + (EDITIONS - 1 - days);
}

/** Whether an edition was told from a version of the profile, or from a newer one. */
export const isToldFrom = (edition: number, version: number): boolean =>
  Math.floor((edition % GENERATION) / EDITIONS) >= version;

/** The change of settings that an edition was told after. */
export const generationNumber = (edition: number): number => Math.floor(edition / GENERATION);
