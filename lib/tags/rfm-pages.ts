import { z } from 'zod';
import { type Clock, DAY, SECOND } from '../platform/clock.ts';
import { compress, decompress } from '../platform/compressed.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import { rfmQuintiles, scoreSizes, type Ties } from './rfm-quintiles.ts';
import type { RfmProfile } from './rfm-quintiles-work.ts';

/** Customers of a row: a few kilobytes, compressed. */
const CHUNK = 500;

const sizes = z.array(z.int()).length(5);
const summary = z.strictObject({
  customers: z.int(),
  monetary: z.int(),
  sizes: z.strictObject({ r: sizes, f: sizes, m: sizes }),
});
export type RfmSummary = z.infer<typeof summary>;

/** A customer with its scores: profile, days, orders, money, r, f, m. */
const scored = z.tuple([z.string(), z.int(), z.int(), z.int(), z.int(), z.int(), z.int()]);
const row = z.object({ b: z.instanceof(Uint8Array) });

/**
 * The scores of a survey that is done, worked out once and kept as long as the survey: a page costs a page, and stays
 * what it was.
 */
export function rfmPages(id: string, ties: Ties, table: Pick<Table, 'get' | 'put'>, now: Clock) {
  const key = (place: number | 'all') => keys.surveyPage(id, `${ties}-${place}`);

  async function put(place: number | 'all', what: unknown): Promise<void> {
    await table.put({ ...key(place), b: compress(what), ttl: Math.ceil((now() + DAY) / SECOND) });
  }

  async function get(place: number | 'all'): Promise<unknown> {
    const found = row.safeParse(await table.get(key(place)));
    return found.success ? decompress(found.data.b) : undefined;
  }

  return {
    /** Undefined until somebody has worked them out. */
    async summary(): Promise<RfmSummary | undefined> {
      return summary.optional().parse(await get('all'));
    },

    /** Works out the scores of all customers. Who does it again writes the same. @param customers by name */
    async work(customers: readonly RfmProfile[]): Promise<RfmSummary> {
      const scores = rfmQuintiles(customers, ties);
      for (let i = 0; i < customers.length; i += CHUNK) {
        const rows = customers.slice(i, i + CHUNK).map((it): z.infer<typeof scored> => {
          const { r = 1, f = 1, m = 1 } = scores.get(it.id) ?? {};
          return [it.profile, it.recency, it.frequency, it.monetary, r, f, m];
        });
        await put(i / CHUNK, rows);
      }
      const all: RfmSummary = {
        customers: customers.length,
        monetary: customers.reduce((sum, { monetary }) => sum + monetary, 0),
        sizes: scoreSizes(scores.values()),
      };
      await put('all', all); // last: whoever finds it finds the pages
      return all;
    },

    /** The customers from ≤ place < to. */
    async page(from: number, to: number) {
      const first = Math.floor(from / CHUNK);
      const chunks = Array.from({ length: Math.ceil(to / CHUNK) - first }, (_, i) => get(first + i));
      const found = (await Promise.all(chunks)).flatMap((it) => z.array(scored).parse(it ?? []));
      return found
        .slice(from - first * CHUNK, to - first * CHUNK)
        .map(([profile, recency, frequency, monetary, r, f, m]) => ({
          ...{ profile, recency, frequency, monetary, r, f, m },
        }));
    },
  };
}
