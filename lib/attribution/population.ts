import { z } from 'zod';
import { instant } from '../events/event.ts';
import { populationModel } from '../platform/brand-words.ts';
import { liftAnswer } from './lift.ts';

/** What is learned of everybody: a model, or how campaigns do beside those whom they leave alone. */
export const learnable = z.enum([...populationModel.options, 'holdouts']);
export type Learnable = z.infer<typeof learnable>;

/** What a caller may set of each model; the rest is as the model has it. */
export const parametersOf = {
  markov: z.strictObject({
    /** Channels that are remembered. */
    order: z.literal([1, 2, 3, 4]).optional(),
    repeats: z.enum(['keep', 'drop']).optional(),
    /** Refused below so many observations a state. */
    fewest: z.number().min(0).optional(),
  }),
  shapley: z.strictObject({}),
  shapley_ordered: z.strictObject({}),
  shapley_rate: z.strictObject({
    /** Strength of the overall rate, in paths. */
    prior: z.number().min(0).optional(),
    by: z.enum(['set', 'sequence']).optional(),
    seed: z.int().optional(),
  }),
  learned: z.strictObject({
    /** Half-lives in days to choose from, by how well they foretell people whom they were not fitted to. */
    halfLives: z.array(z.number().min(0.25).max(90)).min(1).max(12).optional(),
  }),
  holdouts: z.strictObject({}),
} satisfies Record<Learnable, z.ZodType>;

/** What one count of everybody is made for. */
export const fit = z.discriminatedUnion('model', [
  parametersOf.markov.extend({ model: z.literal('markov') }),
  parametersOf.shapley.extend({ model: z.literal('shapley') }),
  parametersOf.shapley_ordered.extend({ model: z.literal('shapley_ordered') }),
  parametersOf.shapley_rate.extend({ model: z.literal('shapley_rate') }),
  parametersOf.learned.extend({ model: z.literal('learned') }),
  parametersOf.holdouts.extend({ model: z.literal('holdouts') }),
]);
export type Fit = z.infer<typeof fit>;

/** The conversions and the people that are looked at: brand-days, `from` ≤ day < `to`, and the instants they begin at. */
export const span = z.strictObject({
  from: z.iso.date(),
  to: z.iso.date(),
  begin: z.int(),
  end: z.int(),
});

/** A count of everybody's paths, and the models that are learned of it. */
export const run = z.strictObject({
  /** The version of all that comes of it; they sort in the order of time. */
  id: z.string(),
  at: instant,
  by: z.string(),
  /** How many parts all profiles are divided into. */
  of: z.int().positive(),
  goal: z.string(),
  currency: z.string(),
  span,
  fits: z.array(fit).min(1),
});
export type Run = z.infer<typeof run>;

/** A message of the queue: counts one part of everybody, or fits a model to what was counted. */
export const runMessage = z.union([
  z.strictObject({
    run: z.string(),
    part: z.int().nonnegative(),
    /** Where the part goes on; absent: at its beginning. */
    after: z.string().optional(),
  }),
  z.strictObject({ run: z.string(), fit: learnable }),
]);
export type RunMessage = z.infer<typeof runMessage>;
export type PartMessage = Extract<RunMessage, { part: number }>;

const credited = z.strictObject({
  channel: z.string(),
  /** Credited conversions: 1,000,000 is one. Over all rows exactly the conversions of the sample. */
  ppm: z.int(),
  /** Minor units, after refunds. Over all rows exactly the money of the sample. */
  money: z.int(),
  /** What touches of the channel count by when one order is shared. */
  weight: z.number().optional(),
  /** Markov: the share of conversions and of money that is lost without the channel. */
  effect: z.strictObject({ conversions: z.number(), value: z.number() }).optional(),
  /** Shapley by rate: what sampling leaves open; 0 where all was exact. */
  standardError: z.strictObject({ conversions: z.number(), value: z.number() }).optional(),
  /** Ordered Shapley: conversions by the place in the path where they were earned; the last has all places beyond. */
  positions: z.array(z.number()).optional(),
});

export const modelResult = z.strictObject({
  sample: z.strictObject({
    people: z.int(),
    distinctPaths: z.int(),
    conversions: z.int(),
    /** Paths that did not convert, and those that are too young to tell, which are left out. */
    nulls: z.int(),
    tooYoung: z.int(),
    /** Conversions in other currencies, which are in no path. */
    otherCurrencies: z.record(z.string(), z.int()),
  }),
  /** Minor units, after refunds. */
  money: z.int(),
  channels: z.array(credited),
  /** What the model says besides: states, observations, iterations, the last change of a parameter. */
  facts: z.record(z.string(), z.union([z.number(), z.string()])),
  flags: z.array(z.string()),
  lifts: z.array(liftAnswer).optional(),
});
export type ModelResult = z.infer<typeof modelResult>;

/** A version of a model: what was learned, or why nothing was. */
export const modelVersion = run.omit({ of: true, fits: true }).extend({
  parameters: fit,
  result: modelResult.optional(),
  /** Why there is none. */
  refused: z.string().optional(),
  /** That there is none any more, and why. */
  ended: z.string().optional(),
});
export type ModelVersion = z.infer<typeof modelVersion>;

/** What cannot be counted or learned, in words for whoever asked. */
export class LearningRefused extends Error {
  override readonly name = 'LearningRefused';
}
