import { z } from 'zod';
import { instant } from '../events/event.ts';
import type { RfmSettings } from '../platform/brand.ts';
import type { Calendar } from './calendar.ts';
import type { Cuts } from './rfm-cuts.ts';
import { type Histogram, scoresTogether } from './rfm-quintiles.ts';
import { periodAfter } from './windows.ts';

const four = z.array(z.number().nullable()).length(4);

/** The cuts by which a population falls into fifths, as rules read them from one moment to the next edition. */
export const quintileEdition = z.strictObject({
  version: z.int().positive(),
  /** Purchases up to this instant count. */
  asOf: instant,
  /** How many had a purchase in the window. */
  customers: z.int().nonnegative(),
  /** The survey that counted them. */
  survey: z.string(),
  /** When that was begun. Absent in old editions. */
  at: instant.optional(),
  /** What was measured: with other settings these cuts say nothing. */
  of: z.strictObject({ event: z.string(), value: z.string(), windowDays: z.int() }),
  r: four,
  f: four,
  m: four,
});
export type QuintileEdition = z.infer<typeof quintileEdition>;

/** How often each value of the three measures occurs; recency in brand-days, 0 is today. */
export interface Population {
  readonly recency: Histogram;
  readonly frequency: Histogram;
  readonly monetary: Histogram;
}

/**
 * The cuts at which `rfm` gives everybody of a population the score by fifths that equal values share: the lowest that
 * one of them would get by rank. A cut that nobody reaches is `null`.
 *
 *   r[i]   bought within so many brand-days → 5 − i      f[i], m[i]   at least so much → 2 + i
 */
export function cutsOf({ recency, frequency, monetary }: Population): Cuts {
  const least = (histogram: Histogram) => {
    const scores = [...scoresTogether(histogram, 'highest')];
    return [2, 3, 4, 5].map((score) => firstOf(scores, (it) => it >= score, Math.min));
  };
  const scores = [...scoresTogether(recency, 'lowest')];
  const r = [5, 4, 3, 2].map((score) => {
    const age = firstOf(scores, (it) => it >= score, Math.max);
    return age === null ? null : age + 1;
  });
  return { r, f: least(frequency), m: least(monetary) };
}

function firstOf(
  scores: readonly (readonly [value: number, score: number])[],
  reaches: (score: number) => boolean,
  pick: (a: number, b: number) => number,
): number | null {
  const values = scores.filter(([, score]) => reaches(score)).map(([value]) => value);
  return values.length === 0 ? null : values.reduce((a, b) => pick(a, b));
}

/** What has to be the same for cuts to say anything. */
export const measured = ({ event, value, windowDays }: RfmSettings): QuintileEdition['of'] => ({
  event,
  value,
  windowDays,
});

/** Whether an edition is of what the brand measures now. */
export const isOf = (rfm: RfmSettings, { of }: QuintileEdition): boolean =>
  of.event === rfm.event && of.value === rfm.value && of.windowDays === rfm.windowDays;

/** Whether it is time for new cuts: none yet, of something else, or from a day, week or month before this one. */
export function isDue(
  edition: QuintileEdition | undefined,
  rfm: RfmSettings,
  now: number,
  calendar: Calendar,
): boolean {
  if (!edition || !isOf(rfm, edition)) return true;
  const periodOf = (at: number) => periodAfter(rfm.renew, calendar.brandDay(at), 0);
  // Cuts as of the instant before a period begins are those with which it begins.
  return periodOf(Date.parse(edition.asOf) + 1) < periodOf(now);
}
