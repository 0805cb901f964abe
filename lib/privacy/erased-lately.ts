import { z } from 'zod';
import { instant } from '../events/event.ts';
import { END, keys, LISTING } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import { dayNumber } from '../tags/calendar.ts';

const row = z.object({
  sk: z.string(),
  /** When it ended: since twenty minutes before nobody could read the person any more. */
  at: instant,
  /** Partitions of the lists in which conversions of the cluster stood. */
  lists: z.array(z.string()),
  /** When sums that had counted the person were first ended, and when those that are learned were asked for again. */
  endedAt: instant.optional(),
  askedAt: instant.optional(),
});

/** An erasure after which sums of people are told anew: what `endErasure` put down of it, and how far that is. */
export type ErasedLately = z.infer<typeof row>;

/** The brand-days whose reports had counted conversions of the person, or of whoever shared a cluster with them. */
export const daysOf = ({ lists }: ErasedLately): number[] =>
  lists.map((pk) => dayNumber(pk.slice(LISTING.length, LISTING.length + 'YYYY-MM-DD'.length)));

const { pk, sk: FIRST } = keys.sum('erasure', '');

/** Erasures after which sums are still to be told anew. */
export function erasedLately(table: Pick<Table, 'put' | 'query' | 'remove'>) {
  return {
    async list(): Promise<ErasedLately[]> {
      const all: ErasedLately[] = [];
      for await (const item of table.query(pk, { from: FIRST, to: `${FIRST}${END}` }))
        all.push(row.parse(item));
      return all;
    },
    put: (it: ErasedLately): Promise<void> => table.put({ pk, ...it }),
    remove: ({ sk }: ErasedLately): Promise<void> => table.remove({ pk, sk }),
  };
}
