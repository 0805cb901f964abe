import { z } from 'zod';

const estimate = z.strictObject({ value: z.number(), interval: z.tuple([z.number(), z.number()]) });
const group = z.strictObject({ people: z.int(), converted: z.int() });

/** What a campaign brought by those whom it left alone, beside what models give it. */
export const liftAnswer = z.strictObject({
  campaign: z.string(),
  /** Profiles that were known before the campaign, by whether it might reach them. */
  reached: group,
  heldOut: group,
  /** Absent where a group has nobody. */
  lift: z
    .strictObject({
      perPerson: estimate,
      conversions: estimate,
      /** Whether chance is excluded. */
      isShown: z.boolean(),
    })
    .optional(),
  /** Conversions that each model gives to the campaign, of those who might be reached. */
  credits: z.array(
    z.strictObject({
      model: z.string(),
      credit: z.number(),
      flag: z.enum(['exceeds_lift', 'below_lift']).optional(),
    }),
  ),
});
export type LiftAnswer = z.infer<typeof liftAnswer>;
