import { z } from 'zod';
import { type AttributionSettings, modelName } from '../platform/brand.ts';
import type { Conversion } from './conversion.ts';
import { models } from './models.ts';
import type { Path } from './path.ts';
import { fallsBack, split, WHOLE } from './split.ts';

/** A touch's share of a conversion in one model. */
export const credit = z.strictObject({
  /** Index into the path; `null`: nobody, the conversion has no touch. */
  touch: z.int().nullable(),
  ppm: z.int(),
  /** Its part of the value and of what was refunded, in minor units: net is the one less the other. */
  gross: z.int(),
  refunded: z.int(),
  factors: z.record(z.string(), z.union([z.string(), z.number()])),
});
export type Credit = z.infer<typeof credit>;

export const credits = z.partialRecord(modelName, z.array(credit));
export type Credits = z.infer<typeof credits>;

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
  conversion: Pick<Conversion, 'at' | 'value' | 'refunded'>,
  path: Pick<Path, 'touches'>,
  settings: AttributionSettings,
): Credits {
  const { at, value, refunded } = conversion;
  if (path.touches.length === 0) {
    const nobody: Credit = { touch: null, ppm: WHOLE, gross: value, refunded, factors: {} };
    return Object.fromEntries(settings.models.map((name) => [name, [nobody]]));
  }
  const shared: Credits = {};
  for (const name of settings.models) {
    const weighed = models[name](path.touches, at, settings);
    const weights = weighed.map(({ weight }) => weight);
    const ppm = split(WHOLE, weights);
    const gross = split(value, weights);
    const back = split(refunded, weights);
    const fallback = fallsBack(weights) ? { fallback: 'linear' } : undefined;
    shared[name] = weighed.map(({ factors }, i) => ({
      touch: i,
      ppm: ppm[i]!,
      gross: gross[i]!,
      refunded: back[i]!,
      factors: { ...factors, ...fallback },
    }));
  }
  return shared;
}
