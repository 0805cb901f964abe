import { z } from 'zod';

// What of a brand's file is said elsewhere too: in requests, in rows. The whole of the file is `brand.ts`.

export const word = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'snake_case, at most 40 characters');
export const text = z.strictObject({ zh: z.string().max(200), en: z.string().max(200) });
const expression = z.string().min(1).max(4000);

/** A tag's rule: true or false by `when`, or the first of `values` whose expression holds. */
export const rule = z
  .strictObject({
    tag: word,
    name: text.optional(),
    when: expression.optional(),
    values: z.record(word, expression).optional(),
  })
  .refine((it) => (it.when === undefined) !== (it.values === undefined), {
    error: 'a rule has either `when` or `values`',
  });
export type Rule = z.infer<typeof rule>;

export const modelName = z.enum([
  'first',
  'last',
  'last_non_direct',
  'linear',
  'u_shaped',
  'w_shaped',
  'time_decay',
  'composite',
]);
export type ModelName = z.infer<typeof modelName>;

/** Models that are learned of everybody's paths (`lib/attribution/population.ts`): they are told of versions, not of orders. */
export const populationModel = z.enum(['markov', 'shapley', 'shapley_ordered', 'shapley_rate', 'learned']);
export type PopulationModel = z.infer<typeof populationModel>;

/** How near to the purchase a contact is by its kind: the pay page, a consultation, content. */
export const touchRole = z.enum(['direct', 'indirect', 'latent']);
export type TouchRole = z.infer<typeof touchRole>;

export const role = z.enum(['operator', 'analyst', 'admin', 'privacy']);
export type Role = z.infer<typeof role>;
