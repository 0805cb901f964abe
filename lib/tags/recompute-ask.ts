import { z } from 'zod';
import type { Queue } from '../platform/queue.ts';
import { PARTS, type Survey } from './survey.ts';

/** A message of the `recompute` queue: brings one part of all profiles to the rules in force. */
export const recomputeMessage = z.strictObject({
  /** The digest of the rules that asked for it: for whoever reads the queue. */
  book: z.string(),
  segment: z.int().nonnegative(),
  of: z.int().positive(),
  /** Where the part goes on; absent: at its beginning. */
  after: z.string().optional(),
  /** The back-fill whose progress is told; absent: nobody asks. */
  backfill: z.string().optional(),
});
export type RecomputeMessage = z.infer<typeof recomputeMessage>;

/** Asks for all profiles to be brought to new rules. */
export async function askRecompute(
  book: string,
  recompute: Queue,
  backfill?: Pick<Survey, 'id' | 'of'>,
): Promise<void> {
  const { id, of = PARTS } = backfill ?? {};
  const parts = Array.from({ length: of }, (_, segment) => ({ book, segment, of, backfill: id }));
  await recompute.send(parts.map((part) => JSON.stringify(part satisfies RecomputeMessage)));
}
