import { z } from 'zod';
import type { AttributionSettings } from '../platform/brand.ts';
import { type ModelName, modelName } from '../platform/brand-words.ts';
import { composite } from './composite.ts';
import type { Conversion } from './conversion.ts';
import { models, type Weight } from './models.ts';
import type { Path } from './path.ts';
import { fallsBack, splitter, WHOLE } from './split.ts';

/** A touch's share of a conversion in one model. */
export const credit = z.strictObject({
  /** Index into the path; `null`: nobody, the conversion has no touch. */
  touch: z.int().nullable(),
  /** What the share is in proportion to. */
  weight: z.number(),
  ppm: z.int(),
  /** Its part of the value and of what was refunded, in minor units: net is the one less the other. */
  gross: z.int(),
  refunded: z.int(),
  factors: z.record(z.string(), z.union([z.string(), z.number()])),
});
export type Credit = z.infer<typeof credit>;

export const credits = z.partialRecord(modelName, z.array(credit));
export type Credits = z.infer<typeof credits>;

/** What of a conversion decides on its shares. */
export type SharedConversion = Pick<Conversion, 'at' | 'value' | 'refunded' | 'tier'> & {
  /** The brand-day that it counts on. */
  readonly day: string;
};

/** Every touch's weight in one model. */
const weigh = (
  name: ModelName,
  path: Path['touches'],
  { at, day, tier }: SharedConversion,
  settings: AttributionSettings,
): Weight[] =>
  name === 'composite'
    ? composite(path, { at, day, ...(tier && { tier }) }, settings)
    : models[name](path, at, settings);

/**
 * Shares one conversion among the touches before it, in every model that the brand uses.
 *
 * In each model Σ ppm = 1,000,000, Σ gross = value and Σ refunded = refunded, exactly. What was refunded re-uses the
 * original split and is never shared anew: all refunds together are split as one value by the same weights, so that
 * a conversion that was refunded wholly, in however many parts, leaves exactly nothing to any touch. Where something
 * is left, rounding can leave a touch one minor unit below zero; the sums hold.
 *
 * Without a touch all of it is one credit of nobody's. Weights that say nothing (all 0) fall back to equal ones, and
 * the factors say so.
 */
export function shareConversion(
  conversion: SharedConversion,
  path: Pick<Path, 'touches'>,
  settings: AttributionSettings,
): Credits {
  const shared: Credits = {};
  for (const name of settings.models)
    shared[name] = creditsOf(weigh(name, path.touches, conversion, settings), conversion);
  return shared;
}

/** One model's credits by its weights, one a touch; without any all is nobody's. */
export function creditsOf(
  weighed: readonly Weight[],
  { value, refunded }: Pick<Conversion, 'value' | 'refunded'>,
): Credit[] {
  if (weighed.length === 0)
    return [{ touch: null, weight: 1, ppm: WHOLE, gross: value, refunded, factors: {} }];
  const weights = weighed.map(({ weight }) => weight);
  const parts = splitter(weights);
  const [ppm, gross, back] = [parts(WHOLE), parts(value), parts(refunded)];
  const fallback = fallsBack(weights) ? { fallback: 'linear' } : undefined;
  return weighed.map(({ weight, factors }, i) => ({
    touch: i,
    weight,
    ppm: ppm[i]!,
    gross: gross[i]!,
    refunded: back[i]!,
    factors: fallback ? { ...factors, ...fallback } : factors,
  }));
}
