import { z } from 'zod';
import { decompress } from '../platform/compressed.ts';
import { CONVERSION, END, keys, partitions } from '../platform/keys.ts';
import type { Item, Table } from '../platform/table.ts';
import { generationsStore } from './generations-store.ts';
import { unpackListing } from './listing.ts';
import { packedCredits, unpackCredits } from './packed.ts';
import { type ConversionRow, conversionRow, type DayRow } from './row.ts';

const storedConversion = z.object({ day: z.string(), body: z.instanceof(Uint8Array) });
const packedBody = conversionRow.pick({ conversion: true, path: true }).extend({ credits: packedCredits });
const storedListing = z.object({ body: z.instanceof(Uint8Array) });

/** Every row of a cluster's conversions, gone ones too. */
export const conversionRows = (table: Table, cluster: string): AsyncIterable<Item> => {
  const { pk, sk } = keys.conversion(cluster, '');
  return table.query(pk, { from: sk, to: `${sk}${END}` });
};

/** Conversions, for who only reads them. */
export function conversionReader(table: Table) {
  return {
    /** The settings that credits are told by. */
    generations: generationsStore(table),

    /** A conversion with everything; none if there is none any more. */
    async get(cluster: string, id: string): Promise<ConversionRow | undefined> {
      const row = await table.get(keys.conversion(cluster, id));
      return row && parsed(row);
    },

    /** All conversions of a profile's cluster, in no order that means anything. */
    async *list(cluster: string): AsyncGenerator<ConversionRow> {
      for await (const row of conversionRows(table, cluster)) {
        const it = parsed(row);
        if (it) yield it;
      }
    },

    /** The conversions of a brand-day. @param generation by what they are to be told; absent: by the newest */
    async listDay(day: string, generation?: string): Promise<DayRow[]> {
      const shards = partitions.dayConversions(day).map(async (pk) => {
        const rows: DayRow[] = [];
        for await (const row of table.query(pk)) {
          if (row.gone === true) continue;
          rows.push({ id: row.sk, day, ...unpackListing(storedListing.parse(row).body, generation) });
        }
        return rows;
      });
      return (await Promise.all(shards)).flat();
    },
  };
}
export type ConversionReader = ReturnType<typeof conversionReader>;

function parsed(row: Item): ConversionRow | undefined {
  if (row.gone === true) return undefined;
  const { day, body } = storedConversion.parse(row);
  const { conversion, path, credits } = packedBody.parse(decompress(body));
  const id = row.sk.slice(CONVERSION.length);
  return { id, day, conversion, path, credits: unpackCredits(credits, conversion, path.touches) };
}
