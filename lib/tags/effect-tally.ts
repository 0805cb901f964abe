import { z } from 'zod';

const count = z.int().nonnegative();

/** What some profiles did. Sums of different profiles add up, in any order, to the last digit. */
export const group = z.strictObject({
  profiles: count,
  /** Those with a conversion, and how many conversions they had. */
  converted: count,
  conversions: count,
  /** Minor units of the brand's currency; and the sum of the profiles' squares, as text: it outgrows a number. */
  spend: count,
  squares: z.string().regex(/^\d+$/),
});
export type Group = z.infer<typeof group>;

/** What tags tell apart, counted over some profiles. Tallies of different profiles add up to that of all of them. */
export const effectTally = z.strictObject({
  /** Everybody who was known before the first day. */
  all: group,
  /** Of these, who held a tag as the first day began, by tag and value; a tag without values has `true`. */
  tags: z.record(z.string(), z.record(z.string(), group)),
  /** Of the tag that was asked for: how each day ends. Who came to be known later is counted too. */
  days: z.array(z.strictObject({ members: count, entered: count, left: count })),
  /** Other tags, at the end: who holds them, and the one that was asked for too. */
  overlap: z.record(z.string(), z.strictObject({ members: count, both: count })),
});
export type EffectTally = z.infer<typeof effectTally>;
