import { z } from 'zod';

const count = z.int().nonnegative();

/**
 * What a draft would change, counted over some profiles. Tallies of different profiles add up to that of all of
 * them, in any order.
 */
export const tally = z.strictObject({
  profiles: count,
  /** Profiles by the tag's value, by the rules in force and by the draft; a tag without values has `true`. */
  before: z.record(z.string(), count),
  after: z.record(z.string(), count),
  /** Holds it by the draft and not before, before and not by the draft, both but another value. */
  enter: count,
  leave: count,
  change: count,
  /** How each brand-day ends by the draft; today, as it is now. */
  days: z.array(z.strictObject({ members: count, entered: count, left: count })),
  /** Other tags: who holds them, and this one too, by the draft; whom they gain and lose because they read it. */
  others: z.record(z.string(), z.strictObject({ members: count, both: count, enter: count, leave: count })),
  /** Profiles that enter and leave: those with the first ids, which are digests and so say nothing. */
  sample: z.strictObject({ enter: z.array(z.string()), leave: z.array(z.string()) }),
  /** What it took: journals and events that were read, and read units by the size of the rows. */
  cost: z.strictObject({ journals: count, events: count, readUnits: z.number().nonnegative() }),
});
export type Tally = z.infer<typeof tally>;
