import { z } from 'zod';
import { type Clock, DAY, SECOND } from '../platform/clock.ts';
import { compress } from '../platform/compressed.ts';
import { ConflictError } from '../platform/errors.ts';
import { CONVERSION, keys } from '../platform/keys.ts';
import type { Key, Table, Value } from '../platform/table.ts';
import { type ListedConversion, packListings } from './listing.ts';
import { packCredits } from './packed.ts';
import { conversionReader, conversionRows } from './read.ts';
import { type ConversionRow, dayRowOf, type Mark, mark } from './row.ts';

/** How long a tombstone stands: longer than a writer that read the row before it can sleep. */
const TOMBSTONE_MS = 30 * DAY;

const profileRow = z.object({ v: z.int().default(0) });

interface Fields {
  readonly [name: string]: Value;
}

/**
 * Conversions: one row with everything in the profile's partition, one in the list of its brand-day.
 *
 * The first is put first, on condition that it is still the one that was read, and names the days on which the
 * conversion may be listed and should not. So whoever comes later, or again after a crash, knows which lists to clear,
 * and a conversion is never listed on two days for good. What is gone is a tombstone and not removed, because a
 * writer that woke up late would write a removed row again.
 */
export function conversionStore(table: Table, now: Clock) {
  const ttl = () => Math.ceil((now() + TOMBSTONE_MS) / SECOND);

  const markOf = async (cluster: string, id: string): Promise<Mark | undefined> => {
    const row = await table.get(keys.conversion(cluster, id));
    return row && mark.parse(row);
  };

  /**
   * Puts a row over the one that was read. A row of a later edition stays, unless it was told from fewer events of
   * its key than ours.
   *
   * @returns the mark of what stands, ours or of the same edition; none if a later one does
   * @throws ConflictError if it has to be told anew: somebody else put it since, or knows less and is ahead
   */
  async function over(
    key: { cluster: string; id: string; v: number; firstAt: string | undefined },
    was: Mark | undefined,
    content: Fields,
  ): Promise<Mark | undefined> {
    const { cluster, id, v, firstAt } = key;
    if (was?.v === v) return was;
    if (was && was.v > v) {
      if (firstAt !== undefined && was.firstAt !== undefined && firstAt < was.firstAt)
        throw new ConflictError(`${id} was told from less, and later`);
      return undefined;
    }
    const row = { ...content, ...keys.conversion(cluster, id), v };
    await table.put(row, { kind: 'version', version: was?.v ?? 0 });
    return mark.parse(row);
  }

  async function putIf(guard: 'newer' | number, key: Key, fields: Fields): Promise<void> {
    try {
      await table.put(
        { ...fields, ...key },
        guard === 'newer' ? { kind: 'newer' } : { kind: 'version', version: guard },
      );
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error; // written before, or somebody newer has
    }
  }

  async function clear(id: string, v: number, days: readonly string[]): Promise<void> {
    for (const day of days) await putIf('newer', keys.dayConversion(day, id), { v, gone: true, ttl: ttl() });
  }

  return {
    ...conversionReader(table),

    /** What has to be known of a row to write over it. */
    mark: markOf,

    /** The marks of all rows of a profile by conversion id, gone ones too. */
    async marks(cluster: string): Promise<Map<string, Mark>> {
      const marks = new Map<string, Mark>();
      for await (const row of conversionRows(table, cluster))
        marks.set(row.sk.slice(CONVERSION.length), mark.parse(row));
      return marks;
    },

    /** Version of the profile in a partition, also of one that has been joined to another; 0 if there is none. */
    async version(cluster: string): Promise<number> {
      const row = await table.get(keys.profile(cluster));
      return row ? profileRow.parse(row).v : 0;
    },

    /**
     * Puts a conversion and its place in the day's list. A row of a later edition stays; putting the same edition
     * again completes what a crash left undone.
     *
     * @param seen the mark that was read, if there was a row
     * @param beside what the day's list says of it, by what it was told by, the newest last
     * @throws ConflictError if the conversion has to be told anew
     */
    async put(
      cluster: string,
      row: ConversionRow,
      v: number,
      seen: Mark | undefined,
      beside: readonly (readonly [string, ListedConversion])[] = [['', dayRowOf(row)]],
    ): Promise<void> {
      const { id, day, conversion, path, credits } = row;
      const { goal, at, firstAt } = conversion;
      const content = {
        day,
        goal,
        at,
        firstAt,
        body: compress({ conversion, path, credits: packCredits(credits) }),
      };
      const former = daysOf(seen).filter((it) => it !== day);
      const full = { ...content, ...(former.length > 0 && { former }) };
      const stands = await over({ cluster, id, v, firstAt }, seen, full);
      if (!stands) return;
      await putIf('newer', keys.dayConversion(day, id), { v, body: packListings(beside) });
      if (stands.former.length === 0) return;
      await clear(id, v, stands.former);
      await putIf(v, keys.conversion(cluster, id), { ...content, v }); // nothing is left to clear
    },

    /**
     * Puts a tombstone where a conversion was, and clears the lists that it was in.
     *
     * @param firstAt the earliest refund of an order that is not known: kept without end, so that the order finds it
     *   however late it comes
     * @throws ConflictError if the conversion has to be told anew
     */
    async retire(
      cluster: string,
      id: string,
      v: number,
      seen: Mark | undefined,
      firstAt?: string,
    ): Promise<void> {
      const former = daysOf(seen);
      const content = { gone: true, former, ...(firstAt === undefined ? { ttl: ttl() } : { firstAt }) };
      const stands = await over({ cluster, id, v, firstAt }, seen, content);
      if (stands) await clear(id, v, daysOf(stands));
    },
  };
}
export type ConversionStore = ReturnType<typeof conversionStore>;

/** Every day on which a row may be listed. */
const daysOf = (it: Mark | undefined): string[] => [
  ...new Set([...(it?.former ?? []), ...(it?.day === undefined ? [] : [it.day])]),
];
